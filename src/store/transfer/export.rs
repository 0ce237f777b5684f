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
///
/// Every column of every record, of every server in the store, and its payload byte for byte. Only events stay behind:
/// read and forget them first, if anybody should know.
///
/// # How to move
///
/// 1. **Stop the servers** that write to the old store. What they wrote meanwhile would be missing, and a code could be
///    spent on both sides.
/// 2. [`export_to`] a file; it is as confidential as the database it comes from.
/// 3. [`import_from`](crate::store::import_from) the file into the new store. If that is cut off, run it again: what is
///    there already is compared, and skipped.
/// 4. Start the servers over the new store with **the same issuer and the same secret**. Tokens go on as if nothing had
///    been.
///
/// The dump of an encrypting store is in the clear; that of the store below it is sealed, and goes below another with
/// the same keys.
///
/// Revisions begin again at 1, as those of all that is inserted do. They matter only to whoever read a record before
/// the move and wants to change it after.
///
/// ```
/// use std::sync::Arc;
/// use grantor::store::{Import, Export, MemoryStore};
///
/// # async fn example() -> Result<(), grantor::store::TransferError> {
/// let (old, new) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
/// // Straight from one to the other, with a word about how far it has come.
/// let (mut export, mut import) = (Export::of(old), Import::into(new));
/// while let Some(lines) = export.next().await? {
///     import.push(lines.as_bytes()).await?;
///     eprintln!("{} records", export.records());
/// }
/// import.finish().await?;
/// # Ok(())
/// # }
/// ```
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
