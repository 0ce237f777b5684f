//! The management API, as a program outside uses it.

use serde_json::{Value, json};

use crate::http::{Answer, exchange};
use crate::process::Example;

const FILE: &str = r#"
issuer = "http://127.0.0.1:8080"
store = "memory:"
scopes = [{ name = "read", default = true }]

[management]
enabled = true

[[clients]]
client_id = "automation"
client_secret = "automation-secret-automation-secret"
grant_types = ["client_credentials"]
scope = "grantor:clients:read grantor:clients:write"
"#;

struct Api {
    server: Example,
    token: String,
}

impl Api {
    fn start() -> Self {
        let server = Example::configured(FILE);
        let basic = "Basic YXV0b21hdGlvbjphdXRvbWF0aW9uLXNlY3JldC1hdXRvbWF0aW9uLXNlY3JldA==";
        let headers = [("authorization", basic), ("content-type", "application/x-www-form-urlencoded")];
        let form = "grant_type=client_credentials&scope=grantor:clients:read+grantor:clients:write";
        let answer = exchange(&server.address, "POST", "/token", &headers, form).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = format!("Bearer {}", answer.json()["access_token"].as_str().unwrap());
        Self { server, token }
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("authorization", self.token.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        exchange(&self.server.address, method, &format!("/manage/v1{path}"), &all, body).unwrap()
    }
}

#[test]
fn a_client_is_created_once_edited_by_one_at_a_time_and_listed_in_pages() {
    let api = Api::start();
    let body = json!({ "client_name": "Reports", "redirect_uris": ["https://reports.example/cb"] }).to_string();
    let key = [("idempotency-key", "5f0c7a4e")];
    let made = api.call("POST", "/clients", &key, &body);
    assert_eq!(made.status, 201, "{made:?}");
    let again = api.call("POST", "/clients", &key, &body);
    assert_eq!((again.status, again.json()), (201, made.json()), "sent again, it is the same client and secret");
    let other = api.call("POST", "/clients", &key, &body.replace("Reports", "Others"));
    assert_eq!((other.status, other.header("content-type")), (422, "application/problem+json"), "{other:?}");

    let id = made.json()["client_id"].as_str().unwrap().to_owned();
    let path = format!("/clients/{id}");
    let read = api.call("GET", &path, &[], "");
    let tag = read.header("etag").to_owned();
    let renamed = body.replace("Reports", "Reports 2");
    assert_eq!(api.call("PUT", &path, &[], &renamed).status, 428);
    let edited = api.call("PUT", &path, &[("if-match", &tag)], &renamed);
    assert_eq!(
        (edited.status, &edited.json()["metadata"]["client_name"]),
        (200, &Value::from("Reports 2")),
        "{edited:?}"
    );
    assert_eq!(api.call("PUT", &path, &[("if-match", &tag)], &body).status, 412);

    let first = api.call("GET", "/clients?limit=1", &[], "");
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains(&format!("<{next}>; rel=\"next\"")), "{first:?}");
    let second = api.call("GET", next.strip_prefix("http://127.0.0.1:8080/manage/v1").unwrap(), &[], "").json();
    let ids = [&first.json()["items"][0]["client_id"], &second["items"][0]["client_id"]].map(Value::to_string);
    assert_ne!(ids[0], ids[1]);
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null), "there are two");
}

#[test]
fn without_a_word_about_it_there_is_no_such_api() {
    let server = Example::configured("issuer = \"http://127.0.0.1:8080\"\nstore = \"memory:\"\n");
    assert_eq!(exchange(&server.address, "GET", "/manage/v1/clients", &[], "").unwrap().status, 404);
}
