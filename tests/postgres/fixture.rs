//! A database as the kit wants it.

use std::sync::{Arc, Mutex};

use grantor::store::kit::{Fixture, Task};
use grantor::store::{PostgresOptions, PostgresStore, Store};
use tokio::runtime::Runtime;

use super::server::Server;

pub struct Database {
    pub server: &'static Server,
    pub name: String,
    /// How stores reach it.
    pub url: String,
    pub options: PostgresOptions,
    pub runtime: Runtime,
    /// Handles with their connections. A new session of PostgreSQL compiles and plans the functions anew, which takes longer than most
    /// checks: a handle that nobody holds any more is given out again.
    opened: Mutex<Vec<Arc<PostgresStore>>>,
}

impl Database {
    /// A database with the tables in place, whose transactions are isolated so.
    pub fn new(isolation: &str, options: PostgresOptions) -> Self {
        Self::prepared(isolation, options, "SELECT 1")
    }

    /// The same, after these statements.
    pub fn prepared(isolation: &str, options: PostgresOptions, first: &str) -> Self {
        let runtime = runtime();
        let server = Server::shared();
        let name = runtime.block_on(async {
            let name = server.database().await;
            let level = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'");
            server.sql("postgres", &level).await;
            server.sql(&name, first).await;
            server.migrate(&name).await;
            name
        });
        Self { server, url: server.url(&name), name, options, runtime, opened: Mutex::default() }
    }

    pub fn store(&self) -> PostgresStore {
        let _inside = self.runtime.enter();
        PostgresStore::connect(&self.url, self.options).unwrap()
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Fixture for Database {
    fn reset(&self) {
        let empty = "TRUNCATE grantor.record, grantor.event";
        self.runtime.block_on(self.server.sql(&self.name, empty));
    }

    fn open(&self) -> Arc<dyn Store> {
        let mut opened = self.opened.lock().unwrap();
        if let Some(idle) = opened.iter().find(|store| Arc::strong_count(store) == 1) {
            return Arc::clone(idle) as _;
        }
        let store = Arc::new(self.store());
        opened.push(Arc::clone(&store));
        store
    }

    fn drive(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}
