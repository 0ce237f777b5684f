//! A store whose calls are counted, around the one that the host gave.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, ScanCursor, Scanned, Store, StoreError,
};

/// Counts, and passes on as it is.
pub(super) struct Metered(Arc<dyn Store>);

impl Metered {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

/// How a call ended. A refused commit is no error: somebody else was quicker.
trait Ended {
    fn outcome(&self) -> &'static str {
        "done"
    }
}

impl Ended for Vec<Option<Loaded>> {}
impl Ended for Listing {}
impl Ended for Scanned {}
impl Ended for Purged {}

impl Ended for Committed {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Applied => "done",
            Self::Refused(_) => "refused",
        }
    }
}

async fn counted<T: Ended>(
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    #[cfg(feature = "metrics")]
    let began = crate::clock::Stopwatch::start();
    #[cfg(feature = "tracing")]
    let span = tracing::debug_span!(target: "grantor", "grantor.store", operation, outcome = tracing::field::Empty);
    #[cfg(feature = "tracing")]
    let ended = tracing::Instrument::instrument(call, span.clone()).await;
    #[cfg(not(feature = "tracing"))]
    let ended = call.await;
    let outcome = match &ended {
        Ok(value) => value.outcome(),
        Err(StoreError::Unavailable(_)) => "unavailable",
        Err(StoreError::InDoubt(_)) => "in_doubt",
        Err(StoreError::Corrupt(_)) => "corrupt",
    };
    #[cfg(feature = "tracing")]
    span.record("outcome", outcome);
    #[cfg(feature = "metrics")]
    super::metrics::call(operation, outcome, began.elapsed());
    ended
}

#[async_trait]
impl Store for Metered {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        counted("load", self.0.load(keys)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        counted("commit", self.0.commit(commit)).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        counted("list", self.0.list(query, page)).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        counted("scan", self.0.scan(after, limit)).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        counted("purge", self.0.purge(before, limit)).await
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }
}
