//! Whether the server lives, and whether it can answer: for whoever restarts it, and for whoever sends it requests.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use grantor::AuthorizationServer;

/// `/healthz` asks nobody; `/readyz` asks the store. Both stand outside the path of the issuer, where probes look.
pub(crate) fn routes(server: AuthorizationServer) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(server)
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(server): State<AuthorizationServer>) -> (StatusCode, &'static str) {
    match server.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}
