//! The kit.

use std::sync::Arc;

use grantor::store::kit::{self, Fixture, Task};
use grantor::store::{RedisOptions, Store};

use super::server::{NO_FILE, Server, options, wait};

/// A server that is emptied for each check.
struct OneServer {
    server: Server,
    options: RedisOptions,
}

impl Fixture for OneServer {
    fn reset(&self) {
        assert_eq!(self.server.said(&["FLUSHALL"]), "OK");
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(wait(self.options.clone().open(self.server.url())).unwrap())
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

#[test]
fn the_store_passes_every_check() {
    let server = Server::start(NO_FILE);
    kit::run(&OneServer { server, options: options() }).assert();
}
