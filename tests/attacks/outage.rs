//! Stores that are away, do not know, or make no sense (ids ).

use std::sync::Arc;
use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::event::{Event, What};
use grantor::store::{Kind, MemoryStore, Store};
use grantor::{Failure, Lifetimes};
use http::{Request, StatusCode};

use crate::acts::{Act, EVERY_ACT, Ended, assert_repetition, shape};
use crate::device::with_devices;
use crate::faulty::{FailingStore, Fault, all_living, living};
use crate::harness::*;

async fn world_with(configure: impl FnOnce(grantor::Builder) -> grantor::Builder) -> (World, Arc<FailingStore>) {
    let memory = Arc::new(MemoryStore::new());
    let store = FailingStore::new(Arc::clone(&memory));
    (World::over(Arc::clone(&store) as Arc<dyn Store>, memory, configure).await, store)
}

async fn world() -> (World, Arc<FailingStore>) {
    world_with(with_devices).await
}

/// What the store holds when the act was done undisturbed.
async fn complete(act: Act) -> Vec<String> {
    let (world, _) = world().await;
    let run = act.prepare(&world).await;
    let ended = run().await;
    assert_eq!(ended.is_done(), !act.is_refusal(), "{act:?}: {ended:?}");
    shape(&world.dump())
}

/// An answer that says that the server could not do it: 503 and when to come back, as a page to people, and nothing of
/// the inside.
fn assert_unavailable(act: Act, ended: &Ended, failure: Failure, what: &str) {
    match ended {
        Ended::Failed(reason) => assert_eq!(*reason, failure, "{what}"),
        Ended::Http(answer) => {
            let expected = if failure.is_temporary() {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            assert_eq!(answer.status, expected, "{what}: {}", answer.body);
            assert_eq!(answer.header("retry-after"), failure.is_temporary().then_some("1"), "{what}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
            assert!(!answer.headers.contains_key("location"), "{what}");
            assert!(!answer.headers.contains_key("www-authenticate"), "{what}");
            assert!(!answer.body.contains("db-7"), "{what}: the inside shows: {}", answer.body);
            if act.is_for_people() {
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{what}");
                assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{what}");
            } else if act != Act::Check {
                let error = if failure.is_temporary() { "temporarily_unavailable" } else { "server_error" };
                assert_eq!(answer.field("error"), error, "{what}");
            }
        }
        Ended::Done | Ended::Refused(_) => panic!("{what}: {ended:?}"),
    }
}

fn failures(events: &[Event]) -> Vec<Failure> {
    let failure = |event: &Event| match event.what {
        What::Failed { failure } => Some(failure),
        _ => None,
    };
    events.iter().filter_map(failure).collect()
}

/// Whether any event says that something was issued, ended or changed.
fn tells_of_success(events: &[Event]) -> bool {
    events.iter().any(|event| !matches!(event.what, What::Failed { .. } | What::Refused(_) | What::Repeated))
}

/// Fails each call of every act, alone or with all that follow: nothing is done and that is said, or all is done.
async fn fail_everywhere(fault: Fault, failure: Failure) {
    for act in EVERY_ACT {
        let complete = complete(act).await;
        for count in [1, usize::MAX] {
            for from in 0.. {
                let what = format!("{act:?}, {fault:?} from call {from}, {count} calls");
                let (world, store) = world().await;
                let run = act.prepare(&world).await;
                let before = shape(&world.dump());
                world.take_events();
                store.fail(from, count, fault);
                let ended = run().await;
                let after = shape(&world.dump());
                let events = world.take_events();
                let unmet = failures(&events).is_empty();
                store.come_back();
                if unmet {
                    assert!(from > 0, "{what}: never asked the store");
                    assert_eq!(ended.is_done(), !act.is_refusal(), "{what}: {ended:?}");
                    assert_eq!(after, complete, "{what}");
                    break;
                }
                if after == complete && complete != before {
                    // What failed came after: when a secret was used is noted on the side.
                    assert_eq!(ended.is_done(), !act.is_refusal(), "{what}: {ended:?}");
                } else if ended.is_done() {
                    assert!(from > 0 && after == complete, "{what}: {ended:?}");
                } else {
                    assert_eq!(after, before, "{what}: half done");
                    assert_unavailable(act, &ended, failure, &what);
                    assert!(failures(&events).iter().all(|told| *told == failure), "{what}");
                    assert!(!tells_of_success(&events), "{what}: {events:?}");
                    // The store is back, and so are we.
                    let again = run().await;
                    assert_eq!(again.is_done(), !act.is_refusal(), "{what}, then again: {again:?}");
                    assert_eq!(shape(&world.dump()), complete, "{what}, then again");
                }
            }
        }
    }
}

#[tokio::test]
async fn q_10_an_unavailable_store_answers_503_with_retry_after() {
    fail_everywhere(Fault::Unavailable, Failure::Unavailable).await;
}

#[tokio::test]
async fn q_10_a_store_that_makes_no_sense_answers_500_and_nothing_changes() {
    fail_everywhere(Fault::Corrupt, Failure::Corrupt).await;
}

#[tokio::test]
async fn q_10_an_unavailable_store_is_never_taken_for_an_empty_one() {
    let (world, store) = world().await;
    let (access, refresh) = world.tokens(WEB).await;
    let before = world.dump();
    store.go_down(Fault::Unavailable);
    let wrong = Known { secret: Some("wrong-wrong-wrong-wrong"), ..WEB };
    let unknown = Known { id: "nobody", secret: Some("wrong-wrong-wrong-wrong"), ..WEB };
    let dead = "gat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    // Whether a client, a secret or a token is right cannot be told: neither 401 nor "inactive" nor "revoked".
    let mut requests: Vec<Request<String>> = Vec::new();
    for client in [WEB, POSTER, CLI, wrong, unknown] {
        for (path, parameters) in [
            ("/token", vec![("grant_type", "refresh_token"), ("refresh_token", &*refresh)]),
            ("/token", vec![("grant_type", "refresh_token"), ("refresh_token", "nonsense")]),
            ("/token", vec![("grant_type", "authorization_code"), ("code", "nonsense"), ("code_verifier", VERIFIER)]),
            ("/token", vec![("grant_type", "client_credentials")]),
            ("/revoke", vec![("token", &*access)]),
            ("/revoke", vec![("token", "nonsense")]),
            ("/introspect", vec![("token", &*access)]),
            ("/introspect", vec![("token", dead)]),
            ("/introspect", vec![("token", "nonsense")]),
        ] {
            requests.push(post_as(client, path, &parameters));
        }
    }
    for request in requests {
        let what = format!("{request:?}");
        let answer = ask(&world.server, request).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}: {}", answer.body);
        assert_eq!(answer.header("retry-after"), Some("1"), "{what}");
    }
    // What asks nothing of the store goes on: the metadata, and what is refused for its form alone.
    let metadata = Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap();
    assert_eq!(ask(&world.server, metadata).await.status, StatusCode::OK);
    ask(&world.server, post_as(WEB, "/token", &[])).await.refused("invalid_request");
    assert_eq!(world.dump(), before);
    store.come_back();
    assert!(world.is_live(&access).await);
}

#[tokio::test]
async fn q_10_a_store_that_comes_back_is_used_at_once() {
    let (world, store) = world().await;
    let code = world.valid_code(WEB).await;
    for _ in 0..3 {
        store.go_down(Fault::Unavailable);
        for _ in 0..5 {
            let answer = ask(&world.server, redemption(&code)).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        }
        store.come_back();
        assert!(world.introspect(API, "gat_unknown").await["active"] == false);
    }
    // The code that could not be redeemed three times is as good as new.
    let (_, mut refresh) = world.redeem(WEB, &code).await.tokens();
    for _ in 0..3 {
        store.go_down(Fault::Unavailable);
        world.advance(31);
        assert_eq!(ask(&world.server, refreshing(&refresh)).await.status, StatusCode::SERVICE_UNAVAILABLE);
        store.come_back();
        refresh = world.refresh(WEB, &refresh).await.tokens().1;
    }
    assert_eq!(living(&world.dump(), Kind::REFRESH_TOKEN, world.now()).len(), 1);
}

#[tokio::test]
async fn q_10_a_full_store_refuses_what_is_new_and_goes_on_revoking() {
    let memory = Arc::new(MemoryStore::with_capacity_limit(14));
    let world = World::over(Arc::clone(&memory) as Arc<dyn Store>, Arc::clone(&memory), |builder| builder).await;
    // Five clients; then consent, code, grant, access, refresh, and the note of use.
    let (access, mut refresh) = world.tokens(WEB).await;
    refresh = world.refresh(WEB, &refresh).await.tokens().1;
    assert_eq!(memory.len(), 13);
    for _ in 0..3 {
        let answer = ask(&world.server, refreshing(&refresh)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(world.is_live(&access).await);
    // Ending takes no room.
    assert!(world.post_as(WEB, "/revoke", &[("token", &refresh)]).await.status.is_success());
    assert!(all_living(&world.dump(), world.now()).is_empty());
    // And when time has made room, all goes on.
    world.advance(120 * 24 * 3600);
    while world.server.purge(1000).await.unwrap().more {}
    world.tokens(WEB).await;
}

fn redemption(code: &str) -> Request<String> {
    let parameters =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    post_as(WEB, "/token", &parameters)
}

fn refreshing(token: &str) -> Request<String> {
    post_as(WEB, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

#[tokio::test]
async fn q_11_a_commit_in_doubt_answers_503_and_the_retry_finds_out() {
    // A purge is no commit.
    for act in EVERY_ACT.into_iter().filter(|act| *act != Act::Purge) {
        let complete = complete(act).await;
        for fault in [Fault::DoubtDone, Fault::DoubtUndone] {
            let what = format!("{act:?}, {fault:?}");
            let (world, store) = world().await;
            let run = act.prepare(&world).await;
            let before = shape(&world.dump());
            world.take_events();
            store.fail(0, 1, fault);
            let ended = run().await;
            if store.come_back() {
                assert_eq!(before, complete, "{what}: there was no commit");
                continue;
            }
            let events = world.take_events();
            let after = shape(&world.dump());
            assert_eq!(failures(&events), [Failure::InDoubt], "{what}");
            if before == complete {
                // Only when a secret was used was to be noted.
                assert!(ended.is_done(), "{what}: {ended:?}");
                continue;
            }
            assert_unavailable(act, &ended, Failure::InDoubt, &what);
            assert!(!tells_of_success(&events), "{what}: {events:?}");
            let done = fault == Fault::DoubtDone;
            assert_eq!(&after, if done { &complete } else { &before }, "{what}");
            let again = run().await;
            if done {
                assert_repetition(act, &again, &world, &complete, &what);
                if !act.is_refusal() {
                    let events = world.take_events();
                    let theft = |event: &Event| matches!(event.what, What::Replayed { .. });
                    assert!(!events.iter().any(theft), "{what}: taken for theft: {events:?}");
                }
            } else {
                assert_eq!(again.is_done(), !act.is_refusal(), "{what}, then again: {again:?}");
                assert_eq!(shape(&world.dump()), complete, "{what}, then again");
            }
        }
    }
}

/// Presents the token a last time: it is reuse, and the family ends.
async fn assert_reuse_is_found(world: &World, request: Request<String>, what: &str) {
    world.take_events();
    ask(&world.server, request).await.refused("invalid_grant");
    let events = world.take_events();
    assert!(events.iter().any(|event| matches!(event.what, What::Replayed { .. })), "{what}: {events:?}");
    assert!(all_living(&world.dump(), world.now()).is_empty(), "{what}");
}

#[tokio::test]
async fn q_11_a_doubt_excuses_no_later_reuse() {
    for window in [30, 0] {
        let lifetimes = Lifetimes { refresh_retry_window: Duration::from_secs(window), ..Lifetimes::default() };
        let strict = window == 0;
        // The commit had not happened, and the retry did it.
        let (world, store) = world_with(|builder| builder.lifetimes(lifetimes)).await;
        let (_, refresh) = world.tokens(WEB).await;
        store.fail(0, 1, Fault::DoubtUndone);
        assert_eq!(ask(&world.server, refreshing(&refresh)).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.refresh(WEB, &refresh).await.tokens();
        world.advance(window);
        assert_reuse_is_found(&world, refreshing(&refresh), "settled by the retry").await;

        let (world, store) = world_with(|builder| builder.lifetimes(lifetimes)).await;
        let code = world.valid_code(WEB).await;
        store.fail(0, 1, Fault::DoubtUndone);
        assert_eq!(ask(&world.server, redemption(&code)).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.redeem(WEB, &code).await.tokens();
        assert_reuse_is_found(&world, redemption(&code), "a code, settled by the retry").await;

        // It had happened; the client came back late, was answered, and somebody else comes later still.
        let (world, store) = world_with(|builder| builder.lifetimes(lifetimes)).await;
        let (_, refresh) = world.tokens(WEB).await;
        store.fail(0, 1, Fault::DoubtDone);
        assert_eq!(ask(&world.server, refreshing(&refresh)).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.advance(600);
        let came_back = ask(&world.server, refreshing(&refresh)).await;
        if strict {
            came_back.refused("invalid_grant");
        } else {
            let successor = came_back.tokens();
            world.advance(29);
            assert_eq!(ask(&world.server, refreshing(&refresh)).await.tokens(), successor, "an answer lost again");
            world.advance(1);
            assert_reuse_is_found(&world, refreshing(&refresh), "answered before").await;
        }

        // It had happened, and nobody came back for long.
        let (world, store) = world_with(|builder| builder.lifetimes(lifetimes)).await;
        let (_, refresh) = world.tokens(WEB).await;
        store.fail(0, 1, Fault::DoubtDone);
        assert_eq!(ask(&world.server, refreshing(&refresh)).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.advance(24 * 3600);
        assert_reuse_is_found(&world, refreshing(&refresh), "a day later").await;
    }
}

#[tokio::test]
async fn q_11_what_a_secret_was_in_doubt_about_is_no_secret() {
    // A rotation in doubt: the host does not know the new secret, whether it exists or not; the old one works for the
    // overlap, and a second rotation makes a clean slate.
    for fault in [Fault::DoubtDone, Fault::DoubtUndone] {
        let (world, store) = world().await;
        let web = "web".into();
        let clients = world.server.clients();
        store.fail(0, 1, fault);
        let rotated = clients.rotate_secret(&web, "new", Duration::from_secs(60)).await;
        assert!(rotated.is_err());
        assert!(world.token(WEB, &[("grant_type", "client_credentials")]).await.status.is_success());
        let new = clients.rotate_secret(&web, "newer", Duration::ZERO).await.unwrap();
        let secrets = clients.secrets(&web).await.unwrap();
        assert_eq!(secrets.len(), 1);
        assert_eq!((secrets[0].id, secrets[0].expires_at), (new.id, Timestamp::NEVER));
        world.token(WEB, &[("grant_type", "client_credentials")]).await.unauthenticated(true);
    }
}
