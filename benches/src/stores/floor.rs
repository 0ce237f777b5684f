//! The least that the work takes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rand::Rng as _;

/// What an operation does to the database: one round trip that reads and, where it writes, one that commits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub(super) name: &'static str,
    /// How many rows are read by their key.
    pub(super) reads: usize,
    /// How many rows are changed, each on condition that it was not before.
    pub(super) changes: usize,
    /// How many rows are inserted.
    pub(super) inserts: usize,
}

/// As `docs/design.md` tells it, commit by commit; what is read is the client, the artifact, and what that hangs on.
pub(super) const EXCHANGE: Work = Work { name: "code exchange", reads: 3, changes: 2, inserts: 3 };
pub(super) const REFRESH: Work = Work { name: "refresh", reads: 3, changes: 1, inserts: 2 };
pub(super) const INTROSPECTION: Work = Work { name: "introspection", reads: 2, changes: 0, inserts: 0 };
pub(super) const CLIENT_CREDENTIALS: Work = Work { name: "client_credentials", reads: 1, changes: 0, inserts: 1 };

/// About what a record takes beside its key.
pub(super) const ROW: usize = 350;

pub(super) type Id = [u8; 34];

pub(super) type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A database, asked as directly as can be by one client.
pub(super) trait Bare: Send {
    /// Reads these rows, in one round trip.
    fn read<'a>(&'a mut self, ids: &'a [Id]) -> Done<'a>;
    /// Changes some rows and inserts others, in one round trip and one commit.
    fn write<'a>(&'a mut self, changed: &'a [Id], inserted: &'a [Id], row: &'a [u8]) -> Done<'a>;
}

/// One client of the floor, with rows of its own.
pub(super) struct Worker {
    bare: Box<dyn Bare>,
    /// Rows that were inserted and not changed yet.
    fresh: Vec<Id>,
    row: Arc<[u8]>,
}

fn id() -> Id {
    let mut id = [0; 34];
    rand::rng().fill_bytes(&mut id);
    id
}

impl Worker {
    pub(super) fn new(bare: Box<dyn Bare>) -> Self {
        Self { bare, fresh: Vec::new(), row: vec![7; ROW].into() }
    }

    /// Makes sure that there are rows to change and to read, so many times. Not measured.
    pub(super) async fn prepare(&mut self, work: Work, times: usize) {
        while self.fresh.len() < work.changes.max(1) * times + work.reads {
            let more: Vec<Id> = (0..100).map(|_| id()).collect();
            self.bare.write(&[], &more, &self.row).await;
            self.fresh.extend(more);
        }
    }

    /// Does the work so many times.
    pub(super) async fn work(&mut self, work: Work, times: usize) {
        for _ in 0..times {
            let first = self.fresh.len() - work.reads;
            self.bare.read(&self.fresh[first..]).await;
            if work.changes + work.inserts == 0 {
                self.fresh.rotate_right(work.reads);
                continue;
            }
            let changed = self.fresh.split_off(self.fresh.len() - work.changes);
            let inserted: Vec<Id> = (0..work.inserts).map(|_| id()).collect();
            self.bare.write(&changed, &inserted, &self.row).await;
        }
    }
}
