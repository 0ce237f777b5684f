//! Who may do what.

use std::collections::BTreeSet;

use async_trait::async_trait;
use grantor::access::{Access, Action, Actor};
use http::request::Parts;
use serde_json::{Value, json};

use crate::world::{ALL, BASE, World, body};

/// Administrators may do everything, others what is their own, and restricted ones make no tokens.
struct House;

#[async_trait]
impl Access for House {
    async fn actor(&self, _: &Parts) -> Option<Actor> {
        None
    }

    async fn may(&self, actor: &Actor, action: Action<'_>) -> bool {
        match actor.subject.as_str() {
            "root" => true,
            "restricted" => matches!(action, Action::OwnGrants | Action::OwnTokens),
            _ => matches!(action, Action::OwnGrants | Action::OwnTokens | Action::CreateOwnToken),
        }
    }
}

/// Every operation but the document and what ends everything, with a body it would take.
fn operations(world: &World) -> Vec<(String, String, Option<Value>, String)> {
    let mut found = Vec::new();
    for (path, described) in world.document["paths"].as_object().unwrap() {
        for (method, operation) in described.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            let Some(scope) = operation["security"][0]["oauth2"][0].as_str() else { continue };
            let url = path.replace("{client_id}", "nobody").replace("{subject}", "alice").replace("{grant_id}", "g");
            let body = operation.get("requestBody").map(|_| json!({}));
            found.push((method.to_uppercase(), url.replace("{secret_id}", "1"), body, scope.to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn each_operation_needs_the_scope_it_names_and_another_is_not_enough() {
    let world = World::new().await;
    let scopes: BTreeSet<&str> = ALL.split(' ').collect();
    for (method, url, body, scope) in operations(&world) {
        let others: Vec<&str> = scopes.iter().copied().filter(|other| *other != scope).collect();
        let lacking = world.own_token(&world.root, &others.join(" ")).await;
        let refused = world.call(&lacking, &method, &url, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (403, "insufficient_scope"), "{method} {url}");
        assert!(refused.header("www-authenticate").contains(&format!("scope=\"{scope}\"")));
        let enough = world.own_token(&world.root, &scope).await;
        let answered = world.call(&enough, &method, &url, body).await;
        assert_ne!(answered.json["code"], "insufficient_scope", "{method} {url}");
        assert_ne!(answered.status, 401);
    }
    for token in ["", "gat_x", "gat_AAAA", "gcs_secret"] {
        assert_eq!(world.call(token, "GET", "/clients", None).await.status, 401, "{token}");
    }
    let in_query = world.call("", "GET", "/clients?access_token=x", None).await;
    assert_eq!((in_query.status, in_query.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn a_token_that_speaks_for_a_user_does_what_the_host_lets_that_user_do() {
    let world = World::whose_access(House).await;
    let web = world.register("Web", "read write").await;
    world.user_token(&web, "alice", "read", "").await;
    let (root, alice) =
        (world.user_token(&world.root, "root", ALL, "").await, world.user_token(&world.root, "alice", ALL, "").await);
    let restricted = world.user_token(&world.root, "restricted", ALL, "").await;
    for (method, path) in [
        ("GET", "/clients"),
        ("GET", "/subjects/alice/grants"),
        ("POST", "/subjects/bob/revoke"),
        ("DELETE", "/grants/g"),
        ("GET", "/clients/x"),
    ] {
        assert_eq!(world.call(&alice, method, path, None).await.code(), "forbidden", "{method} {path}");
        let administrators = world.call(&root, method, path, None).await;
        assert_ne!(administrators.status, 403, "{method} {path}");
    }
    let everything = world.call(&alice, "POST", "/revoke-everything", Some(json!({}))).await;
    assert_eq!(everything.status, 403);
    assert_eq!(world.call(&alice, "POST", "/clients", Some(body("Mine", "read"))).await.status, 403);
    let new = json!({ "name": "Backup", "scope": "read", "lifetime": 3600 });
    assert_eq!(world.call(&alice, "POST", "/me/tokens", Some(new.clone())).await.status, 201);
    assert_eq!(world.call(&restricted, "POST", "/me/tokens", Some(new)).await.status, 403);
    assert_eq!(world.call(&restricted, "GET", "/me/tokens", None).await.status, 200);
    assert_eq!(world.call(&root, "POST", "/clients", Some(body("Its", "read"))).await.status, 201);
}

#[tokio::test]
async fn without_a_word_of_the_host_a_user_has_what_is_their_own_alone() {
    let world = World::new().await;
    let alice = world.user_token(&world.root, "alice", ALL, "").await;
    for (method, url, body, _) in operations(&world) {
        let answer = world.call(&alice, &method, &url, body).await;
        assert_eq!(answer.json["code"] == "forbidden", !url.starts_with("/me/"), "{method} {url}: {}", answer.json);
    }
    // And a client on its own has nothing of its own.
    let client = world.root_token().await;
    for (method, url, body, _) in operations(&world).into_iter().filter(|(_, url, ..)| url.starts_with("/me/")) {
        assert_eq!(world.call(&client, &method, &url, body).await.code(), "forbidden", "{method} {url}");
    }
}

#[tokio::test]
async fn nobody_becomes_more_by_making_or_changing_a_client() {
    let world = World::new().await;
    let editor = world.register("Editor", "grantor:clients:read grantor:clients:write").await;
    let token = world.own_token(&editor, "grantor:clients:read grantor:clients:write").await;
    let strong = body("Strong", "read grantor:grants:write");
    assert_eq!(world.call(&token, "POST", "/clients", Some(strong.clone())).await.status, 403);
    let root = format!("{BASE}/clients/{}", world.root.client.id());
    let before = world.store.snapshot();
    for (method, path, body) in [
        ("POST", "/secrets", Some(json!({}))),
        ("DELETE", "/secrets/1", None),
        ("DELETE", "", None),
        ("POST", "/deactivate", None),
        ("PUT", "", Some(body("Weak", "read"))),
    ] {
        let url = format!("{root}{path}");
        let refused = world.call_with(&token, method, &url, body, &[("if-match", "*")]).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"), "{method} {path}");
    }
    assert_eq!(world.store.snapshot(), before);
    // What it may have itself, it may give; and what is weaker, it may change, but not make stronger.
    let equal = world.call(&token, "POST", "/clients", Some(body("Equal", "grantor:clients:read"))).await;
    assert_eq!(equal.status, 201);
    let url = format!("{BASE}/clients/{}", equal.json["client_id"].as_str().unwrap());
    assert_eq!(world.call_with(&token, "PUT", &url, Some(strong), &[("if-match", "*")]).await.status, 403);
}

#[tokio::test]
async fn a_token_addressed_to_another_resource_is_not_for_the_api() {
    let world = World::new().await;
    let elsewhere = "&resource=https%3A%2F%2Fother.example";
    let here = "&resource=https%3A%2F%2Fauth.example.com%2Ftenant%2Fmanage%2Fv1";
    let other = world.user_token(&world.root, "alice", ALL, elsewhere).await;
    assert_eq!(world.call(&other, "GET", "/me/apps", None).await.code(), "other_resource");
    let own = world.user_token(&world.root, "alice", ALL, here).await;
    assert_eq!(world.call(&own, "GET", "/me/apps", None).await.status, 200);
}
