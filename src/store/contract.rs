//! The contract: five operations, none optional, of which two may be answered at once.

use std::task::Poll;

use async_trait::async_trait;

use super::{Commit, Committed, Key, Listing, Loaded, Page, Query, ScanCursor, Scanned, StoreError};
use crate::clock::Timestamp;

/// Where records live.
///
/// # What a store promises
///
/// 1. **Atomic.** [`commit`](Store::commit) applies all of a commit or none of it, also when the process is killed, the
///    connection dies, or the future is dropped half-way.
/// 2. **Conditional.** The conditions and the guards of the writes are evaluated in the same atomic step as the writes.
///    "Read, compare, write" in three steps is the mistake that this contract exists to make impossible.
/// 3. **Current.** A `load` that begins after a `commit` was answered sees it, on every node.
/// 4. **Faithful.** Every column and every byte of a payload comes back as it was given.
/// 5. **Without a clock.** Time comes in arguments. A record whose `expires_at` has passed is still loaded.
/// 6. **Without a memory of its own.** A record is forgotten by [`purge`](Store::purge), or by the store itself once
///    `purge_after` lies before the `at` of a commit it has seen; never earlier.
///
/// Whether an implementation keeps these is told by the conformance kit (feature `store-tests`).
#[diagnostic::on_unimplemented(note = "an `Arc<dyn Store>` goes to `Builder::shared_store`")]
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The records of `keys`, each with what it hangs on, in one round trip; the answer has as many elements as `keys`,
    /// in their order. See [`Loaded`] for which related records come along.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot be told whether a record exists. `None` means that it does not.
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError>;

    /// All conditions hold and all writes and events land, or nothing happens and the first that failed is named.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing happened, [`StoreError::InDoubt`] when that is not known,
    /// [`StoreError::Corrupt`] when the commit names keys of several partitions.
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;

    /// One page of a list. A list may trail what was committed; it never shows what was not.
    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError>;

    /// Some of all records, of every server, kind and state: to move them elsewhere. `None` begins; about `limit` (1 to
    /// 1,000) at once, and never more than 1,000 beyond that. The order is the store's own.
    ///
    /// Whoever goes on from [`Scanned::next`] until there is none has seen every record that was there all the time,
    /// each as it was at some moment of the scan and perhaps more than once. A cursor is good on every node, and for as
    /// long as the data lies where it does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] for a cursor that no store like this made.
    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError>;

    /// Forgets records whose `purge_after` lies before `before`, at most `limit` of them, in pieces small enough to
    /// hold nobody up.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError>;

    /// What [`load`](Self::load) would answer for this key alone, from a store that has it at hand. A future that never waits
    /// still costs its allocation, and a store in memory spares the server that with this and
    /// [`commit_ready`](Self::commit_ready).
    ///
    /// `Poll::Pending`, as by default, from one that would have to wait: `load` is called then. A wrapper that sees to each
    /// call leaves it at that.
    fn load_ready(&self, key: &Key) -> Poll<Result<Option<Loaded>, StoreError>> {
        let _ = key;
        Poll::Pending
    }

    /// The same for [`commit`](Self::commit). With `Poll::Pending` nothing has happened, and `commit` is called.
    fn commit_ready(&self, commit: &Commit) -> Poll<Result<Committed, StoreError>> {
        let _ = commit;
        Poll::Pending
    }

    /// What is kept when something breaks.
    fn durability(&self) -> Durability;
}

/// What [`load`](Store::load) would answer, from a store that has all of it at hand.
pub(crate) fn load_all_ready(store: &dyn Store, keys: &[Key]) -> Poll<Result<Vec<Option<Loaded>>, StoreError>> {
    let at_hand = |key| match store.load_ready(key) {
        Poll::Ready(found) => Some(found),
        Poll::Pending => None,
    };
    let all: Option<Result<Vec<_>, _>> = keys.iter().map(at_hand).collect();
    all.map_or(Poll::Pending, Poll::Ready)
}

/// What a purge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// How many records were forgotten.
    pub removed: u32,
    /// Whether more may be waiting: call again.
    pub more: bool,
}

/// What a store keeps when something breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing outlives the process.
    Volatile,
    /// What was acknowledged may be lost with the machine or a failover; the host has said, by a `danger_` name, that
    /// it accepts this.
    Weak,
    /// What was acknowledged outlives the loss of power.
    Durable,
}
