//! A client that registered itself manages its registration (RFC 7592; ids G-07 and G-10).

use std::sync::Arc;
use std::time::Duration;

use grantor::DynamicRegistration;
use grantor::store::Kind;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::*;
use crate::registration::{
    DAY, challenged, created, json_request, manage, near_misses_in_a_header, open, register, text, tokens_of, web, with,
};

#[tokio::test]
async fn g_07_only_its_own_token_manages_a_registration() {
    let world = open().await;
    let one = created(&register(&world, &web()).await);
    let other = created(&register(&world, &web()).await);
    let (id, token) = (text(&one, "client_id"), text(&one, "registration_access_token"));
    assert_eq!(one["registration_client_uri"], format!("{ISSUER}/register/{id}"));
    let (access, refresh) = tokens_of(&world, &one).await;
    let others = text(&other, "registration_access_token");
    let missing = world.send(json_request(Method::GET, &format!("/register/{id}"), None, "")).await.answer();
    challenged(&missing);
    let wrong = manage(&world, Method::GET, &id, &others, "").await;
    challenged(&wrong);
    let secret = text(&one, "client_secret");
    for token in near_misses_in_a_header(&token).iter().map(String::as_str).chain([&*access, &*refresh, &*secret, "x"])
    {
        manage(&world, Method::GET, &id, token, "").await.same_as(&wrong);
    }
    for method in [Method::PUT, Method::DELETE] {
        manage(&world, method, &id, &others, &web().to_string()).await.same_as(&wrong);
    }
    // A client that is not there is the same as one that is another's.
    manage(&world, Method::GET, "AAAAAAAAAAAAAAAAAAAAAA", &token, "").await.same_as(&wrong);
    manage(&world, Method::GET, "web", &token, "").await.same_as(&wrong);
}

#[tokio::test]
async fn g_07_a_secret_is_told_once() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let answer = manage(&world, Method::GET, &id, &token, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let read = answer.json().unwrap();
    assert!(read.get("client_secret").is_none());
    assert!(!answer.body.contains(&text(&registered, "client_secret")));
    let mut expected = registered.clone();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(read, expected);
}

#[tokio::test]
async fn g_07_an_update_replaces_everything_and_the_token_too() {
    let world = open().await;
    let body = with(with(web(), "client_uri", json!("https://wall.example/")), "software_id", json!("wall"));
    let registered = created(&register(&world, &body).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let mut body = with(web(), "client_id", json!(id));
    body["redirect_uris"] = json!(["https://wall.example/new"]);
    body["client_name"] = json!(null);
    let update = |token: String, body: Value| {
        let (world, id) = (&world, &id);
        async move { manage(world, Method::PUT, id, &token, &body.to_string()).await }
    };
    for (name, value) in [
        ("client_id", json!("web")),
        ("client_id", json!(null)),
        ("registration_access_token", json!(token)),
        ("registration_client_uri", json!("https://x.example")),
        ("client_id_issued_at", json!(1)),
        ("client_secret_expires_at", json!(0)),
        ("client_secret", json!("another-secret-another-secret")),
        ("client_secret", json!(1)),
    ] {
        update(token.clone(), with(body.clone(), name, value)).await.refused("invalid_client_metadata");
    }
    update(token.clone(), with(body.clone(), "redirect_uris", json!(["http://evil.example"])))
        .await
        .refused("invalid_redirect_uri");

    let body = with(body, "client_secret", registered["client_secret"].clone());
    let answer = update(token.clone(), body.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let updated = answer.json().unwrap();
    for gone in ["client_uri", "software_id", "client_name", "client_secret"] {
        assert!(updated.get(gone).is_none(), "{gone}");
    }
    assert_eq!(updated["redirect_uris"], json!(["https://wall.example/new"]));
    let next = text(&updated, "registration_access_token");
    assert_ne!(next, token);
    challenged(&update(token.clone(), body).await);
    challenged(&manage(&world, Method::DELETE, &id, &token, "").await);
    assert_eq!(manage(&world, Method::GET, &id, &next, "").await.status, StatusCode::OK);
    assert_eq!(world.records(Kind::REGISTRATION_TOKEN).len(), 1);
    // Its secret is as good as it was.
    let mut client = updated.clone();
    client["client_secret"] = registered["client_secret"].clone();
    let (access, _) = tokens_of(&world, &client).await;
    assert!(world.is_live(&access).await);
}

#[tokio::test]
async fn g_07_an_update_that_gives_up_the_secret_ends_it() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let public = with(with(web(), "client_id", json!(id)), "token_endpoint_auth_method", json!("none"));
    let updated = manage(&world, Method::PUT, &id, &token, &public.to_string()).await.json().unwrap();
    assert!(updated.get("client_secret_expires_at").is_none());
    let mut request = post("/token", &[("grant_type", "refresh_token"), ("refresh_token", "x")]);
    let header = basic(&id, &text(&registered, "client_secret"));
    request.headers_mut().insert("authorization", header.parse().unwrap());
    world.send(request).await.answer().unauthenticated(true);
    // Taking one up again, it gets another.
    let token = text(&updated, "registration_access_token");
    let again = with(web(), "client_id", json!(id));
    let again = manage(&world, Method::PUT, &id, &token, &again.to_string()).await.json().unwrap();
    assert_ne!(text(&again, "client_secret"), text(&registered, "client_secret"));
}

#[tokio::test]
async fn g_07_a_client_that_goes_takes_all_along() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let (access, refresh) = tokens_of(&world, &registered).await;
    let answer = manage(&world, Method::DELETE, &id, &token, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
    assert!(!world.is_live(&access).await);
    let mut request = post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    let header = basic(&id, &text(&registered, "client_secret"));
    request.headers_mut().insert("authorization", header.parse().unwrap());
    world.send(request).await.answer().unauthenticated(true);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        challenged(&manage(&world, method, &id, &token, &web().to_string()).await);
    }
    assert!(world.records(Kind::REGISTRATION_TOKEN).is_empty());
}

#[tokio::test]
async fn g_07_a_client_that_an_administrator_stopped_manages_nothing_any_more() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    world.server.clients().deactivate(&id.as_str().into()).await.unwrap();
    challenged(&manage(&world, Method::GET, &id, &token, "").await);
    challenged(&manage(&world, Method::PUT, &id, &token, &with(web(), "client_id", json!(id)).to_string()).await);
    world.server.clients().activate(&id.as_str().into()).await.unwrap();
    challenged(&manage(&world, Method::GET, &id, &token, "").await);
}

#[tokio::test]
async fn g_07_two_updates_with_one_token_leave_one_token() {
    let world = open().await;
    let registered = created(&register(&world, &web()).await);
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    let attempts: Vec<_> = (0..8)
        .map(|number| {
            let body = with(with(web(), "client_id", json!(id)), "client_name", json!(format!("Wall {number}")));
            let request = json_request(Method::PUT, &format!("/register/{id}"), Some(&token), body.to_string());
            let (server, barrier) = (world.server.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                ask(&server, request).await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for attempt in attempts {
        let answer = attempt.await.unwrap();
        if answer.status == StatusCode::OK { winners.push(answer.json().unwrap()) } else { challenged(&answer) }
    }
    let [winner] = &winners[..] else { panic!("{} updates with one token", winners.len()) };
    let read = manage(&world, Method::GET, &id, &text(winner, "registration_access_token"), "").await;
    assert_eq!(read.json().unwrap()["client_name"], winner["client_name"]);
    assert_eq!(world.records(Kind::REGISTRATION_TOKEN).len(), 1);
}

#[tokio::test]
async fn g_10_a_secret_that_expired_is_renewed_by_an_update() {
    let registration = DynamicRegistration::open().secret_lifetime(Duration::from_secs(DAY));
    let world = World::with(|builder| builder.registration(registration)).await;
    let registered = created(&register(&world, &web()).await);
    let ends = registered["client_secret_expires_at"].as_i64().unwrap();
    assert_eq!(ends, world.now().as_secs() + i64::try_from(DAY).unwrap());
    let id = text(&registered, "client_id");
    let try_with = |client: &Value| {
        let mut request = post("/token", &[("grant_type", "refresh_token"), ("refresh_token", "x")]);
        let header = basic(&text(client, "client_id"), &text(client, "client_secret"));
        request.headers_mut().insert("authorization", header.parse().unwrap());
        request
    };
    world.send(try_with(&registered)).await.answer().refused("invalid_grant");
    world.advance(DAY);
    world.send(try_with(&registered)).await.answer().unauthenticated(true);
    let body = with(web(), "client_id", json!(id)).to_string();
    let token = text(&registered, "registration_access_token");
    let renewed = manage(&world, Method::PUT, &id, &token, &body).await.json().unwrap();
    world.send(try_with(&renewed)).await.answer().refused("invalid_grant");
}
