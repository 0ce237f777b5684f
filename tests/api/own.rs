//! What is the caller's own, over HTTP.

use grantor::Require;
use serde_json::json;

use crate::world::{ALL, World};

#[tokio::test]
async fn a_personal_token_is_made_used_edited_in_force_at_once_and_deleted() {
    let world = World::new().await;
    let alice = world.user_token(&world.root, "alice", ALL, "").await;
    let choices = world.call(&alice, "GET", "/me/token-choices", None).await;
    assert_eq!((&choices.json["scope"], &choices.json["lifetimes"][0]), (&json!("read write"), &json!(604_800)));
    let new = |name: &str, scope: &str| json!({ "name": name, "scope": scope, "lifetime": 604_800 });
    let made = world.call(&alice, "POST", "/me/tokens", Some(new("Backup", "read"))).await;
    assert_eq!((made.status, &made.json["expires_at"]), (201, &json!(1_767_225_600 + 604_800)));
    let (token, url) = (made.json["token"].as_str().unwrap().to_owned(), made.header("location").to_owned());
    assert!(world.server.verify(&token, Require::scope("write")).await.is_err());

    let read = world.call(&alice, "GET", &url, None).await;
    assert!(read.json.get("token").is_none());
    let patch = async |headers: &[(&str, &str)], scope: &str| {
        world.call_with(&alice, "PATCH", &url, Some(json!({ "scope": scope })), headers).await
    };
    assert_eq!(patch(&[], "write").await.status, 428);
    let etag = read.header("etag");
    assert_eq!(patch(&[("if-match", etag)], "read write").await.json["scope"], "read write");
    assert!(world.server.verify(&token, Require::scope("write")).await.is_ok());
    assert_eq!(patch(&[("if-match", etag)], "read").await.status, 412);
    assert_eq!(patch(&[("if-match", "*")], "grantor:clients:write").await.code(), "scope");

    for (new, status, code) in [
        (new("backup", "read"), 409, "name_taken"),
        (new("", "read"), 422, "name"),
        (json!({ "name": "x", "scope": "read", "lifetime": 0 }), 422, "lifetime"),
        (json!({ "name": "x", "scope": "read" }), 422, "body"),
    ] {
        let refused = world.call(&alice, "POST", "/me/tokens", Some(new)).await;
        assert_eq!((refused.status, refused.code()), (status, code));
    }
    let mallory = world.user_token(&world.root, "mallory", ALL, "").await;
    assert_eq!(world.call(&mallory, "GET", &url, None).await.status, 404);
    assert_eq!(world.call(&mallory, "DELETE", &url, None).await.status, 404);
    let others = world.call_with(&mallory, "PATCH", &url, Some(json!({ "scope": "read" })), &[("if-match", "*")]).await;
    assert_eq!(others.status, 404);
    assert!(world.server.verify(&token, Require::any()).await.is_ok());
    assert_eq!(world.call(&alice, "DELETE", &url, None).await.status, 204);
    assert!(world.server.verify(&token, Require::any()).await.is_err());
    assert_eq!(world.call(&alice, "GET", "/me/tokens", None).await.json, json!({ "items": [] }));
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_and_nobody_elses() {
    let world = World::new().await;
    let web = world.register("Web", "read").await;
    let alice = world.user_token(&world.root, "alice", ALL, "").await;
    let given = world.user_token(&web, "alice", "read", "").await;
    let bobs = world.user_token(&web, "bob", "read", "").await;
    let apps = world.call(&alice, "GET", "/me/apps", None).await;
    let app = apps.json["items"].as_array().unwrap().iter().find(|app| app["client_name"] == "Web").unwrap();
    assert_eq!((&app["consent"]["scope"], &app["scope"]), (&json!("read"), &json!("read")));
    let session = format!("/me/grants/{}", app["sessions"][0]["id"].as_str().unwrap());
    let bob = world.user_token(&world.root, "bob", ALL, "").await;
    assert_eq!(world.call(&bob, "DELETE", &session, None).await.status, 404);
    assert!(world.server.verify(&given, Require::any()).await.is_ok());
    assert_eq!(world.call(&alice, "DELETE", &session, None).await.status, 204);
    assert!(world.server.verify(&given, Require::any()).await.is_err());
    let url = format!("/me/apps/{}", web.client.id());
    assert_eq!(world.call(&alice, "DELETE", &url, None).await.status, 204);
    assert!(world.server.verify(&bobs, Require::any()).await.is_ok());
    let left = world.call(&alice, "GET", "/me/apps", None).await;
    assert!(left.json["items"].as_array().unwrap().iter().all(|app| app["client_name"] != "Web"));
}
