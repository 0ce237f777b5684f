//! A connection to a server elsewhere, over hyper and rustls, on tokio: what fetching and asking have in common.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Buf as _;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How many of a host's addresses are tried.
const MOST_ADDRESSES: usize = 3;
/// The most bytes of the answer's headers.
const MOST_HEADERS: usize = 16 * 1024;

/// What goes wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the server cannot be reached")]
    Unreachable,
    #[error("the server does not speak HTTP/1.1")]
    Malformed,
    #[error("the answer is too large")]
    TooLarge,
}

/// TLS with the certificates that the system trusts.
pub(crate) fn system_tls() -> Result<TlsConnector, std::io::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(std::io::Error::other(format!("certificates to trust: {why}")));
    }
    tls(roots)
}

/// TLS with these certificates (PEM) and no others.
pub(crate) fn tls_trusting(pem: &[u8]) -> Result<TlsConnector, std::io::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(std::io::Error::other)?).map_err(std::io::Error::other)?;
    }
    if roots.is_empty() {
        return Err(std::io::Error::other("certificates to trust: there are none"));
    }
    tls(roots)
}

fn tls(roots: RootCertStore) -> Result<TlsConnector, std::io::Error> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The addresses of a host, found once.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Broken> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok(tokio::net::lookup_host((host, port)).await.map_err(|_| Broken::Unreachable)?.collect())
}

/// A connection, over which requests go one after the other. It ends with the value.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: http1::SendRequest<String>,
    _driven: Driven,
}

/// What drives a connection beside its requests.
#[derive(Debug)]
struct Driven(tokio::task::JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// To one of these addresses; under this name, where it is to be TLS.
    pub(crate) async fn open(addresses: &[SocketAddr], tls: Option<(&TlsConnector, &str)>) -> Result<Self, Broken> {
        let stream = connect(addresses).await?;
        let Some((tls, host)) = tls else { return Self::over(stream).await };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Broken::Malformed)?;
        Self::over(tls.connect(name, stream).await.map_err(|_| Broken::Unreachable)?).await
    }

    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Self, Broken> {
        let mut client = http1::Builder::new();
        client.max_buf_size(MOST_HEADERS);
        let (sender, connection) = client.handshake(TokioIo::new(stream)).await.map_err(|_| Broken::Unreachable)?;
        let driven = Driven(tokio::spawn(async move {
            let _ = connection.await;
        }));
        Ok(Self { sender, _driven: driven })
    }

    /// Sends a request, and receives the head of the answer.
    pub(crate) async fn send(&mut self, request: Request<String>) -> Result<Response<Incoming>, Broken> {
        let sent = match self.sender.ready().await {
            Ok(()) => self.sender.send_request(request).await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| if error.is_parse() { Broken::Malformed } else { Broken::Unreachable })
    }

    /// Whether another request may be sent, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Broken> {
    for address in addresses.iter().take(MOST_ADDRESSES) {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(Broken::Unreachable)
}

/// The body of an answer, of at most `limit` bytes.
pub(crate) async fn collect(body: Incoming, limit: usize) -> Result<Vec<u8>, Broken> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(Broken::TooLarge);
    }
    let mut body = pin!(body);
    let mut collected = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame.map_err(|_| Broken::Unreachable)?.into_data() else { continue };
        if collected.len().saturating_add(data.remaining()) > limit {
            return Err(Broken::TooLarge);
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected)
}
