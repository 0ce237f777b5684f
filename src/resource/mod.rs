//! The other side: verifying a token in the host's own API.
//!
//! | file | holds |
//! |---|---|
//! | `verify.rs` | whether a token counts, and is enough: [`Require`], [`Verified`] |
//! | `bearer.rs` | the same for an HTTP request, with the challenges of RFC 6750 |

mod bearer;
mod verify;

pub use bearer::Challenge;
pub(crate) use bearer::check_request;
pub(crate) use verify::verify;
pub use verify::{Require, Verified};
