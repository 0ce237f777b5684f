//! The events that were committed, in order, where the host wants them kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::MemoryStore;
use crate::store::{Commit, EventCursor, Outbox, Purged, StoreError, StoredEvent, Tenant};

/// Events, numbered in the order in which they were committed.
#[derive(Debug)]
pub(super) struct Events {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    last: u64,
    events: BTreeMap<(Tenant, u64), String>,
}

impl Events {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, kept: Mutex::new(Kept { last: 0, events: BTreeMap::new() }) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many more may be kept.
    pub(super) fn has_room(&self, kept: &Kept, more: usize) -> bool {
        kept.events.len().saturating_add(more) <= self.most
    }

    pub(super) fn full(&self) -> StoreError {
        StoreError::Unavailable(format!("no more than {} events may wait to be read and forgotten", self.most))
    }
}

impl Kept {
    pub(super) fn push(&mut self, tenant: Tenant, events: Vec<String>) {
        for json in events {
            self.last = self.last.saturating_add(1);
            self.events.insert((tenant, self.last), json);
        }
    }
}

/// The events of a commit as they are kept.
pub(super) fn written_down(commit: &Commit) -> Result<Vec<String>, StoreError> {
    let events = commit.events.iter().map(serde_json::to_string).collect::<Result<_, _>>();
    events.map_err(|error| StoreError::Corrupt(format!("an event that cannot be written down: {error}")))
}

fn number(cursor: &EventCursor) -> Result<u64, StoreError> {
    cursor.0.parse().map_err(|_| StoreError::Corrupt("a cursor of events that this store did not make".into()))
}

fn not_kept() -> StoreError {
    StoreError::Unavailable("no events are kept: make the store with `keeping_events`".into())
}

/// For a store that was made with [`keeping_events`](MemoryStore::keeping_events); of another, whoever asks for events
/// is told
/// [`StoreError::Unavailable`].
#[async_trait]
impl Outbox for MemoryStore {
    async fn events_after(
        &self,
        tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let kept = self.events().ok_or_else(not_kept)?.lock();
        let first = after.map_or(Ok(0), number)?.saturating_add(1);
        let limit = usize::try_from(limit.clamp(1, 10_000)).unwrap_or(10_000);
        let stored = |((_, number), json): (&(Tenant, u64), &String)| StoredEvent {
            cursor: EventCursor(number.to_string()),
            json: json.clone(),
        };
        Ok(kept.events.range((tenant, first)..=(tenant, u64::MAX)).take(limit).map(stored).collect())
    }

    async fn forget_events(&self, tenant: Tenant, up_to: &EventCursor, limit: u32) -> Result<Purged, StoreError> {
        let mut kept = self.events().ok_or_else(not_kept)?.lock();
        let all = (tenant, 0)..=(tenant, number(up_to)?);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let gone: Vec<_> = kept.events.range(all.clone()).take(most).map(|(place, _)| *place).collect();
        for place in &gone {
            kept.events.remove(place);
        }
        let more = kept.events.range(all).next().is_some();
        Ok(Purged { removed: u32::try_from(gone.len()).unwrap_or(u32::MAX), more })
    }
}
