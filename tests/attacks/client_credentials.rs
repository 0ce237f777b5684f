//! Tokens that a client holds for itself (ids CC).

use grantor::client::{AuthMethod, ClientMetadata, MetadataError};
use grantor::event::Refusal;
use grantor::manage::{ManageError, Registration};
use grantor::refusal::TokenError;
use grantor::store::Kind;
use grantor::{ClientId, Require};
use http::StatusCode;
use serde_json::json;

use crate::harness::*;

const OWN: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "read")];

#[tokio::test]
async fn rfc6749_4_4_a_client_gets_a_token_for_itself() {
    let world = World::new().await;
    for client in [WEB, POSTER, LEGACY, API] {
        let answer = world.token(client, &OWN).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let access = answer.field("access_token");
        assert!(world.is_live(&access).await);
        let verified = world.server.verify(&access, Require::scope("read")).await.unwrap();
        assert_eq!((verified.client_id(), verified.subject(), verified.scope()), (client.id, None, "read"));
        assert_eq!(verified.authenticated_at(), None);
        world.advance(12 * 3600);
        assert!(!world.is_live(&access).await);
    }
    // Without a scope: the defaults of the server that the client may have.
    let answer = world.token(WEB, &OWN[..1]).await;
    assert_eq!(answer.field("scope"), "read");
    let answer = world.token(WEB, &changed(&OWN, &[("scope", "")])).await;
    assert_eq!(answer.field("scope"), "read");
    // For a resource: what makes sense there.
    let answer = world.token(WEB, &[OWN[0], ("scope", "read write"), ("resource", OTHER_RESOURCE)]).await;
    assert_eq!(answer.field("scope"), "read");
    assert_eq!(world.introspect(WEB, &answer.field("access_token")).await["aud"], OTHER_RESOURCE);
    for (scope, error) in [
        ("nonsense", "invalid_scope"),
        ("read nonsense", "invalid_scope"),
        ("READ", "invalid_scope"),
        ("\"", "invalid_scope"),
        (" ", "invalid_scope"),
        ("openid", "invalid_scope"),
        ("offline_access read", "invalid_scope"),
    ] {
        world.token(WEB, &changed(&OWN, &[("scope", scope)])).await.refused(error);
    }
    for resource in ["https://unknown.example", "https://api.example.com/", "relative", "https://api.example.com#x"] {
        world.token(WEB, &[OWN[0], OWN[1], ("resource", resource)]).await.refused("invalid_target");
    }
}

#[tokio::test]
async fn cc_01_a_public_client_gets_no_token_for_itself() {
    let world = World::new().await;
    world.token(CLI, &OWN).await.refused("unauthorized_client");
    // It cannot be registered for it,
    let grant_types = vec!["authorization_code".to_owned(), "client_credentials".to_owned()];
    let metadata = ClientMetadata { grant_types, ..metadata(CLI) };
    let refused = world.server.clients().register(Registration::from(metadata)).await.unwrap_err();
    assert_eq!(refused, ManageError::Metadata(MetadataError::PublicWithClientCredentials));
    // and a record that says otherwise is not believed.
    let grant_types = json!(["authorization_code", "refresh_token", "client_credentials"]);
    world.edit_client(CLI.id, |stored| stored["metadata"]["grant_types"] = grant_types).await;
    world.take_events();
    world.token(CLI, &OWN).await.refused("unauthorized_client");
    assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::PublicClient)]);
    // Nor does it get one by claiming a secret, or by naming a confidential client without one.
    let claimed = [&OWN[..], &[("client_id", CLI.id), ("client_secret", "cli")]].concat();
    world.send(post("/token", &claimed)).await.answer().unauthenticated(false);
    let named = [&OWN[..], &[("client_id", WEB.id)]].concat();
    world.send(post("/token", &named)).await.answer().unauthenticated(false);
    assert!(world.records(Kind::ACCESS_TOKEN).is_empty());
}

#[tokio::test]
async fn cc_01_a_client_without_the_grant_gets_no_token() {
    let world = World::new().await;
    let grantless = Known { id: "grantless", ..WEB };
    let grant_types = vec!["authorization_code".to_owned(), "refresh_token".to_owned()];
    world.register(grantless, ClientMetadata { grant_types, ..metadata(WEB) }).await;
    world.token(grantless, &OWN).await.refused("unauthorized_client");

    // Some scopes only a person can grant, however a client is registered.
    let nosy = Known { id: "nosy", ..WEB };
    world.register(nosy, ClientMetadata { scope: "read profile".parse().unwrap(), ..metadata(WEB) }).await;
    for scope in ["profile", "read profile"] {
        world.token(nosy, &changed(&OWN, &[("scope", scope)])).await.refused("invalid_scope");
    }
    assert_eq!(world.token(nosy, &OWN).await.field("scope"), "read");
    let only = Known { id: "only", ..WEB };
    world.register(only, ClientMetadata { scope: "profile".parse().unwrap(), ..metadata(WEB) }).await;
    world.token(only, &OWN[..1]).await.refused("invalid_scope");
    world.token(only, &changed(&OWN, &[("scope", "profile")])).await.refused("invalid_scope");

    // What a client registered for since, or lost since, is what counts.
    let id = ClientId::from(WEB.id);
    let token = world.machine_token(WEB).await;
    let revision = world.server.clients().get(&id).await.unwrap().unwrap().revision();
    let lost = ClientMetadata { grant_types: vec!["authorization_code".into()], ..metadata(WEB) };
    world.server.clients().update(&id, revision, lost).await.unwrap();
    world.token(WEB, &OWN).await.refused("unauthorized_client");
    assert!(world.is_live(&token).await, "what was issued stays: whoever wants it ended deactivates the client");
    world.server.clients().deactivate(&id).await.unwrap();
    assert!(!world.is_live(&token).await);
    world.server.clients().activate(&id).await.unwrap();
    assert!(!world.is_live(&token).await);
}

#[tokio::test]
async fn cc_01_no_refresh_token_comes_with_it() {
    let world = World::new().await;
    for extra in [
        &[][..],
        &[("access_type", "offline")],
        &[("refresh_token", "grt_x")],
        &[("subject", "alice"), ("username", "alice"), ("sub", "alice")],
    ] {
        let answer = world.token(WEB, &[&OWN[..], extra].concat()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(answer.json().unwrap().get("refresh_token").is_none());
    }
    assert!(world.records(Kind::REFRESH_TOKEN).is_empty() && world.records(Kind::GRANT).is_empty());
    assert!(world.records(Kind::AUTHORIZATION).is_empty());
    // Nor can its access token be refreshed.
    let own = world.machine_token(WEB).await;
    for text in [own.clone(), reseal(&own, "grt_", |_| ())] {
        world.refresh(WEB, &text).await.refused("invalid_grant");
    }
}

#[tokio::test]
async fn cc_03_a_client_named_like_a_user_is_told_apart_from_it() {
    let world = World::new().await;
    let alice =
        Known { id: "alice", secret: Some("alice-secret-alice-secret-alice"), method: AuthMethod::ClientSecretBasic };
    world.register(alice, metadata(alice)).await;
    let own = world.machine_token(alice).await;
    let (users, _) = world.tokens(WEB).await;

    let introspected = world.introspect(API, &own).await;
    assert_eq!(introspected["active"], true);
    assert_eq!(introspected["client_id"], "alice");
    assert!(introspected.get("sub").is_none() && introspected.get("username").is_none());
    assert_eq!(world.introspect(API, &users).await["sub"], "alice");
    assert_eq!(world.server.verify(&own, Require::any()).await.unwrap().subject(), None);
    assert_eq!(world.server.verify(&users, Require::any()).await.unwrap().subject(), Some("alice"));

    // What happens to the one does not happen to the other.
    world.server.subjects().deactivate(&"alice".into()).await.unwrap();
    assert!(world.is_live(&own).await && !world.is_live(&users).await);
    assert!(
        world
            .server
            .grants()
            .of(&"alice".into(), None, 10)
            .await
            .unwrap()
            .items
            .iter()
            .all(|grant| { grant.client_id.as_str() == WEB.id })
    );
    world.server.subjects().activate(&"alice".into()).await.unwrap();
    let (users, _) = world.tokens(WEB).await;
    world.server.clients().deactivate(&ClientId::from("alice")).await.unwrap();
    assert!(!world.is_live(&own).await && world.is_live(&users).await);
}
