//! An API that lets nobody in without a token.

use axum::{Router, routing::get};
use grantor::resource::{Bearer, Needs};
use grantor::{AuthorizationServer, Require};

struct Read;

impl Needs for Read {
    const REQUIRE: Require<'static> = Require::scope("read");
}

async fn hello(token: Bearer<Read>) -> String {
    format!("Hello, {}!", token.subject().unwrap_or("machine"))
}

/// The routes, for whoever has an authorization server.
pub fn api(server: AuthorizationServer) -> Router {
    Router::new().route("/hello", get(hello)).with_state(server)
}
