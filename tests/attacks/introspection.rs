//! Token introspection (ids N).

use std::sync::Arc;
use std::time::Duration;

use grantor::client::ClientMetadata;
use grantor::event::Refusal;
use grantor::refusal::{Dead, VerifyError};
use grantor::wire::uri::Resource;
use grantor::{AuthorizationServer, Lifetimes, Require};
use http::{Request, StatusCode};
use serde_json::json;

use crate::harness::*;
use crate::intercept::Intercept;

/// A resource server for `OTHER_RESOURCE`.
const FILES: Known = Known { id: "files", secret: Some("files-secret-files-secret-files-"), ..API };
/// A resource server for whatever the server knows.
const EVERYWHERE: Known = Known { id: "everywhere", secret: Some("everywhere-secret-everywhere-sec"), ..API };

async fn world() -> World {
    let world = World::new().await;
    register_resource_servers(&world).await;
    world
}

async fn register_resource_servers(world: &World) {
    let files = ClientMetadata { resources: vec![Resource::parse(OTHER_RESOURCE).unwrap()], ..metadata(API) };
    world.register(FILES, files).await;
    world.register(EVERYWHERE, ClientMetadata { resources: Vec::new(), ..metadata(API) }).await;
}

/// What a caller is told of a token that does not count: to the byte, and with nothing in the headers that would tell
/// more.
async fn assert_inactive(world: &World, caller: Known, token: &str) {
    let answer = world.post_as(caller, "/introspect", &[("token", token)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, r#"{"active":false}"#), "{token:.70}");
    answer.same_as(&world.post_as(caller, "/introspect", &[("token", "nothing")]).await);
}

/// Access and refresh token of alice with this client, for these resources.
pub async fn tokens_at(world: &World, client: Known, resources: &[&'static str]) -> (String, String) {
    let mut request = world.valid_request(client);
    request.extend(resources.iter().map(|resource| ("resource", *resource)));
    let code = world.code(&request, "alice").await;
    world.redeem(client, &code).await.tokens()
}

pub fn bearer(header: &str) -> Request<()> {
    Request::get("https://api.example.com/things").header("authorization", header).body(()).unwrap()
}

#[tokio::test]
async fn n_01_whoever_is_not_authenticated_is_refused() {
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let (own, _) = world.tokens(CLI).await;
    world.server.clients().deactivate(&"legacy".into()).await.unwrap();
    let with_header = |header: &str| {
        let mut request = post("/introspect", &[("token", &access)]);
        request.headers_mut().insert("authorization", header.parse().unwrap());
        request
    };
    // Unknown, disabled, wrong secret, wrong method: one answer.
    let mut answers = Vec::new();
    for header in [
        basic("web", "wrong"),
        basic("web", ""),
        basic("web", "web-secret-web-secret-web-secre"),
        basic("unknown", "web-secret-web-secret-web-secret"),
        basic("legacy", LEGACY.secret.unwrap()),
        basic("poster", POSTER.secret.unwrap()),
        basic("cli", ""),
        basic("cli", "x"),
    ] {
        let answer = world.send(with_header(&header)).await.answer();
        answer.unauthenticated(true);
        answers.push(answer);
    }
    answers.windows(2).for_each(|pair| pair[0].same_as(&pair[1]));
    // Nobody, a name alone, a public client (also for its own token), a secret where it does not belong.
    let mut answers = Vec::new();
    for body in [
        &[("token", &*access)][..],
        &[("token", &access), ("client_id", "web")],
        &[("token", &access), ("client_id", "unknown")],
        &[("token", &access), ("client_id", "cli")],
        &[("token", &own), ("client_id", "cli")],
        &[("token", &access), ("client_id", "legacy"), ("client_secret", LEGACY.secret.unwrap())],
        &[("token", &access), ("client_id", "web"), ("client_secret", WEB.secret.unwrap())],
        &[("token", &access), ("client_id", "poster"), ("client_secret", "wrong")],
    ] {
        let answer = world.send(post("/introspect", body)).await.answer();
        answer.unauthenticated(false);
        answers.push(answer);
    }
    answers.windows(2).for_each(|pair| pair[0].same_as(&pair[1]));
    // A token authenticates nobody here.
    for header in [format!("Bearer {access}"), format!("DPoP {access}")] {
        let answer = world.send(with_header(&header)).await.answer();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header}");
    }
    // Whoever is authenticated still has to ask for something, in the body, once.
    for parameters in [&[][..], &[("token", "")], &[("token", "a"), ("token", "b")]] {
        world.post_as(WEB, "/introspect", parameters).await.refused("invalid_request");
    }
    let in_query = format!("/introspect?token={access}");
    world.send(post_as(WEB, &in_query, &[])).await.answer().refused("invalid_request");
    // No script of another origin reads it.
    let answer = world.post_as(WEB, "/introspect", &[("token", &access)]).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert!(world.take_refusals().iter().any(|refusal| matches!(refusal, Refusal::Introspect(_))));
}

#[tokio::test]
async fn n_01_a_stranger_is_told_that_every_token_is_inactive() {
    let world = world().await;
    let (access, refresh) = world.tokens(WEB).await;
    let (addressed, addressed_refresh) = tokens_at(&world, WEB, &[RESOURCE]).await;
    let machine = world.machine_token(WEB).await;
    let (public, public_refresh) = world.tokens(CLI).await;
    for token in [&access, &refresh, &addressed, &addressed_refresh, &machine, &public, &public_refresh] {
        for stranger in [POSTER, LEGACY] {
            assert_inactive(&world, stranger, token).await;
        }
    }
    // A resource server is a stranger to what is addressed to others.
    assert_inactive(&world, FILES, &addressed).await;
    // The client itself is none, and no resource server need be.
    for token in [&access, &refresh, &addressed, &machine] {
        assert_eq!(world.introspect(WEB, token).await["active"], true);
    }
}

#[tokio::test]
async fn n_02_whatever_is_not_live_answers_one_member() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    let (foreign, foreign_refresh) = elsewhere.tokens(WEB).await;
    let (expired, expired_refresh) = world.tokens(WEB).await;
    let expired_machine = world.machine_token(WEB).await;
    world.advance(91 * 24 * 3600);
    let (_, spent_refresh) = world.tokens(WEB).await;
    world.refresh(WEB, &spent_refresh).await.tokens();
    let (revoked, revoked_refresh) = world.tokens(WEB).await;
    world.post_as(WEB, "/revoke", &[("token", &revoked_refresh)]).await;
    let alone = world.tokens(WEB).await.0;
    world.post_as(WEB, "/revoke", &[("token", &alone)]).await;
    let (live, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    let spent_code = world.valid_code(WEB).await;
    world.redeem(WEB, &spent_code).await.tokens();
    world.introspect(API, "nothing").await;
    let before = world.dump();
    for token in [
        &*foreign,
        &foreign_refresh,
        &expired,
        &expired_refresh,
        &expired_machine,
        &spent_refresh,
        &revoked,
        &revoked_refresh,
        &alone,
        &code,
        &spent_code,
        WEB.secret.unwrap(),
        &live[..live.len() - 1],
        &live[1..],
        &live[4..],
        &format!("{live}="),
        &format!("{live}A"),
        &format!("{live} "),
        &format!(" {live}"),
        &format!("{live}{live}"),
        &format!("Bearer {live}"),
        &format!("grt_{}", &live[4..]),
        &format!("gat_{}", &refresh[4..]),
        &live.to_uppercase(),
        &live.replacen("gat_", "gpt_", 1),
        "gat_",
        "grt_",
        "x",
        "' OR 1=1 --",
        "токен",
        "eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.",
    ] {
        for caller in [WEB, API] {
            assert_inactive(&world, caller, token).await;
        }
    }
    assert_eq!(world.dump(), before);
    assert!(world.is_live(&live).await);
    // To the millisecond.
    let lifetimes = Lifetimes { access_token: Duration::from_secs(60), ..Lifetimes::default() };
    let world = World::with(|builder| builder.lifetimes(lifetimes)).await;
    let (access, _) = world.tokens(WEB).await;
    world.clock.advance(Duration::from_millis(59_999));
    assert!(world.is_live(&access).await);
    world.clock.advance(Duration::from_millis(1));
    assert!(!world.is_live(&access).await);
    assert_inactive(&world, WEB, &access).await;
}

#[tokio::test]
async fn n_02_a_wrong_hint_changes_nothing() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    for token in [&access, &refresh, "gat_unknown"] {
        let plain = world.post_as(WEB, "/introspect", &[("token", token)]).await;
        for hint in ["access_token", "refresh_token", "id_token", "x y", ""] {
            let parameters = [("token", token), ("token_type_hint", hint)].map(|(name, value)| (name, value));
            world.post_as(WEB, "/introspect", &parameters).await.same_as(&plain);
        }
    }
}

#[tokio::test]
async fn n_03_a_refresh_token_outlives_its_access_token_and_names_none() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    world.advance(12 * 3600);
    assert_inactive(&world, WEB, &access).await;
    let day = 24 * 3600;
    let expected = json!({
        "active": true,
        "scope": "read write",
        "client_id": "web",
        "exp": START.as_secs() + 30 * day,
        "iat": START.as_secs(),
        "sub": "alice",
        "auth_time": START.as_secs(),
        "iss": ISSUER,
    });
    assert_eq!(world.introspect(WEB, &refresh).await, expected);
    // Its successor begins anew, but never past the end of the grant.
    let (_, refresh) = world.refresh(WEB, &refresh).await.tokens();
    assert_eq!(world.introspect(WEB, &refresh).await["exp"], START.as_secs() + 12 * 3600 + 30 * day);
}

#[tokio::test]
async fn n_03_a_refresh_token_is_nothing_to_a_resource_server() {
    let world = world().await;
    for resources in [&[][..], &[RESOURCE], &[RESOURCE, OTHER_RESOURCE]] {
        for client in [WEB, CLI] {
            let (access, refresh) = tokens_at(&world, client, resources).await;
            for server in [API, EVERYWHERE] {
                assert_inactive(&world, server, &refresh).await;
                assert_eq!(world.introspect(server, &access).await["active"], true);
            }
        }
    }
}

#[tokio::test]
async fn n_05_a_revoked_token_is_inactive_at_once_on_another_node() {
    let world = World::new().await;
    let node = AuthorizationServer::builder(ISSUER)
        .shared_store(Arc::clone(&world.store) as _)
        .clock(Arc::clone(&world.clock) as _)
        .secret([7; 32])
        .default_scope("read", "")
        .scope("write", "")
        .scope("admin", "")
        .resource(RESOURCE, ["read", "write"])
        .build()
        .unwrap();
    let asked = async |token: &str| {
        let grantor::Outcome::Respond(response) = node.handle(post_as(API, "/introspect", &[("token", token)])).await
        else {
            panic!("no answer")
        };
        let verified = node.verify(token, Require::any()).await.is_ok();
        let active = Answer::of(response).json().unwrap()["active"] == true;
        assert_eq!(active, verified);
        active
    };
    // Asked before each time, so that whatever a node might have kept would be kept.
    let (access, refresh) = world.tokens(WEB).await;
    assert!(asked(&access).await);
    world.post_as(WEB, "/revoke", &[("token", &access)]).await;
    assert!(!asked(&access).await);
    let (access, _) = world.refresh(WEB, &refresh).await.tokens();
    assert!(asked(&access).await);
    world.post_as(WEB, "/revoke", &[("token", &refresh)]).await;
    assert!(!asked(&access).await);
    let machine = world.machine_token(WEB).await;
    let (access, _) = world.tokens(WEB).await;
    let (of_bob, _) = {
        let code = world.code(&world.valid_request(CLI), "bob").await;
        world.redeem(CLI, &code).await.tokens()
    };
    assert!(asked(&machine).await && asked(&access).await && asked(&of_bob).await);
    world.server.subjects().deactivate(&"bob".into()).await.unwrap();
    assert!(!asked(&of_bob).await);
    world.server.clients().deactivate(&"web".into()).await.unwrap();
    assert!(!asked(&machine).await && !asked(&access).await);
    // What was inactive is not remembered as such either.
    world.server.clients().activate(&"web".into()).await.unwrap();
    assert!(!asked(&access).await);
    let (access, _) = world.tokens(WEB).await;
    assert!(asked(&access).await);
    // And a node that knows another secret, or another name, knows none of these.
    for (issuer, secret) in [(ISSUER, [8; 32]), ("https://auth.example.org", [7; 32])] {
        let other = AuthorizationServer::builder(issuer).shared_store(Arc::clone(&world.store) as _);
        let other = other.clock(Arc::clone(&world.clock) as _).secret(secret).build().unwrap();
        let verified = other.verify(&access, Require::any()).await;
        assert_eq!(verified.unwrap_err(), VerifyError::Dead(Dead::Unknown));
    }
}

#[tokio::test]
async fn n_06_a_token_is_inactive_once_its_subject_is() {
    let world = World::new().await;
    let alice = &"alice".into();
    let tokens = [world.tokens(WEB).await, world.tokens(CLI).await];
    let of_bob = {
        let code = world.code(&world.valid_request(WEB), "bob").await;
        world.redeem(WEB, &code).await.tokens()
    };
    let machine = world.machine_token(WEB).await;
    world.server.subjects().deactivate(alice).await.unwrap();
    for step in 0..3 {
        for (access, refresh) in &tokens {
            assert_inactive(&world, WEB, access).await;
            assert_inactive(&world, API, access).await;
            assert_inactive(&world, WEB, refresh).await;
            let dead = world.server.verify(access, Require::any()).await.unwrap_err();
            assert_eq!(dead, VerifyError::Dead(Dead::SubjectInactive));
        }
        assert!(world.is_live(&of_bob.0).await && world.is_live(&machine).await);
        // Two levels: active again, then everything ended a second time. Nothing comes back.
        match step {
            0 => world.server.subjects().activate(alice).await.unwrap(),
            1 => world.server.subjects().revoke_all(alice).await.unwrap(),
            _ => {}
        }
    }
    let (access, _) = world.tokens(WEB).await;
    assert!(world.is_live(&access).await);
    world.server.subjects().revoke_all(alice).await.unwrap();
    assert!(!world.is_live(&access).await);
    // By grant, and by application.
    let (access, refresh) = world.tokens(WEB).await;
    let grants = world.server.grants().of(alice, None, 100).await.unwrap();
    let newest = grants.items.into_iter().find(|grant| grant.live && grant.client_id.as_str() == "web");
    let other = world.tokens(CLI).await.0;
    world.server.grants().remove_app(alice, &"web".into()).await.unwrap();
    assert!(newest.is_some());
    assert_inactive(&world, WEB, &access).await;
    assert_inactive(&world, WEB, &refresh).await;
    assert!(world.is_live(&other).await);
}

#[tokio::test]
async fn n_06_a_token_is_inactive_once_its_client_is() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let machine = world.machine_token(WEB).await;
    let (other, _) = world.tokens(CLI).await;
    let web = &"web".into();
    world.server.clients().deactivate(web).await.unwrap();
    for step in 0..3 {
        for token in [&access, &machine] {
            assert_inactive(&world, API, token).await;
            let dead = world.server.verify(token, Require::any()).await.unwrap_err();
            assert_eq!(dead, VerifyError::Dead(Dead::ClientInactive));
        }
        assert_inactive(&world, API, &refresh).await;
        assert!(world.is_live(&other).await);
        match step {
            0 => {
                world.server.clients().activate(web).await.unwrap();
                assert_inactive(&world, WEB, &refresh).await;
            }
            1 => world.server.clients().delete(web).await.unwrap(),
            _ => {}
        }
    }
    // A resource server that is no longer active is told nothing at all.
    world.server.clients().deactivate(&"api".into()).await.unwrap();
    world.post_as(API, "/introspect", &[("token", &other)]).await.unauthenticated(true);
}

#[tokio::test]
async fn n_07_an_endless_token_is_refused_before_it_is_hashed() {
    let store = Arc::new(Intercept::new());
    let world = World::over(Arc::clone(&store) as _, store.memory(), |builder| builder).await;
    for path in ["/introspect", "/revoke"] {
        world.post_as(WEB, path, &[("token", "x")]).await;
        // Too long for any form: the store is not asked at all.
        for length in [16 * 1024 + 1, 60 * 1024, 1024 * 1024] {
            let endless = format!("gat_{}", "A".repeat(length));
            store.take_asked();
            let answer = world.post_as(WEB, path, &[("token", &endless)]).await;
            let status = if length < 60_000 { StatusCode::BAD_REQUEST } else { answer.status };
            assert!(answer.status == status && answer.status.is_client_error());
            assert_eq!(answer.field("error"), "invalid_request");
            assert_eq!(store.take_asked(), 0, "{path} {length}");
        }
        // Too long for a token, or not one: the client is looked up, and nothing else.
        for length in [0, 1, 50, 52, 1000, 16 * 1024 - 4] {
            let text = format!("gat_{}", "A".repeat(length));
            store.take_asked();
            assert_eq!(world.post_as(WEB, path, &[("token", &text)]).await.status, StatusCode::OK);
            assert_eq!(store.take_asked(), 1, "{path} {length}");
        }
        let (access, _) = world.tokens(WEB).await;
        store.take_asked();
        world.post_as(WEB, path, &[("token", &access)]).await;
        assert_eq!(store.take_asked(), 2, "client and token, in one round trip");
    }
    // The same in this process, and in the header of a request.
    for length in [0, 50, 52, 8 * 1024, 1024 * 1024] {
        let text = format!("gat_{}", "A".repeat(length));
        store.take_asked();
        assert!(world.server.verify(&text, Require::any()).await.is_err());
        assert!(world.server.check(&bearer(&format!("Bearer {text}")), Require::any()).await.is_err());
        assert_eq!(store.take_asked(), 0);
    }
}

#[tokio::test]
async fn n_07_random_tokens_leave_nothing_in_the_store() {
    let world = World::new().await;
    // Well-formed, with right checksums: tokens of other servers.
    let elsewhere = World::new().await;
    let mut tokens = Vec::new();
    for _ in 0..40 {
        let (access, refresh) = elsewhere.tokens(CLI).await;
        tokens.extend([access, refresh, elsewhere.machine_token(WEB).await]);
    }
    tokens.extend((0..200_u32).map(|at| format!("gat_{:051}", at.wrapping_mul(2_654_435_761))));
    world.introspect(API, "nothing").await;
    world.post_as(WEB, "/revoke", &[("token", "nothing")]).await;
    let before = world.dump();
    for token in &tokens {
        assert_eq!(world.introspect(API, token).await, json!({"active": false}));
        assert_eq!(world.post_as(WEB, "/revoke", &[("token", token)]).await.status, StatusCode::OK);
        assert!(world.server.verify(token, Require::any()).await.is_err());
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn rfc7662_2_2_a_live_token_is_described() {
    let world = world().await;
    world.advance(5);
    let issued = START.as_secs() + 5;
    let expires = issued + 12 * 3600;
    let (access, _) = world.tokens(WEB).await;
    let machine = world.machine_token(WEB).await;
    let (at_one, _) = tokens_at(&world, WEB, &[RESOURCE]).await;
    let (at_two, refresh) = tokens_at(&world, CLI, &[RESOURCE, OTHER_RESOURCE]).await;
    let narrowed = {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("resource", OTHER_RESOURCE)];
        world.token(CLI, &parameters).await.tokens().0
    };
    world.advance(60);
    let base = |client: &str| {
        json!({
            "active": true,
            "scope": "read write",
            "client_id": client,
            "token_type": "Bearer",
            "exp": expires,
            "iat": issued,
            "sub": "alice",
            "auth_time": issued,
            "iss": ISSUER,
        })
    };
    let expected = |client: &str, changes: serde_json::Value| {
        let mut object = base(client);
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        object
    };
    let cases = [
        (&access, expected("web", json!({}))),
        // A client's own token names no subject.
        (&machine, expected("web", json!({"sub": null, "auth_time": null, "scope": "read"}))),
        (&at_one, expected("web", json!({"aud": RESOURCE}))),
        (&at_two, expected("cli", json!({"aud": [RESOURCE, OTHER_RESOURCE]}))),
        (&narrowed, expected("cli", json!({"aud": OTHER_RESOURCE, "scope": "read"}))),
    ];
    for (token, expected) in cases {
        assert_eq!(world.introspect(EVERYWHERE, token).await, expected);
        if expected["client_id"] == "web" {
            assert_eq!(world.introspect(WEB, token).await, expected);
        }
        let verified = world.server.verify(token, Require::any()).await.unwrap();
        assert_eq!(verified.subject(), expected["sub"].as_str());
        assert_eq!(verified.client_id(), expected["client_id"]);
        assert_eq!(verified.scope(), expected["scope"]);
        assert_eq!(json!(verified.expires_at().as_secs()), expected["exp"]);
        assert_eq!(json!(verified.issued_at().as_secs()), expected["iat"]);
        assert_eq!(verified.authenticated_at().is_some(), expected["sub"].is_string());
    }
    let answer = world.post_as(API, "/introspect", &[("token", &access)]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn rfc7662_4_a_resource_server_sees_the_tokens_addressed_to_it() {
    let world = world().await;
    // Addressed to: whom it is told to.
    let cases: [(&[&'static str], [bool; 3]); 4] = [
        (&[], [true, true, true]),
        (&[RESOURCE], [true, false, true]),
        (&[OTHER_RESOURCE], [false, true, true]),
        (&[RESOURCE, OTHER_RESOURCE], [true, true, true]),
    ];
    for (resources, seen) in cases {
        for client in [WEB, POSTER, CLI] {
            let (token, _) = tokens_at(&world, client, resources).await;
            for (server, seen) in [API, FILES, EVERYWHERE].into_iter().zip(seen) {
                if seen {
                    assert_eq!(world.introspect(server, &token).await["active"], true);
                } else {
                    assert_inactive(&world, server, &token).await;
                }
            }
        }
    }
    // A client that loses the right to introspect sees its own tokens alone.
    let (token, _) = world.tokens(WEB).await;
    let own = world.machine_token(API).await;
    let api = world.server.clients().get(&"api".into()).await.unwrap().unwrap();
    let plain = ClientMetadata { resource_server: false, ..api.metadata().clone() };
    world.server.clients().update(api.id(), api.revision(), plain).await.unwrap();
    assert_inactive(&world, API, &token).await;
    assert_eq!(world.introspect(API, &own).await["active"], true);
}
