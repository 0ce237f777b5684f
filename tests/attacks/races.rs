//! Races of many who want the same, each forced (ids RC). What ends while something is issued is in `endings.rs`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::event::{Event, Revoked, What, Why};
use grantor::manage::{ManageError, NewSecret};
use grantor::refusal::ExtensionRefusal;
use grantor::store::Kind;
use grantor::wire::token::TokenKind;
use grantor::{Approval, AuthorizationServer, ExtensionGrant, ExtensionRequest};
use http::{Request, StatusCode};

use crate::faulty::*;
use crate::harness::*;
use crate::race::*;

/// How many do it at once.
const CROWDS: [usize; 3] = [2, 16, 64];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_1_redeeming_one_code_makes_one_family() {
    for size in CROWDS {
        let race = Race::new().await;
        let code = race.world.valid_code(WEB).await;
        race.world.take_events();
        // All have seen the code unspent before one of them spends it.
        race.store.meet(size, Moment::Before, spends(Kind::CODE));
        let answers = race.crowd(size, |_| redemption(WEB, &code)).await;
        assert!(race.store.is_idle(), "not all of {size} met");
        let winners = successes(&answers);
        assert_eq!(winners.len(), 1, "of {size}");
        let counts = [Kind::GRANT, Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN].map(|kind| race.count(kind));
        assert_eq!(counts, [1, 1, 1], "of {size}");
        assert_no_orphans(&race.world);
        // The others were valid replays: what the first bought has ended (OAuth 2.1 section 7.5.2).
        let (access, refresh) = winners[0].tokens();
        race.assert_all_dead(&[access], "replayed").await;
        ask(&race.nodes[1], refreshing(WEB, &refresh)).await.refused("invalid_grant");
        assert_eq!(issues(&race.world.take_events()), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_1_a_crowd_without_the_verifier_or_of_another_client_ends_nothing() {
    for size in CROWDS {
        let race = Race::new().await;
        let code = race.world.valid_code(WEB).await;
        race.store.meet(size, Moment::After, loads(Kind::CODE));
        let answers = race
            .crowd(size, |number| match number {
                0 => redemption(WEB, &code),
                odd if odd % 2 == 1 => redemption(LEGACY, &code),
                _ => {
                    let wrong = "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong";
                    let parameters = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", wrong)];
                    post_as(WEB, "/token", &parameters)
                }
            })
            .await;
        assert!(race.store.is_idle());
        assert_eq!(successes(&answers).len(), 1);
        let (access, refresh) = answers[0].tokens();
        assert!(race.world.is_live(&access).await, "an invalid replay signed the owner out");
        race.world.refresh(WEB, &refresh).await.tokens();
        assert_eq!(replays(&race.world.take_events()), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_2_refreshing_one_token_leaves_one_live_leaf() {
    for size in CROWDS {
        let race = Race::new().await;
        let (first, refresh) = race.world.tokens(WEB).await;
        race.world.take_events();
        race.store.meet(size, Moment::Before, spends(Kind::REFRESH_TOKEN));
        let answers = race.crowd(size, |_| refreshing(WEB, &refresh)).await;
        assert!(race.store.is_idle(), "not all of {size} met");
        let (access, successor) = answers[0].tokens();
        for answer in &answers {
            assert_eq!(answer.tokens(), (access.clone(), successor.clone()), "two successors among {size}");
        }
        assert_eq!(race.living(Kind::REFRESH_TOKEN), 1);
        assert_eq!(race.count(Kind::REFRESH_TOKEN), 2);
        assert_eq!(race.count(Kind::ACCESS_TOKEN), 2);
        assert!(race.world.is_live(&first).await && race.world.is_live(&access).await);
        let events = race.world.take_events();
        assert_eq!((issues(&events), replays(&events)), (1, 0));
        assert_eq!(events.iter().filter(|event| event.what == What::Repeated).count(), size - 1);
        race.world.refresh(WEB, &successor).await.tokens();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_2_without_a_window_one_refresh_succeeds() {
    for size in CROWDS {
        let race = Race::strict().await;
        let (first, refresh) = race.world.tokens(WEB).await;
        race.world.take_events();
        race.store.meet(size, Moment::Before, spends(Kind::REFRESH_TOKEN));
        let answers = race.crowd(size, |_| refreshing(WEB, &refresh)).await;
        assert!(race.store.is_idle(), "not all of {size} met");
        let winners = successes(&answers);
        assert_eq!(winners.len(), 1, "of {size}");
        assert_eq!(race.count(Kind::REFRESH_TOKEN), 2);
        let (access, _) = winners[0].tokens();
        race.assert_all_dead(&[first, access], "strict").await;
        let events = race.world.take_events();
        assert_eq!(issues(&events), 1);
        assert!(replays(&events) >= 1);
    }
}

#[tokio::test]
async fn rc_7_a_replay_during_the_exchange_revokes_what_the_winner_bought() {
    for place in PLACES {
        let race = Race::new().await;
        let code = race.world.valid_code(WEB).await;
        let gate = at(&race.store, place);
        let exchange = race.start(0, redemption(WEB, &code));
        let held = gate.reached().await;
        let replay = ask(&race.nodes[1], redemption(WEB, &code)).await;
        held.release();
        let exchange = exchange.await.unwrap();
        let answers = [exchange, replay];
        let winners = successes(&answers);
        assert_eq!(winners.len(), 1, "{place:?}");
        let (access, _) = winners[0].tokens();
        race.assert_all_dead(&[access], &format!("{place:?}")).await;
        let events = race.world.take_events();
        let revoked = |event: &&Event| {
            event.what == What::Revoked { what: Revoked::Grant, why: Why::CodeReplayed } && event.grant.is_some()
        };
        assert_eq!(events.iter().filter(revoked).count(), 1, "{place:?}");
        assert!(events.iter().any(|event| event.what == What::Replayed { kind: TokenKind::Code }));
    }
}

/// The grants that count, oldest commit first, by the name under which they are listed.
async fn live_grants(server: &AuthorizationServer) -> Vec<String> {
    let found = server.grants().of(&"alice".into(), None, 1000).await.unwrap();
    assert!(found.next.is_none());
    found.items.iter().filter(|grant| grant.live).map(|grant| grant.id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn rc_9_concurrent_sign_ins_never_exceed_the_cap() {
    for size in CROWDS {
        // One thread, so that the order of events is the order of commits; the crowd meets all the same.
        let race = Race::new().await;
        let mut codes = Vec::new();
        for _ in 0..size {
            codes.push(race.world.valid_code(WEB).await);
        }
        race.world.take_events();
        race.store.meet(size, Moment::Before, spends(Kind::CODE));
        let answers = race.crowd(size, |number| redemption(WEB, &codes[number])).await;
        assert!(race.store.is_idle());
        assert_eq!(successes(&answers).len(), size, "every one of {size} signs in");
        let events = race.world.take_events();
        let name = |event: &Event| event.grant.as_ref().unwrap().as_str().to_owned();
        let issued: Vec<_> =
            events.iter().filter(|event| matches!(event.what, What::Issued { .. })).map(name).collect();
        let ended: Vec<_> = events
            .iter()
            .filter(|event| event.what == What::Revoked { what: Revoked::Grant, why: Why::TooMany })
            .map(name)
            .collect();
        assert_eq!(issued.len(), size);
        let (oldest, newest) = issued.split_at(size.saturating_sub(10));
        assert_eq!(ended, oldest, "the oldest go, each once");
        let mut live = live_grants(&race.nodes[1]).await;
        let mut newest = newest.to_vec();
        live.sort();
        newest.sort();
        assert_eq!(live, newest);
        assert_eq!(race.living(Kind::ACCESS_TOKEN), size.min(10));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_9_sign_ins_and_approvals_on_two_threads_keep_the_cap() {
    let race = Arc::new(Race::new().await);
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let race = Arc::clone(&race);
            tokio::spawn(async move {
                let server = &race.nodes[number % 2];
                let uri = format!("/authorize?{}", encode(&race.world.valid_request(WEB)));
                let request = Request::get(uri).body(String::new()).unwrap();
                let grantor::Outcome::Interact { pending, .. } = server.handle(request).await else { panic!() };
                let approval = Approval::new("alice".into(), race.world.now());
                let code = Answer::of(server.approve(*pending, approval).await.unwrap());
                let code = code.redirect().unwrap().parameters["code"].clone();
                ask(&race.nodes[(number + 1) % 2], redemption(WEB, &code)).await.tokens()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(race.count(Kind::GRANT), 64);
    assert_eq!(race.living(Kind::GRANT), 10);
    assert_eq!(race.living(Kind::REFRESH_TOKEN), 10);
}

/// A grant type of the host that lets everybody in as alice.
struct Open;

#[async_trait::async_trait]
impl ExtensionGrant for Open {
    async fn decide(&self, _: ExtensionRequest<'_>) -> Result<grantor::Issue, ExtensionRefusal> {
        let scope = "read".parse().unwrap();
        Ok(grantor::Issue { subject: "alice".into(), scope, resources: Vec::new(), refresh_token: true })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_9_sign_ins_by_a_grant_type_of_the_host_keep_the_cap() {
    const OPEN: &str = "urn:example:open";
    let race = Race::with(|builder| builder.grant_type(OPEN, Open)).await;
    let mut registered = metadata(WEB);
    registered.grant_types.push(OPEN.into());
    race.world.register(Known { id: "open", ..WEB }, registered).await;
    race.store.meet(64, Moment::Before, writes(Kind::GRANT));
    let open = Known { id: "open", ..WEB };
    let answers = race.crowd(64, |_| post_as(open, "/token", &[("grant_type", OPEN)])).await;
    assert!(race.store.is_idle());
    assert_eq!(successes(&answers).len(), 64);
    assert_eq!((race.count(Kind::GRANT), race.living(Kind::GRANT)), (64, 10));
    // A full list, looked at, and then another sign-in before the commit.
    let gate = race.store.stop(Moment::After, loads(Kind::GRANT));
    let slow = race.start(0, post_as(open, "/token", &[("grant_type", OPEN)]));
    let held = gate.reached().await;
    ask(&race.nodes[1], post_as(open, "/token", &[("grant_type", OPEN)])).await.tokens();
    held.release();
    slow.await.unwrap().tokens();
    assert_eq!((race.count(Kind::GRANT), race.living(Kind::GRANT)), (66, 10));
}

#[tokio::test]
async fn rc_9_a_sign_in_between_the_survey_and_the_commit_does_not_hide_the_oldest() {
    let race = Race::new().await;
    for _ in 0..10 {
        race.world.tokens(WEB).await;
    }
    let codes = [race.world.valid_code(WEB).await, race.world.valid_code(WEB).await];
    let mut order = live_grants(&race.nodes[0]).await;
    let known: HashSet<_> = order.iter().cloned().collect();
    // The list is full: the exchange looks at the grants in it, and then at the code again.
    let gate = race.store.stop(Moment::After, loads(Kind::GRANT));
    let slow = race.start(0, redemption(WEB, &codes[0]));
    let held = gate.reached().await;
    race.world.take_events();
    ask(&race.nodes[1], redemption(WEB, &codes[1])).await.tokens();
    held.release();
    slow.await.unwrap().tokens();
    let events = race.world.take_events();
    let ended: HashSet<_> = events
        .iter()
        .filter(|event| event.what == What::Revoked { what: Revoked::Grant, why: Why::TooMany })
        .map(|event| event.grant.clone().unwrap().as_str().to_owned())
        .collect();
    order = live_grants(&race.nodes[0]).await;
    assert_eq!(order.len(), 10, "the cap");
    assert_eq!(ended.len(), 2, "two came, two went");
    assert!(ended.is_subset(&known));
    assert!(order.iter().all(|grant| !ended.contains(grant)), "one that was told to have ended lives");
    // Nothing falls out of the list while it lives: ten more push out all that is there now.
    for _ in 0..10 {
        race.world.tokens(WEB).await;
    }
    let last = live_grants(&race.nodes[0]).await;
    assert_eq!(last.len(), 10);
    assert!(last.iter().all(|grant| !order.contains(grant)));
}

#[tokio::test]
async fn rc_13_purging_during_a_replay_hides_no_evidence() {
    // A code that expires and is purged while it is being redeemed buys nothing.
    for place in [(Moment::After, false), (Moment::Before, true)] {
        let race = Race::new().await;
        let code = race.world.valid_code(WEB).await;
        let gate = at(&race.store, place);
        let exchange = race.start(0, redemption(WEB, &code));
        let held = gate.reached().await;
        race.world.advance(60 + 60 + 1);
        race.nodes[1].purge(1000).await.unwrap();
        assert_eq!(race.count(Kind::CODE), 0);
        held.release();
        exchange.await.unwrap().refused("invalid_grant");
        assert!(all_living(&race.world.dump(), race.world.now()).is_empty());
    }
    // A replay that stands still between its reading and its revocation, while everything around is purged: the family
    // ends.
    for replayed in [Kind::CODE, Kind::REFRESH_TOKEN] {
        let race = Race::new().await;
        let code = race.world.valid_code(WEB).await;
        let (access, refresh) = race.world.redeem(WEB, &code).await.tokens();
        race.world.refresh(WEB, &refresh).await.tokens();
        race.world.advance(3600);
        let request = if replayed == Kind::CODE { redemption(WEB, &code) } else { refreshing(WEB, &refresh) };
        let gate = race.store.stop(Moment::After, loads(replayed));
        let replay = race.start(0, request);
        let held = gate.reached().await;
        race.nodes[1].purge(1000).await.unwrap();
        held.release();
        replay.await.unwrap().refused("invalid_grant");
        race.assert_all_dead(&[access], &format!("{replayed:?}")).await;
    }
    // As late as anything of the family can live, its evidence is there, however often is purged; an unspent code is
    // not evidence.
    let race = Race::new().await;
    let code = race.world.valid_code(WEB).await;
    let (_, first) = race.world.redeem(WEB, &code).await.tokens();
    let mut last = race.world.refresh(WEB, &first).await.tokens().1;
    for _ in 0..12 {
        race.world.advance(7 * 24 * 3600);
        while race.nodes[1].purge(3).await.unwrap().more {}
        last = race.world.refresh(WEB, &last).await.tokens().1;
    }
    assert_eq!(race.count(Kind::CODE), 1);
    assert_eq!(race.living(Kind::REFRESH_TOKEN), 1);
    // Replay and purge at once, each before the other.
    let gate = race.store.stop(Moment::Before, |call| matches!(call, Call::Purge));
    let server = race.nodes[1].clone();
    let purge = tokio::spawn(async move { server.purge(1000).await });
    let held = gate.reached().await;
    race.world.take_events();
    ask(&race.nodes[0], refreshing(WEB, &first)).await.refused("invalid_grant");
    held.release();
    purge.await.unwrap().unwrap();
    assert_eq!(replays(&race.world.take_events()), 1);
    race.assert_all_dead(&[], "replayed").await;
    ask(&race.nodes[0], refreshing(WEB, &last)).await.refused("invalid_grant");
}

fn with_secret(secret: &str) -> Request<String> {
    let mut request = post("/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
    request.headers_mut().insert("authorization", basic("web", secret).parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_15_a_rotation_during_authentication_leaves_old_or_new() {
    let old = WEB.secret.unwrap();
    let web = "web".into();
    for place in PLACES {
        for overlap in [0, 600] {
            let race = Race::new().await;
            let gate = at(&race.store, place);
            let during = race.start(0, with_secret(old));
            let held = gate.reached().await;
            let clients = race.nodes[1].clients();
            let new = clients.rotate_secret(&web, "new", Duration::from_secs(overlap)).await.unwrap();
            held.release();
            // It read before, or after: the old secret counts exactly if it was read before, or in the overlap.
            let read_after = place == (Moment::Before, false);
            let expected = if read_after && overlap == 0 { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
            assert_eq!(during.await.unwrap().status, expected, "{place:?} {overlap}");
            for node in &race.nodes {
                let old_works = ask(node, with_secret(old)).await.status;
                let expected = if overlap == 0 { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
                assert_eq!(old_works, expected, "{place:?} {overlap}");
                assert_eq!(ask(node, with_secret(new.secret.expose())).await.status, StatusCode::OK);
            }
            race.world.advance(overlap);
            for node in &race.nodes {
                assert_eq!(ask(node, with_secret(old)).await.status, StatusCode::UNAUTHORIZED);
                assert_eq!(ask(node, with_secret(new.secret.expose())).await.status, StatusCode::OK);
            }
        }
    }

    // Many rotate at once: each is done, and the last of them is the one that counts.
    let race = Race::new().await;
    race.store.meet(16, Moment::Before, writes(Kind::CLIENT));
    let secrets =
        at_once(
            &race,
            16,
            |server| async move { server.clients().rotate_secret(&"web".into(), "", Duration::ZERO).await },
        )
        .await;
    let mut working = 0;
    for secret in &secrets {
        let secret = secret.as_ref().unwrap();
        working += usize::from(ask(&race.nodes[0], with_secret(secret.secret.expose())).await.status.is_success());
    }
    assert_eq!(working, 1);
    assert_eq!(race.nodes[0].clients().secrets(&web).await.unwrap().len(), 1);

    // Many are added at once: no more than there may be, none lost, no number twice.
    let race = Race::new().await;
    race.store.meet(16, Moment::Before, writes(Kind::CLIENT));
    let secrets =
        at_once(
            &race,
            16,
            |server| async move { server.clients().add_secret(&"web".into(), "", Timestamp::NEVER).await },
        )
        .await;
    let added: Vec<&NewSecret> = secrets.iter().filter_map(|added| added.as_ref().ok()).collect();
    assert_eq!(added.len(), 9, "ten with the first");
    assert!(secrets.iter().all(|added| matches!(added, Ok(_) | Err(ManageError::TooManySecrets))));
    assert_eq!(added.iter().map(|secret| secret.id).collect::<HashSet<_>>().len(), 9);
    for secret in added {
        assert_eq!(ask(&race.nodes[1], with_secret(secret.secret.expose())).await.status, StatusCode::OK);
    }

    // A change of metadata that was begun before a rotation does not bring the old secret back.
    let race = Race::new().await;
    let client = race.nodes[0].clients().get(&web).await.unwrap().unwrap();
    let gate = race.store.stop(Moment::Before, writes(Kind::CLIENT));
    let server = race.nodes[0].clone();
    let revision = client.revision();
    let update = tokio::spawn(async move { server.clients().update(&"web".into(), revision, metadata(WEB)).await });
    let held = gate.reached().await;
    let new = race.nodes[1].clients().rotate_secret(&web, "", Duration::ZERO).await.unwrap();
    held.release();
    assert_eq!(update.await.unwrap().err(), Some(ManageError::Changed));
    assert_eq!(ask(&race.nodes[0], with_secret(old)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&race.nodes[0], with_secret(new.secret.expose())).await.status, StatusCode::OK);
}

/// The same call by many at once.
async fn at_once<T, F>(race: &Race, size: usize, call: impl Fn(AuthorizationServer) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..size).map(|number| tokio::spawn(call(race.nodes[number % 2].clone()))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test]
async fn rc_16_a_caller_dropped_in_a_race_leaves_the_others_whole() {
    for place in PLACES {
        for spent in [Kind::CODE, Kind::REFRESH_TOKEN] {
            let race = Race::new().await;
            let request = if spent == Kind::CODE {
                redemption(WEB, &race.world.valid_code(WEB).await)
            } else {
                refreshing(WEB, &race.world.tokens(WEB).await.1)
            };
            let before = race.count(Kind::ACCESS_TOKEN);
            let gate = at(&race.store, place);
            let dropped = race.start(0, request.clone());
            let held = gate.reached().await;
            let crowd: Vec<_> = (0..16).map(|number| race.start(number, request.clone())).collect();
            dropped.abort();
            assert!(dropped.await.unwrap_err().is_cancelled());
            held.release();
            let mut answers = Vec::new();
            for task in crowd {
                answers.push(task.await.unwrap());
            }
            let winners = successes(&answers);
            let committed = place == (Moment::After, true);
            assert_eq!(race.count(Kind::ACCESS_TOKEN), before + 1, "{place:?} {spent:?}");
            assert_no_orphans(&race.world);
            if spent == Kind::CODE {
                // The dropped one had bought something, or nothing; either way one did, and the rest were replays.
                assert_eq!(winners.len(), usize::from(!committed), "{place:?}");
                race.assert_all_dead(&[], &format!("{place:?}")).await;
            } else {
                assert_eq!(winners.len(), 16, "{place:?}");
                assert!(winners.iter().all(|winner| winner.tokens() == winners[0].tokens()), "{place:?}");
                assert_eq!(race.living(Kind::REFRESH_TOKEN), 1);
                race.world.refresh(WEB, &winners[0].tokens().1).await.tokens();
            }
            // Nobody stands in the way of anybody.
            race.world.tokens(WEB).await;
        }
    }
}

#[tokio::test]
async fn rc_17_an_honest_double_refresh_is_no_theft() {
    // The second copy comes at any time within the window, to the other node, before or after the successor was used.
    for (later, used) in [(0, false), (1, true), (29_000, false), (29_999, false), (29_999, true)] {
        let race = Race::new().await;
        let (_, refresh) = race.world.tokens(WEB).await;
        let first = ask(&race.nodes[0], refreshing(WEB, &refresh)).await;
        let mut leaf = first.tokens().1;
        if used {
            leaf = ask(&race.nodes[0], refreshing(WEB, &leaf)).await.tokens().1;
        }
        race.world.take_events();
        race.world.clock.advance(Duration::from_millis(later));
        let second = ask(&race.nodes[1], refreshing(WEB, &refresh)).await;
        assert_eq!(second.tokens(), first.tokens(), "{later} {used}");
        let remaining = second.json().unwrap()["expires_in"].as_u64().unwrap();
        assert_eq!(remaining, 12 * 3600 - later.div_ceil(1000), "{later}");
        let events = race.world.take_events();
        assert_eq!(events.iter().map(|event| &event.what).collect::<Vec<_>>(), [&What::Repeated]);
        assert_eq!(race.living(Kind::REFRESH_TOKEN), 1, "{later} {used}");
        ask(&race.nodes[1], refreshing(WEB, &leaf)).await.tokens();
    }
    // A copy that hangs inside the server, on either side of its reading, while its twin is answered.
    for place in PLACES.into_iter().take(3) {
        let race = Race::new().await;
        let (_, refresh) = race.world.tokens(WEB).await;
        let gate = at(&race.store, place);
        let slow = race.start(0, refreshing(WEB, &refresh));
        let held = gate.reached().await;
        race.world.advance(100);
        let twin = ask(&race.nodes[1], refreshing(WEB, &refresh)).await.tokens();
        race.world.advance(40);
        held.release();
        assert_eq!(slow.await.unwrap().tokens(), twin, "{place:?}");
        assert_eq!(replays(&race.world.take_events()), 0, "{place:?}");
        race.world.refresh(WEB, &twin.1).await.tokens();
    }
    // The boundary belongs to the thief.
    let race = Race::new().await;
    let (access, refresh) = race.world.tokens(WEB).await;
    let (other, leaf) = ask(&race.nodes[0], refreshing(WEB, &refresh)).await.tokens();
    race.world.advance(30);
    ask(&race.nodes[1], refreshing(WEB, &refresh)).await.refused("invalid_grant");
    race.assert_all_dead(&[access, other], "after the window").await;
    ask(&race.nodes[0], refreshing(WEB, &leaf)).await.refused("invalid_grant");
    assert_eq!(replays(&race.world.take_events()), 1);
}
