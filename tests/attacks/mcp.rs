//! The Model Context Protocol: what its clients look for, revision by revision.

use std::sync::Arc;

use grantor::resource::ProtectedResource;
use grantor::{ClientIdMetadata, DynamicRegistration, Preset, Require};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::cimd::{self, Script, Scripted};
use crate::harness::*;
use crate::introspection::bearer;
use crate::registration::{created, json_request, register, text, with};

const MCP: &str = "https://auth.example.com/mcp";

async fn world() -> World {
    World::with(|builder| builder.preset(Preset::mcp(MCP))).await
}

async fn get(world: &World, path: &str) -> Answer {
    let request = Request::get(path).header("mcp-protocol-version", "2025-11-25").body(String::new()).unwrap();
    world.send(request).await.answer()
}

#[tokio::test]
async fn mcp_01_discovery_ends_at_the_same_server_in_every_revision() {
    for issuer in [ISSUER, "https://auth.example.com/tenant"] {
        let world = World::at(issuer, |builder| builder.preset(Preset::mcp(MCP))).await;
        let path = issuer.strip_prefix(ISSUER).unwrap();
        // Of 2025-03-26: the root of the MCP server, and default paths.
        let oldest = vec!["/.well-known/oauth-authorization-server".to_owned()];
        // Of 2025-06-18, 2025-11-25 and 2026-07-28: by the path of the issuer.
        let newer = vec![
            format!("/.well-known/oauth-authorization-server{path}"),
            format!("/.well-known/openid-configuration{path}"),
            format!("{path}/.well-known/openid-configuration"),
        ];
        for place in oldest.into_iter().chain(newer) {
            let answer = get(&world, &place).await;
            assert_eq!(answer.status, StatusCode::OK, "{place}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            let metadata = answer.json().unwrap();
            assert_eq!(metadata["issuer"], issuer, "{place}");
            assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"));
            assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
            assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        }
        let asked = Request::options(format!("/.well-known/oauth-authorization-server{path}"));
        let preflight = world.send(asked.body(String::new()).unwrap()).await.answer();
        assert!(preflight.header("access-control-allow-headers").unwrap().contains("mcp-protocol-version"));
        // Default paths answer, whatever the path of the issuer.
        for place in ["/token", &format!("{path}/token")] {
            world.send(post(place, &[("grant_type", "authorization_code")])).await.answer().unauthenticated(false);
        }
    }
}

#[tokio::test]
async fn mcp_02_the_resource_is_found_from_a_call_without_a_token() {
    let world = world().await;
    let refused = world.server.check(&Request::new(()), Require::scope("read").at(MCP)).await.unwrap_err();
    let refused = refused.into_response();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    let place = "/.well-known/oauth-protected-resource/mcp";
    assert_eq!(challenge, format!(r#"Bearer scope="read", resource_metadata="{ISSUER}{place}""#));
    let expected = json!({
        "resource": MCP,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["read", "write", "admin", "profile"],
        "bearer_methods_supported": ["header"],
    });
    for place in [place, "/.well-known/oauth-protected-resource"] {
        let answer = get(&world, place).await;
        assert_eq!((answer.status, answer.json().unwrap()), (StatusCode::OK, expected.clone()), "{place}");
    }
}

#[tokio::test]
async fn mcp_03_a_slash_at_the_end_of_the_resource_is_the_same_resource() {
    let world = world().await;
    let spelled = [MCP.to_owned(), format!("{MCP}/")];
    for (first, second) in [(0, 1), (1, 0), (1, 1)] {
        let mut request = world.valid_request(CLI);
        request.push(("resource", &spelled[first]));
        let code = world.code(&request, "alice").await;
        let exchange = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("code_verifier", VERIFIER),
            ("resource", &*spelled[second]),
        ];
        let (access, refresh) = world.token(CLI, &exchange).await.tokens();
        let call = bearer(&format!("Bearer {access}"));
        let verified = world.server.check(&call, Require::scope("read").at(MCP)).await.unwrap();
        assert_eq!(verified.resources().collect::<Vec<_>>(), [MCP]);
        let again = [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("resource", &*spelled[first])];
        world.token(CLI, &again).await.tokens();
    }
    for other in ["https://auth.example.com/mcp//", "https://auth.example.com/mc", "https://auth.example.com/MCP"] {
        let request = changed(&world.valid_request(CLI), &[("resource", other)]);
        let answer = world.authorize(&request).await.answer();
        assert_eq!(answer.redirect().unwrap().parameters["error"], "invalid_target", "{other}");
    }
    // Without the preset a slash counts (RFC 8707 §2).
    let plain = World::with(|builder| builder.protected_resource(ProtectedResource::new(MCP).unwrap())).await;
    let request = changed(&plain.valid_request(CLI), &[("resource", &spelled[1])]);
    let answer = plain.authorize(&request).await.answer();
    assert_eq!(answer.redirect().unwrap().parameters["error"], "invalid_target");
}

#[tokio::test]
async fn mcp_04_more_scope_is_had_by_asking_for_the_union() {
    let world = world().await;
    let mut request = changed(&world.valid_request(CLI), &[("scope", "read")]);
    request.push(("resource", MCP));
    let code = world.code(&request, "alice").await;
    let (access, _) = world.redeem(CLI, &code).await.tokens();
    let call = bearer(&format!("Bearer {access}"));
    let refused = world.server.check(&call, Require::scope("write").at(MCP)).await.unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#) && challenge.contains(r#"scope="write""#));
    assert!(challenge.contains("resource_metadata="));
    let mut request = changed(&world.valid_request(CLI), &[("scope", "read write")]);
    request.push(("resource", MCP));
    let code = world.code(&request, "alice").await;
    let (access, _) = world.redeem(CLI, &code).await.tokens();
    let call = bearer(&format!("Bearer {access}"));
    world.server.check(&call, Require::scope("read write").at(MCP)).await.unwrap();
}

/// A description as programs send it that were written for the older revisions.
fn notebook() -> Value {
    json!({
        "client_name": "Notebook",
        "redirect_uris": ["http://localhost:33418/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "read",
    })
}

/// What such a program asks of a user, come back on the port that it has this time.
fn asks<'p>(client_id: &'p str, scope: &'p str) -> Vec<(&'p str, &'p str)> {
    vec![
        ("client_id", client_id),
        ("redirect_uri", "http://localhost:50505/callback"),
        ("response_type", "code"),
        ("scope", scope),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

async fn redeem(world: &World, client_id: &str, code: &str) -> (String, String) {
    let exchange =
        [("grant_type", "authorization_code"), ("code", code), ("client_id", client_id), ("code_verifier", VERIFIER)];
    world.send(post("/token", &exchange)).await.answer().tokens()
}

#[tokio::test]
async fn mcp_05_a_program_that_nobody_knows_registers_and_asks_for_more_later() {
    for issuer in [ISSUER, "https://auth.example.com/tenant"] {
        let world = World::at(issuer, |builder| builder.preset(Preset::mcp(MCP))).await;
        let metadata = get(&world, "/.well-known/oauth-authorization-server").await.json().unwrap();
        assert_eq!(metadata["registration_endpoint"], format!("{issuer}/register"));
        // At the root, where the oldest revision looks without any metadata.
        let registered = created(&register(&world, &notebook()).await);
        assert_eq!(registered["token_endpoint_auth_method"], "none");
        assert!(registered.get("client_secret").is_none());
        assert_eq!(registered["scope"], "read write admin profile", "what it may ask for later");
        // Another port, or less at first, makes no other client.
        let other =
            with(with(notebook(), "redirect_uris", json!(["http://localhost:41/callback"])), "scope", json!("write"));
        let id = text(&registered, "client_id");
        assert_eq!(text(&created(&register(&world, &other).await), "client_id"), id);
        for scope in ["read", "read write"] {
            let code = world.code(&asks(&id, scope), "alice").await;
            let (access, _) = redeem(&world, &id, &code).await;
            let call = bearer(&format!("Bearer {access}"));
            world.server.check(&call, Require::scope(scope).at(MCP)).await.unwrap();
        }
        let more = world.authorize(&asks(&id, "read delete")).await.answer();
        assert_eq!(more.redirect().unwrap().parameters["error"], "invalid_scope");
    }
}

#[tokio::test]
async fn mcp_05_a_client_with_a_secret_manages_itself_at_the_root_too() {
    let world = World::at("https://auth.example.com/tenant", |builder| builder.preset(Preset::mcp(MCP))).await;
    let confidential = with(notebook(), "token_endpoint_auth_method", json!("client_secret_post"));
    let registered = created(&register(&world, &confidential).await);
    assert!(registered["client_secret"].is_string());
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    for place in [format!("/register/{id}"), format!("/tenant/register/{id}")] {
        let read = world.send(json_request(Method::GET, &place, Some(&token), "")).await.answer();
        assert_eq!((read.status, &read.json().unwrap()["client_id"]), (StatusCode::OK, &json!(id)), "{place}");
        challenged_without(&world, &place).await;
    }
    // It does not lose its secret by leaving a member out.
    let place = format!("/register/{id}");
    let update = with(notebook(), "client_id", json!(id)).to_string();
    let updated = world.send(json_request(Method::PUT, &place, Some(&token), update)).await.answer();
    assert_eq!(updated.status, StatusCode::OK, "{}", updated.body);
    assert_eq!(updated.json().unwrap()["token_endpoint_auth_method"], "client_secret_basic");
}

async fn challenged_without(world: &World, place: &str) {
    let refused = world.send(json_request(Method::GET, place, None, "")).await.answer();
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn mcp_05_what_the_host_says_of_registration_prevails_before_and_after() {
    let closed = || DynamicRegistration::by_initial_access_token();
    for before in [true, false] {
        let world = World::with(|builder| {
            let builder = if before { builder.registration(closed()) } else { builder };
            let builder = builder.preset(Preset::mcp(MCP));
            if before { builder } else { builder.registration(closed()) }
        })
        .await;
        assert_eq!(register(&world, &notebook()).await.status, StatusCode::UNAUTHORIZED);
    }
    let none = World::with(|builder| builder.preset(Preset::mcp(MCP).without_registration())).await;
    let metadata = get(&none, "/.well-known/oauth-authorization-server").await.json().unwrap();
    assert!(metadata.get("registration_endpoint").is_none());
    let sent = none.send(json_request(Method::POST, "/register", None, notebook().to_string())).await;
    assert!(matches!(sent, Sent::NotMine));
}

#[tokio::test]
async fn mcp_06_a_document_is_a_client_once_something_fetches_it() {
    let script = Arc::new(Script::default());
    script.serve(&with(cimd::document(), "redirect_uris", json!(["http://localhost/callback"])));
    let fetch = || Scripted(Arc::clone(&script));
    let by_preset = World::with(|builder| builder.preset(Preset::mcp(MCP).fetch(fetch()))).await;
    let of_host = ClientIdMetadata::new(fetch()).scope(["read"]);
    let by_host =
        World::with(|builder| builder.client_id_metadata(of_host).preset(Preset::mcp(MCP).fetch(fetch()))).await;
    for (world, most) in [(&by_preset, "read write"), (&by_host, "read")] {
        let metadata = get(world, "/.well-known/oauth-authorization-server").await.json().unwrap();
        assert_eq!(metadata["client_id_metadata_document_supported"], true);
        let code = world.code(&asks(cimd::URL, most), "alice").await;
        let (access, _) = redeem(world, cimd::URL, &code).await;
        let call = bearer(&format!("Bearer {access}"));
        world.server.check(&call, Require::scope(most).at(MCP)).await.unwrap();
    }
    let more = by_host.authorize(&asks(cimd::URL, "read write")).await.answer();
    assert_eq!(
        more.redirect().unwrap().parameters["error"],
        "invalid_scope",
        "what the host says of documents prevails"
    );
    // Without anything that fetches, none is announced, and a URL is nobody.
    let plain = world().await;
    let metadata = get(&plain, "/.well-known/oauth-authorization-server").await.json().unwrap();
    assert!(metadata.get("client_id_metadata_document_supported").is_none());
    assert_eq!(plain.authorize(&asks(cimd::URL, "read")).await.answer().status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn mcp_07_who_names_no_resource_means_the_mcp_server() {
    const OTHER: &str = "https://api.example.com/other";
    let world = World::with(|builder| builder.preset(Preset::mcp(MCP)).resource(OTHER, ["read"])).await;
    let code = world.code(&changed(&world.valid_request(CLI), &[("scope", "read")]), "alice").await;
    let (access, refresh) = world.redeem(CLI, &code).await.tokens();
    let (next, _) = world.token(CLI, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await.tokens();
    for token in [access, next] {
        let call = bearer(&format!("Bearer {token}"));
        world.server.check(&call, Require::scope("read").at(MCP)).await.unwrap();
        world.server.check(&call, Require::scope("read").at(OTHER)).await.unwrap_err();
    }
    // Who names another has that, and says it once.
    let mut request = changed(&world.valid_request(CLI), &[("scope", "read")]);
    request.push(("resource", OTHER));
    let code = world.code(&request, "alice").await;
    let (access, _) = world.redeem(CLI, &code).await.tokens();
    let call = bearer(&format!("Bearer {access}"));
    world.server.check(&call, Require::scope("read").at(OTHER)).await.unwrap();
    world.server.check(&call, Require::scope("read").at(MCP)).await.unwrap_err();
}
