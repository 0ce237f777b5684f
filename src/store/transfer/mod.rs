//! From one store to another: everything, as lines of JSON.
//!
//! ```text
//! {"dump":"grantor","version":1}
//! {"key":"EjQE…","tenant":"…","revision":1,"state":1,"epoch":0,…,"payload":"…"}      one line for each record
//! {"records":2,"sha256":"…"}                                                        of all lines above
//! ```
//!
//! How to move is told at [`Export`].
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
