//! Access tokens in a user's profile: a name, a scope from a list, shown once, and only the scope can be edited.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_user_makes_a_token_uses_it_edits_its_scope_in_force_at_once_and_deletes_it() {
    let world = World::plain(&["collection", "device", "policy"]).await;
    let (_, choices) = world.manage("alice", "GET", "/me/token-choices", None).await;
    assert_eq!(choices["scope"], "collection device policy", "what is the server's own is not among them");
    let new = |name: &str, scope: &str| Some(json!({ "name": name, "scope": scope, "lifetime": 2_592_000 }));
    let (status, made) = world.manage("alice", "POST", "/me/tokens", new("Backup", "collection device")).await;
    assert_eq!(status, 201);
    let (token, url) = (made["token"].as_str().unwrap(), format!("/me/tokens/{}", made["id"].as_str().unwrap()));
    assert_eq!(world.api_me(token, "device").await, Ok(Some("alice".into())));
    assert_eq!(world.api_me(token, "policy").await, Err(403));
    let (_, listed) = world.manage("alice", "GET", "/me/tokens", None).await;
    let shown = &listed["items"][0];
    assert_eq!((&shown["name"], &shown["scope"]), (&json!("Backup"), &json!("collection device")));
    assert_eq!(shown["expires_at"].as_i64().unwrap() - shown["created_at"].as_i64().unwrap(), 2_592_000);
    assert!(!listed.to_string().contains(token), "it cannot be viewed again");

    assert_eq!(world.manage("alice", "POST", "/me/tokens", new("Backup", "policy")).await.1["code"], "name_taken");
    assert_eq!(world.manage("bob", "POST", "/me/tokens", new("Backup", "policy")).await.0, 201, "unique for the user");
    for scope in ["", "everything", "grantor:clients:write"] {
        let (status, _) = world.manage("alice", "POST", "/me/tokens", new("Other", scope)).await;
        assert_eq!(status, 422, "{scope}");
    }
    let rename = json!({ "scope": "policy", "name": "Other" });
    assert_eq!(world.manage("alice", "PATCH", &url, Some(rename)).await.0, 422, "only the scope can be edited");
    let scope = || Some(json!({ "scope": "policy" }));
    assert_eq!(world.manage("bob", "PATCH", &url, scope()).await.0, 404);
    assert_eq!(world.manage("alice", "PATCH", &url, scope()).await.0, 200);
    assert_eq!(world.api_me(token, "policy").await, Ok(Some("alice".into())));
    assert_eq!(world.api_me(token, "device").await, Err(403));

    assert_eq!(world.manage("bob", "DELETE", &url, None).await.0, 404);
    assert!(world.api_me(token, "policy").await.is_ok());
    assert_eq!(world.manage("alice", "DELETE", &url, None).await.0, 204);
    assert_eq!(world.api_me(token, "policy").await, Err(401));
    assert_eq!(world.manage("alice", "POST", "/me/tokens", new("Backup", "policy")).await.0, 201, "its name is free");
}
