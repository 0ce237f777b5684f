//! Everything, a piece at a time.

use std::sync::Arc;

use super::Record;

/// A place in a scan: text that only the store which made it can read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ScanCursor(pub String);

/// One piece of a scan.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// Some records; there may be none although more are to come.
    pub records: Vec<Arc<Record>>,
    /// Where the next piece begins; `None` when there is no more.
    pub next: Option<ScanCursor>,
}
