//! Stores that are wrong on purpose: each a mistake that shows only between requests, in front of the reference store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Durability, Key, Kind, Listing, Loaded, MemoryStore, Page, Purged, Query, Record,
    ScanCursor, Scanned, State, Store, StoreError, Used, Write,
};

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Looks whether everything holds, lets others go first, then does it.
    ChecksThenActs,
    /// Acknowledges each seventh commit that adds something, and forgets it: a replica that was promoted too early.
    LosesWhatItAcknowledged,
    /// Acknowledges that something ended, and forgets it.
    LosesEnds,
    /// Spends what is spent.
    UsesTwice,
    /// Takes no notice of `Unchanged`: the last one to write wins.
    LetsTheLastWin,
    /// The second node answers from what it has once seen.
    CachesOnOneNode,
    /// Keeps that a record was used, and not how.
    ForgetsAnswers,
    /// Stamps by a clock of its own, that goes forty seconds ahead: less than clocks may differ.
    StampsByItsOwnClock,
}

/// A store with a mistake.
pub struct Broken {
    inner: Arc<MemoryStore>,
    mistake: Mistake,
    count: AtomicU64,
    cache: Option<Mutex<HashMap<Key, Loaded>>>,
}

impl Broken {
    /// The `number`th handle on a database.
    pub fn handle(inner: Arc<MemoryStore>, mistake: Mistake, number: usize) -> Arc<dyn Store> {
        let cache = (mistake == Mistake::CachesOnOneNode && number == 1).then(Mutex::default);
        Arc::new(Self { inner, mistake, count: AtomicU64::new(0), cache })
    }

    fn each(&self, of: u64) -> bool {
        self.count.fetch_add(1, Ordering::SeqCst) % of == of - 1
    }

    async fn find(&self, key: Key) -> Option<Record> {
        let found = self.inner.load(&[key]).await.unwrap().pop().flatten();
        found.map(|loaded| Record::clone(&loaded.record))
    }

    async fn alone(&self, commit: &Commit, write: Write) -> Result<Committed, StoreError> {
        self.inner.commit(&Commit { conditions: Vec::new(), writes: vec![write], ..commit.clone() }).await
    }

    /// Whether all that a commit asks for would hold now: whatever would be refused is handed to the store itself, to refuse it.
    async fn would_hold(&self, commit: &Commit) -> bool {
        for condition in &commit.conditions {
            let found = self.find(condition.key()).await;
            let holds = found.is_some_and(|found| match condition {
                Condition::Unused(_) => found.used.is_none(),
                Condition::Live { epoch, .. } => found.state == State::Live && found.epoch == *epoch,
                Condition::Unchanged { revision, .. } => found.revision == *revision,
            });
            if !holds {
                return false;
            }
        }
        for write in &commit.writes {
            let found = self.find(write.key()).await;
            let holds = match write {
                Write::Insert(_) => found.is_none(),
                Write::Use { .. } => found.is_some_and(|found| found.used.is_none()),
                Write::Replace(_) | Write::SetState { .. } | Write::Delete(_) => found.is_some(),
            };
            if !holds {
                return false;
            }
        }
        true
    }

    /// Does what was decided, whatever has become of the records meanwhile.
    async fn force(&self, commit: &Commit) -> Result<Committed, StoreError> {
        for write in &commit.writes {
            if self.alone(commit, write.clone()).await? == Committed::Applied {
                continue;
            }
            let instead = match write {
                Write::Insert(record) => Some(Arc::clone(record)),
                Write::Use { key, at, answer, purge_after } => self.find(*key).await.map(|old| {
                    let used = Some(Box::new(Used { at: *at, answer: answer.clone() }));
                    Arc::new(Record { used, purge_after: *purge_after, ..old })
                }),
                Write::Replace(_) | Write::SetState { .. } | Write::Delete(_) => None,
            };
            if let Some(record) = instead {
                let _ = self.alone(commit, Write::Replace(record)).await?;
            }
        }
        Ok(Committed::Applied)
    }
}

fn adds(commit: &Commit, kind: Kind) -> bool {
    commit.writes.iter().any(|write| matches!(write, Write::Insert(record) if record.key.kind == kind))
}

/// The commit, with each use of a record changed.
fn with_uses(commit: &Commit, change: impl Fn(&mut Timestamp, &mut Box<[u8]>)) -> Commit {
    let mut commit = commit.clone();
    for write in &mut commit.writes {
        if let Write::Use { at, answer, .. } = write {
            change(at, answer);
        }
    }
    commit
}

#[async_trait]
impl Store for Broken {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        let mut found = self.inner.load(keys).await?;
        if let Some(cache) = &self.cache {
            let mut cache = cache.lock().unwrap();
            for loaded in found.iter_mut().flatten() {
                // Only access tokens: a cache in front of introspection, as people build it.
                if loaded.record.key.kind == Kind::ACCESS_TOKEN {
                    *loaded = cache.entry(loaded.record.key).or_insert_with(|| loaded.clone()).clone();
                }
            }
        }
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        match self.mistake {
            Mistake::ChecksThenActs => {
                if !self.would_hold(commit).await {
                    return self.inner.commit(commit).await;
                }
                tokio::task::yield_now().await;
                self.force(commit).await
            }
            Mistake::LosesWhatItAcknowledged if adds(commit, Kind::ACCESS_TOKEN) && self.each(7) => {
                Ok(Committed::Applied)
            }
            Mistake::LosesEnds
                if commit.writes.iter().all(|it| matches!(it, Write::SetState { .. })) && self.each(2) =>
            {
                Ok(Committed::Applied)
            }
            Mistake::UsesTwice => {
                let conditions_hold = Commit { writes: Vec::new(), ..commit.clone() };
                let spends = commit.writes.iter().any(|write| matches!(write, Write::Use { .. }));
                match self.inner.commit(commit).await? {
                    Committed::Refused(_) if spends => match self.inner.commit(&conditions_hold).await? {
                        Committed::Applied => self.force(commit).await,
                        refused @ Committed::Refused(_) => Ok(refused),
                    },
                    committed => Ok(committed),
                }
            }
            Mistake::LetsTheLastWin => {
                let mut commit = commit.clone();
                commit.conditions.retain(|condition| !matches!(condition, Condition::Unchanged { .. }));
                self.inner.commit(&commit).await
            }
            Mistake::ForgetsAnswers => {
                self.inner.commit(&with_uses(commit, |_, answer| *answer = Box::default())).await
            }
            Mistake::StampsByItsOwnClock => {
                self.inner.commit(&with_uses(commit, |at, _| *at = at.after(Duration::from_secs(40)))).await
            }
            _ => self.inner.commit(commit).await,
        }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.inner.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
