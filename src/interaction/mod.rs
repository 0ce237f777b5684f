//! The pause in which the host signs the user in and asks for consent.
//!
//! A validated request is a [`PendingAuthorization`], which is spent on approve or deny. To keep it over several
//! requests it is turned into a handle: the request itself, sealed, so that nothing is stored before somebody consents.
//! A handle works only in the browser that began (a cookie says so), only until it expires, and only once (the commit
//! that approves it leaves a mark).
//!
//! | file | holds |
//! |---|---|
//! | `pending.rs` | [`PendingAuthorization`] |
//! | `prompt.rs` | [`Prompt`]: what the client asked about the interaction |
//! | `device.rs` | [`PendingDevice`], and what the browser keeps between the pages for devices |
//! | `handle.rs` | the handle, its cookie, and the token against forgery |
//! | `response.rs` | the authorization response (RFC 6749 §4.1.2), on whichever way to the client |

mod device;
mod handle;
mod pending;
mod prompt;
mod response;

pub use device::PendingDevice;
pub(crate) use device::{DeviceHandle, Sealed};
pub use handle::Suspended;
pub(crate) use handle::{check_csrf, expired_cookie, resume, suspend};
pub(crate) use pending::AuthorizationAsked;
pub use pending::PendingAuthorization;
pub use prompt::Prompt;
pub use response::ResponseMode;
pub(crate) use response::{AuthorizationResponse, Target};
