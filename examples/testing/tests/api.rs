use axum::{body::Body, http::Request};
use grantor::testing::{TestServer, hours};
use tower::ServiceExt as _;

#[tokio::test]
async fn a_token_opens_the_api_until_it_expires() {
    let server = TestServer::in_process();
    let api = testing_from_outside::api(server.oauth().clone());
    let token = server.mint("alice").scope("read").access().await;
    let hello = Request::get("/hello").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    assert_eq!(api.clone().oneshot(hello.clone().map(|()| Body::empty())).await.unwrap().status(), 200);
    server.clock().advance(hours(13));
    assert_eq!(api.oneshot(hello.map(|()| Body::empty())).await.unwrap().status(), 401);
}
