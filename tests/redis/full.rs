//! A disk that is full while the append-only file is written. A bound of the system on the size of files stands in for it.

use grantor::store::{
    Commit, Committed, Kind, Payload, Record, RedisLoss, RedisOptions, RedisStore, Store, StoreError, Write,
};

use super::faults::recovers;
use super::sample::*;
use super::server::{ALWAYS, EVERY_SECOND, Server, wait};

/// Two records, one of them large.
fn pair(number: u64) -> Commit {
    let large = Record { payload: Payload::new(vec![b'x'; 5_000]), ..token(1, number) };
    let grant = record(key(Kind::GRANT, 1, number));
    commit(1, Vec::new(), vec![Write::Insert(grant.into()), Write::Insert(large.into())])
}

/// Whether both are there; never one.
fn landed(store: &RedisStore, number: u64) -> bool {
    let found = wait(store.load(&[key(Kind::GRANT, 1, number), token(1, number).key])).unwrap();
    assert_eq!(found[0].is_some(), found[1].is_some(), "half a commit is there");
    found[0].is_some()
}

/// Commits until it fails; how many did not, and what was said then.
fn fill(store: &RedisStore) -> (u64, StoreError) {
    for number in 0..10_000 {
        match wait(store.commit(&pair(number))) {
            Ok(committed) => assert_eq!(committed, Committed::Applied),
            Err(error) => return (number, error),
        }
    }
    panic!("the disk does not fill up");
}

#[test]
fn a_full_disk_ends_a_server_that_writes_through_and_nothing_that_was_acknowledged_is_lost() {
    let mut server = Server::bounded(ALWAYS, 1_000);
    let store = wait(RedisOptions::new().open(server.url())).unwrap();
    let (held, error) = fill(&store);
    // Redis would rather end than answer what it could not write.
    assert_fails!(Err::<(), _>(error), InDoubt);
    assert!(held > 50, "{held}");
    server.unbind();
    server.restart();
    let store = wait(RedisOptions::new().open(server.url())).unwrap();
    assert!((0..held).all(|number| landed(&store, number)), "{held} were acknowledged");
    landed(&store, held);
    put(&store, &pair(held + 1));
}

#[test]
fn a_full_disk_makes_a_server_that_writes_now_and_then_unavailable_until_there_is_room() {
    let mut server = Server::bounded(EVERY_SECOND, 1_000);
    let options = RedisOptions::new().danger_accept_loss(RedisLoss::Recent);
    let store = wait(options.open(server.url())).unwrap();
    let (held, error) = fill(&store);
    assert_fails!(Err::<(), _>(error), Unavailable);
    assert!(held > 50, "{held}");
    // It refuses every script that is not marked as one that only reads, and those a replica would run.
    assert_fails!(wait(store.load(&[token(1, 0).key])), Unavailable);
    server.unbind();
    let begun = std::time::Instant::now();
    while let Err(error) = wait(store.commit(&pair(held + 1))) {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it does not recover: {error}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!landed(&store, held));
    // And what had not been written is written now.
    server.restart();
    recovers(&store);
    assert!((0..held).all(|number| landed(&store, number)), "{held} were acknowledged");
}
