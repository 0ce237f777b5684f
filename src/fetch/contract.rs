//! What is asked of whoever fetches.

use async_trait::async_trait;

use crate::refusal::FetchError;

/// Fetches what a stranger's URL names.
///
/// # Contract
///
/// One `GET`, without cookies or credentials, with `Accept: application/json` and no `Accept-Encoding`.
///
/// 1. **Resolved once.** The host is resolved once; if any of its addresses is for special use
///    ([`is_special_use`](super::is_special_use)), nothing is sent. The connection goes to one of these very addresses,
///    so that a name that answers otherwise the second time gains nothing.
/// 2. **No redirects.** Any status but 200 is an error.
/// 3. **No more than was asked for.** Reading stops at [`limit`](FetchRequest::limit) bytes, whatever the answer says of
///    its length. A `Content-Encoding` is an error.
/// 4. **In time.** Connecting, waiting and reading together end after a few seconds, whatever trickles in.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// What is there, or why it could not be had.
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError>;
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct FetchRequest<'a> {
    /// Where: `https`, a host name in lower case, a path; no user name, query or fragment.
    pub url: &'a str,
    /// The most bytes that are read of the body.
    pub limit: usize,
}

impl<'a> FetchRequest<'a> {
    pub(crate) const fn new(url: &'a str, limit: usize) -> Self {
        Self { url, limit }
    }
}

/// What was fetched, with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The `Content-Type`, as it was sent.
    pub content_type: String,
    /// The `Cache-Control`, as it was sent, where it was.
    pub cache_control: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}
