//! A record: fixed columns, and one payload that only the server reads.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use super::{Key, Tenant};
use crate::clock::Timestamp;

/// One record. A store keeps every column and gives it back unchanged.
///
/// Columns are what a store queries, conditions on or expires by. Everything else is in `payload`, which a store
/// returns byte for byte: a backend that was written before a security field existed cannot lose it.
#[derive(Debug, Clone, PartialEq)]
#[repr(C)]
pub struct Record {
    /// The name of the record.
    pub key: Key,
    /// Whether it counts.
    pub state: State,
    /// Raised by whatever ends all that hangs on the record. See [`Condition::Live`](super::Condition::Live).
    pub epoch: u64,
    /// From when on it no longer counts ([`Timestamp::NEVER`]: it does not expire). Only the server compares it with
    /// the clock.
    pub expires_at: Timestamp,
    /// The record it hangs on, **in the same partition**: a token's grant, a code's authorization.
    pub parent: Option<Link>,
    /// Client and subject of what belongs to somebody. Shared, since much belongs to the same; tokens leave it to their
    /// grant.
    pub owner: Option<Arc<Owner>>,
    /// Set, once, by [`Write::Use`](super::Write::Use).
    pub used: Option<Box<Used>>,
    /// What only the server reads.
    pub payload: Payload,
    /// The server it belongs to.
    pub tenant: Tenant,
    /// 1 when inserted; a store adds 1 at every write that touches the record.
    pub revision: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it may be forgotten ([`Timestamp::NEVER`]: not). Never earlier than the last moment its absence
    /// could be mistaken.
    pub purge_after: Timestamp,
    /// Text to search and sort by; boxed, since only what is listed by name has it.
    pub labels: Option<Box<Labels>>,
}

/// Whether a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// It counts.
    Live = 1,
    /// It does not, and may again: a deactivated client.
    Inactive = 2,
    /// It does not, for good: a revoked grant.
    Revoked = 3,
    /// It is gone, and its name stays taken until it is purged: a deleted client.
    Deleted = 4,
}

impl State {
    /// The state with this number, as a store wrote it down; `None` for a number that no state has.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Live),
            2 => Some(Self::Inactive),
            3 => Some(Self::Revoked),
            4 => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// A reference to a record as it was: it holds while that record is live and its epoch is still this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// The record referred to.
    pub key: Key,
    /// The epoch it had.
    pub epoch: u64,
}

/// Whom a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The client, usually in another partition.
    pub client: Link,
    /// The resource owner, in the same partition; the record it names need not exist (then its epoch is 0).
    pub subject: Option<Link>,
}

/// Text that lists search and sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The name people gave it.
    pub name: String,
    /// The identifier people copy: a `client_id`.
    pub public_id: String,
    /// A word to filter by: a client's authentication method.
    pub class: String,
}

/// How a record was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// When.
    pub at: Timestamp,
    /// What was answered, sealed under a key that only the presented artifact yields; may be empty.
    pub answer: Box<[u8]>,
}

/// The opaque part of a record.
///
/// Two payloads are equal when their bytes are. The decoded form that the server may keep beside the bytes is a cache;
/// a store ignores it.
#[derive(Clone, Default)]
#[repr(C)]
pub struct Payload {
    bytes: Box<[u8]>,
    decoded: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Payload {
    /// Wraps bytes that a store read back.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self { bytes: bytes.into(), decoded: OnceLock::new() }
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The decoded form, made once for every copy of the record that shares this allocation.
    pub(crate) fn decoded<T: Send + Sync + 'static, E>(
        &self,
        decode: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(found) = self.decoded.get().and_then(|any| Arc::clone(any).downcast::<T>().ok()) {
            return Ok(found);
        }
        let fresh = Arc::new(decode(&self.bytes)?);
        // Another thread may have decoded the same bytes meanwhile: both results are equal, either may stay.
        let _ = self.decoded.set(Arc::<T>::clone(&fresh));
        Ok(fresh)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// What [`Store::load`](super::Store::load) found under one key, with what it hangs on.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The record of the key.
    pub record: Arc<Record>,
    /// The record that `record.parent` names, if it exists.
    pub parent: Option<Arc<Record>>,
    /// The record of the client: the one that the owner names, of the record or, where that has none, of its parent;
    /// the parent itself where neither has an owner, as of a token that hangs on its client directly.
    pub client: Option<Arc<Record>>,
    /// The record of the subject, found like the client's. `None` also where nothing was ever said of the subject.
    pub subject: Option<Arc<Record>>,
}

impl Loaded {
    /// The owner of the record: its own, or its parent's.
    pub fn owner(&self) -> Option<&Arc<Owner>> {
        self.record.owner.as_ref().or_else(|| self.parent.as_ref()?.owner.as_ref())
    }
}
