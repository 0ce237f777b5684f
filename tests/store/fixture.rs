//! Stores in memory as the kit wants them.

use std::sync::{Arc, Mutex};

use grantor::store::kit::Fixture;
use grantor::store::{MemoryStore, Store};

/// A database in memory, and what is put in front of it.
pub(crate) struct InMemory<W> {
    database: Mutex<Arc<MemoryStore>>,
    wrap: W,
}

impl<W: Fn(Arc<MemoryStore>) -> Arc<dyn Store> + Sync> InMemory<W> {
    pub(crate) fn behind(wrap: W) -> Self {
        Self { database: Mutex::default(), wrap }
    }
}

impl<W: Fn(Arc<MemoryStore>) -> Arc<dyn Store> + Sync> Fixture for InMemory<W> {
    fn reset(&self) {
        *self.database.lock().unwrap() = Arc::new(MemoryStore::new());
    }

    fn open(&self) -> Arc<dyn Store> {
        (self.wrap)(Arc::clone(&self.database.lock().unwrap()))
    }
}
