//! Minting, time, ending.

use grantor::Require;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::Clock as _;
use grantor::refusal::{Dead, VerifyError};
use grantor::testing::{TestServer, days, hours, minutes, seconds};

use crate::client::{basic_of, exchange, introspect, json, post, refresh};

const FILES: &str = "https://files.example.com";

#[tokio::test]
async fn a_minted_token_is_what_was_asked_for_to_every_endpoint() {
    let server = TestServer::in_process();
    let token = server.mint("bob").scope("read files:any").audience(FILES).expires_in(minutes(5)).access().await;

    let told = introspect(&server, &token).await;
    let now = server.clock().now().as_secs();
    assert_eq!(told["active"], true);
    assert_eq!((told["sub"].as_str(), told["client_id"].as_str()), (Some("bob"), Some("app")));
    assert_eq!((told["scope"].as_str(), told["aud"].as_str()), (Some("read files:any"), Some(FILES)));
    assert_eq!((told["iat"].as_i64(), told["exp"].as_i64()), (Some(now), Some(now + 300)));

    let verified = server.oauth().verify(&token, Require::scope("files:any").at(FILES)).await.unwrap();
    assert_eq!(verified.subject(), Some("bob"));
    let other = server.oauth().verify(&token, Require::any().at("https://other.example")).await;
    assert_eq!(other.unwrap_err(), VerifyError::OtherResource);

    // And its grant is one that lists show and clients can end.
    let grants = server.oauth().grants().of(&"bob".into(), None, 10).await.unwrap();
    assert_eq!(grants.items.len(), 1);
    let ended = post(&server, "/revoke", &crate::client::app(), &[("token", &token)]).await.unwrap();
    assert_eq!(ended.status(), 200);
    assert_eq!(introspect(&server, &token).await["active"], false);
}

#[tokio::test]
async fn time_ends_a_token_at_the_moment_that_was_said() {
    let server = TestServer::in_process();
    let (default, short, long) = (
        server.mint("alice").access().await,
        server.mint("alice").expires_in(seconds(10)).access().await,
        server.mint("alice").expires_in(days(400)).access().await,
    );
    let live = async |token: &str| server.oauth().verify(token, Require::any()).await.map(|_| ());
    server.clock().advance(seconds(9));
    assert_eq!(live(&short).await, Ok(()));
    server.clock().advance(seconds(1));
    assert_eq!(live(&short).await, Err(VerifyError::Dead(Dead::Expired)));
    server.clock().advance(hours(11));
    assert_eq!(live(&default).await, Ok(()));
    server.clock().advance(hours(1));
    assert_eq!(live(&default).await, Err(VerifyError::Dead(Dead::Expired)));
    server.clock().advance(days(399));
    assert_eq!(live(&long).await, Ok(()), "a grant lasts as long as its token");
    server.clock().advance(days(1));
    assert_eq!(live(&long).await, Err(VerifyError::Dead(Dead::Expired)));
}

#[tokio::test]
async fn a_token_can_be_expired_or_not_yet_valid_when_it_is_minted() {
    let server = TestServer::in_process();
    let expired = server.mint("alice").expired().access().await;
    let early = server.mint("alice").valid_in(minutes(10)).access().await;
    let verify = async |token: &str| server.oauth().verify(token, Require::any()).await.map(|_| ());
    assert_eq!(verify(&expired).await, Err(VerifyError::Dead(Dead::Expired)));
    assert_eq!(verify(&early).await, Err(VerifyError::Dead(Dead::Unknown)));
    assert_eq!(introspect(&server, &early).await["active"], false);
    server.clock().advance(minutes(10));
    assert_eq!(verify(&early).await, Ok(()));
    assert_eq!(introspect(&server, &early).await["active"], true);
}

#[tokio::test]
async fn a_minted_refresh_token_rotates_and_its_reuse_ends_the_family() {
    let server = TestServer::in_process();
    let minted = server.mint("alice").scope("read write").tokens().await;
    let old = minted.refresh_token.unwrap();
    let next = json(&refresh(&server, &old).await.unwrap());
    assert_ne!(next["refresh_token"].as_str(), Some(old.as_str()));
    assert_eq!(next["scope"], "read write");
    server.clock().advance(minutes(1));
    let reused = refresh(&server, &old).await.unwrap();
    assert_eq!((reused.status().as_u16(), json(&reused)["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(introspect(&server, &minted.access_token).await["active"], false);
    assert_eq!(introspect(&server, next["access_token"].as_str().unwrap()).await["active"], false);
}

#[tokio::test]
async fn a_client_has_a_token_for_itself() {
    let server = TestServer::in_process();
    let token = server.mint_for_client("app").scope("admin").access().await;
    let told = introspect(&server, &token).await;
    assert_eq!((told["active"].as_bool(), told["client_id"].as_str()), (Some(true), Some("app")));
    assert!(told.get("sub").is_none(), "{told}");
}

#[tokio::test]
async fn more_tokens_are_minted_than_a_user_may_have_grants() {
    let server = TestServer::in_process();
    let mut tokens = Vec::new();
    for _ in 0..30 {
        tokens.push(server.mint("alice").access().await);
    }
    for token in &tokens {
        assert!(server.oauth().verify(token, Require::any()).await.is_ok());
    }
    // What is earned ends the oldest, as anywhere.
    let earned = exchange(&server, &crate::client::code(&server).await).await.unwrap();
    assert_eq!(earned.status(), 200, "{}", earned.body());
    assert!(server.oauth().verify(&tokens[0], Require::any()).await.is_err());
    assert!(server.oauth().verify(&tokens[29], Require::any()).await.is_ok());
}

#[tokio::test]
async fn a_personal_token_is_one_that_its_owner_could_have_made() {
    let server = TestServer::in_process();
    let token = server.mint("alice").scope("read").expires_in(days(3)).personal_called("backup").await;
    assert!(token.starts_with("gpt_"));
    let other = server.mint("alice").scope("write").valid_in(hours(1)).personal().await;
    let verify = async |token: &str, scope| server.oauth().verify(token, Require::scope(scope)).await.map(|_| ());
    assert_eq!(verify(&token, "read").await, Ok(()));
    assert_eq!(introspect(&server, &token).await["sub"], "alice");
    assert_eq!(verify(&other, "write").await, Err(VerifyError::Dead(Dead::Unknown)));
    server.clock().advance(hours(1));
    assert_eq!(verify(&other, "write").await, Ok(()));
    let listed = server.oauth().personal_tokens().of(&"alice".into()).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().any(|grant| grant.name == "backup"), "{listed:?}");

    server.revoke(&other).await;
    assert!(verify(&other, "write").await.is_err());
    server.clock().advance(days(3));
    assert_eq!(verify(&token, "read").await, Err(VerifyError::Dead(Dead::Expired)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tokens_of_one_user_are_minted_at_once() {
    let server = TestServer::in_process();
    let mut minting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let server = server.clone();
        minting.spawn(async move { server.mint("alice").access().await });
    }
    for token in minting.join_all().await {
        assert!(server.oauth().verify(&token, Require::any()).await.is_ok());
    }
}

#[tokio::test]
async fn revoking_ends_a_token_a_grant_or_all_of_a_user() {
    let server = TestServer::in_process();
    let (one, other, third) =
        (server.mint("alice").tokens().await, server.mint("alice").tokens().await, server.mint("alice").tokens().await);
    let live = async |token: &str| server.oauth().verify(token, Require::any()).await.is_ok();

    server.revoke(&one.access_token).await;
    assert!(!live(&one.access_token).await);
    assert_eq!(refresh(&server, &one.refresh_token.unwrap()).await.unwrap().status(), 200);

    let refresh_token = other.refresh_token.unwrap();
    server.revoke(&refresh_token).await;
    assert!(!live(&other.access_token).await);
    assert_eq!(refresh(&server, &refresh_token).await.unwrap().status(), 400);

    server.revoke_all("alice").await;
    assert!(!live(&third.access_token).await);
    assert!(live(&server.mint("alice").access().await).await, "and a new one counts");
}

#[tokio::test]
async fn a_client_is_registered_in_a_line_and_is_a_real_one() {
    let server = TestServer::in_process();
    let web = server
        .register(ClientMetadata {
            grant_types: vec!["client_credentials".into()],
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        })
        .await;
    let answer = post(&server, "/token", &basic_of(&web), &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    assert_eq!(web.basic(), basic_of(&web));
    let public = server
        .register(ClientMetadata {
            token_endpoint_auth_method: AuthMethod::None,
            redirect_uris: vec!["http://127.0.0.1/cb".into()],
            grant_types: vec!["authorization_code".into()],
            ..ClientMetadata::default()
        })
        .await;
    assert_eq!(public.client_secret, None);
    let token = server.mint("alice").client(public.client_id.as_str()).access().await;
    assert_eq!(introspect(&server, &token).await["client_id"], public.client_id.as_str());
}

#[tokio::test]
#[should_panic(expected = "the client \"nobody\" is not registered")]
async fn minting_for_an_unknown_client_says_so() {
    TestServer::in_process().mint("alice").client("nobody").access().await;
}

#[tokio::test]
#[should_panic(expected = "is not a scope")]
async fn minting_what_is_not_a_scope_says_so() {
    TestServer::in_process().mint("alice").scope("a  b").access().await;
}
