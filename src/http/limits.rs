//! How much of a request is read: enough for any that makes sense, and no more.

use std::pin::pin;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::StatusCode;
use http::request::Parts;
use http_body::Body;

/// The longest body, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// The longest query, in bytes.
const MAX_QUERY: usize = 32 * 1024;
/// The most header lines.
const MAX_HEADERS: usize = 100;
/// The longest header value, in bytes.
const MAX_HEADER: usize = 16 * 1024;

/// A request that is larger than the server reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooLarge {
    /// 414.
    Query,
    /// 431.
    Headers,
    /// 413.
    Body,
    /// The connection broke while the body was read: 400, which nobody will receive.
    Broken,
}

impl TooLarge {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Query => StatusCode::URI_TOO_LONG,
            Self::Headers => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

pub(crate) fn check(parts: &Parts) -> Result<(), TooLarge> {
    if parts.uri.query().is_some_and(|query| query.len() > MAX_QUERY) {
        return Err(TooLarge::Query);
    }
    let long = |value: &http::HeaderValue| value.len() > MAX_HEADER;
    if parts.headers.len() > MAX_HEADERS || parts.headers.values().any(long) {
        return Err(TooLarge::Headers);
    }
    Ok(())
}

/// Reads a body, whole, and stops as soon as it is too long. One that came in one piece is not copied.
pub(crate) async fn collect<B: Body>(body: B) -> Result<Bytes, TooLarge> {
    let declared = body.size_hint().lower();
    if declared > u64::try_from(MAX_BODY).unwrap_or(u64::MAX) {
        return Err(TooLarge::Body);
    }
    let mut body = pin!(body);
    let mut collected = Bytes::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(mut data) = frame.map_err(|_| TooLarge::Broken)?.into_data() else { continue };
        let length = data.remaining();
        if collected.len().saturating_add(length) > MAX_BODY {
            return Err(TooLarge::Body);
        }
        collected = if collected.is_empty() {
            data.copy_to_bytes(length)
        } else {
            let mut longer = BytesMut::from(collected);
            longer.put(data);
            longer.freeze()
        };
    }
    Ok(collected)
}
