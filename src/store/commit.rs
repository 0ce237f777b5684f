//! A commit: conditions, writes and events that happen together or not at all.

use std::sync::Arc;

use super::{Key, Partition, Record, State, Tenant};
use crate::clock::Timestamp;
use crate::event::Event;

/// One atomic step.
///
/// A store checks every condition and every write's own guard, and either applies all writes and keeps all events, or
/// does nothing and names the first that failed: conditions first, then writes, each in order. A guard looks at the
/// state that the writes before it left.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The server that decided it: whose events they are.
    pub tenant: Tenant,
    /// The partition of every key below.
    pub partition: Partition,
    /// The moment of the decision. A store that forgets expired records on its own goes by this, never by a clock.
    pub at: Timestamp,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// What then happens, in order.
    pub writes: Vec<Write>,
    /// What is then told: kept by stores that have an outbox, in the same atomic step.
    pub events: Vec<Event>,
}

/// What must hold for a commit to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The record exists and was not spent by [`Write::Use`].
    Unused(Key),
    /// The record exists, its state is [`State::Live`], and its epoch is this one.
    Live {
        /// The record.
        key: Key,
        /// The epoch it must have.
        epoch: u64,
    },
    /// The record exists and its revision is this one: nothing has touched it since it was read.
    Unchanged {
        /// The record.
        key: Key,
        /// The revision it must have.
        revision: u64,
    },
}

/// A change. Each has a guard of its own, in the same statement as the change.
#[derive(Debug, Clone)]
pub enum Write {
    /// Adds a record, as given but for `revision`, which becomes 1. Fails if one of that name exists, whatever its
    /// state.
    Insert(Arc<Record>),
    /// Puts every column of a record in place of the one of the same name, but for `revision`, which is the old one's
    /// plus 1. Fails if there is none.
    Replace(Arc<Record>),
    /// Spends a record: sets `used` and `purge_after` and raises `revision`. Fails if there is none or it was already
    /// spent.
    Use {
        /// The record.
        key: Key,
        /// What `used.at` becomes.
        at: Timestamp,
        /// What `used.answer` becomes.
        answer: Box<[u8]>,
        /// What `purge_after` becomes: what was spent must be remembered longer than what was not.
        purge_after: Timestamp,
    },
    /// Sets the state and raises `revision`, leaving all else. Fails if there is none. Setting the state it has is no
    /// failure.
    SetState {
        /// The record.
        key: Key,
        /// What `state` becomes.
        state: State,
    },
    /// Removes a record. Fails if there is none.
    Delete(Key),
}

impl Write {
    /// The record that this write touches.
    pub fn key(&self) -> Key {
        match self {
            Self::Insert(record) | Self::Replace(record) => record.key,
            Self::Use { key, .. } | Self::SetState { key, .. } | Self::Delete(key) => *key,
        }
    }
}

impl Condition {
    /// The record that this condition looks at.
    pub fn key(&self) -> Key {
        match self {
            Self::Unused(key) | Self::Live { key, .. } | Self::Unchanged { key, .. } => *key,
        }
    }
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a refused commit did nothing"]
pub enum Committed {
    /// All of it happened.
    Applied,
    /// None of it happened.
    Refused(Failed),
}

/// Which part of a commit failed first, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// This element of `conditions`.
    Condition(usize),
    /// The guard of this element of `writes`.
    Write(usize),
}

impl Commit {
    /// Whether every key is of the commit's partition. A store refuses a commit for which this is false with
    /// [`StoreError::Corrupt`](super::StoreError::Corrupt): it is a defect of the caller.
    pub fn is_local(&self) -> bool {
        let local = |key: Key| key.partition == self.partition;
        self.conditions.iter().all(|condition| local(condition.key()))
            && self.writes.iter().all(|write| local(write.key()))
    }
}
