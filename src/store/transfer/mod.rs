//! From one store to another: everything, as lines of JSON.
//!
//! ```text
//! {"dump":"grantor","version":1}
//! {"key":"EjQE…","tenant":"…","revision":1,"state":1,"epoch":0,…,"payload":"…"}      one line for each record
//! {"records":2,"sha256":"…"}                                                        of all lines above
//! ```
//!
//! Every column of every record, of every server in the store, and its payload byte for byte. Only events stay behind:
//! read and forget them first, if anybody should know.
//!
//! # How to move
//!
//! 1. **Stop the servers** that write to the old store. What they wrote meanwhile would be missing, and a code could be
//!    spent on both sides.
//! 2. [`export_to`] a file; it is as confidential as the database it comes from.
//! 3. [`import_from`] the file into the new store. If that is cut off, run it again: what is there already is compared,
//!    and skipped.
//! 4. Start the servers over the new store with **the same issuer and the same secret**. Tokens go on as if nothing had
//!    been.
//!
//! The dump of an encrypting store is in the clear; that of the store below it is sealed, and goes below another with
//! the same keys.
//!
//! Revisions begin again at 1, as those of all that is inserted do. They matter only to whoever read a record before
//! the move and wants to change it after.
//!
//! ```
//! use std::sync::Arc;
//! use grantor::store::{Import, Export, MemoryStore};
//!
//! # async fn example() -> Result<(), grantor::store::TransferError> {
//! let (old, new) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
//! // Straight from one to the other, with a word about how far it has come.
//! let (mut export, mut import) = (Export::of(old), Import::into(new));
//! while let Some(lines) = export.next().await? {
//!     import.push(lines.as_bytes()).await?;
//!     eprintln!("{} records", export.records());
//! }
//! import.finish().await?;
//! # Ok(())
//! # }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `export.rs` | [`Export`], [`export_to`] |
//! | `import.rs` | [`Import`], [`import_from`] |
//! | `reader.rs` | [`DumpReader`]: from bytes to records, and whether they are all there |
//! | `line.rs` | a record as a line of JSON |
//! | `error.rs` | [`TransferError`] |

mod error;
mod export;
mod import;
mod line;
mod reader;

pub use error::TransferError;
pub use export::{Export, export_to};
pub use import::{Import, Imported, import_from};
pub use reader::DumpReader;
