//! Clients that register themselves (ids G), and JSON that others wrote (IN-18).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantor::client::{ClientMetadata, Origin};
use grantor::clock::Timestamp;
use grantor::event::{Refusal, What};
use grantor::manage::{ManageError, NewInitialAccessToken};
use grantor::refusal::{RegistrationError, RegistrationRefusal};
use grantor::store::{Kind, MemoryStore, State};
use grantor::{ConfigError, DynamicRegistration, RegisteredBy, RegistrationPolicy, RegistrationRequest};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::*;

pub const DAY: u64 = 24 * 3600;

pub async fn open() -> World {
    World::with(|builder| builder.registration(DynamicRegistration::open())).await
}

pub fn json_request(method: Method, path: &str, token: Option<&str>, body: impl Into<String>) -> Request<String> {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body.into()).unwrap()
}

pub async fn register(world: &World, body: &Value) -> Answer {
    world.send(json_request(Method::POST, "/register", None, body.to_string())).await.answer()
}

async fn register_with(world: &World, token: &str, body: &Value) -> Answer {
    world.send(json_request(Method::POST, "/register", Some(token), body.to_string())).await.answer()
}

/// What was registered.
#[track_caller]
pub fn created(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    answer.json().unwrap()
}

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// A client with a secret.
pub fn web() -> Value {
    json!({
        "client_name": "Camera wall",
        "redirect_uris": ["https://wall.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "read write",
    })
}

/// A client without one.
pub fn native() -> Value {
    json!({
        "client_name": "Camera tool",
        "redirect_uris": ["http://127.0.0.1:41000/cb"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    })
}

pub fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

/// Some of what almost is this token. Spaces before it belong to the header (RFC 6750 §2.1).
pub fn near_misses_in_a_header(token: &str) -> Vec<String> {
    near_misses(token).into_iter().filter(|text| !text.starts_with(' ')).step_by(9).collect()
}

pub async fn manage(world: &World, method: Method, id: &str, token: &str, body: &str) -> Answer {
    world.send(json_request(method, &format!("/register/{id}"), Some(token), body)).await.answer()
}

/// 401 with a challenge for a bearer token.
#[track_caller]
pub fn challenged(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    assert_eq!(answer.field("error"), "invalid_token");
}

/// Code and tokens for a client that registered itself.
pub async fn tokens_of(world: &World, client: &Value) -> (String, String) {
    let id = text(client, "client_id");
    let redirect_uri = client["redirect_uris"][0].as_str().unwrap();
    let request = [
        ("client_id", id.as_str()),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let code = world.code(&request, "alice").await;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let mut request = post("/token", &parameters);
    let header = basic(&id, &text(client, "client_secret"));
    request.headers_mut().insert("authorization", header.parse().unwrap());
    world.send(request).await.answer().tokens()
}

#[tokio::test]
async fn g_01_where_registration_is_off_there_is_no_endpoint() {
    let world = World::new().await;
    for (method, path) in [(Method::POST, "/register"), (Method::GET, "/register/x"), (Method::OPTIONS, "/register")] {
        let sent = world.send(json_request(method, path, None, web().to_string())).await;
        assert!(matches!(sent, Sent::NotMine), "{path}");
    }
    let metadata = world.send(Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap());
    assert!(metadata.await.answer().json().unwrap().get("registration_endpoint").is_none());

    let world = open().await;
    let metadata = world.send(Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap());
    let metadata = metadata.await.answer().json().unwrap();
    assert_eq!(metadata["registration_endpoint"], format!("{ISSUER}/register"));
}

#[tokio::test]
async fn g_02_a_missing_wrong_expired_or_used_initial_access_token_is_refused() {
    let world = World::with(|builder| builder.registration(DynamicRegistration::by_initial_access_token())).await;
    let new = |uses, seconds| NewInitialAccessToken {
        label: "partner".into(),
        uses,
        expires_at: world.now().after(Duration::from_secs(seconds)),
    };
    let (listed, once) = world.server.registrations().issue(new(1, 1_000)).await.unwrap();
    let (_, expiring) = world.server.registrations().issue(new(5, 10)).await.unwrap();
    let (revoked_id, revoked) = world.server.registrations().issue(new(5, 1_000)).await.unwrap();
    for token in [&once, &expiring, &revoked] {
        world.guard(token.expose());
    }
    assert!(once.expose().starts_with("gia_"));
    world.server.registrations().revoke(&revoked_id.id).await.unwrap();
    assert_eq!(world.server.registrations().revoke(&revoked_id.id).await, Err(ManageError::NotFound));

    let missing = register(&world, &web()).await;
    challenged(&missing);
    assert!(!missing.header("www-authenticate").unwrap().contains("error="), "RFC 6750 section 3.1");
    world.advance(10);
    let wrong = register_with(&world, &once.expose().replace("gia_", "gra_"), &web()).await;
    challenged(&wrong);
    let near = near_misses_in_a_header(once.expose());
    for token in near.iter().map(String::as_str).chain([expiring.expose(), revoked.expose(), "x", &"x".repeat(5_000)]) {
        register_with(&world, token, &web()).await.same_as(&wrong);
    }
    let mut by_secret = json_request(Method::POST, "/register", None, web().to_string());
    by_secret.headers_mut().insert("authorization", basic(WEB.id, WEB.secret.unwrap()).parse().unwrap());
    world.send(by_secret).await.answer().same_as(&wrong);

    created(&register_with(&world, once.expose(), &web()).await);
    register_with(&world, once.expose(), &web()).await.same_as(&wrong);
    let tokens = world.server.registrations().tokens(None, 10).await.unwrap().items;
    let used = tokens.iter().find(|token| token.id == listed.id).unwrap();
    assert_eq!((used.uses, used.used, used.label.as_str()), (1, 1, "partner"));
}

#[tokio::test]
async fn g_02_an_initial_access_token_for_one_use_is_good_for_one_of_many_at_once() {
    let world = World::with(|builder| builder.registration(DynamicRegistration::by_initial_access_token())).await;
    let new = NewInitialAccessToken { label: String::new(), uses: 3, expires_at: Timestamp::NEVER };
    let (_, token) = world.server.registrations().issue(new).await.unwrap();
    let barrier = Arc::new(tokio::sync::Barrier::new(16));
    let attempts: Vec<_> = (0..16)
        .map(|_| {
            let (server, barrier, token) = (world.server.clone(), Arc::clone(&barrier), token.expose().to_owned());
            tokio::spawn(async move {
                barrier.wait().await;
                ask(&server, json_request(Method::POST, "/register", Some(&token), web().to_string())).await
            })
        })
        .collect();
    let mut registered = 0;
    for attempt in attempts {
        let answer = attempt.await.unwrap();
        if answer.status == StatusCode::CREATED { registered += 1 } else { challenged(&answer) }
    }
    assert_eq!(registered, 3);
    assert_eq!(world.server.registrations().clients(None, 100).await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn g_03_uris_that_may_not_be_registered_are_refused() {
    let world = open().await;
    for uri in [
        "https://app.example/cb#f",
        "https://user:pw@app.example/cb",
        "http://app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp:/cb",
        "/cb",
        "//app.example/cb",
        "https:/app.example/cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/a/../cb",
        "https://*.example/cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "",
        " https://app.example/cb",
    ] {
        let answer = register(&world, &with(web(), "redirect_uris", json!([uri]))).await;
        answer.refused("invalid_redirect_uri");
    }
    for uris in [json!([]), json!(null), json!("https://app.example/cb"), json!([null]), json!([["https://a.example"]])]
    {
        register(&world, &with(web(), "redirect_uris", uris)).await.refused("invalid_redirect_uri");
    }
    let twice = json!(["https://app.example/cb", "https://app.example/cb"]);
    register(&world, &with(web(), "redirect_uris", twice)).await.refused("invalid_redirect_uri");
    // http, also to the device, is not for what says it runs on a server.
    for uri in ["http://localhost/cb", "http://127.0.0.1/cb", "com.example.app:/cb"] {
        let web = with(with(web(), "redirect_uris", json!([uri])), "application_type", json!("web"));
        register(&world, &web).await.refused("invalid_redirect_uri");
    }
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        for uri in
            ["http://wall.example/x", "javascript:alert(1)", "data:image/png,x", "https://", "https://u@wall.example"]
        {
            register(&world, &with(web(), name, json!(uri))).await.refused("invalid_client_metadata");
        }
    }
    // What says it in another language is not understood, and so it is neither kept nor said again.
    let tagged = with(web(), "logo_uri#ja", json!("javascript:alert(1)"));
    let registered = register(&world, &tagged).await;
    assert!(!created(&registered).as_object().unwrap().keys().any(|name| name.contains('#')));
    assert!(
        !world
            .dump()
            .iter()
            .any(|record| { String::from_utf8_lossy(record.payload.as_bytes()).contains("javascript") })
    );
}

#[tokio::test]
async fn g_03_metadata_that_may_not_be_registered_is_refused() {
    let world = open().await;
    for (name, value) in [
        ("client_name", json!("a\u{0}b")),
        ("client_name", json!("x".repeat(201))),
        ("client_name", json!(["x"])),
        ("scope", json!("read unknown")),
        ("scope", json!("read\"write")),
        ("grant_types", json!(["password"])),
        ("grant_types", json!(["implicit"])),
        ("grant_types", json!(["authorization_code", "client_credentials"])),
        ("grant_types", json!([])),
        ("grant_types", json!(["refresh_token"])),
        ("response_types", json!(["token"])),
        ("response_types", json!(["code", "token"])),
        ("response_types", json!([])),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_method", json!("")),
        ("application_type", json!("desktop")),
        ("jwks", json!({ "keys": [] })),
        ("jwks_uri", json!("https://wall.example/jwks")),
        ("contacts", json!(["a\nb"])),
        ("contacts", json!(vec!["a@b.example"; 21])),
        ("software_id", json!(7)),
    ] {
        let answer = register(&world, &with(web(), name, value.clone())).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {value}");
        answer.refused("invalid_client_metadata");
    }
    register(&world, &with(web(), "software_statement", json!("a.b.c"))).await.refused("unapproved_software_statement");
    let refusals = world.take_refusals();
    assert!(refusals.contains(&Refusal::Register(RegistrationError::UnapprovedStatement)));
    assert!(refusals.iter().all(|refusal| matches!(refusal, Refusal::Register(_))));
}

#[tokio::test]
async fn g_03_what_only_the_host_says_of_a_client_cannot_be_asked_for() {
    let world = open().await;
    let mut body = web();
    for (name, value) in [
        ("consent", json!("implied")),
        ("require_pkce", json!(false)),
        ("resource_server", json!(true)),
        ("access_token_lifetime", json!(315_576_000)),
        ("refresh_token_rotation", json!("never")),
        ("client_id", json!("web")),
        ("client_secret", json!("mine-mine-mine-mine-mine-mine")),
    ] {
        body = with(body, name, value);
    }
    let registered = created(&register(&world, &body).await);
    assert_ne!(registered["client_id"], "web");
    assert_ne!(registered["client_secret"], "mine-mine-mine-mine-mine-mine");
    let id = text(&registered, "client_id");
    let client = world.server.clients().get(&id.as_str().into()).await.unwrap().unwrap();
    let default = ClientMetadata::default();
    assert_eq!(client.metadata().consent, default.consent);
    assert_eq!(client.metadata().refresh_token_rotation, default.refresh_token_rotation);
    assert!(client.metadata().require_pkce && !client.metadata().resource_server);
    assert_eq!(client.metadata().access_token_lifetime, None);
    assert_eq!(client.origin(), Origin::Registration);
}

#[tokio::test]
async fn g_05_a_client_that_was_given_a_secret_must_use_it() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic");
    let id = text(&registered, "client_id");
    let answer =
        world.send(post("/token", &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", &id)]));
    answer.await.answer().unauthenticated(false);
    let (access, refresh) = tokens_of(&world, &registered).await;
    assert!(world.is_live(&access).await);
    let stolen = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", id.as_str())];
    world.send(post("/token", &stolen)).await.answer().unauthenticated(false);
}

#[tokio::test]
async fn g_06_the_day_has_a_quota_and_the_next_has_another() {
    let world = World::with(|builder| builder.registration(DynamicRegistration::open().per_day(3))).await;
    for _ in 0..3 {
        created(&register(&world, &web()).await);
    }
    let answer = register(&world, &web()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("86400")));
    // By way of a client without a secret it is no more.
    assert_eq!(register(&world, &native()).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(world.take_refusals(), vec![Refusal::Register(RegistrationError::Quota); 2]);
    world.advance(DAY);
    created(&register(&world, &web()).await);
}

#[tokio::test]
async fn g_06_too_much_of_anything_is_refused() {
    let world = open().await;
    let uris: Vec<_> = (0..1_000).map(|number| format!("https://a.example/{number}")).collect();
    register(&world, &with(web(), "redirect_uris", json!(uris))).await.refused("invalid_redirect_uri");
    register(&world, &with(web(), "redirect_uris", json!(uris[..51]))).await.refused("invalid_redirect_uri");
    register(&world, &with(web(), "client_name", json!("x".repeat(60_000)))).await.refused("invalid_client_metadata");
    let answer = register(&world, &with(web(), "client_name", json!("x".repeat(65_536)))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let many: serde_json::Map<String, Value> = (0..3_000).map(|number| (format!("m{number}"), json!(1))).collect();
    register(&world, &Value::Object(many)).await.refused("invalid_client_metadata");
}

#[tokio::test]
async fn g_06_clients_that_nobody_uses_go_and_those_that_are_used_stay() {
    let world = open().await;
    let unused = created(&register(&world, &web()).await);
    let public = created(&register(&world, &native()).await);
    let used = created(&register(&world, &web()).await);
    let stopped = created(&register(&world, &web()).await);
    let (access, _) = tokens_of(&world, &used).await;
    let id = |client: &Value| grantor::ClientId::from(text(client, "client_id"));
    world.server.clients().deactivate(&id(&stopped)).await.unwrap();
    world.advance(30 * DAY - 1);
    let month = Duration::from_secs(30 * DAY);
    let purge = || world.server.registrations().purge_unused(month, None, 1_000);
    assert_eq!(purge().await.unwrap().removed, 0);
    world.advance(1);
    let young = created(&register(&world, &web()).await);
    world.take_events();
    assert_eq!(purge().await.unwrap().removed, 2);
    let gone: Vec<_> = world.take_events().into_iter().filter(|event| event.what == What::ClientDeleted).collect();
    assert_eq!(gone.len(), 2);
    for (client, stays) in [(&unused, false), (&public, false), (&used, true), (&stopped, true), (&young, true)] {
        assert_eq!(world.server.clients().get(&id(client)).await.unwrap().is_some(), stays);
    }
    // Nothing of them is left: client, mark, token.
    let of_kind = |kind| world.records(kind).len();
    assert_eq!((of_kind(Kind::REGISTRATION_TOKEN), of_kind(Kind::CLIENT)), (3, 5 + 3));
    assert!(!world.is_live(&access).await, "it has expired, and nothing else ended it");
    // The host's own clients are none of these.
    assert!(world.server.clients().get(&WEB.id.into()).await.unwrap().is_some());
    // Registered again, it is another client, though it is called the same.
    assert_eq!(id(&created(&register(&world, &native()).await)), id(&public));
}

#[tokio::test]
async fn cc_04_a_client_that_registered_itself_has_no_machine_scopes_unless_the_host_says_so() {
    let machine = with(with(web(), "grant_types", json!(["client_credentials"])), "redirect_uris", json!([]));
    register(&open().await, &machine).await.refused("invalid_client_metadata");
    let registration = DynamicRegistration::open().grant_types(["client_credentials"]).scope(["read"]);
    let world = World::with(|builder| builder.registration(registration)).await;
    register(&world, &machine).await.refused("invalid_client_metadata");
    let registered = created(&register(&world, &with(machine, "scope", json!("read"))).await);
    assert_eq!(registered["response_types"], json!([]));
    let mut request = post("/token", &[("grant_type", "client_credentials"), ("scope", "write")]);
    let header = basic(&text(&registered, "client_id"), &text(&registered, "client_secret"));
    request.headers_mut().insert("authorization", header.parse().unwrap());
    world.send(request).await.answer().refused("invalid_scope");
}

#[tokio::test]
async fn g_08_registering_again_what_has_no_secret_makes_no_other_client() {
    let world = open().await;
    let first = created(&register(&world, &native()).await);
    let before = world.dump();
    // The same software on another day has another port.
    let again = with(native(), "redirect_uris", json!(["http://127.0.0.1:52345/cb"]));
    let second = created(&register(&world, &again).await);
    assert_eq!(world.dump(), before);
    assert_eq!(first["client_id"], second["client_id"]);
    assert_eq!(second["redirect_uris"], again["redirect_uris"]);
    // Nobody may change what others use too, nor read it by a token that was another's.
    for member in ["client_secret", "registration_access_token", "registration_client_uri"] {
        assert!(first.get(member).is_none() && second.get(member).is_none(), "{member}");
    }
    for (name, value) in [
        ("redirect_uris", json!(["http://127.0.0.1:41000/other"])),
        ("redirect_uris", json!(["http://localhost:41000/cb"])),
        ("client_name", json!("Camera tool 2")),
        ("scope", json!("read")),
        ("software_version", json!("2")),
    ] {
        let other = created(&register(&world, &with(native(), name, value)).await);
        assert_ne!(other["client_id"], first["client_id"], "{name}");
    }
    // With a secret each is its own.
    let (one, two) = (created(&register(&world, &web()).await), created(&register(&world, &web()).await));
    assert_ne!(one["client_id"], two["client_id"]);
    assert_ne!(one["client_secret"], two["client_secret"]);
}

#[tokio::test]
async fn g_08_many_who_register_the_same_at_once_make_one_client() {
    let world = open().await;
    let barrier = Arc::new(tokio::sync::Barrier::new(16));
    let attempts: Vec<_> = (0..16)
        .map(|number| {
            let uri = format!("http://127.0.0.1:{}/cb", 40_000 + number);
            let body = with(native(), "redirect_uris", json!([uri]));
            let (server, barrier) = (world.server.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                ask(&server, json_request(Method::POST, "/register", None, body.to_string())).await
            })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for attempt in attempts {
        ids.insert(text(&created(&attempt.await.unwrap()), "client_id"));
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(world.server.registrations().clients(None, 100).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn g_08_what_an_administrator_ended_does_not_come_back_by_registering_again() {
    for state in [State::Inactive, State::Deleted] {
        let world = open().await;
        let id = text(&created(&register(&world, &native()).await), "client_id");
        match state {
            State::Inactive => drop(world.server.clients().deactivate(&id.as_str().into()).await.unwrap()),
            _ => world.server.clients().delete(&id.as_str().into()).await.unwrap(),
        }
        world.take_events();
        register(&world, &native()).await.refused("invalid_client_metadata");
        assert_eq!(world.take_refusals(), [Refusal::Register(RegistrationError::Deactivated)]);
    }
}

/// Refuses, narrows, or lets pass, by the name of the client.
struct House;

#[async_trait]
impl RegistrationPolicy for House {
    async fn decide(&self, request: RegistrationRequest<'_>) -> Result<ClientMetadata, RegistrationRefusal> {
        if request.software_statement == Some("forged") {
            return Err(RegistrationRefusal::SoftwareStatement);
        }
        let name = match request.by {
            RegisteredBy::InitialAccessToken(label) => format!("{label}: {}", request.metadata.client_name),
            _ => request.metadata.client_name.clone(),
        };
        match request.metadata.client_name.as_str() {
            "statement" => Err(RegistrationRefusal::UnapprovedStatement),
            "redirect" => Err(RegistrationRefusal::RedirectUri),
            "metadata" => Err(RegistrationRefusal::Metadata),
            "broken" => {
                Ok(ClientMetadata { redirect_uris: vec!["http://evil.example".into()], ..request.metadata.clone() })
            }
            _ => Ok(ClientMetadata { client_name: name, scope: "read".parse().unwrap(), ..request.metadata.clone() }),
        }
    }
}

#[tokio::test]
async fn g_09_the_hosts_policy_refuses_narrows_and_amends() {
    let world = World::with(|builder| builder.registration(DynamicRegistration::open().policy(House))).await;
    for (name, error) in [
        ("statement", "unapproved_software_statement"),
        ("redirect", "invalid_redirect_uri"),
        ("metadata", "invalid_client_metadata"),
        // What the policy makes of it keeps the rules, too.
        ("broken", "invalid_redirect_uri"),
    ] {
        register(&world, &with(web(), "client_name", json!(name))).await.refused(error);
    }
    let forged = with(web(), "software_statement", json!("forged"));
    register(&world, &forged).await.refused("invalid_software_statement");
    let stated = with(web(), "software_statement", json!("e.y.J"));
    let registered = created(&register(&world, &stated).await);
    assert_eq!((&registered["scope"], &registered["software_statement"]), (&json!("read"), &json!("e.y.J")));
    let new = NewInitialAccessToken { label: "partner".into(), uses: 1, expires_at: Timestamp::NEVER };
    let (_, token) = world.server.registrations().issue(new).await.unwrap();
    let registered = created(&register_with(&world, token.expose(), &web()).await);
    assert_eq!(registered["client_name"], "partner: Camera wall");
}

#[tokio::test]
async fn g_11_what_clients_could_register_is_what_the_server_has() {
    let build = |registration| {
        let builder = grantor::AuthorizationServer::builder(ISSUER).store(MemoryStore::new()).scope("read", "Read");
        builder.registration(registration).build().map(|_| ())
    };
    assert_eq!(build(DynamicRegistration::open().scope(["read"])), Ok(()));
    for registration in
        [DynamicRegistration::open().scope(["admin"]), DynamicRegistration::open().grant_types(["urn:example:none"])]
    {
        assert!(matches!(build(registration), Err(ConfigError::Registration(_))));
    }
    for registration in
        [DynamicRegistration::open().per_day(0), DynamicRegistration::open().secret_lifetime(Duration::from_secs(1))]
    {
        assert!(build(registration).is_err());
    }
    // A smaller scope is both the most and what is given where none is named.
    let world = World::with(|builder| builder.registration(DynamicRegistration::open().scope(["read"]))).await;
    register(&world, &web()).await.refused("invalid_client_metadata");
    assert_eq!(created(&register(&world, &native()).await)["scope"], "read");
}

#[tokio::test]
async fn in_18_json_that_can_be_read_in_two_ways_is_not_read() {
    let world = open().await;
    let valid = web().to_string();
    let inner = &valid[1..valid.len() - 1];
    let deep = |depth: usize| format!("{{{inner},\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let bodies = [
        format!("{{{inner},\"scope\":\"admin\"}}"),
        format!("{{{inner},\"sc\\u006fpe\":\"admin\"}}"),
        format!("{{{inner},\"x\":{{\"a\":1,\"a\":2}}}}"),
        format!("\u{feff}{valid}"),
        format!("{valid}{valid}"),
        format!("{valid} x"),
        format!("{{{inner},\"x\":1e400}}"),
        format!("{{{inner},\"x\":\"\\ud800\"}}"),
        deep(32),
        deep(10_000),
        "null".into(),
        "[]".into(),
        format!("[{valid}]"),
        "\"x\"".into(),
        String::new(),
        "{".into(),
        valid.replace('"', "'"),
        encode(&[("client_name", "x")]),
    ];
    for body in bodies {
        let shown = body.chars().take(60).collect::<String>();
        let answer = world.send(json_request(Method::POST, "/register", None, body)).await.answer();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        answer.refused("invalid_client_metadata");
    }
    // Another case is another name, and so is one that means something elsewhere: neither kept nor said again.
    let other = valid.replace("redirect_uris", "Redirect_URIs");
    world.send(json_request(Method::POST, "/register", None, other)).await.answer().refused("invalid_redirect_uri");
    let proto = format!("{{{inner},\"__proto__\":{{\"scope\":\"admin\"}},\"x\":null}}");
    let answer = world.send(json_request(Method::POST, "/register", None, proto)).await.answer();
    let registered = created(&answer);
    assert!(!answer.body.contains("__proto__") && registered["scope"] == "read write");
    created(&world.send(json_request(Method::POST, "/register", None, deep(31))).await.answer());
}

#[tokio::test]
async fn in_18_a_body_that_is_not_declared_as_json_is_refused() {
    let world = open().await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/json, text/plain", "text/json"]
    {
        let request = Request::post("/register").header("content-type", content_type).body(web().to_string()).unwrap();
        world.send(request).await.answer().refused("invalid_client_metadata");
    }
    let request = Request::post("/register").body(web().to_string()).unwrap();
    world.send(request).await.answer().refused("invalid_client_metadata");
    let request = Request::post("/register").header("content-type", "Application/JSON; charset=utf-8");
    created(&world.send(request.body(web().to_string()).unwrap()).await.answer());
}

#[tokio::test]
async fn rfc7591_3_2_1_the_answer_has_all_that_is_registered() {
    let world = open().await;
    let body =
        json!({ "redirect_uris": ["https://wall.example/cb"], "software_id": "wall", "software_version": "1.2" });
    let registered = created(&register(&world, &body).await);
    let now = world.now().as_secs();
    for (name, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("application_type", json!("web")),
        ("scope", json!("read write admin profile")),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(now)),
        ("software_id", json!("wall")),
        ("software_version", json!("1.2")),
        ("redirect_uris", json!(["https://wall.example/cb"])),
    ] {
        assert_eq!(registered[name], value, "{name}");
    }
    assert!(text(&registered, "client_secret").starts_with("gcs_"));
    assert!(text(&registered, "registration_access_token").starts_with("gra_"));
    let id = text(&registered, "client_id");
    let events = world.take_events();
    assert!(
        events.iter().any(|event| event.what == What::ClientRegistered && event.client_id == Some(id.as_str().into()))
    );
}

#[tokio::test]
async fn rfc7591_3_scripts_of_any_origin_may_register() {
    let world = open().await;
    let preflight = world.send(json_request(Method::OPTIONS, "/register", None, "")).await.answer();
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
    let managed = world.send(json_request(Method::OPTIONS, "/register/x", None, "")).await.answer();
    assert_eq!(managed.header("access-control-allow-methods"), Some("GET, PUT, DELETE"));
    assert_eq!(register(&world, &web()).await.header("access-control-allow-origin"), Some("*"));
    for (method, path, allow) in [
        (Method::GET, "/register", "POST, OPTIONS"),
        (Method::POST, "/register/x", "GET, PUT, DELETE, OPTIONS"),
        (Method::PATCH, "/register/x", "GET, PUT, DELETE, OPTIONS"),
    ] {
        let answer = world.send(json_request(method, path, None, "")).await.answer();
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some(allow)));
    }
    for path in ["/register/", "/register/a/b", "/register//", "/Register", "/register/%41"] {
        assert!(matches!(world.send(json_request(Method::GET, path, None, "")).await, Sent::NotMine), "{path}");
    }
}
