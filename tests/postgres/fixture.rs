//! A database as the kit wants it.

use std::sync::Arc;

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
            PostgresStore::open(&server.url(&name), options).await.unwrap();
            name
        });
        Self { server, url: server.url(&name), name, options, runtime }
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
        Arc::new(self.store())
    }

    fn drive(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}
