//! The same over HTTP.

use grantor::testing::TestServer;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::client::{app, authorization, code, exchange, get, introspect, led, post};

async fn ask(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri(server.url(&format!("/_testing/{path}")));
    let answer = server.send(request.body(body.to_string()).unwrap()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap_or_default())
}

async fn tell(server: &TestServer, path: &str, body: Value) -> Value {
    let (status, answer) = ask(server, Method::POST, path, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn nobody_controls_a_server_that_was_not_made_for_it() {
    let server = TestServer::in_process();
    let (status, _) = ask(&server, Method::POST, "tokens", json!({"subject": "alice"})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn tokens_clients_and_time() {
    let server = TestServer::builder().control().in_process();
    let asked = json!({"subject": "bob", "scope": "read", "audience": ["https://a.example"], "expires_in": 60});
    let tokens = tell(&server, "tokens", asked).await;
    let token = tokens["access_token"].as_str().unwrap();
    let told = introspect(&server, token).await;
    assert_eq!((told["sub"].as_str(), told["aud"].as_str()), (Some("bob"), Some("https://a.example")));
    assert!(tokens["refresh_token"].is_string());

    let before = ask(&server, Method::GET, "clock", Value::Null).await.1["now"].as_i64().unwrap();
    assert_eq!(tell(&server, "clock", json!({"advance": 60})).await["now"], before + 60);
    assert_eq!(introspect(&server, token).await["active"], false);
    assert_eq!(tell(&server, "clock", json!({"set": before})).await["now"], before);
    assert_eq!(introspect(&server, token).await["active"], true);
    tell(&server, "revoke", json!({"token": token})).await;
    assert_eq!(introspect(&server, token).await["active"], false);

    let metadata =
        json!({"client_id": "web", "client_secret": "a-secret-of-the-test", "grant_types": ["client_credentials"]});
    let client = tell(&server, "clients", metadata).await;
    assert_eq!(client, json!({"client_id": "web", "client_secret": "a-secret-of-the-test"}));
    let own = tell(&server, "tokens", json!({"client_id": "web"})).await;
    assert_eq!(introspect(&server, own["access_token"].as_str().unwrap()).await["client_id"], "web");
    assert!(own.get("refresh_token").is_none());
}

#[tokio::test]
async fn users_and_faults() {
    let server = TestServer::builder().control().in_process();
    tell(&server, "user", json!({"subject": "erin", "scope": "read"})).await;
    let tokens = exchange(&server, &code(&server).await).await.unwrap().into_body();
    assert!(tokens.contains(r#""scope":"read""#), "{tokens}");
    tell(&server, "user", json!({"decision": "deny"})).await;
    assert_eq!(led(&get(&server, &authorization(&[])).await.unwrap(), "error").as_deref(), Some("access_denied"));
    tell(&server, "user", json!({"subject": null})).await;
    let answer = get(&server, &authorization(&[("prompt", "none")])).await.unwrap();
    assert_eq!(led(&answer, "error").as_deref(), Some("login_required"));

    let fault = json!({"fault": "error", "error": "invalid_scope", "path": "/token", "where": {"scope": "write"}});
    tell(&server, "faults", fault).await;
    let issue = async |scope: &str| {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        post(&server, "/token", &app(), &fields).await.map(|answer| answer.status().as_u16())
    };
    assert_eq!((issue("read").await, issue("write").await, issue("write").await), (Ok(200), Ok(400), Ok(200)));
    tell(&server, "faults", json!({"fault": "reset_after", "times": 2})).await;
    assert!(issue("read").await.is_err());
    assert_eq!(ask(&server, Method::DELETE, "faults", Value::Null).await.0, 200);
    assert_eq!(issue("read").await, Ok(200));
}

#[tokio::test]
async fn what_happened_is_told_and_forgotten() {
    let server = TestServer::builder().control().in_process();
    post(&server, "/token", &app(), &[("grant_type", "client_credentials")]).await.unwrap();
    let (_, requests) = ask(&server, Method::GET, "requests", Value::Null).await;
    assert_eq!(requests.as_array().unwrap().len(), 1, "{requests}");
    assert_eq!((requests[0]["path"].as_str(), requests[0]["status"].as_u64()), (Some("/token"), Some(200)));
    assert_eq!(requests[0]["body"], "grant_type=client_credentials");
    let (_, events) = ask(&server, Method::DELETE, "events", Value::Null).await;
    assert_eq!(events[0]["event"], "issued", "{events}");
    assert_eq!(ask(&server, Method::GET, "events", Value::Null).await.1, json!([]));
    assert_eq!(ask(&server, Method::DELETE, "requests", Value::Null).await.1.as_array().unwrap().len(), 1);
    assert_eq!(ask(&server, Method::GET, "requests", Value::Null).await.1, json!([]));
}

#[tokio::test]
async fn a_mistake_is_explained() {
    let server = TestServer::builder().control().in_process();
    for (path, body, expected) in [
        ("tokens", json!({"subjekt": "alice"}), "unknown field"),
        ("tokens", json!({"subject": "alice", "client_id": "nobody"}), "not registered"),
        ("tokens", json!({"subject": "alice", "scope": "a  b"}), "is not a scope"),
        ("tokens", json!({"subject": ""}), "1 to 255 bytes"),
        ("clients", json!({"redirect_uris": ["ftp://x"], "grant_types": ["authorization_code"]}), "redirect URI 0"),
        ("user", json!({"decision": "perhaps"}), "approve, deny or ask"),
        ("clock", json!({"advance": -1}), "invalid value"),
        ("revoke", json!({"token": "gat_x"}), "no such token"),
        ("faults", json!({"fault": "boom"}), "there is no fault"),
        ("faults", json!({"fault": "error", "error": "boom"}), "not an error code"),
    ] {
        let (status, answer) = ask(&server, Method::POST, path, body.clone()).await;
        assert_eq!(status, 400, "{path} {body}");
        assert!(answer["error"].as_str().unwrap().contains(expected), "{path} {body}: {answer}");
    }
    assert_eq!(ask(&server, Method::PUT, "clock", Value::Null).await.0, 405);
    assert_eq!(ask(&server, Method::GET, "nothing", Value::Null).await.0, 404);
}
