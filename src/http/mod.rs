//! The edge: `http::Request` in, `http::Response` out, for any framework.
//!
//! | file | holds |
//! |---|---|
//! | `router.rs` | [`AuthorizationServer::handle`](crate::AuthorizationServer::handle): which endpoint a request is for |
//! | `limits.rs` | how much of a request is read |
//! | `answer.rs` | responses, with the headers that each kind must have |
//! | `dialect.rs` | clients that speak differently: a host's own translation, in front of the endpoints |
//! | `site.rs` | [`Site`]: the server with its pages, given a [`Host`] that knows who is signed in |
//! | `axum.rs`, `actix.rs`, `tower.rs` | adapters, one for each feature of that name |
//! | `whole.rs` | [`WholeBody`]: a body that is there already |
//! | `device.rs` | the pages on which a user lets a device in |

#[cfg(feature = "actix")]
pub mod actix;
mod answer;
#[cfg(feature = "axum")]
pub mod axum;
mod device;
mod dialect;
pub(crate) mod limits;
mod router;
mod site;
#[cfg(feature = "tower")]
pub mod tower;
mod whole;

pub(crate) use answer::authorization_response;
#[cfg(feature = "testing")]
pub(crate) use answer::{json, json_error};
pub use dialect::Dialect;
pub use router::Outcome;
pub use site::{Host, SignIn, SignedIn, Site};
pub use whole::WholeBody;
