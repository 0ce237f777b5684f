//! What an administrator or a user does: registering clients, seeing and ending what was granted.
//!
//! | file | holds |
//! |---|---|
//! | `clients.rs` | registering, listing, changing, deactivating and deleting clients |
//! | `secrets.rs` | a client's secrets: several at once, each with a label and an end |
//! | `grants.rs` | what a resource owner granted, and ending it |
//! | `registrations.rs` | clients that registered themselves, and the tokens that let them |
//! | `subjects.rs` | deactivating a resource owner, and ending all that was issued for them |

mod clients;
mod error;
mod grants;
mod registrations;
mod secrets;
mod subjects;

pub use clients::{ClientFilter, Clients, Found, Registered, Registration};
pub use error::ManageError;
pub use grants::{ConnectedApp, Grant, Grants};
pub use registrations::{InitialAccessToken, NewInitialAccessToken, PurgedUnused, Registrations};
pub use secrets::NewSecret;
pub use subjects::Subjects;

pub(crate) use error::settle;
