//! No token exceeds the rights of the user behind it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grantor::event::What;
use grantor::manage::{ManageError, NewPersonalToken, Registered};
use grantor::wire::scope::Scope;
use grantor::{Failure, Require, Rights, Subject};

use crate::world::{VERIFIER, World, metadata, world_with};

/// What each user may do; whoever is not named may do all. `None`: it cannot be told.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<BTreeMap<String, Option<Scope>>>>);

impl Book {
    fn set(&self, user: &str, scope: Option<&str>) {
        let scope = scope.map(|scope| if scope.is_empty() { Scope::empty() } else { scope.parse().unwrap() });
        self.0.lock().unwrap().insert(user.to_owned(), scope);
    }
}

#[async_trait]
impl Rights for Book {
    async fn narrow(&self, subject: &Subject, scope: &Scope) -> Result<Scope, Failure> {
        match self.0.lock().unwrap().get(subject.as_str()) {
            None => Ok(scope.clone()),
            Some(Some(rights)) => Ok(rights.clone()),
            Some(None) => Err(Failure::Unavailable),
        }
    }
}

fn world() -> (World, Book) {
    let book = Book::default();
    (world_with(|builder| builder.rights(book.clone())), book)
}

/// The token response to a new grant of `read write`.
async fn grant(world: &World, client: &Registered, user: &str) -> serde_json::Value {
    let code = world.code_for(client.client.id(), user, "read%20write").await;
    exchange(world, client, &format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}")).await
}

async fn exchange(world: &World, client: &Registered, grant: &str) -> serde_json::Value {
    let secret = client.secret.as_ref().unwrap().expose();
    let answer = world.token(client.client.id(), secret, grant).await;
    serde_json::from_str(answer.body()).unwrap()
}

#[tokio::test]
async fn a_user_restricted_after_the_token_was_issued_restricts_the_token_and_gives_it_back() {
    let (world, book) = world();
    let web = world.register(metadata("Web")).await;
    let api = world.register(grantor::client::ClientMetadata { resource_server: true, ..metadata("API") }).await;
    let tokens = grant(&world, &web, "alice").await;
    assert_eq!(tokens["scope"], "read write");
    let access = tokens["access_token"].as_str().unwrap();
    let may = async |scope| world.server.verify(access, Require::scope(scope)).await.is_ok();
    assert!(may("write").await);

    book.set("alice", Some("read"));
    assert!(!may("write").await && may("read").await);
    let verified = world.server.verify(access, Require::any()).await.unwrap();
    assert_eq!((verified.scope(), verified.has_scope("write")), ("read", false));
    assert_eq!(world.introspect(&api, access).await["scope"], "read");
    let refresh = format!("grant_type=refresh_token&refresh_token={}", tokens["refresh_token"].as_str().unwrap());
    let refused = exchange(&world, &web, &format!("{refresh}&scope=read%20write")).await;
    assert_eq!(refused["error"], "invalid_scope");
    let refreshed = exchange(&world, &web, &refresh).await;
    assert_eq!(refreshed["scope"], "read");

    // Nothing at all: good for nothing, and said so.
    book.set("alice", Some(""));
    assert!(world.server.verify(access, Require::any()).await.is_err());
    assert_eq!(world.introspect(&api, access).await, serde_json::json!({ "active": false }));
    let again = format!("grant_type=refresh_token&refresh_token={}", refreshed["refresh_token"].as_str().unwrap());
    assert_eq!(exchange(&world, &web, &again).await["error"], "invalid_scope");

    book.set("alice", Some("read write"));
    assert!(may("write").await, "what is given back to the user is the token's again");
    assert_eq!(exchange(&world, &web, &again).await["scope"], "read write");
}

#[tokio::test]
async fn nobody_grants_what_they_may_not_do_themselves() {
    let (world, book) = world();
    let web = world.register(metadata("Web")).await;
    book.set("bob", Some("read admin"));
    assert_eq!(grant(&world, &web, "bob").await["scope"], "read", "no more than was asked for either");
    let authorized =
        |event: &grantor::event::Event| matches!(&event.what, What::Authorized { scope } if scope.as_str() == "read");
    assert_eq!(world.told(authorized), 1);
    // Between the consent and the exchange.
    let code = world.code_for(web.client.id(), "carol", "read%20write").await;
    book.set("carol", Some("read"));
    let body = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
    assert_eq!(exchange(&world, &web, &body).await["scope"], "read");

    let tokens = world.server.personal_tokens();
    let new = |scope: &str| NewPersonalToken {
        name: "script".into(),
        scope: scope.parse().unwrap(),
        lifetime: Duration::from_secs(60),
        resources: Vec::new(),
    };
    assert_eq!(tokens.create(&"bob".into(), new("read write")).await.unwrap_err(), ManageError::ScopeNotAllowed);
    let made = tokens.create(&"bob".into(), new("read")).await.unwrap();
    let wider = tokens.set_scope(&"bob".into(), &made.grant.id, "write".parse().unwrap()).await;
    assert_eq!(wider.unwrap_err(), ManageError::ScopeNotAllowed);
    book.set("bob", Some("write"));
    assert!(world.server.verify(made.token.expose(), Require::any()).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_told_is_not_allowed_and_a_clients_own_token_is_asked_of_nobody() {
    let (world, book) = world();
    let web = world.register(metadata("Web")).await;
    let tokens = grant(&world, &web, "alice").await;
    let access = tokens["access_token"].as_str().unwrap();
    book.set("alice", None);
    let error = world.server.verify(access, Require::any()).await.unwrap_err();
    assert_eq!(error, grantor::refusal::VerifyError::Failure(Failure::Unavailable));
    let refresh = format!("grant_type=refresh_token&refresh_token={}", tokens["refresh_token"].as_str().unwrap());
    let secret = web.secret.as_ref().unwrap().expose();
    assert_eq!(world.token(web.client.id(), secret, &refresh).await.status(), 503);
    let own = exchange(&world, &web, "grant_type=client_credentials").await;
    assert!(world.is_live(own["access_token"].as_str().unwrap()).await);
    book.set("alice", Some("read write"));
    assert_eq!(exchange(&world, &web, &refresh).await["scope"], "read write", "the refresh token was not spent");
}
