//! A token that does not count.

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dead {
    /// There is no such token, or it was never one.
    #[error("unknown")]
    Unknown,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It was good for one use, and that was made.
    #[error("spent")]
    Spent,
    /// It was revoked.
    #[error("revoked")]
    Revoked,
    /// Its grant was revoked, or what its code hangs on was withdrawn.
    #[error("its grant was revoked")]
    GrantRevoked,
    /// Its client was deactivated or deleted, now or since.
    #[error("its client is not active")]
    ClientInactive,
    /// Its resource owner was deactivated, now or since.
    #[error("its resource owner is not active")]
    SubjectInactive,
    /// Its record cannot be read by this version.
    #[error("its record cannot be read")]
    Unreadable,
}
