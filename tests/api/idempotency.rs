//! Creations that are sent again.

use std::time::Duration;

use serde_json::json;

use crate::world::{ALL, BASE, World, body};

const KEY: &[(&str, &str)] = &[("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];

#[tokio::test]
async fn a_client_that_is_made_again_is_the_same_secret_included() {
    let world = World::new().await;
    let token = world.root_token().await;
    let make = async |headers| world.call_with(&token, "POST", "/clients", Some(body("Web", "read")), headers).await;
    let (first, second) = (make(KEY).await, make(KEY).await);
    assert_eq!((first.status, &first.json), (201, &second.json));
    assert_eq!(first.header("location"), second.header("location"));
    let grant = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        second.json["client_id"].as_str().unwrap(),
        second.json["client_secret"].as_str().unwrap()
    );
    let request = http::Request::post("/tenant/token").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.send(request.body(grant).unwrap()).await.status(), 200);

    let other = world.call_with(&token, "POST", "/clients", Some(body("Other", "read")), KEY).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    assert_ne!(make(&[]).await.json["client_id"], first.json["client_id"], "without a key each is new");
    assert_ne!(make(&[("idempotency-key", "another")]).await.json["client_id"], first.json["client_id"]);
    for wrong in ["", &"x".repeat(256), "caf\u{e9}"] {
        let headers = [("idempotency-key", wrong)];
        let refused = world.call_with(&token, "POST", "/clients", Some(body("Web", "read")), &headers).await;
        assert_eq!(refused.status, 400, "{wrong}");
    }
    // Once it is forgotten, the key makes another.
    world.clock.advance(Duration::from_secs(24 * 3600));
    let token = world.root_token().await;
    let later = world.call_with(&token, "POST", "/clients", Some(body("Web", "read")), KEY).await;
    assert_eq!(later.status, 201);
    assert_ne!(later.json["client_id"], first.json["client_id"]);
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let world = World::new().await;
    let other = world.register("Other", ALL).await;
    let tokens = [world.root_token().await, world.own_token(&other, ALL).await];
    let mut made = std::collections::BTreeSet::new();
    for token in &tokens {
        let answer = world.call_with(token, "POST", "/clients", Some(body("Web", "read")), KEY).await;
        made.insert(answer.json["client_secret"].as_str().unwrap().to_owned());
    }
    assert_eq!(made.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_with_one_key_all_get_the_same_and_one_is_made() {
    let world = std::sync::Arc::new(World::new().await);
    let token = world.root_token().await;
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(8));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (world, token, barrier) = (world.clone(), token.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                world.call_with(&token, "POST", "/clients", Some(body("Web", "read")), KEY).await.json
            })
        })
        .collect();
    let mut answers = std::collections::BTreeSet::new();
    for task in tasks {
        answers.insert(task.await.unwrap().to_string());
    }
    assert_eq!(answers.len(), 1);
    let listed = world.call(&token, "GET", "/clients?search=web", None).await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn secrets_and_personal_tokens_are_made_once_too() {
    let world = World::new().await;
    let token = world.root_token().await;
    let made = world.call(&token, "POST", "/clients", Some(body("Web", "read"))).await;
    let url = format!("{BASE}/clients/{}/secrets", made.json["client_id"].as_str().unwrap());
    let add = async || world.call_with(&token, "POST", &url, Some(json!({ "label": "new" })), KEY).await.json;
    assert_eq!(add().await, add().await);
    assert_eq!(world.call(&token, "GET", &url, None).await.json["items"].as_array().unwrap().len(), 2);

    let user = world.user_token(&world.root, "alice", ALL, "").await;
    let new = json!({ "name": "Backup", "scope": "read", "lifetime": 3600 });
    let again = async || world.call_with(&user, "POST", "/me/tokens", Some(new.clone()), KEY).await;
    let (first, second) = (again().await, again().await);
    assert_eq!((first.status, &first.json), (201, &second.json));
    let secret = second.json["token"].as_str().unwrap();
    assert!(world.server.verify(secret, grantor::Require::scope("read")).await.is_ok());
    let listed = world.call(&user, "GET", "/me/tokens", None).await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    // And nothing of it is written down.
    for record in world.store.snapshot() {
        assert!(!String::from_utf8_lossy(record.payload.as_bytes()).contains(secret));
    }
}
