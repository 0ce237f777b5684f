//! What a limit is asked, and what it may say.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::id::{ClientId, Subject};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limited {
    /// A request to the authorization endpoint.
    Authorize,
    /// A request to the token endpoint.
    Token,
    /// A request to the revocation endpoint.
    Revoke,
    /// A request to the introspection endpoint.
    Introspect,
    /// A request to the device authorization endpoint, which makes a user code.
    DeviceAuthorization,
    /// A request to the registration endpoint, or about a registration.
    Register,
    /// An attempt to find a device by its user code, right or wrong.
    UserCode,
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller<'a> {
    /// Whoever is at this address, if the host told it ([`PeerAddress`](super::PeerAddress)): of IPv6 the first 64
    /// bits, and never IPv4 in the dress of IPv6.
    Address(IpAddr),
    /// A client that has proved who it is. A public client proves nothing, and is counted by its address alone:
    /// else anybody could use up what is another's.
    Client(&'a ClientId),
    /// Somebody who is signed in.
    Subject(&'a Subject),
    /// All together.
    Everyone,
}

/// The kinds of [`Caller`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By {
    /// [`Caller::Address`].
    Address,
    /// [`Caller::Client`].
    Client,
    /// [`Caller::Subject`].
    Subject,
    /// [`Caller::Everyone`].
    Everyone,
}

impl Caller<'_> {
    /// Which kind this is.
    pub const fn by(&self) -> By {
        match self {
            Self::Address(_) => By::Address,
            Self::Client(_) => By::Client,
            Self::Subject(_) => By::Subject,
            Self::Everyone => By::Everyone,
        }
    }
}

/// There were too many: 429 with `Retry-After` (RFC 6585 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: try again after {retry_after:?}")]
pub struct TooMany {
    /// After which time the same will be let through, if nothing comes in between. On the wire it is whole seconds,
    /// rounded up, and at least one.
    pub retry_after: Duration,
}

/// Limits how often something is done.
///
/// One request is asked about once for each caller that is known of it: its address before anything is read, its client
/// once that has proved who it is, and the subject where somebody is signed in. Several servers that are to share their
/// counts need one that keeps them in a common place.
///
/// ```
/// use grantor::limit::{Caller, Limited, RateLimit, TooMany};
///
/// /// No introspection by strangers' networks, and no other limit.
/// struct Office;
///
/// #[grantor::async_trait]
/// impl RateLimit for Office {
///     async fn take(
///         &self,
///         what: Limited,
///         caller: Caller<'_>,
///         _now: grantor::clock::Timestamp,
///     ) -> Result<(), TooMany> {
///         match (what, caller) {
///             (Limited::Introspect, Caller::Address(address)) if !address.is_loopback() => {
///                 Err(TooMany { retry_after: std::time::Duration::from_secs(60) })
///             }
///             _ => Ok(()),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait RateLimit: Send + Sync + 'static {
    /// Counts one of `what` for `caller`, or says that there were too many. What is refused need not be counted.
    ///
    /// It must count and compare in one step, or many at once get through together. Where it cannot tell, it has to
    /// choose: to let all through, or nobody.
    ///
    /// # Errors
    ///
    /// [`TooMany`], with the time to wait.
    async fn take(&self, what: Limited, caller: Caller<'_>, now: Timestamp) -> Result<(), TooMany>;
}
