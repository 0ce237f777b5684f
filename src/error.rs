//! What can go wrong on our side. What is wrong with a request has an enum at its endpoint.

use crate::entropy::EntropyError;
use crate::store::StoreError;

/// Has an error say its sentence in its `Debug` form, too: that is what a `main` shows that ends in it.
macro_rules! debug_in_words {
    ($error:ty) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use debug_in_words;

/// The server could not do what was right to do. The request may be repeated; nothing was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The store cannot be reached, is full, or is read-only: 503 with `Retry-After`.
    #[error("the store is unavailable")]
    Unavailable,
    /// It is not known whether a commit happened: 503 with `Retry-After`.
    #[error("the outcome of a commit is in doubt")]
    InDoubt,
    /// Others changed the same records again and again: 503 with `Retry-After`.
    #[error("too many requests change the same records")]
    Contended,
    /// A record cannot be read: 500.
    #[error("a record cannot be read")]
    Corrupt,
    /// The authorization server elsewhere refuses to answer this resource server, or answers what cannot be read: 500.
    #[error("the authorization server gave no answer that can be used")]
    Upstream,
    /// The operating system gave no randomness: 500.
    #[error("there is no randomness")]
    Entropy,
}

impl Failure {
    /// Whether the same request may succeed later.
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::Unavailable | Self::InDoubt | Self::Contended)
    }
}

impl From<EntropyError> for Failure {
    fn from(EntropyError: EntropyError) -> Self {
        Self::Entropy
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::InDoubt(_) => Self::InDoubt,
            StoreError::Corrupt(_) => Self::Corrupt,
        }
    }
}
