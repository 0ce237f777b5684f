//! Devices, users and nodes at the same moment (ids RC-8 and D-02).

use grantor::event::What;
use grantor::refusal::ApproveError;
use grantor::store::Kind;
use grantor::{Approval, DeviceDecision, PendingDevice, Subject};
use http::StatusCode;

use crate::device::{TV, allow, polling, register_devices, start, with_devices};
use crate::faulty::{Call, Moment, spends, writes};
use crate::harness::*;
use crate::race::{PLACES, Race, at, issues};

async fn race() -> Race {
    let race = Race::with(with_devices).await;
    register_devices(&race.world).await;
    race
}

async fn found(race: &Race, code: &str, user: &str) -> PendingDevice {
    race.world.server.find_device(code, &user.into(), None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d_02_many_polls_at_once_buy_one_family() {
    let race = race().await;
    for round in 0..8 {
        let waiting = start(&race.world, TV).await;
        allow(&race.world, &waiting.user_code, "alice").await;
        race.world.take_events();
        let grants = race.count(Kind::GRANT);
        let answers = race.crowd(32, |_| polling(TV, &waiting.device_code)).await;
        let bought = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(bought, 1, "round {round}");
        for answer in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
            answer.refused("invalid_grant");
        }
        assert_eq!(race.count(Kind::GRANT), grants + 1);
        assert_eq!(issues(&race.world.take_events()), 1);
    }
    crate::race::assert_no_orphans(&race.world);
}

#[tokio::test]
async fn d_02_a_poll_that_stands_anywhere_while_another_buys_gets_nothing() {
    for place in PLACES {
        let race = race().await;
        let waiting = start(&race.world, TV).await;
        allow(&race.world, &waiting.user_code, "alice").await;
        let gate = at(&race.store, place);
        let slow = race.start(0, polling(TV, &waiting.device_code));
        let held = gate.reached().await;
        let quick = ask(&race.nodes[1], polling(TV, &waiting.device_code)).await;
        held.release();
        let slow = slow.await.unwrap();
        let bought = [&slow, &quick].iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(bought, 1, "{place:?}: {} {}", slow.body, quick.body);
        assert_eq!(race.count(Kind::GRANT), 1, "{place:?}");
        assert_eq!(race.count(Kind::MARKER), 1, "{place:?}");
    }
}

#[tokio::test]
async fn rc_8_approval_and_denial_at_once_come_to_one_end() {
    // Whoever gets to the commit second is told so, and the first decision stands.
    for first_allows in [true, false] {
        let race = race().await;
        let waiting = start(&race.world, TV).await;
        let (one, other) =
            (found(&race, &waiting.user_code, "alice").await, found(&race, &waiting.user_code, "bob").await);
        let gate = race.store.stop(Moment::Before, spends(Kind::DEVICE_CODE));
        let server = race.nodes[0].clone();
        let now = race.world.now();
        let slow = tokio::spawn(async move {
            if first_allows {
                server.deny_device(one).await
            } else {
                server.approve_device(one, Approval::new("alice".into(), now)).await
            }
        });
        let held = gate.reached().await;
        let node = &race.nodes[1];
        let quick = if first_allows {
            node.approve_device(other, Approval::new("bob".into(), now)).await.unwrap()
        } else {
            node.deny_device(other).await.unwrap()
        };
        held.release();
        assert_eq!(slow.await.unwrap(), Err(ApproveError::Decided));
        let answer = ask(node, polling(TV, &waiting.device_code)).await;
        if first_allows {
            assert_eq!(quick, DeviceDecision::Approved);
            let (access, _) = answer.tokens();
            let told = node.verify(&access, grantor::Require::any()).await.unwrap();
            assert_eq!(told.subject(), Some("bob"));
        } else {
            assert_eq!(quick, DeviceDecision::Denied);
            answer.refused("access_denied");
            assert_eq!(race.count(Kind::GRANT), 0);
        }
    }
}

#[tokio::test]
async fn rc_8_a_poll_beside_an_approval_neither_loses_it_nor_its_own_count() {
    for moment in [Moment::Before, Moment::After] {
        // The poll stands at its note while the user agrees.
        let race = race().await;
        let waiting = start(&race.world, TV).await;
        let pending = found(&race, &waiting.user_code, "alice").await;
        let gate = race.store.stop(moment, |call| {
            matches!(call, Call::Commit(commit) if commit.writes.iter().any(|write| write.key().kind == Kind::DEVICE_CODE))
        });
        let poll = race.start(0, polling(TV, &waiting.device_code));
        let held = gate.reached().await;
        let approval = Approval::new("alice".into(), race.world.now());
        assert_eq!(race.nodes[1].approve_device(pending, approval).await, Ok(DeviceDecision::Approved));
        held.release();
        let answer = poll.await.unwrap();
        if moment == Moment::Before {
            answer.tokens();
        } else {
            answer.refused("authorization_pending");
            ask(&race.nodes[1], polling(TV, &waiting.device_code)).await.tokens();
        }
        assert_eq!(race.count(Kind::GRANT), 1);
    }
    // And the user stands at the decision while the device asks.
    let race = race().await;
    let waiting = start(&race.world, TV).await;
    let pending = found(&race, &waiting.user_code, "alice").await;
    let gate = race.store.stop(Moment::Before, spends(Kind::DEVICE_CODE));
    let (server, approval) = (race.nodes[0].clone(), Approval::new("alice".into(), race.world.now()));
    let deciding = tokio::spawn(async move { server.approve_device(pending, approval).await });
    let held = gate.reached().await;
    ask(&race.nodes[1], polling(TV, &waiting.device_code)).await.refused("authorization_pending");
    held.release();
    assert_eq!(deciding.await.unwrap(), Ok(DeviceDecision::Approved));
    ask(&race.nodes[1], polling(TV, &waiting.device_code)).await.tokens();
}

#[tokio::test]
async fn rc_8_an_approval_that_comes_too_late_is_none() {
    let race = race().await;
    let waiting = start(&race.world, TV).await;
    let pending = found(&race, &waiting.user_code, "alice").await;
    race.world.advance(600);
    let approval = Approval::new("alice".into(), race.world.now());
    assert_eq!(race.nodes[0].approve_device(pending, approval).await, Err(ApproveError::Expired));
    ask(&race.nodes[0], polling(TV, &waiting.device_code)).await.refused("expired_token");
    // One made in time counts no longer than the code: the device hears of either end, never of both.
    assert_eq!(race.count(Kind::GRANT), 0);
}

#[tokio::test]
async fn rc_8_access_taken_away_while_a_device_fetches_its_tokens_stays_away() {
    let race = race().await;
    let alice = Subject::from("alice");
    for _ in 0..2 {
        // The first time there is no permission to take away yet; the second time there is.
        let waiting = start(&race.world, TV).await;
        allow(&race.world, &waiting.user_code, "alice").await;
        let gate = race.store.stop(Moment::Before, writes(Kind::GRANT));
        let poll = race.start(0, polling(TV, &waiting.device_code));
        let held = gate.reached().await;
        race.nodes[1].subjects().revoke_all(&alice).await.unwrap();
        held.release();
        let answer = poll.await.unwrap();
        let tokens: Vec<String> =
            answer.json().iter().filter_map(|json| json["access_token"].as_str().map(str::to_owned)).collect();
        race.assert_all_dead(&tokens, "all of alice's was revoked").await;
    }
    let waiting = start(&race.world, TV).await;
    allow(&race.world, &waiting.user_code, "alice").await;
    let gate = race.store.stop(Moment::Before, writes(Kind::GRANT));
    let poll = race.start(0, polling(TV, &waiting.device_code));
    let held = gate.reached().await;
    race.nodes[1].grants().remove_app(&alice, &"tv".into()).await.unwrap();
    held.release();
    poll.await.unwrap().refused("invalid_grant");
    assert_eq!(race.living(Kind::ACCESS_TOKEN), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rc_9_polls_at_once_are_each_counted() {
    let race = race().await;
    let waiting = start(&race.world, TV).await;
    let answers = race.crowd(16, |_| polling(TV, &waiting.device_code)).await;
    let pending = answers.iter().filter(|answer| answer.field("error") == "authorization_pending").count();
    let slower = answers.iter().filter(|answer| answer.field("error") == "slow_down").count();
    assert_eq!((pending, slower), (1, 15));
    // Fifteen times five seconds more.
    race.world.advance(79);
    ask(&race.nodes[0], polling(TV, &waiting.device_code)).await.refused("slow_down");
    race.world.advance(85);
    ask(&race.nodes[1], polling(TV, &waiting.device_code)).await.refused("authorization_pending");
    let told = race.world.take_events();
    assert!(told.iter().all(|event| !matches!(event.what, What::Issued { .. })));
}
