//! Stores for tests: one that stops where the test says, one that fails, one that takes its time.
//!
//! With them a race, an outage or a dropped connection is forced, and not hoped for.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Kind, Link, Listing, Loaded, MemoryStore, Page, Purged, Query, Record,
    ScanCursor, Scanned, State, Store, StoreError, Write,
};
use tokio::sync::{Barrier, oneshot};

/// What a store is asked.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    Load(&'a [Key]),
    Commit(&'a Commit),
    List,
    Purge,
}

/// A commit that spends a record of this kind.
pub fn spends(kind: Kind) -> impl Fn(Call<'_>) -> bool + Send + 'static {
    move |call| {
        let spent = |write: &Write| matches!(write, Write::Use { key, .. } if key.kind == kind);
        matches!(call, Call::Commit(commit) if commit.writes.iter().any(spent))
    }
}

/// A commit that touches a record of this kind.
pub fn writes(kind: Kind) -> impl Fn(Call<'_>) -> bool + Send + 'static {
    move |call| matches!(call, Call::Commit(commit) if commit.writes.iter().any(|write| write.key().kind == kind))
}

/// A load of a record of this kind, among others.
pub fn loads(kind: Kind) -> impl Fn(Call<'_>) -> bool + Send + 'static {
    move |call| matches!(call, Call::Load(keys) if keys.iter().any(|key| key.kind == kind))
}

/// Before or after the store does what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

type Pick = Box<dyn Fn(Call<'_>) -> bool + Send>;

enum Stop {
    Gate { reached: oneshot::Sender<()>, released: oneshot::Receiver<()> },
    Meet { left: usize, barrier: Arc<Barrier> },
}

/// A call that stands still until it is released.
pub struct Gate {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Gate {
    /// Waits until a call stands here.
    pub async fn reached(self) -> Held {
        self.reached.await.expect("the store stays");
        Held(self.release)
    }
}

/// A call that stands still; goes on when released (or when this is dropped).
pub struct Held(oneshot::Sender<()>);

impl Held {
    pub fn release(self) {
        let _ = self.0.send(());
    }
}

/// A store that stops at chosen calls.
pub struct PausingStore {
    inner: Arc<MemoryStore>,
    stops: Mutex<Vec<(Moment, Pick, Stop)>>,
}

impl PausingStore {
    pub fn new(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, stops: Mutex::default() })
    }

    /// The next call that `pick` chooses stands still, before or after the store does what it is asked.
    pub fn stop(&self, moment: Moment, pick: impl Fn(Call<'_>) -> bool + Send + 'static) -> Gate {
        let (reached, arrived) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let stop = Stop::Gate { reached, released };
        self.stops.lock().unwrap().push((moment, Box::new(pick), stop));
        Gate { reached: arrived, release }
    }

    /// The next `count` calls that `pick` chooses wait for one another.
    pub fn meet(&self, count: usize, moment: Moment, pick: impl Fn(Call<'_>) -> bool + Send + 'static) {
        let stop = Stop::Meet { left: count, barrier: Arc::new(Barrier::new(count)) };
        self.stops.lock().unwrap().push((moment, Box::new(pick), stop));
    }

    /// Whether every stop was reached by as many calls as it was for.
    pub fn is_idle(&self) -> bool {
        self.stops.lock().unwrap().is_empty()
    }

    async fn pause(&self, moment: Moment, call: Call<'_>) {
        let mut barrier = None;
        let mut gate = None;
        {
            let mut stops = self.stops.lock().unwrap();
            let chosen = stops.iter().position(|(when, pick, _)| *when == moment && pick(call));
            if let Some(position) = chosen {
                if let Stop::Meet { left, barrier: shared } = &mut stops[position].2
                    && *left > 1
                {
                    *left -= 1;
                    barrier = Some(Arc::clone(shared));
                } else {
                    match stops.remove(position).2 {
                        Stop::Meet { barrier: shared, .. } => barrier = Some(shared),
                        Stop::Gate { reached, released } => gate = Some((reached, released)),
                    }
                }
            }
        }
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        if let Some((reached, released)) = gate {
            let _ = reached.send(());
            let _ = released.await;
        }
    }
}

#[async_trait]
impl Store for PausingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.pause(Moment::Before, Call::Load(keys)).await;
        let found = self.inner.load(keys).await;
        self.pause(Moment::After, Call::Load(keys)).await;
        found
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.pause(Moment::Before, Call::Commit(commit)).await;
        let committed = self.inner.commit(commit).await;
        self.pause(Moment::After, Call::Commit(commit)).await;
        committed
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.pause(Moment::Before, Call::List).await;
        let listing = self.inner.list(query, page).await;
        self.pause(Moment::After, Call::List).await;
        listing
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.pause(Moment::Before, Call::Purge).await;
        let purged = self.inner.purge(before, limit).await;
        self.pause(Moment::After, Call::Purge).await;
        purged
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// How a store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing, and says so.
    Unavailable,
    /// It does nothing, and calls itself broken.
    Corrupt,
    /// A commit happens, and nobody knows.
    DoubtDone,
    /// A commit does not happen, and nobody knows.
    DoubtUndone,
}

impl Fault {
    const fn concerns(self, call: Call<'_>) -> bool {
        match self {
            Self::Unavailable | Self::Corrupt => true,
            Self::DoubtDone | Self::DoubtUndone => matches!(call, Call::Commit(_)),
        }
    }

    fn error(self) -> StoreError {
        // Words such as databases use: they must not reach an answer.
        match self {
            Self::Unavailable => StoreError::Unavailable("db-7.internal: connection refused".into()),
            Self::Corrupt => StoreError::Corrupt("db-7.internal: page checksum".into()),
            Self::DoubtDone | Self::DoubtUndone => StoreError::InDoubt("db-7.internal: reset by peer".into()),
        }
    }
}

/// A store that fails when it is told to.
pub struct FailingStore {
    inner: Arc<MemoryStore>,
    /// How many of the calls that the fault concerns still work, how many then do not, and how.
    plan: Mutex<Option<(usize, usize, Fault)>>,
}

impl FailingStore {
    pub fn new(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::default() })
    }

    /// From the `from`th call (0: the next) on, `count` calls fail.
    pub fn fail(&self, from: usize, count: usize, fault: Fault) {
        *self.plan.lock().unwrap() = Some((from, count, fault));
    }

    /// Every call fails.
    pub fn go_down(&self, fault: Fault) {
        self.fail(0, usize::MAX, fault);
    }

    /// Works again; tells whether a fault was planned that no call has met.
    pub fn come_back(&self) -> bool {
        self.plan.lock().unwrap().take().is_some()
    }

    fn fault(&self, call: Call<'_>) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let (works, fails, fault) = plan.as_mut().filter(|(_, _, fault)| fault.concerns(call))?;
        if *works > 0 {
            *works -= 1;
            return None;
        }
        let fault = *fault;
        *fails -= 1;
        if *fails == 0 {
            *plan = None;
        }
        Some(fault)
    }

    fn check(&self, call: Call<'_>) -> Result<(), StoreError> {
        self.fault(call).map_or(Ok(()), |fault| Err(fault.error()))
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.check(Call::Load(keys))?;
        self.inner.load(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let Some(fault) = self.fault(Call::Commit(commit)) else { return self.inner.commit(commit).await };
        if fault == Fault::DoubtDone {
            let _ = self.inner.commit(commit).await?;
        }
        Err(fault.error())
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.check(Call::List)?;
        self.inner.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.check(Call::List)?;
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.check(Call::Purge)?;
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// A store that lets others go first: each call waits this often before it does what it is asked, and again before it
/// tells.
pub struct YieldingStore {
    inner: Arc<MemoryStore>,
    times: usize,
}

impl YieldingStore {
    pub fn new(inner: Arc<MemoryStore>, times: usize) -> Arc<Self> {
        Arc::new(Self { inner, times })
    }

    async fn wait(&self) {
        let mut left = self.times;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl Store for YieldingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.wait().await;
        let found = self.inner.load(keys).await;
        self.wait().await;
        found
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.wait().await;
        let committed = self.inner.commit(commit).await;
        self.wait().await;
        committed
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.wait().await;
        let listing = self.inner.list(query, page).await;
        self.wait().await;
        listing
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.wait().await;
        let purged = self.inner.purge(before, limit).await;
        self.wait().await;
        purged
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// The records of this kind.
pub fn of_kind(records: &[Arc<Record>], kind: Kind) -> Vec<Arc<Record>> {
    records.iter().filter(|record| record.key.kind == kind).cloned().collect()
}

/// The records of this kind that count at `now`, judged by the records alone and not by the server: not spent, not
/// expired, live, and so is all they hang on, in the epoch in which they were issued.
pub fn living(records: &[Arc<Record>], kind: Kind, now: Timestamp) -> Vec<Arc<Record>> {
    let find = |key: &Key| records.iter().find(|record| record.key == *key);
    let holds = |link: &Link| find(&link.key).is_some_and(|at| at.state == State::Live && at.epoch == link.epoch);
    let counts = |record: &Arc<Record>| {
        let parent = record.parent.as_ref().and_then(|link| find(&link.key));
        let owner = record.owner.as_deref().or_else(|| parent?.owner.as_deref());
        record.used.is_none()
            && record.state == State::Live
            && record.expires_at > now
            && record.parent.as_ref().is_none_or(holds)
            && owner.is_none_or(|owner| holds(&owner.client))
            && owner.and_then(|owner| owner.subject.as_ref()).is_none_or(|link| match find(&link.key) {
                Some(_) => holds(link),
                None => link.epoch == 0,
            })
    };
    of_kind(records, kind).into_iter().filter(counts).collect()
}

/// Whatever could still be used: codes, access tokens and refresh tokens.
pub fn all_living(records: &[Arc<Record>], now: Timestamp) -> Vec<Arc<Record>> {
    [Kind::CODE, Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN]
        .into_iter()
        .flat_map(|kind| living(records, kind, now))
        .collect()
}
