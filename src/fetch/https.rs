//! Fetching over hyper and rustls, on tokio (feature `fetch`).

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Buf as _;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Fetch, FetchRequest, Fetched, is_special_use};
use crate::refusal::FetchError;

/// How many of a host's addresses are tried.
const MOST_ADDRESSES: usize = 3;
/// The most bytes of the answer's headers.
const MOST_HEADERS: usize = 16 * 1024;

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
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(std::io::Error::other(format!("certificates to trust: {why}")));
        }
        Self::with_roots(roots)
    }

    fn with_roots(roots: RootCertStore) -> Result<Self, std::io::Error> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            time: Duration::from_secs(5),
            allowed: Arc::new(|address| !is_special_use(address)),
            plain: false,
        })
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
        let stream = connect(&addresses).await?;
        if !secure {
            // What may be spoken without TLS is this machine alone, whatever else is allowed.
            let local = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
            return if local { exchange(stream, &uri, request.limit).await } else { Err(FetchError::Blocked) };
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchError::Malformed)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| FetchError::Unreachable)?;
        exchange(stream, &uri, request.limit).await
    }

    /// The addresses of a host, all of which may be spoken to.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| FetchError::Unreachable)?;
        let addresses: Vec<SocketAddr> = found.collect();
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

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    for address in addresses.iter().take(MOST_ADDRESSES) {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(FetchError::Unreachable)
}

/// The connection, driven beside the request and ended with it.
struct Driven(tokio::task::JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn exchange<S>(stream: S, uri: &http::Uri, limit: usize) -> Result<Fetched, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut client = http1::Builder::new();
    client.max_buf_size(MOST_HEADERS);
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await.map_err(|_| FetchError::Unreachable)?;
    let _driven = Driven(tokio::spawn(async move {
        let _ = connection.await;
    }));
    let authority = uri.authority().map(http::uri::Authority::as_str).ok_or(FetchError::Malformed)?;
    let request = Request::get(uri.path())
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("grantor/", env!("CARGO_PKG_VERSION")))
        .body(String::new())
        .map_err(|_| FetchError::Malformed)?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| if error.is_parse() { FetchError::Malformed } else { FetchError::Unreachable })?;
    read(response, limit).await
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
    let body = response.into_body();
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(FetchError::TooLarge);
    }
    let mut body = pin!(body);
    let mut collected = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame.map_err(|_| FetchError::Unreachable)?.into_data() else { continue };
        if collected.len().saturating_add(data.remaining()) > limit {
            return Err(FetchError::TooLarge);
        }
        collected.extend_from_slice(&data);
    }
    Ok(Fetched { content_type, cache_control, body: collected })
}

/// A header, with all its lines in one.
fn only(headers: &HeaderMap, name: &http::HeaderName) -> Result<Option<String>, FetchError> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        lines.push(line.to_str().map_err(|_| FetchError::Malformed)?);
    }
    Ok(if lines.is_empty() { None } else { Some(lines.join(", ")) })
}
