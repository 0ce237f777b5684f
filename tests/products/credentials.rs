//! API client credentials: a name and an address, an id and a secret shown once.

use serde_json::json;

use crate::world::{CALLBACK, World};

#[tokio::test]
async fn an_administrator_makes_a_client_whose_secret_is_shown_once_and_whose_deletion_ends_what_it_was_issued() {
    let world = World::plain(&["devices"]).await;
    let new = json!({
        "client_name": "Warehouse dashboard",
        "redirect_uris": [CALLBACK],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "devices",
    });
    for user in ["guest"] {
        assert_eq!(world.manage(user, "POST", "/clients", Some(new.clone())).await.0, 403, "{user}");
    }
    let (status, made) = world.manage("admin", "POST", "/clients", Some(new.clone())).await;
    assert_eq!(status, 201);
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    // The id can be copied later from the list; the secret nowhere.
    let (_, list) = world.manage("admin", "GET", "/clients?search=warehouse", None).await;
    assert_eq!(list["items"][0]["client_id"], id);
    let (_, details) = world.manage("admin", "GET", &format!("/clients/{id}"), None).await;
    let (_, secrets) = world.manage("admin", "GET", &format!("/clients/{id}/secrets"), None).await;
    for shown in [&list, &details, &secrets] {
        assert!(!shown.to_string().contains(secret));
    }

    let form = format!("grant_type=client_credentials&scope=devices&client_id={id}&client_secret={secret}");
    let (status, token) = world.token(&form).await;
    assert_eq!(status, 200);
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(world.api_me(token, "devices").await, Ok(None));
    let (status, _) = world.manage("guest", "DELETE", &format!("/clients/{id}"), None).await;
    assert_eq!(status, 403);
    assert_eq!(world.manage("admin", "DELETE", &format!("/clients/{id}"), None).await.0, 204);
    assert_eq!(world.api_me(token, "devices").await, Err(401));
    assert_eq!(world.token(&form).await.0, 401);
    let (_, list) = world.manage("admin", "GET", "/clients?search=warehouse", None).await;
    assert_eq!(list["items"], json!([]));
    let plain = json!({ "client_name": "x", "redirect_uris": ["http://app.example/cb"], "grant_types": ["authorization_code"] });
    assert_eq!(world.manage("admin", "POST", "/clients", Some(plain)).await.0, 422);
}
