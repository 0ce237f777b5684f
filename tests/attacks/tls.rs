//! Servers elsewhere over TLS: what is fetched from them, and what is asked (ids S-02, S-03).

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use grantor::Require;
use grantor::fetch::HttpsFetch;
use grantor::refusal::{Dead, FetchError, VerifyError};
use grantor::resource::{DiscoveryError, HttpsTransport, Introspection, Transport as _};
use http::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::cimd::{document, fetch_from};

/// An authority of our own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of this name shows.
    fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }
}

/// A server over TLS.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// What a server does once it has read a request.
#[derive(Clone)]
enum Answers {
    /// Gives this, and waits for the next request.
    With(Arc<dyn Fn(&str) -> String + Send + Sync>),
    /// Gives this, says that it will close, and does.
    Once(String),
    /// Nothing.
    Never,
}

fn with(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Answers {
    Answers::With(Arc::new(answer))
}

fn json(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

impl Server {
    async fn start(config: ServerConfig, answers: Answers) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, answers, requests) = (acceptor.clone(), answers.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    while let Some(request) = read_request(&mut stream).await {
                        requests.fetch_add(1, Ordering::SeqCst);
                        let answer = match &answers {
                            Answers::With(answer) => answer(&request),
                            Answers::Once(answer) => answer.clone(),
                            Answers::Never => return std::future::pending().await,
                        };
                        if stream.write_all(answer.as_bytes()).await.is_err() || matches!(answers, Answers::Once(_)) {
                            let _ = stream.shutdown().await;
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    fn seen(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

/// A request with its body; `None` where the connection ended.
async fn read_request(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        let mut buffer = [0; 4_096];
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
}

fn fetch(trusted: &Authority) -> HttpsFetch {
    let fetch = HttpsFetch::trusting(trusted.pem().as_bytes()).unwrap().within(Duration::from_secs(20));
    fetch.danger_allow_addresses(|address| address.is_loopback())
}

#[tokio::test]
async fn s_02_a_document_is_fetched_over_tls_from_who_can_prove_its_name() {
    let authority = Authority::new();
    let answer = json(&document().to_string());
    let server = Server::start(authority.certify("localhost", |_| ()), with(move |_| answer.clone())).await;
    let fetched = fetch_from(&fetch(&authority), &server.url("/client.json")).await.unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&fetched.body).unwrap(), document());
    assert_eq!((fetched.content_type.as_str(), server.seen()), ("application/json", (1, 1)));
    // Without leave, this machine is not spoken to, whatever it could prove.
    let guarded = HttpsFetch::trusting(authority.pem().as_bytes()).unwrap();
    assert_eq!(fetch_from(&guarded, &server.url("/client.json")).await.unwrap_err(), FetchError::Blocked);
    assert_eq!(server.seen(), (1, 1));
}

#[tokio::test]
async fn s_02_who_cannot_prove_its_name_is_sent_no_request() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(2999, 1, 1);
    for (what, config) in [
        ("another name", authority.certify("other.example", |_| ())),
        ("another authority", stranger.certify("localhost", |_| ())),
        ("expired", authority.certify("localhost", expired)),
        ("not yet valid", authority.certify("localhost", early)),
    ] {
        let server = Server::start(config, with(|_| json("{}"))).await;
        let refused = fetch_from(&fetch(&authority), &server.url("/client.json")).await.unwrap_err();
        assert_eq!((refused, server.seen()), (FetchError::Unreachable, (1, 0)), "{what}");
        let asks = HttpsTransport::trusting(authority.pem().as_bytes()).unwrap();
        let request = Request::get(server.url("/")).body(String::new()).unwrap();
        assert!(asks.send(request).await.is_err(), "{what}");
        assert_eq!(server.seen(), (2, 0), "{what}");
    }
    for wrong in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "nothing"] {
        assert!(HttpsFetch::trusting(wrong.as_bytes()).is_err() && HttpsTransport::trusting(wrong.as_bytes()).is_err());
    }
}

#[tokio::test]
async fn s_03_over_tls_no_redirect_is_followed_and_no_flood_is_read() {
    let authority = Authority::new();
    let config = || authority.certify("localhost", |_| ());
    let other = Server::start(config(), with(|_| json("{}"))).await;
    let moved = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", other.url("/client.json"));
    let server = Server::start(config(), with(move |_| moved.clone())).await;
    let refused = fetch_from(&fetch(&authority), &server.url("/client.json")).await.unwrap_err();
    assert_eq!((refused, server.seen(), other.seen()), (FetchError::Status(302), (1, 1), (0, 0)));

    let flood = "x".repeat(200_000);
    let server = Server::start(config(), with(move |_| json(&flood))).await;
    assert_eq!(fetch_from(&fetch(&authority), &server.url("/client.json")).await.unwrap_err(), FetchError::TooLarge);
    let tokens = introspection(&authority, &server, Duration::from_secs(20));
    assert!(
        matches!(tokens.verify("t", Require::any()).await, Err(VerifyError::Failure(failure)) if failure.is_temporary())
    );

    let server = Server::start(config(), Answers::Never).await;
    let hasty = fetch(&authority).within(Duration::from_millis(200));
    assert_eq!(fetch_from(&hasty, &server.url("/client.json")).await.unwrap_err(), FetchError::TimedOut);
}

fn introspection(trusted: &Authority, server: &Server, within: Duration) -> Introspection {
    let transport = HttpsTransport::trusting(trusted.pem().as_bytes()).unwrap().within(within);
    Introspection::at(&server.url("/introspect"), "api", "api secret", transport).unwrap()
}

fn active(request: &str) -> String {
    assert!(request.starts_with("POST /introspect HTTP/1.1\r\n"), "{request}");
    // `api` and `api secret`, form-encoded and joined.
    assert!(request.contains("authorization: Basic YXBpOmFwaStzZWNyZXQ="), "{request}");
    let known = request.ends_with("token=good");
    json(if known {
        r#"{"active":true,"client_id":"web","scope":"read","sub":"alice","exp":9999999999}"#
    } else {
        r#"{"active":false}"#
    })
}

#[tokio::test]
async fn rfc7662_4_tokens_are_asked_about_over_tls_and_one_connection_is_used_again() {
    let authority = Authority::new();
    let server = Server::start(authority.certify("localhost", |_| ()), with(active)).await;
    let tokens = introspection(&authority, &server, Duration::from_secs(20));
    for _ in 0..3 {
        assert_eq!(tokens.verify("good", Require::scope("read")).await.unwrap().subject(), Some("alice"));
    }
    assert!(matches!(tokens.verify("bad", Require::any()).await, Err(VerifyError::Dead(Dead::Unknown))));
    assert_eq!(server.seen(), (1, 4));
}

#[tokio::test]
async fn rfc7662_4_a_connection_that_was_closed_meanwhile_costs_no_answer() {
    let authority = Authority::new();
    let answer = json(r#"{"active":true,"client_id":"web","scope":"read","exp":9999999999}"#);
    let server = Server::start(authority.certify("localhost", |_| ()), Answers::Once(answer)).await;
    let tokens = introspection(&authority, &server, Duration::from_secs(20));
    for asked in 1..=3 {
        assert_eq!(tokens.verify("good", Require::any()).await.unwrap().client_id(), "web");
        assert_eq!(server.seen(), (asked, asked));
    }
}

#[tokio::test]
async fn rfc7662_4_a_server_that_is_silent_or_away_lets_nobody_in() {
    let authority = Authority::new();
    let server = Server::start(authority.certify("localhost", |_| ()), Answers::Never).await;
    let tokens = introspection(&authority, &server, Duration::from_millis(200));
    let silent = tokens.verify("good", Require::any()).await.unwrap_err();
    let gone = HttpsTransport::trusting(authority.pem().as_bytes()).unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let gone = Introspection::at(&format!("https://localhost:{free}/introspect"), "api", "secret", gone).unwrap();
    let away = gone.verify("good", Require::any()).await.unwrap_err();
    for error in [silent, away] {
        assert!(matches!(error, VerifyError::Failure(failure) if failure.is_temporary()), "{error:?}");
    }
}

#[tokio::test]
async fn rfc7662_4_without_tls_nobody_is_asked_but_this_machine_by_leave() {
    let server = grantor::testing::TestServer::start().await;
    let (url, secret) = (server.url("/introspect"), "api-secret-of-a-test-server");
    let token = server.mint("alice").scope("read").access().await;
    let strict = HttpsTransport::new().unwrap();
    let tokens = Introspection::at(&url, "api", secret, strict.clone()).unwrap();
    assert!(tokens.verify(&token, Require::any()).await.is_err());
    let refused = Introspection::discover(&server.url(""), "api", secret, strict).await;
    assert!(matches!(refused, Err(DiscoveryError::Transport(_))));
    assert!(server.requests().is_empty());

    let lenient = HttpsTransport::new().unwrap().danger_allow_loopback_http();
    let tokens = Introspection::discover(&server.url(""), "api", secret, lenient.clone()).await.unwrap();
    assert_eq!(tokens.verify(&token, Require::scope("read")).await.unwrap().subject(), Some("alice"));
    let far = Request::get("http://192.0.2.1/").body(String::new()).unwrap();
    assert!(lenient.within(Duration::from_secs(20)).send(far).await.unwrap_err().to_string().contains("reached"));
}
