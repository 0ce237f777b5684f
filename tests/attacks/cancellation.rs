//! Requests that are dropped at every await (id Q-09).

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantor::store::{MemoryStore, Store};

use crate::acts::{Act, EVERY_ACT, Ended, assert_repetition, shape};
use crate::device::with_devices;
use crate::faulty::YieldingStore;
use crate::harness::*;

async fn world() -> World {
    let memory = Arc::new(MemoryStore::new());
    let store = YieldingStore::new(Arc::clone(&memory), 1);
    World::over(store as Arc<dyn Store>, memory, with_devices).await
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
        assert_eq!(ended.is_done(), !act.is_refusal(), "{act:?}: {ended:?}");
        let complete = shape(&whole.dump());
        assert_nothing_is_stuck(&whole).await;

        let mut seen = [false; 2];
        for times in 0.. {
            let what = format!("{act:?}, dropped after {times} polls");
            let world = world().await;
            let run = act.prepare(&world).await;
            let before = shape(&world.dump());
            if let Some(ended) = poll(run(), times) {
                assert_eq!(ended.is_done(), !act.is_refusal(), "{what}: {ended:?}");
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
                assert_eq!(again.is_done(), !act.is_refusal(), "{what}, then again: {again:?}");
                assert_eq!(shape(&world.dump()), complete, "{what}, then again");
            } else {
                assert_repetition(act, &again, &world, &complete, &what);
            }
            assert_nothing_is_stuck(&world).await;
        }
        assert!(seen[0], "{act:?}");
    }
}
