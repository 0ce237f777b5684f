//! The edge: `http::Request` in, `http::Response` out, for any framework.
//!
//! | file | holds |
//! |---|---|
//! | `router.rs` | [`AuthorizationServer::handle`](crate::AuthorizationServer::handle): which endpoint a request is for |
//! | `limits.rs` | how much of a request is read |
//! | `answer.rs` | responses, with the headers that each kind must have |
//! | `site.rs` | [`Site`]: the server with its pages, given a [`Host`] that knows who is signed in |
//! | `axum.rs` | an axum router (feature `axum`) |

mod answer;
#[cfg(feature = "axum")]
pub mod axum;
pub(crate) mod limits;
mod router;
mod site;

pub(crate) use answer::authorization_response;
pub use router::Outcome;
pub use site::{Host, SignIn, SignedIn, Site};
