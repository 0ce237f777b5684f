//! Requests that are dropped at every await (id Q-09).

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantor::store::{Kind, MemoryStore, Store};

use crate::acts::{Act, EVERY_ACT, Ended, shape};
use crate::faulty::{YieldingStore, living, of_kind};
use crate::harness::*;

async fn world() -> World {
    let memory = Arc::new(MemoryStore::new());
    let store = YieldingStore::new(Arc::clone(&memory), 1);
    World::over(store as Arc<dyn Store>, memory, |builder| builder).await
}

/// Polls at most this often, and drops what is not ready then.
fn poll(mut future: std::pin::Pin<Box<dyn Future<Output = Ended> + Send>>, times: usize) -> Option<Ended> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(ended) = future.as_mut().poll(&mut context) {
            return Some(ended);
        }
    }
    None
}

/// A whole flow of somebody else works, from the first request to the last.
async fn assert_nothing_is_stuck(world: &World) {
    let code = world.code(&world.valid_request(LEGACY), "carol").await;
    let (_, refresh) = world.redeem(LEGACY, &code).await.tokens();
    let (access, refresh) = world.refresh(LEGACY, &refresh).await.tokens();
    assert!(world.is_live(&access).await);
    assert!(world.post_as(LEGACY, "/revoke", &[("token", &refresh)]).await.status.is_success());
    assert!(!world.is_live(&access).await);
}

#[tokio::test]
async fn q_09_a_request_dropped_at_any_await_did_all_or_nothing() {
    for act in EVERY_ACT {
        // Undisturbed.
        let whole = world().await;
        let run = act.prepare(&whole).await;
        let ended = run().await;
        assert_eq!(ended.is_done(), !act.is_replay(), "{act:?}: {ended:?}");
        let complete = shape(&whole.dump());
        assert_nothing_is_stuck(&whole).await;

        let mut seen = [false; 2];
        for times in 0.. {
            let what = format!("{act:?}, dropped after {times} polls");
            let world = world().await;
            let run = act.prepare(&world).await;
            let before = shape(&world.dump());
            if let Some(ended) = poll(run(), times) {
                assert_eq!(ended.is_done(), !act.is_replay(), "{what}: {ended:?}");
                assert_eq!(shape(&world.dump()), complete, "{what}");
                assert!(times > 1 || act == Act::IntrospectUnknown, "{act:?} never waited");
                break;
            }
            let after = shape(&world.dump());
            assert!(after == before || after == complete, "{what}: half done: {after:#?}");
            seen[usize::from(after != before)] = true;
            // The same once more: all of it now, or what a repetition of it is answered.
            let again = run().await;
            if after == before {
                assert_eq!(again.is_done(), !act.is_replay(), "{what}, then again: {again:?}");
                assert_eq!(shape(&world.dump()), complete, "{what}, then again");
            } else {
                assert_repetition(act, &again, &world, &complete, &what);
            }
            assert_nothing_is_stuck(&world).await;
        }
        assert!(seen[0], "{act:?}");
    }
}

/// What is answered to whoever does it again, not knowing that it was done.
fn assert_repetition(act: Act, again: &Ended, world: &World, complete: &[String], what: &str) {
    let now = shape(&world.dump());
    match act {
        // The same answer, and nothing more is issued.
        Act::Refresh => {
            again.answer().unwrap().tokens();
            assert_eq!(now, complete, "{what}");
            assert_eq!(living(&world.dump(), Kind::REFRESH_TOKEN, world.now()).len(), 1, "{what}");
        }
        // A code has no retry window: the second presentation ends what the first bought.
        Act::Redeem | Act::RedeemAtTheCap => {
            again.answer().unwrap().refused("invalid_grant");
            assert_eq!(of_kind(&world.dump(), Kind::GRANT).len(), if act == Act::Redeem { 2 } else { 11 }, "{what}");
        }
        // Decided is decided.
        Act::Approve | Act::ApproveAgainForAnotherScope | Act::Deny => {
            assert!(matches!(again, Ended::Refused(reason) if reason == "Decided"), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
        Act::SiteAllow | Act::SiteDeny | Act::SiteComeBack => {
            assert_eq!(again.answer().unwrap().status, http::StatusCode::BAD_REQUEST, "{what}");
            assert_eq!(now, complete, "{what}");
        }
        Act::ReplayCode | Act::ReplayRefresh => {
            again.answer().unwrap().refused("invalid_grant");
            assert_eq!(now, complete, "{what}");
        }
        Act::UpdateClient | Act::DeleteClient => {
            assert!(matches!(again, Ended::Refused(_)), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
        // One more of what there may be several of.
        Act::ClientCredentials
        | Act::SiteRemembered
        | Act::Register
        | Act::AddSecret
        | Act::RotateSecret
        | Act::ExpireSecret
        | Act::RemoveApp
        | Act::RevokeSubject => assert!(again.is_done(), "{what}: {again:?}"),
        // To do it twice is to do it once.
        _ => {
            assert!(again.is_done(), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
    }
}
