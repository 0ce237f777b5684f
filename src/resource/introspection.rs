//! Verifying tokens of an authorization server elsewhere, by asking it (RFC 7662).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use super::described::{Described, ServerMetadata, Useless};
use super::kept::Kept;
use super::{Challenge, Require, Verified, bearer};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::Failure;
use crate::refusal::{Dead, VerifyError};
use crate::wire::form::encode_component;
use crate::wire::uri::Issuer;

/// The longest answer that is read, in bytes.
pub(super) const MAX_ANSWER: usize = 64 * 1024;

/// The longest that an answer may be kept.
const MAX_KEPT: Duration = Duration::from_secs(300);

/// Sends a request to the authorization server: `HttpsTransport` (feature `fetch`), or the host's own HTTP client. It should
/// have a timeout, verify certificates, follow no redirects, and read no more than 64 KiB.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// The response, whatever its status.
    async fn send(&self, request: Request<String>) -> Result<Response<String>, TransportError>;
}

/// The authorization server could not be reached, or did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the authorization server cannot be reached")]
pub struct TransportError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl TransportError {
    /// Because of this.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// A resource server's view of an authorization server elsewhere: whether a token counts is asked of it, with the
/// credentials of a client that is registered there as a resource server.
///
/// Cloning it is cheap, and clones share what they keep.
///
/// Every token is asked for, unless [`keep_for`](Self::keep_for) says otherwise.
#[derive(Clone)]
pub struct Introspection {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    endpoint: http::Uri,
    issuer: Option<String>,
    authorization: HeaderValue,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    kept: Option<Arc<Kept>>,
}

/// Why the endpoint could not be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The issuer is not one, or the endpoint is no URL.
    #[error("not the URL of an authorization server")]
    Url,
    /// The server cannot be reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// There is no metadata, or what there is cannot be read or names another issuer (RFC 8414 §3.3).
    #[error("the server has no metadata that can be used")]
    Metadata,
    /// The metadata names no introspection endpoint.
    #[error("the server has no introspection endpoint")]
    NoEndpoint,
}

impl Introspection {
    /// Asks at this endpoint, as this client.
    pub fn at(
        endpoint: &str,
        client_id: &str,
        client_secret: &str,
        transport: impl Transport,
    ) -> Result<Self, DiscoveryError> {
        Self::with(endpoint, None, client_id, client_secret, Arc::new(transport))
    }

    /// Finds the endpoint in the metadata of the issuer (RFC 8414 §3), and takes no token of another.
    pub async fn discover(
        issuer: &str,
        client_id: &str,
        client_secret: &str,
        transport: impl Transport,
    ) -> Result<Self, DiscoveryError> {
        let url = Issuer::parse(issuer).map_err(|_| DiscoveryError::Url)?.well_known("oauth-authorization-server");
        let request = Request::get(url).header(ACCEPT, "application/json").body(String::new());
        let response = transport.send(request.map_err(|_| DiscoveryError::Url)?).await?;
        if response.status() != StatusCode::OK || response.body().len() > MAX_ANSWER {
            return Err(DiscoveryError::Metadata);
        }
        let metadata: ServerMetadata = serde_json::from_str(response.body()).map_err(|_| DiscoveryError::Metadata)?;
        if metadata.issuer != issuer {
            return Err(DiscoveryError::Metadata);
        }
        let endpoint = metadata.introspection_endpoint.ok_or(DiscoveryError::NoEndpoint)?;
        Self::with(&endpoint, Some(metadata.issuer), client_id, client_secret, Arc::new(transport))
    }

    fn with(
        endpoint: &str,
        issuer: Option<String>,
        client_id: &str,
        client_secret: &str,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, DiscoveryError> {
        let endpoint: http::Uri = endpoint.parse().map_err(|_| DiscoveryError::Url)?;
        if endpoint.authority().is_none() {
            return Err(DiscoveryError::Url);
        }
        let mut both = String::new();
        encode_component(&mut both, client_id);
        both.push(':');
        encode_component(&mut both, client_secret);
        let both = zeroize::Zeroizing::new(both);
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(both.as_bytes())))
            .map_err(|_| DiscoveryError::Url)?;
        authorization.set_sensitive(true);
        let clock = Arc::new(SystemClock);
        Ok(Self { inner: Arc::new(Inner { endpoint, issuer, authorization, transport, clock, kept: None }) })
    }

    /// Keeps the answer that a token counts for so long (5 minutes at most), and never past the token's expiry. A token
    /// that is revoked may still count here until then. Answers that a token does not count are not kept. At most some
    /// 16,000 answers are.
    #[must_use]
    pub fn keep_for(self, at_most: Duration) -> Self {
        let kept = (at_most > Duration::ZERO).then(|| Arc::new(Kept::new(at_most.min(MAX_KEPT))));
        Self { inner: Arc::new(Inner { kept, ..Inner::clone(&self.inner) }) }
    }

    /// What time it is; for tests.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { inner: Arc::new(Inner { clock, ..Inner::clone(&self.inner) }) }
    }

    /// Asks whether a token counts, and compares it with what is required.
    pub async fn verify(&self, token: &str, require: Require<'_>) -> Result<Verified, VerifyError> {
        let now = self.inner.clock.now();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let kept = self.inner.kept.as_ref().and_then(|kept| kept.get(&digest, now));
        if let Some(told) = kept {
            told.satisfies(require, now)?;
            return Ok(Verified::told(told));
        }
        let told = Arc::new(self.ask(token, now).await?);
        if let Some(kept) = &self.inner.kept {
            kept.keep(digest, &told, now);
        }
        told.satisfies(require, now)?;
        Ok(Verified::told(told))
    }

    /// The same for the token in an HTTP request (RFC 6750 §2.1); a refusal is ready to be sent.
    pub fn check<B>(
        &self,
        request: &Request<B>,
        require: Require<'_>,
    ) -> impl Future<Output = Result<Verified, Challenge>> + Send {
        self.check_head(request.headers(), request.uri(), require)
    }

    pub(crate) async fn check_head(
        &self,
        headers: &http::HeaderMap,
        uri: &http::Uri,
        require: Require<'_>,
    ) -> Result<Verified, Challenge> {
        let verified = match bearer::presented(headers, uri) {
            Ok(token) => self.verify(token, require).await,
            Err(error) => Err(error),
        };
        verified.map_err(|error| Challenge::new(error, require))
    }

    async fn ask(&self, token: &str, now: Timestamp) -> Result<super::verify::Told, VerifyError> {
        let inner = &*self.inner;
        let mut body = String::from("token_type_hint=access_token&token=");
        encode_component(&mut body, token);
        let request = Request::post(inner.endpoint.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, inner.authorization.clone())
            .body(body)
            .map_err(|_| Failure::Upstream)?;
        let response = inner.transport.send(request).await.map_err(|_| Failure::Unavailable)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => return Err(Failure::Unavailable.into()),
            status if status.is_server_error() => return Err(Failure::Unavailable.into()),
            _ => return Err(Failure::Upstream.into()),
        }
        let readable = response.body().len() <= MAX_ANSWER;
        let described = readable.then(|| Described::read(response.body())).flatten().ok_or(Failure::Upstream)?;
        described.into_told(inner.issuer.as_deref(), now).map_err(|useless| {
            VerifyError::Dead(match useless {
                Useless::Unknown => Dead::Unknown,
                Useless::Expired => Dead::Expired,
            })
        })
    }
}

impl std::fmt::Debug for Introspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Introspection").field("endpoint", &self.inner.endpoint).finish_non_exhaustive()
    }
}
