//! Initial access tokens, over HTTP, and what is registered with them.

use http::Request;
use serde_json::{Value, json};

use crate::world::{BASE, World};

const TOKENS: &str = "/initial-access-tokens";

/// What a registration with this token is answered.
async fn register(world: &World, token: &str) -> u16 {
    let metadata = json!({ "redirect_uris": ["https://new.example/cb"], "client_name": "New" });
    let request = Request::post("/tenant/register")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(metadata.to_string());
    world.send(request.unwrap()).await.status().as_u16()
}

fn in_an_hour(world: &World) -> i64 {
    world.server.now().as_secs() + 3_600
}

#[tokio::test]
async fn a_token_is_made_registers_as_often_as_it_says_is_listed_and_ended() {
    let world = World::new().await;
    let root = world.root_token().await;
    let new = json!({ "label": "Partner", "uses": 2, "expires_at": in_an_hour(&world) });
    let made = world.call(&root, "POST", TOKENS, Some(new)).await;
    assert_eq!(made.status, 201);
    let token = made.json["token"].as_str().unwrap();
    let url = format!("{TOKENS}/{}", made.json["id"].as_str().unwrap());
    assert_eq!(made.header("location"), format!("{BASE}{url}"));
    assert_eq!((register(&world, token).await, register(&world, token).await), (201, 201));
    assert_eq!(register(&world, token).await, 401, "used up");

    let once = json!({ "label": "Other", "expires_at": in_an_hour(&world) });
    let other = world.call(&root, "POST", TOKENS, Some(once)).await;
    assert_eq!(other.json["uses"], 1);
    let page = world.call(&root, "GET", &format!("{TOKENS}?limit=1"), None).await;
    let rest = world.call(&root, "GET", page.json["next"].as_str().unwrap(), None).await;
    let mut labels = [&page, &rest].map(|page| page.json["items"][0]["label"].as_str().unwrap());
    labels.sort_unstable();
    assert_eq!(labels, ["Other", "Partner"]);
    assert!([&page, &rest].iter().all(|page| page.json["items"][0].get("token").is_none()));

    let url = format!("{TOKENS}/{}", other.json["id"].as_str().unwrap());
    assert_eq!(world.call(&root, "DELETE", &url, None).await.status, 204);
    assert_eq!(register(&world, other.json["token"].as_str().unwrap()).await, 401);
    assert_eq!(world.call(&root, "DELETE", &url, None).await.status, 404);
    assert_eq!(world.call(&root, "DELETE", &format!("{TOKENS}/no%20name"), None).await.status, 404);
}

#[tokio::test]
async fn a_creation_sent_again_makes_one_token() {
    let world = World::new().await;
    let root = world.root_token().await;
    let new = json!({ "label": "Partner", "uses": 2, "expires_at": in_an_hour(&world) });
    let send = async || world.call_with(&root, "POST", TOKENS, Some(new.clone()), &[("idempotency-key", "k")]).await;
    let first = send().await;
    assert_eq!(register(&world, first.json["token"].as_str().unwrap()).await, 201);
    let again = send().await;
    assert_eq!((again.status, &again.json["token"], &again.json["used"]), (201, &first.json["token"], &json!(1)));
    let page = world.call(&root, "GET", TOKENS, None).await;
    assert_eq!(page.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_makes_nothing() {
    let world = World::new().await;
    let root = world.root_token().await;
    let soon = in_an_hour(&world);
    let wrong: [(Value, &str); 5] = [
        (json!({ "label": "x", "uses": 0, "expires_at": soon }), "uses"),
        (json!({ "label": "x".repeat(201), "expires_at": soon }), "label"),
        (json!({ "label": "x\ny", "expires_at": soon }), "label"),
        (json!({ "label": "x" }), "body"),
        (json!({ "label": "x", "uses": -1, "expires_at": soon }), "body"),
    ];
    for (body, code) in wrong {
        let answer = world.call(&root, "POST", TOKENS, Some(body.clone())).await;
        assert_eq!((answer.status, answer.code()), (422, code), "{body}");
    }
    // What it registers could read the clients, and whoever asks may not.
    let writer = world.register("Writer", "grantor:clients:write").await;
    let token = world.own_token(&writer, "grantor:clients:write").await;
    let refused = world.call(&token, "POST", TOKENS, Some(json!({ "label": "x", "expires_at": soon }))).await;
    assert_eq!(refused.status, 403);
    assert_eq!(world.call(&root, "GET", TOKENS, None).await.json["items"], json!([]));
}

#[tokio::test]
async fn where_clients_do_not_register_themselves_there_is_no_token_to_make() {
    let world = World::without_registration().await;
    let root = world.root_token().await;
    let new = json!({ "label": "x", "expires_at": in_an_hour(&world) });
    let refused = world.call(&root, "POST", TOKENS, Some(new)).await;
    assert_eq!((refused.status, refused.code()), (409, "registration_off"));
    assert_eq!(world.call(&root, "GET", TOKENS, None).await.json["items"], json!([]));
}
