//! Clients over HTTP.

use serde_json::{Value, json};

use crate::world::{BASE, World, body};

#[tokio::test]
async fn a_client_is_made_read_changed_rested_and_deleted() {
    let world = World::new().await;
    let token = world.root_token().await;
    let made = world.call(&token, "POST", "/clients", Some(body("Camera Wall", "read write"))).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let (id, secret) = (made.json["client_id"].as_str().unwrap(), made.json["client_secret"].as_str().unwrap());
    let url = format!("{BASE}/clients/{id}");
    assert_eq!(made.header("location"), url);
    let grant = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = || {
        let request = http::Request::post("/tenant/token").header("content-type", "application/x-www-form-urlencoded");
        request.body(grant.clone()).unwrap()
    };
    assert_eq!(world.send(request()).await.status(), 200);

    let read = world.call(&token, "GET", &url, None).await;
    assert_eq!((read.status, read.header("etag")), (200, made.header("etag")));
    assert!(read.json.get("client_secret").is_none());
    let usage = world.call(&token, "GET", &format!("{url}/usage"), None).await;
    assert_eq!((&usage.json["live_grants"], &usage.json["last_used_at"]), (&json!(0), &json!(1_767_225_600)));
    assert_eq!((&usage.json["tokens_issued"], &usage.json["requests_refused"]), (&json!(1), &json!(0)));
    let today = json!({ "day": 1_767_225_600, "issued": 1, "refused": 0 });
    assert_eq!((usage.json["days"].as_array().unwrap().len(), &usage.json["days"][29]), (30, &today));
    let activity = world.call(&token, "GET", "/activity", None).await;
    let busy = activity.json["busiest"].as_array().unwrap();
    let busy = json!(busy.iter().find(|busy| busy["client_id"] == id).unwrap());
    assert_eq!(busy, json!({ "client_id": id, "client_name": "Camera Wall", "issued": 1, "refused": 0 }));

    let changed = body("Camera Hall", "read");
    let put =
        async |headers: &[(&str, &str)]| world.call_with(&token, "PUT", &url, Some(changed.clone()), headers).await;
    assert_eq!((put(&[]).await.status, put(&[("if-match", "\"999\"")]).await.status), (428, 412));
    assert_eq!(put(&[("if-match", "W/\"1\"")]).await.code(), "changed");
    let done = put(&[("if-match", read.header("etag"))]).await;
    assert_eq!((done.status, &done.json["metadata"]["client_name"]), (200, &json!("Camera Hall")));
    assert_eq!((&done.json["client_secret"], done.header("etag")), (&Value::Null, "\"2\""));
    assert_eq!(put(&[("if-match", read.header("etag"))]).await.status, 412, "it is another by now");
    assert_eq!(put(&[("if-match", "*")]).await.status, 200);

    let rested = world.call(&token, "POST", &format!("{url}/deactivate"), None).await;
    assert_eq!((rested.status, &rested.json["state"]), (200, &json!("inactive")));
    assert_eq!(world.send(request()).await.status(), 401);
    let woken = world.call(&token, "POST", &format!("{url}/activate"), None).await;
    assert_eq!(woken.json["state"], "active");
    assert_eq!(world.send(request()).await.status(), 200);

    assert_eq!(world.call(&token, "DELETE", &url, None).await.status, 204);
    assert_eq!(world.call(&token, "DELETE", &url, None).await.status, 404);
    assert_eq!(world.call(&token, "GET", &url, None).await.status, 404);
    assert_eq!(world.send(request()).await.status(), 401);
}

#[tokio::test]
async fn secrets_are_added_with_an_overlap_listed_and_ended() {
    let world = World::new().await;
    let token = world.root_token().await;
    let made = world.call(&token, "POST", "/clients", Some(body("Web", "read"))).await;
    let url = format!("{BASE}/clients/{}/secrets", made.json["client_id"].as_str().unwrap());
    let new = json!({ "label": "second", "expires_at": 1_800_000_000, "others_end_after": 3600 });
    let added = world.call(&token, "POST", &url, Some(new)).await;
    assert_eq!((added.status, added.header("location")), (201, format!("{url}/2").as_str()));
    assert!(added.json["client_secret"].as_str().unwrap().starts_with("gcs_"));
    let listed = world.call(&token, "GET", &url, None).await;
    let ends: Vec<&Value> =
        listed.json["items"].as_array().unwrap().iter().map(|secret| &secret["expires_at"]).collect();
    assert_eq!(ends, [&json!(1_767_225_600 + 3600), &json!(1_800_000_000)]);
    assert_eq!(world.call(&token, "DELETE", &format!("{url}/1"), None).await.status, 204);
    for missing in ["9", "x", "-1"] {
        assert_eq!(world.call(&token, "DELETE", &format!("{url}/{missing}"), None).await.status, 404);
    }
    let label = json!({ "label": "x".repeat(201) });
    assert_eq!(world.call(&token, "POST", &url, Some(label)).await.code(), "label");
}

#[tokio::test]
async fn a_list_is_searched_sorted_and_walked_through_by_its_links() {
    let world = World::new().await;
    let token = world.root_token().await;
    for number in 0..7 {
        let name = format!("Client & {}", (number * 3) % 7);
        assert_eq!(world.call(&token, "POST", "/clients", Some(body(&name, "read"))).await.status, 201);
    }
    let (mut url, mut seen) = (format!("{BASE}/clients?search=client%20%26&order=name&limit=3"), Vec::new());
    loop {
        let page = world.call(&token, "GET", &url, None).await;
        assert_eq!(page.status, 200, "{}", page.json);
        for client in page.json["items"].as_array().unwrap() {
            seen.push(client["metadata"]["client_name"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.json["next"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
        url = next.to_owned();
    }
    assert_eq!(seen, (0..7).map(|number| format!("Client & {number}")).collect::<Vec<_>>());
    for (query, found) in [("state=inactive", 0), ("state=active", 8), ("auth_method=none", 0), ("search=ROOT", 1)] {
        let page = world.call(&token, "GET", &format!("/clients?{query}"), None).await;
        assert_eq!(page.json["items"].as_array().unwrap().len(), found, "{query}");
    }
    for wrong in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "order=up",
        "state=odd",
        "serach=x",
        "limit=1&limit=2",
        "a=%zz",
    ] {
        let page = world.call(&token, "GET", &format!("/clients?{wrong}"), None).await;
        assert_eq!((page.status, page.code()), (400, "invalid_request"), "{wrong}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_registered_is_refused_by_name_and_registers_nothing() {
    let world = World::new().await;
    let token = world.root_token().await;
    let with = |name: &str, value: Value| {
        let mut body = body("Web", "read");
        body[name] = value;
        body
    };
    let before = world.store.snapshot();
    for (body, code) in [
        (with("redirect_uris", json!(["http://app.example/cb"])), "metadata"),
        (with("token_endpoint_auth_method", json!("none")), "metadata"),
        (with("token_endpoint_auth_method", json!("magic")), "body"),
        (with("scope", json!("fly")), "metadata"),
        (with("require_pkce", json!("yes")), "body"),
        (with("client_id", json!("mine")), "body"),
        (json!([]), "body"),
    ] {
        let refused = world.call(&token, "POST", "/clients", Some(body)).await;
        assert_eq!((refused.status, refused.code()), (422, code), "{}", refused.json);
    }
    let authorization = format!("Bearer {token}");
    let raw = |kind: &str, body: &str| {
        let request = http::Request::post("/tenant/manage/v1/clients").header("authorization", &authorization);
        request.header("content-type", kind).body(body.to_owned()).unwrap()
    };
    assert_eq!(world.send(raw("application/json", "{")).await.status(), 400);
    assert_eq!(world.send(raw("application/json; charset=utf-8", "")).await.status(), 400);
    assert_eq!(world.send(raw("text/plain", "{}")).await.status(), 415);
    assert_eq!(world.send(raw("application/json", &" ".repeat(70_000))).await.status(), 413);
    assert_eq!(world.store.snapshot(), before);
}
