//! Clients whose identifier is the URL of a document that describes them (draft-ietf-oauth-client-id-metadata-document,
//! as MCP uses it).
//!
//! Such a client is nobody's record until a user lets it in: the document is fetched when an authorization request names
//! it, kept in memory for a bounded time, and written into the registry at the first approval; from then on the record
//! has state and epoch like any other, and each further approval brings it up to the document.
//!
//! | file | holds |
//! |---|---|
//! | `settings.rs` | [`ClientIdMetadata`]: what the host decides |
//! | `url.rs` | which URLs may be such an identifier |
//! | `read.rs` | from a document to client metadata |
//! | `shelf.rs` | documents in memory: how long, one fetch for all who wait, and how many fetches at all |
//! | `resolve.rs` | the client that a request names, and writing it down |

mod read;
mod resolve;
mod settings;
mod shelf;
mod url;

pub(crate) use resolve::{keep, named};
pub use settings::ClientIdMetadata;
pub(crate) use settings::Documents;
pub(crate) use url::host;
