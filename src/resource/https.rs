//! Asking over hyper and rustls, on tokio (feature `fetch`).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::header::{CONTENT_ENCODING, HOST, USER_AGENT};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Request, Response, Uri};
use tokio_rustls::TlsConnector;

use super::introspection::{MAX_ANSWER, Transport, TransportError};
use crate::fetch::connection::{self, Broken, Connection};

/// How many connections wait for the next request, at most.
const MOST_WAITING: usize = 16;

/// Asks an authorization server elsewhere by HTTP/1.1 over TLS, trusting the certificates that the system trusts. Needs a
/// tokio runtime.
///
/// Connections are kept and used again. No redirect is followed, and no answer of more than 64 KiB is read.
///
/// ```no_run
/// use grantor::resource::{HttpsTransport, Introspection};
///
/// # async fn start(secret: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = Introspection::discover("https://auth.example.com", "notes-api", secret, HttpsTransport::new()?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpsTransport {
    tls: TlsConnector,
    time: Duration,
    plain: bool,
    waiting: Arc<Mutex<Vec<(Place, Connection)>>>,
}

/// Where a connection goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    secure: bool,
    host: String,
    port: u16,
}

impl HttpsTransport {
    /// With the certificates that the system trusts.
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be read.
    pub fn new() -> Result<Self, std::io::Error> {
        connection::system_tls().map(Self::over)
    }

    /// With these certificates (PEM) in place of those that the system trusts: for an authorization server in a network with
    /// an authority of its own.
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be read.
    pub fn trusting(pem: &[u8]) -> Result<Self, std::io::Error> {
        connection::tls_trusting(pem).map(Self::over)
    }

    fn over(tls: TlsConnector) -> Self {
        Self { tls, time: Duration::from_secs(5), plain: false, waiting: Arc::default() }
    }

    /// How long an answer may take in all. Default 5 seconds.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Asks without TLS where the server is on this machine: for tests and development (RFC 7662 §4 demands TLS).
    #[must_use]
    pub fn danger_allow_loopback_http(self) -> Self {
        Self { plain: true, ..self }
    }

    async fn exchange(&self, request: Request<String>) -> Result<Response<String>, TransportError> {
        let place = self.place(request.uri())?;
        let request = at_its_origin(request)?;
        while let Some(mut connection) = self.take(&place) {
            // It may have been closed while it waited; then the request goes out once more.
            if let Ok(response) = connection.send(request.clone()).await {
                return self.read(place, connection, response).await;
            }
        }
        let addresses = connection::resolve(&place.host, place.port).await?;
        let mut connection = self.open(&place, &addresses).await?;
        let response = connection.send(request).await?;
        self.read(place, connection, response).await
    }

    fn place(&self, uri: &Uri) -> Result<Place, TransportError> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.plain => false,
            _ => return Err(TransportError::new("an authorization server is asked over TLS")),
        };
        let host = uri.host().ok_or(Broken::Malformed)?.to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Place { secure, host, port })
    }

    async fn open(&self, place: &Place, addresses: &[SocketAddr]) -> Result<Connection, TransportError> {
        if !place.secure && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(TransportError::new("without TLS only this machine is asked"));
        }
        Ok(Connection::open(addresses, place.secure.then_some((&self.tls, &place.host))).await?)
    }

    async fn read(
        &self,
        place: Place,
        connection: Connection,
        response: Response<hyper::body::Incoming>,
    ) -> Result<Response<String>, TransportError> {
        let (head, body) = response.into_parts();
        // Nothing was asked for but the thing itself.
        if head.headers.contains_key(CONTENT_ENCODING) {
            return Err(Broken::Malformed.into());
        }
        let body = connection::collect(body, MAX_ANSWER).await?;
        let body = String::from_utf8(body).map_err(|_| Broken::Malformed)?;
        self.put_back(place, connection);
        Ok(Response::from_parts(head, body))
    }

    fn take(&self, place: &Place) -> Option<Connection> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(_, connection)| connection.is_open());
        let at = waiting.iter().rposition(|(to, _)| to == place)?;
        Some(waiting.swap_remove(at).1)
    }

    fn put_back(&self, place: Place, connection: Connection) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_open() && waiting.len() < MOST_WAITING {
            waiting.push((place, connection));
        }
    }
}

/// The request as it is sent to the server itself: with the path alone, and the host in a header (RFC 9112 §3.2.1).
fn at_its_origin(mut request: Request<String>) -> Result<Request<String>, Broken> {
    let authority = request.uri().authority().map(Authority::as_str).ok_or(Broken::Malformed)?;
    let host = HeaderValue::from_str(authority).map_err(|_| Broken::Malformed)?;
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    *request.uri_mut() = path.parse().map_err(|_| Broken::Malformed)?;
    request.headers_mut().insert(HOST, host);
    let own = HeaderValue::from_static(concat!("grantor/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().entry(USER_AGENT).or_insert(own);
    Ok(request)
}

impl From<Broken> for TransportError {
    fn from(broken: Broken) -> Self {
        Self::new(broken)
    }
}

#[async_trait]
impl Transport for HttpsTransport {
    async fn send(&self, request: Request<String>) -> Result<Response<String>, TransportError> {
        let answered = tokio::time::timeout(self.time, self.exchange(request)).await;
        answered.unwrap_or_else(|_| Err(TransportError::new("the server did not answer in time")))
    }
}

impl std::fmt::Debug for HttpsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsTransport").field("time", &self.time).field("plain", &self.plain).finish_non_exhaustive()
    }
}
