//! Clients that nobody wrote into the file.

use serde_json::json;

use crate::http::exchange;
use crate::process::Example;

const FILE: &str = r#"
issuer = "http://127.0.0.1:8080"
store = "memory:"
scopes = [{ name = "read", default = true }]
"#;

#[test]
fn a_client_registers_itself_where_the_file_lets_it() {
    let server = Example::configured(&format!("{FILE}\n[registration]\nenabled = true\n"));
    let metadata = exchange(&server.address, "GET", "/.well-known/oauth-authorization-server", &[], "").unwrap().json();
    assert_eq!(metadata["registration_endpoint"], "http://127.0.0.1:8080/register");
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let body = json!({ "client_name": "Tool", "redirect_uris": ["https://tool.example/cb"] }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = exchange(&server.address, "POST", "/register", &headers, &body).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    let registered = answer.json();
    let path = format!("/register/{}", registered["client_id"].as_str().unwrap());
    let token = format!("Bearer {}", registered["registration_access_token"].as_str().unwrap());
    let read = exchange(&server.address, "GET", &path, &[("authorization", &token)], "").unwrap();
    assert_eq!((read.status, &read.json()["scope"]), (200, &json!("read")));
    assert_eq!(exchange(&server.address, "DELETE", &path, &[("authorization", &token)], "").unwrap().status, 204);
    assert_eq!(exchange(&server.address, "GET", &path, &[("authorization", &token)], "").unwrap().status, 401);
}

#[test]
fn where_the_file_asks_for_it_only_a_token_of_the_management_api_registers() {
    let more = r#"
        [registration]
        enabled = true
        who = "initial_access_token"
        [management]
        enabled = true
        [[clients]]
        client_id = "automation"
        client_secret = "automation-secret-automation-secret"
        token_endpoint_auth_method = "client_secret_post"
        grant_types = ["client_credentials"]
        scope = "grantor:clients:write"
    "#;
    let server = Example::configured(&format!("{FILE}{more}"));
    let json_type = ("content-type", "application/json");
    let send = |path: &str, token: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        exchange(&server.address, "POST", path, &[json_type, ("authorization", &bearer)], body).unwrap()
    };
    let form = "grant_type=client_credentials&scope=grantor:clients:write&client_id=automation\
                &client_secret=automation-secret-automation-secret";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let own = exchange(&server.address, "POST", "/token", &headers, form).unwrap().json();

    let new = json!({ "label": "Partner", "expires_at": 4_102_444_800_i64 }).to_string();
    let made = send("/manage/v1/initial-access-tokens", own["access_token"].as_str().unwrap(), &new);
    assert_eq!(made.status, 201, "{made:?}");
    let body = json!({ "client_name": "Tool", "redirect_uris": ["https://tool.example/cb"] }).to_string();
    assert_eq!(exchange(&server.address, "POST", "/register", &[json_type], &body).unwrap().status, 401);
    let made = made.json();
    let token = made["token"].as_str().unwrap();
    assert_eq!(send("/register", token, &body).status, 201);
    assert_eq!(send("/register", token, &body).status, 401, "for one client, it said");
}

#[test]
fn without_a_word_about_it_nobody_registers() {
    let server = Example::configured(FILE);
    let answer = exchange(&server.address, "POST", "/register", &[("content-type", "application/json")], "{}").unwrap();
    assert_eq!(answer.status, 404);
}
