//! The other side: verifying a token in the host's own API, in this process or in another.
//!
//! | file | holds |
//! |---|---|
//! | `verify.rs` | whether a token counts, and is enough: [`Require`], [`Verified`] |
//! | `extract.rs` | the same as an argument of a route: [`Bearer`], [`Needs`] |
//! | `bearer.rs` | the same for an HTTP request, with the challenges of RFC 6750 |
//! | `protected.rs` | [`ProtectedResource`]: what a resource publishes of itself (RFC 9728) |
//! | `introspection.rs` | [`Introspection`]: asking an authorization server elsewhere (RFC 7662) |
//! | `https.rs` | `HttpsTransport`: asking over hyper and rustls (feature `fetch`) |
//! | `described.rs` | reading what it answers |
//! | `kept.rs` | keeping that for a bounded time |

mod bearer;
mod described;
mod extract;
#[cfg(feature = "fetch")]
mod https;
mod introspection;
mod kept;
mod protected;
mod verify;

pub use bearer::Challenge;
pub(crate) use bearer::check_request;
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) use extract::verifier;
pub use extract::{AnyToken, Bearer, Needs, Verifier};
#[cfg(feature = "fetch")]
pub use https::HttpsTransport;
pub use introspection::{DiscoveryError, Introspection, Transport, TransportError};
pub use protected::ProtectedResource;
pub(crate) use verify::verify;
pub use verify::{Require, Verified};
