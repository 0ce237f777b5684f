//! What is kept, what it rests on, and when it must go.
//!
//! An answer rests on every record that it shows, and on every record that it would show if that existed: the key
//! itself, its parent, its client, its subject. Who writes to one of them drops every answer that rests on it.
//!
//! A load that is under way while somebody writes may come back with what was there before. Writes are therefore
//! numbered: a load remembers the last number when it begins, and what it brings is not kept if one of the records it
//! rests on was written to since.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;
use crate::store::{Key, Loaded, State};

/// How many numbers of last writes are kept. Keys share them: at worst an answer is not kept that could have been.
const SLOTS: usize = 1024;

#[derive(Debug)]
pub(super) struct Shelf {
    most: usize,
    writes: AtomicU64,
    last_write: Box<[AtomicU64]>,
    hasher: RandomState,
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, Answer>,
    /// By record, the keys of the answers that rest on it.
    resting: HashMap<Key, Vec<Key>>,
    /// The keys of the answers, in the order in which they came.
    order: BTreeMap<u64, Key>,
    next: u64,
    /// Nothing that was begun before this write may be kept.
    cleared: u64,
}

#[derive(Debug)]
struct Answer {
    loaded: Loaded,
    since: Timestamp,
    place: u64,
}

/// When a load began, in writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(u64);

impl Shelf {
    pub(super) fn new(most: usize) -> Self {
        let last_write = std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect();
        let (writes, hasher, kept) = (AtomicU64::new(0), RandomState::new(), RwLock::default());
        Self { most, writes, last_write, hasher, kept }
    }

    pub(super) fn begin(&self) -> Begun {
        Begun(self.writes.load(Ordering::SeqCst))
    }

    /// The answers that are kept and, by `lives(key, since)`, not too old; `None` where there is none.
    pub(super) fn find(&self, keys: &[Key], lives: impl Fn(&Key, Timestamp) -> bool) -> Vec<Option<Loaded>> {
        let kept = self.read();
        let find = |key: &Key| kept.answers.get(key).filter(|answer| lives(key, answer.since));
        keys.iter().map(|key| find(key).map(|answer| answer.loaded.clone())).collect()
    }

    /// Keeps what a load that began then has brought, if it counts and nobody has written to what it rests on.
    pub(super) fn keep(&self, begun: Begun, since: Timestamp, found: &[(Key, Loaded)]) {
        if self.most == 0 || found.is_empty() {
            return;
        }
        let mut kept = self.write();
        for (key, loaded) in found {
            let current = kept.cleared <= begun.0
                && rests_on(key, loaded)
                    .all(|key| self.slot(&key).is_some_and(|it| it.load(Ordering::SeqCst) <= begun.0));
            if current {
                kept.remove(key);
                while kept.answers.len() >= self.most && kept.remove_first() {}
                kept.insert(*key, loaded, since);
            }
        }
    }

    /// Drops every answer that rests on one of these.
    pub(super) fn written(&self, keys: impl Iterator<Item = Key> + Clone) {
        let number = self.number();
        for key in keys.clone() {
            if let Some(slot) = self.slot(&key) {
                slot.fetch_max(number, Ordering::SeqCst);
            }
        }
        // Whoever is keeping something now has either seen the numbers or is done before this gets the lock.
        let concerned = {
            let kept = self.read();
            keys.clone().any(|key| kept.resting.contains_key(&key))
        };
        if concerned {
            let mut kept = self.write();
            keys.for_each(|key| kept.drop_resting(&key));
        }
    }

    /// Drops every answer.
    pub(super) fn clear(&self) {
        let number = self.number();
        let mut kept = self.write();
        let next = kept.next;
        *kept = Kept { cleared: number, next, ..Kept::default() };
    }

    fn number(&self) -> u64 {
        self.writes.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    fn slot(&self, key: &Key) -> Option<&AtomicU64> {
        let slot = usize::try_from(self.hasher.hash_one(key)).unwrap_or(usize::MAX) & (SLOTS - 1);
        self.last_write.get(slot)
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, key: Key, loaded: &Loaded, since: Timestamp) {
        for record in rests_on(&key, loaded) {
            let resting = self.resting.entry(record).or_default();
            if !resting.contains(&key) {
                resting.push(key);
            }
        }
        let place = self.next;
        self.next = place.saturating_add(1);
        self.order.insert(place, key);
        self.answers.insert(key, Answer { loaded: loaded.clone(), since, place });
    }

    fn remove(&mut self, key: &Key) {
        let Some(answer) = self.answers.remove(key) else { return };
        self.order.remove(&answer.place);
        for record in rests_on(key, &answer.loaded) {
            if let Some(resting) = self.resting.get_mut(&record) {
                resting.retain(|other| other != key);
                if resting.is_empty() {
                    self.resting.remove(&record);
                }
            }
        }
    }

    /// Removes what came first, and tells whether there was anything.
    fn remove_first(&mut self) -> bool {
        let first = self.order.first_key_value().map(|(_, key)| *key);
        first.inspect(|key| self.remove(key)).is_some()
    }

    fn drop_resting(&mut self, record: &Key) {
        for key in self.resting.remove(record).unwrap_or_default() {
            self.remove(&key);
        }
    }
}

/// The records that an answer shows, or would show if they existed.
fn rests_on(key: &Key, loaded: &Loaded) -> impl Iterator<Item = Key> + use<> {
    let parent = loaded.record.parent.map(|link| link.key);
    let owner = loaded.owner();
    let client = owner.map(|owner| owner.client.key);
    let subject = owner.and_then(|owner| owner.subject).map(|link| link.key);
    [Some(*key), parent, client, subject].into_iter().flatten()
}

/// Whether an answer is a good one: the record counts, and so does all that it hangs on. Others are not kept, so that
/// what was not there, or did not count, is seen as soon as it does.
pub(super) fn counts(loaded: &Loaded) -> bool {
    let Loaded { record, parent, client, subject } = loaded;
    let live = |record: &crate::store::Record| record.state == State::Live;
    record.used.is_none()
        && live(record)
        && (record.parent.is_none() || parent.as_deref().is_some_and(live))
        && (loaded.owner().is_none() || client.as_deref().is_some_and(live))
        && subject.as_deref().is_none_or(live)
}
