//! Authorization server metadata (ids M).

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::refusal::ExtensionRefusal;
use grantor::store::MemoryStore;
use grantor::{Approval, AuthorizationServer, ExtensionGrant, ExtensionRequest, Issue, Outcome};
use http::{Method, Request, StatusCode};

use crate::harness::*;

const WELL_KNOWN: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
const CUSTOM: &str = "urn:example:grant";

fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).unwrap()
}

async fn document(world: &World) -> serde_json::Value {
    let answer = world.send(get(WELL_KNOWN[0])).await.answer();
    assert_eq!(answer.status, StatusCode::OK);
    answer.json().unwrap()
}

/// The texts of a list in the document.
fn list<'d>(document: &'d serde_json::Value, name: &str) -> BTreeSet<&'d str> {
    let items = document[name].as_array().unwrap_or_else(|| panic!("no {name}"));
    let texts: BTreeSet<_> = items.iter().map(|item| item.as_str().unwrap()).collect();
    assert_eq!(texts.len(), items.len(), "{name} names something twice");
    texts
}

fn set<'t>(texts: &[&'t str]) -> BTreeSet<&'t str> {
    texts.iter().copied().collect()
}

/// A grant type of the host that grants nothing.
struct Nothing;

#[async_trait]
impl ExtensionGrant for Nothing {
    async fn decide(&self, _request: ExtensionRequest<'_>) -> Result<Issue, ExtensionRefusal> {
        Err(ExtensionRefusal::InvalidGrant)
    }
}

#[tokio::test]
async fn m_01_what_is_advertised_is_what_is_enforced() {
    let world = World::with(|builder| builder.grant_type(CUSTOM, Nothing)).await;
    let document = document(&world).await;
    let every_scope = ClientMetadata { scope: "read write admin profile".parse().unwrap(), ..metadata(WEB) };
    let all =
        Known { id: "all", secret: Some("all-secret-all-secret-all-secret"), method: AuthMethod::ClientSecretBasic };
    world.register(all, every_scope).await;
    // What is said beyond this list must be checked here too.
    let members = [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_methods_supported",
        "code_challenge_methods_supported",
        "authorization_response_iss_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ];
    let named: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, set(&members));

    let valid = world.valid_request(all);
    for (member, name, others) in [
        ("response_types_supported", "response_type", &["code", "token", "id_token", "code id_token", "none"][..]),
        ("response_modes_supported", "response_mode", &["query", "form_post", "fragment", "query.jwt", "jwt"][..]),
        ("code_challenge_methods_supported", "code_challenge_method", &["S256", "plain", "S512"][..]),
        ("scopes_supported", "scope", &["read", "write", "admin", "profile", "openid", "offline_access", "email"][..]),
    ] {
        let advertised = list(&document, member);
        assert!(!advertised.is_empty() && advertised.is_subset(&set(others)), "{member}");
        for value in others {
            let sent = world.authorize(&changed(&valid, &[(name, *value)])).await;
            assert_eq!(matches!(sent, Sent::Pending(_)), advertised.contains(value), "{name}={value}");
        }
    }
    let grant_types = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        CUSTOM,
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:openid:params:grant-type:ciba",
    ];
    let advertised = list(&document, "grant_types_supported");
    assert!(advertised.is_subset(&set(&grant_types)));
    for grant_type in grant_types {
        let parameters = [("grant_type", grant_type), ("code", "x"), ("refresh_token", "x"), ("scope", "read")];
        let answer = world.token(WEB, &parameters).await;
        let served = answer.json().unwrap()["error"] != "unsupported_grant_type";
        assert_eq!(served, advertised.contains(grant_type), "{grant_type}");
        let metadata =
            ClientMetadata { grant_types: vec![grant_type.into(), "authorization_code".into()], ..metadata(WEB) };
        let registered = world.server.clients().register(metadata).await.is_ok();
        assert_eq!(registered, advertised.contains(grant_type), "{grant_type}");
    }
    let flag = |name: &str| document[name].as_bool().unwrap();
    for (name, parameter) in
        [("request_parameter_supported", "request"), ("request_uri_parameter_supported", "request_uri")]
    {
        let sent = world.authorize(&changed(&valid, &[(parameter, "https://app.example/r")])).await;
        assert_eq!(matches!(sent, Sent::Pending(_)), flag(name));
    }
    let denied = world.server.deny(*world.authorize(&valid).await.pending(), None).await.unwrap();
    let has_iss = Answer::of(denied).redirect().unwrap().parameters.contains_key("iss");
    assert_eq!(has_iss, flag("authorization_response_iss_parameter_supported"));
}

#[tokio::test]
async fn m_01_the_authentication_methods_are_those_that_each_endpoint_accepts() {
    let world = World::new().await;
    let document = document(&world).await;
    let clients = [("client_secret_basic", WEB), ("client_secret_post", POSTER), ("none", CLI)];
    for (member, path) in [
        ("token_endpoint_auth_methods_supported", "/token"),
        ("revocation_endpoint_auth_methods_supported", "/revoke"),
        ("introspection_endpoint_auth_methods_supported", "/introspect"),
    ] {
        let advertised = list(&document, member);
        assert!(advertised.is_subset(&clients.iter().map(|(name, _)| *name).collect()), "{member}");
        for (name, client) in clients {
            assert_eq!(client.method.as_str(), name);
            let parameters = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("token", "x")];
            let answer = world.post_as(client, path, &parameters).await;
            let accepted = answer.status != StatusCode::UNAUTHORIZED;
            assert_eq!(accepted, advertised.contains(name), "{name} at {path}: {}", answer.body);
        }
        // The methods that need an assertion are not there, so they are not accepted.
        let assertion = [
            ("client_id", WEB.id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", "eyJhbGciOiJub25lIn0.e30."),
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("token", "x"),
        ];
        world.send(post(path, &assertion)).await.answer().unauthenticated(false);
    }
}

#[tokio::test]
async fn m_01_the_issuer_is_the_same_bytes_everywhere() {
    let issuers = [
        ISSUER,
        "https://auth.example.com/",
        "https://auth.example.com/tenant",
        "https://auth.example.com/tenant/",
        "https://auth.example.com:8443/a/b",
        "http://localhost:3000",
        "http://127.0.0.1:3000/tenant/",
        "http://[::1]:1",
    ];
    for issuer in issuers {
        let world = World::at(issuer, |builder| builder).await;
        let below = path_of(issuer);
        assert_eq!(world.server.issuer(), issuer);
        let known = format!("/.well-known/oauth-authorization-server{below}");
        assert_eq!(world.send(get(&known)).await.answer().field("issuer"), issuer);
        // In an error and in a success of the authorization endpoint.
        let authorize = |parameters: &[(&str, &str)]| get(&format!("{below}/authorize?{}", encode(parameters)));
        let valid = world.valid_request(WEB);
        let wrong = world.send(authorize(&changed(&valid, &[("scope", "unknown")]))).await.answer();
        assert_eq!(wrong.redirect().unwrap().parameters["iss"], issuer);
        let pending = world.send(authorize(&valid)).await.pending();
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let parameters = Answer::of(response).redirect().unwrap().parameters;
        assert_eq!(parameters["iss"], issuer);
        // In what introspection tells of a token, and in a challenge.
        let exchange =
            [("grant_type", "authorization_code"), ("code", &parameters["code"]), ("code_verifier", VERIFIER)];
        let (access, refresh) = world.post_as(WEB, &format!("{below}/token"), &exchange).await.tokens();
        for token in [access, refresh] {
            let told = world.post_as(WEB, &format!("{below}/introspect"), &[("token", &token)]).await;
            assert_eq!(told.field("iss"), issuer);
        }
        let mut request = post(&format!("{below}/token"), &exchange);
        request.headers_mut().insert("authorization", basic("web", "wrong").parse().unwrap());
        let answer = world.send(request).await.answer();
        assert_eq!(answer.header("www-authenticate"), Some(format!("Basic realm=\"{issuer}\"").as_str()));
    }
}

/// The path of an issuer without its last slash.
fn path_of(issuer: &str) -> &str {
    let after_scheme = issuer.split_once("://").unwrap().1;
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.strip_suffix('/').unwrap_or(path)
}

#[tokio::test]
async fn m_02_both_well_known_forms_answer() {
    let world = World::new().await;
    let mut documents = Vec::new();
    for path in WELL_KNOWN {
        let answer = world.send(get(path)).await.answer();
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        // Public, and the same for everybody: it may be kept a while.
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert!(!answer.headers.contains_key("set-cookie"));
        let asked = world.send(get(&format!("{path}?client_id=web&x=%00"))).await.answer();
        answer.same_as(&asked);
        let head = world.send(with_method(get(path), Method::HEAD)).await.answer();
        assert_eq!((head.status, &head.headers, head.body.as_str()), (answer.status, &answer.headers, ""));
        documents.push(answer.body);
    }
    assert_eq!(documents[0], documents[1]);
    assert!(world.take_events().is_empty());
}

#[tokio::test]
async fn m_02_an_issuer_with_a_path_or_slash_is_found() {
    for issuer in ["https://auth.example.com/", "https://auth.example.com/tenant", "https://auth.example.com/a/b/"] {
        let world = World::at(issuer, |builder| builder).await;
        let below = path_of(issuer);
        let mut found = BTreeSet::new();
        // Inserted (RFC 8414 §3), and appended where OpenID Connect does (RFC 8414 §5).
        for path in [
            format!("/.well-known/oauth-authorization-server{below}"),
            format!("/.well-known/openid-configuration{below}"),
            format!("{below}/.well-known/openid-configuration"),
        ] {
            let answer = world.send(get(&path)).await.answer();
            assert_eq!((answer.status, answer.field("issuer").as_str()), (StatusCode::OK, issuer), "{path}");
            found.insert(answer.body);
        }
        assert_eq!(found.len(), 1, "one document");
        // What it names is there, below the issuer, and has no doubled slash.
        let document: serde_json::Value = serde_json::from_str(found.first().unwrap()).unwrap();
        let root = issuer.strip_suffix('/').unwrap_or(issuer);
        for name in ["authorization", "token", "revocation", "introspection"] {
            let url = document[format!("{name}_endpoint")].as_str().unwrap();
            let rest = url.strip_prefix(root).unwrap();
            assert!(rest.starts_with('/') && !rest.contains("//"), "{url}");
            assert!(matches!(world.send(post(url, &[])).await, Sent::Answer(_)), "{url}");
        }
        // Nobody else's, and no other spelling.
        let mut elsewhere = vec![
            format!("/.well-known/oauth-authorization-server{below}/"),
            format!("/.well-known/oauth-authorization-server{below}x"),
            "/.well-known/oauth-authorization-server/other".to_owned(),
            "/.well-known/jwks.json".to_owned(),
            format!("{below}//.well-known/openid-configuration"),
        ];
        if !below.is_empty() {
            for path in
                ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/token", "/authorize"]
            {
                elsewhere.push(path.to_owned());
            }
        }
        for path in elsewhere {
            assert!(matches!(world.send(get(&path)).await, Sent::NotMine), "{path} was answered");
        }
    }
}

#[tokio::test]
async fn rfc8414_2_required_members_are_there_and_empty_lists_are_not() {
    let bare = AuthorizationServer::builder(ISSUER).shared_store(Arc::new(MemoryStore::new())).build().unwrap();
    let Outcome::Respond(response) = bare.handle(get(WELL_KNOWN[0])).await else { panic!() };
    let without_scopes: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    let with_scopes = document(&World::new().await).await;
    for document in [&without_scopes, &with_scopes] {
        assert_eq!(document["issuer"], ISSUER);
        for name in ["authorization", "token", "revocation", "introspection"] {
            let url = document[format!("{name}_endpoint")].as_str().unwrap();
            assert!(url.starts_with("https://auth.example.com/") && !url.contains('#'), "{url}");
        }
        assert_eq!(list(document, "response_types_supported"), set(&["code"]));
        for (name, value) in document.as_object().unwrap() {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == "";
            assert!(!empty, "{name} is there and says nothing");
        }
    }
    assert!(without_scopes.get("scopes_supported").is_none());
    assert_eq!(list(&with_scopes, "scopes_supported"), set(&["read", "write", "admin", "profile"]));
}

#[tokio::test]
async fn rfc8414_3_any_origin_may_read_it() {
    let world = World::new().await;
    for path in WELL_KNOWN {
        for origin in ["https://app.example", "https://evil.example", "null"] {
            let mut request = get(path);
            request.headers_mut().insert("origin", origin.parse().unwrap());
            let answer = world.send(request.clone()).await.answer();
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            let preflight = with_method(request, Method::OPTIONS);
            let preflight = world.send(preflight).await.answer();
            assert_eq!((preflight.status, preflight.body.as_str()), (StatusCode::NO_CONTENT, ""));
            assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
            assert_eq!(preflight.header("access-control-allow-methods"), Some("GET"));
            for answer in [answer, preflight] {
                assert!(!answer.headers.contains_key("access-control-allow-credentials"));
            }
        }
    }
}
