//! The other side: verifying a token in the host's own API.
//!
//! | file | holds |
//! |---|---|
//! | `verify.rs` | whether a token counts, and is enough: [`Require`], [`Verified`] |
//! | `extract.rs` | the same as an argument of a route: [`Bearer`], [`Needs`] |
//! | `bearer.rs` | the same for an HTTP request, with the challenges of RFC 6750 |

mod bearer;
mod extract;
mod verify;

pub use bearer::Challenge;
pub(crate) use bearer::check_request;
pub use extract::{AnyToken, Bearer, Needs};
pub(crate) use verify::verify;
pub use verify::{Require, Verified};
