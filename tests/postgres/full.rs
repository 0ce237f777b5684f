//! A disk that is full loses nothing, and is used again when it is not.

use std::time::Duration;

use grantor::store::{Committed, Payload, PostgresOptions, PostgresStore, Record, Store as _, StoreError, Write};

use super::records::{apply, commit, grant, token};
use super::server::Server;

/// Two records, one of them large and of bytes that cannot be made smaller.
fn pair(number: u64) -> grantor::store::Commit {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise = std::iter::from_fn(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_be_bytes())
    });
    let payload: Vec<u8> = noise.take(25_000).flatten().collect();
    let large = Record { payload: Payload::new(payload), ..token(number) };
    commit(Vec::new(), vec![Write::Insert(grant(number).into()), Write::Insert(large.into())])
}

/// Whether both are there; never one.
async fn landed(store: &PostgresStore, number: u64) -> bool {
    let found = store.load(&[grant(number).key, token(number).key]).await.unwrap();
    assert_eq!(found[0].is_some(), found[1].is_some(), "half a commit is there");
    found[0].is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_makes_commits_fail_loses_nothing_and_is_used_again_when_there_is_room() {
    let (mut server, mounted) =
        Server::on_a_disk(96).map_or_else(|| (Server::bounded(24), false), |server| (server, true));
    let options = PostgresOptions::new().wait(Duration::from_secs(5));
    let store = PostgresStore::open(&server.url("postgres"), options).await.unwrap();
    let mut held = 0;
    let error = loop {
        match store.commit(&pair(held)).await {
            Ok(committed) => assert_eq!(committed, Committed::Applied),
            Err(error) => break error,
        }
        held += 1;
        assert!(held < 2_000, "the disk does not fill up");
    };
    println!("{held} commits until {error} (a disk of its own: {mounted})");
    assert!(matches!(error, StoreError::Unavailable(_) | StoreError::InDoubt(_)), "{error}");
    assert!(held > 20, "{held}");
    if server.is_up() && matches!(error, StoreError::Unavailable(_)) {
        // What was rolled back is not there, and what is there can still be read.
        assert!(!landed(&store, held).await);
        assert!(landed(&store, held - 1).await);
    }
    tokio::task::block_in_place(|| {
        if mounted {
            server.enlarge(512);
        } else {
            server.unbind();
            server.kill();
        }
        // Where the log itself found no room, the server has ended.
        if !server.is_up() {
            if mounted {
                server.kill();
            }
            server.resume();
        }
    });
    // It may be recovering, and connections may be dead.
    let mut tries = 0;
    while store.load(&[grant(0).key]).await.is_err() {
        tries += 1;
        assert!(tries < 100, "it does not recover: {}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for number in 0..held {
        assert!(landed(&store, number).await, "{number} of {held} was acknowledged, and is gone");
    }
    landed(&store, held).await;
    apply(&store, &pair(held + 1)).await;
}
