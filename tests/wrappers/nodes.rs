//! Two nodes over one store, each with a cache: how far one may be behind the other, and what never is.

use std::sync::Arc;
use std::time::Duration;

use grantor::store::{CacheOptions, CachingStore, Kind, MemoryStore, State, Store};
use grantor::{AuthorizationServer, Require};
use http::StatusCode;

use crate::harness::*;

const BOUND: Duration = Duration::from_secs(30);
/// A millisecond less.
const ALMOST: Duration = Duration::from_millis(29_999);

/// The node of this world, and another.
async fn nodes() -> (World, AuthorizationServer) {
    let memory = Arc::new(MemoryStore::new());
    let options = CacheOptions { clients_for: BOUND, tokens_for: BOUND, ..CacheOptions::default() };
    // The clock of a world is made with it, and the cache wants the same.
    let clock = Arc::new(grantor::clock::ManualClock::new(START));
    let cache = || Arc::new(CachingStore::new(Arc::clone(&memory) as _, Arc::clone(&clock) as _, options));
    let world = World::node_over(cache() as Arc<dyn Store>, Arc::clone(&memory), Arc::clone(&clock), |builder| builder);
    for client in [WEB, CLI, API] {
        world.register(client, metadata(client)).await;
    }
    let other = world.server_over(cache(), |builder| builder);
    (world, other)
}

async fn accepts(server: &AuthorizationServer, token: &str) -> bool {
    server.verify(token, Require::any()).await.is_ok()
}

/// Both know the token; then it ends here, by whatever means, and there after the bound at the latest.
async fn ends_here_and_then_there<F: Future<Output = ()>>(end: impl FnOnce(World, String, String) -> F + Clone) {
    let (world, there) = nodes().await;
    let (access, refresh) = world.tokens(WEB).await;
    assert!(accepts(&world.server, &access).await && accepts(&there, &access).await);
    let (clock, here) = (Arc::clone(&world.clock), world.server.clone());
    end(world, access.clone(), refresh).await;
    assert!(!accepts(&here, &access).await, "here it is over at once");
    clock.advance(ALMOST);
    assert!(!accepts(&here, &access).await);
    assert!(accepts(&there, &access).await, "the other node answers from what it saw");
    clock.advance(Duration::from_millis(1));
    assert!(!accepts(&there, &access).await, "and no longer than it may");
}

#[tokio::test]
async fn a_token_that_was_revoked_is_over_here_at_once_and_there_in_time() {
    ends_here_and_then_there(async |world, access, _| {
        assert_eq!(world.post_as(WEB, "/revoke", &[("token", &access)]).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_was_revoked_is_over_here_at_once_and_there_in_time() {
    ends_here_and_then_there(async |world, _, refresh| {
        assert_eq!(world.post_as(WEB, "/revoke", &[("token", &refresh)]).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_was_deactivated_is_over_here_at_once_and_there_in_time() {
    ends_here_and_then_there(async |world, _, _| {
        world.server.clients().deactivate(&WEB.id.into()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_subject_that_was_deactivated_is_over_here_at_once_and_there_in_time() {
    ends_here_and_then_there(async |world, _, _| {
        world.server.subjects().deactivate(&"alice".into()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_old_record_of_a_client_may_ask_and_lets_nothing_be_issued() {
    let (world, there) = nodes().await;
    let machine = [("grant_type", "client_credentials"), ("scope", "read")];
    let token = world.machine_token(WEB).await;
    let question = || post_as(API, "/introspect", &[("token", &token)]);
    let code = world.valid_code(WEB).await;
    // The other node has seen both clients, and does not hear that they end.
    assert_eq!(ask(&there, question()).await.status, StatusCode::OK);
    assert_eq!(ask(&there, post_as(WEB, "/token", &machine)).await.status, StatusCode::OK);
    for client in [WEB, API] {
        world.server.clients().deactivate(&client.id.into()).await.unwrap();
    }
    // What is issued is decided below, on the client as it is.
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    ask(&there, post_as(WEB, "/token", &parameters)).await.refused("invalid_grant");
    ask(&there, post_as(WEB, "/token", &machine)).await.unauthenticated(true);
    // What is only asked is answered as if a moment ago, and no longer than that.
    ask(&world.server, question()).await.unauthenticated(true);
    world.clock.advance(ALMOST);
    assert_eq!(ask(&there, question()).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_millis(1));
    ask(&there, question()).await.unauthenticated(true);
}

#[tokio::test]
async fn a_code_and_a_refresh_token_are_as_single_as_ever() {
    let (world, there) = nodes().await;
    let code = world.valid_code(WEB).await;
    let (access, refresh) = world.redeem(WEB, &code).await.tokens();
    let rotated = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let successor = ask(&there, post_as(WEB, "/token", &rotated)).await.tokens();
    assert_eq!(world.refresh(WEB, &refresh).await.tokens(), successor, "a retry, on the other node");
    assert!(accepts(&there, &access).await);
    // The second presentation of the code ends it all, whatever either node has seen.
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    ask(&there, post_as(WEB, "/token", &parameters)).await.refused("invalid_grant");
    let grants = world.records(Kind::GRANT);
    assert!(grants.iter().all(|grant| grant.state == State::Revoked));
    assert!(!accepts(&there, &access).await);
    ask(&there, post_as(WEB, "/token", &rotated)).await.refused("invalid_grant");
}

#[tokio::test]
async fn whoever_changes_a_client_on_both_nodes_loses_neither_change() {
    let (world, there) = nodes().await;
    let id = WEB.id.into();
    let never = grantor::clock::Timestamp::NEVER;
    let metadata_there = there.clients().get(&id).await.unwrap().unwrap().metadata().clone();
    let revision_there = there.clients().get(&id).await.unwrap().unwrap().revision();
    world.server.clients().add_secret(&id, "second", never).await.unwrap();
    // Decided on what is old, and refused below: whoever reads again sees what is true.
    let refused = there.clients().update(&id, revision_there, metadata_there.clone()).await;
    assert!(matches!(refused, Err(grantor::manage::ManageError::Changed)), "{refused:?}");
    let fresh = there.clients().get(&id).await.unwrap().unwrap();
    there.clients().update(&id, fresh.revision(), metadata_there).await.unwrap();
    there.clients().add_secret(&id, "third", never).await.unwrap();
    assert_eq!(there.clients().secrets(&id).await.unwrap().len(), 3);
}
