//! The document and the routes are one.

use serde_json::json;

use crate::world::{BASE, World};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

#[tokio::test]
async fn every_operation_in_the_document_is_there_and_no_other() {
    let world = World::new().await;
    let paths = world.document["paths"].as_object().unwrap().clone();
    assert!(paths.len() > 20);
    let mut names = std::collections::BTreeSet::new();
    for (path, described) in &paths {
        let url = path.replace("{client_id}", "c").replace("{subject}", "s").replace("{grant_id}", "g");
        let url = url.replace("{secret_id}", "1").replace("{token_id}", "t");
        for method in METHODS {
            let answer = world.call("", method, &url, None).await;
            match &described[method.to_lowercase()] {
                serde_json::Value::Null => {
                    assert_eq!(answer.status, 405, "{method} {path}");
                    let allowed: Vec<&str> = answer.header("allow").split(", ").collect();
                    assert!(!allowed.contains(&method) && !allowed.is_empty());
                }
                operation => {
                    assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
                    let public = operation["security"].as_array().unwrap().is_empty();
                    assert_eq!(answer.status, if public { 200 } else { 401 }, "{method} {path}");
                    assert_eq!(answer.header("www-authenticate").is_empty(), public);
                }
            }
        }
    }
    for path in ["", "/", "/clients/", "/client", "/clients/a/b", "/me", "//clients", "/me/tokens/a/b", "/%63lients"] {
        assert_eq!(world.call("", "GET", path, None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_document_says_where_it_is_served_and_what_a_client_may_be() {
    let world = World::new().await;
    let document = &world.document;
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!(BASE)));
    let flows = &document["components"]["securitySchemes"]["oauth2"]["flows"];
    assert_eq!(flows["clientCredentials"]["tokenUrl"], "https://auth.example.com/tenant/token");
    let named: Vec<&str> =
        flows["authorizationCode"]["scopes"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values().filter(|it| it.is_object()) {
            for scope in
                operation["security"].as_array().unwrap().iter().flat_map(|it| it["oauth2"].as_array().unwrap())
            {
                assert!(named.contains(&scope.as_str().unwrap()));
            }
        }
    }
    let properties = &document["components"]["schemas"]["ClientMetadata"]["properties"];
    assert_eq!(properties["redirect_uris"]["type"], "array");
    assert_eq!(properties["require_pkce"]["type"], "boolean");
    // Nothing points to what is not there.
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    let metadata = http::Request::get("/.well-known/oauth-authorization-server/tenant").body(String::new()).unwrap();
    assert!(world.send(metadata).await.body().contains("grantor:clients:read"));
}
