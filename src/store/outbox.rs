//! Events that a store has kept, readable in order.

use async_trait::async_trait;

use super::{Purged, Store, StoreError, Tenant};

/// A store that keeps the events of a commit in the same atomic step as its writes, so that what is told never
/// disagrees with what is.
///
/// # What an outbox promises
///
/// 1. Every event of every applied commit is kept, and no event of any other.
/// 2. The order never changes. Within a partition it is the order of the commits; across partitions it is any order.
/// 3. Nothing appears behind a cursor that was handed out: a reader that goes on from the last cursor it saw has seen all.
#[async_trait]
pub trait Outbox: Store {
    /// Events of one server after this cursor, at most `limit` (1 to 10,000) of them; `None` begins with the oldest
    /// that is kept.
    async fn events_after(
        &self,
        tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Forgets the events up to and including this cursor, at most `limit` at once. Nothing else forgets events.
    async fn forget_events(&self, tenant: Tenant, up_to: &EventCursor, limit: u32) -> Result<Purged, StoreError>;
}

/// A place in the order of events: text that only the store which made it can read, and that a host may keep.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EventCursor(pub String);

/// An event as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands.
    pub cursor: EventCursor,
    /// The event, as [`Event`](crate::event::Event) is serialised: one JSON object.
    pub json: String,
}
