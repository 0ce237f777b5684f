//! What can go wrong, when a test asks for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::RecordedRequest;
use crate::wire::error::ErrorCode;

/// What goes wrong. Give it to [`TestServer::inject`](super::TestServer::inject) as it is for the next request, or say
/// for which: [`times`](Self::times), [`on`](Self::on), [`when`](Self::when).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This OAuth error, in the way of the endpoint: to the client's redirect URI from the authorization endpoint, if
    /// the request is a valid one; else JSON with the status that belongs to the code. Nothing else happens.
    Error(ErrorCode),
    /// 500, and nothing happened.
    ServerError,
    /// 503 with `Retry-After: 1`, and nothing happened.
    Unavailable,
    /// 503 with `Retry-After: 1`, and it happened all the same: a commit in doubt.
    UnavailableAfter,
    /// This status and this body, whatever it is, and nothing happened.
    Answer(StatusCode, String),
    /// The right answer, so much later by the clock of tokio, which a test may have paused.
    Slow(Duration),
    /// No answer, ever, and nothing happens: the client must give up by itself.
    Silence,
    /// The connection is reset before anything happened.
    ResetBefore,
    /// Everything happens, and then the connection is reset: what was issued or spent is, and nobody was told.
    ResetAfter,
    /// The right answer, but for the issuer in it: `iss` of an authorization response (RFC 9207) or of introspection,
    /// `issuer` of the metadata.
    WrongIssuer,
    /// The access token that is issued is addressed to another resource; in an introspection response, `aud`.
    WrongAudience,
    /// The access token that is issued has expired, whatever `expires_in` says.
    ExpiredToken,
    /// The access token that is issued counts only from an hour later.
    NotYetValidToken,
}

impl Fault {
    /// For the next `count` requests.
    pub fn times(self, count: usize) -> Injection {
        Injection { left: count, ..self.into() }
    }

    /// For every request, until [`TestServer::clear_faults`](super::TestServer::clear_faults).
    pub fn always(self) -> Injection {
        self.times(usize::MAX)
    }

    /// For the next request to this path, below the issuer: `/token`.
    pub fn on(self, path: &str) -> Injection {
        Injection::from(self).on(path)
    }

    /// For the next request of which this is true.
    pub fn when(self, predicate: impl Fn(&RecordedRequest) -> bool + Send + Sync + 'static) -> Injection {
        Injection::from(self).when(predicate)
    }
}

type Predicate = Arc<dyn Fn(&RecordedRequest) -> bool + Send + Sync>;

/// A fault, and the requests that it is for. See [`Fault`].
#[derive(Clone)]
#[must_use = "a fault happens when it is injected"]
pub struct Injection {
    pub(super) fault: Fault,
    pub(super) left: usize,
    pub(super) path: Option<String>,
    predicate: Option<Predicate>,
}

impl std::fmt::Debug for Injection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Injection")
            .field("fault", &self.fault)
            .field("left", &self.left)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl From<Fault> for Injection {
    fn from(fault: Fault) -> Self {
        Self { fault, left: 1, path: None, predicate: None }
    }
}

impl Injection {
    /// For the next `count` requests that it is for.
    pub fn times(self, count: usize) -> Self {
        Self { left: count, ..self }
    }

    /// Only for requests to this path, below the issuer: `/token`.
    pub fn on(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// Only for requests of which this is true.
    pub fn when(self, predicate: impl Fn(&RecordedRequest) -> bool + Send + Sync + 'static) -> Self {
        Self { predicate: Some(Arc::new(predicate)), ..self }
    }

    fn is_for(&self, request: &RecordedRequest) -> bool {
        self.path.as_deref().is_none_or(|path| request.path == path)
            && self.predicate.as_ref().is_none_or(|predicate| predicate(request))
    }
}

/// The faults that wait for their request, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Injection>>);

impl Faults {
    pub(super) fn add(&self, injection: Injection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(injection);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault for this request, which has then happened once more.
    pub(super) fn take(&self, request: &RecordedRequest) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|injection| injection.left > 0);
        let found = waiting.iter_mut().find(|injection| injection.is_for(request))?;
        if found.left != usize::MAX {
            found.left = found.left.saturating_sub(1);
        }
        Some(found.fault.clone())
    }
}

/// The connection was reset, because a [`Fault`] said so: there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was reset, as the test asked for")]
pub struct ConnectionReset;
