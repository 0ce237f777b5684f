//! Everything, a piece at a time.

use std::sync::Arc;

use super::Record;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::{Key, Kind, Partition, StoreError};

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

/// For stores that keep records in the order of their keys: the cursor is the key of the last one.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl ScanCursor {
    pub(super) fn at(key: &Key) -> Self {
        use base64::Engine as _;
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.id);
        Self(format!("{}.{}.{id}", key.partition.0, key.kind.0))
    }

    pub(super) fn key(&self) -> Result<Key, StoreError> {
        use base64::Engine as _;
        let read = || {
            let mut parts = self.0.splitn(3, '.');
            let (partition, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
            let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id).ok()?;
            Some(Key {
                partition: Partition(partition.parse().ok()?),
                kind: Kind(kind.parse().ok()?),
                id: id.try_into().ok()?,
            })
        };
        read().ok_or_else(|| StoreError::Corrupt("a cursor that this store did not make".into()))
    }
}
