//! Slots that move from one node to another while the store is in use.

use grantor::store::{Record, RedisStore, Store, StoreError};
use redis::{Commands as _, Connection, Value};

use super::cluster::Cluster;
use super::sample::*;
use super::server::{NO_FILE, Server, open, wait};

fn connect(server: &Server) -> Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

fn id(connection: &mut Connection) -> String {
    redis::cmd("CLUSTER").arg("MYID").query(connection).unwrap()
}

fn set_slot(connection: &mut Connection, slot: u16, what: &str, node: &str) {
    let done: String = redis::cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(what).arg(node).query(connection).unwrap();
    assert_eq!(done, "OK");
}

/// The keys of a slot that a node has, at most so many.
fn keys_in(connection: &mut Connection, slot: u16, count: usize) -> Vec<Vec<u8>> {
    redis::cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(count).query(connection).unwrap()
}

fn migrate(connection: &mut Connection, to: &Server, key: &[u8]) {
    let done: Value =
        redis::cmd("MIGRATE").arg("127.0.0.1").arg(to.port).arg(key).arg(0).arg(5_000).query(connection).unwrap();
    assert_eq!(done, Value::Okay);
}

fn all_are_there(store: &RedisStore, records: &[Record]) {
    for record in records {
        assert_eq!(find(store, record.key).unwrap().as_deref(), Some(record));
    }
}

#[test]
fn a_bucket_that_moves_is_unavailable_meanwhile_and_nothing_of_it_is_lost() {
    let cluster = Cluster::start(NO_FILE);
    let store = open(&cluster.url());
    let records: Vec<Record> = (1..=20).map(|number| token(1, number)).collect();
    for record in &records {
        put(&store, &insert(record));
    }
    // Another bucket, which stays.
    put(&store, &insert(&token(2, 1)));

    // Partition 1 is the only one whose bucket has an index and a record under that tag.
    let has = |server: &&Server| {
        let mut connection = connect(server);
        let keys: Vec<Vec<u8>> = connection.keys("grantor{*}d").unwrap();
        keys.into_iter().find_map(|key| {
            let count: u64 = redis::cmd("ZCARD").arg(&key).query(&mut connection).ok()?;
            let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(&key).query(&mut connection).unwrap();
            (count == 20).then_some(slot)
        })
    };
    let from = cluster.masters().find(|server| has(server).is_some()).unwrap();
    let slot = has(&from).unwrap();
    let to = cluster.masters().find(|server| server.port != from.port).unwrap();
    let (mut source, mut target) = (connect(from), connect(to));
    let (source_id, target_id) = (id(&mut source), id(&mut target));
    set_slot(&mut target, slot, "IMPORTING", &source_id);
    set_slot(&mut source, slot, "MIGRATING", &target_id);

    // Half of it is here and half there, at every step: nobody may decide on what he sees.
    let mut left = keys_in(&mut source, slot, 100);
    assert_eq!(left.len(), 23);
    for (step, key) in left.drain(..).enumerate() {
        migrate(&mut source, to, &key);
        if step % 7 == 0 {
            // Each of these tries for a while.
            assert_fails!(wait(store.commit(&insert(&records[0]))), Unavailable);
            assert_fails!(wait(store.commit(&insert(&token(1, 99)))), Unavailable);
            assert_fails!(wait(store.load(&[records[3].key])), Unavailable);
            assert_eq!(*find(&store, token(2, 1).key).unwrap().unwrap(), token(2, 1));
        }
    }
    set_slot(&mut target, slot, "NODE", &target_id);
    set_slot(&mut source, slot, "NODE", &target_id);

    all_are_there(&store, &records);
    put(&store, &insert(&token(1, 99)));
    assert!(matches!(
        wait(store.commit(&insert(&records[0]))),
        Ok(grantor::store::Committed::Refused(grantor::store::Failed::Write(0)))
    ));
    all_are_there(&open(&cluster.url()), &records);
}

#[test]
fn a_cluster_without_an_owner_for_a_slot_is_unavailable() {
    let cluster = Cluster::start(NO_FILE);
    let store = open(&cluster.url());
    put(&store, &insert(&token(1, 1)));
    for master in cluster.masters() {
        assert_eq!(master.said(&["CONFIG", "SET", "cluster-allow-reads-when-down", "yes"]), "OK");
        for slots in [["0", "8000"], ["8001", "16383"]] {
            master.said(&[["CLUSTER", "DELSLOTSRANGE"], slots].concat());
        }
    }
    for _ in 0..3 {
        assert_fails!(wait(store.commit(&insert(&token(1, 2)))), Unavailable);
        assert_fails!(wait(store.load(&[token(1, 1).key])), Unavailable);
    }
}
