//! Token revocation (ids V).

use std::sync::Arc;
use std::time::Duration;

use grantor::event::{Refusal, Revoked, What, Why};
use grantor::store::{Kind, State};
use grantor::{AccessTokenRevocation, Lifetimes, Outcome};
use http::{Request, StatusCode};

use crate::harness::*;
use crate::intercept::Intercept;

/// The answer to every revocation that succeeded, whatever there was to revoke.
#[track_caller]
fn succeeded(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "{}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
}

async fn revoke(world: &World, client: Known, token: &str) -> Answer {
    world.post_as(client, "/revoke", &[("token", token)]).await
}

/// Whether a refresh token still counts, as its client is told.
async fn is_live(world: &World, client: Known, refresh: &str) -> bool {
    world.introspect(client, refresh).await["active"] == true
}

#[tokio::test]
async fn v_01_another_clients_token_stays_alive() {
    for policy in [AccessTokenRevocation::TokenOnly, AccessTokenRevocation::WholeGrant] {
        let world = World::with(|builder| builder.access_token_revocation(policy)).await;
        let (web, web_refresh) = world.tokens(WEB).await;
        let (cli, cli_refresh) = world.tokens(CLI).await;
        let machine = world.machine_token(POSTER).await;
        let second = Known { id: "cli2", ..CLI };
        world.register(second, metadata(CLI)).await;
        // Once before, so that what is noted of secrets being used does not look like a change.
        let mut unknown = Vec::new();
        for caller in [WEB, POSTER, CLI, second, LEGACY, API] {
            unknown.push((caller, revoke(&world, caller, "nothing").await));
        }
        let before = world.dump();
        world.take_events();
        for (token, owner) in [(&web, WEB), (&web_refresh, WEB), (&cli, CLI), (&cli_refresh, CLI), (&machine, POSTER)] {
            for (caller, unknown) in unknown.iter().filter(|(caller, _)| caller.id != owner.id) {
                let answer = revoke(&world, *caller, token).await;
                succeeded(&answer);
                // Nobody learns from the answer whether there is such a token.
                answer.same_as(unknown);
                for hint in ["access_token", "refresh_token"] {
                    let parameters = [("token", token.as_str()), ("token_type_hint", hint)];
                    world.post_as(*caller, "/revoke", &parameters).await.same_as(unknown);
                }
            }
        }
        assert_eq!(world.dump(), before);
        assert_eq!(world.take_events(), []);
        assert!(world.is_live(&web).await && world.is_live(&cli).await && world.is_live(&machine).await);
        world.refresh(WEB, &web_refresh).await.tokens();
        world.refresh(CLI, &cli_refresh).await.tokens();
    }
}

#[tokio::test]
async fn v_02_revoking_what_is_no_longer_there_succeeds() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    let (foreign, foreign_refresh) = elsewhere.tokens(WEB).await;
    let (expired, expired_refresh) = world.tokens(WEB).await;
    world.advance(91 * 24 * 3600);
    let (revoked, revoked_refresh) = world.tokens(WEB).await;
    revoke(&world, WEB, &revoked_refresh).await;
    let (live, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    let secret = WEB.secret.unwrap();
    let long = "x".repeat(16 * 1024);
    let flipped = format!("gat_{}", live[4..].chars().rev().collect::<String>());
    let before = world.dump();
    for token in [
        &foreign,
        &foreign_refresh,
        &expired,
        &revoked,
        &revoked_refresh,
        &code,
        &flipped,
        &live[..live.len() - 1],
        &live[1..],
        &format!("{live}="),
        &format!("{live} "),
        &format!("grt_{}", &live[4..]),
        &format!("gat_{}", &refresh[4..]),
        &live.to_uppercase(),
        secret,
        "gat_",
        "eyJhbGciOiJub25lIn0.e30.",
        "'; DROP TABLE tokens; --",
        "ключ",
        &long,
        "x",
    ] {
        for _ in 0..3 {
            succeeded(&revoke(&world, WEB, token).await);
        }
    }
    // One change only: the expired access token is marked, though nobody could have used it.
    let changed: Vec<_> = world.dump().into_iter().filter(|record| !before.contains(record)).collect();
    assert!(changed.iter().all(|record| record.key.kind == Kind::ACCESS_TOKEN && record.state == State::Revoked));
    assert_eq!(changed.len(), 1);
    succeeded(&revoke(&world, WEB, &expired_refresh).await);
    // The code and the tokens beside it are as good as before.
    assert!(world.is_live(&live).await);
    world.refresh(WEB, &refresh).await.tokens();
    world.redeem(WEB, &code).await.tokens();
    // A request without a token is none.
    for parameters in [&[][..], &[("token", "")], &[("token_type_hint", "access_token")]] {
        world.post_as(WEB, "/revoke", parameters).await.refused("invalid_request");
    }
}

#[tokio::test]
async fn v_03_a_wrong_hint_does_not_save_a_token() {
    let world = World::new().await;
    for hint in ["access_token", "refresh_token", "id_token", "ACCESS_TOKEN", "x y", "unknown", ""] {
        let (access, refresh) = world.tokens(WEB).await;
        let parameters = [("token", access.as_str()), ("token_type_hint", hint)];
        succeeded(&world.post_as(WEB, "/revoke", &parameters).await);
        assert!(!world.is_live(&access).await, "{hint}");
        assert!(is_live(&world, WEB, &refresh).await, "{hint}");
        let parameters = [("token", refresh.as_str()), ("token_type_hint", hint)];
        succeeded(&world.post_as(WEB, "/revoke", &parameters).await);
        assert!(!is_live(&world, WEB, &refresh).await, "{hint}");
    }
    let (access, _) = world.tokens(WEB).await;
    let twice = [("token", access.as_str()), ("token_type_hint", "a"), ("token_type_hint", "b")];
    world.post_as(WEB, "/revoke", &twice).await.refused("invalid_request");
    assert!(world.is_live(&access).await);
}

#[tokio::test]
async fn v_04_revoking_a_refresh_token_ends_its_family() {
    for client in [WEB, POSTER, CLI] {
        // With the token in hand, or with one that it has replaced.
        for which in [0, 1, 2] {
            let world = World::new().await;
            let (other_access, other_refresh) = world.tokens(client).await;
            let first = world.tokens(client).await;
            let second = world.refresh(client, &first.1).await.tokens();
            let third = world.refresh(client, &second.1).await.tokens();
            let family = [&first, &second, &third];
            world.take_events();
            succeeded(&revoke(&world, client, &family[which].1).await);
            let revoked = What::Revoked { what: Revoked::Grant, why: Why::Client };
            let events = world.take_events();
            assert_eq!(events.len(), 1);
            assert_eq!(events[0].what, revoked);
            assert_eq!(events[0].client_id, Some(client.id.into()));
            assert_eq!(events[0].subject, Some("alice".into()));
            assert!(events[0].grant.is_some());
            for (access, refresh) in family {
                assert!(!world.is_live(access).await);
                // Not even what the retry window would have repeated.
                let refused = world.refresh(client, refresh).await;
                refused.refused("invalid_grant");
                refused.same_as(&world.refresh(client, "grt_unknown").await);
            }
            // Another sign-in of the same user with the same client goes on.
            assert!(world.is_live(&other_access).await);
            world.refresh(client, &other_refresh).await.tokens();
            // Again: no change.
            let before = world.dump();
            succeeded(&revoke(&world, client, &family[which].1).await);
            assert_eq!(world.dump(), before);
        }
    }
}

#[tokio::test]
async fn v_05_revoking_an_access_token_ends_that_one() {
    let world = World::new().await;
    let (first, refresh) = world.tokens(WEB).await;
    let (second, refresh) = world.refresh(WEB, &refresh).await.tokens();
    let (machine, other) = (world.machine_token(WEB).await, world.machine_token(WEB).await);
    world.take_events();
    succeeded(&revoke(&world, WEB, &first).await);
    assert!(!world.is_live(&first).await);
    assert!(world.is_live(&second).await);
    let events = world.take_events();
    let what = What::Revoked { what: Revoked::AccessToken, why: Why::Client };
    assert!(events.iter().any(|event| event.what == what && event.subject == Some("alice".into())));
    let (third, _) = world.refresh(WEB, &refresh).await.tokens();
    assert!(world.is_live(&third).await);
    succeeded(&revoke(&world, WEB, &machine).await);
    assert!(!world.is_live(&machine).await && world.is_live(&other).await);
}

#[tokio::test]
async fn v_05_the_whole_grant_may_end_with_an_access_token() {
    let world = World::with(|builder| builder.access_token_revocation(AccessTokenRevocation::WholeGrant)).await;
    let (first, refresh) = world.tokens(WEB).await;
    let (second, refresh) = world.refresh(WEB, &refresh).await.tokens();
    let (other, _) = world.tokens(WEB).await;
    let (machine, beside) = (world.machine_token(WEB).await, world.machine_token(WEB).await);
    succeeded(&revoke(&world, WEB, &first).await);
    assert!(!world.is_live(&first).await && !world.is_live(&second).await);
    world.refresh(WEB, &refresh).await.refused("invalid_grant");
    assert!(world.is_live(&other).await);
    // A token that hangs on no grant takes nothing with it.
    succeeded(&revoke(&world, WEB, &machine).await);
    assert!(!world.is_live(&machine).await && world.is_live(&beside).await);
}

/// Sends a request past the rules of the world, which does not expect two at a time.
async fn send(server: &grantor::AuthorizationServer, request: Request<String>) -> Answer {
    match server.handle(request).await {
        Outcome::Respond(response) => Answer::of(response),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn v_08_revocation_during_a_refresh_leaves_nothing_alive() {
    let refreshing = |token: &str| post_as(CLI, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let revoking = |token: &str| post_as(CLI, "/revoke", &[("token", token)]);
    for policy in [AccessTokenRevocation::TokenOnly, AccessTokenRevocation::WholeGrant] {
        for revoke_first in [true, false] {
            for by_access in [false, true] {
                if by_access && policy == AccessTokenRevocation::TokenOnly {
                    continue;
                }
                let store = Arc::new(Intercept::new());
                let world = World::over(Arc::clone(&store) as _, store.memory(), |builder| {
                    builder.access_token_revocation(policy)
                })
                .await;
                let (access, refresh) = world.tokens(CLI).await;
                let revocation = revoking(if by_access { &access } else { &refresh });
                let refresh = refreshing(&refresh);
                // Each of the two has read the store when the other one commits.
                let (early, late) = if revoke_first { (revocation, refresh) } else { (refresh, revocation) };
                let server = world.server.clone();
                let slot = Arc::new(std::sync::Mutex::new(None));
                let kept = Arc::clone(&slot);
                store.before_commit(async move { *kept.lock().unwrap() = Some(send(&server, early).await) });
                let late = send(&world.server, late).await;
                assert!(store.happened());
                let early = slot.lock().unwrap().take().unwrap();
                let (revoked, refreshed) = if revoke_first { (early, late) } else { (late, early) };
                succeeded(&revoked);
                if revoke_first {
                    refreshed.refused("invalid_grant");
                } else {
                    let (access, refresh) = refreshed.tokens();
                    assert!(!world.is_live(&access).await);
                    world.refresh(CLI, &refresh).await.refused("invalid_grant");
                }
                assert!(!world.is_live(&access).await);
                let grants: Vec<_> = world.dump().into_iter().filter(|record| record.key.kind == Kind::GRANT).collect();
                assert_eq!(grants.len(), 1);
                assert_eq!(grants[0].state, State::Revoked);
                let orphans = world.dump().into_iter().filter(|record| {
                    matches!(record.key.kind, Kind::ACCESS_TOKEN | Kind::REFRESH_TOKEN)
                        && record.parent.is_none_or(|parent| parent.key != grants[0].key)
                });
                assert_eq!(orphans.count(), 0);
            }
        }
    }
}

#[tokio::test]
async fn v_09_a_public_client_may_revoke_its_own_token() {
    let lifetimes = Lifetimes { access_token: Duration::from_secs(60), ..Lifetimes::default() };
    let world = World::with(|builder| builder.lifetimes(lifetimes)).await;
    let (access, refresh) = world.tokens(CLI).await;
    world.advance(61);
    assert!(!world.is_live(&access).await);
    succeeded(&revoke(&world, CLI, &refresh).await);
    world.refresh(CLI, &refresh).await.refused("invalid_grant");
    let (access, refresh) = world.tokens(CLI).await;
    succeeded(&revoke(&world, CLI, &access).await);
    assert!(!world.is_live(&access).await);
    world.refresh(CLI, &refresh).await.tokens();
}

#[tokio::test]
async fn rfc7009_2_1_whoever_is_not_authenticated_revokes_nothing() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    world.server.clients().deactivate(&"legacy".into()).await.unwrap();
    let with_header = |header: String| {
        let mut request = post("/revoke", &[("token", &access)]);
        request.headers_mut().insert("authorization", header.parse().unwrap());
        request
    };
    let by_header = [
        with_header(basic("web", "wrong")),
        with_header(basic("web", "")),
        with_header(basic("unknown", "web-secret-web-secret-web-secret")),
        with_header(basic("legacy", LEGACY.secret.unwrap())),
        with_header(basic("poster", POSTER.secret.unwrap())),
    ];
    let mut answers = Vec::new();
    for request in by_header {
        let answer = world.send(request).await.answer();
        answer.unauthenticated(true);
        answers.push(answer);
    }
    answers.windows(2).for_each(|pair| pair[0].same_as(&pair[1]));
    for body in [
        &[("token", &*access)][..],
        &[("token", &access), ("client_id", "web")],
        &[("token", &refresh), ("client_id", "web")],
        &[("token", &refresh), ("client_id", "unknown")],
        &[("token", &refresh), ("client_id", "web"), ("client_secret", WEB.secret.unwrap())],
    ] {
        world.send(post("/revoke", body)).await.answer().unauthenticated(false);
    }
    // The token itself is no proof of who asks.
    let answer = world.send(with_header(format!("Bearer {access}"))).await.answer();
    assert!(answer.status.is_client_error());
    let in_query = format!("/revoke?token={access}");
    world.send(post_as(WEB, &in_query, &[])).await.answer().refused("invalid_request");
    assert!(world.is_live(&access).await);
    world.refresh(WEB, &refresh).await.tokens();
    assert!(world.take_refusals().iter().any(|refusal| matches!(refusal, Refusal::Revoke(_))));
}
