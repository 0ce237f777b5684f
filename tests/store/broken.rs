//! Stores that are wrong on purpose: each a mistake that somebody has made, in front of the reference store.

use std::collections::HashMap;
use std::sync::{Arc, Barrier, Mutex};

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Cursor, Durability, Failed, Key, Listing, Loaded, MemoryStore, Page, Payload, Purged,
    Query, Record, ScanCursor, Scanned, State, Store, StoreError, Used, Write,
};

/// A mistake.
pub(crate) enum Mistake {
    /// Looks whether everything holds, then does it: two steps, with this between them.
    ChecksThenActs(Pause),
    /// The same, under a lock that only those who share the handle know of.
    ChecksThenActsUnderItsOwnLock(Pause),
    /// Keeps no row: deletes the old and inserts the new.
    DeletesThenInserts(Pause),
    /// Keeps a payload of up to 32 KiB.
    TruncatesPayloads,
    /// Keeps no payload.
    DropsPayloads,
    /// Does what it is asked, whatever the conditions.
    IgnoresConditions,
    /// Spends what is spent.
    IgnoresTheUseGuard,
    /// Each write a transaction.
    AppliesOneByOne,
    /// A transaction, and an `await` in the middle of what it commits.
    AwaitsHalfWay,
    /// Forgets what lies before or at the moment.
    PurgesTheBoundary,
    /// Forgets an hour early, with each commit.
    ForgetsEarly,
    /// Looks what may be forgotten, then deletes it by name.
    PurgesByName(Pause),
    /// Lists everybody's.
    LeaksTenants,
    /// Asks in the order of an index, and answers in it.
    ReordersLoads,
    /// An inner join where an outer one belongs.
    JoinsInner,
    /// Answers from what it has seen.
    Caches,
    /// Counts how many to skip.
    PagesByOffset,
    /// Counts how many to skip, in a scan too.
    ScansByOffset,
    /// Scans what still counts.
    ScansTheLiving,
    /// Names the last that failed.
    NamesTheLast,
}

/// A point where two callers meet, so that a race is forced and not hoped for.
#[derive(Clone)]
pub(crate) struct Pause {
    meeting: Arc<Barrier>,
    at: fn(&Commit) -> bool,
}

impl Pause {
    /// Two callers meet in each commit of which this holds.
    pub(crate) fn of_two(at: fn(&Commit) -> bool) -> Self {
        Self { meeting: Arc::new(Barrier::new(2)), at }
    }

    /// Nobody meets anybody.
    pub(crate) fn none() -> Self {
        Self::of_two(|_| false)
    }

    fn meet(&self, commit: &Commit) {
        if (self.at)(commit) {
            self.meeting.wait();
        }
    }
}

/// A store with a mistake.
pub(crate) struct Broken {
    inner: Arc<MemoryStore>,
    mistake: Arc<Mistake>,
    own: Mutex<()>,
    seen: Mutex<HashMap<Key, Option<Loaded>>>,
    offsets: Mutex<HashMap<Key, usize>>,
}

impl Broken {
    pub(crate) fn handle(inner: Arc<MemoryStore>, mistake: Arc<Mistake>) -> Arc<dyn Store> {
        Arc::new(Self { inner, mistake, own: Mutex::default(), seen: Mutex::default(), offsets: Mutex::default() })
    }

    fn with(commit: &Commit, change: impl FnOnce(&mut Commit)) -> Commit {
        let mut commit = commit.clone();
        change(&mut commit);
        commit
    }

    async fn alone(&self, commit: &Commit, write: &Write) -> Result<Committed, StoreError> {
        let alone = Self::with(commit, |it| (it.conditions, it.writes) = (Vec::new(), vec![write.clone()]));
        self.inner.commit(&alone).await
    }

    async fn find(&self, key: Key) -> Result<Option<Record>, StoreError> {
        let loaded = self.inner.load(&[key]).await?.pop().flatten();
        Ok(loaded.map(|loaded| Record::clone(&loaded.record)))
    }

    /// The first part of check-then-act, and right as such.
    async fn check(&self, commit: &Commit) -> Result<Option<Failed>, StoreError> {
        for (position, condition) in commit.conditions.iter().enumerate() {
            let found = self.find(condition.key()).await?;
            let holds = match condition {
                Condition::Unused(_) => found.is_some_and(|found| found.used.is_none()),
                Condition::Live { epoch, .. } => {
                    found.is_some_and(|found| found.state == State::Live && found.epoch == *epoch)
                }
                Condition::Unchanged { revision, .. } => found.is_some_and(|found| found.revision == *revision),
            };
            if !holds {
                return Ok(Some(Failed::Condition(position)));
            }
        }
        // Of each record that was written to so far: whether it is there, and whether it was spent.
        let mut written: HashMap<Key, Option<bool>> = HashMap::new();
        for (position, write) in commit.writes.iter().enumerate() {
            let key = write.key();
            let spent = match written.get(&key) {
                Some(spent) => *spent,
                None => self.find(key).await?.map(|found| found.used.is_some()),
            };
            let after = match (write, spent) {
                (Write::Insert(record), None) | (Write::Replace(record), Some(_)) => Some(record.used.is_some()),
                (Write::Use { .. }, Some(false)) => Some(true),
                (Write::SetState { .. }, Some(spent)) => Some(spent),
                (Write::Delete(_), Some(_)) => None,
                _ => return Ok(Some(Failed::Write(position))),
            };
            written.insert(key, after);
        }
        Ok(None)
    }

    /// The second part: what was decided is done, whatever has become of the records meanwhile.
    async fn act(&self, commit: &Commit) -> Result<Committed, StoreError> {
        for write in &commit.writes {
            if self.alone(commit, write).await? == Committed::Applied {
                continue;
            }
            match write {
                Write::Insert(record) => {
                    let _ = self.alone(commit, &Write::Replace(Arc::clone(record))).await?;
                }
                Write::Use { .. } => self.spend_again(commit, write).await?,
                Write::Replace(_) | Write::SetState { .. } | Write::Delete(_) => {}
            }
        }
        Ok(Committed::Applied)
    }

    async fn spend_again(&self, commit: &Commit, write: &Write) -> Result<(), StoreError> {
        if let Write::Use { key, at, answer, purge_after } = write
            && let Some(old) = self.find(*key).await?
        {
            let used = Some(Box::new(Used { at: *at, answer: answer.clone() }));
            let spent = Record { used, purge_after: *purge_after, ..old };
            let _ = self.alone(commit, &Write::Replace(spent.into())).await?;
        }
        Ok(())
    }

    fn with_payloads(commit: &Commit, keep: usize) -> Commit {
        let cut = |record: &Record| {
            let bytes = record.payload.as_bytes();
            Arc::new(Record { payload: Payload::new(&bytes[..bytes.len().min(keep)]), ..record.clone() })
        };
        Self::with(commit, |it| {
            for write in &mut it.writes {
                match write {
                    Write::Insert(record) | Write::Replace(record) => *record = cut(record),
                    _ => {}
                }
            }
        })
    }
}

#[async_trait]
impl Store for Broken {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        match &*self.mistake {
            Mistake::ReordersLoads => {
                let mut keys = keys.to_vec();
                keys.sort_unstable();
                self.inner.load(&keys).await
            }
            Mistake::JoinsInner => {
                let joined = |loaded: &Loaded| loaded.record.parent.is_none() || loaded.parent.is_some();
                Ok(self.inner.load(keys).await?.into_iter().map(|it| it.filter(joined)).collect())
            }
            Mistake::Caches => {
                let fresh = self.inner.load(keys).await?;
                let mut seen = self.seen.lock().unwrap();
                for (key, loaded) in keys.iter().zip(fresh) {
                    // What is not there is not remembered: it might come.
                    if loaded.is_some() {
                        seen.entry(*key).or_insert(loaded);
                    }
                }
                Ok(keys.iter().map(|key| seen.get(key).cloned().flatten()).collect())
            }
            _ => self.inner.load(keys).await,
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if !commit.is_local() {
            return self.inner.commit(commit).await;
        }
        match &*self.mistake {
            Mistake::ChecksThenActs(pause) => {
                if let Some(failed) = self.check(commit).await? {
                    return Ok(Committed::Refused(failed));
                }
                pause.meet(commit);
                self.act(commit).await
            }
            Mistake::ChecksThenActsUnderItsOwnLock(pause) => {
                // The futures of the reference store never wait, so a lock of the thread may be held across them.
                let _own = self.own.lock().unwrap();
                super::memory::now(async {
                    if let Some(failed) = self.check(commit).await? {
                        return Ok(Committed::Refused(failed));
                    }
                    pause.meet(commit);
                    self.act(commit).await
                })
            }
            Mistake::DeletesThenInserts(pause) => {
                pause.meet(commit);
                let both = |write: &Write| match write {
                    Write::Replace(record) => vec![Write::Delete(record.key), Write::Insert(Arc::clone(record))],
                    other => vec![other.clone()],
                };
                let places: Vec<usize> =
                    (0..).zip(&commit.writes).flat_map(|(place, write)| vec![place; both(write).len()]).collect();
                let writes = commit.writes.iter().flat_map(both).collect();
                Ok(match self.inner.commit(&Self::with(commit, |it| it.writes = writes)).await? {
                    Committed::Refused(Failed::Write(place)) => Committed::Refused(Failed::Write(places[place])),
                    other => other,
                })
            }
            Mistake::TruncatesPayloads => self.inner.commit(&Self::with_payloads(commit, 32_768)).await,
            Mistake::DropsPayloads => self.inner.commit(&Self::with_payloads(commit, 0)).await,
            Mistake::IgnoresConditions => self.inner.commit(&Self::with(commit, |it| it.conditions.clear())).await,
            Mistake::IgnoresTheUseGuard => {
                let committed = self.inner.commit(commit).await?;
                if let Committed::Refused(Failed::Write(place)) = committed
                    && let write @ Write::Use { key, .. } = &commit.writes[place]
                    && self.find(*key).await?.is_some()
                {
                    self.spend_again(commit, write).await?;
                    return Ok(Committed::Applied);
                }
                Ok(committed)
            }
            Mistake::AppliesOneByOne => {
                let conditions = Self::with(commit, |it| it.writes.clear());
                let committed = self.inner.commit(&conditions).await?;
                if committed != Committed::Applied {
                    return Ok(committed);
                }
                for (place, write) in commit.writes.iter().enumerate() {
                    if self.alone(commit, write).await? != Committed::Applied {
                        return Ok(Committed::Refused(Failed::Write(place)));
                    }
                }
                Ok(Committed::Applied)
            }
            Mistake::AwaitsHalfWay => {
                if let Some(failed) = self.check(commit).await? {
                    return Ok(Committed::Refused(failed));
                }
                for write in &commit.writes {
                    let _ = self.alone(commit, write).await?;
                    yield_once().await;
                }
                Ok(Committed::Applied)
            }
            Mistake::ForgetsEarly => {
                let committed = self.inner.commit(commit).await?;
                self.inner.purge(commit.at.after(std::time::Duration::from_secs(3_600)), 10).await?;
                Ok(committed)
            }
            Mistake::PurgesByName(pause) if (pause.at)(commit) => {
                pause.meeting.wait();
                let committed = self.inner.commit(commit).await;
                pause.meeting.wait();
                committed
            }
            Mistake::NamesTheLast => {
                let committed = self.inner.commit(commit).await?;
                let mut last = committed;
                for (place, condition) in commit.conditions.iter().enumerate() {
                    let alone = Self::with(commit, |it| (it.conditions, it.writes) = (vec![*condition], Vec::new()));
                    if self.inner.commit(&alone).await? != Committed::Applied && committed != Committed::Applied {
                        last = Committed::Refused(Failed::Condition(place));
                    }
                }
                Ok(last)
            }
            _ => self.inner.commit(commit).await,
        }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        match &*self.mistake {
            Mistake::LeaksTenants => {
                let mut tenants: Vec<_> = self.inner.snapshot().iter().map(|record| record.tenant).collect();
                tenants.sort_unstable();
                tenants.dedup();
                let mut all = Listing { records: Vec::new(), next: None };
                for tenant in tenants {
                    let listing = self.inner.list(&Query { tenant, ..query.clone() }, page).await?;
                    all.records.extend(listing.records);
                }
                all.records.truncate(page.limit as usize);
                Ok(all)
            }
            Mistake::PagesByOffset => {
                let mut offsets = self.offsets.lock().unwrap();
                let skip = page.after.as_ref().map_or(0, |after| offsets[&after.key]);
                let mut all: Vec<Arc<Record>> = Vec::new();
                let mut whole = Page { after: None, limit: 1_000 };
                loop {
                    let listing = super::memory::now(self.inner.list(query, &whole))?;
                    all.extend(listing.records);
                    whole.after = listing.next;
                    if whole.after.is_none() {
                        break;
                    }
                }
                let end = (skip + page.limit as usize).min(all.len());
                let records = all[skip.min(end)..end].to_vec();
                let next = records.last().filter(|_| end < all.len()).map(|record| Cursor::of(record));
                offsets.extend(next.iter().map(|next| (next.key, end)));
                Ok(Listing { records, next })
            }
            _ => self.inner.list(query, page).await,
        }
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        match &*self.mistake {
            Mistake::ScansByOffset => {
                let skip = after.map_or(Ok(0), |after| after.0.parse::<usize>());
                let skip = skip.map_err(|_| StoreError::Corrupt("no number".into()))?;
                let all = self.inner.snapshot();
                let end = all.len().min(skip + limit as usize);
                let next = (end < all.len()).then(|| ScanCursor(end.to_string()));
                Ok(Scanned { records: all[skip.min(end)..end].to_vec(), next })
            }
            Mistake::ScansTheLiving => {
                let mut scanned = self.inner.scan(after, limit).await?;
                scanned.records.retain(|record| record.state == State::Live);
                Ok(scanned)
            }
            _ => self.inner.scan(after, limit).await,
        }
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        match &*self.mistake {
            Mistake::PurgesTheBoundary => {
                self.inner.purge(Timestamp::from_millis(before.as_millis().saturating_add(1)), limit).await
            }
            Mistake::PurgesByName(pause) => {
                let due: Vec<Key> =
                    self.inner.snapshot().iter().filter(|it| it.purge_after < before).map(|it| it.key).collect();
                pause.meeting.wait();
                pause.meeting.wait();
                for key in &due {
                    let delete = Commit {
                        tenant: grantor::store::Tenant([0; 16]),
                        partition: key.partition,
                        at: Timestamp::from_millis(i64::MIN),
                        conditions: Vec::new(),
                        writes: vec![Write::Delete(*key)],
                        events: Vec::new(),
                    };
                    let _ = self.inner.commit(&delete).await?;
                }
                Ok(Purged { removed: u32::try_from(due.len()).unwrap(), more: false })
            }
            _ => self.inner.purge(before, limit).await,
        }
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// Is pending once, as what waits for a network is.
pub(crate) async fn yield_once() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if waited {
            return std::task::Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
