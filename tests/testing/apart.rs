//! Seeds, issuers, and a thousand servers at once.

use grantor::Require;
use grantor::clock::{Clock as _, Timestamp};
use grantor::testing::{TestServer, hours};

use crate::client::{code, exchange, get, json, wire};

/// All that a server draws in the course of a sign-in.
async fn drawn(server: &TestServer) -> Vec<String> {
    let minted = server.mint("alice").tokens().await;
    let code = code(server).await;
    let earned = exchange(server, &code).await.unwrap().into_body();
    vec![minted.access_token, minted.refresh_token.unwrap(), code, earned]
}

#[tokio::test]
async fn the_same_seed_draws_the_same() {
    let with = |seed| TestServer::builder().seed(seed).in_process();
    let (one, same, other) = (drawn(&with(7)).await, drawn(&with(7)).await, drawn(&with(8)).await);
    assert_eq!(one, same);
    for (one, other) in one.iter().zip(&other) {
        assert_ne!(one, other);
    }
    let any = TestServer::in_process();
    let again = TestServer::builder().seed(any.seed()).in_process();
    assert_eq!(drawn(&any).await, drawn(&again).await, "a failure is repeated by the seed it prints");
}

#[tokio::test]
async fn the_clock_stands_at_the_moment_that_was_chosen_or_runs() {
    let at = Timestamp::from_secs(1_000_000_000);
    let server = TestServer::builder().clock_at(at).in_process();
    assert_eq!(server.oauth().now(), at);
    let running = TestServer::builder().clock_at(at).running_clock().in_process();
    assert!(running.clock().is_running() && running.oauth().now() >= at);
    running.clock().advance(hours(1));
    assert!(running.clock().now() >= at.after(hours(1)));
}

#[tokio::test]
async fn an_issuer_is_reached_by_the_name_and_path_that_clients_use() {
    let server = TestServer::builder().host("localhost").path("/tenant/a").start().await;
    let port = server.address().unwrap().port();
    assert_eq!(server.issuer(), format!("http://localhost:{port}/tenant/a"));
    let metadata = get(&server, "/.well-known/openid-configuration").await.unwrap();
    assert_eq!(json(&metadata)["token_endpoint"], server.url("/token"));
    assert_eq!(TestServer::builder().issuer("https://id.example").in_process().issuer(), "https://id.example");
}

#[tokio::test]
async fn a_server_ends_when_it_is_dropped() {
    let server = TestServer::start().await;
    let address = server.address().unwrap();
    let clone = server.clone();
    drop(server);
    assert!(
        wire(&clone, "GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap()
            .starts_with("HTTP/1.1 404")
    );
    drop(clone);
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_servers_at_once_do_not_meet() {
    let mut starting = tokio::task::JoinSet::new();
    for number in 0..1_000_u32 {
        starting.spawn(async move {
            let server = if number % 2 == 0 { TestServer::start().await } else { TestServer::in_process() };
            let subject = format!("user-{number}");
            let token = server.mint(subject.as_str()).access().await;
            (server, subject, token)
        });
    }
    let all = starting.join_all().await;
    for (at, (server, subject, token)) in all.iter().enumerate() {
        let verified = server.oauth().verify(token, Require::any()).await.unwrap();
        assert_eq!(verified.subject(), Some(subject.as_str()));
        let (_, _, of_another) = &all[(at + 1) % all.len()];
        assert!(server.oauth().verify(of_another, Require::any()).await.is_err(), "a token counts with its own server");
        assert_eq!(server.events().len(), 1);
    }
    let ports: std::collections::HashSet<_> = all.iter().filter_map(|(server, ..)| server.address()).collect();
    assert_eq!(ports.len(), 500);
}
