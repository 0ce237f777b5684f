//! What the server fetches from elsewhere: a client ID metadata document, and nothing else so far.
//!
//! A URL that a stranger names is a way into the network that the server stands in. So whatever fetches keeps the
//! contract of [`Fetch`], and [`is_special_use`] tells which addresses are not the internet's.
//!
//! | file | holds |
//! |---|---|
//! | `contract.rs` | [`Fetch`]: what is asked of whoever fetches |
//! | `guard.rs` | which addresses are for special use (RFC 6890) |
//! | `connection.rs` | a connection to a server elsewhere, over hyper and rustls (feature `fetch`) |
//! | `https.rs` | [`HttpsFetch`], which fetches over one (feature `fetch`) |

#[cfg(feature = "fetch")]
pub(crate) mod connection;
mod contract;
mod guard;
#[cfg(feature = "fetch")]
mod https;

pub use contract::{Fetch, FetchRequest, Fetched};
pub use guard::is_special_use;
#[cfg(feature = "fetch")]
pub use https::HttpsFetch;
