//! Clients whose identifier is the URL of a document that describes them (ids S).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grantor::client::{ClientMetadata, Origin};
use grantor::event::{Refusal, What};
use grantor::fetch::{Fetch, FetchRequest, Fetched, HttpsFetch, is_special_use};
use grantor::manage::ManageError;
use grantor::refusal::{AuthorizeError, DocumentError, FetchError, RegistrationRefusal};
use grantor::store::{Kind, State};
use grantor::{Approval, ClientId, ClientIdMetadata, RegisteredBy, RegistrationPolicy, RegistrationRequest, Site};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::*;

pub const URL: &str = "https://tool.example/client.json";
const DEVICE: &str = "http://127.0.0.1/cb";

pub fn document() -> Value {
    json!({
        "client_id": URL,
        "client_name": "Camera tool",
        "client_uri": "https://tool.example/about",
        "redirect_uris": [DEVICE, "https://tool.example/cb"],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:another"],
    })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

/// Answers as it was told, and counts who asked.
#[derive(Default)]
pub struct Script {
    answers: Mutex<HashMap<String, Result<Fetched, FetchError>>>,
    asked: AtomicUsize,
    /// Where a fetch waits, if it shall.
    gate: Option<tokio::sync::Semaphore>,
}

impl Script {
    fn answer(&self, url: &str, answer: Result<Fetched, FetchError>) {
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    pub fn serve(&self, document: &Value) {
        self.answer(document["client_id"].as_str().unwrap_or(URL), Ok(fetched(document)));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn fetched(document: &Value) -> Fetched {
    Fetched { content_type: "application/json".into(), cache_control: None, body: document.to_string().into_bytes() }
}

pub struct Scripted(pub Arc<Script>);

#[async_trait]
impl Fetch for Scripted {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.0.gate {
            gate.acquire().await.unwrap().forget();
        }
        self.0.answers.lock().unwrap().get(request.url).cloned().unwrap_or(Err(FetchError::Unreachable))
    }
}

async fn world_with(script: &Arc<Script>, configure: impl FnOnce(ClientIdMetadata) -> ClientIdMetadata) -> World {
    let documents = configure(ClientIdMetadata::new(Scripted(Arc::clone(script))));
    World::with(|builder| builder.client_id_metadata(documents)).await
}

/// A world, and the place where the document of `URL` is served.
async fn world() -> (World, Arc<Script>) {
    let script = Arc::new(Script::default());
    script.serve(&document());
    (world_with(&script, |documents| documents).await, script)
}

fn request<'p>(id: &'p str, redirect_uri: &'p str) -> Vec<(&'p str, &'p str)> {
    vec![
        ("client_id", id),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// Access and refresh token of alice, for the client of this document.
async fn tokens(world: &World, id: &str, redirect_uri: &str) -> (String, String) {
    let code = world.code(&request(id, redirect_uri), "alice").await;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
        ("client_id", id),
    ];
    world.send(post("/token", &parameters)).await.answer().tokens()
}

/// Why an authorization request was refused with an error page.
async fn refused(world: &World, id: &str) -> DocumentError {
    world.take_events();
    let answer = world.authorize(&request(id, DEVICE)).await.answer();
    assert!(answer.header("location").is_none() && answer.status.is_client_error(), "{}", answer.status);
    assert!(!answer.body.contains("tool.example"));
    match world.take_refusals()[..] {
        [Refusal::Authorize(AuthorizeError::ClientDocument(error))] => error,
        ref other => panic!("{other:?}"),
    }
}

async fn client(world: &World, id: &str) -> Option<Arc<grantor::client::Client>> {
    world.server.clients().get(&id.into()).await.unwrap()
}

#[tokio::test]
async fn s_00_a_client_is_what_its_document_says_and_a_record_once_a_user_lets_it_in() {
    let (world, script) = world().await;
    let metadata = Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap();
    assert_eq!(world.send(metadata).await.answer().json().unwrap()["client_id_metadata_document_supported"], true);
    let before = world.dump();
    for _ in 0..3 {
        // The harness sees to it that nothing is stored.
        let pending = world.authorize(&request(URL, "http://127.0.0.1:5123/cb")).await.pending();
        assert_eq!(pending.client().metadata().client_name, "Camera tool");
        assert_eq!(pending.client().origin(), Origin::Document);
        drop(world.server.deny(*pending, Some(&"alice".into())).await.unwrap());
    }
    assert_eq!((world.dump(), script.asked()), (before, 1));
    let (access, refresh) = tokens(&world, URL, "http://127.0.0.1:5123/cb").await;
    assert!(world.is_live(&access).await);
    let answer =
        world.send(post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", URL)]));
    answer.await.answer().tokens();
    let client = client(&world, URL).await.unwrap();
    assert_eq!(client.metadata().grant_types, ["authorization_code", "refresh_token"]);
    assert_eq!(script.asked(), 1, "the token endpoint fetches nothing");
    // Off, it is nobody, though it has a record.
    let off = world.node(|builder| builder);
    off.authorize(&request(URL, DEVICE)).await.local();
    let metadata = Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap();
    let metadata = off.send(metadata).await.answer().json().unwrap();
    assert!(metadata.get("client_id_metadata_document_supported").is_none());
}

#[tokio::test]
async fn s_00_a_document_that_changes_changes_the_client() {
    let (world, script) = world().await;
    let (access, _) = tokens(&world, URL, DEVICE).await;
    script.serve(&with(
        with(document(), "client_name", json!("New name")),
        "redirect_uris",
        json!(["https://tool.example/new"]),
    ));
    // Not before it is due, and then at once.
    assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
    world.advance(3_600);
    world.authorize(&request(URL, DEVICE)).await.local();
    world.take_events();
    let _ = tokens(&world, URL, "https://tool.example/new").await;
    assert!(world.take_events().iter().any(|event| event.what == What::ClientChanged));
    assert_eq!(client(&world, URL).await.unwrap().metadata().client_name, "New name");
    assert!(world.is_live(&access).await, "what was issued goes on");
}

#[tokio::test]
async fn s_00_what_an_administrator_ended_stays_ended_whatever_the_document_says() {
    let (world, script) = world().await;
    let (access, _) = tokens(&world, URL, DEVICE).await;
    let id = ClientId::from(URL);
    let (revision, own) = {
        let client = client(&world, URL).await.unwrap();
        (client.revision(), client.metadata().clone())
    };
    let changed = world.server.clients().update(&id, revision, own).await;
    assert_eq!(changed.unwrap_err(), ManageError::Document);
    world.server.clients().deactivate(&id).await.unwrap();
    assert!(!world.is_live(&access).await);
    world.advance(100_000);
    world.authorize(&request(URL, DEVICE)).await.local();
    world.server.clients().activate(&id).await.unwrap();
    let (access, _) = tokens(&world, URL, DEVICE).await;
    let pending = world.authorize(&request(URL, DEVICE)).await.pending();
    world.server.clients().delete(&id).await.unwrap();
    assert!(!world.is_live(&access).await);
    assert!(world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.is_err());
    let asked = script.asked();
    for days in [1, 100, 1_000] {
        world.advance(days * 24 * 3_600);
        while world.server.purge(1_000).await.unwrap().more {}
        world.authorize(&request(URL, DEVICE)).await.local();
    }
    assert_eq!(script.asked(), asked, "nothing is fetched for a client that has ended");
    assert!(world.records(Kind::CLIENT).iter().any(|record| record.state == State::Deleted));
}

#[tokio::test]
async fn s_00_the_consent_page_shows_who_answers_for_the_client_and_where_the_answer_goes() {
    let (world, script) = world().await;
    let name = "Camera <b>tool";
    script.serve(&with(with(document(), "client_name", json!(name)), "client_uri", json!("https://bank.example/")));
    let now = world.now();
    let host = move |_: &http::request::Parts| Some(grantor::SignedIn::new("alice", now));
    let site = Site::new(world.server.clone(), host);
    let page = |redirect_uri: &'static str| {
        let uri = format!("/authorize?{}", encode(&request(URL, redirect_uri)));
        let site = site.clone();
        async move { site.handle(Request::get(uri).body(String::new()).unwrap()).await.unwrap().into_body() }
    };
    let device = page("http://127.0.0.1:5123/cb").await;
    assert!(device.contains("The application belongs to <strong>tool.example</strong>"), "{device}");
    assert!(device.contains("a program on this device (<strong>127.0.0.1:5123</strong>)"), "{device}");
    assert!(device.contains("Camera &lt;b&gt;tool") && !device.contains("<b>tool"));
    // Its home page is on no host that is known to be its own.
    assert!(!device.contains("bank.example"));
    let web = page("https://tool.example/cb").await;
    assert!(web.contains("You will be sent to <strong>tool.example</strong>"));
}

#[tokio::test]
async fn s_01_an_address_for_special_use_is_not_fetched_from() {
    // Whatever a name resolves to; the table itself is tested beside it.
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fc00::1",
    ] {
        assert!(is_special_use(address.parse().unwrap()), "{address}");
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let fetch = HttpsFetch::new().unwrap();
    let plain = fetch.clone().danger_allow_loopback_http();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1"] {
        for scheme in ["https", "http"] {
            let error = fetch_from(&fetch, &format!("{scheme}://{host}:{port}/client.json")).await.unwrap_err();
            assert!(matches!(error, FetchError::Blocked | FetchError::Unreachable), "{scheme}://{host}: {error}");
        }
    }
    // Not a packet: nobody has connected.
    let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err());
    // Opened for this machine, it is open for nothing else.
    let error = fetch_from(&plain, "http://169.254.169.254/latest").await.unwrap_err();
    assert_eq!(error, FetchError::Blocked);
    let private = fetch.danger_allow_addresses(|address| address == IpAddr::from([10, 1, 2, 3]));
    assert_eq!(fetch_from(&private, "https://10.1.2.4/c").await.unwrap_err(), FetchError::Blocked);
}

#[tokio::test]
async fn s_01_a_client_named_by_an_address_is_refused_by_its_text() {
    let (world, script) = world().await;
    for host in [
        "127.0.0.1",
        "[::1]",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:10.0.0.1]",
        "[fe80::1%25eth0]",
        "localhost",
        "metadata.google.internal",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "app.localhost",
        "intranet",
    ] {
        let id = format!("https://{host}/client.json");
        let answer = world.authorize(&request(&id, DEVICE)).await.answer();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}");
    }
    assert_eq!(script.asked(), 0);
}

/// What the last fetch gave.
type Told = Arc<Mutex<Option<Result<Fetched, FetchError>>>>;

/// Fetches from one address, whatever is asked for, and tells.
struct Tell(HttpsFetch, String, Told);

#[async_trait]
impl Fetch for Tell {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let mut request = request;
        request.url = &self.1;
        let fetched = self.0.fetch(request).await;
        *self.2.lock().unwrap() = Some(fetched.clone());
        fetched
    }
}

/// Fetches as the server does.
pub async fn fetch_from(fetch: &HttpsFetch, url: &str) -> Result<Fetched, FetchError> {
    let asked = Told::default();
    let told = Arc::clone(&asked);
    let documents = ClientIdMetadata::new(Tell(fetch.clone(), url.to_owned(), told));
    let world = World::with(|builder| builder.client_id_metadata(documents)).await;
    let _ = world.authorize(&request(URL, DEVICE)).await;
    asked.lock().unwrap().take().unwrap()
}

/// A server that answers each connection with these pieces, and then does as `then` says; and how often it was asked.
async fn raw_server(pieces: Vec<Vec<u8>>, then: Then) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.fetch_add(1, Ordering::SeqCst);
            let pieces = pieces.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                let read = stream.read(&mut buffer).await.unwrap();
                let head = String::from_utf8_lossy(&buffer[..read]).to_ascii_lowercase();
                assert!(head.starts_with("get /client.json http/1.1\r\n"), "{head}");
                for unwanted in ["cookie", "authorization", "accept-encoding"] {
                    assert!(!head.contains(unwanted), "{head}");
                }
                for piece in &pieces {
                    if stream.write_all(piece).await.is_err() {
                        return;
                    }
                }
                match then {
                    Then::Close => {}
                    Then::Repeat => while stream.write_all(&pieces[pieces.len() - 1]).await.is_ok() {},
                    Then::Hang => std::future::pending().await,
                }
            });
        }
    });
    (port, count)
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    Repeat,
    Hang,
}

fn head(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes()
}

async fn fetch_raw(pieces: Vec<Vec<u8>>, then: Then) -> Result<Fetched, FetchError> {
    let (port, asked) = raw_server(pieces, then).await;
    // Long enough for any machine, but for what hangs.
    let time = if matches!(then, Then::Hang) { Duration::from_millis(200) } else { Duration::from_secs(20) };
    let fetch = HttpsFetch::new().unwrap().danger_allow_loopback_http().within(time);
    let fetched = fetch_from(&fetch, &format!("http://127.0.0.1:{port}/client.json")).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one request, and no other after it");
    fetched
}

#[tokio::test]
async fn s_02_a_name_with_one_address_for_special_use_is_not_fetched_from() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen: Arc<Mutex<Vec<IpAddr>>> = Arc::default();
    let noted = Arc::clone(&seen);
    // The name of this machine has one address or two; the guard is asked about each and refuses them.
    let fetch = HttpsFetch::new().unwrap().danger_allow_addresses(move |address| {
        noted.lock().unwrap().push(address);
        false
    });
    let error = fetch_from(&fetch, &format!("https://localhost:{port}/client.json")).await.unwrap_err();
    assert_eq!(error, FetchError::Blocked);
    assert!(!seen.lock().unwrap().is_empty());
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
}

#[tokio::test]
async fn s_03_a_redirect_is_not_followed() {
    let (other, asked) = raw_server(vec![head("200 OK", "")], Then::Close).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("Location: http://127.0.0.1:{other}/client.json\r\nContent-Length: 0\r\n");
        let number = status[..3].parse().unwrap();
        assert_eq!(fetch_raw(vec![head(status, &location)], Then::Close).await, Err(FetchError::Status(number)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn s_04_what_is_too_much_too_slow_or_no_document_is_given_up() {
    let json = "Content-Type: application/json\r\n";
    let large = format!("{json}Content-Length: 10485760\r\n");
    assert_eq!(
        fetch_raw(vec![head("200 OK", &large), vec![b' '; 6_000]], Then::Repeat).await,
        Err(FetchError::TooLarge)
    );
    let endless = format!("{json}Transfer-Encoding: chunked\r\n");
    let chunk = b"100\r\n".iter().copied().chain([b' '; 256]).chain(*b"\r\n").collect::<Vec<u8>>();
    assert_eq!(fetch_raw(vec![head("200 OK", &endless), chunk], Then::Repeat).await, Err(FetchError::TooLarge));
    let gzip = format!("{json}Content-Encoding: gzip\r\nContent-Length: 2\r\n");
    assert_eq!(fetch_raw(vec![head("200 OK", &gzip), b"{}".to_vec()], Then::Close).await, Err(FetchError::Malformed));
    for status in [204, 206, 304, 404, 500] {
        let answer = fetch_raw(vec![head(&format!("{status} X"), "Content-Length: 0\r\n")], Then::Close).await;
        assert_eq!(answer, Err(FetchError::Status(status)));
    }
    // Headers without an end, a body without an end, and nothing at all.
    let header = b"X: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".to_vec();
    assert!(fetch_raw(vec![b"HTTP/1.1 200 OK\r\n".to_vec(), header], Then::Repeat).await.is_err());
    let short = format!("{json}Content-Length: 100\r\n");
    assert_eq!(fetch_raw(vec![head("200 OK", &short), b"{".to_vec()], Then::Hang).await, Err(FetchError::TimedOut));
    assert_eq!(fetch_raw(vec![Vec::new()], Then::Hang).await, Err(FetchError::TimedOut));
    assert!(fetch_raw(vec![head("200 OK", &short), b"{".to_vec()], Then::Close).await.is_err());
    // And what is right is read.
    let right = format!("{json}Cache-Control: max-age=60\r\nContent-Length: 2\r\n");
    let fetched = fetch_raw(vec![head("200 OK", &right), b"{}".to_vec()], Then::Close).await.unwrap();
    assert_eq!((fetched.body, fetched.cache_control.as_deref()), (b"{}".to_vec(), Some("max-age=60")));
}

#[tokio::test]
async fn s_04_what_is_no_json_document_is_no_client() {
    let (world, script) = world().await;
    let text = document().to_string();
    let inner = &text[1..text.len() - 1];
    let large = with(document(), "x", json!("x".repeat(5 * 1024)));
    for (body, error) in [
        (format!("\u{feff}{text}"), DocumentError::Unreadable),
        (format!("{text} x"), DocumentError::Unreadable),
        (format!("{{{inner},\"client_id\":\"{URL}\"}}"), DocumentError::Unreadable),
        ("null".into(), DocumentError::Unreadable),
        ("<html>".into(), DocumentError::Unreadable),
        (String::new(), DocumentError::Unreadable),
        (large.to_string(), DocumentError::Fetch(FetchError::TooLarge)),
    ] {
        world.advance(60);
        script.answer(URL, Ok(Fetched { body: body.into_bytes(), ..fetched(&document()) }));
        assert_eq!(refused(&world, URL).await, error);
    }
    for content_type in ["", "text/html", "text/plain", "application/json, text/html"] {
        world.advance(60);
        script.answer(URL, Ok(Fetched { content_type: content_type.into(), ..fetched(&document()) }));
        assert_eq!(refused(&world, URL).await, DocumentError::ContentType, "{content_type}");
    }
}

#[tokio::test]
async fn s_05_a_url_with_more_than_host_and_path_is_refused_by_its_text() {
    let (world, script) = world().await;
    for id in [
        "http://tool.example/client.json",
        "https://tool.example",
        "https://tool.example/",
        "https://tool.example:22/client.json",
        "https://tool.example:25/client.json",
        "https://tool.example:443/client.json",
        "https://user@tool.example/client.json",
        "https://tool.example/client.json#x",
        "https://tool.example/client.json?x=1",
        "https://tool.example/a/../client.json",
        "https://tool.example/%2e/client.json",
        "https://Tool.example/client.json",
        "https://tool.example//client.json",
    ] {
        assert_eq!(refused(&world, id).await, DocumentError::Url, "{id}");
    }
    // In another case it is no URL of ours, and no client.
    world.authorize(&request("HTTPS://tool.example/client.json", DEVICE)).await.local();
    assert_eq!(script.asked(), 0);
    // A host cannot register one that would shadow a document.
    let taken = grantor::manage::Registration { client_id: Some(URL.into()), ..metadata(CLI).into() };
    assert!(world.server.clients().register(taken).await.is_err());
}

#[tokio::test]
async fn s_06_a_document_that_is_not_this_clients_or_holds_a_secret_is_refused_and_not_kept() {
    let (world, script) = world().await;
    let jwk = |member: &str| json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", member: "x" }] });
    for (document, error) in [
        (with(document(), "client_id", json!("https://tool.example/other.json")), DocumentError::ClientId),
        (with(document(), "client_id", json!("https://tool.example/client.json/")), DocumentError::ClientId),
        (without(document(), "client_id"), DocumentError::ClientId),
        (with(document(), "client_secret", json!("x")), DocumentError::Secret),
        (with(document(), "client_secret_expires_at", json!(0)), DocumentError::Secret),
        (with(document(), "jwks", jwk("d")), DocumentError::Secret),
        (with(document(), "jwks", jwk("k")), DocumentError::Secret),
        (with(document(), "token_endpoint_auth_method", json!("client_secret_basic")), DocumentError::AuthMethod),
        (with(document(), "token_endpoint_auth_method", json!("client_secret_jwt")), DocumentError::AuthMethod),
        (with(document(), "token_endpoint_auth_method", json!("private_key_jwt")), DocumentError::AuthMethod),
        (without(document(), "redirect_uris"), DocumentError::Incomplete),
        (without(document(), "client_name"), DocumentError::Incomplete),
        (with(document(), "redirect_uris", json!([])), DocumentError::Metadata),
        (with(document(), "redirect_uris", json!(["http://tool.example/cb"])), DocumentError::Metadata),
        (with(document(), "redirect_uris", json!(["javascript:alert(1)"])), DocumentError::Metadata),
        (with(document(), "grant_types", json!(["client_credentials"])), DocumentError::Metadata),
        (with(document(), "response_types", json!(["token"])), DocumentError::Metadata),
        (with(document(), "scope", json!("unknown")), DocumentError::Metadata),
        (with(document(), "logo_uri", json!("http://tool.example/logo")), DocumentError::Metadata),
    ] {
        script.answer(URL, Ok(fetched(&document)));
        world.advance(60);
        assert_eq!(refused(&world, URL).await, error, "{document}");
    }
    // What was wrong is right as soon as it is mended.
    script.serve(&document());
    world.advance(10);
    assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
    // What means nothing here does no harm.
    script.serve(&with(
        with(document(), "jwks_uri", json!("https://tool.example/jwks")),
        "token_endpoint_auth_method",
        json!("none"),
    ));
    world.advance(100_000);
    assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
}

#[tokio::test]
async fn s_06_only_redirect_uris_of_the_document_are_answered() {
    let (world, _) = world().await;
    for uri in
        ["https://tool.example/cb/", "https://evil.example/cb", "http://127.0.0.1:1/other", "http://localhost/cb"]
    {
        world.authorize(&request(URL, uri)).await.local();
    }
}

#[tokio::test]
async fn s_07_many_who_ask_at_once_cause_one_fetch() {
    let script = Arc::new(Script { gate: Some(tokio::sync::Semaphore::new(0)), ..Script::default() });
    script.serve(&document());
    let world = world_with(&script, |documents| documents).await;
    let ask = || {
        let (server, uri) = (world.server.clone(), format!("/authorize?{}", encode(&request(URL, DEVICE))));
        tokio::spawn(async move { server.handle(Request::get(uri).body(String::new()).unwrap()).await })
    };
    let first = ask();
    while script.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (0..100).map(|_| ask()).collect();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(script.asked(), 1);
    // Whoever fetches goes away: one of the others fetches.
    first.abort();
    while script.asked() == 1 {
        tokio::task::yield_now().await;
    }
    script.gate.as_ref().unwrap().add_permits(1);
    for other in others {
        assert!(matches!(other.await.unwrap(), grantor::Outcome::Interact { .. }));
    }
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn s_07_a_minute_has_so_many_fetches_for_a_host_and_for_all() {
    let script = Arc::new(Script::default());
    let world = world_with(&script, |documents| documents.fetches_per_minute(3, 5)).await;
    let mut errors = Vec::new();
    for number in 0..100 {
        errors.push(refused(&world, &format!("https://one.example/{number}")).await);
    }
    assert_eq!(script.asked(), 3);
    assert_eq!(errors[2], DocumentError::Fetch(FetchError::Unreachable));
    assert!(errors[3..].iter().all(|error| *error == DocumentError::Budget));
    for number in 0..100 {
        refused(&world, &format!("https://host-{number}.example/c")).await;
    }
    assert_eq!(script.asked(), 5);
    let answer = world.authorize(&request("https://other.example/c", DEVICE)).await.answer();
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    world.advance(60);
    refused(&world, "https://one.example/1").await;
    assert_eq!(script.asked(), 6);
}

#[tokio::test]
async fn s_07_a_failure_is_remembered_for_seconds_and_a_document_as_long_as_it_says() {
    let (world, script) = world().await;
    script.answer(URL, Err(FetchError::Unreachable));
    for _ in 0..5 {
        assert_eq!(refused(&world, URL).await, DocumentError::Fetch(FetchError::Unreachable));
    }
    assert_eq!(script.asked(), 1);
    world.advance(10);
    let kept = |seconds: u64| Fetched { cache_control: Some(format!("max-age={seconds}")), ..fetched(&document()) };
    let mut asked = 1;
    // Never shorter than five minutes, never longer than a day.
    for (says, lasts) in [(1, 300), (600, 600), (1_000_000, 24 * 3_600)] {
        script.answer(URL, Ok(kept(says)));
        assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
        asked += 1;
        world.advance(lasts - 1);
        assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
        assert_eq!(script.asked(), asked, "{says}");
        world.advance(1);
    }
    // One that fails when it is due again is not taken for good any longer.
    script.answer(URL, Err(FetchError::Unreachable));
    assert_eq!(refused(&world, URL).await, DocumentError::Fetch(FetchError::Unreachable));
}

/// Lets in one host alone.
struct OneHost;

#[async_trait]
impl RegistrationPolicy for OneHost {
    async fn decide(&self, request: RegistrationRequest<'_>) -> Result<ClientMetadata, RegistrationRefusal> {
        match request.by {
            RegisteredBy::Document(url) if url.starts_with("https://tool.example/") => {
                Ok(ClientMetadata { scope: "read".parse().unwrap(), ..request.metadata.clone() })
            }
            _ => Err(RegistrationRefusal::Metadata),
        }
    }
}

#[tokio::test]
async fn s_08_the_hosts_policy_says_whose_documents_count() {
    let script = Arc::new(Script::default());
    let other = "https://other.example/client.json";
    script.serve(&document());
    script.serve(&with(document(), "client_id", json!(other)));
    let world = world_with(&script, |documents| documents.policy(OneHost)).await;
    assert_eq!(refused(&world, other).await, DocumentError::Policy);
    assert!(matches!(world.authorize(&request(URL, DEVICE)).await, Sent::Pending(_)));
    let more = changed(&request(URL, DEVICE), &[("scope", "write")]);
    world.authorize(&more).await.redirected(DEVICE, "invalid_scope", None);
}

#[tokio::test]
async fn s_09_a_client_is_found_over_http_where_the_host_dares() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let id = format!("http://127.0.0.1:{port}/client.json");
    let body = with(document(), "client_id", json!(id)).to_string().into_bytes();
    let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4_096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(&head("200 OK", &length)).await;
            let _ = stream.write_all(&body).await;
        }
    });
    let fetch = || HttpsFetch::new().unwrap().danger_allow_loopback_http();
    let careful = World::with(|builder| builder.client_id_metadata(ClientIdMetadata::new(fetch()))).await;
    assert_eq!(refused(&careful, &id).await, DocumentError::Url);
    let daring = ClientIdMetadata::new(fetch()).danger_allow_loopback_http();
    let world = World::with(|builder| builder.client_id_metadata(daring)).await;
    let (access, _) = tokens(&world, &id, DEVICE).await;
    assert!(world.is_live(&access).await);
}
