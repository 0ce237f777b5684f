//! Resource servers: one that asks an authorization server elsewhere (RFC 7662), what each publishes of itself
//! (RFC 9728), and a sign-in that must be fresh (RFC 9470).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor::refusal::{Dead, VerifyError};
use grantor::resource::{Bearer, DiscoveryError, Introspection, Needs, ProtectedResource, Transport, TransportError};
use grantor::{AuthorizationServer, Failure, Outcome, Require};
use http::{Request, Response, StatusCode};
use serde_json::json;

use crate::harness::*;
use crate::introspection::{bearer, tokens_at};

/// The way to the server of a world, and what went over it.
#[derive(Clone)]
pub struct Way {
    server: AuthorizationServer,
    sent: Arc<AtomicUsize>,
    /// Answered in place of the server.
    instead: Arc<Mutex<Option<(u16, String)>>>,
    cut: Arc<Mutex<bool>>,
}

impl Way {
    pub fn to(world: &World) -> Self {
        Self { server: world.server.clone(), sent: Arc::default(), instead: Arc::default(), cut: Arc::default() }
    }

    fn sent(&self) -> usize {
        self.sent.swap(0, Ordering::SeqCst)
    }

    fn answer_instead(&self, status: u16, body: impl Into<String>) {
        *self.instead.lock().unwrap() = Some((status, body.into()));
    }
}

#[async_trait::async_trait]
impl Transport for Way {
    async fn send(&self, request: Request<String>) -> Result<Response<String>, TransportError> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        if *self.cut.lock().unwrap() {
            return Err(TransportError::new("no route"));
        }
        let instead = self.instead.lock().unwrap().clone();
        if let Some((status, body)) = instead {
            return Ok(Response::builder().status(status).body(body).unwrap());
        }
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("an endpoint was asked") };
        Ok(response)
    }
}

/// A resource server that knows the authorization server by its issuer alone.
async fn api(world: &World, way: &Way) -> Introspection {
    let found = Introspection::discover(ISSUER, API.id, API.secret.unwrap(), way.clone()).await.unwrap();
    assert_eq!(way.sent(), 1);
    found.clock(Arc::clone(&world.clock) as _)
}

fn with_bearer(token: &str) -> Request<()> {
    bearer(&format!("Bearer {token}"))
}

#[tokio::test]
async fn rfc7662_2_a_resource_server_elsewhere_asks_for_every_token() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let way = Way::to(&world);
    let api = api(&world, &way).await;
    for _ in 0..2 {
        let verified = api.check(&with_bearer(&access), Require::scope("write")).await.unwrap();
        assert_eq!((verified.subject(), verified.client_id(), verified.scope()), (Some("alice"), "web", "read write"));
        assert_eq!(verified.issued_at(), START);
        assert_eq!(verified.expires_at(), START.after(Duration::from_secs(12 * 3600)));
        assert_eq!(verified.authenticated_at(), Some(START));
        assert_eq!(verified.resources().count(), 0);
        assert_eq!(way.sent(), 1);
    }
    let machine = world.machine_token(WEB).await;
    assert_eq!(api.verify(&machine, Require::any()).await.unwrap().subject(), None);
    // What another presents, or what is not to be presented here.
    for token in [&*refresh, "nothing", WEB.secret.unwrap()] {
        let refused = api.verify(token, Require::any()).await.unwrap_err();
        assert_eq!(refused, VerifyError::Dead(Dead::Unknown));
    }
    way.sent();
    let missing = api.check(&Request::new(()), Require::scope("read")).await.unwrap_err();
    assert_eq!(missing.error(), VerifyError::Missing);
    assert_eq!(missing.into_response().headers()["www-authenticate"], r#"Bearer scope="read""#);
    assert_eq!(way.sent(), 0, "a request without a token asks nobody");
    assert_eq!(api.verify(&access, Require::scope("admin")).await.unwrap_err(), VerifyError::InsufficientScope);
    assert_eq!(api.verify(&access, Require::any().at(RESOURCE)).await.unwrap_err(), VerifyError::OtherResource);
    // A revocation is in force at the next request.
    world.post_as(WEB, "/revoke", &[("token", &access)]).await;
    assert_eq!(api.verify(&access, Require::any()).await.unwrap_err(), VerifyError::Dead(Dead::Unknown));
}

#[tokio::test]
async fn rfc7662_4_a_kept_answer_is_kept_for_its_time_and_no_longer() {
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let (soon, _) = world.tokens(WEB).await;
    let way = Way::to(&world);
    let api = api(&world, &way).await.keep_for(Duration::from_secs(60));
    api.verify(&access, Require::any()).await.unwrap();
    world.post_as(WEB, "/revoke", &[("token", &access)]).await;
    world.advance(59);
    api.verify(&access, Require::scope("read")).await.unwrap();
    assert_eq!(way.sent(), 1, "the second was not asked for");
    // What is kept is what the token says, not what was once enough.
    assert_eq!(api.verify(&access, Require::scope("admin")).await.unwrap_err(), VerifyError::InsufficientScope);
    assert_eq!(way.sent(), 0);
    world.advance(1);
    assert_eq!(api.verify(&access, Require::any()).await.unwrap_err(), VerifyError::Dead(Dead::Unknown));
    assert_eq!(way.sent(), 1);
    // That a token does not count is asked every time: it might come to count for somebody who guesses.
    api.verify(&access, Require::any()).await.unwrap_err();
    assert_eq!(way.sent(), 1);
    // Not past the expiry of the token.
    world.advance(12 * 3600 - 90);
    api.verify(&soon, Require::any()).await.unwrap();
    world.advance(30);
    way.sent();
    api.verify(&soon, Require::any()).await.unwrap_err();
    assert_eq!(way.sent(), 1, "a token that has expired is not answered from what was kept");
}

#[tokio::test]
async fn rfc7662_4_what_is_kept_has_a_bound() {
    let world = World::new().await;
    let way = Way::to(&world);
    let api = api(&world, &way).await.keep_for(Duration::from_secs(300));
    way.answer_instead(200, r#"{"active":true,"client_id":"x"}"#);
    api.verify("first", Require::any()).await.unwrap();
    for at in 0..3 * 8192 {
        api.verify(&format!("token-{at}"), Require::any()).await.unwrap();
    }
    way.sent();
    api.verify("first", Require::any()).await.unwrap();
    assert_eq!(way.sent(), 1, "the first of many was forgotten");
    api.verify(&format!("token-{}", 3 * 8192 - 1), Require::any()).await.unwrap();
    assert_eq!(way.sent(), 0, "the last of many was not");
}

#[tokio::test]
async fn rfc7662_2_3_a_server_that_cannot_be_asked_lets_nobody_in() {
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let way = Way::to(&world);
    let honest = api(&world, &way).await;
    *way.cut.lock().unwrap() = true;
    let refused = honest.check(&with_bearer(&access), Require::any()).await.unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    *way.cut.lock().unwrap() = false;
    for status in [500, 502, 503, 429] {
        way.answer_instead(status, r#"{"active":true}"#);
        assert_eq!(honest.verify(&access, Require::any()).await.unwrap_err(), Failure::Unavailable.into());
    }
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#.to_owned()),
        (302, r#"{"active":true}"#.to_owned()),
        (204, r#"{"active":true}"#.to_owned()),
        (200, String::new()),
        (200, "[]".to_owned()),
        (200, r#"{"active":"true"}"#.to_owned()),
        (200, r#"{"active":true,"active":true}"#.to_owned()),
        (200, r#"{"active":true,"exp":"soon"}"#.to_owned()),
        (200, format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(65_536))),
    ] {
        way.answer_instead(status, &*body);
        let refused = honest.verify(&access, Require::any()).await.unwrap_err();
        assert_eq!(refused, Failure::Upstream.into(), "{status} {body:.60}");
    }
    let now = START.as_secs();
    for body in [
        json!({"active": false}),
        json!({"active": true, "iss": "https://other.example"}),
        json!({"active": true, "token_type": "DPoP"}),
        json!({"active": true, "exp": now}),
        json!({"active": true, "exp": -1e300}),
        json!({"active": true, "nbf": now + 1}),
    ] {
        way.answer_instead(200, body.to_string());
        assert!(matches!(honest.verify(&access, Require::any()).await.unwrap_err(), VerifyError::Dead(_)), "{body}");
    }
    let body = json!({"active": true, "aud": ["a:1", RESOURCE], "exp": now + 1, "token_type": "bearer", "iss": ISSUER});
    way.answer_instead(200, body.to_string());
    let verified = honest.verify(&access, Require::any().at(RESOURCE)).await.unwrap();
    assert_eq!(verified.resources().collect::<Vec<_>>(), ["a:1", RESOURCE]);
    // Wrong credentials of the resource server are no token's fault.
    *way.instead.lock().unwrap() = None;
    let stranger = Introspection::discover(ISSUER, API.id, "wrong", way.clone()).await.unwrap();
    let refused = stranger.check(&with_bearer(&access), Require::any()).await.unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!format!("{honest:?}{stranger:?}").contains(API.secret.unwrap()));
}

#[tokio::test]
async fn rfc8414_3_3_metadata_of_another_issuer_is_not_followed() {
    let world = World::new().await;
    let way = Way::to(&world);
    let discover = |issuer: &'static str| Introspection::discover(issuer, API.id, API.secret.unwrap(), way.clone());
    assert!(matches!(discover("http://auth.example.com").await, Err(DiscoveryError::Url)));
    for body in [
        json!({"issuer": "https://evil.example", "introspection_endpoint": "https://evil.example/introspect"}),
        json!({"introspection_endpoint": "https://auth.example.com/introspect"}),
    ] {
        way.answer_instead(200, body.to_string());
        assert!(matches!(discover(ISSUER).await, Err(DiscoveryError::Metadata)));
    }
    way.answer_instead(200, json!({"issuer": ISSUER}).to_string());
    assert!(matches!(discover(ISSUER).await, Err(DiscoveryError::NoEndpoint)));
    way.answer_instead(404, "");
    assert!(matches!(discover(ISSUER).await, Err(DiscoveryError::Metadata)));
    *way.cut.lock().unwrap() = true;
    assert!(matches!(discover(ISSUER).await, Err(DiscoveryError::Transport(_))));
}

#[tokio::test]
async fn rfc9728_3_a_resource_publishes_where_its_tokens_come_from() {
    let resource = ProtectedResource::new("https://api.example.com/v1")
        .unwrap()
        .authorization_server(ISSUER)
        .scope("read")
        .scope("write")
        .name("Things")
        .documentation("https://api.example.com/docs");
    let ask =
        |method: &str, path: &str| resource.answer(&Request::builder().method(method).uri(path).body(()).unwrap());
    let path = "/.well-known/oauth-protected-resource/v1";
    let answer = ask("GET", path).unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let document: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    let expected = json!({
        "resource": "https://api.example.com/v1",
        "authorization_servers": [ISSUER],
        "scopes_supported": ["read", "write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Things",
        "resource_documentation": "https://api.example.com/docs",
    });
    assert_eq!(document, expected);
    assert_eq!(
        (ask("HEAD", path).unwrap().body().as_str(), ask("OPTIONS", path).unwrap().status().as_u16()),
        ("", 204)
    );
    let refused = ask("POST", path).unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"GET, HEAD, OPTIONS".parse().unwrap()));
    let others =
        ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/v1/", "/v1", "/", "*"];
    for other in others.into_iter().chain([&*format!("{path}?x=1"), "/.well-known/oauth-protected-resource/%761"]) {
        assert!(ask("GET", other).is_none(), "{other}");
    }
}

#[tokio::test]
async fn rfc9728_5_1_a_challenge_tells_where_the_metadata_is() {
    let world = World::new().await;
    let resource = ProtectedResource::new(RESOURCE).unwrap().authorization_server(ISSUER);
    let require = Require::scope("read").at(resource.identifier());
    let refused = world.server.check(&Request::new(()), require).await.unwrap_err().at(&resource).into_response();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let expected =
        r#"Bearer scope="read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    assert_eq!(refused.headers()["www-authenticate"], expected);
    let (access, _) = tokens_at(&world, WEB, &[RESOURCE]).await;
    let more = Require::scope("read admin").at(RESOURCE);
    let refused = world.server.check(&with_bearer(&access), more).await.unwrap_err().at(&resource).into_response();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="admin read""#) || challenge.contains(r#"scope="read admin""#), "{challenge}");
    assert!(challenge.ends_with(r#"/.well-known/oauth-protected-resource""#), "{challenge}");
}

#[tokio::test]
async fn rfc9470_3_a_sign_in_that_is_not_fresh_is_asked_for_again() {
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let machine = world.machine_token(WEB).await;
    let way = Way::to(&world);
    let elsewhere = api(&world, &way).await;
    let require = Require::scope("read").signed_in_within(300);
    world.advance(300);
    world.server.check(&with_bearer(&access), require).await.unwrap();
    elsewhere.check(&with_bearer(&access), require).await.unwrap();
    world.advance(1);
    for token in [&access, &machine] {
        let request = with_bearer(token);
        let here = world.server.check(&request, require).await.unwrap_err();
        let there = elsewhere.check(&request, require).await.unwrap_err();
        assert_eq!((here.error(), there.error()), (VerifyError::StaleAuthentication, VerifyError::StaleAuthentication));
        let (here, there) = (here.into_response(), there.into_response());
        let expected = r#"Bearer error="insufficient_user_authentication", error_description="the user must have signed in more recently", max_age="300""#;
        assert_eq!(
            (here.status(), &here.headers()["www-authenticate"]),
            (StatusCode::UNAUTHORIZED, &expected.parse().unwrap())
        );
        assert_eq!((there.status(), there.headers()), (here.status(), here.headers()));
    }
    // Without the demand the same token goes on.
    world.server.check(&with_bearer(&access), Require::scope("read")).await.unwrap();
}

/// What a route of the tests below needs.
struct Write;

impl Needs for Write {
    const REQUIRE: Require<'static> = Require::scope("write");
}

#[tokio::test]
async fn rfc7662_2_a_route_asks_elsewhere_by_the_type_of_its_argument() {
    use actix_web::FromRequest as _;
    use actix_web::http::StatusCode as Status;
    use axum::extract::FromRequestParts as _;

    type Asked = Bearer<Write, Introspection>;
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let way = Way::to(&world);
    let api = api(&world, &way).await;
    let data = actix_web::web::Data::new(api.clone());
    for (token, status) in [(Some(access.as_str()), 200), (Some("gat_unknown"), 401), (None, 401)] {
        let header = token.map(|token| format!("Bearer {token}"));
        let mut request = Request::get("/write");
        let mut other = actix_web::test::TestRequest::with_uri("/write").app_data(data.clone());
        if let Some(header) = &header {
            request = request.header("authorization", header);
            other = other.insert_header(("authorization", header.as_str()));
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let by_axum = Asked::from_request_parts(&mut parts, &api).await;
        let by_actix = Asked::extract(&other.to_http_request()).await;
        assert_eq!(way.sent(), if token.is_some() { 2 } else { 0 });
        if status == 200 {
            assert_eq!(by_axum.unwrap().subject(), Some("alice"));
            assert_eq!(by_actix.unwrap().subject(), Some("alice"));
            continue;
        }
        let refused = by_axum.unwrap_err().into_response();
        assert_eq!(refused.status().as_u16(), status);
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        assert_eq!(by_actix.unwrap_err().as_response_error().status_code(), Status::UNAUTHORIZED);
    }
    // The server that is down is not the caller's fault.
    *way.cut.lock().unwrap() = true;
    let (mut parts, ()) = with_bearer(&access).into_parts();
    let refused = Asked::from_request_parts(&mut parts, &api).await.unwrap_err().into_response();
    assert_eq!(refused.status().as_u16(), 503);
}
