//! `/api/me`, and the challenges of RFC 6750.

use crate::process::Example;

#[test]
fn a_token_opens_it_and_nothing_else_does() {
    let server = Example::demo();
    let fields = [("grant_type", "client_credentials"), ("scope", "read write")];
    let basic = [("authorization", "Basic d2ViOndlYi1zZWNyZXQtd2ViLXNlY3JldC13ZWItc2VjcmV0")];
    let answer = server.post("/token", &basic, &fields).json();
    let token = answer["access_token"].as_str().unwrap();

    let open = server.get("/api/me", &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(open.json(), serde_json::json!({ "sub": null, "client_id": "web", "scope": "read write" }));
    assert_eq!(open.header("cache-control"), "no-store");

    let none = server.get("/api/me", &[]);
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer"));
    let wrong = server.get("/api/me", &[("authorization", "Bearer gat_nothing")]);
    assert_eq!(wrong.status, 401);
    assert!(wrong.header("www-authenticate").contains("error=\"invalid_token\""), "{wrong:?}");
    let in_query = server.get(&format!("/api/me?access_token={token}"), &[]);
    assert_eq!(in_query.status, 400);
    assert!(in_query.header("www-authenticate").contains("error=\"invalid_request\""), "{in_query:?}");
    assert_eq!(server.post("/api/me", &[("authorization", &format!("Bearer {token}"))], &[]).status, 405);
}
