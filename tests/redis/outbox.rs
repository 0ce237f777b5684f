//! Events, kept in the step of the commit that tells them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use grantor::AuthorizationServer;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::Timestamp;
use grantor::event::Event;
use grantor::manage::Registration;
use grantor::store::{
    Commit, Committed, EventCursor, Failed, MemoryStore, Outbox as _, RedisStore, Store, StoreError, StoredEvent,
    Tenant, Write,
};

use super::cluster::Cluster;
use super::sample::*;
use super::server::{ALWAYS, NO_FILE, Server, options, wait};

fn open(url: &str) -> RedisStore {
    wait(options().keep_events().open(url)).unwrap()
}

/// An event that can be told from others: by its moment. Only a server makes events, so one is asked for a first.
fn event(number: u64) -> Event {
    static FIRST: LazyLock<Event> = LazyLock::new(|| {
        let (sender, told) = std::sync::mpsc::channel();
        let server = AuthorizationServer::builder("https://auth.example.com")
            .store(MemoryStore::new())
            .secret([7; 32])
            .scope("read", "Read your data")
            .observer(move |event: &Event| sender.send(event.clone()).unwrap())
            .build()
            .unwrap();
        let metadata = ClientMetadata {
            token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
            grant_types: vec!["client_credentials".into()],
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let registration = Registration { metadata, client_id: None, client_secret: None };
        wait(server.clients().register(registration)).unwrap();
        told.recv().unwrap()
    });
    let mut event = FIRST.clone();
    event.at = Timestamp::from_millis(number.cast_signed());
    event
}

fn number(event: &StoredEvent) -> u64 {
    let json: serde_json::Value = serde_json::from_str(&event.json).unwrap();
    json["at"].as_u64().unwrap()
}

fn telling(partition: u16, numbers: impl IntoIterator<Item = u64>) -> Commit {
    let events: Vec<Event> = numbers.into_iter().map(event).collect();
    let first = events[0].at.as_millis().cast_unsigned();
    Commit { events, ..insert(&token(partition, first)) }
}

fn read(store: &RedisStore, after: Option<&EventCursor>, limit: u32) -> Vec<StoredEvent> {
    wait(store.events_after(TENANT, after, limit)).unwrap()
}

/// All events, in pages.
fn read_all(store: &RedisStore, limit: u32) -> Vec<u64> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = read(store, after.as_ref(), limit);
        assert!(page.len() <= limit as usize);
        let Some(last) = page.last() else { return all };
        after = Some(last.cursor.clone());
        all.extend(page.iter().map(number));
    }
}

#[test]
fn events_are_kept_with_their_commit_and_not_without() {
    let mut server = Server::start(ALWAYS);
    let store = open(&server.url());
    put(&store, &telling(1, [1, 2, 3]));
    // The same name once more: refused, and so not told.
    let refused = Commit { events: vec![event(4)], ..telling(1, [1]) };
    assert_eq!(wait(store.commit(&refused)).unwrap(), Committed::Refused(Failed::Write(0)));
    let only = Commit { events: vec![event(5)], ..commit(1, Vec::new(), Vec::<Write>::new()) };
    put(&store, &only);
    assert_eq!(read_all(&store, 100), [1, 2, 3, 5]);
    let text = &read(&store, None, 1)[0].json;
    assert_eq!(*text, serde_json::to_string(&event(1)).unwrap());
    drop(store);
    server.restart();
    assert_eq!(read_all(&open(&server.url()), 100), [1, 2, 3, 5]);
}

fn pages_hold_all_in_the_order_of_each_partition(url: &str) {
    let store = open(url);
    let mut expected: HashMap<u16, Vec<u64>> = HashMap::new();
    for number in 1..=600_u64 {
        let partition = u16::try_from(number * number % 701).unwrap();
        put(&store, &telling(partition, [number, 10_000 + number]));
        expected.entry(partition).or_default().extend([number, 10_000 + number]);
    }
    for limit in [1, 7, 300, 10_000] {
        let all = read_all(&store, limit);
        assert_eq!(all.len(), 1_200, "{limit}");
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 1_200);
        let place: HashMap<u64, usize> = all.iter().enumerate().map(|(place, number)| (*number, place)).collect();
        for numbers in expected.values() {
            assert!(numbers.is_sorted_by_key(|number| place[number]), "{numbers:?}");
        }
    }
}

#[test]
fn pages_hold_all_events() {
    pages_hold_all_in_the_order_of_each_partition(&Server::start(NO_FILE).url());
}

#[test]
fn pages_hold_all_events_of_a_cluster() {
    pages_hold_all_in_the_order_of_each_partition(&Cluster::start(NO_FILE).url());
}

#[test]
fn each_server_reads_its_own_events() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let other = Tenant([9; 16]);
    put(&store, &telling(1, [1]));
    put(&store, &Commit { tenant: other, ..telling(1, [2]) });
    assert_eq!(read_all(&store, 10), [1]);
    let others = wait(store.events_after(other, None, 10)).unwrap();
    assert_eq!(others.iter().map(number).collect::<Vec<_>>(), [2]);
    // Nor does it forget another's.
    wait(store.forget_events(TENANT, &others[0].cursor, 10)).unwrap();
    assert_eq!(wait(store.events_after(other, None, 10)).unwrap().len(), 1);
}

#[test]
fn what_is_forgotten_is_gone_and_the_rest_stays() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for number in 1..=300 {
        put(&store, &telling(u16::try_from(number % 50).unwrap(), [number]));
    }
    let all = read(&store, None, 10_000);
    let cursor = all[199].cursor.clone();
    let mut removed = 0;
    loop {
        let purged = wait(store.forget_events(TENANT, &cursor, 30)).unwrap();
        assert!(purged.removed <= 30);
        removed += purged.removed;
        if !purged.more {
            break;
        }
    }
    assert_eq!(removed, 200);
    let rest: Vec<u64> = all[200..].iter().map(number).collect();
    assert_eq!(read(&store, Some(&cursor), 1_000).iter().map(number).collect::<Vec<_>>(), rest);
    let mut left = read_all(&store, 1_000);
    let mut expected = rest;
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!(left, expected);
    // What comes later is not taken for what was forgotten.
    put(&store, &telling(1, [1_000]));
    assert_eq!(read(&store, all.last().map(|event| &event.cursor), 10).iter().map(number).collect::<Vec<_>>(), [1_000]);
    let again = wait(store.forget_events(TENANT, &cursor, 30)).unwrap();
    assert_eq!((again.removed, again.more), (0, false));
}

#[test]
fn a_reader_that_follows_writers_sees_each_event_once() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8_u64)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    for number in 0..150 {
                        let number = writer * 1_000 + number;
                        put(store, &telling(u16::try_from(number % 37).unwrap(), [number]));
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let page = read(&store, after.as_ref(), 25);
                seen.extend(page.iter().map(number));
                match page.last() {
                    Some(last) => after = Some(last.cursor.clone()),
                    None if last_look => return seen,
                    None => {}
                }
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    assert_eq!(seen.len(), 1_200);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 1_200);
}

#[test]
fn without_being_asked_no_event_is_kept_and_reading_says_so() {
    let server = Server::start(NO_FILE);
    let store = super::server::open(&server.url());
    put(&store, &telling(1, [1]));
    assert!(wait(store.events_after(TENANT, None, 10)).is_err());
    assert!(read_all(&open(&server.url()), 10).is_empty());
}

#[test]
fn a_cursor_of_another_store_is_refused() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let foreign = EventCursor("not one of ours".into());
    assert_fails!(wait(store.events_after(TENANT, Some(&foreign), 10)), Corrupt);
    assert_fails!(wait(store.forget_events(TENANT, &foreign, 10)), Corrupt);
}
