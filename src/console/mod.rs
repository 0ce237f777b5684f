//! The console (feature `console`): pages on which administrators manage API clients, and users their connected apps
//! and personal access tokens.
//!
//! ```no_run
//! use grantor::access::{Access, Action, Actor};
//! use grantor::console::Console;
//! use http::request::Parts;
//!
//! struct Everybody;
//!
//! #[grantor::async_trait]
//! impl Access for Everybody {
//!     async fn actor(&self, request: &Parts) -> Option<Actor> {
//!         request.extensions.get::<Actor>().cloned() // whatever the host's middleware has found out
//!     }
//!
//!     async fn may(&self, actor: &Actor, action: Action<'_>) -> bool {
//!         matches!(action, Action::OwnGrants | Action::OwnTokens) || actor.subject.as_str() == "admin"
//!     }
//! }
//!
//! # fn mount(server: grantor::AuthorizationServer) {
//! let console = Console::new(server, Everybody).name("Camera cloud");
//! # #[cfg(feature = "axum")]
//! let app: axum::Router = axum::Router::new().merge(grantor::axum::console(console));
//! # }
//! ```
//!
//! Without axum, give requests to [`Console::handle`]. The pages work without scripts; what a script adds is served by
//! the console itself, so that `script-src 'self'` is all they need.
//!
//! # Making it one's own
//!
//! - **Colours, type, radius**: [`Console::stylesheet`] with other values for the CSS variables of `:root` (`--accent`,
//!   `--page`, `--card`, `--ink`, …; `src/pages/look.css` lists them). They hold in light and dark.
//! - **Words**: [`Console::language`] with a [`Text`] of the host's.
//! - **Markup**: [`Console::templates`] with [`Templates`] that draw the pages the host wants to draw itself.
//!
//! # What protects it
//!
//! Every form brings a token that is bound to the browser (a cookie of the console's own), to who is signed in, and to
//! what the form does to what. Forms that create something are good for once. What is asked of [`Access`] is asked anew
//! at every request. Nothing secret is ever in a URL, and pages are never stored.
//!
//! [`Access`]: crate::access::Access
//!
//! | file | holds |
//! |---|---|
//! | `site.rs` | [`Console`]: what a host sets, and from a request to a response |
//! | `route.rs` | which page a path names |
//! | `visit.rs` | one request: who, in which browser and language, with which fields |
//! | `csrf.rs` | what a form must bring along |
//! | `form.rs` | what a form sends |
//! | `stop.rs` | why a page cannot be shown, or a form not be carried out |
//! | `answer.rs` | responses, with the headers that protect them |
//! | `page.rs` | [`Page`] and [`Templates`] |
//! | `pages/` | one file for each page |
//! | `text.rs` | every word, in each language |
//! | `when.rs` | moments, as pages show them |
//! | `chart.rs` | what was counted, drawn |

mod answer;
mod chart;
mod csrf;
mod form;
mod page;
pub mod pages;
mod route;
mod site;
mod stop;
mod text;
mod visit;
mod when;

pub use page::{Choice, Figure, Frame, Link, NavItem, Page, Problem, Templates, Value};
pub use site::Console;
pub use text::Text;
pub use when::Moment;
