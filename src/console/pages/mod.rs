//! The pages, one file each: what it is given, and how it is made.
//!
//! | file | holds |
//! |---|---|
//! | `dispatch.rs` | from a route to the page's function |
//! | `client_list.rs`, `client.rs` | the API clients, and one of them |
//! | `client_form.rs`, `client_entries.rs`, `metadata_problem.rs` | a new API client or changes to one: the page, what was typed, what is wrong with it |
//! | `secret_form.rs` | one more secret of an API client |
//! | `shown_once.rs` | what is shown this once: credentials |
//! | `act.rs`, `confirm.rs` | what has to be confirmed, and the page that asks |
//! | `activity.rs` | what was issued and refused |
//! | `apps.rs`, `people.rs` | which applications hold access: to one's own account, to somebody's |
//! | `token_list.rs`, `token_form.rs` | one's own access tokens |
//! | `everything.rs` | ending everything of everybody, a piece at a time |
//! | `message.rs` | what is wrong |
//! | `said.rs` | what was done just before, told by the page after |
//! | `place.rs` | a place in a list, as an address holds it |

mod act;
mod activity;
mod apps;
mod client;
mod client_entries;
mod client_form;
mod client_list;
mod confirm;
mod dispatch;
mod everything;
mod message;
mod metadata_problem;
mod people;
mod place;
mod said;
mod secret_form;
mod shown_once;
mod token_form;
mod token_list;

pub(in crate::console) use act::Act;
pub use activity::{ActivityPage, BusyRow};
pub use apps::{AppCard, AppsPage, SessionRow};
pub use client::{ClientPage, PersonRow, SecretRow, ZoneRow};
pub use client_form::ClientFormPage;
pub use client_list::{ClientListPage, ClientRow, Column};
pub use confirm::ConfirmPage;
pub(in crate::console) use dispatch::answer;
pub use everything::ProgressPage;
pub use message::MessagePage;
pub use people::FindPersonPage;
pub(in crate::console) use said::Said;
pub use secret_form::SecretFormPage;
pub use shown_once::ShownOncePage;
pub use token_form::TokenFormPage;
pub use token_list::{TokenListPage, TokenRow};
