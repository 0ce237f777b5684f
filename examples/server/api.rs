//! A protected resource.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use grantor::resource::Challenge;
use grantor::{Require, Verified};
use serde_json::json;

use crate::signin::App;

/// The routes, below the path of the issuer.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/me", get(me))
}

/// What the token is good for. `sub` is `null` where no user stands behind it.
async fn me(State(app): State<Arc<App>>, request: Request) -> Result<impl IntoResponse, Challenge> {
    Ok(described(&app.server.check(&request, Require::any()).await?))
}

/// What a token is good for, as JSON.
pub(crate) fn described(token: &Verified) -> impl IntoResponse + use<> {
    let body = json!({ "sub": token.subject(), "client_id": token.client_id(), "scope": token.scope() });
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body.to_string())
}
