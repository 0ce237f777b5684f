//! How many tokens were issued and requests refused.

use std::sync::Arc;
use std::time::Duration;

use grantor::manage::{Activity, DayCount, Registration, Usage};
use grantor::secret::Secret;
use grantor::{AuthorizationServer, ClientId};

use crate::faulty::{FailingStore, Fault};
use crate::intercept::Intercept;
use crate::world::{World, metadata, public, world, world_with};

const DAY: Duration = Duration::from_secs(86_400);
const SECRET: &str = "web-secret-web-secret-web-secret";

fn web() -> Registration {
    Registration {
        client_id: Some("web".into()),
        client_secret: Some(Secret::new(SECRET)),
        ..Registration::from(metadata("Web"))
    }
}

async fn issue(world: &World, times: usize) {
    for _ in 0..times {
        assert_eq!(world.token(&"web".into(), SECRET, "grant_type=client_credentials").await.status(), 200);
    }
}

async fn refuse(world: &World, client: &str) {
    assert_eq!(world.token(&client.into(), SECRET, "grant_type=nothing").await.status(), 400);
}

async fn usage(server: &AuthorizationServer) -> Usage {
    server.clients().usage(&"web".into()).await.unwrap()
}

async fn activity(server: &AuthorizationServer) -> Activity {
    server.clients().activity().await.unwrap()
}

fn last(days: &[DayCount]) -> [(u32, u32); 2] {
    assert_eq!(days.len(), 30);
    [28, 29].map(|day| (days[day].issued, days[day].refused))
}

/// A server of its own over the same records, as after a restart or on another node.
fn another(world: &World) -> AuthorizationServer {
    let (store, clock) = (Arc::clone(&world.store) as _, Arc::clone(&world.clock) as _);
    let builder = AuthorizationServer::builder("https://auth.example.com").shared_store(store).clock(clock);
    builder.secret(crate::world::SECRET).default_scope("read", "Read your data").build().unwrap()
}

#[tokio::test]
async fn every_token_response_and_every_refusal_is_counted_on_its_day() {
    let world = world();
    world.server.clients().register(web()).await.unwrap();
    issue(&world, 3).await;
    refuse(&world, "web").await;
    world.clock.advance(DAY);
    let code = world.code(&"web".into(), "alice").await;
    let code = format!("grant_type=authorization_code&code={code}&code_verifier={}", crate::world::VERIFIER);
    let bought = world.token(&"web".into(), SECRET, &code).await;
    let bought: serde_json::Value = serde_json::from_str(bought.body()).unwrap();
    let refresh = format!("grant_type=refresh_token&refresh_token={}", bought["refresh_token"].as_str().unwrap());
    assert_eq!(world.token(&"web".into(), SECRET, &refresh).await.status(), 200);
    for written in [false, true] {
        if written {
            let _ = world.server.purge(100).await.unwrap();
        }
        let usage = usage(&world.server).await;
        assert_eq!((usage.tokens_issued, usage.requests_refused, last(&usage.days)), (5, 1, [(3, 1), (2, 0)]));
        assert_eq!(usage.days[29].begins_at(), world.server.now());
        let activity = activity(&world.server).await;
        assert_eq!((activity.tokens_issued, activity.requests_refused), (5, 1));
        let busiest: Vec<_> =
            activity.busiest.iter().map(|busy| (busy.client.id().as_str(), busy.issued, busy.refused)).collect();
        assert_eq!((busiest, activity.days), (vec![("web", 5, 1)], usage.days));
    }
    world.clock.advance(DAY * 29);
    let usage = usage(&world.server).await;
    assert_eq!((usage.tokens_issued, usage.days[0].issued, last(&usage.days)), (5, 2, [(0, 0), (0, 0)]));
}

#[tokio::test]
async fn a_token_request_writes_nothing_for_its_count() {
    let world = world();
    world.server.clients().register(web()).await.unwrap();
    issue(&world, 1).await;
    let before = world.store.len();
    issue(&world, 1).await;
    assert_eq!(world.store.len(), before + 1, "the token alone");
    refuse(&world, "web").await;
    assert_eq!(world.store.len(), before + 1);
}

#[tokio::test]
async fn what_was_written_down_outlives_the_process_and_nodes_add_up() {
    let world = world();
    world.server.clients().register(web()).await.unwrap();
    issue(&world, 2).await;
    let _ = world.server.purge(100).await.unwrap();
    let other = World { server: another(&world), ..world_with(|builder| builder) };
    assert_eq!(usage(&other.server).await.tokens_issued, 2);
    issue(&other, 3).await;
    assert_eq!((usage(&other.server).await.tokens_issued, usage(&world.server).await.tokens_issued), (5, 2));
    let _ = other.server.purge(100).await.unwrap();
    let _ = world.server.purge(100).await.unwrap();
    for server in [&world.server, &other.server] {
        let activity = activity(server).await;
        assert_eq!((usage(server).await.tokens_issued, activity.tokens_issued, activity.busiest[0].issued), (5, 5, 5));
    }
}

#[tokio::test]
async fn two_nodes_that_write_down_at_once_lose_nothing() {
    let store = Arc::new(Intercept::new());
    let world = world_with(|builder| builder.shared_store(Arc::clone(&store) as _));
    let world = World { store: store.memory(), ..world };
    world.server.clients().register(web()).await.unwrap();
    let other = World { server: another(&world), ..world_with(|builder| builder) };
    issue(&world, 2).await;
    issue(&other, 3).await;
    // When the first has read what is there, and before it writes, the other reads and writes.
    let server = other.server.clone();
    store.before_commit(async move {
        let _ = server.purge(100).await.unwrap();
    });
    let _ = world.server.purge(100).await.unwrap();
    assert!(store.happened());
    assert_eq!((usage(&world.server).await.tokens_issued, activity(&world.server).await.tokens_issued), (5, 5));
    issue(&world, 1).await;
    issue(&other, 1).await;
    let server = other.server.clone();
    store.before_commit(async move {
        let _ = server.purge(100).await.unwrap();
    });
    let _ = world.server.purge(100).await.unwrap();
    assert_eq!((usage(&world.server).await.tokens_issued, activity(&world.server).await.tokens_issued), (7, 7));
}

#[tokio::test]
async fn what_cannot_be_written_is_kept_and_what_is_in_doubt_is_counted_once() {
    let inner = world().store;
    let store = FailingStore::new(Arc::clone(&inner));
    let world = world_with(|builder| builder.shared_store(Arc::clone(&store) as _));
    world.server.clients().register(web()).await.unwrap();
    issue(&world, 2).await;
    refuse(&world, "nobody").await;
    store.go_down(Fault::Unavailable);
    assert!(world.server.purge(100).await.is_err());
    store.come_back();
    let _ = world.server.purge(100).await.unwrap();
    let there = activity(&world.server).await;
    assert_eq!((usage(&world.server).await.tokens_issued, there.tokens_issued, there.requests_refused), (2, 2, 1));
    for (fault, expected) in [(Fault::DoubtDone, 3), (Fault::DoubtUndone, 4)] {
        issue(&world, 1).await;
        store.fail(0, usize::MAX, fault);
        let _ = world.server.purge(100).await;
        store.come_back();
        let _ = world.server.purge(100).await.unwrap();
        let counted = (usage(&world.server).await.tokens_issued, activity(&world.server).await.tokens_issued);
        assert_eq!(counted, (expected, expected), "{fault:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_given_the_name_of_a_forgotten_one_begins_anew() {
    let world = world();
    world.server.clients().register(web()).await.unwrap();
    issue(&world, 2).await;
    let _ = world.server.purge(100).await.unwrap();
    world.server.clients().delete(&"web".into()).await.unwrap();
    // All it could have been issued has expired: the client is no longer remembered, and what was counted of it is.
    world.clock.advance(DAY * 399);
    let _ = world.server.purge(100).await.unwrap();
    world.server.clients().register(web()).await.unwrap();
    assert_eq!((usage(&world.server).await.tokens_issued, last(&usage(&world.server).await.days)[0]), (0, (0, 0)));
    issue(&world, 1).await;
    assert_eq!(usage(&world.server).await.tokens_issued, 1);
}

#[tokio::test]
async fn names_that_were_made_up_leave_no_record() {
    let world = world();
    let app: ClientId = world.register(public("App")).await.client.id().clone();
    let before = world.store.len();
    for number in 0..50 {
        refuse(&world, &format!("made-up-{number}")).await;
    }
    let _ = world.server.purge(100).await.unwrap();
    assert_eq!(world.store.len(), before + 1, "that of all together");
    let activity = activity(&world.server).await;
    assert_eq!((activity.requests_refused, activity.busiest.len()), (50, 0));
    assert_eq!(world.server.clients().usage(&app).await.unwrap().requests_refused, 0);
}
