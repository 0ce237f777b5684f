//! Why a request was refused: one enum for each endpoint, and those they share.
//!
//! A reason is for the host: in events it is told as it is. On the wire many reasons are one answer; the endpoint that
//! refuses has the function that says which.
//!
//! | file | refused by |
//! |---|---|
//! | `authorize.rs`, `token.rs`, `revoke.rs`, `introspect.rs` | the endpoint of that name |
//! | `device_authorization.rs`, `user_code.rs` | the two ends of a device authorization |
//! | `registration.rs` | registration, and the host's policy about it |
//! | `resume.rs`, `approve.rs` | an interaction, on the way back and when it is decided |
//! | `verify.rs` | a protected resource |
//! | `request.rs` | whoever reads parameters |
//! | `client.rs` | whoever authenticates a client |
//! | `dead.rs` | whoever looks at a token |
//! | `document.rs` | whoever takes a client from its document, and fetches that |
//! | `extension.rs` | a grant type of the host |

mod approve;
mod authorize;
mod client;
mod dead;
mod device_authorization;
mod document;
mod extension;
mod introspect;
mod registration;
mod request;
mod resume;
mod revoke;
mod token;
mod user_code;
mod verify;

pub use approve::ApproveError;
pub use authorize::AuthorizeError;
pub use client::ClientError;
pub use dead::Dead;
pub use device_authorization::DeviceAuthorizationError;
pub use document::{DocumentError, FetchError};
pub use extension::ExtensionRefusal;
pub use introspect::IntrospectError;
pub use registration::{RegistrationError, RegistrationRefusal};
pub use request::RequestError;
pub use resume::ResumeError;
pub use revoke::RevokeError;
pub use token::TokenError;
pub use user_code::UserCodeError;
pub use verify::VerifyError;
