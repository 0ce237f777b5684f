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
//! | people who administrate, or look after their own access | pages for them | `console::Console` (feature `console`) |
//! | an API in another process | the same, by asking | [`resource::Introspection`] |
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
//! The [guides](guide) begin with [ten minutes](guide::ten_minutes).
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `actix` | `actix::service` and the extractor [`resource::Bearer`] | no |
//! | `api` | `api::ManagementApi`: clients, grants and personal tokens as JSON over HTTP | no |
//! | `axum` | [`axum::router`] and the extractor [`resource::Bearer`] | no |
//! | `console` | `console`: pages for administrators and users: API clients, connected apps, access tokens | no |
//! | `encryption` | `store::EncryptingStore`: payloads sealed with keys of the host | no |
//! | `fetch` | `fetch::HttpsFetch`: client ID metadata documents over hyper and rustls; needs tokio and a C compiler | no |
//! | `metrics` | requests, tokens issued, refusals by reason and calls of the store, counted and timed through the `metrics` facade | no |
//! | `tracing` | events as `tracing` events, and a span for each request and call of the store | no |
//! | `postgres` | `store::PostgresStore` | no |
//! | `qr` | `qr::QrCode`: addresses for a device to show, as SVG and for a terminal | no |
//! | `redis` | `store::RedisStore`, on one server or in a Cluster | no |
//! | `sqlite` | `store::SqliteStore`: records in a file; needs a C compiler | no |
//! | `store-tests` | `store::kit`, for authors of stores | no |
//! | `testing` | `testing::TestServer`: the real engine inside a test | no |
//! | `tower` | `tower::service`, for hyper | no |

pub mod access;
mod activity;
#[cfg(feature = "api")]
pub mod api;
mod builder;
pub mod client;
mod client_id_metadata;
pub mod clock;
mod config;
#[cfg(feature = "console")]
pub mod console;
mod context;
mod device;
mod endpoint;
#[cfg(feature = "__engine")]
#[doc(hidden)]
pub mod engine;
pub mod entropy;
mod error;
pub mod event;
mod extension;
pub mod fetch;
mod grant;
pub mod guide;
mod http;
mod id;
mod interaction;
pub mod limit;
pub mod manage;
mod observe;
pub mod pages;
mod preset;
#[cfg(feature = "qr")]
pub mod qr;
pub mod refusal;
mod registration;
pub mod resource;
mod rights;
pub mod secret;
mod server;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
pub mod wire;

#[cfg(feature = "actix")]
pub use self::http::actix;
#[cfg(feature = "axum")]
pub use self::http::axum;
#[cfg(feature = "tower")]
pub use self::http::tower;
pub use self::http::{Dialect, Host, Outcome, SignIn, SignedIn, Site, WholeBody};
/// The attribute of the crate `async-trait`, with which the traits of this crate are declared and implemented.
pub use async_trait::async_trait;
pub use builder::Builder;
pub use client_id_metadata::ClientIdMetadata;
pub use config::{
    AccessTokenRevocation, ConfigError, Lifetimes, Limits, OmittedRedirectUri, RedirectUriAtTokenEndpoint,
    ResourceDefinition, ScopeDefinition,
};
pub use device::DeviceAuthorization;
pub use endpoint::{Approval, ConsentNeed, DeviceDecision};
pub use error::Failure;
pub use extension::{
    Claim, ClientAuthentication, ClientAuthenticationRequest, ExtensionGrant, ExtensionMember, ExtensionRequest, Issue,
    TokenFormat,
};
pub use id::{ClientId, GrantId, Subject};
pub use interaction::{PendingAuthorization, PendingDevice, Prompt, ResponseMode, Suspended};
pub use preset::Preset;
pub use registration::{DynamicRegistration, RegisteredBy, RegistrationPolicy, RegistrationRequest};
pub use resource::{Require, Verified};
pub use rights::Rights;
pub use server::AuthorizationServer;
