//! Grant types of the host (RFC 6749 §4.5).

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grantor::client::ClientMetadata;
use grantor::event::Refusal;
use grantor::refusal::{ExtensionRefusal, TokenError};
use grantor::store::{Kind, MemoryStore, State};
use grantor::{AuthorizationServer, ConfigError, ExtensionGrant, ExtensionRequest, Issue, Require};
use http::StatusCode;

use crate::harness::*;
use crate::spy::at_once;

const GRANT_TYPE: &str = "urn:example:grant-type:ticket";

/// Takes tickets of the form `subject:scope`, and does as it was told.
#[derive(Clone, Default)]
struct Tickets {
    refusal: Arc<Mutex<Option<ExtensionRefusal>>>,
    /// Who asked.
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl ExtensionGrant for Tickets {
    async fn decide(&self, request: ExtensionRequest<'_>) -> Result<Issue, ExtensionRefusal> {
        self.asked.lock().unwrap().push(request.client.id().to_string());
        if let Some(refusal) = *self.refusal.lock().unwrap() {
            return Err(refusal);
        }
        let ticket = request.parameters.get("ticket").ok_or(ExtensionRefusal::InvalidRequest)?;
        let (subject, scope) = ticket.split_once(':').ok_or(ExtensionRefusal::InvalidGrant)?;
        Ok(Issue {
            subject: subject.into(),
            scope: scope.parse().map_err(|_| ExtensionRefusal::InvalidScope)?,
            resources: request.resources.to_vec(),
            refresh_token: request.parameters.get("offline").is_some(),
        })
    }
}

const TAKER: Known = Known { id: "taker", ..WEB };

async fn world(tickets: &Tickets) -> World {
    let tickets = tickets.clone();
    let world = World::with(|builder| builder.grant_type(GRANT_TYPE, tickets)).await;
    let grant_types = vec![GRANT_TYPE.to_owned(), "refresh_token".to_owned()];
    let scope = "read write".parse().unwrap();
    world.register(TAKER, ClientMetadata { grant_types, scope, ..metadata(WEB) }).await;
    world
}

fn ticket(ticket: &str) -> Vec<(&str, &str)> {
    vec![("grant_type", GRANT_TYPE), ("ticket", ticket)]
}

#[tokio::test]
async fn rfc6749_4_5_a_grant_type_of_the_host_is_served() {
    let tickets = Tickets::default();
    let world = world(&tickets).await;
    let answer = world.token(TAKER, &ticket("alice:read write")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.json().unwrap().get("refresh_token").is_none());
    let access = answer.field("access_token");
    assert!(world.is_live(&access).await);
    let verified = world.server.verify(&access, Require::scope("read write")).await.unwrap();
    assert_eq!((verified.subject(), verified.client_id()), (Some("alice"), TAKER.id));

    // With a refresh token, which rotates like any other; and the grant ends like any other.
    let offline = changed(&ticket("alice:read write"), &[("offline", "1"), ("scope", "read"), ("resource", RESOURCE)]);
    let (access, refresh) = world.token(TAKER, &offline).await.tokens();
    assert_eq!(world.introspect(API, &access).await["scope"], "read");
    let (access, refresh) = world.refresh(TAKER, &refresh).await.tokens();
    assert_eq!(world.introspect(API, &access).await["aud"], RESOURCE);
    world.server.grants().remove_app(&"alice".into(), &TAKER.id.into()).await.unwrap();
    assert!(!world.is_live(&access).await);
    world.refresh(TAKER, &refresh).await.refused("invalid_grant");

    // The metadata names it.
    let metadata =
        world.send(http::Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap());
    let supported = metadata.await.answer().json().unwrap()["grant_types_supported"].clone();
    assert!(supported.as_array().unwrap().iter().any(|name| name == GRANT_TYPE));
}

#[tokio::test]
async fn rfc6749_4_5_only_a_client_that_registered_it_may_use_it() {
    let tickets = Tickets::default();
    let world = world(&tickets).await;
    for client in [WEB, POSTER, CLI, API] {
        world.token(client, &ticket("alice:read")).await.refused("unauthorized_client");
    }
    let nobody = [&ticket("alice:read")[..], &[("client_id", TAKER.id)]].concat();
    world.send(post("/token", &nobody)).await.answer().unauthenticated(false);
    assert!(tickets.asked.lock().unwrap().is_empty(), "the host is not asked before the client is known");
    for other in ["urn:example:grant-type:Ticket", "urn:example:grant-type:tickets", "ticket"] {
        let parameters = changed(&ticket("alice:read"), &[("grant_type", other)]);
        world.token(TAKER, &parameters).await.refused("unsupported_grant_type");
    }
    // No host can take the place of ours, nor bring back what was abandoned.
    for name in ["authorization_code", "refresh_token", "client_credentials", "password", "implicit", ""] {
        let built =
            AuthorizationServer::builder(ISSUER).store(MemoryStore::new()).grant_type(name, Tickets::default()).build();
        assert_eq!(built.unwrap_err(), ConfigError::GrantType(name.to_owned()));
    }
}

#[tokio::test]
async fn rfc6749_4_5_the_host_gives_no_more_than_the_client_may_have() {
    let tickets = Tickets::default();
    let world = world(&tickets).await;
    // What the host gives beyond the registration is left out; what the request asks beyond the gift is refused.
    let answer = world.token(TAKER, &ticket("alice:read admin")).await;
    assert_eq!(answer.field("scope"), "read");
    world.token(TAKER, &ticket("alice:admin")).await.refused("invalid_scope");
    world.token(TAKER, &ticket("alice:nonsense")).await.refused("invalid_scope");
    for asked in ["write", "admin", "read write", "nonsense"] {
        let parameters = changed(&ticket("alice:read"), &[("scope", asked)]);
        world.token(TAKER, &parameters).await.refused("invalid_scope");
    }
    for resource in ["https://unknown.example", "relative"] {
        let parameters = changed(&ticket("alice:read"), &[("resource", resource)]);
        world.token(TAKER, &parameters).await.refused("invalid_target");
    }
    // Nobody who is not active; and nobody twice as often as anybody else.
    world.server.subjects().deactivate(&"alice".into()).await.unwrap();
    world.token(TAKER, &ticket("alice:read")).await.refused("invalid_grant");
    world.server.subjects().activate(&"alice".into()).await.unwrap();
    let mut access = Vec::new();
    for _ in 0..12 {
        world.clock.advance(std::time::Duration::from_millis(1));
        access.push(world.token(TAKER, &ticket("alice:read")).await.field("access_token"));
    }
    let mut live = Vec::new();
    for token in &access {
        live.push(world.is_live(token).await);
    }
    assert_eq!(live, [vec![false; 2], vec![true; 10]].concat());
}

#[tokio::test]
async fn rfc6749_4_5_each_refusal_of_the_host_has_its_error() {
    let tickets = Tickets::default();
    let world = world(&tickets).await;
    for (refusal, error) in [
        (ExtensionRefusal::InvalidRequest, "invalid_request"),
        (ExtensionRefusal::InvalidGrant, "invalid_grant"),
        (ExtensionRefusal::InvalidScope, "invalid_scope"),
        (ExtensionRefusal::UnauthorizedClient, "unauthorized_client"),
    ] {
        *tickets.refusal.lock().unwrap() = Some(refusal);
        world.take_events();
        world.token(TAKER, &ticket("alice:read")).await.refused(error);
        assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::Extension(refusal))]);
    }
    *tickets.refusal.lock().unwrap() = Some(ExtensionRefusal::Unavailable);
    let before = world.dump();
    let answers = at_once(&[&world], vec![post_as(TAKER, "/token", &ticket("alice:read"))]).await;
    assert_eq!(answers[0].status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answers[0].header("retry-after").is_some());
    // A subject that no token can speak for is a mistake of the host, and issues nothing.
    *tickets.refusal.lock().unwrap() = None;
    for subject in [String::new(), "x".repeat(256)] {
        let parameters = format!("{subject}:read");
        let answers = at_once(&[&world], vec![post_as(TAKER, "/token", &ticket(&parameters))]).await;
        assert_eq!(answers[0].status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answers[0].body);
    }
    assert_eq!(world.dump(), before);
    assert!(world.records(Kind::GRANT).is_empty());
    let longest = format!("{}:read", "x".repeat(255));
    world.token(TAKER, &ticket(&longest)).await.field("access_token");
    assert!(world.records(Kind::GRANT).iter().all(|grant| grant.state == State::Live));
}
