//! Two nodes over one database: where rounds are played.
//!
//! A backend is tried by one line in `stores.rs`, which says how a process opens it, and one test in `killed.rs`; nothing else knows it.

use std::sync::Arc;

use async_trait::async_trait;
use grantor::store::{MemoryStore, Store};

use crate::node::{LocalNode, Node};
use crate::random::Random;

/// A database, and servers over it.
#[async_trait]
pub trait Arena: Send + Sync {
    /// The nodes for one round. An arena that is expensive to set up gives the same ones again, and a database in which others have
    /// played before: each round has people of its own.
    async fn nodes(&self, seed: u64) -> Vec<Arc<dyn Node>>;
}

/// Two servers in this process, each with a handle of its own on one database; a new database for each round.
pub struct InProcess<F> {
    /// Opens a database: a function that gives handles on it.
    pub database: F,
}

/// How a node gets its handle.
pub type Handles = Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>;

/// Over the reference store.
pub fn in_memory() -> InProcess<fn() -> Handles> {
    InProcess {
        database: || {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            Box::new(move || Arc::clone(&store))
        },
    }
}

#[async_trait]
impl<F: Fn() -> Handles + Send + Sync> Arena for InProcess<F> {
    async fn nodes(&self, seed: u64) -> Vec<Arc<dyn Node>> {
        let handles = (self.database)();
        let mut nodes: Vec<Arc<dyn Node>> = Vec::new();
        for number in 0..2 {
            nodes.push(Arc::new(LocalNode::start(handles(), Random::of(seed, 1_000 + number)).await));
        }
        nodes
    }
}
