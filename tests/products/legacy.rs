//! An OAuth 2 application of the old kind: commas between scopes, no PKCE, and rights of the user who authorized.

use async_trait::async_trait;
use grantor::wire::scope::Scope;
use grantor::{Failure, Rights, Subject};
use http::Request;
use serde_json::json;

use crate::dialect::Commas;
use crate::world::{CALLBACK, World, parameter};

const SCOPES: [&str; 10] = [
    "read",
    "write",
    "liveview",
    "audiotransmit",
    "liveview_ptz",
    "liveview_light",
    "liveview_audioclip",
    "recordings",
    "recordings_delete",
    "events",
];

/// A guest sees, and changes nothing.
struct Views;

#[async_trait]
impl Rights for Views {
    async fn narrow(&self, subject: &Subject, scope: &Scope) -> Result<Scope, Failure> {
        let seen = |name: &&str| matches!(*name, "read" | "liveview") || name.starts_with("grantor:");
        Ok(match subject.as_str() {
            "guest" => Scope::from_tokens(scope.tokens().filter(seen)).unwrap_or_else(|_| Scope::empty()),
            _ => scope.clone(),
        })
    }
}

/// The world, and the id and secret of an application that a full account made.
async fn world() -> (World, String, String) {
    let world = World::new(&SCOPES, Views).await.speaking(Commas);
    let new = json!({
        "client_name": "Camera wall",
        "description": "Shows the cameras of a house on a wall",
        "redirect_uris": [CALLBACK, "https://app.example/second"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
        "require_pkce": false,
        "scope": SCOPES.join(" "),
    });
    assert_eq!(world.manage("guest", "POST", "/clients", Some(new.clone())).await.0, 403, "only full accounts");
    let (status, made) = world.manage("full", "POST", "/clients", Some(new)).await;
    assert_eq!(status, 201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    (world, id, secret)
}

fn asks(id: &str, scope: &str) -> String {
    format!(
        "response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope={scope}&state=a%2Bb%3D"
    )
}

fn form_request(body: String) -> Request<String> {
    let request = Request::post("/authorize").header("content-type", "application/x-www-form-urlencoded");
    request.body(body).unwrap()
}

fn exchange(id: &str, secret: &str, code: &str, redirect_uri: &str) -> String {
    let grant = format!("grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}");
    format!("{grant}&client_id={id}&client_secret={secret}")
}

#[tokio::test]
async fn scopes_with_commas_are_granted_by_post_refreshed_and_end_together_in_its_own_words() {
    let (world, id, secret) = world().await;
    let answer = world.authorize(form_request(asks(&id, "read,write,liveview")), "owner", "allow").await;
    assert_eq!((answer.status().as_u16(), parameter(&answer, "state").as_deref()), (303, Some("a%2Bb%3D")));
    let code = parameter(&answer, "code").unwrap();
    let wrong = exchange(&id, &secret, &code, "https%3A%2F%2Fapp.example%2Fsecond");
    assert_eq!(world.token(&wrong).await.1["error"], "invalid_grant", "the address must be the same");
    let (status, tokens) = world.token(&exchange(&id, &secret, &code, "https%3A%2F%2Fapp.example%2Fcb")).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!("read,write,liveview")));
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.api_me(access, "read write").await, Ok(Some("owner".into())));

    let refresh =
        |token: &str| format!("grant_type=refresh_token&refresh_token={token}&client_id={id}&client_secret={secret}");
    let (_, refreshed) = world.token(&refresh(tokens["refresh_token"].as_str().unwrap())).await;
    let (access, next) = (refreshed["access_token"].as_str().unwrap(), refreshed["refresh_token"].as_str().unwrap());
    let ended = world.post(&format!("/revoke?access_token={access}"), "").await;
    assert_eq!(ended.body(), r#"{"message":"The token was revoked.","success":true}"#);
    assert_eq!(world.api_me(access, "read").await, Err(401));
    assert_eq!(world.token(&refresh(next)).await.1["error"], "invalid_grant", "its refresh token ended with it");
    assert!(world.post("/revoke", "").await.body().contains("\"success\":false"));
}

#[tokio::test]
async fn a_user_who_refuses_is_said_to_have_and_nothing_is_issued() {
    let (world, id, _) = world().await;
    let answer = world.authorize(form_request(asks(&id, "read")), "owner", "deny").await;
    assert_eq!(parameter(&answer, "error").as_deref(), Some("access_denied"));
    assert_eq!((parameter(&answer, "code"), parameter(&answer, "state").as_deref()), (None, Some("a%2Bb%3D")));
}

#[tokio::test]
async fn a_guest_is_shown_and_grants_no_more_than_they_may_themselves() {
    let (world, id, secret) = world().await;
    let page = world.consent_page(&asks(&id, "read,write,liveview"), "guest").await;
    assert!(page.contains("May liveview") && !page.contains("May write"), "{page}");
    let answer = world.authorize(form_request(asks(&id, "read,write,liveview")), "guest", "allow").await;
    let code = parameter(&answer, "code").unwrap();
    let (_, tokens) = world.token(&exchange(&id, &secret, &code, "https%3A%2F%2Fapp.example%2Fcb")).await;
    assert_eq!(tokens["scope"], "read,liveview");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.api_me(access, "liveview").await, Ok(Some("guest".into())));
    assert_eq!(world.api_me(access, "write").await, Err(403));
    let answer = world.authorize(form_request(asks(&id, "write,recordings_delete")), "guest", "allow").await;
    assert_eq!(parameter(&answer, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn the_core_stays_strict_behind_the_dialect() {
    let (world, id, secret) = world().await;
    let code = {
        let answer = world.authorize(form_request(asks(&id, "read")), "owner", "allow").await;
        parameter(&answer, "code").unwrap()
    };
    let exchange = exchange(&id, &secret, &code, "https%3A%2F%2Fapp.example%2Fcb");
    let in_query = world.post(&format!("/token?client_secret={secret}"), &exchange).await;
    assert_eq!(in_query.status(), 400, "no secret in a query");
    let twice = world.token(&format!("{exchange}&scope=read&scope=write")).await;
    assert_eq!(twice.1["error"], "invalid_request");
    let elsewhere = asks(&id, "read").replace("app.example", "evil.example");
    let refused = world.authorize(form_request(elsewhere), "owner", "allow").await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("location")), (400, None));
    let unknown = world.authorize(form_request(asks(&id, "read,fly")), "owner", "allow").await;
    assert_eq!(parameter(&unknown, "error").as_deref(), Some("invalid_scope"));
}
