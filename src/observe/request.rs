//! What one request came to, and how long it took.

use http::StatusCode;

#[cfg(feature = "metrics")]
use crate::clock::Stopwatch;

/// What a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was answered as asked.
    Done,
    /// The host must ask somebody.
    Interact,
    /// It was refused.
    Refused,
    /// There were too many.
    Limited,
    /// The server could not do it.
    Failed,
}

impl Came {
    pub(crate) fn to(status: StatusCode) -> Self {
        match status.as_u16() {
            429 => Self::Limited,
            400..=499 => Self::Refused,
            500.. => Self::Failed,
            _ => Self::Done,
        }
    }

    #[cfg(any(feature = "metrics", feature = "tracing"))]
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Interact => "interact",
            Self::Refused => "refused",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}

/// Does the work of a request in a span of its own, and counts what it came to.
pub(crate) async fn watched<T>(
    endpoint: &'static str,
    work: impl Future<Output = T>,
    came: impl FnOnce(&T) -> Came,
) -> T {
    #[cfg(feature = "metrics")]
    let began = Stopwatch::start();
    #[cfg(feature = "tracing")]
    let span = tracing::info_span!(
        target: "grantor",
        "grantor.request",
        endpoint,
        grant_type = tracing::field::Empty,
        outcome = tracing::field::Empty,
        reason = tracing::field::Empty,
    );
    #[cfg(feature = "tracing")]
    let done = tracing::Instrument::instrument(work, span.clone()).await;
    #[cfg(not(feature = "tracing"))]
    let done = work.await;
    let came = came(&done);
    #[cfg(feature = "tracing")]
    span.record("outcome", came.as_str());
    #[cfg(feature = "metrics")]
    super::metrics::request(endpoint, came.as_str(), began.elapsed());
    #[cfg(not(any(feature = "metrics", feature = "tracing")))]
    let _ = (endpoint, came);
    done
}

/// Tells the span which grant type the request is for: one that the server has, never a client's own words.
pub(crate) fn grant_type(known: &str) {
    #[cfg(feature = "tracing")]
    tracing::Span::current().record("grant_type", known);
    #[cfg(not(feature = "tracing"))]
    let _ = known;
}

/// Tells the span why the request is refused.
#[cfg(feature = "tracing")]
pub(super) fn reason(event: &crate::event::Event) {
    if let Some((_, reason)) = super::label::refusal(event) {
        tracing::Span::current().record("reason", reason);
    }
}
