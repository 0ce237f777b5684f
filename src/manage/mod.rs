//! What an administrator or a user does: registering clients, seeing and ending what was granted.
//!
//! | file | holds |
//! |---|---|
//! | `clients.rs` | registering, listing, changing, deactivating and deleting clients |
//! | `secrets.rs` | a client's secrets: several at once, each with a label and an end |
//! | `usage.rs` | what a client has, and when it was last used |
//! | `activity.rs` | how many tokens were issued and requests refused, of a client and of all |
//! | `everything.rs` | ending everything of everyone |
//! | `grants.rs` | what a resource owner granted, and ending it |
//! | `grant.rs` | a grant as people see it |
//! | `apps.rs` | connected apps: which clients a resource owner has let in |
//! | `personal.rs` | personal tokens: what a resource owner makes for a script of their own |
//! | `registrations.rs` | clients that registered themselves, and the tokens that let them |
//! | `subjects.rs` | deactivating a resource owner, and ending all that was issued for them |

mod activity;
mod apps;
mod clients;
mod error;
mod everything;
mod grant;
mod grants;
mod personal;
mod registrations;
mod secrets;
mod subjects;
mod usage;

pub use crate::activity::DayCount;
pub use activity::{Activity, BusyClient};
pub use apps::{ConnectedApp, RememberedConsent};
pub use clients::{ClientFilter, Clients, Found, Registered, Registration};
pub use error::ManageError;
pub use everything::Sweep;
pub use grant::Grant;
pub use grants::Grants;
pub use personal::{NewPersonalToken, PersonalToken, PersonalTokens};
pub use registrations::{InitialAccessToken, NewInitialAccessToken, PurgedUnused, Registrations};
pub use secrets::NewSecret;
pub use subjects::Subjects;
pub use usage::{Count, Usage};

pub(crate) use activity::write_down as write_activity;
pub(crate) use error::settle;
