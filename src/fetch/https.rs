//! Fetching over hyper and rustls, on tokio (feature `fetch`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio_rustls::TlsConnector;

use super::connection::{self, Broken, Connection};
use super::{Fetch, FetchRequest, Fetched, is_special_use};
use crate::refusal::FetchError;

/// Fetches by HTTP/1.1 over TLS, trusting the certificates that the system trusts. Needs a tokio runtime.
///
/// The host is resolved once, by the system; each of its addresses must be of the public internet
/// ([`is_special_use`]), and the connection goes to one of them.
///
/// ```no_run
/// use grantor::ClientIdMetadata;
/// use grantor::fetch::HttpsFetch;
///
/// let documents = ClientIdMetadata::new(HttpsFetch::new()?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpsFetch {
    tls: TlsConnector,
    time: Duration,
    allowed: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    plain: bool,
}

impl HttpsFetch {
    /// With the certificates that the system trusts.
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be read.
    pub fn new() -> Result<Self, std::io::Error> {
        connection::system_tls().map(Self::over)
    }

    /// With these certificates (PEM) in place of those that the system trusts: for a private network with an authority of
    /// its own.
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be read.
    pub fn trusting(pem: &[u8]) -> Result<Self, std::io::Error> {
        connection::tls_trusting(pem).map(Self::over)
    }

    fn over(tls: TlsConnector) -> Self {
        let allowed = Arc::new(|address| !is_special_use(address));
        Self { tls, time: Duration::from_secs(5), allowed, plain: false }
    }

    /// How long a fetch may take in all. Default 5 seconds.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Lets addresses for special use be fetched from, if this says so: for documents in a private network. Whoever
    /// can name a URL can then make the server speak to these addresses.
    #[must_use]
    pub fn danger_allow_addresses(self, allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { allowed: Arc::new(move |address| !is_special_use(address) || allowed(address)), ..self }
    }

    /// Lets `http` URLs be fetched from this machine, for tests and development; see
    /// [`ClientIdMetadata::danger_allow_loopback_http`](crate::ClientIdMetadata::danger_allow_loopback_http).
    #[must_use]
    pub fn danger_allow_loopback_http(self) -> Self {
        Self { plain: true, ..self.danger_allow_addresses(|address| address.is_loopback()) }
    }

    async fn get(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let uri: http::Uri = request.url.parse().map_err(|_| FetchError::Malformed)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.plain => false,
            _ => return Err(FetchError::Blocked),
        };
        let host = uri.host().ok_or(FetchError::Malformed)?;
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = self.resolve(host, port).await?;
        // What may be spoken without TLS is this machine alone, whatever else is allowed.
        if !secure && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(FetchError::Blocked);
        }
        let authority = uri.authority().map(http::uri::Authority::as_str).ok_or(FetchError::Malformed)?;
        let sent = Request::get(uri.path())
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("grantor/", env!("CARGO_PKG_VERSION")))
            .body(String::new())
            .map_err(|_| FetchError::Malformed)?;
        let mut connection = Connection::open(&addresses, secure.then_some((&self.tls, host))).await?;
        read(connection.send(sent).await?, request.limit).await
    }

    /// The addresses of a host, all of which may be spoken to.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
        let addresses = connection::resolve(host, port).await?;
        // One among them that may not is a name that plays games.
        if addresses.iter().any(|address| !(self.allowed)(address.ip())) {
            return Err(FetchError::Blocked);
        }
        Ok(addresses)
    }
}

impl std::fmt::Debug for HttpsFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsFetch").field("time", &self.time).field("plain", &self.plain).finish_non_exhaustive()
    }
}

#[async_trait]
impl Fetch for HttpsFetch {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        tokio::time::timeout(self.time, self.get(request)).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<Fetched, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let headers = response.headers();
    // Nothing was asked for but the thing itself.
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(FetchError::Malformed);
    }
    let content_type = only(headers, &CONTENT_TYPE)?.unwrap_or_default();
    let cache_control = only(headers, &CACHE_CONTROL)?;
    let body = connection::collect(response.into_body(), limit).await?;
    Ok(Fetched { content_type, cache_control, body })
}

/// A header, with all its lines in one.
fn only(headers: &HeaderMap, name: &http::HeaderName) -> Result<Option<String>, FetchError> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        lines.push(line.to_str().map_err(|_| FetchError::Malformed)?);
    }
    Ok(if lines.is_empty() { None } else { Some(lines.join(", ")) })
}

impl From<Broken> for FetchError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unreachable => Self::Unreachable,
            Broken::Malformed => Self::Malformed,
            Broken::TooLarge => Self::TooLarge,
        }
    }
}
