//! What a host adds to the server: the example `extensions`, from the outside, and what must be refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test may fail"
)]

#[path = "../examples/extensions/host.rs"]
mod host;

use async_trait::async_trait;
use grantor::client::{AuthMethod, ClientMetadata, MetadataError};
use grantor::clock::Clock as _;
use grantor::manage::{ManageError, Registration};
use grantor::resource::Verified;
use grantor::secret::Secret;
use grantor::store::MemoryStore;
use grantor::testing::TestServer;
use grantor::{
    AuthorizationServer, Builder, Claim, ClientAuthentication, ClientAuthenticationRequest, ConfigError, Failure, Host,
    Outcome, Require, SignIn, Site, TokenFormat,
};
use http::Request;
use serde_json::{Value, json};

const API: (&str, &str) = ("authorization", "Basic YXBpOmFwaS1zZWNyZXQtb2YtYS10ZXN0LXNlcnZlcg==");
const ISSUER: &str = "https://tokens.example";
const CERTIFICATE: (&str, &str) = (host::HEADER, "4f1c");

fn batch() -> Registration {
    Registration {
        client_id: Some("batch".into()),
        ..ClientMetadata {
            token_endpoint_auth_method: AuthMethod::Extension(host::BY_CERTIFICATE),
            grant_types: vec![host::TICKET.into(), "client_credentials".into()],
            response_types: Vec::new(),
            scope: "read write".parse().unwrap(),
            ..ClientMetadata::default()
        }
        .into()
    }
}

async fn server() -> TestServer {
    let server = TestServer::builder().configure(|builder| host::extend(builder, ISSUER)).in_process();
    let made = server.register(batch()).await;
    assert_eq!(made.client_secret, None, "a client of a host's method has no secret");
    server
}

async fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut request = Request::post(server.url(path)).header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = server.send(request.body(body.to_owned()).unwrap()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap_or_default())
}

#[tokio::test]
async fn a_client_authenticates_by_the_hosts_method_at_every_endpoint() {
    let server = server().await;
    let (status, own) = post(&server, "/token", &[CERTIFICATE], "grant_type=client_credentials").await;
    assert_eq!(status, 200, "{own}");
    let token = own["access_token"].as_str().unwrap();
    let asked = format!("token={token}&client_id=batch");
    let (_, told) = post(&server, "/introspect", &[CERTIFICATE], &asked).await;
    assert_eq!((told["active"].as_bool(), told["client_id"].as_str()), (Some(true), Some("batch")));
    assert_eq!(post(&server, "/revoke", &[CERTIFICATE], &format!("token={token}")).await.0, 200);
    let (_, told) = post(&server, "/introspect", &[CERTIFICATE], &asked).await;
    assert_eq!(told, json!({ "active": false }));

    let metadata = Request::get(server.url("/.well-known/oauth-authorization-server")).body(String::new()).unwrap();
    let metadata: Value = serde_json::from_str(server.send(metadata).await.unwrap().body()).unwrap();
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        assert!(methods.contains(&json!(host::BY_CERTIFICATE)), "{methods:?}");
    }
}

#[tokio::test]
async fn a_client_authenticates_by_the_one_method_that_it_registered_and_by_one_at_a_time() {
    let server = server().await;
    let basic = ("authorization", "Basic YXBwOmFwcC1zZWNyZXQtb2YtYS10ZXN0LXNlcnZlcg==");
    let credentials = "grant_type=client_credentials";
    for (headers, body, status, error) in [
        (vec![(host::HEADER, "beef")], credentials, 401, "invalid_client"),
        (vec![CERTIFICATE, CERTIFICATE], credentials, 401, "invalid_client"),
        (vec![], "grant_type=client_credentials&client_id=batch", 401, "invalid_client"),
        (vec![], "grant_type=client_credentials&client_id=batch&client_secret=x", 401, "invalid_client"),
        (vec![CERTIFICATE, basic], credentials, 400, "invalid_request"),
        (vec![CERTIFICATE], "grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
        (vec![CERTIFICATE], "grant_type=client_credentials&client_id=app", 400, "invalid_request"),
    ] {
        let (got, answer) = post(&server, "/token", &headers, body).await;
        assert_eq!((got, answer["error"].as_str()), (status, Some(error)), "{headers:?} {body}");
    }
    assert_eq!(post(&server, "/token", &[basic], credentials).await.0, 200, "others go on as before");

    server.oauth().clients().deactivate(&"batch".into()).await.unwrap();
    assert_eq!(post(&server, "/token", &[CERTIFICATE], credentials).await.0, 401);
}

#[tokio::test]
async fn a_client_of_another_method_is_not_authenticated_by_the_hosts() {
    /// Says of everybody that they are the client `app`, which has a secret.
    struct Everybody;

    #[async_trait]
    impl ClientAuthentication for Everybody {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Proven("app".into())
        }
    }

    let server = TestServer::builder().configure(|it| it.client_authentication("anything", Everybody)).in_process();
    let (status, answer) = post(&server, "/token", &[], "grant_type=client_credentials").await;
    assert_eq!((status, answer["error"].as_str()), (401, Some("invalid_client")));
}

#[tokio::test]
async fn a_method_that_cannot_tell_is_no_refusal() {
    struct Away;

    #[async_trait]
    impl ClientAuthentication for Away {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Unavailable
        }
    }

    let server = TestServer::builder().configure(|it| it.client_authentication("away", Away)).in_process();
    let (status, answer) = post(&server, "/token", &[], "grant_type=client_credentials").await;
    assert_eq!((status, answer["error"].as_str()), (503, Some("temporarily_unavailable")));
}

#[tokio::test]
async fn a_client_of_the_hosts_method_can_be_given_no_secret() {
    let server = server().await;
    let clients = server.oauth().clients();
    let added = clients.add_secret(&"batch".into(), "", grantor::clock::Timestamp::NEVER).await;
    assert_eq!(added.unwrap_err(), ManageError::PublicClient);
    let chosen = Registration {
        client_id: Some("other".into()),
        client_secret: Some(Secret::new("a-secret-of-sixteen")),
        ..batch()
    };
    assert_eq!(clients.register(chosen).await.unwrap_err(), ManageError::PublicClient);
}

#[tokio::test]
async fn a_server_without_the_method_registers_nobody_for_it() {
    let with = server().await;
    let listed = with.oauth().clients().get(&"batch".into()).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(listed.metadata()).unwrap()["token_endpoint_auth_method"], host::BY_CERTIFICATE);
    let without = TestServer::in_process();
    let mut registration = batch();
    registration.metadata.grant_types = vec!["client_credentials".into()];
    let refused = without.oauth().clients().register(registration).await.unwrap_err();
    assert_eq!(refused, ManageError::Metadata(MetadataError::AuthMethod));
    let unknown = serde_json::from_value::<ClientMetadata>(json!({ "token_endpoint_auth_method": "nobody_has_this" }));
    assert!(unknown.unwrap_err().to_string().contains("nobody_has_this"));
}

#[tokio::test]
async fn a_ticket_is_changed_for_a_token_and_the_answers_say_what_the_host_adds() {
    let server = server().await;
    let body = format!("grant_type={}&ticket=front-row", host::TICKET);
    let (status, answer) = post(&server, "/token", &[CERTIFICATE], &body).await;
    assert_eq!((status, answer["scope"].as_str()), (200, Some("read write")), "{answer}");
    assert_eq!(answer["api_url"], "https://batch.api.example");
    let (_, told) =
        post(&server, "/introspect", &[API], &format!("token={}", answer["access_token"].as_str().unwrap())).await;
    assert_eq!((told["sub"].as_str(), told["tenant"].as_str()), (Some("alice"), Some("acme")));

    let stranger = server.mint("bob").access().await;
    let (_, told) = post(&server, "/introspect", &[API], &format!("token={stranger}")).await;
    assert!(told["active"] == true && told.get("tenant").is_none(), "what is not known is left out: {told}");
    let (_, dead) = post(&server, "/introspect", &[API], "token=gat_nothing").await;
    assert_eq!(dead, json!({ "active": false }), "nothing is told of a token that does not count");
    let refused = post(&server, "/token", &[CERTIFICATE], &format!("grant_type={}&ticket=forged", host::TICKET)).await;
    assert_eq!((refused.0, refused.1["error"].as_str()), (400, Some("invalid_grant")));
}

#[test]
fn what_would_take_the_place_of_the_servers_own_is_refused_when_it_is_built() {
    struct Nobody;

    #[async_trait]
    impl ClientAuthentication for Nobody {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Absent
        }
    }

    let builder = || AuthorizationServer::builder("https://auth.example").store(MemoryStore::new());
    let nothing = |_: &Verified| None;
    for name in ["access_token", "token_type", "expires_in", "scope", "id_token", "error", ""] {
        let built = builder().token_member(name, nothing).build();
        assert_eq!(built.unwrap_err(), ConfigError::Member(name.into()));
    }
    for name in ["active", "sub", "scope", "exp", "aud", "client_id", "cnf", ""] {
        let built = builder().introspection_member(name, nothing).build();
        assert_eq!(built.unwrap_err(), ConfigError::Member(name.into()));
    }
    let twice = builder().introspection_member("tenant", nothing).introspection_member("tenant", nothing).build();
    assert_eq!(twice.unwrap_err(), ConfigError::Member("tenant".into()));
    for name in ["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "", "a b"] {
        let built = builder().client_authentication(name, Nobody).build();
        assert_eq!(built.unwrap_err(), ConfigError::ClientAuthentication(name));
    }
    let twice = builder().client_authentication("mine", Nobody).client_authentication("mine", Nobody).build();
    assert_eq!(twice.unwrap_err(), ConfigError::ClientAuthentication("mine"));
}

const APP: (&str, &str) = ("authorization", "Basic YXBwOmFwcC1zZWNyZXQtb2YtYS10ZXN0LXNlcnZlcg==");

async fn get(server: &TestServer, path: &str) -> http::Response<String> {
    server.send(Request::get(server.url(path)).body(String::new()).unwrap()).await.unwrap()
}

async fn introspected(server: &TestServer, token: &str) -> Value {
    post(server, "/introspect", &[API], &format!("token={token}")).await.1
}

/// The answer to an authorization request of `app` with these parameters at its end: where the browser is sent.
async fn authorize(server: &TestServer, more: &str) -> String {
    let redirect_uri = TestServer::REDIRECT_URI;
    let request = format!(
        "/authorize?response_type=code&client_id=app&redirect_uri={redirect_uri}&scope=read&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM{more}"
    );
    get(server, &request).await.headers()["location"].to_str().unwrap().to_owned()
}

/// What the code that the browser brought back buys.
async fn redeem(server: &TestServer, location: &str) -> Value {
    let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let body =
        format!("grant_type=authorization_code&code={code}&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let (status, answer) = post(server, "/token", &[APP], &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn a_token_in_the_hosts_format_is_read_elsewhere_and_counts_here_until_it_is_revoked() {
    let server = server().await;
    server.sign_in("alice");
    let jwt = host::Jwt { issuer: ISSUER.into(), key: host::KEY };
    let bought = redeem(&server, &authorize(&server, "").await).await;
    let token = bought["access_token"].as_str().unwrap();
    let now = server.clock().now().as_secs();
    let claims = jwt.verify(token, now).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["scope"]),
        (&json!("alice"), &json!("app"), &json!("read"))
    );
    let told = introspected(&server, token).await;
    assert_eq!((&told["active"], &told["exp"], &told["iat"]), (&json!(true), &claims["exp"], &claims["iat"]));
    let verified = server.oauth().verify(token, Require::scope("read")).await.unwrap();
    assert_eq!(verified.subject(), Some("alice"));
    assert!(jwt.verify(token, claims["exp"].as_i64().unwrap()).is_none());

    let refresh = format!("grant_type=refresh_token&refresh_token={}", bought["refresh_token"].as_str().unwrap());
    let (_, next) = post(&server, "/token", &[APP], &refresh).await;
    let (_, again) = post(&server, "/token", &[APP], &refresh).await;
    assert!(jwt.verify(next["access_token"].as_str().unwrap(), now).is_some());
    assert_eq!(again["access_token"], next["access_token"], "an honest retry is given the same");

    assert_eq!(post(&server, "/revoke", &[APP], &format!("token={token}")).await.0, 200);
    assert_eq!(introspected(&server, token).await, json!({ "active": false }));
    assert!(server.oauth().verify(token, Require::any()).await.is_err());
    let next = next["access_token"].as_str().unwrap();
    server.oauth().grants().revoke_token(next).await.unwrap();
    assert_eq!(introspected(&server, next).await, json!({ "active": false }));
}

#[tokio::test]
async fn every_grant_type_gives_tokens_in_the_hosts_format() {
    let server = server().await;
    let jwt = host::Jwt { issuer: ISSUER.into(), key: host::KEY };
    let now = server.clock().now().as_secs();
    let ticket = format!("grant_type={}&ticket=front-row", host::TICKET);
    for (body, subject) in [("grant_type=client_credentials", "batch"), (&*ticket, "alice")] {
        let (_, answer) = post(&server, "/token", &[CERTIFICATE], body).await;
        let claims = jwt.verify(answer["access_token"].as_str().unwrap(), now).unwrap();
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(subject), &json!("batch")));
    }
    let minted = server.mint("bob").scope("read").access().await;
    assert_eq!(jwt.verify(&minted, now).unwrap()["sub"], "bob");
    assert_eq!(introspected(&server, &minted).await["active"], true);
}

#[tokio::test]
async fn a_forged_envelope_is_worth_what_is_in_it_and_the_servers_own_text_goes_on() {
    let server = server().await;
    let minted = server.mint("bob").scope("read").access().await;
    let jwt = host::Jwt { issuer: ISSUER.into(), key: host::KEY };
    let own = jwt.verify(&minted, 0).unwrap()["own"].as_str().unwrap().to_owned();
    assert_eq!(introspected(&server, &own).await["active"], true, "as a token from before there was a format");
    for text in ["a.b.c", "..", ".e30.", "a.e30.b", &minted.replacen('.', "..", 1), &minted[..minted.len() / 2]] {
        assert_eq!(introspected(&server, text).await, json!({ "active": false }), "{text}");
        assert!(server.oauth().verify(text, Require::any()).await.is_err(), "{text}");
    }
}

/// A format that does what it is told.
struct Told(fn(&Secret) -> Result<String, Failure>);

#[async_trait]
impl TokenFormat for Told {
    async fn write(&self, token: &Secret, _: &Verified) -> Result<String, Failure> {
        (self.0)(token)
    }

    fn read<'t>(&self, text: &'t str) -> Option<std::borrow::Cow<'t, str>> {
        text.strip_prefix("old.").map(Into::into)
    }
}

#[tokio::test]
async fn a_format_that_fails_or_gives_what_cannot_be_presented_issues_nothing() {
    for (write, status) in [
        ((|_| Err(Failure::Unavailable)) as fn(&Secret) -> Result<String, Failure>, 503),
        (|_| Err(Failure::Upstream), 500),
        (|token| Ok(token.expose().to_owned()), 500),
        (|_| Ok("old.something-else".to_owned()), 500),
        (|token| Ok(format!("old.{} ", token.expose())), 500),
        (|token| Ok(format!("old.{}\u{e9}", token.expose())), 500),
        (|_| Ok(format!("old.{}", "x".repeat(8_000))), 500),
        (|_| Ok(String::new()), 500),
    ] {
        let store = std::sync::Arc::new(MemoryStore::new());
        let shared = std::sync::Arc::clone(&store);
        let configure = move |builder: Builder| builder.shared_store(shared).token_format(Told(write));
        let server = TestServer::builder().configure(configure).in_process();
        let _ = get(&server, "/.well-known/oauth-authorization-server").await;
        let before = store.snapshot();
        let (got, answer) = post(&server, "/token", &[APP], "grant_type=client_credentials").await;
        assert_eq!(got, status, "{answer}");
        assert!(answer.get("access_token").is_none());
        assert_eq!(store.snapshot(), before);
    }
    let configure = |builder: Builder| builder.token_format(Told(|token| Ok(format!("old.{}", token.expose()))));
    let server = TestServer::builder().configure(configure).in_process();
    let (_, answer) = post(&server, "/token", &[APP], "grant_type=client_credentials").await;
    let token = answer["access_token"].as_str().unwrap();
    assert!(token.starts_with("old.gat_") && introspected(&server, token).await["active"] == true);
}

#[tokio::test]
async fn a_parameter_of_the_host_goes_from_the_request_to_the_token() {
    let server = server().await;
    server.sign_in("alice");
    let bought = redeem(&server, &authorize(&server, "&purpose=tax%20return&unknown=1").await).await;
    let told = introspected(&server, bought["access_token"].as_str().unwrap()).await;
    assert_eq!((&told["purpose"], told.get("unknown")), (&json!("tax return"), None));
    let refresh = format!("grant_type=refresh_token&refresh_token={}", bought["refresh_token"].as_str().unwrap());
    let (_, next) = post(&server, "/token", &[APP], &refresh).await;
    assert_eq!(introspected(&server, next["access_token"].as_str().unwrap()).await["purpose"], "tax return");
    let bought = redeem(&server, &authorize(&server, "").await).await;
    assert!(introspected(&server, bought["access_token"].as_str().unwrap()).await.get("purpose").is_none());
}

/// Nobody is signed in, and the page for that is told the hint.
struct NobodyYet;
#[async_trait]
impl Host for NobodyYet {
    async fn signed_in(&self, _: &http::request::Parts) -> Option<grantor::SignedIn> {
        None
    }
    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        format!("/login?hint={}", sign_in.parameter("login_hint").unwrap_or("nobody"))
    }
}

#[tokio::test]
async fn a_parameter_of_the_host_reaches_the_sign_in_and_the_decision() {
    let builder = AuthorizationServer::builder("https://auth.example").store(MemoryStore::new());
    let server = builder.default_scope("read", "Read").authorization_parameter("login_hint").build().unwrap();
    let client = ClientMetadata {
        redirect_uris: vec!["https://app.example/cb".into()],
        grant_types: vec!["authorization_code".into()],
        ..ClientMetadata::default()
    };
    let client = server.clients().register(client).await.unwrap().client.id().clone();
    let request = |more: &str| {
        let url = format!(
            "/authorize?response_type=code&client_id={client}&redirect_uri=https://app.example/cb&code_challenge_method=S256\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM{more}"
        );
        Request::get(url).body(String::new()).unwrap()
    };
    let Outcome::Interact { pending, .. } = server.handle(request("&login_hint=a%3Db")).await else { panic!() };
    assert_eq!((pending.parameter("login_hint"), pending.parameter("login")), (Some("a=b"), None));
    assert!(!format!("{pending:?}").contains("a=b"));
    let suspended = server.suspend(*pending, None).unwrap();
    let mut headers = http::HeaderMap::new();
    let cookie = suspended.set_cookie.unwrap().to_str().unwrap().split(';').next().unwrap().parse().unwrap();
    headers.insert("cookie", cookie);
    let resumed = server.resume(&suspended.handle, &headers).await.unwrap();
    assert_eq!(resumed.parameter("login_hint"), Some("a=b"));

    let site = Site::new(server, NobodyYet);
    for (more, place) in [("&login_hint=alice", "/login?hint=alice"), ("", "/login?hint=nobody")] {
        let response = site.handle(request(more)).await.unwrap();
        assert_eq!(response.headers()["location"], place);
    }
    for wrong in ["&login_hint=a&login_hint=b".to_owned(), format!("&login_hint={}", "x".repeat(1_025))] {
        let location = site.handle(request(&wrong)).await.unwrap().headers()["location"].to_str().unwrap().to_owned();
        assert!(location.contains("error=invalid_request"), "{location}");
    }
    let longest = format!("&login_hint={}", "x".repeat(1_024));
    assert!(
        site.handle(request(&longest)).await.unwrap().headers()["location"].to_str().unwrap().starts_with("/login")
    );
}

#[test]
fn a_parameter_that_is_the_servers_own_is_refused_when_it_is_built() {
    let builder = || AuthorizationServer::builder("https://auth.example").store(MemoryStore::new());
    for name in
        ["scope", "state", "redirect_uri", "code_challenge", "request", "prompt", "client_secret", "", "a b", "a="]
    {
        let built = builder().authorization_parameter(name).build();
        assert_eq!(built.unwrap_err(), ConfigError::Parameter(name.into()));
    }
    let twice = builder().authorization_parameter("ui").authorization_parameter("ui").build();
    assert_eq!(twice.unwrap_err(), ConfigError::Parameter("ui".into()));
    let named = |most: u8| (0..most).fold(builder(), |builder, at| builder.authorization_parameter(format!("p{at}")));
    assert!(named(16).build().is_ok());
    assert_eq!(named(17).build().unwrap_err(), ConfigError::Parameter("p16".into()));
}
