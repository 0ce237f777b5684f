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

/// A request while it is worked on: in a span of its own, with the time it takes.
///
/// Not a function that is given the work: its future would hold the work twice, before it begins and while it goes on.
pub(crate) struct Watch {
    #[cfg(feature = "metrics")]
    endpoint: &'static str,
    #[cfg(feature = "metrics")]
    began: Stopwatch,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Watch {
    #[cfg_attr(not(any(feature = "metrics", feature = "tracing")), expect(unused_variables, reason = "nobody is told"))]
    pub(crate) fn begin(endpoint: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            endpoint,
            #[cfg(feature = "metrics")]
            began: Stopwatch::start(),
            #[cfg(feature = "tracing")]
            span: tracing::info_span!(
                target: "grantor",
                "grantor.request",
                endpoint,
                grant_type = tracing::field::Empty,
                outcome = tracing::field::Empty,
                reason = tracing::field::Empty,
            ),
        }
    }

    /// The work, in the span.
    #[cfg(feature = "tracing")]
    pub(crate) fn during<W: Future>(&self, work: W) -> tracing::instrument::Instrumented<W> {
        tracing::Instrument::instrument(work, self.span.clone())
    }

    /// The work.
    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "with `tracing` there is a span")]
    pub(crate) const fn during<W: Future>(&self, work: W) -> W {
        work
    }

    /// Counts what it came to.
    pub(crate) fn end(self, came: Came) {
        #[cfg(feature = "tracing")]
        self.span.record("outcome", came.as_str());
        #[cfg(feature = "metrics")]
        super::metrics::request(self.endpoint, came.as_str(), self.began.elapsed());
        #[cfg(not(any(feature = "metrics", feature = "tracing")))]
        let _ = (self, came);
    }
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
