//! The management API: everything of [`manage`](crate::manage) as JSON over HTTP, for programs (feature `api`).
//!
//! ```
//! use grantor::api::ManagementApi;
//! use grantor::store::MemoryStore;
//! use grantor::AuthorizationServer;
//!
//! let server = AuthorizationServer::builder("https://auth.example.com")
//!     .store(MemoryStore::new())
//!     .default_scope("read", "Read your data")
//!     .management_api(ManagementApi::new())
//!     .build()?;
//! # Ok::<(), grantor::ConfigError>(())
//! ```
//!
//! The first token for it comes from a client that your own program registers, with the scopes by name, since nobody
//! has them otherwise:
//!
//! ```
//! # use grantor::client::ClientMetadata;
//! # async fn first(server: grantor::AuthorizationServer) -> Result<(), Box<dyn std::error::Error>> {
//! let automation = ClientMetadata {
//!     client_name: "Automation".into(),
//!     grant_types: vec!["client_credentials".into()],
//!     scope: "grantor:clients:read grantor:clients:write".parse()?,
//!     ..ClientMetadata::default()
//! };
//! let made = server.clients().register(automation).await?; // once: its `secret` is shown here and never again
//! # let _ = made;
//! # Ok(())
//! # }
//! ```
//!
//! ```sh
//! curl -u CLIENT:SECRET -d grant_type=client_credentials -d scope=grantor:clients:read https://auth.example.com/token
//! curl -H "Authorization: Bearer TOKEN" https://auth.example.com/manage/v1/clients
//! ```
//!
//! It is served wherever the server is ([`AuthorizationServer::handle`](crate::AuthorizationServer::handle),
//! [`Site`](crate::Site), [`axum::router`](crate::axum::router)), below the issuer at `/manage/v1`, and describes itself
//! at `/manage/v1/openapi.json` (`OpenAPI` 3.1). What that document does not say:
//!
//! | | |
//! |---|---|
//! | who may | a token of the server itself, with the scope that the operation names; where it speaks for a user, [`Access`](crate::access::Access) is asked too, and without one they have what is their own alone |
//! | no way up | nobody makes, changes or gets a secret for a client with a `grantor:` scope that their own token lacks |
//! | creation | `Idempotency-Key` makes a creation that is sent again within a day answer what it answered before, secret included, and create nothing; a key is its caller's own, and serves one body |
//! | edits | `If-Match` with the `ETag` that was read; without it 428, after a change by others 412 |
//! | lists | `limit` (1 to 1,000; 50) and `cursor`; `next` in the answer, and in `Link`, is the next page |
//! | errors | problem details (RFC 9457), with a `code` that does not change |
//! | counts | of live grants, up to 1,000; of tokens issued and requests refused, as [`activity`](crate::manage::Clients::activity) says; a day is the moment at which it begins |
//! | moments | seconds since 1970; `null` for never |
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | [`ManagementApi`]: where it is mounted, and who decides |
//! | `operation.rs` | the operations: method, path, scope and documents of each |
//! | `serve.rs` | from a request to an operation |
//! | `call.rs` | what an operation is given: who calls, and whether they may |
//! | `clients.rs`, `registrations.rs`, `grants.rs`, `own.rs` | what the operations do |
//! | `input.rs`, `output.rs` | what requests hold, and what answers do |
//! | `idempotency.rs` | creations that are sent again |
//! | `problem.rs` | errors |
//! | `openapi.rs` | the document, made from the operations |

mod call;
mod clients;
mod config;
mod grants;
mod idempotency;
mod input;
mod openapi;
mod operation;
mod output;
mod own;
mod problem;
mod registrations;
mod serve;

pub use config::ManagementApi;
pub(crate) use config::Mounted;
pub(crate) use operation::SCOPES;
pub(crate) use problem::too_large;
pub(crate) use serve::serve;
