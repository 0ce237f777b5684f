//! Why a change could not be made.

use crate::client::MetadataError;
use crate::error::Failure;
use crate::store::Committed;

/// A change that could not be made; nothing was changed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManageError {
    /// There is no such thing, or no longer.
    #[error("there is no such thing")]
    NotFound,
    /// Somebody changed it since it was read: read it again.
    #[error("it was changed meanwhile")]
    Changed,
    /// The client identifier is taken, perhaps by a client that was deleted and whose tokens have not all expired.
    #[error("the client identifier is taken")]
    Taken,
    /// A client identifier must be 1 to 512 printable ASCII characters, and not begin with `https://`.
    #[error("a client identifier must be 1 to 512 printable ASCII characters, and not a URL")]
    ClientId,
    /// A secret must be 16 to 512 printable ASCII characters.
    #[error("a client secret must be 16 to 512 printable ASCII characters")]
    Secret,
    /// A public client has no secret.
    #[error("a client that authenticates by none has no secret")]
    PublicClient,
    /// A client may have at most 10 secrets.
    #[error("a client may have at most 10 secrets")]
    TooManySecrets,
    /// A label must be at most 200 characters, none of them control characters.
    #[error("a label must be at most 200 characters")]
    Label,
    /// The name of a personal token must be 1 to 100 characters, none of them control characters, without space around
    /// it.
    #[error("a name must be 1 to 100 characters, without space around it")]
    Name,
    /// The resource owner has a personal token of this name.
    #[error("there is a personal token of this name")]
    NameTaken,
    /// A personal token may not have this scope, or none at all.
    #[error("a personal token may not have this scope")]
    ScopeNotAllowed,
    /// A personal token may not live this long.
    #[error("a personal token may not live this long")]
    LifetimeNotAllowed,
    /// The resource owner has as many personal tokens as they may.
    #[error("there are as many personal tokens as there may be")]
    TooManyTokens,
    /// Nothing is issued for this resource owner, for they were deactivated, or no personal tokens to anybody.
    #[error("nothing is issued for this resource owner")]
    Inactive,
    /// An initial access token must be good for one use at least.
    #[error("an initial access token must be good for one use at least")]
    Uses,
    /// The client is described by a document of its own, which would undo the change: have a policy say it instead.
    #[error("the client is described by a document of its own")]
    Document,
    /// The metadata cannot be registered.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

crate::error::debug_in_words!(ManageError);

/// A change on condition that nothing was changed meanwhile.
pub(crate) fn settle(committed: Committed) -> Result<(), ManageError> {
    match committed {
        Committed::Applied => Ok(()),
        Committed::Refused(_) => Err(ManageError::Changed),
    }
}
