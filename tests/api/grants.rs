//! What was granted, over HTTP.

use grantor::Require;
use serde_json::json;

use crate::world::{BASE, World};

#[tokio::test]
async fn grants_are_read_and_ended_by_name_by_client_and_by_user() {
    let world = World::new().await;
    let token = world.root_token().await;
    let web = world.register("Web", "read write").await;
    let mut given = Vec::new();
    for user in ["alice", "alice", "a/b c", "bob"] {
        given.push(world.user_token(&web, user, "read", "").await);
    }
    let live = async |at: usize| world.server.verify(&given[at], Require::any()).await.is_ok();
    let of_client = format!("{BASE}/clients/{}/grants", web.client.id());
    let page = world.call(&token, "GET", &format!("{of_client}?limit=3"), None).await;
    let rest = world.call(&token, "GET", page.json["next"].as_str().unwrap(), None).await;
    assert_eq!((page.json["items"].as_array().unwrap().len(), rest.json["items"].as_array().unwrap().len()), (3, 1));

    let of_user = world.call(&token, "GET", "/subjects/a%2Fb%20c/grants", None).await;
    let grant = &of_user.json["items"][0];
    assert_eq!((&grant["subject"], &grant["device"], &grant["live"]), (&json!("a/b c"), &json!("Lynx"), &json!(true)));
    let url = format!("/grants/{}", grant["id"].as_str().unwrap());
    assert_eq!(world.call(&token, "GET", &url, None).await.json, *grant);
    assert!(live(2).await);
    assert_eq!(world.call(&token, "DELETE", &url, None).await.status, 204);
    assert!(!live(2).await);
    assert_eq!(world.call(&token, "GET", &url, None).await.json["revoked"], true);
    assert_eq!(world.call(&token, "GET", "/grants/none", None).await.status, 404);

    let apps = world.call(&token, "GET", "/subjects/alice/apps", None).await;
    assert_eq!(
        (&apps.json["items"][0]["client_name"], apps.json["items"][0]["sessions"].as_array().unwrap().len()),
        (&json!("Web"), 2)
    );
    assert!(live(0).await && live(1).await);
    let app = format!("/subjects/alice/apps/{}", web.client.id());
    assert_eq!(world.call(&token, "DELETE", &app, None).await.status, 204);
    assert!(!live(0).await && !live(1).await && live(3).await);

    let rested = world.call(&token, "POST", "/subjects/bob/deactivate", None).await;
    assert_eq!((rested.status, &rested.json), (200, &json!({ "subject": "bob", "active": false })));
    assert!(!live(3).await);
    assert_eq!(world.call(&token, "POST", "/subjects/bob/activate", None).await.json["active"], true);
    let anew = world.user_token(&web, "bob", "read", "").await;
    assert_eq!(world.call(&token, "POST", "/subjects/bob/revoke", None).await.json["active"], true);
    assert!(world.server.verify(&anew, Require::any()).await.is_err());
}

#[tokio::test]
async fn all_of_a_client_and_everything_of_everyone_end_in_one_call_each() {
    let world = World::new().await;
    let token = world.root_token().await;
    let (web, app) = (world.register("Web", "read").await, world.register("App", "read").await);
    let given = [world.user_token(&web, "alice", "read", "").await, world.user_token(&app, "alice", "read", "").await];
    let url = format!("/clients/{}/revoke", web.client.id());
    assert_eq!(world.call(&token, "POST", &url, None).await.json["state"], "active");
    assert!(world.server.verify(&given[0], Require::any()).await.is_err());
    assert!(world.server.verify(&given[1], Require::any()).await.is_ok());
    let odd = world.call(&token, "POST", "/revoke-everything", Some(json!({ "next": "x" }))).await;
    assert_eq!(odd.status, 400);
    let swept = world.call(&token, "POST", "/revoke-everything", Some(json!({}))).await;
    assert_eq!(swept.json, json!({ "clients": 3, "next": null }));
    assert!(world.server.verify(&given[1], Require::any()).await.is_err());
    assert_eq!(world.call(&token, "GET", "/clients", None).await.status, 401, "the caller's own token ended too");
}
