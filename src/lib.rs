//! An embeddable OAuth 2 authorization server.

pub mod clock;
pub mod entropy;
pub mod event;
mod id;
pub mod secret;
pub mod store;
pub mod wire;

pub use id::{ClientId, GrantId, Subject};
