//! One file per protocol endpoint: what a request must be, and what it is answered.
//!
//! | file | endpoint |
//! |---|---|
//! | `authorize.rs` | authorization endpoint (RFC 6749 §3.1): validates a request and makes it pending |
//! | `approve.rs` | what follows: the resource owner allows or denies |
//! | `device_authorization.rs` | device authorization endpoint (RFC 8628 §3.1) |
//! | `decide_device.rs` | what follows: somebody who has its user code allows or denies (RFC 8628 §3.3) |
//! | `token.rs` | token endpoint (RFC 6749 §3.2) |
//! | `revoke.rs` | token revocation (RFC 7009) |
//! | `introspect.rs` | token introspection (RFC 7662) |
//! | `lookup.rs` | for the two above: the client that asks, and the token it asks about |
//! | `metadata.rs` | authorization server metadata (RFC 8414) |
//! | `registration/` | client registration (RFC 7591) and its management (RFC 7592) |
//! | `request.rs` | what a request is before anybody reads its parameters |
//! | `error_answer.rs` | from a reason to the wire, for the endpoints that answer JSON |

pub(crate) mod approve;
pub(crate) mod authorize;
pub(crate) mod decide_device;
pub(crate) mod device_authorization;
mod error_answer;
pub(crate) mod introspect;
mod lookup;
pub(crate) mod metadata;
pub(crate) mod registration;
mod request;
pub(crate) mod revoke;
pub(crate) mod token;

pub use approve::{Approval, ConsentNeed};
pub use decide_device::DeviceDecision;
pub(crate) use error_answer::ErrorAnswer;
pub(crate) use request::{ClientRequest, Refused, declares_form};
