//! Into a store.

use std::io::BufRead;
use std::sync::Arc;

use super::error::TransferError;
use super::reader::DumpReader;
use crate::clock::Timestamp;
use crate::store::{Commit, Committed, Record, Store, StoreError, Write};

/// How many records are gathered, so that those of a partition can go in together.
const GATHERED: usize = 2_000;

/// How many records go into one commit, at most.
const PER_COMMIT: usize = 100;

/// Everything in a dump, into a store that is empty, or has some of it from an attempt that was cut off.
///
/// The records of a partition go in together, many to a commit. It never overwrites: a record that is there already
/// must be the same but for its revision, and is then skipped, so that an import can be run again.
pub struct Import {
    store: Arc<dyn Store>,
    reader: DumpReader,
    gathered: Vec<Arc<Record>>,
    done: Imported,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// How many records were written.
    pub written: u64,
    /// How many were there already.
    pub skipped: u64,
}

impl Import {
    /// An import that has not begun.
    pub fn into(store: Arc<dyn Store>) -> Self {
        Self { store, reader: DumpReader::new(), gathered: Vec::new(), done: Imported::default() }
    }

    /// More of the dump, in pieces of any size. After an error begin again, with another `Import`.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.gathered.extend(self.reader.push(bytes)?.into_iter().map(Arc::new));
        if self.gathered.len() >= GATHERED {
            self.write().await?;
        }
        Ok(())
    }

    /// The dump has ended: writes the rest, and tells whether all of it had come and nothing was altered.
    pub async fn finish(mut self) -> Result<Imported, TransferError> {
        self.write().await?;
        self.reader.finish()?;
        Ok(self.done)
    }

    /// How far it has come.
    pub const fn done(&self) -> Imported {
        self.done
    }

    async fn write(&mut self) -> Result<(), TransferError> {
        let mut records = std::mem::take(&mut self.gathered);
        records.sort_by_key(|record| record.key);
        for partition in records.chunk_by(|a, b| a.key.partition == b.key.partition) {
            for some in partition.chunks(PER_COMMIT) {
                self.write_some(some).await?;
            }
        }
        Ok(())
    }

    async fn write_some(&mut self, records: &[Arc<Record>]) -> Result<(), TransferError> {
        match self.commit(records).await {
            Ok(Committed::Applied) => {
                self.done.written = self.done.written.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
                return Ok(());
            }
            // Some are there already, or all, if it had happened: which ones is found out one by one.
            Ok(Committed::Refused(_)) | Err(StoreError::InDoubt(_)) => {}
            Err(error) => return Err(error.into()),
        }
        for record in records {
            self.write_one(record).await?;
        }
        Ok(())
    }

    async fn write_one(&mut self, record: &Arc<Record>) -> Result<(), TransferError> {
        let count = match self.commit(std::slice::from_ref(record)).await? {
            Committed::Applied => &mut self.done.written,
            Committed::Refused(_) => {
                let found = self.store.load(&[record.key]).await?.pop().flatten();
                let same = found.is_some_and(|found| {
                    *found.record == Record { revision: found.record.revision, ..Record::clone(record) }
                });
                if !same {
                    return Err(TransferError::Conflict { key: record.key.to_text() });
                }
                &mut self.done.skipped
            }
        };
        *count = count.saturating_add(1);
        Ok(())
    }

    async fn commit(&self, records: &[Arc<Record>]) -> Result<Committed, StoreError> {
        let Some(first) = records.first() else { return Ok(Committed::Applied) };
        let commit = Commit {
            tenant: first.tenant,
            partition: first.key.partition,
            // Before everything: what could be forgotten is moved all the same, and nothing is forgotten on the way.
            at: Timestamp::from_millis(i64::MIN),
            conditions: Vec::new(),
            writes: records.iter().map(|record| Write::Insert(Arc::clone(record))).collect(),
            events: Vec::new(),
        };
        self.store.commit(&commit).await
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("done", &self.done).finish_non_exhaustive()
    }
}

/// Reads a dump from `file` into a store, and tells `progress` now and then how far it has come.
///
/// The file is read as files are, by blocking: this is for a command of its own, not for a server that is serving.
pub async fn import_from(
    store: Arc<dyn Store>,
    file: &mut (impl BufRead + Send),
    mut progress: impl FnMut(Imported) + Send,
) -> Result<Imported, TransferError> {
    let mut import = Import::into(store);
    let mut told = Imported::default();
    loop {
        let piece = file.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        let length = piece.len();
        import.push(piece).await?;
        file.consume(length);
        if import.done() != told {
            told = import.done();
            progress(told);
        }
    }
    let imported = import.finish().await?;
    progress(imported);
    Ok(imported)
}
