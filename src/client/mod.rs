//! Who is calling: what is registered of a client, and how it proves that it is the one.
//!
//! | file | holds |
//! |---|---|
//! | `metadata.rs` | [`ClientMetadata`], by its RFC 7591 names, and the rules it must keep |
//! | `described.rs` | the same as a client writes it of itself |
//! | `redirect.rs` | redirect URIs: what may be registered, and what matches a registration |
//! | `record.rs` | [`Client`] as it is kept, with the digests of its secrets |
//! | `presented.rs` | a claim to be a client |
//! | `credentials.rs` | the one claim in a request, by whichever method |
//! | `secret_basic.rs`, `secret_post.rs`, `public.rs` | one file per authentication method |
//! | `authenticate.rs` | [`AuthenticatedClient`], which nothing else makes |
//! | `initial_access.rs` | a token with which clients are registered |
//! | `last_used.rs` | noting when a secret was last used, without a write per request |

mod authenticate;
mod credentials;
mod described;
mod initial_access;
mod last_used;
mod metadata;
mod presented;
mod public;
mod record;
mod redirect;
mod secret_basic;
mod secret_post;

pub use authenticate::AuthenticatedClient;
pub(crate) use authenticate::authenticate;
pub(crate) use credentials::presented;
pub(crate) use described::{Described, DescriptionError, Software};
pub(crate) use initial_access::InitialAccess;
pub(crate) use last_used::{RecentUses, mark as use_mark, note as note_use};
pub(crate) use metadata::Known;
pub use metadata::{ApplicationType, AuthMethod, ClientMetadata, Consent, MetadataError, RefreshRotation};
pub(crate) use presented::{Presented, Proof};
pub use record::{Client, ClientSecret, Origin};
pub(crate) use record::{OwnAccount, StoredSecret, decode};
pub use redirect::{RedirectUriError, VerifiedRedirectUri};
pub(crate) use redirect::{Unmatched, verify as verify_redirect_uri};
