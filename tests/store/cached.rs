//! A cache keeps every promise but the one it says it does not keep, and that one for no longer than it says.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use grantor::clock::ManualClock;
use grantor::store::kit::{self, Fixture};
use grantor::store::{
    CacheOptions, CachingStore, Committed, Condition, Failed, Key, Kind, MemoryStore, Payload, Record, State, Store,
    Write,
};

use super::fixture::InMemory;
use super::memory::now;
use super::sample::{Counting, Family, START, applied, commit, family, key, load, record, set};

const MINUTE: Duration = Duration::from_secs(60);

fn for_a_minute() -> CacheOptions {
    CacheOptions { clients_for: MINUTE, tokens_for: MINUTE, ..CacheOptions::default() }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(START))
}

fn cache(memory: Arc<MemoryStore>, options: CacheOptions) -> Arc<dyn Store> {
    Arc::new(CachingStore::new(memory, clock(), options))
}

#[test]
fn a_cache_that_keeps_nothing_passes_every_check() {
    kit::run(&InMemory::behind(|memory| cache(memory, CacheOptions::default()))).assert();
}

/// A database with one handle, however often it is opened.
struct OneHandle(Mutex<Arc<dyn Store>>);

impl Fixture for OneHandle {
    fn reset(&self) {
        *self.0.lock().unwrap() = cache(Arc::default(), for_a_minute());
    }

    fn open(&self) -> Arc<dyn Store> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn a_cache_that_keeps_for_a_minute_passes_every_check_through_one_handle() {
    // The clock stands still: whatever was kept once would be kept for ever.
    kit::run(&OneHandle(Mutex::new(cache(Arc::default(), for_a_minute())))).assert();
}

#[test]
fn two_caches_on_one_store_fail_what_asks_for_the_present_and_nothing_else() {
    let report = kit::run(&InMemory::behind(|memory| cache(memory, for_a_minute())));
    let failed: BTreeSet<&str> = report.failures().map(|outcome| outcome.name).collect();
    let stale = "a-change-is-seen-through-a-handle-that-had-loaded-the-record";
    assert!(failed.contains(stale), "{report}");
    for outcome in report.failures() {
        let of_two = outcome.name.ends_with("-through-2-handles") || outcome.rule == kit::Rule::Current;
        assert!(of_two, "{report}");
    }
}

/// A family in a store that counts, and caches before it that share a clock.
struct Bed {
    below: Arc<Counting>,
    clock: Arc<ManualClock>,
    family: Family,
}

impl Bed {
    fn new() -> Self {
        let below = Arc::new(Counting::default());
        let family = family();
        family.settle_in(&*below);
        Self { below, clock: clock(), family }
    }

    fn node(&self, options: CacheOptions) -> CachingStore {
        CachingStore::new(Arc::clone(&self.below) as _, Arc::clone(&self.clock) as _, options)
    }

    /// Whether the cache had to ask for this.
    fn asks(&self, node: &CachingStore, key: Key) -> bool {
        self.below.asked();
        assert!(load(node, key).is_some());
        self.below.asked() > 0
    }
}

#[test]
fn clients_and_good_tokens_are_asked_for_once_and_nothing_else_is_kept() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let Family { client, grant, tokens, code, .. } = &bed.family;
    for kept in [client.key, tokens[0].key] {
        assert!(bed.asks(&node, kept) && !bed.asks(&node, kept), "{kept:?}");
    }
    for read in [grant.key, code.key] {
        assert!(bed.asks(&node, read) && bed.asks(&node, read), "{read:?}");
    }
    // Of several, only those that are not kept are asked for; the answers stand in the order of the keys.
    let keys = [tokens[1].key, client.key, grant.key, tokens[0].key];
    let found = now(node.load(&keys)).unwrap();
    assert_eq!(bed.below.asked(), 2);
    assert!(found.iter().zip(keys).all(|(found, key)| found.as_ref().unwrap().record.key == key));
    assert_eq!(found[3].as_ref().unwrap().client.as_deref(), Some(client));
}

#[test]
fn each_duration_is_for_its_own_kind() {
    let bed = Bed::new();
    let Family { client, tokens, .. } = &bed.family;
    let clients = bed.node(CacheOptions { clients_for: MINUTE, ..CacheOptions::default() });
    assert!(bed.asks(&clients, client.key) && !bed.asks(&clients, client.key));
    assert!(bed.asks(&clients, tokens[0].key) && bed.asks(&clients, tokens[0].key));
    let tokens_only = bed.node(CacheOptions { tokens_for: MINUTE, ..CacheOptions::default() });
    assert!(bed.asks(&tokens_only, client.key) && bed.asks(&tokens_only, client.key));
    assert!(bed.asks(&tokens_only, tokens[0].key) && !bed.asks(&tokens_only, tokens[0].key));
}

#[test]
fn what_does_not_count_is_not_kept() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let Family { client, grant, tokens, .. } = &bed.family;
    assert!(load(&node, key(client.key.partition, Kind::CLIENT, 99)).is_none());
    bed.below.asked();
    assert!(load(&node, key(client.key.partition, Kind::CLIENT, 99)).is_none());
    assert_eq!(bed.below.asked(), 1);
    for (dead, of) in [(tokens[0].key, tokens[0].key), (grant.key, tokens[1].key), (client.key, client.key)] {
        applied(&*bed.below, set(dead, State::Revoked));
        assert!(bed.asks(&node, of) && bed.asks(&node, of), "{dead:?}");
    }
}

#[test]
fn a_token_falls_with_whatever_it_hangs_on() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let Family { client, subject, grant, tokens, .. } = &bed.family;
    let token = tokens[0].key;
    let writes = [
        set(token, State::Live),
        set(grant.key, State::Live),
        set(client.key, State::Live),
        // Nothing was said of the subject so far: the answer shows that, and so rests on it.
        Write::Insert(Arc::new(subject.clone())),
        Write::Replace(Arc::new(subject.clone())),
        Write::Delete(subject.key),
    ];
    for write in writes {
        bed.asks(&node, token);
        assert!(!bed.asks(&node, token), "{write:?}");
        let others = bed.node(for_a_minute());
        bed.asks(&others, token);
        applied(&node, write.clone());
        assert!(bed.asks(&node, token), "{write:?}");
        assert!(!bed.asks(&others, token), "another cache does not hear of {write:?}");
    }
    applied(&node, set(grant.key, State::Revoked));
    assert_eq!(load(&node, token).unwrap().parent.unwrap().state, State::Revoked);
}

#[test]
fn what_has_nothing_to_do_with_a_commit_stays() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let [one, other, _] = &bed.family.tokens;
    bed.asks(&node, one.key);
    let live = Condition::Live { key: bed.family.grant.key, epoch: 0 };
    let mut rotation = commit(vec![live], vec![set(other.key, State::Revoked)]);
    assert_eq!(now(node.commit(&rotation)).unwrap(), Committed::Applied);
    assert!(!bed.asks(&node, one.key), "a condition that held changes nothing");
    rotation.conditions = vec![Condition::Live { key: bed.family.grant.key, epoch: 9 }];
    assert_eq!(now(node.commit(&rotation)).unwrap(), Committed::Refused(Failed::Condition(0)));
    assert!(bed.asks(&node, one.key), "a condition that failed shows that the grant is not what was seen");
}

#[test]
fn another_node_is_behind_by_the_duration_at_most() {
    let bed = Bed::new();
    let [here, there] = [bed.node(for_a_minute()), bed.node(for_a_minute())];
    let Family { client, grant, tokens, .. } = &bed.family;
    let state_there = |key: Key| load(&there, key).unwrap().parent.map_or(State::Deleted, |parent| parent.state);
    let payload = |node: &CachingStore| load(node, client.key).unwrap().record.payload.clone();
    for key in [client.key, tokens[0].key] {
        load(&here, key);
        load(&there, key);
    }
    bed.clock.advance(Duration::from_secs(1));
    let fresh = Record { payload: Payload::new(*b"other secrets"), ..client.clone() };
    applied(&here, Write::Replace(Arc::new(fresh.clone())));
    applied(&here, set(grant.key, State::Revoked));
    assert_eq!(payload(&here), fresh.payload);
    // Its age counts from when it was loaded, not from when it was asked for last.
    for _ in 0..58 {
        assert_eq!((state_there(tokens[0].key), payload(&there)), (State::Live, client.payload.clone()));
        bed.clock.advance(Duration::from_secs(1));
    }
    bed.clock.advance(Duration::from_millis(999));
    assert_eq!(state_there(tokens[0].key), State::Live);
    bed.clock.advance(Duration::from_millis(1));
    assert_eq!((state_there(tokens[0].key), payload(&there)), (State::Revoked, fresh.payload));
}

#[test]
fn a_clock_that_is_set_back_prolongs_nothing() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let token = bed.family.tokens[0].key;
    bed.asks(&node, token);
    bed.clock.set(START.before(MINUTE));
    assert!(bed.asks(&node, token));
}

#[test]
fn a_refused_commit_shows_what_is_true_to_whoever_decides_again() {
    let bed = Bed::new();
    let [here, there] = [bed.node(for_a_minute()), bed.node(for_a_minute())];
    let client = &bed.family.client;
    let seen = load(&there, client.key).unwrap().record;
    applied(&here, Write::Replace(Arc::new(client.clone())));
    let change = |revision| {
        let unchanged = Condition::Unchanged { key: client.key, revision };
        commit(vec![unchanged], vec![Write::Replace(Arc::new(client.clone()))])
    };
    assert_eq!(now(there.commit(&change(seen.revision))).unwrap(), Committed::Refused(Failed::Condition(0)));
    let seen = load(&there, client.key).unwrap().record;
    assert_eq!(now(there.commit(&change(seen.revision))).unwrap(), Committed::Applied);
}

#[test]
fn a_load_that_was_under_way_while_a_commit_happened_is_not_kept() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let Family { grant, tokens, .. } = &bed.family;
    let keys = [tokens[0].key];
    bed.below.pauses.store(true, Ordering::SeqCst);
    let mut loading = pin!(node.load(&keys));
    let mut context = Context::from_waker(Waker::noop());
    // It has read, and has not told.
    assert!(loading.as_mut().poll(&mut context).is_pending());
    bed.below.pauses.store(false, Ordering::SeqCst);
    applied(&node, set(grant.key, State::Revoked));
    let old = now(loading).unwrap().pop().flatten().unwrap();
    assert_eq!(old.parent.unwrap().state, State::Live);
    assert_eq!(load(&node, tokens[0].key).unwrap().parent.unwrap().state, State::Revoked);
}

#[test]
fn a_load_that_was_under_way_while_the_cache_was_cleared_is_not_kept() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let keys = [bed.family.tokens[0].key];
    bed.below.pauses.store(true, Ordering::SeqCst);
    let mut loading = pin!(node.load(&keys));
    assert!(loading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    bed.below.pauses.store(false, Ordering::SeqCst);
    node.clear();
    now(loading).unwrap();
    assert!(bed.asks(&node, keys[0]));
}

#[test]
fn a_commit_that_was_dropped_drops_what_it_would_have_written_to() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let Family { grant, tokens, .. } = &bed.family;
    bed.asks(&node, tokens[0].key);
    bed.below.pauses.store(true, Ordering::SeqCst);
    {
        let revocation = commit(Vec::new(), vec![set(grant.key, State::Revoked)]);
        let mut committing = pin!(node.commit(&revocation));
        assert!(committing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    bed.below.pauses.store(false, Ordering::SeqCst);
    assert!(bed.asks(&node, tokens[0].key));
}

#[test]
fn no_more_is_kept_than_was_said_and_what_came_first_goes_first() {
    let bed = Bed::new();
    let node = bed.node(CacheOptions { max_entries: 2, ..for_a_minute() });
    let [a, b, c] = [0, 1, 2].map(|number| bed.family.tokens[number].key);
    for key in [a, b, c] {
        assert!(bed.asks(&node, key));
    }
    assert!(!bed.asks(&node, b) && !bed.asks(&node, c));
    assert!(bed.asks(&node, a));
    assert!(!bed.asks(&node, c) && bed.asks(&node, b));
    // What was dropped by a write leaves its place to another.
    applied(&node, set(b, State::Live));
    assert!(bed.asks(&node, c) && bed.asks(&node, b));
    assert!(!bed.asks(&node, c) && !bed.asks(&node, b));
    let nothing = bed.node(CacheOptions { max_entries: 0, ..for_a_minute() });
    assert!(bed.asks(&nothing, a) && bed.asks(&nothing, a));
}

#[test]
fn what_was_purged_is_gone() {
    let bed = Bed::new();
    let node = bed.node(for_a_minute());
    let due = key(bed.family.grant.key.partition, Kind::ACCESS_TOKEN, 50);
    applied(&node, Write::Insert(Arc::new(Record { purge_after: START, ..record(due, "") })));
    bed.asks(&node, due);
    assert_eq!(now(node.purge(START.after(MINUTE), 10)).unwrap().removed, 1);
    assert!(load(&node, due).is_none());
}
