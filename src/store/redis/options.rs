//! What can be set.

use std::time::Duration;

use super::RedisStore;
use crate::store::StoreError;

/// How a store in Redis is opened; [`new`](Self::new) is what most want.
///
/// ```no_run
/// # async fn example() -> Result<(), grantor::store::StoreError> {
/// use grantor::store::{RedisLoss, RedisOptions};
///
/// // Redis as its packages set it up, with `appendonly yes`.
/// let store = RedisOptions::new().danger_accept_loss(RedisLoss::Recent).open("redis://localhost").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing by themselves"]
pub struct RedisOptions {
    pub(super) seeds: Vec<Url>,
    pub(super) prefix: String,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) wait: Option<Wait>,
    pub(super) events: Events,
    pub(super) fsync: Option<RedisFsync>,
    pub(super) loss: Option<RedisLoss>,
    pub(super) expire: Option<Duration>,
}

/// Where a server is, and perhaps the password to it: not shown.
#[derive(Clone)]
pub(super) struct Url(pub(super) String);

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Url")
    }
}

/// How many replicas must have a commit before it is answered, and for how long they are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) timeout: Duration,
}

/// What happens to the events of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    Dropped,
    Kept,
}

/// When Redis writes its append-only file through to the disk: the setting `appendfsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisFsync {
    /// Before it answers.
    Always,
    /// Once a second.
    EverySecond,
    /// When the operating system likes to.
    Never,
}

/// What a host accepts to lose of that which was acknowledged.
///
/// What is lost is not only what was issued. A code that was redeemed may be redeemed once more, a refresh token that
/// was rotated may be used once more, and what was revoked is live again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RedisLoss {
    /// The last moments before the loss of power, or before a replica took over: `appendfsync everysec`, or replicas
    /// that are not waited for.
    Recent,
    /// Everything, when Redis ends or runs out of memory: no append-only file, or a `maxmemory-policy` that evicts any
    /// key.
    Everything,
}

impl RedisOptions {
    /// Keys that begin with `grantor`, 2 seconds to connect, 5 for an answer, no waiting for replicas, no events kept,
    /// and nothing acknowledged that could be lost.
    pub fn new() -> Self {
        Self {
            seeds: Vec::new(),
            prefix: "grantor".into(),
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(5),
            wait: None,
            events: Events::Dropped,
            fsync: None,
            loss: None,
            expire: None,
        }
    }

    /// Another node of the same Cluster, to begin with where the one that is opened does not answer. The others are
    /// found through these.
    pub fn node(mut self, url: impl Into<String>) -> Self {
        self.seeds.push(Url(url.into()));
        self
    }

    /// What every key begins with, so that others may use the same Redis; without braces. Stores with different
    /// prefixes do not meet.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// How long to wait for a connection before a call fails as unavailable.
    pub fn connect_timeout(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// How long to wait for an answer, before a load fails as unavailable and a commit is in doubt. To this is added
    /// what [`wait`](Self::wait) waits.
    pub fn answer_timeout(self, answer: Duration) -> Self {
        Self { answer, ..self }
    }

    /// Answers a commit when this many replicas have it (`WAIT`), and as [in doubt](StoreError::InDoubt) if they do not
    /// in this time: then it was applied, and a failover may undo it.
    ///
    /// Where all replicas are waited for, whichever takes over has what was acknowledged. With fewer, Redis may promote
    /// one that lacks it: rarely, since it prefers the one that has most.
    pub fn wait(self, replicas: u32, timeout: Duration) -> Self {
        let wait = Some(Wait { replicas, timeout: timeout.max(Duration::from_millis(1)) }).filter(|_| replicas > 0);
        Self { wait, ..self }
    }

    /// Keeps the events of every commit, to be read through [`Outbox`](crate::store::Outbox). Whoever asks for this
    /// must also [forget](crate::store::Outbox::forget_events) what was read: nothing else does, and memory fills up.
    /// Every process that opens the store is to say the same.
    pub fn keep_events(self) -> Self {
        Self { events: Events::Kept, ..self }
    }

    /// What `appendfsync` is, where the server does not let us ask: managed services often forbid `CONFIG`. Where it
    /// does, its word counts.
    pub fn fsync(self, fsync: RedisFsync) -> Self {
        Self { fsync: Some(fsync), ..self }
    }

    /// Opens a store that may lose this much of what was acknowledged. Without this, or with less than the server may
    /// lose, opening fails and says why.
    pub fn danger_accept_loss(self, loss: RedisLoss) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// Lets Redis expire tokens, codes and marks on its own, by its own clock, this long after they may be forgotten;
    /// an hour at least.
    ///
    /// Without this they go with the commits that come later, or in a [`purge`](crate::store::Store::purge), and never
    /// by a clock. With it, a store that nobody uses any more becomes empty too. The price: if the clock of Redis is
    /// ahead of the server's by more than `margin`, what was spent is forgotten too early; and a `maxmemory-policy` of
    /// `volatile-…`, which otherwise evicts nothing of ours, may evict them.
    pub fn expire_after(self, margin: Duration) -> Self {
        Self { expire: Some(margin.max(Duration::from_secs(3_600))), ..self }
    }

    /// Opens the store on this server, or on the Cluster that it is a node of:
    /// `redis://[user:password@]host[:port][/database]`. With the feature `tokio-rustls-comp` of the crate `redis`,
    /// also `rediss://`; `redis+unix://` for a socket.
    ///
    /// Connections belong to the tokio runtime that they were made on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the server cannot be reached, is older than Redis 7.0, lacks a right that is
    /// needed, or may lose what it was not said that it may; [`StoreError::Corrupt`] if the store was made by a later
    /// version.
    pub async fn open(self, url: impl Into<String>) -> Result<RedisStore, StoreError> {
        RedisStore::start(self, url.into()).await
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}
