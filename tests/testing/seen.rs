//! Requests and events.

use grantor::event::What;
use grantor::testing::{Fault, TestServer, seconds};
use tower_service::Service as _;

use crate::client::{app, code, exchange, get, post};

#[tokio::test]
async fn every_request_is_seen_with_its_answer() {
    let server = TestServer::in_process();
    assert!(server.requests().is_empty() && server.events().is_empty());
    let code = code(&server).await;
    server.clock().advance(seconds(7));
    exchange(&server, &code).await.unwrap();
    server.inject(Fault::ResetBefore);
    exchange(&server, &code).await.unwrap_err();

    let seen = server.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/authorize"));
    assert_eq!(seen[0].parameter("state").as_deref(), Some("xyz"));
    assert_eq!(seen[0].status.unwrap(), 303);
    assert_eq!(seen[1].parameter("code"), Some(code.clone()));
    assert_eq!(seen[1].header("authorization"), Some(app().as_str()));
    assert_eq!(seen[1].at, seen[0].at.after(seconds(7)));
    assert_eq!(seen[1].status.unwrap(), 200);
    assert_eq!((seen[2].status, seen[2].fault.clone()), (None, Some(Fault::ResetBefore)));
    let printed = format!("{seen:?}");
    assert_eq!(printed, "[GET /authorize -> 303, POST /token -> 200, POST /token -> none (ResetBefore)]");

    assert_eq!(server.take_requests().len(), 3);
    get(&server, "/elsewhere").await.unwrap();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].status.unwrap(), 404);
}

#[tokio::test]
async fn events_tell_what_the_requests_did() {
    let server = TestServer::in_process();
    exchange(&server, &code(&server).await).await.unwrap();
    post(&server, "/token", "Basic YXBwOndyb25n", &[("grant_type", "client_credentials")]).await.unwrap();
    let events = server.take_events();
    assert!(matches!(events[0].what, What::Authorized { .. }), "{events:?}");
    assert!(events.iter().any(|event| matches!(event.what, What::Issued { .. })));
    assert!(matches!(events.last().unwrap().what, What::Refused(_)));
    assert!(server.events().is_empty());
}

#[tokio::test]
async fn the_server_is_a_service_of_tower() {
    let mut server = TestServer::in_process();
    let request =
        http::Request::get(server.url("/.well-known/oauth-authorization-server")).body(String::new()).unwrap();
    std::future::poll_fn(|context| tower_service::Service::<http::Request<String>>::poll_ready(&mut server, context))
        .await
        .unwrap();
    let answer = server.call(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(server.requests().len(), 1);
}
