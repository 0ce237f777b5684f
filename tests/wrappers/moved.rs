//! A server whose store is moved goes on as if nothing had been.

use std::sync::Arc;

use grantor::secret::SecretBytes;
use grantor::store::{
    CacheOptions, CachingStore, EncryptingStore, KeyRing, Kind, MemoryStore, State, Store, export_to, import_from,
};
use http::StatusCode;

use crate::harness::*;

/// What clients hold when the store is moved.
struct Held {
    code: String,
    spent_code: (String, String, String),
    family: (String, String),
    rotated: (String, (String, String)),
    revoked: (String, String),
    machine: String,
}

async fn before(world: &World) -> Held {
    let code = world.valid_code(WEB).await;
    let spent = world.valid_code(CLI).await;
    let (access, refresh) = world.redeem(CLI, &spent).await.tokens();
    let family = world.tokens(WEB).await;
    let (_, first) = world.tokens(POSTER).await;
    let successor = world.refresh(POSTER, &first).await.tokens();
    let revoked = world.tokens(WEB).await;
    assert_eq!(world.post_as(WEB, "/revoke", &[("token", &revoked.1)]).await.status, StatusCode::OK);
    let machine = world.machine_token(WEB).await;
    Held { code, spent_code: (spent, access, refresh), family, rotated: (first, successor), revoked, machine }
}

/// Everything that was held is worth what it was.
async fn after(world: &World, held: Held) {
    assert!(world.is_live(&held.machine).await && world.is_live(&held.family.0).await);
    assert!(!world.is_live(&held.revoked.0).await);
    world.refresh(WEB, &held.revoked.1).await.refused("invalid_grant");
    // An honest retry, begun before the move, gets the same successor after it.
    assert_eq!(world.refresh(POSTER, &held.rotated.0).await.tokens(), held.rotated.1);
    assert_eq!(world.refresh(POSTER, &held.rotated.1.1).await.status, StatusCode::OK);
    // A code that was not spent is good for one purchase, and for no other.
    let (bought, _) = world.redeem(WEB, &held.code).await.tokens();
    assert!(world.is_live(&bought).await);
    let replay = [
        ("grant_type", "authorization_code"),
        ("code", &*held.code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    world.send_ending_a_grant(post_as(WEB, "/token", &replay)).await.refused("invalid_grant");
    assert!(!world.is_live(&bought).await);
    // One that was spent before the move is still known, and so is what it bought.
    let (spent, access, refresh) = held.spent_code;
    assert!(world.is_live(&access).await);
    let replay = [
        ("code", &*spent),
        ("grant_type", "authorization_code"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    world.send_ending_a_grant(post_as(CLI, "/token", &replay)).await.refused("invalid_grant");
    assert!(!world.is_live(&access).await);
    world.refresh(CLI, &refresh).await.refused("invalid_grant");
    // The family rotates on, and outlives its first access token.
    let (access, refresh) = world.refresh(WEB, &held.family.1).await.tokens();
    assert!(world.is_live(&access).await);
    world.advance(31);
    world
        .send_ending_a_grant(post_as(
            WEB,
            "/token",
            &[("grant_type", "refresh_token"), ("refresh_token", &held.family.1)],
        ))
        .await;
    world.refresh(WEB, &refresh).await.refused("invalid_grant");
    // What is begun anew works too, and clients and users are managed as before.
    let (access, _) = world.tokens(WEB).await;
    world.server.subjects().deactivate(&"alice".into()).await.unwrap();
    assert!(!world.is_live(&access).await);
    world.server.clients().deactivate(&WEB.id.into()).await.unwrap();
    assert!(!world.is_live(&held.machine).await);
}

/// Moves all there is by way of a file, and starts a server there.
async fn moved(old: &World, from: Arc<dyn Store>, memory: Arc<MemoryStore>, to: Arc<dyn Store>) -> World {
    let mut file = Vec::new();
    let count = export_to(from, &mut file, |_| {}).await.unwrap();
    let imported = import_from(Arc::clone(&to), &mut &*file, |_| {}).await.unwrap();
    assert_eq!((imported.written, imported.skipped), (count, 0));
    assert_eq!(memory.len(), old.store.len());
    World::node_over(to, memory, Arc::clone(&old.clock), |builder| builder)
}

#[tokio::test]
async fn tokens_go_on_in_another_store() {
    let world = World::new().await;
    let held = before(&world).await;
    let memory = Arc::new(MemoryStore::new());
    let there = moved(&world, Arc::clone(&world.store) as _, Arc::clone(&memory), memory).await;
    let left = world.dump();
    after(&there, held).await;
    assert_eq!(world.dump(), left, "what was moved away stays as it was");
}

#[tokio::test]
async fn tokens_go_on_behind_encryption_and_a_cache() {
    let world = World::new().await;
    let held = before(&world).await;
    let memory = Arc::new(MemoryStore::new());
    let ring = KeyRing::new(1, SecretBytes::new([9; 32]));
    let sealed = Arc::new(EncryptingStore::new(Arc::clone(&memory) as _, ring));
    let minute = std::time::Duration::from_secs(60);
    let options = CacheOptions { clients_for: minute, tokens_for: minute, ..CacheOptions::default() };
    let cached = Arc::new(CachingStore::new(sealed, Arc::clone(&world.clock) as _, options));
    let there = moved(&world, Arc::clone(&world.store) as _, memory, cached).await;
    after(&there, held).await;
}

#[tokio::test]
async fn another_issuer_or_secret_cannot_use_what_was_moved() {
    let world = World::new().await;
    let held = before(&world).await;
    let memory = Arc::new(MemoryStore::new());
    let there = moved(&world, Arc::clone(&world.store) as _, Arc::clone(&memory), Arc::clone(&memory) as _).await;
    assert!(there.is_live(&held.family.0).await);
    let stranger = world.server_over(memory, |builder| builder.secret([8; 32]));
    assert!(stranger.verify(&held.family.0, grantor::Require::any()).await.is_err());
    let grants = there.records(Kind::GRANT);
    assert!(grants.iter().any(|grant| grant.state == State::Live));
}
