//! The authorization server of an MCP server: what `[mcp]` turns on, and a stand-in for the MCP server itself.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use grantor::wire::uri::Issuer;
use grantor::{AuthorizationServer, Lifetimes, Preset, Require, ScopeDefinition};
use serde::Deserialize;

/// How long access tokens live, unless the file says otherwise: what the preset has.
const ACCESS_TOKEN: Duration = Duration::from_secs(3600);

/// The table `[mcp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mcp {
    /// The URL by which clients know the MCP server.
    pub(crate) resource: String,
}

impl Mcp {
    pub(crate) fn preset(&self, registration: bool) -> Preset {
        let preset = Preset::mcp(&self.resource);
        if registration { preset } else { preset.without_registration() }
    }

    pub(crate) fn lifetimes(lifetimes: Lifetimes, given: Option<u64>) -> Lifetimes {
        if given.is_some() { lifetimes } else { Lifetimes { access_token: ACCESS_TOKEN, ..lifetimes } }
    }

    /// Answers in place of an MCP server, where that would be at the address of this process: a call without a token is
    /// told where to get one, and with one what it is good for. Discovery can be tried without any MCP server then.
    pub(crate) fn stand_in(&self, router: Router, server: AuthorizationServer, scopes: &[ScopeDefinition]) -> Router {
        let origin = Issuer::parse(server.issuer()).map(|issuer| issuer.origin().to_owned()).unwrap_or_default();
        let path = self.resource.strip_prefix(&origin).filter(|path| path.len() > 1 && path.starts_with('/'));
        let Some(path) = path.map(str::to_owned) else { return router };
        let default: Vec<&str> = scopes.iter().filter(|scope| scope.default).map(|scope| scope.name.as_str()).collect();
        let state = StandIn { path, resource: self.resource.clone(), scope: default.join(" "), server };
        router.layer(from_fn_with_state(state, stand_in))
    }
}

#[derive(Clone)]
struct StandIn {
    path: String,
    resource: String,
    scope: String,
    server: AuthorizationServer,
}

async fn stand_in(State(mcp): State<StandIn>, request: Request, next: Next) -> Response {
    if request.uri().path() != mcp.path {
        return next.run(request).await;
    }
    let scope = mcp.scope.as_str();
    let require = if scope.is_empty() { Require::any() } else { Require::scope(scope) };
    match mcp.server.check(&request, require.at(&mcp.resource)).await {
        Ok(token) => crate::api::described(&token).into_response(),
        Err(challenge) => IntoResponse::into_response(challenge),
    }
}
