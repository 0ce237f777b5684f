//! The store that seals.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::ring::KeyRing;
use super::seal::{self, Column};
use crate::clock::Timestamp;
use crate::entropy::{Entropy, SystemEntropy};
use crate::store::{
    Commit, Committed, Condition, Durability, Key, Listing, Loaded, Page, Payload, Purged, Query, Record, ScanCursor,
    Scanned, Store, StoreError, Used, Write,
};

/// Any store, with the payloads and kept answers of its records sealed by keys that only the host has.
///
/// What lies below is XChaCha20-Poly1305 of the payload, bound to the key of its record: what is moved to another
/// record, altered, or sealed with a key that is not on the [`KeyRing`] is answered with [`StoreError::Corrupt`], never
/// with something else.
///
/// ```
/// use std::sync::Arc;
/// use grantor::secret::SecretBytes;
/// use grantor::store::{EncryptingStore, KeyRing, MemoryStore};
///
/// # let key = [7; 32];
/// let database = Arc::new(MemoryStore::new());
/// let store = EncryptingStore::new(database, KeyRing::new(1, SecretBytes::new(key)));
/// ```
///
/// # What it hides, and what it does not
///
/// A dump shows no payload: no scope, no subject, no redirect URI, no digest of a client's secret. It still shows the
/// columns that the store itself works with: keys (digests), tenant, state, times, how records hang together, the
/// lengths of payloads, and **the labels** of clients (name, `client_id`, authentication method), since lists search
/// and sort by them. Events that a store keeps are not sealed either.
///
/// It does not show when a whole record is put back to what it was before, or when such a column is changed by somebody
/// who can write to the database: bound to a record is what it says, not that it is the latest.
///
/// A store that has records in the clear cannot be put behind it as it is: export it and import it through this one
/// (see [`Export`](crate::store::Export)). The other way leads back.
pub struct EncryptingStore {
    inner: Arc<dyn Store>,
    ring: KeyRing,
    entropy: Arc<dyn Entropy>,
}

/// What [`EncryptingStore::reseal`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// How many records were moved to the newest key.
    pub moved: u32,
    /// How many could not be, since others changed them at the same moment: another walk will find them.
    pub missed: u32,
    /// Where to go on; `None` at the end.
    pub next: Option<ScanCursor>,
}

impl EncryptingStore {
    /// Seals what goes to `inner`.
    pub fn new(inner: Arc<dyn Store>, ring: KeyRing) -> Self {
        Self { inner, ring, entropy: Arc::new(SystemEntropy) }
    }

    /// With randomness from elsewhere: nonces of 24 bytes, which must never repeat under one key.
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// Moves some records, about `limit` (1 to 1,000), to the key that seals, while servers go on. When a whole walk,
    /// from `None` to where there is no more, has moved and missed none, no record needs an older key.
    pub async fn reseal(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Resealed, StoreError> {
        let Scanned { records, next } = self.inner.scan(after, limit).await?;
        let mut resealed = Resealed { moved: 0, missed: 0, next };
        for record in records.iter().filter(|record| self.is_older(record)) {
            let fresh = self.sealed(&self.opened(record)?)?;
            let commit = Commit {
                tenant: record.tenant,
                partition: record.key.partition,
                // Nothing is to be forgotten on the way.
                at: Timestamp::from_millis(i64::MIN),
                conditions: vec![Condition::Unchanged { key: record.key, revision: record.revision }],
                writes: vec![Write::Replace(Arc::new(fresh))],
                events: Vec::new(),
            };
            let count = match self.inner.commit(&commit).await? {
                Committed::Applied => &mut resealed.moved,
                Committed::Refused(_) => &mut resealed.missed,
            };
            *count = count.saturating_add(1);
        }
        Ok(resealed)
    }

    fn is_older(&self, record: &Record) -> bool {
        let (newest, _) = self.ring.sealing();
        let older = |sealed: &[u8]| seal::number(sealed) != Some(newest);
        older(record.payload.as_bytes()) || record.used.as_ref().is_some_and(|used| older(&used.answer))
    }

    fn seal(&self, column: Column, key: &Key, bytes: &[u8]) -> Result<Box<[u8]>, StoreError> {
        seal::seal(&self.ring, &*self.entropy, column, key, bytes)
    }

    fn sealed(&self, record: &Record) -> Result<Record, StoreError> {
        let seal = |column, bytes: &[u8]| self.seal(column, &record.key, bytes);
        with(record, seal)
    }

    fn opened(&self, record: &Record) -> Result<Record, StoreError> {
        with(record, |column, bytes| seal::open(&self.ring, column, &record.key, bytes))
    }

    fn open(&self, record: &Record) -> Result<Arc<Record>, StoreError> {
        self.opened(record).map(Arc::new)
    }

    fn open_all(&self, records: &[Arc<Record>]) -> Result<Vec<Arc<Record>>, StoreError> {
        records.iter().map(|record| self.open(record)).collect()
    }

    fn open_loaded(&self, loaded: &Loaded) -> Result<Loaded, StoreError> {
        let open = |record: &Option<Arc<Record>>| record.as_deref().map(|record| self.open(record)).transpose();
        let record = self.open(&loaded.record)?;
        let parent = open(&loaded.parent)?;
        // What hangs on a client directly shows it twice: it is opened once.
        let client = match (&loaded.parent, &loaded.client) {
            (Some(parent_below), Some(client)) if parent_below.key == client.key => parent.clone(),
            (_, client) => open(client)?,
        };
        Ok(Loaded { record, parent, client, subject: open(&loaded.subject)? })
    }

    fn seal_write(&self, write: &Write) -> Result<Write, StoreError> {
        Ok(match write {
            Write::Insert(record) => Write::Insert(Arc::new(self.sealed(record)?)),
            Write::Replace(record) => Write::Replace(Arc::new(self.sealed(record)?)),
            Write::Use { key, at, answer, purge_after } => {
                let answer = self.seal(Column::Answer, key, answer)?;
                Write::Use { key: *key, at: *at, answer, purge_after: *purge_after }
            }
            Write::SetState { .. } | Write::Delete(_) => write.clone(),
        })
    }
}

/// The record with its payload and its answer as `change` makes them. Empty ones are no exception: nobody is to empty a
/// payload unnoticed.
fn with(
    record: &Record,
    change: impl Fn(Column, &[u8]) -> Result<Box<[u8]>, StoreError>,
) -> Result<Record, StoreError> {
    let used = match &record.used {
        Some(used) => Some(Box::new(Used { at: used.at, answer: change(Column::Answer, &used.answer)? })),
        None => None,
    };
    let payload = Payload::new(change(Column::Payload, record.payload.as_bytes())?);
    Ok(Record {
        key: record.key,
        tenant: record.tenant,
        revision: record.revision,
        state: record.state,
        epoch: record.epoch,
        parent: record.parent,
        owner: record.owner.clone(),
        labels: record.labels.clone(),
        created_at: record.created_at,
        expires_at: record.expires_at,
        purge_after: record.purge_after,
        used,
        payload,
    })
}

#[async_trait]
impl Store for EncryptingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        let found = self.inner.load(keys).await?;
        found.iter().map(|loaded| loaded.as_ref().map(|loaded| self.open_loaded(loaded)).transpose()).collect()
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let sealed = Commit {
            tenant: commit.tenant,
            partition: commit.partition,
            at: commit.at,
            conditions: commit.conditions.clone(),
            writes: commit.writes.iter().map(|write| self.seal_write(write)).collect::<Result<_, _>>()?,
            events: commit.events.clone(),
        };
        self.inner.commit(&sealed).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        let Listing { records, next } = self.inner.list(query, page).await?;
        Ok(Listing { records: self.open_all(&records)?, next })
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        let Scanned { records, next } = self.inner.scan(after, limit).await?;
        Ok(Scanned { records: self.open_all(&records)?, next })
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

impl fmt::Debug for EncryptingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptingStore").field("ring", &self.ring).finish_non_exhaustive()
    }
}
