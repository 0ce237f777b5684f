//! From bytes to records, and whether they are all there.

use sha2::{Digest as _, Sha256};

use super::error::TransferError;
use super::export::hexadecimal;
use super::line::{First, Last, Line, VERSION};
use crate::store::Record;

/// The longest line: a record whose payload has some 48 MiB.
const LONGEST: usize = 64 << 20;

/// Reads a dump, whatever pieces it comes in. By itself it tells whether a file is whole before anything is imported
/// from it.
///
/// ```
/// use grantor::store::{DumpReader, TransferError};
///
/// # fn example(file: &[u8]) -> Result<(), TransferError> {
/// let mut reader = DumpReader::new();
/// for piece in file.chunks(65_536) {
///     reader.push(piece)?;
/// }
/// println!("{} records", reader.finish()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct DumpReader {
    /// What has come of a line without its end.
    begun: Vec<u8>,
    hash: Sha256,
    lines: u64,
    records: u64,
    last: Option<Last>,
}

impl DumpReader {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads on, and returns the records that have become whole. After an error nothing more can be read.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Record>, TransferError> {
        let mut records = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len().saturating_add(part.len()) > LONGEST {
                return Err(self.wrong("it is too long"));
            }
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                records.extend(self.read(&line)?);
                self.lines = self.lines.saturating_add(1);
                // What was allocated serves the next line.
                self.begun = line;
                self.begun.clear();
            }
        }
        Ok(records)
    }

    /// Whether all of it has come and nothing was altered; how many records that is.
    pub fn finish(self) -> Result<u64, TransferError> {
        let Some(last) = self.last.filter(|_| self.begun.is_empty()) else {
            return Err(TransferError::CutOff { lines: self.lines });
        };
        let whole = last.records == self.records && last.sha256 == hexadecimal(&self.hash.finalize());
        if whole { Ok(self.records) } else { Err(TransferError::Altered) }
    }

    fn read(&mut self, line: &[u8]) -> Result<Option<Record>, TransferError> {
        if self.lines == 0 {
            let first: First = serde_json::from_slice(line).map_err(|_| self.wrong("this is no dump of grantor"))?;
            if first.dump != First::NAME {
                return Err(self.wrong("this is no dump of grantor"));
            }
            if first.version != VERSION {
                return Err(self.wrong(&format!("a dump of version {}; this reads version {VERSION}", first.version)));
            }
            self.hash.update(line);
            return Ok(None);
        }
        if self.last.is_some() {
            return Err(self.wrong("there is more after the last line"));
        }
        if line.starts_with(Last::HEAD) {
            self.last = Some(serde_json::from_slice(line).map_err(|error| self.wrong(&error.to_string()))?);
            return Ok(None);
        }
        let read: Line = serde_json::from_slice(line).map_err(|error| self.wrong(&error.to_string()))?;
        let record = Record::try_from(read).map_err(|reason| self.wrong(reason))?;
        self.hash.update(line);
        self.records = self.records.saturating_add(1);
        Ok(Some(record))
    }

    fn wrong(&self, reason: &str) -> TransferError {
        TransferError::Line { line: self.lines.saturating_add(1), reason: reason.into() }
    }
}
