//! A server over a store that encrypts: everything works, and the database says nothing.

use std::sync::Arc;

use grantor::secret::SecretBytes;
use grantor::store::{EncryptingStore, KeyRing, MemoryStore, Store};
use http::StatusCode;

use crate::harness::*;

fn sealing(memory: &Arc<MemoryStore>, ring: KeyRing) -> Arc<dyn Store> {
    Arc::new(EncryptingStore::new(Arc::clone(memory) as _, ring))
}

fn old() -> SecretBytes {
    SecretBytes::new([1; 32])
}

fn new() -> SecretBytes {
    SecretBytes::new([2; 32])
}

async fn sealed_world() -> World {
    let memory = Arc::new(MemoryStore::new());
    World::over(sealing(&memory, KeyRing::new(1, old())), memory, |builder| builder).await
}

/// What a dump of the database shows beside its columns.
fn shown(world: &World) -> Vec<u8> {
    let mut all = Vec::new();
    for record in world.dump() {
        all.extend_from_slice(record.payload.as_bytes());
        all.extend_from_slice(record.used.as_ref().map_or(&[], |used| &used.answer));
    }
    all
}

fn shows(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}

const WORDS: [&str; 6] = ["alice", "read", "write", "https://app.example/cb", "client_name", "127.0.0.1"];

/// A flow with everything that a store keeps: consent, a code, a family, a rotation with its kept answer, a machine
/// token.
async fn flow(world: &World) -> (String, String) {
    let (_, refresh) = world.tokens(WEB).await;
    let (access, successor) = world.refresh(WEB, &refresh).await.tokens();
    assert_eq!(world.refresh(WEB, &refresh).await.tokens(), (access.clone(), successor.clone()));
    assert!(world.is_live(&access).await && world.is_live(&world.machine_token(WEB).await).await);
    world.valid_code(CLI).await;
    (access, successor)
}

#[tokio::test]
async fn a_whole_flow_works_and_the_database_shows_nothing_of_it() {
    let (plain, sealed) = (World::new().await, sealed_world().await);
    for world in [&plain, &sealed] {
        flow(world).await;
    }
    // All of these are there to be seen where nothing is sealed, or the test would prove nothing.
    let (plain, sealed) = (shown(&plain), shown(&sealed));
    for word in WORDS {
        assert!(shows(&plain, word), "{word} is not even there in the clear");
        assert!(!shows(&sealed, word), "{word}");
    }
}

#[tokio::test]
async fn keys_are_rotated_under_a_server_that_goes_on() {
    let world = sealed_world().await;
    let (access, refresh) = flow(&world).await;
    let over = |ring| {
        World::node_over(sealing(&world.store, ring), Arc::clone(&world.store), Arc::clone(&world.clock), |it| it)
    };
    let rotating = over(KeyRing::new(2, new()).with(1, old()));
    assert!(rotating.is_live(&access).await);
    let (_, refresh) = rotating.refresh(WEB, &refresh).await.tokens();
    let store = EncryptingStore::new(Arc::clone(&world.store) as _, KeyRing::new(2, new()).with(1, old()));
    let mut next = None;
    loop {
        let resealed = store.reseal(next.as_ref(), 10).await.unwrap();
        next = resealed.next;
        if next.is_none() {
            break;
        }
    }
    let after = over(KeyRing::new(2, new()));
    assert!(after.is_live(&access).await);
    assert_eq!(after.refresh(WEB, &refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_the_key_a_server_answers_that_it_cannot() {
    let world = sealed_world().await;
    let (access, refresh) = flow(&world).await;
    let before = world.dump();
    for ring in [KeyRing::new(1, new()), KeyRing::new(2, new())] {
        let blind = world.server_over(sealing(&world.store, ring), |builder| builder);
        assert!(blind.verify(&access, grantor::Require::any()).await.is_err());
        let answer =
            ask(&blind, post_as(WEB, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)])).await;
        // Neither a success nor the word that the token or the client is unknown.
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.body);
        assert!(!answer.body.contains("sealed") && !answer.body.contains("ring"), "{}", answer.body);
    }
    assert_eq!(world.dump(), before);
}
