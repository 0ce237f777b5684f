//! A server to attack, and what must hold whatever is sent to it.
//!
//! Every request goes through [`World::send`], which checks the rules that hold for all rows: answers that may not be
//! kept say so (GA1), a refusal changes nothing in the store (GA2), no secret is where it can be read (GA3), nothing
//! fails (GA4), and error texts keep to their character set (GA6). Rows compare answers with [`Answer::same_as`] for
//! GA5.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock as _, ManualClock, Timestamp};
use grantor::event::{Event, Refusal, What};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{Commit, Committed, Kind, MemoryStore, Payload, Record, State, Store, Write};
use grantor::{Approval, AuthorizationServer, Builder, Outcome, PendingAuthorization, Require};
use http::{HeaderMap, Method, Request, Response, StatusCode};

pub use crate::forge::{near_misses, reseal};

pub const ISSUER: &str = "https://auth.example.com";
/// The pair of RFC 7636 App. B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const CALLBACK: &str = "https://app.example/cb";
pub const RESOURCE: &str = "https://api.example.com";
pub const OTHER_RESOURCE: &str = "https://files.example.com";
/// When the clock of a new world stands: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A client that every world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub id: &'static str,
    pub secret: Option<&'static str>,
    pub method: AuthMethod,
}

/// Confidential, by HTTP Basic; code, refresh and `client_credentials`; scope read write admin.
pub const WEB: Known =
    Known { id: "web", secret: Some("web-secret-web-secret-web-secret"), method: AuthMethod::ClientSecretBasic };
/// The same, by secret in the body, with a redirect URI of its own.
pub const POSTER: Known =
    Known { id: "poster", secret: Some("poster-secret-poster-secret-post"), method: AuthMethod::ClientSecretPost };
/// Public and native; code and refresh; the five redirect URIs of the R rows.
pub const CLI: Known = Known { id: "cli", secret: None, method: AuthMethod::None };
/// Confidential, by HTTP Basic; code without PKCE is allowed.
pub const LEGACY: Known =
    Known { id: "legacy", secret: Some("legacy-secret-legacy-secret-lega"), method: AuthMethod::ClientSecretBasic };
/// A resource server: introspects what is addressed to `RESOURCE`.
pub const API: Known =
    Known { id: "api", secret: Some("api-secret-api-secret-api-secret"), method: AuthMethod::ClientSecretBasic };

pub fn metadata(client: Known) -> ClientMetadata {
    let grants = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let base = ClientMetadata {
        client_name: client.id.to_uppercase(),
        token_endpoint_auth_method: client.method,
        redirect_uris: vec![CALLBACK.into()],
        grant_types: grants(&["authorization_code", "refresh_token", "client_credentials"]),
        scope: "read write admin".parse().unwrap(),
        ..ClientMetadata::default()
    };
    match client.id {
        "poster" => ClientMetadata { redirect_uris: vec!["https://poster.example/cb".into()], ..base },
        "cli" => ClientMetadata {
            redirect_uris: [
                "https://app.example/cb",
                "https://app.example/cb?x=1",
                "http://127.0.0.1/cb",
                "http://[::1]/cb",
                "com.example.app:/cb",
            ]
            .map(str::to_owned)
            .to_vec(),
            grant_types: grants(&["authorization_code", "refresh_token"]),
            application_type: Some(grantor::client::ApplicationType::Native),
            ..base
        },
        "legacy" => ClientMetadata { require_pkce: false, ..base },
        "api" => ClientMetadata {
            redirect_uris: Vec::new(),
            grant_types: grants(&["client_credentials"]),
            resource_server: true,
            resources: vec![grantor::wire::uri::Resource::parse(RESOURCE).unwrap()],
            ..base
        },
        _ => base,
    }
}

/// A server, with everything that a test wants to turn or look at.
pub struct World {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    events: Arc<Mutex<Vec<Event>>>,
    /// Text that must never be seen where it does not belong.
    canaries: Mutex<Vec<String>>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// A world whose server differs from the usual one.
    pub async fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::over(Arc::clone(&store) as Arc<dyn Store>, store, configure).await
    }

    /// A world whose server has another issuer.
    pub async fn at(issuer: &str, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::over_at(issuer, Arc::clone(&store) as Arc<dyn Store>, store, configure).await
    }

    /// A world over a wrapped store; `memory` is what the wrapper keeps its records in.
    pub async fn over(
        store: Arc<dyn Store>,
        memory: Arc<MemoryStore>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        Self::over_at(ISSUER, store, memory, configure).await
    }

    async fn over_at(
        issuer: &str,
        store: Arc<dyn Store>,
        memory: Arc<MemoryStore>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let world = Self::node_at(issuer, store, memory, clock, configure);
        for client in [WEB, POSTER, CLI, LEGACY, API] {
            world.register(client, metadata(client)).await;
        }
        world.take_events();
        world
    }

    /// Another server over the same store and the same clock: another node, or this one after a restart.
    pub fn node(&self, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let store = Arc::clone(&self.store);
        let node = Self::node_over(Arc::clone(&store) as _, store, Arc::clone(&self.clock), configure);
        node.canaries.lock().unwrap().clone_from(&self.canaries.lock().unwrap());
        node
    }

    /// A server over any store that keeps its records in `memory`.
    pub fn node_over(
        store: Arc<dyn Store>,
        memory: Arc<MemoryStore>,
        clock: Arc<ManualClock>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        Self::node_at(ISSUER, store, memory, clock, configure)
    }

    fn node_at(
        issuer: &str,
        store: Arc<dyn Store>,
        memory: Arc<MemoryStore>,
        clock: Arc<ManualClock>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let server = configure(builder(issuer, store, &clock, &events)).build().unwrap();
        Self { server, store: memory, clock, events, canaries: Mutex::default() }
    }

    /// Another node: a server with the same configuration, secret, clock and observer over the same records, by
    /// `store`.
    pub fn server_over(
        &self,
        store: Arc<dyn Store>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> AuthorizationServer {
        configure(builder(ISSUER, store, &self.clock, &self.events)).build().unwrap()
    }

    pub async fn register(&self, client: Known, metadata: ClientMetadata) {
        let registration =
            Registration { metadata, client_id: Some(client.id.into()), client_secret: client.secret.map(Secret::new) };
        self.server.clients().register(registration).await.unwrap();
        if let Some(secret) = client.secret {
            self.guard(secret);
        }
    }

    /// Writes into the record of a client what no interface of the server would: a store that was tampered with, or a
    /// defect of long ago.
    pub async fn edit_client(&self, id: &str, edit: impl FnOnce(&mut serde_json::Value)) {
        let named = |record: &&Arc<Record>| record.labels.as_ref().is_some_and(|labels| labels.public_id == id);
        let mut record = Record::clone(self.dump().iter().find(named).unwrap());
        let mut stored = serde_json::from_slice(record.payload.as_bytes()).unwrap();
        edit(&mut stored);
        record.payload = Payload::new(serde_json::to_vec(&stored).unwrap());
        self.put(record).await;
    }

    /// Puts a record in place of the one of its name, past the server.
    pub async fn put(&self, record: Record) {
        let writes = vec![Write::Replace(Arc::new(record.clone()))];
        let (tenant, partition) = (record.tenant, record.key.partition);
        let commit = Commit { tenant, partition, at: self.now(), conditions: Vec::new(), writes, events: Vec::new() };
        assert_eq!(self.store.commit(&commit).await.unwrap(), Committed::Applied);
    }

    /// From now on this text must not be seen in the store, in events, or in refusals.
    pub fn guard(&self, secret: &str) {
        self.canaries.lock().unwrap().push(secret.to_owned());
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Every record, in order.
    pub fn dump(&self) -> Vec<Arc<Record>> {
        self.store.snapshot()
    }

    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    /// The refusals among the events so far; takes all events.
    pub fn take_refusals(&self) -> Vec<Refusal> {
        let refusal = |event: Event| match event.what {
            What::Refused(refusal) => Some(refusal),
            _ => None,
        };
        self.take_events().into_iter().filter_map(refusal).collect()
    }

    /// Sends any request to the endpoints, and checks what must hold for every answer.
    pub async fn send(&self, request: Request<String>) -> Sent {
        let before = self.dump();
        let path = request.uri().path().to_owned();
        match self.server.handle(request).await {
            Outcome::NotMine(_) => Sent::NotMine,
            Outcome::Interact { pending, request: _ } => {
                assert_eq!(self.dump(), before, "nothing is stored before consent");
                Sent::Pending(pending)
            }
            Outcome::Respond(response) => {
                let answer = Answer::of(response);
                self.check(&path, &answer, &before);
                Sent::Answer(answer)
            }
        }
    }

    /// Sends a request that is refused and yet changes something: it ends one grant, and nothing else.
    pub async fn send_ending_a_grant(&self, request: Request<String>) -> Answer {
        let before = self.dump();
        let path = request.uri().path().to_owned();
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("expected an answer") };
        let (answer, after) = (Answer::of(response), self.dump());
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.body);
        self.check(&path, &answer, &after);
        assert_eq!(before.len(), after.len());
        let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        let [(live, ended)] = changed[..] else { panic!("{} records changed", changed.len()) };
        let expected = Record { state: State::Revoked, revision: live.revision + 1, ..Record::clone(live) };
        assert_eq!((live.key.kind, live.state, &**ended), (Kind::GRANT, State::Live, &expected));
        answer
    }

    /// Every record of this kind.
    pub fn records(&self, kind: Kind) -> Vec<Arc<Record>> {
        self.dump().into_iter().filter(|record| record.key.kind == kind).collect()
    }

    /// The rules for every answer.
    pub fn check(&self, path: &str, answer: &Answer, before: &[Arc<Record>]) {
        assert!(answer.status.as_u16() < 500, "GA4: {path} answered {}: {}", answer.status, answer.body);
        if answer.status.is_client_error() {
            assert_eq!(self.dump(), before, "GA2: a refusal changed the store");
        }
        if !path.contains("well-known") {
            let kept = answer.header("cache-control");
            assert!(kept == Some("no-store"), "GA1: {path} answered {kept:?}");
        }
        for (name, value) in &answer.headers {
            let printable = value.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte));
            assert!(printable, "GA6: the header {name} is not printable ASCII");
        }
        if let Some(description) = answer.json().as_ref().and_then(|json| json["error_description"].as_str()) {
            let sound = description.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
            assert!(sound, "GA6: {description}");
        }
        self.collect_secrets(answer);
        self.check_canaries(answer);
    }

    /// What a success hands out must be nowhere else.
    fn collect_secrets(&self, answer: &Answer) {
        if let Some(json) = answer.json() {
            let names = ["access_token", "refresh_token", "device_code", "client_secret", "registration_access_token"];
            for name in names {
                if let Some(token) = json[name].as_str() {
                    self.guard(token);
                }
            }
        }
        if let Some(code) = answer.redirect().and_then(|redirect| redirect.parameters.get("code").cloned()) {
            self.guard(&code);
        }
    }

    fn check_canaries(&self, answer: &Answer) {
        let events = serde_json::to_string(&*self.events.lock().unwrap()).unwrap();
        let debug = format!("{:?} {:?}", self.server, self.events.lock().unwrap());
        let records = self.dump();
        let refusal = if answer.status.is_client_error() { answer.body.as_str() } else { "" };
        for canary in self.canaries.lock().unwrap().iter() {
            assert!(!events.contains(canary), "GA3: a secret is in an event");
            assert!(!debug.contains(canary), "GA3: a secret is in Debug output");
            assert!(!refusal.contains(canary), "GA3: a secret is in a refusal");
            let random = random_part(canary);
            for record in &records {
                for bytes in [record.payload.as_bytes(), record.used.as_ref().map_or(&[], |used| &used.answer)] {
                    assert!(!contains(bytes, canary.as_bytes()), "GA3: a secret is in the store");
                    let Some(random) = &random else { continue };
                    assert!(!contains(bytes, random), "GA3: the random part of a token is in the store");
                    assert!(record.key.id != random[..32], "T-02: a record is found by the token itself");
                }
            }
        }
    }

    /// An authorization request by GET.
    pub async fn authorize(&self, parameters: &[(&str, &str)]) -> Sent {
        let uri = format!("/authorize?{}", encode(parameters));
        self.send(Request::get(uri).body(String::new()).unwrap()).await
    }

    /// The parameters of a valid request of this client.
    pub fn valid_request(&self, client: Known) -> Vec<(&'static str, &'static str)> {
        let redirect_uri = if client == POSTER { "https://poster.example/cb" } else { CALLBACK };
        vec![
            ("client_id", client.id),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", "read write"),
            ("state", "a b&c=d/é"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    /// A code for this request, allowed by this user.
    pub async fn code(&self, parameters: &[(&str, &str)], user: &str) -> String {
        let pending = self.authorize(parameters).await.pending();
        let response = self.server.approve(*pending, Approval::new(user.into(), self.now())).await.unwrap();
        let code = Answer::of(response).redirect().unwrap().parameters["code"].clone();
        self.guard(&code);
        code
    }

    /// A code for the valid request of this client, allowed by alice.
    pub async fn valid_code(&self, client: Known) -> String {
        self.code(&self.valid_request(client), "alice").await
    }

    /// A POST to an endpoint, authenticated as this client by its own method.
    pub async fn post_as(&self, client: Known, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(post_as(client, path, parameters)).await.answer()
    }

    /// A token request.
    pub async fn token(&self, client: Known, parameters: &[(&str, &str)]) -> Answer {
        self.post_as(client, "/token", parameters).await
    }

    /// Redeems a code with the usual verifier and redirect URI.
    pub async fn redeem(&self, client: Known, code: &str) -> Answer {
        let redirect_uri = if client == POSTER { "https://poster.example/cb" } else { CALLBACK };
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.token(client, &parameters).await
    }

    pub async fn refresh(&self, client: Known, token: &str) -> Answer {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Access and refresh token of alice with this client.
    pub async fn tokens(&self, client: Known) -> (String, String) {
        let code = self.valid_code(client).await;
        self.redeem(client, &code).await.tokens()
    }

    /// An access token that the client holds for itself.
    pub async fn machine_token(&self, client: Known) -> String {
        let answer = self.token(client, &[("grant_type", "client_credentials"), ("scope", "read")]).await;
        answer.field("access_token")
    }

    /// What this client is told of a token.
    pub async fn introspect(&self, caller: Known, token: &str) -> serde_json::Value {
        let answer = self.post_as(caller, "/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json().unwrap()
    }

    /// Whether an access token counts, by both ways of asking.
    pub async fn is_live(&self, token: &str) -> bool {
        let verified = self.server.verify(token, Require::any()).await.is_ok();
        let introspected = self.introspect(API, token).await["active"] == true;
        assert_eq!(verified, introspected, "verification and introspection disagree");
        verified
    }
}

fn builder(issuer: &str, store: Arc<dyn Store>, clock: &Arc<ManualClock>, events: &Arc<Mutex<Vec<Event>>>) -> Builder {
    let observed = Arc::clone(events);
    AuthorizationServer::builder(issuer)
        .shared_store(store)
        .clock(Arc::clone(clock) as _)
        .secret([7; 32])
        .observer(move |event: &Event| observed.lock().unwrap().push(event.clone()))
        .default_scope("read", "Read your data")
        .scope("write", "Change your data")
        .scope("admin", "Manage everything")
        .scope_definition(grantor::ScopeDefinition::new("profile", "Know who you are").user_only())
        .resource(RESOURCE, ["read", "write"])
        .resource(OTHER_RESOURCE, ["read"])
}

/// The answer of an endpoint, without the rules of [`World::send`]: for a test that broke the store, or that changes it
/// meanwhile.
pub async fn ask(server: &AuthorizationServer, request: Request<String>) -> Answer {
    match server.handle(request).await {
        Outcome::Respond(response) => Answer::of(response),
        other => panic!("expected an answer, got {other:?}"),
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Sent {
    Answer(Answer),
    Pending(Box<PendingAuthorization>),
    NotMine,
}

impl Sent {
    #[track_caller]
    pub fn answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            other => panic!("expected an answer, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn pending(self) -> Box<PendingAuthorization> {
        match self {
            Self::Pending(pending) => pending,
            other => panic!("expected a pending authorization, got {other:?}"),
        }
    }

    /// LOCAL: told at the server itself, never by a redirect.
    #[track_caller]
    pub fn local(self) -> Answer {
        let answer = self.answer();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert!(!answer.headers.contains_key("location"), "redirected to {:?}", answer.header("location"));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        answer
    }

    /// RD(error): told to the client at its redirect URI, with its state and our issuer, and nothing else of the
    /// request.
    #[track_caller]
    pub fn redirected(self, redirect_uri: &str, error: &str, state: Option<&str>) -> Redirect {
        let answer = self.answer();
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let redirect = answer.redirect().unwrap();
        assert_eq!(redirect.base, redirect_uri.split('?').next().unwrap());
        assert_eq!(redirect.parameters.get("error").map(String::as_str), Some(error));
        assert_eq!(redirect.parameters.get("state").map(String::as_str), state);
        assert_eq!(redirect.parameters.get("iss").map(String::as_str), Some(ISSUER));
        assert!(!redirect.parameters.contains_key("code"));
        redirect
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// Where a redirect goes.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// The URI without query and fragment.
    pub base: String,
    /// The query, decoded. A parameter that occurs twice fails the test.
    pub parameters: HashMap<String, String>,
    pub fragment: Option<String>,
}

impl Answer {
    pub fn of(response: Response<String>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// A text in the JSON body.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let json = self.json().unwrap_or_else(|| panic!("not JSON: {} {}", self.status, self.body));
        json[name].as_str().unwrap_or_else(|| panic!("no {name} in {} {}", self.status, self.body)).to_owned()
    }

    /// Access and refresh token of a successful token response.
    #[track_caller]
    pub fn tokens(&self) -> (String, String) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        (self.field("access_token"), self.field("refresh_token"))
    }

    pub fn redirect(&self) -> Option<Redirect> {
        let location = self.header("location")?;
        let (rest, fragment) = match location.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment.to_owned())),
            None => (location, None),
        };
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parameters = HashMap::new();
        for (name, value) in decode(query) {
            assert!(parameters.insert(name.clone(), value).is_none(), "{name} occurs twice in {location}");
        }
        Some(Redirect { base: base.to_owned(), parameters, fragment })
    }

    /// T400(error): a token-style error.
    #[track_caller]
    pub fn refused(&self, error: &str) -> &Self {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{}", self.body);
        assert_eq!(self.field("error"), error);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(!self.headers.contains_key("www-authenticate"));
        self
    }

    /// T401: `invalid_client`, with a challenge iff the client tried the `Authorization` header.
    #[track_caller]
    pub fn unauthenticated(&self, used_header: bool) -> &Self {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{}", self.body);
        assert_eq!(self.field("error"), "invalid_client");
        let challenge = self.header("www-authenticate");
        assert_eq!(challenge.is_some(), used_header, "{challenge:?}");
        assert!(challenge.is_none_or(|challenge| challenge.starts_with("Basic realm=")));
        self
    }

    /// GA5: to whoever asks, the two are one answer.
    #[track_caller]
    pub fn same_as(&self, other: &Self) {
        assert_eq!((self.status, &self.body, &self.headers), (other.status, &other.body, &other.headers));
    }
}

pub fn post(path: &str, parameters: &[(&str, &str)]) -> Request<String> {
    raw_post(path, encode(parameters))
}

pub fn raw_post(path: &str, body: impl Into<String>) -> Request<String> {
    Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(body.into()).unwrap()
}

pub fn post_as(client: Known, path: &str, parameters: &[(&str, &str)]) -> Request<String> {
    let mut parameters = parameters.to_vec();
    match client.method {
        AuthMethod::ClientSecretBasic => {
            let mut request = post(path, &parameters);
            let header = basic(client.id, client.secret.unwrap());
            request.headers_mut().insert("authorization", header.parse().unwrap());
            return request;
        }
        AuthMethod::ClientSecretPost => {
            parameters.extend([("client_id", client.id), ("client_secret", client.secret.unwrap())]);
        }
        AuthMethod::None => parameters.push(("client_id", client.id)),
        other => panic!("no client here authenticates by {other:?}"),
    }
    post(path, &parameters)
}

pub fn with_method(mut request: Request<String>, method: Method) -> Request<String> {
    *request.method_mut() = method;
    request
}

/// An `Authorization` header, both halves form-encoded (RFC 6749 §2.3.1).
pub fn basic(id: &str, secret: &str) -> String {
    let text = format!("{}:{}", encode_value(id), encode_value(secret));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

pub fn encode(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode_value(name), encode_value(value))).collect();
    pairs.join("&")
}

/// Percent-encodes all but what never needs it: not with the library's own printer, which would hide its mistakes.
pub fn encode_value(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

pub fn decode(query: &str) -> Vec<(String, String)> {
    let text = |raw: &str| {
        let mut bytes = Vec::new();
        let mut rest = raw.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                }
                other => bytes.push(other),
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// The parameters, with those of the same name replaced, and new ones added.
pub fn changed<'p>(parameters: &[(&'p str, &'p str)], changes: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
    let replaced = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let kept = parameters.iter().copied().filter(|(name, _)| !replaced(name));
    kept.chain(changes.iter().copied()).collect()
}

/// The parameters without this one.
pub fn without<'p>(parameters: &[(&'p str, &'p str)], name: &str) -> Vec<(&'p str, &'p str)> {
    parameters.iter().copied().filter(|(other, _)| *other != name).collect()
}

fn random_part(token: &str) -> Option<Vec<u8>> {
    let prefixes = ["gat_", "grt_", "gac_", "gdc_", "gra_", "gia_"];
    let body = prefixes.into_iter().find_map(|prefix| token.strip_prefix(prefix))?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    bytes.get(..32).map(<[u8]>::to_vec)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len().max(1)).any(|window| window == needle)
}
