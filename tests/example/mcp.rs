//! The example server as the authorization server of an MCP server: discovery as each revision of the protocol does it.

use serde_json::{Value, json};

use crate::http::{Answer, exchange};
use crate::process::Example;

/// The issuer has a path, as where several servers share an origin: the hardest case for a client that looks around.
const FILE: &str = r#"
issuer = "http://127.0.0.1:8080/auth"
store = "memory:"
scopes = [{ name = "read", default = true }, { name = "write" }]

[mcp]
resource = "http://127.0.0.1:8080/mcp"
"#;

const ORIGIN: &str = "http://127.0.0.1:8080";

fn get(server: &Example, path: &str) -> Answer {
    exchange(&server.address, "GET", path, &[("mcp-protocol-version", "2025-11-25")], "").unwrap()
}

/// What is at a URL that the server has named.
fn follow(server: &Example, url: &str) -> Value {
    let answer = get(server, url.strip_prefix(ORIGIN).unwrap());
    assert_eq!(answer.status, 200, "{url}: {answer:?}");
    answer.json()
}

fn register(server: &Example, path: &str) -> Value {
    let body = json!({ "client_name": "Tool", "redirect_uris": ["http://localhost:33418/callback"] }).to_string();
    let answer = exchange(&server.address, "POST", path, &[("content-type", "application/json")], &body).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[test]
fn a_client_of_2025_03_26_looks_at_the_root_of_the_mcp_server() {
    let server = Example::configured(FILE);
    let metadata = get(&server, "/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["issuer"], format!("{ORIGIN}/auth"));
    assert_eq!(metadata["registration_endpoint"], format!("{ORIGIN}/auth/register"));
    // Had it found none, it would go to the default paths.
    let registered = register(&server, "/register");
    assert_eq!(
        (&registered["token_endpoint_auth_method"], &registered["scope"]),
        (&json!("none"), &json!("read write"))
    );
    let refused = exchange(&server.address, "POST", "/token", &[], "").unwrap();
    assert_eq!(refused.status, 400);
    let asked = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri=http://localhost:50505/callback&prompt=none\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        registered["client_id"].as_str().unwrap()
    );
    let answer = get(&server, &asked);
    let location = answer.header("location");
    assert!(location.starts_with("http://localhost:50505/callback?error=login_required"), "{answer:?}");
    assert!(location.contains("iss=http%3A%2F%2F127.0.0.1%3A8080%2Fauth"), "{location}");
}

#[test]
fn a_client_of_2025_06_18_follows_the_challenge() {
    let server = Example::configured(FILE);
    let refused = exchange(&server.address, "POST", "/mcp", &[], "").unwrap();
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains(r#"scope="read""#), "{challenge}");
    let place = challenge.split("resource_metadata=\"").nth(1).unwrap().split('"').next().unwrap();
    let resource = follow(&server, place);
    assert_eq!(resource["resource"], format!("{ORIGIN}/mcp"));
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    assert_eq!(issuer, format!("{ORIGIN}/auth"));
    // RFC 8414 §3 puts the well-known part before the path.
    let metadata = follow(&server, &format!("{ORIGIN}/.well-known/oauth-authorization-server/auth"));
    assert_eq!(metadata["issuer"], issuer);
    let endpoint = metadata["registration_endpoint"].as_str().unwrap().strip_prefix(ORIGIN).unwrap().to_owned();
    assert_eq!(register(&server, &endpoint)["token_endpoint_auth_method"], "none");
}

#[test]
fn a_client_of_2025_11_25_finds_the_same_wherever_it_looks() {
    let server = Example::configured(FILE);
    let resources = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"];
    for place in resources {
        assert_eq!(get(&server, place).json()["resource"], format!("{ORIGIN}/mcp"), "{place}");
    }
    let servers = [
        "/.well-known/oauth-authorization-server/auth",
        "/.well-known/openid-configuration/auth",
        "/auth/.well-known/openid-configuration",
    ];
    for place in servers {
        let metadata = get(&server, place).json();
        assert_eq!(metadata["issuer"], format!("{ORIGIN}/auth"), "{place}");
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    }
}

#[test]
fn a_client_of_2026_07_28_sees_documents_and_the_issuer_announced() {
    let server = Example::configured(FILE);
    let metadata = get(&server, "/.well-known/oauth-authorization-server/auth").json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[test]
fn the_file_may_say_otherwise_of_registration_and_a_mistake_is_named() {
    let off = Example::configured(&format!("{FILE}\n[registration]\nenabled = false\n"));
    let metadata = get(&off, "/.well-known/oauth-authorization-server").json();
    assert_eq!(
        (metadata.get("registration_endpoint"), metadata["issuer"].as_str()),
        (None, Some("http://127.0.0.1:8080/auth"))
    );
    let said = Example::refused(&FILE.replace("8080/mcp", "8080/mcp#part"));
    assert!(said.contains("line 7") && said.contains("mcp.resource"), "{said}");
}
