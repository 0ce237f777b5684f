//! Refresh tokens (ids F).

use std::time::Duration;

use grantor::client::{ClientMetadata, RefreshRotation};
use grantor::event::{Event, Refusal, Revoked, What, Why};
use grantor::refusal::TokenError;
use grantor::store::{Kind, State};
use grantor::wire::token::TokenKind;
use grantor::{Builder, ClientId, Lifetimes};
use http::StatusCode;

use crate::harness::*;
use crate::spy::{Fault, Spy, at_once};

/// The length of the retry window where nobody set it.
const WINDOW: u64 = 30;

/// A server without a retry window.
fn strict(builder: Builder) -> Builder {
    builder.lifetimes(Lifetimes { refresh_retry_window: Duration::ZERO, ..Lifetimes::default() })
}

fn request(client: Known, token: &str) -> http::Request<String> {
    post_as(client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn tells_of_theft(events: &[Event]) -> bool {
    let revoked = What::Revoked { what: Revoked::Grant, why: Why::RefreshReplayed };
    events.iter().any(|event| event.what == What::Replayed { kind: TokenKind::Refresh } || event.what == revoked)
}

/// The refresh tokens of live grants that were not used: what could still be rotated.
fn live_leaves(world: &World) -> usize {
    let live = |key| world.dump().iter().any(|record| record.key == key && record.state == State::Live);
    let leaf = |token: &&std::sync::Arc<grantor::store::Record>| {
        token.used.is_none() && token.state == State::Live && live(token.parent.unwrap().key)
    };
    world.records(Kind::REFRESH_TOKEN).iter().filter(leaf).count()
}

#[tokio::test]
async fn rfc6749_6_a_refresh_token_buys_a_new_pair() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let (access, refresh) = world.tokens(client).await;
        world.advance(3600);
        let answer = world.refresh(client, &refresh).await;
        let (newer_access, newer_refresh) = answer.tokens();
        assert!(newer_access != access && newer_refresh != refresh);
        assert_eq!(answer.field("scope"), "read write");
        assert_eq!(answer.json().unwrap()["expires_in"], 12 * 3600);
        assert!(world.is_live(&access).await, "the older access token lives until it expires");
        assert!(world.is_live(&newer_access).await);
        world.refresh(client, &newer_refresh).await.tokens();
    }
    // Nothing outlives the grant, however often it is refreshed.
    let day = 24 * 3600;
    let (_, mut refresh) = world.tokens(WEB).await;
    for _ in 0..4 {
        world.advance(20 * day);
        refresh = world.refresh(WEB, &refresh).await.tokens().1;
    }
    world.advance(10 * day - 60);
    let answer = world.refresh(WEB, &refresh).await;
    let (access, refresh) = answer.tokens();
    assert_eq!(answer.json().unwrap()["expires_in"], 60);
    world.advance(60);
    world.refresh(WEB, &refresh).await.refused("invalid_grant");
    assert!(!world.is_live(&access).await);

    // A client may be registered to keep one token; then that one serves, also twice.
    let keeps = ClientMetadata { refresh_token_rotation: RefreshRotation::Never, ..metadata(WEB) };
    let keeper = Known { id: "keeper", ..WEB };
    world.register(keeper, keeps).await;
    let (_, refresh) = world.tokens(keeper).await;
    for _ in 0..3 {
        world.advance(20 * day);
        let answer = world.refresh(keeper, &refresh).await;
        assert!(answer.json().unwrap().get("refresh_token").is_none());
        assert!(world.is_live(&answer.field("access_token")).await);
    }
    world.advance(30 * day);
    world.refresh(keeper, &refresh).await.refused("invalid_grant");
}

#[tokio::test]
async fn rfc9700_4_14_2_reuse_after_the_window_revokes_the_family() {
    for client in [WEB, CLI] {
        for later in [WINDOW, WINDOW + 1, 3600, 29 * 24 * 3600, 80 * 24 * 3600] {
            let world = World::new().await;
            let (first_access, first) = world.tokens(client).await;
            let (bystander, _) = world.tokens(client).await;
            let (access, second) = world.refresh(client, &first).await.tokens();
            let (newest, third) = world.refresh(client, &second).await.tokens();
            world.advance(later - 1);
            if later == WINDOW {
                assert_eq!(world.refresh(client, &first).await.tokens(), (access.clone(), second.clone()));
            }
            world.advance(1);
            world.server.purge(u32::MAX).await.unwrap();
            world.take_events();
            let answer = world.send_ending_a_grant(request(client, &first)).await;
            let unknown = world.refresh(client, &reseal(&first, "grt_", |raw| raw.fill(0))).await;
            answer.refused("invalid_grant").same_as(&unknown);
            assert!(tells_of_theft(&world.take_events()));
            for token in [&first_access, &access, &newest] {
                assert!(!world.is_live(token).await);
            }
            for token in [&first, &second, &third] {
                world.refresh(client, token).await.refused("invalid_grant");
            }
            assert_eq!(world.is_live(&bystander).await, later <= 3600, "another sign-in is another family");
        }
    }
}

#[tokio::test]
async fn f_02_without_a_window_one_refresh_wins_and_repetition_ends_the_family() {
    for callers in [2, 16, 64] {
        for nodes in [1, 2] {
            let (world, spy) = Spy::world(strict).await;
            let other = spy.node(&world, strict);
            let (first_access, refresh) = world.tokens(WEB).await;
            spy.meet(callers);
            let requests = (0..callers).map(|_| request(WEB, &refresh)).collect();
            let answers = at_once(&[&world, &other][..nodes], requests).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
            assert_eq!(won.len(), 1, "{callers} callers, {nodes} nodes");
            for answer in &lost {
                answer.refused("invalid_grant").same_as(lost[0]);
            }
            assert_eq!(live_leaves(&world), 0);
            assert_eq!(world.records(Kind::REFRESH_TOKEN).len(), 2, "one successor");
            let (access, successor) = won[0].tokens();
            assert!(!world.is_live(&first_access).await && !world.is_live(&access).await);
            world.refresh(WEB, &successor).await.refused("invalid_grant");
        }
    }
}

#[tokio::test]
async fn f_03_within_the_window_every_caller_gets_the_same_successor() {
    for callers in [2, 16, 64] {
        for nodes in [1, 2] {
            let (world, spy) = Spy::world(|builder| builder).await;
            let other = spy.node(&world, |builder| builder);
            let (_, refresh) = world.tokens(CLI).await;
            spy.meet(callers);
            let requests = (0..callers).map(|_| request(CLI, &refresh)).collect();
            let answers = at_once(&[&world, &other][..nodes], requests).await;
            let first = answers[0].tokens();
            assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{callers} callers, {nodes} nodes");
            assert_eq!((live_leaves(&world), world.records(Kind::ACCESS_TOKEN).len()), (1, 2));
            assert!(world.is_live(&first.0).await);
            world.refresh(CLI, &first.1).await.tokens();
        }
    }
    // One after another, as time goes by, whatever the retry asks for and whatever became of the successor.
    let world = World::new().await;
    let (_, refresh) = world.tokens(WEB).await;
    let narrow = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", "read")];
    let answer = world.token(WEB, &narrow).await;
    let first = answer.tokens();
    assert_eq!(answer.field("scope"), "read");
    for (seconds, scope) in [(0, "read"), (10, "read write"), (10, ""), (9, "admin")] {
        world.advance(seconds);
        let before = world.dump();
        let again = world.token(WEB, &changed(&narrow, &[("scope", scope)])).await;
        assert_eq!((again.tokens(), again.field("scope")), (first.clone(), "read".into()));
        assert_eq!(world.dump(), before, "nothing new exists afterwards");
        if seconds == 10 && scope.is_empty() {
            // The successor is rotated in its turn: the same answer still, and it leads to the same leaf.
            let next = world.refresh(WEB, &first.1).await.tokens();
            assert_eq!(world.refresh(WEB, &first.1).await.tokens(), next);
        }
    }
    let remaining = world.refresh(WEB, &refresh).await.json().unwrap()["expires_in"].clone();
    assert_eq!(remaining, 12 * 3600 - 29, "what is left of the access token");
    assert_eq!(live_leaves(&world), 1);
    // Nothing is repeated for anybody else, nor once the family has ended.
    world.refresh(POSTER, &refresh).await.refused("invalid_grant");
    world.server.grants().remove_app(&"alice".into(), &ClientId::from(WEB.id)).await.unwrap();
    world.refresh(WEB, &refresh).await.refused("invalid_grant");
}

#[tokio::test]
async fn f_05_reuse_is_found_after_a_restart_and_on_another_node() {
    for configure in [strict as fn(Builder) -> Builder, |builder| builder] {
        let world = World::with(configure).await;
        let (_, first) = world.tokens(WEB).await;
        let (_, second) = world.refresh(WEB, &first).await.tokens();
        world.advance(WINDOW);
        let restarted = world.node(configure);
        restarted.send_ending_a_grant(request(WEB, &first)).await.refused("invalid_grant");
        assert!(tells_of_theft(&restarted.take_events()));
        world.refresh(WEB, &second).await.refused("invalid_grant");
    }
}

#[tokio::test]
async fn f_05_reuse_is_found_after_the_clock_went_back() {
    for (configure, back) in [
        (strict as fn(Builder) -> Builder, 1),
        (strict, 3600),
        (|builder| builder, 3600),
        (|builder| builder, 61),
        (|builder| builder, 86_400 * 365),
    ] {
        let world = World::with(configure).await;
        let (access, first) = world.tokens(WEB).await;
        let (_, second) = world.refresh(WEB, &first).await.tokens();
        world.clock.set(world.now().before(Duration::from_secs(back)));
        world.send_ending_a_grant(request(WEB, &first)).await.refused("invalid_grant");
        assert!(tells_of_theft(&world.take_events()));
        world.refresh(WEB, &second).await.refused("invalid_grant");
        assert!(!world.is_live(&access).await);
    }
    // Clocks of two nodes may differ by a minute, and an honest retry may meet the slower one.
    let world = World::new().await;
    let (_, first) = world.tokens(WEB).await;
    let successor = world.refresh(WEB, &first).await.tokens();
    world.clock.set(world.now().before(Duration::from_secs(60)));
    assert_eq!(world.refresh(WEB, &first).await.tokens(), successor);
}

#[tokio::test]
async fn f_06_reuse_within_the_same_millisecond_is_reuse() {
    let world = World::with(strict).await;
    for client in [WEB, POSTER, CLI] {
        let (access, first) = world.tokens(client).await;
        let (_, second) = world.refresh(client, &first).await.tokens();
        world.take_events();
        world.send_ending_a_grant(request(client, &first)).await.refused("invalid_grant");
        assert!(tells_of_theft(&world.take_events()));
        assert!(!world.is_live(&access).await);
        world.refresh(client, &second).await.refused("invalid_grant");
        world.refresh(client, &first).await.refused("invalid_grant");
    }
}

#[tokio::test]
async fn f_08_another_clients_token_is_refused_and_nothing_changes() {
    for configure in [strict as fn(Builder) -> Builder, |builder| builder] {
        let world = World::with(configure).await;
        for owner in [WEB, CLI] {
            let (_, first) = world.tokens(owner).await;
            let unknown = world.refresh(owner, &reseal(&first, "grt_", |raw| raw.fill(0))).await;
            let thieves = [WEB, POSTER, CLI, LEGACY].into_iter().filter(|thief| *thief != owner);
            for thief in thieves.clone() {
                world.refresh(thief, &first).await.refused("invalid_grant").same_as(&unknown);
            }
            let (access, second) = world.refresh(owner, &first).await.tokens();
            // Spent: at once, and after the window.
            for _ in 0..2 {
                for thief in thieves.clone() {
                    world.refresh(thief, &first).await.refused("invalid_grant").same_as(&unknown);
                }
                world.advance(WINDOW + 1);
            }
            assert!(!tells_of_theft(&world.take_events()));
            assert!(world.is_live(&access).await);
            world.refresh(owner, &second).await.tokens();
        }
    }
}

#[tokio::test]
async fn f_09_a_wider_scope_is_refused_and_the_token_stays_good() {
    let world = World::new().await;
    let (_, refresh) = world.tokens(WEB).await;
    for wider in [
        // More than was granted, though the client may have it; more than the client may have; more than there is.
        "read write admin",
        "admin",
        "read profile",
        "openid read",
        "offline_access",
        "nonsense",
        "READ",
        "read\u{200b}",
        "read \"write\"",
        "read\\",
        "re\u{441}d",
        " ",
        " read",
        "read  write",
    ] {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("scope", wider)];
        world.token(WEB, &parameters).await.refused("invalid_scope");
    }
    assert_eq!(live_leaves(&world), 1, "it was not spent");
    let answer = world.refresh(WEB, &refresh).await;
    answer.tokens();
    assert_eq!(answer.field("scope"), "read write");
}

#[tokio::test]
async fn f_09_a_narrower_scope_narrows_the_access_token_only() {
    let world = World::new().await;
    let (_, mut refresh) = world.tokens(WEB).await;
    for (asked, given) in [
        ("read", "read"),
        ("write", "write"),
        ("write read", "read write"),
        ("read read", "read"),
        ("", "read write"),
        ("read", "read"),
        ("read write", "read write"),
    ] {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", asked)];
        let answer = world.token(WEB, &parameters).await;
        let (access, next) = answer.tokens();
        let words = |scope: &str| scope.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(words(&answer.field("scope")), words(given));
        assert_eq!(words(world.introspect(WEB, &access).await["scope"].as_str().unwrap()), words(given));
        // The refresh token has what was granted (RFC 6749 §6).
        assert_eq!(world.introspect(WEB, &next).await["scope"], "read write");
        refresh = next;
    }
}

#[tokio::test]
async fn f_10_a_resource_outside_the_grant_is_refused_and_the_token_stays_good() {
    let world = World::new().await;
    let asked = changed(&world.valid_request(WEB), &[("resource", RESOURCE)]);
    let code = world.code(&asked, "alice").await;
    let (_, refresh) = world.redeem(WEB, &code).await.tokens();
    for wrong in [
        &[OTHER_RESOURCE][..],
        &[RESOURCE, OTHER_RESOURCE],
        &["https://unknown.example"],
        &["https://api.example.com/"],
        &["HTTPS://api.example.com"],
        &["https://api.example.com#x"],
        &["relative"],
        &["*"],
    ] {
        let mut parameters = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        parameters.extend(wrong.iter().map(|resource| ("resource", *resource)));
        world.token(WEB, &parameters).await.refused("invalid_target");
    }
    assert_eq!(live_leaves(&world), 1, "it was not spent");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("resource", RESOURCE)];
    let (access, refresh) = world.token(WEB, &parameters).await.tokens();
    assert_eq!(world.introspect(API, &access).await["aud"], RESOURCE);
    // Not named, it is what was granted, and no more.
    let (access, _) = world.refresh(WEB, &refresh).await.tokens();
    assert_eq!(world.introspect(WEB, &access).await["aud"], RESOURCE);
}

#[tokio::test]
async fn f_11_a_scope_that_the_client_lost_is_not_issued_again() {
    let world = World::new().await;
    let id = ClientId::from(WEB.id);
    let (_, refresh) = world.tokens(WEB).await;
    let update = async |metadata: ClientMetadata| {
        let revision = world.server.clients().get(&id).await.unwrap().unwrap().revision();
        world.server.clients().update(&id, revision, metadata).await.unwrap();
    };
    update(ClientMetadata { scope: "read".parse().unwrap(), ..metadata(WEB) }).await;
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("scope", "read write")];
    world.token(WEB, &parameters).await.refused("invalid_scope");
    let answer = world.refresh(WEB, &refresh).await;
    let (access, refresh) = answer.tokens();
    assert_eq!(answer.field("scope"), "read");
    assert_eq!(world.introspect(WEB, &access).await["scope"], "read");
    // All of it: there is nothing to issue, and nothing is spent.
    update(ClientMetadata { scope: "admin".parse().unwrap(), ..metadata(WEB) }).await;
    world.refresh(WEB, &refresh).await.refused("invalid_scope");
    // The grant type itself.
    let only_code = vec!["authorization_code".to_owned()];
    update(ClientMetadata { grant_types: only_code, ..metadata(WEB) }).await;
    world.refresh(WEB, &refresh).await.refused("unauthorized_client");
    // What was given back is there again, for it was granted.
    update(metadata(WEB)).await;
    assert_eq!(world.refresh(WEB, &refresh).await.field("scope"), "read write");
}

#[tokio::test]
async fn f_12_refreshing_ends_with_the_subject() {
    let world = World::new().await;
    let (subjects, alice) = (world.server.subjects(), "alice".into());
    for client in [WEB, CLI] {
        let (_, first) = world.tokens(client).await;
        let (_, spent) = world.tokens(client).await;
        let (_, successor) = world.refresh(client, &spent).await.tokens();
        let bob = world.code(&world.valid_request(client), "bob").await;
        let (_, bob) = world.redeem(client, &bob).await.tokens();
        subjects.deactivate(&alice).await.unwrap();
        for token in [&first, &spent, &successor] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
        subjects.activate(&alice).await.unwrap();
        for token in [&first, &spent, &successor] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
        let (_, second) = world.tokens(client).await;
        subjects.revoke_all(&alice).await.unwrap();
        world.refresh(client, &second).await.refused("invalid_grant");
        world.refresh(client, &bob).await.tokens();
    }
}

#[tokio::test]
async fn f_12_refreshing_ends_with_the_client() {
    let world = World::new().await;
    let clients = world.server.clients();
    for client in [WEB, CLI] {
        let id = ClientId::from(client.id);
        let used_header = client == WEB;
        let (_, refresh) = world.tokens(client).await;
        clients.deactivate(&id).await.unwrap();
        world.refresh(client, &refresh).await.unauthenticated(used_header);
        clients.activate(&id).await.unwrap();
        world.refresh(client, &refresh).await.refused("invalid_grant");
        let (_, refresh) = world.tokens(client).await;
        clients.delete(&id).await.unwrap();
        world.refresh(client, &refresh).await.unauthenticated(used_header);
        assert!(
            clients
                .register(grantor::manage::Registration {
                    metadata: metadata(client),
                    client_id: Some(id),
                    client_secret: None
                })
                .await
                .is_err(),
            "nobody can take its place"
        );
    }
}

#[tokio::test]
async fn f_12_refreshing_ends_with_the_consent() {
    let world = World::new().await;
    let (grants, alice) = (world.server.grants(), "alice".into());
    for client in [WEB, CLI] {
        let (access, first) = world.tokens(client).await;
        let (_, spent) = world.tokens(client).await;
        let (_, successor) = world.refresh(client, &spent).await.tokens();
        grants.remove_app(&alice, &ClientId::from(client.id)).await.unwrap();
        for token in [&first, &spent, &successor] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
        assert!(!world.is_live(&access).await);
        // Consent that is given again brings nothing back.
        let (_, kept) = world.tokens(client).await;
        world.refresh(client, &first).await.refused("invalid_grant");
        // One grant ended on its own.
        let (_, ended) = world.tokens(client).await;
        let newest = grants.of(&alice, None, 100).await.unwrap().items;
        let live: Vec<_> = newest.iter().filter(|grant| grant.live && grant.client_id.as_str() == client.id).collect();
        let before = live_leaves(&world);
        for grant in &live {
            grants.revoke(&grant.id).await.unwrap();
        }
        assert_eq!((live.len(), live_leaves(&world)), (2, before - 2));
        for token in [&kept, &ended] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
    }
}

#[tokio::test]
async fn f_15_a_confidential_client_must_authenticate() {
    let world = World::new().await;
    for client in [WEB, POSTER, LEGACY] {
        let (_, refresh) = world.tokens(client).await;
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let nameless = world.send(post("/token", &parameters)).await.answer();
        nameless.unauthenticated(false);
        let named = [&parameters[..], &[("client_id", client.id)]].concat();
        world.send(post("/token", &named)).await.answer().unauthenticated(false).same_as(&nameless);
        let mut wrong = post("/token", &parameters);
        wrong.headers_mut().insert("authorization", basic(client.id, "wrong-secret-wrong-secret").parse().unwrap());
        world.send(wrong).await.answer().unauthenticated(true);
        // As a public client that exists.
        let named = [&parameters[..], &[("client_id", CLI.id)]].concat();
        world.send(post("/token", &named)).await.answer().refused("invalid_grant");
        world.refresh(client, &refresh).await.tokens();
    }
}

#[tokio::test]
async fn f_16_no_other_artefact_passes_for_a_refresh_token() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    let own = world.machine_token(WEB).await;
    let unknown = world.refresh(WEB, &reseal(&refresh, "grt_", |raw| raw.fill(0))).await;
    for other in [&access, &code, &own] {
        for text in [other.clone(), reseal(other, "grt_", |_| ()), format!("grt_{}", &other[4..])] {
            world.refresh(WEB, &text).await.refused("invalid_grant").same_as(&unknown);
        }
    }
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsInNjb3BlIjoiYWRtaW4ifQ.";
    for text in [jwt, WEB.secret.unwrap(), "alice", WEB.id] {
        world.refresh(WEB, text).await.refused("invalid_grant");
    }
    for text in near_misses(&refresh) {
        world.refresh(WEB, &text).await.refused("invalid_grant").same_as(&unknown);
    }
    assert!(!tells_of_theft(&world.take_events()));
    world.redeem(WEB, &code).await.tokens();
    world.refresh(WEB, &refresh).await.tokens();
}

/// Sends a refresh whose commit is in doubt.
async fn doubtful_refresh(world: &World, spy: &Spy, token: &str, fault: Fault) {
    spy.fail_next(fault);
    let answers = at_once(&[world], vec![request(WEB, token)]).await;
    assert_eq!(answers[0].status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answers[0].header("retry-after").is_some());
    assert_eq!(answers[0].field("error"), "temporarily_unavailable");
}

#[tokio::test]
async fn f_17_a_retry_after_a_commit_in_doubt_gets_the_successor() {
    for fault in [Fault::InDoubtAndApplied, Fault::InDoubtAndLost] {
        // Also long after the window: whoever was answered 503 has had no answer.
        for later in [0, WINDOW - 1, WINDOW, 3600] {
            let (world, spy) = Spy::world(|builder| builder).await;
            let (_, first) = world.tokens(WEB).await;
            doubtful_refresh(&world, &spy, &first, fault).await;
            world.advance(later);
            let successor = world.refresh(WEB, &first).await.tokens();
            assert_eq!((live_leaves(&world), world.records(Kind::REFRESH_TOKEN).len()), (1, 2));
            assert!(!tells_of_theft(&world.take_events()));
            assert!(world.is_live(&successor.0).await);
            let (_, newest) = world.refresh(WEB, &successor.1).await.tokens();

            // The doubt is settled with that answer: from now on the token is as spent as any other.
            world.advance(WINDOW);
            world.send_ending_a_grant(request(WEB, &first)).await.refused("invalid_grant");
            assert!(tells_of_theft(&world.take_events()));
            world.refresh(WEB, &newest).await.refused("invalid_grant");
        }
    }
}

#[tokio::test]
async fn f_17_without_a_window_a_retry_after_doubt_is_not_called_theft() {
    let (world, spy) = Spy::world(strict).await;
    let (access, first) = world.tokens(WEB).await;
    doubtful_refresh(&world, &spy, &first, Fault::InDoubtAndApplied).await;
    world.take_events();
    for _ in 0..2 {
        world.refresh(WEB, &first).await.refused("invalid_grant");
        let events = world.take_events();
        assert!(!tells_of_theft(&events));
        let refused = What::Refused(Refusal::Token(TokenError::RefreshInDoubt));
        assert!(events.iter().any(|event| event.what == refused));
    }
    assert!(world.is_live(&access).await, "nobody is accused, and nothing ends");

    // Where the doubtful commit did not happen the retry is the first refresh, and what comes after it is reuse like
    // any other.
    let (_, first) = world.tokens(WEB).await;
    doubtful_refresh(&world, &spy, &first, Fault::InDoubtAndLost).await;
    world.advance(1);
    let (_, second) = world.refresh(WEB, &first).await.tokens();
    world.take_events();
    world.send_ending_a_grant(request(WEB, &first)).await.refused("invalid_grant");
    assert!(tells_of_theft(&world.take_events()));
    world.refresh(WEB, &second).await.refused("invalid_grant");
}
