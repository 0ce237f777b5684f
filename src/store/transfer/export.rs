//! Out of a store.

use std::io::Write;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::TransferError;
use super::line::{First, Last, Line};
use crate::store::{ScanCursor, Scanned, Store, StoreError};

/// How many records a piece holds, about.
const PIECE: u32 = 500;

/// Everything in a store, as lines of JSON, a piece at a time: never more than a piece in memory.
pub struct Export {
    store: Arc<dyn Store>,
    next: Next,
    hash: Sha256,
    records: u64,
}

enum Next {
    First,
    Records(Option<ScanCursor>),
    Last,
    Nothing,
}

impl Export {
    /// An export that has not begun. Nobody is to write to the store until it has ended.
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self { store, next: Next::First, hash: Sha256::new(), records: 0 }
    }

    /// The next lines, each with its end; `None` when there are no more. One that failed may be asked again.
    pub async fn next(&mut self) -> Result<Option<String>, TransferError> {
        let mut lines = String::new();
        match &self.next {
            Next::First => {
                write_line(&mut lines, &First::ours())?;
                self.next = Next::Records(None);
            }
            Next::Records(after) => {
                let Scanned { records, next } = self.store.scan(after.as_ref(), PIECE).await?;
                for record in &records {
                    write_line(&mut lines, &Line::from(&**record))?;
                }
                self.records = self.records.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
                self.next = next.map_or(Next::Last, |next| Next::Records(Some(next)));
            }
            Next::Last => {
                let sha256 = hexadecimal(&self.hash.clone().finalize());
                write_line(&mut lines, &Last { records: self.records, sha256 })?;
                self.next = Next::Nothing;
            }
            Next::Nothing => return Ok(None),
        }
        self.hash.update(&lines);
        Ok(Some(lines))
    }

    /// How many records there were so far.
    pub const fn records(&self) -> u64 {
        self.records
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("records", &self.records).finish_non_exhaustive()
    }
}

fn write_line(lines: &mut String, line: &impl serde::Serialize) -> Result<(), TransferError> {
    let json = serde_json::to_string(line);
    lines.push_str(
        &json.map_err(|error| StoreError::Corrupt(format!("a record that cannot be written down: {error}")))?,
    );
    lines.push('\n');
    Ok(())
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes everything in a store to `file`, and tells `progress` after each piece how many records there were. Returns
/// how many there are.
///
/// The file is written to as files are, by blocking: this is for a command of its own, not for a server that is
/// serving.
pub async fn export_to(
    store: Arc<dyn Store>,
    file: &mut (impl Write + Send),
    mut progress: impl FnMut(u64) + Send,
) -> Result<u64, TransferError> {
    let mut export = Export::of(store);
    while let Some(lines) = export.next().await? {
        file.write_all(lines.as_bytes())?;
        progress(export.records());
    }
    file.flush()?;
    Ok(export.records())
}
