//! API clients with states, PKCE and a cap on sessions: access tokens of 12 hours, refresh tokens of 30 days.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};

use crate::world::{CALLBACK, PKCE, VERIFIER, World, parameter};

const HOUR: Duration = Duration::from_secs(3600);

fn new(method: &str, require_pkce: bool) -> Value {
    json!({
        "client_name": "Workflow bridge",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": method,
        "require_pkce": require_pkce,
        "scope": "all readonly",
    })
}

async fn session(world: &World, id: &str, secret: &str) -> Value {
    let code = world.code(id, "alice", "all").await;
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&client_id={id}{secret}");
    let (status, tokens) = world.token(&form).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn refresh(world: &World, id: &str, secret: &str, tokens: &Value) -> (u16, Value) {
    let token = tokens["refresh_token"].as_str().unwrap();
    world.token(&format!("grant_type=refresh_token&refresh_token={token}&client_id={id}{secret}")).await
}

async fn made(world: &World, new: Value) -> (String, String) {
    let (status, made) = world.manage("admin", "POST", "/clients", Some(new)).await;
    assert_eq!(status, 201, "{made}");
    let secret = made["client_secret"].as_str().map_or(String::new(), |secret| format!("&client_secret={secret}"));
    (made["client_id"].as_str().unwrap().to_owned(), secret)
}

#[tokio::test]
async fn the_rules_of_the_form_are_kept_at_creation_and_at_every_edit() {
    let world = World::plain(&["all", "readonly"]).await;
    let (status, refused) = world.manage("admin", "POST", "/clients", Some(new("none", false))).await;
    assert_eq!((status, &refused["code"]), (422, &json!("metadata")));
    assert!(refused["detail"].as_str().unwrap().contains("PKCE"));
    let (id, secret) = made(&world, new("client_secret_post", false)).await;
    let url = format!("/clients/{id}");
    let (status, _) = world.manage("admin", "PUT", &url, Some(new("none", false))).await;
    assert_eq!(status, 422);
    for (field, value) in [("client_name", json!("a\nb")), ("redirect_uris", json!([]))] {
        let mut wrong = new("client_secret_post", false);
        wrong[field] = value;
        assert_eq!(world.manage("admin", "PUT", &url, Some(wrong)).await.0, 422, "{field}");
    }

    // Without PKCE it may ask, until it is required.
    let asks = format!("response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=all");
    let get = |query: &str| Request::get(format!("/authorize?{query}")).body(String::new()).unwrap();
    let allowed = world.authorize(get(&asks), "alice", "allow").await;
    assert!(parameter(&allowed, "code").is_some());
    let (status, changed) = world.manage("admin", "PUT", &url, Some(new("client_secret_post", true))).await;
    assert_eq!((status, &changed["metadata"]["require_pkce"]), (200, &json!(true)));
    let refused = world.authorize(get(&asks), "alice", "allow").await;
    assert_eq!(parameter(&refused, "error").as_deref(), Some("invalid_request"));
    let code = parameter(&allowed, "code").unwrap();
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb");
    assert_eq!(world.token(&format!("{form}&client_id={id}{secret}")).await.0, 400, "nor is what was begun before");
    let with = world.authorize(get(&format!("{asks}{PKCE}")), "alice", "allow").await;
    assert!(parameter(&with, "code").is_some());

    // To `none`: the secret is gone, and the client goes on without.
    assert_eq!(world.manage("admin", "PUT", &url, Some(new("none", true))).await.0, 200);
    session(&world, &id, "").await;
    assert_eq!(world.manage("guest", "PUT", &url, Some(new("none", true))).await.0, 403);
}

#[tokio::test]
async fn tokens_live_12_hours_and_30_days() {
    let world = World::plain(&["all", "readonly"]).await;
    let (id, secret) = made(&world, new("client_secret_post", true)).await;
    let tokens = session(&world, &id, &secret).await;
    assert_eq!(tokens["expires_in"], 12 * 3600);
    let access = tokens["access_token"].as_str().unwrap();
    world.clock.advance(Duration::from_secs(12 * 3600 - 1));
    assert!(world.api_me(access, "all").await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.api_me(access, "all").await, Err(401));
    let (status, tokens) = refresh(&world, &id, &secret, &tokens).await;
    assert_eq!(status, 200);
    world.clock.advance(30 * 24 * HOUR);
    assert_eq!(refresh(&world, &id, &secret, &tokens).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn the_eleventh_session_of_a_user_ends_their_first_and_nobody_elses() {
    let world = World::plain(&["all", "readonly"]).await;
    let (id, secret) = made(&world, new("client_secret_post", true)).await;
    let (other, others_secret) = made(&world, new("client_secret_post", true)).await;
    let elsewhere = session(&world, &other, &others_secret).await;
    let mut sessions = Vec::new();
    for _ in 0..11 {
        sessions.push(session(&world, &id, &secret).await);
        world.clock.advance(Duration::from_secs(1));
    }
    let live = async |tokens: &Value| world.api_me(tokens["access_token"].as_str().unwrap(), "all").await.is_ok();
    assert!(!live(&sessions[0]).await && live(&elsewhere).await);
    assert_eq!(refresh(&world, &id, &secret, &sessions[0]).await.1["error"], "invalid_grant");
    for kept in &sessions[1..] {
        assert!(live(kept).await);
    }
    let (_, apps) = world.manage("alice", "GET", "/me/apps", None).await;
    let app = apps["items"].as_array().unwrap().iter().find(|app| app["client_id"] == id.as_str()).unwrap();
    assert_eq!(app["sessions"].as_array().unwrap().len(), 10);
    assert_eq!(app["sessions"][0]["device"], "Chromium on a desk");
}

#[tokio::test]
async fn deactivating_ends_access_at_once_and_activating_lets_it_be_asked_for_anew() {
    let world = World::plain(&["all", "readonly"]).await;
    let (id, secret) = made(&world, new("client_secret_post", true)).await;
    let tokens = session(&world, &id, &secret).await;
    let access = tokens["access_token"].as_str().unwrap();
    let (status, rested) = world.manage("admin", "POST", &format!("/clients/{id}/deactivate"), None).await;
    assert_eq!((status, &rested["state"]), (200, &json!("inactive")));
    assert_eq!(world.api_me(access, "all").await, Err(401));
    assert_eq!(refresh(&world, &id, &secret, &tokens).await.0, 401);
    let (_, list) = world.manage("admin", "GET", "/clients?state=inactive", None).await;
    assert_eq!(list["items"][0]["client_id"], id.as_str(), "the record stays");
    assert_eq!(world.manage("admin", "POST", &format!("/clients/{id}/activate"), None).await.0, 200);
    assert_eq!(world.api_me(access, "all").await, Err(401), "nothing comes back by itself");
    assert_eq!(refresh(&world, &id, &secret, &tokens).await.1["error"], "invalid_grant");
    session(&world, &id, &secret).await;
}
