//! What a host adds to the server: the example `extensions`, from the outside, and what must be refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test may fail"
)]

#[path = "../examples/extensions/host.rs"]
mod host;

use async_trait::async_trait;
use grantor::client::{AuthMethod, ClientMetadata, MetadataError};
use grantor::manage::{ManageError, Registration};
use grantor::resource::Verified;
use grantor::secret::Secret;
use grantor::store::MemoryStore;
use grantor::testing::TestServer;
use grantor::{AuthorizationServer, Claim, ClientAuthentication, ClientAuthenticationRequest, ConfigError};
use http::Request;
use serde_json::{Value, json};

const API: (&str, &str) = ("authorization", "Basic YXBpOmFwaS1zZWNyZXQtb2YtYS10ZXN0LXNlcnZlcg==");
const CERTIFICATE: (&str, &str) = (host::HEADER, "4f1c");

fn batch() -> Registration {
    Registration {
        client_id: Some("batch".into()),
        ..ClientMetadata {
            token_endpoint_auth_method: AuthMethod::Extension(host::BY_CERTIFICATE),
            grant_types: vec![host::TICKET.into(), "client_credentials".into()],
            response_types: Vec::new(),
            scope: "read write".parse().unwrap(),
            ..ClientMetadata::default()
        }
        .into()
    }
}

async fn server() -> TestServer {
    let server = TestServer::builder().configure(host::extend).in_process();
    let made = server.register(batch()).await;
    assert_eq!(made.client_secret, None, "a client of a host's method has no secret");
    server
}

async fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut request = Request::post(server.url(path)).header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = server.send(request.body(body.to_owned()).unwrap()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap_or_default())
}

#[tokio::test]
async fn a_client_authenticates_by_the_hosts_method_at_every_endpoint() {
    let server = server().await;
    let (status, own) = post(&server, "/token", &[CERTIFICATE], "grant_type=client_credentials").await;
    assert_eq!(status, 200, "{own}");
    let token = own["access_token"].as_str().unwrap();
    let asked = format!("token={token}&client_id=batch");
    let (_, told) = post(&server, "/introspect", &[CERTIFICATE], &asked).await;
    assert_eq!((told["active"].as_bool(), told["client_id"].as_str()), (Some(true), Some("batch")));
    assert_eq!(post(&server, "/revoke", &[CERTIFICATE], &format!("token={token}")).await.0, 200);
    let (_, told) = post(&server, "/introspect", &[CERTIFICATE], &asked).await;
    assert_eq!(told, json!({ "active": false }));

    let metadata = Request::get(server.url("/.well-known/oauth-authorization-server")).body(String::new()).unwrap();
    let metadata: Value = serde_json::from_str(server.send(metadata).await.unwrap().body()).unwrap();
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        assert!(methods.contains(&json!(host::BY_CERTIFICATE)), "{methods:?}");
    }
}

#[tokio::test]
async fn a_client_authenticates_by_the_one_method_that_it_registered_and_by_one_at_a_time() {
    let server = server().await;
    let basic = ("authorization", "Basic YXBwOmFwcC1zZWNyZXQtb2YtYS10ZXN0LXNlcnZlcg==");
    let credentials = "grant_type=client_credentials";
    for (headers, body, status, error) in [
        (vec![(host::HEADER, "beef")], credentials, 401, "invalid_client"),
        (vec![CERTIFICATE, CERTIFICATE], credentials, 401, "invalid_client"),
        (vec![], "grant_type=client_credentials&client_id=batch", 401, "invalid_client"),
        (vec![], "grant_type=client_credentials&client_id=batch&client_secret=x", 401, "invalid_client"),
        (vec![CERTIFICATE, basic], credentials, 400, "invalid_request"),
        (vec![CERTIFICATE], "grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
        (vec![CERTIFICATE], "grant_type=client_credentials&client_id=app", 400, "invalid_request"),
    ] {
        let (got, answer) = post(&server, "/token", &headers, body).await;
        assert_eq!((got, answer["error"].as_str()), (status, Some(error)), "{headers:?} {body}");
    }
    assert_eq!(post(&server, "/token", &[basic], credentials).await.0, 200, "others go on as before");

    server.oauth().clients().deactivate(&"batch".into()).await.unwrap();
    assert_eq!(post(&server, "/token", &[CERTIFICATE], credentials).await.0, 401);
}

#[tokio::test]
async fn a_client_of_another_method_is_not_authenticated_by_the_hosts() {
    /// Says of everybody that they are the client `app`, which has a secret.
    struct Everybody;

    #[async_trait]
    impl ClientAuthentication for Everybody {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Proven("app".into())
        }
    }

    let server = TestServer::builder().configure(|it| it.client_authentication("anything", Everybody)).in_process();
    let (status, answer) = post(&server, "/token", &[], "grant_type=client_credentials").await;
    assert_eq!((status, answer["error"].as_str()), (401, Some("invalid_client")));
}

#[tokio::test]
async fn a_method_that_cannot_tell_is_no_refusal() {
    struct Away;

    #[async_trait]
    impl ClientAuthentication for Away {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Unavailable
        }
    }

    let server = TestServer::builder().configure(|it| it.client_authentication("away", Away)).in_process();
    let (status, answer) = post(&server, "/token", &[], "grant_type=client_credentials").await;
    assert_eq!((status, answer["error"].as_str()), (503, Some("temporarily_unavailable")));
}

#[tokio::test]
async fn a_client_of_the_hosts_method_can_be_given_no_secret() {
    let server = server().await;
    let clients = server.oauth().clients();
    let added = clients.add_secret(&"batch".into(), "", grantor::clock::Timestamp::NEVER).await;
    assert_eq!(added.unwrap_err(), ManageError::PublicClient);
    let chosen = Registration {
        client_id: Some("other".into()),
        client_secret: Some(Secret::new("a-secret-of-sixteen")),
        ..batch()
    };
    assert_eq!(clients.register(chosen).await.unwrap_err(), ManageError::PublicClient);
}

#[tokio::test]
async fn a_server_without_the_method_registers_nobody_for_it() {
    let with = server().await;
    let listed = with.oauth().clients().get(&"batch".into()).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(listed.metadata()).unwrap()["token_endpoint_auth_method"], host::BY_CERTIFICATE);
    let without = TestServer::in_process();
    let mut registration = batch();
    registration.metadata.grant_types = vec!["client_credentials".into()];
    let refused = without.oauth().clients().register(registration).await.unwrap_err();
    assert_eq!(refused, ManageError::Metadata(MetadataError::AuthMethod));
    let unknown = serde_json::from_value::<ClientMetadata>(json!({ "token_endpoint_auth_method": "nobody_has_this" }));
    assert!(unknown.unwrap_err().to_string().contains("nobody_has_this"));
}

#[tokio::test]
async fn a_ticket_is_changed_for_a_token_and_the_answers_say_what_the_host_adds() {
    let server = server().await;
    let body = format!("grant_type={}&ticket=front-row", host::TICKET);
    let (status, answer) = post(&server, "/token", &[CERTIFICATE], &body).await;
    assert_eq!((status, answer["scope"].as_str()), (200, Some("read write")), "{answer}");
    assert_eq!(answer["api_url"], "https://batch.api.example");
    let (_, told) =
        post(&server, "/introspect", &[API], &format!("token={}", answer["access_token"].as_str().unwrap())).await;
    assert_eq!((told["sub"].as_str(), told["tenant"].as_str()), (Some("alice"), Some("acme")));

    let stranger = server.mint("bob").access().await;
    let (_, told) = post(&server, "/introspect", &[API], &format!("token={stranger}")).await;
    assert!(told["active"] == true && told.get("tenant").is_none(), "what is not known is left out: {told}");
    let (_, dead) = post(&server, "/introspect", &[API], "token=gat_nothing").await;
    assert_eq!(dead, json!({ "active": false }), "nothing is told of a token that does not count");
    let refused = post(&server, "/token", &[CERTIFICATE], &format!("grant_type={}&ticket=forged", host::TICKET)).await;
    assert_eq!((refused.0, refused.1["error"].as_str()), (400, Some("invalid_grant")));
}

#[test]
fn what_would_take_the_place_of_the_servers_own_is_refused_when_it_is_built() {
    struct Nobody;

    #[async_trait]
    impl ClientAuthentication for Nobody {
        async fn authenticate(&self, _: ClientAuthenticationRequest<'_>) -> Claim {
            Claim::Absent
        }
    }

    let builder = || AuthorizationServer::builder("https://auth.example").store(MemoryStore::new());
    let nothing = |_: &Verified| None;
    for name in ["access_token", "token_type", "expires_in", "scope", "id_token", "error", ""] {
        let built = builder().token_member(name, nothing).build();
        assert_eq!(built.unwrap_err(), ConfigError::Member(name.into()));
    }
    for name in ["active", "sub", "scope", "exp", "aud", "client_id", "cnf", ""] {
        let built = builder().introspection_member(name, nothing).build();
        assert_eq!(built.unwrap_err(), ConfigError::Member(name.into()));
    }
    let twice = builder().introspection_member("tenant", nothing).introspection_member("tenant", nothing).build();
    assert_eq!(twice.unwrap_err(), ConfigError::Member("tenant".into()));
    for name in ["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "", "a b"] {
        let built = builder().client_authentication(name, Nobody).build();
        assert_eq!(built.unwrap_err(), ConfigError::ClientAuthentication(name));
    }
    let twice = builder().client_authentication("mine", Nobody).client_authentication("mine", Nobody).build();
    assert_eq!(twice.unwrap_err(), ConfigError::ClientAuthentication("mine"));
}
