//! Which requests came, and what became of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::Fault;
use crate::clock::Timestamp;
use crate::wire::form::Form;

/// A request that came. Its `Debug` output leaves out what may be a secret; the fields have it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// When, by the clock of the server.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its path, below that of the issuer: `/token`.
    pub path: String,
    /// Its query; empty where it has none.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The fault that was in its way.
    pub fault: Option<Fault>,
    /// What it was answered; `None` while it is not, or where the connection was reset.
    pub status: Option<StatusCode>,
}

impl RecordedRequest {
    pub(super) fn new(at: Timestamp, issuer_path: &str, parts: &Parts, body: Bytes) -> Self {
        let path = parts.uri.path();
        Self {
            at,
            method: parts.method.clone(),
            path: path.strip_prefix(issuer_path).unwrap_or(path).to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            body,
            fault: None,
            status: None,
        }
    }

    /// A parameter, of the body or else of the query; `None` where it has none of that name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let find = |text: &[u8]| Form::parse(text).ok()?.get(name).map(str::to_owned);
        find(&self.body).or_else(|| find(self.query.as_bytes()))
    }

    /// A header, as text; `None` where there is none of that name, or it is not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl std::fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.status {
            Some(status) => write!(f, " -> {}", status.as_u16())?,
            None => f.write_str(" -> none")?,
        }
        self.fault.as_ref().map_or(Ok(()), |fault| write!(f, " ({fault:?})"))
    }
}

/// All that came, in order.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How many were taken out before the first that is kept.
    taken: usize,
    requests: Vec<RecordedRequest>,
}

impl Log {
    /// Its number, by which it is found again.
    pub(super) fn begin(&self, request: RecordedRequest) -> usize {
        let mut kept = self.lock();
        kept.requests.push(request);
        kept.taken.saturating_add(kept.requests.len())
    }

    pub(super) fn end(&self, number: usize, status: Option<StatusCode>) {
        let mut kept = self.lock();
        let at = number.checked_sub(kept.taken).and_then(|place| place.checked_sub(1));
        if let Some(request) = at.and_then(|at| kept.requests.get_mut(at)) {
            request.status = status;
        }
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.lock().requests.clone()
    }

    pub(super) fn take(&self) -> Vec<RecordedRequest> {
        let mut kept = self.lock();
        kept.taken = kept.taken.saturating_add(kept.requests.len());
        std::mem::take(&mut kept.requests)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
