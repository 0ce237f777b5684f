//! What a host adds to the server without changing it. Whatever would take the place of something that the server has
//! itself is refused when the server is built.
//!
//! | file | holds |
//! |---|---|
//! | `grant.rs` | [`ExtensionGrant`]: a grant type (RFC 6749 §4.5) |
//! | `client_authentication.rs` | [`ClientAuthentication`]: a way in which clients show who they are |
//! | `member.rs` | [`ExtensionMember`]: members of token and introspection responses |
//! | `parameter.rs` | parameters of authorization requests, which the server carries from the request to the grant |
//! | `token_format.rs` | [`TokenFormat`]: what access tokens look like |

mod client_authentication;
mod grant;
mod member;
pub(crate) mod parameter;
pub(crate) mod token_format;

pub use client_authentication::{Claim, ClientAuthentication, ClientAuthenticationRequest};
pub(crate) use client_authentication::{Methods, Used, known_name};
pub use grant::{ExtensionGrant, ExtensionRequest, Issue};
pub use member::ExtensionMember;
pub(crate) use member::Members;
pub(crate) use parameter::Parameters;
pub use token_format::TokenFormat;
