//! What the adapter for `tower` has beyond the others, in process.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use grantor::resource::Verified;
use grantor::testing::TestServer;
use grantor::{Require, SignedIn, Site, tower};
use http::{Request, Response};
use tower_service::Service;

/// The application: tells who is there.
#[derive(Clone)]
struct App;

impl Service<Request<String>> for App {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let who = request.extensions().get::<Verified>().and_then(Verified::subject).unwrap_or("nobody");
        ready(Ok(Response::new(format!("{} {who}", request.uri().path()))))
    }
}

fn get(path: &str, token: Option<&str>) -> Request<String> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(String::new()).unwrap()
}

#[tokio::test]
async fn what_is_not_for_the_server_goes_to_the_service_behind_it() {
    let server = TestServer::in_process();
    let site = Site::new(server.oauth().clone(), |_: &http::request::Parts| None::<SignedIn>);
    let mut both = tower::SiteService::before(site.clone(), App);
    assert_eq!(both.call(get("/page", None)).await.unwrap().body(), "/page nobody");
    let metadata = both.call(get("/.well-known/openid-configuration", None)).await.unwrap();
    assert!(metadata.body().contains("token_endpoint"));
    let alone = tower::service(site).call(get("/page", None)).await.unwrap();
    assert_eq!(alone.status(), 404);
}

#[tokio::test]
async fn a_protected_service_is_told_whose_token_it_is_and_others_do_not_reach_it() {
    let server = TestServer::in_process();
    let mut api = tower::protect(server.oauth().clone(), Require::scope("write"), App);
    let enough = server.mint("alice").scope("read write").access().await;
    let less = server.mint("alice").scope("read").access().await;
    assert_eq!(api.call(get("/me", Some(&enough))).await.unwrap().body(), "/me alice");
    for (token, status) in [(None, 401), (Some("gat_x"), 401), (Some(less.as_str()), 403)] {
        let answer = api.call(get("/me", token)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_str()), (status, ""));
        assert!(answer.headers().contains_key("www-authenticate"));
    }
}
