//! An axum router (feature `axum`), and [`Bearer`](crate::resource::Bearer) as an extractor.
//!
//! This file is also what an adapter for another framework looks like: requests and responses of the `http` crate go
//! through [`Site::handle`], and only the type of the body changes. `docs/adapters.md` tells the rest.
//!
//! ```
//! use axum::{Router, routing::get};
//! use grantor::resource::{Bearer, Needs};
//! use grantor::{AuthorizationServer, Require};
//!
//! struct Read;
//! impl Needs for Read {
//!     const REQUIRE: Require<'static> = Require::scope("read");
//! }
//!
//! async fn hello(token: Bearer<Read>) -> String {
//!     format!("Hello, {}!", token.subject().unwrap_or("machine"))
//! }
//!
//! fn api(server: AuthorizationServer) -> Router {
//!     Router::new().route("/hello", get(hello)).with_state(server)
//! }
//! ```

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::{Host, Site};
use crate::resource::verifier::Check;
use crate::resource::{Bearer, Challenge, Needs, Verifier};
use crate::server::AuthorizationServer;

/// All that a browser and a client need, as the fallback of a router: merge it into the application's own, whose routes
/// come first.
pub fn router(server: AuthorizationServer, host: impl Host) -> Router {
    site(Site::new(server, host))
}

/// The same, for a site that is used elsewhere too.
pub fn site(site: Site) -> Router {
    Router::new().fallback(move |request: Request| {
        let site = site.clone();
        async move { serve(&site, request).await }
    })
}

/// The console, below its prefix: merge it into the application's own router.
#[cfg(feature = "console")]
pub fn console(console: crate::console::Console) -> Router {
    let prefix = console.prefix().to_owned();
    let below = format!("{prefix}/{{*rest}}");
    let serve = move |request: Request| {
        let console = console.clone();
        async move {
            match console.handle(request).await {
                Ok(response) => response.map(Body::from),
                Err(_) => StatusCode::NOT_FOUND.into_response(),
            }
        }
    };
    let router = Router::new().route(&below, axum::routing::any(serve.clone()));
    let router = router.route(&format!("{prefix}/"), axum::routing::any(serve.clone()));
    if prefix.is_empty() { router } else { router.route(&prefix, axum::routing::any(serve)) }
}

async fn serve(site: &Site, request: Request) -> Response {
    match site.handle(request).await {
        Ok(response) => response.map(Body::from),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

impl IntoResponse for Challenge {
    fn into_response(self) -> Response {
        Self::into_response(self).map(Body::from)
    }
}

/// From any state that has who verifies, or is it.
impl<S, N, V> FromRequestParts<S> for Bearer<N, V>
where
    S: Send + Sync,
    N: Needs,
    V: Verifier + FromRef<S>,
{
    type Rejection = Challenge;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Challenge> {
        let verifier = V::from_ref(state);
        Check::check(&verifier, &parts.headers, &parts.uri, N::REQUIRE).await.map(Self::new)
    }
}
