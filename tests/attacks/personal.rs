//! Personal tokens (ids PT): grants like any other, that nothing but their own kind of use accepts; and the management API (ids MA), which they do not
//! open.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grantor::api::ManagementApi;
use grantor::client::AuthMethod;
use grantor::event::What;
use grantor::manage::{ManageError, NewPersonalToken, PersonalToken};
use grantor::refusal::{Dead, VerifyError};
use grantor::store::Kind;
use grantor::wire::scope::Scope;
use grantor::wire::uri::Resource;
use grantor::{DynamicRegistration, Failure, Require, Rights, Subject};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::*;
use crate::introspection::bearer;

/// The client that personal tokens are granted to: whoever holds one may give it back as this client.
const HOLDER: Known = Known { id: "personal-tokens", secret: None, method: AuthMethod::None };

async fn create(world: &World, name: &str, scope: &str, resources: &[&str]) -> PersonalToken {
    let new = NewPersonalToken {
        name: name.into(),
        scope: scope.parse().unwrap(),
        lifetime: Duration::from_secs(30 * 86_400),
        resources: resources.iter().map(|resource| Resource::parse(resource).unwrap()).collect(),
    };
    let made = world.server.personal_tokens().create(&"alice".into(), new).await.unwrap();
    world.guard(made.token.expose());
    made
}

/// So that what is noted of a secret being used does not look like a change later.
async fn warm(world: &World) {
    for client in [WEB, API, POSTER] {
        world.introspect(client, "nothing").await;
    }
}

#[tokio::test]
async fn pt_01_a_resource_server_is_told_of_one_that_is_addressed_to_it() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read write", &[RESOURCE]).await;
    let token = made.token.expose();
    let expires = (world.now().after(Duration::from_secs(30 * 86_400))).as_millis() / 1_000;
    let told = world.introspect(API, token).await;
    let expected = json!({
        "active": true, "token_type": "Bearer", "client_id": "personal-tokens", "sub": "alice",
        "scope": "read write", "aud": RESOURCE, "iss": ISSUER, "iat": world.now().as_millis() / 1_000, "exp": expires,
    });
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&told[member], value, "{member} of {told}");
    }
    // Another resource's is nothing to it, nor is any to a client that is no resource server.
    let elsewhere = create(&world, "Files", "read", &[OTHER_RESOURCE]).await;
    let nothing = json!({ "active": false });
    assert_eq!(world.introspect(API, elsewhere.token.expose()).await, nothing);
    for stranger in [WEB, POSTER] {
        assert_eq!(world.introspect(stranger, token).await, nothing, "{}", stranger.id);
    }
    let require = || Require::scope("read").at(RESOURCE);
    assert_eq!(world.server.verify(token, require()).await.unwrap().subject(), Some("alice"));
    let refused = world.server.verify(elsewhere.token.expose(), require()).await.unwrap_err();
    assert_eq!(refused, VerifyError::OtherResource);
    // To the moment.
    world.advance(30 * 86_400 - 1);
    assert_eq!(world.introspect(API, token).await["active"], true);
    world.advance(1);
    assert_eq!(world.introspect(API, token).await, nothing);
}

#[tokio::test]
async fn pt_02_one_is_no_code_no_refresh_token_and_no_secret() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read write", &[]).await;
    let token = made.token.expose();
    warm(&world).await;
    world.take_events();
    for client in [WEB, CLI] {
        let unknown = world.refresh(client, "nothing").await;
        unknown.refused("invalid_grant");
        world.refresh(client, token).await.same_as(&unknown);
        let unknown = world.redeem(client, "nothing").await;
        unknown.refused("invalid_grant");
        world.redeem(client, token).await.same_as(&unknown);
    }
    // The client that it was granted to has no grant type, and nothing to be sent to.
    for grant in [
        vec![("grant_type", "refresh_token"), ("refresh_token", token)],
        vec![("grant_type", "authorization_code"), ("code", token), ("code_verifier", VERIFIER)],
        vec![("grant_type", "client_credentials"), ("scope", "read")],
    ] {
        let answer = world.token(HOLDER, &grant).await;
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.body);
    }
    let request = changed(&world.valid_request(WEB), &[("client_id", HOLDER.id)]);
    assert_eq!(world.authorize(&request).await.local().status, StatusCode::BAD_REQUEST);
    // Nor does it stand for a client.
    let as_secret = Known { secret: Some(Box::leak(token.to_owned().into_boxed_str())), ..WEB };
    let answer = world.token(as_secret, &[("grant_type", "client_credentials")]).await;
    answer.unauthenticated(true);
    assert_eq!(world.records(Kind::REFRESH_TOKEN).len() + world.records(Kind::ACCESS_TOKEN).len(), 0);
    let issued = |event: &grantor::event::Event| matches!(event.what, What::Issued { .. } | What::Revoked { .. });
    assert!(!world.take_events().iter().any(issued));
    assert!(world.is_live(token).await, "and none of it has done it harm");
}

#[tokio::test]
async fn pt_03_whoever_holds_one_can_revoke_it_and_no_other_client_can() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read", &[]).await;
    let kept = create(&world, "Kept", "read", &[]).await;
    let token = made.token.expose();
    let before = world.dump();
    for other in [CLI] {
        let answer = world.post_as(other, "/revoke", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(world.dump(), before, "another client's revocation changes nothing");
    assert!(world.is_live(token).await);
    for hint in [None, Some("refresh_token"), Some("access_token"), Some("personal_token")] {
        let name = format!("{hint:?}");
        let one = create(&world, &name, "read", &[]).await;
        let mut parameters = vec![("token", one.token.expose())];
        parameters.extend(hint.map(|hint| ("token_type_hint", hint)));
        let answer = world.post_as(HOLDER, "/revoke", &parameters).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "{}"), "{name}");
        assert!(!world.is_live(one.token.expose()).await, "{name}");
        // Again: the same answer.
        world.post_as(HOLDER, "/revoke", &parameters).await.same_as(&answer);
    }
    let answer = world.post_as(HOLDER, "/revoke", &[("token", token)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!world.is_live(token).await);
    let left = world.server.personal_tokens().of(&Subject::from("alice")).await.unwrap();
    assert_eq!(left.iter().map(|grant| grant.name.as_str()).collect::<Vec<_>>(), ["Kept"]);
    assert!(world.is_live(kept.token.expose()).await);
    create(&world, "Backup", "read", &[]).await;
}

#[tokio::test]
async fn pt_04_none_outlives_its_user() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read", &[]).await;
    let token = made.token.expose();
    let alice = Subject::from("alice");
    world.server.subjects().deactivate(&alice).await.unwrap();
    assert!(!world.is_live(token).await);
    let new = NewPersonalToken {
        name: "Another".into(),
        scope: "read".parse().unwrap(),
        lifetime: Duration::from_secs(60),
        resources: Vec::new(),
    };
    let refused = world.server.personal_tokens().create(&alice, new).await;
    assert_eq!(refused.unwrap_err(), ManageError::Inactive);
    let wider = world.server.personal_tokens().set_scope(&alice, &made.grant.id, "read write".parse().unwrap()).await;
    assert_eq!(wider.unwrap_err(), ManageError::NotFound);
    world.server.subjects().activate(&alice).await.unwrap();
    assert!(!world.is_live(token).await, "what ended stays ended");
    assert!(world.server.personal_tokens().of(&alice).await.unwrap().is_empty());
    assert!(world.is_live(create(&world, "Backup", "read", &[]).await.token.expose()).await);
}

#[tokio::test]
async fn pt_05_another_scope_is_in_force_at_once_on_every_node() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read write", &[]).await;
    let token = made.token.expose();
    let other = world.node(|builder| builder);
    let tokens = world.server.personal_tokens();
    let alice = Subject::from("alice");
    for (scope, write) in [("read", false), ("write", true), ("read write", true)] {
        tokens.set_scope(&alice, &made.grant.id, scope.parse().unwrap()).await.unwrap();
        for node in [&world, &other] {
            assert_eq!(node.introspect(API, token).await["scope"], scope);
            let checked = node.server.check(&bearer(&format!("Bearer {token}")), Require::scope("write")).await;
            match checked {
                Ok(verified) => assert!(write && verified.scope() == scope),
                Err(refused) => {
                    assert!(!write);
                    assert_eq!(refused.into_response().status(), StatusCode::FORBIDDEN);
                }
            }
        }
    }
    // Nobody widens it beyond what may be had, and nobody else's hand is on it.
    let wider = tokens.set_scope(&alice, &made.grant.id, "read fly".parse().unwrap()).await;
    assert_eq!(wider.unwrap_err(), ManageError::ScopeNotAllowed);
    let others = tokens.set_scope(&"mallory".into(), &made.grant.id, "read".parse().unwrap()).await;
    assert_eq!(others.unwrap_err(), ManageError::NotFound);
    assert_eq!(world.introspect(API, token).await["scope"], "read write");
}

/// What alice may do; `None`: it cannot be told.
#[derive(Clone)]
struct AliceMay(Arc<Mutex<Option<&'static str>>>);

#[async_trait]
impl Rights for AliceMay {
    async fn narrow(&self, _: &Subject, _: &Scope) -> Result<Scope, Failure> {
        let may = *self.0.lock().unwrap();
        may.map(|scope| scope.parse().unwrap()).ok_or(Failure::Unavailable)
    }
}

#[tokio::test]
async fn pt_06_none_exceeds_the_rights_of_its_user_whenever_they_change() {
    let may = AliceMay(Arc::new(Mutex::new(Some("read write"))));
    let world = World::with(|builder| builder.rights(may.clone())).await;
    let made = create(&world, "Backup", "read write", &[]).await;
    let token = made.token.expose();
    assert!(world.server.verify(token, Require::scope("write")).await.is_ok());
    *may.0.lock().unwrap() = Some("read");
    assert_eq!(world.introspect(API, token).await["scope"], "read");
    assert!(world.server.verify(token, Require::scope("write")).await.is_err());
    let tokens = world.server.personal_tokens();
    let wider = tokens.set_scope(&"alice".into(), &made.grant.id, "write".parse().unwrap()).await;
    assert_eq!(wider.unwrap_err(), ManageError::ScopeNotAllowed);
    *may.0.lock().unwrap() = None;
    assert!(world.server.verify(token, Require::any()).await.is_err(), "what cannot be told is not allowed");
    let answer = ask(&world.server, post_as(API, "/introspect", &[("token", token)])).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    *may.0.lock().unwrap() = Some("read write");
    assert!(world.server.verify(token, Require::scope("write")).await.is_ok(), "given back");
}

#[tokio::test]
async fn pt_07_nothing_that_is_almost_one_counts() {
    let world = World::new().await;
    let made = create(&world, "Backup", "read", &[]).await;
    let token = made.token.expose();
    let other_kinds = ["gat_", "grt_", "gac_", "gia_", "gra_", "gdc_"]
        .into_iter()
        .flat_map(|prefix| [reseal(token, prefix, |_| {}), format!("{prefix}{}", &token[4..])]);
    for text in near_misses(token).into_iter().chain(other_kinds) {
        let refused = world.server.verify(&text, Require::any()).await.unwrap_err();
        assert_eq!(refused, VerifyError::Dead(Dead::Unknown), "{text:.60}");
    }
    assert!(world.is_live(token).await);
}

async fn managed() -> World {
    let world = World::with(|builder| builder.management_api(ManagementApi::new())).await;
    let root = Known { id: "root", ..POSTER };
    let scope = "read grantor:clients:read grantor:clients:write".parse().unwrap();
    world.register(root, grantor::client::ClientMetadata { scope, ..metadata(POSTER) }).await;
    warm(&world).await;
    world
}

fn manage(method: &str, path: &str, token: &str, body: &Value) -> Request<String> {
    let mut request = Request::builder().method(method).uri(format!("/manage/v1{path}"));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.header("content-type", "application/json").body(body.to_string()).unwrap()
}

#[tokio::test]
async fn ma_01_the_management_api_is_closed_to_whoever_lacks_its_scope() {
    let world = managed().await;
    let made = create(&world, "Backup", "read write", &[]).await;
    let (access, refresh) = world.tokens(WEB).await;
    let machine = world.machine_token(POSTER).await;
    let grant = made.grant.id.as_str();
    let operations = [
        ("GET", "/clients".to_owned(), Value::Null),
        ("POST", "/clients".to_owned(), json!({ "client_name": "Mallory" })),
        ("GET", "/clients/web".to_owned(), Value::Null),
        ("DELETE", "/clients/web".to_owned(), Value::Null),
        ("POST", "/clients/web/secrets".to_owned(), json!({})),
        ("POST", "/clients/web/revoke".to_owned(), Value::Null),
        ("DELETE", format!("/grants/{grant}"), Value::Null),
        ("POST", "/subjects/alice/deactivate".to_owned(), Value::Null),
        ("POST", "/revoke-everything".to_owned(), Value::Null),
        ("GET", "/me/tokens".to_owned(), Value::Null),
        ("POST", "/me/tokens".to_owned(), json!({ "name": "x", "scope": "admin", "lifetime": 60 })),
        ("PATCH", format!("/me/tokens/{grant}"), json!({ "scope": "admin" })),
    ];
    for (method, path, body) in &operations {
        for (token, status) in [
            ("", StatusCode::UNAUTHORIZED),
            ("nothing", StatusCode::UNAUTHORIZED),
            (&*refresh, StatusCode::UNAUTHORIZED),
            (WEB.secret.unwrap(), StatusCode::UNAUTHORIZED),
            (&*access, StatusCode::FORBIDDEN),
            (&*machine, StatusCode::FORBIDDEN),
            (made.token.expose(), StatusCode::FORBIDDEN),
        ] {
            // The harness sees to it that nothing was changed.
            let answer = world.send(manage(method, path, token, body)).await.answer();
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path} is no operation");
            assert_eq!(answer.status, status, "{method} {path} {token:.4}: {}", answer.body);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{method} {path}");
        }
    }
    assert!(world.is_live(made.token.expose()).await && world.is_live(&access).await);
}

#[tokio::test]
async fn ma_02_nobody_gives_a_client_a_scope_of_the_server_that_they_lack() {
    let world = managed().await;
    let root = Known { id: "root", ..POSTER };
    let own = [("grant_type", "client_credentials"), ("scope", "grantor:clients:read grantor:clients:write")];
    let token = world.token(root, &own).await.field("access_token");
    let client = |scope: &str| json!({ "client_name": "New", "scope": scope, "grant_types": ["client_credentials"] });
    for scope in ["grantor:grants:write", "read grantor:tokens:write", "grantor:clients:write grantor:grants:read"] {
        let answer = world.send(manage("POST", "/clients", &token, &client(scope))).await.answer();
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{scope}: {}", answer.body);
    }
    let answer = world.send(manage("POST", "/clients", &token, &client("read grantor:clients:read"))).await.answer();
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    // A user's tokens never have one.
    let new = NewPersonalToken {
        name: "Way up".into(),
        scope: "read grantor:clients:write".parse().unwrap(),
        lifetime: Duration::from_secs(60),
        resources: Vec::new(),
    };
    let refused = world.server.personal_tokens().create(&"alice".into(), new).await;
    assert_eq!(refused.unwrap_err(), ManageError::ScopeNotAllowed);
}

#[tokio::test]
async fn ma_03_a_client_that_describes_itself_has_no_scope_of_the_servers_own() {
    let world =
        World::with(|builder| builder.management_api(ManagementApi::new()).registration(DynamicRegistration::open()))
            .await;
    let register = |scope: Option<&str>| {
        let mut body = json!({ "client_name": "Mallory", "redirect_uris": ["https://mallory.example/cb"] });
        if let Some(scope) = scope {
            body["scope"] = scope.into();
        }
        let request = Request::post("/register").header("content-type", "application/json");
        request.body(body.to_string()).unwrap()
    };
    let answer = world.send(register(Some("read grantor:clients:write"))).await.answer();
    answer.refused("invalid_client_metadata");
    let answer = world.send(register(None)).await.answer();
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let scope: Scope = answer.field("scope").parse().unwrap();
    assert!(scope.contains("read") && scope.contains("admin"));
    assert!(!scope.tokens().any(|name| name.starts_with("grantor:")), "{}", scope.as_str());
}
