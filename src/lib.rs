//! An embeddable OAuth 2 authorization server.
//!
//! ```text
//!  http::Request ─▶ AuthorizationServer::handle ─▶ Outcome::Respond(http::Response)
//!                                               ├▶ Outcome::Interact { pending, .. } ─▶ approve / deny
//!                                               └▶ Outcome::NotMine(request)
//!  inside: parse ─▶ load, one round trip ─▶ authenticate ─▶ decide, pure ─▶ commit, one atomic step ─▶ respond
//! ```
//!
//! | you have | you want | begin with |
//! |---|---|---|
//! | an axum application | endpoints and pages in one line | [`axum::router`] (feature `axum`) |
//! | any framework over the types of the `http` crate | endpoints and pages | [`Site::handle`] |
//! | any framework, and your own pages | endpoints, and a question when a user must decide | [`AuthorizationServer::handle`] |
//! | an API in the same process | to know whether a token is good | [`AuthorizationServer::check`], [`AuthorizationServer::verify`] |
//!
//! ```
//! use grantor::store::MemoryStore;
//! use grantor::AuthorizationServer;
//!
//! let server = AuthorizationServer::builder("https://auth.example.com")
//!     .store(MemoryStore::new())
//!     .default_scope("read", "Read your data")
//!     .scope("write", "Change your data")
//!     .build()?;
//! # Ok::<(), grantor::ConfigError>(())
//! ```
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `axum` | [`axum::router`] | no |
//! | `console` | `console`: pages for administrators and users: API clients, connected apps, access tokens | no |
//! | `encryption` | `store::EncryptingStore`: payloads sealed with keys of the host | no |
//! | `tracing` | events as `tracing` events | no |
//! | `postgres` | `store::PostgresStore` | no |
//! | `sqlite` | `store::SqliteStore`: records in a file; needs a C compiler | no |
//! | `store-tests` | `store::kit`, for authors of stores | no |

pub mod access;
mod builder;
pub mod client;
pub mod clock;
mod config;
#[cfg(feature = "console")]
pub mod console;
mod context;
mod endpoint;
pub mod entropy;
mod error;
pub mod event;
mod extension;
mod grant;
mod http;
mod id;
mod interaction;
pub mod manage;
pub mod pages;
pub mod refusal;
pub mod resource;
mod rights;
pub mod secret;
mod server;
pub mod store;
mod token;
pub mod wire;

#[cfg(feature = "axum")]
pub use self::http::axum;
pub use self::http::{Host, Outcome, SignIn, SignedIn, Site};
pub use builder::Builder;
pub use config::{
    AccessTokenRevocation, ConfigError, Lifetimes, Limits, OmittedRedirectUri, RedirectUriAtTokenEndpoint,
    ResourceDefinition, ScopeDefinition,
};
pub use endpoint::{Approval, ConsentNeed};
pub use error::Failure;
pub use extension::{ExtensionGrant, ExtensionRequest, Issue};
pub use id::{ClientId, GrantId, Subject};
pub use interaction::{PendingAuthorization, Prompt, ResponseMode, Suspended};
pub use resource::{Require, Verified};
pub use rights::Rights;
pub use server::AuthorizationServer;
