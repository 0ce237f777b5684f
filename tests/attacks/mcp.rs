//! The Model Context Protocol: what its clients look for, revision by revision.

use grantor::resource::ProtectedResource;
use grantor::{Preset, Require};
use http::{Request, StatusCode};
use serde_json::json;

use crate::harness::*;
use crate::introspection::bearer;

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
