//! What a host may choose.

use std::time::Duration;

use crate::store::Durability;

/// How a [`PostgresStore`](super::PostgresStore) works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct PostgresOptions {
    pub(super) connections: usize,
    pub(super) wait: Duration,
    pub(super) answer_within: Duration,
    pub(super) statements: Statements,
    pub(super) events: Events,
    pub(super) durability: Durability,
}

/// How a session knows a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statements {
    /// Each time anew, without a name: nothing is left in the session.
    Unnamed,
    /// By a name, from the second time on.
    Prepared,
}

/// What becomes of the events of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    Dropped,
    Kept,
}

impl PostgresOptions {
    /// Right behind any pooler: at most 16 connections, 2 s of waiting for one, 10 s for an answer, no events kept, nothing lost.
    pub const fn new() -> Self {
        Self {
            connections: 16,
            wait: Duration::from_secs(2),
            answer_within: Duration::from_secs(10),
            statements: Statements::Unnamed,
            events: Events::Dropped,
            durability: Durability::Durable,
        }
    }

    /// How many connections there are at most. A pool that the host made has its own number.
    pub const fn connections(self, most: usize) -> Self {
        Self { connections: most, ..self }
    }

    /// How long to wait for a connection, made or handed back, before saying [`Unavailable`](crate::store::StoreError::Unavailable).
    pub const fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// How long to wait for an answer. A commit that is not answered by then is
    /// [`InDoubt`](crate::store::StoreError::InDoubt), and its connection is given up.
    pub const fn answer_within(self, limit: Duration) -> Self {
        Self { answer_within: limit, ..self }
    }

    /// Prepares statements by name: less work for the server, and right on a connection of one's own or behind a pooler that keeps
    /// track of prepared statements (`PgBouncer` from 1.21 on with `max_prepared_statements`).
    ///
    /// Behind one that does not, a name may mean a statement of another client: never use it there.
    pub const fn prepared_statements(self) -> Self {
        Self { statements: Statements::Prepared, ..self }
    }

    /// Keeps the events of every commit for the [`Outbox`](crate::store::Outbox). Whoever asks for this must read and forget them: nothing else does.
    pub const fn keep_events(self) -> Self {
        Self { events: Events::Kept, ..self }
    }

    /// Takes `synchronous_commit = off` and `fsync = off` as the server has them: what was acknowledged may be lost when it
    /// crashes, and then a code is good twice and a revoked token lives. Without this, commits are flushed whatever the session's default,
    /// and a server that does not flush is refused.
    pub const fn danger_accept_loss(self) -> Self {
        Self { durability: Durability::Weak, ..self }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}
