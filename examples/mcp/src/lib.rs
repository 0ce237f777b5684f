//! An MCP server that keeps notes, behind an authorization server of its own, in one process and at one origin.
//!
//! A client needs nothing but the URL of the MCP server: the first call is refused with a pointer to the metadata of
//! the resource, that points to the authorization server, and there the client makes itself known.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, http::StatusCode};
use grantor::fetch::Fetch;
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, Preset, Require, SignedIn};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};

/// The most of a call that is read, in bytes.
const MAX_CALL: usize = 1 << 20;

/// The notes, which all connections share.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    kept: Arc<Mutex<Vec<String>>>,
}

/// What `add_note` is given.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct NewNote {
    /// The note.
    pub text: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "All notes, one a line")]
    async fn list_notes(&self) -> String {
        self.kept.lock().map(|kept| kept.join("\n")).unwrap_or_default()
    }

    #[tool(description = "Keeps a note")]
    async fn add_note(&self, Parameters(NewNote { text }): Parameters<NewNote>) -> String {
        match self.kept.lock() {
            Ok(mut kept) => {
                kept.push(text);
                format!("{} kept", kept.len())
            }
            Err(_) => "0 kept".to_owned(),
        }
    }
}

#[tool_handler]
impl ServerHandler for Notes {}

/// The authorization server for an MCP server at `{origin}/mcp`. By `fetch` come the documents of clients that have one.
pub fn authorization_server(origin: &str, fetch: impl Fetch) -> Result<AuthorizationServer, grantor::ConfigError> {
    AuthorizationServer::builder(origin)
        .store(MemoryStore::new())
        .default_scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes")
        .preset(Preset::mcp(format!("{origin}/mcp")).fetch(fetch))
        .build()
}

/// Both servers. `signed_in` tells who sits at the browser; a real host looks at its session.
pub fn app(server: AuthorizationServer, signed_in: impl grantor::Host) -> Router {
    let notes = Notes::default();
    let resource = format!("{}/mcp", server.issuer());
    let service = StreamableHttpService::new(
        move || Ok(notes.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let guarded = from_fn_with_state((server.clone(), resource), guard);
    Router::new().route_service("/mcp", service).layer(guarded).merge(grantor::axum::router(server, signed_in))
}

/// Alice, always: there is nobody else at this machine.
pub fn alice(server: &AuthorizationServer) -> impl grantor::Host + use<> {
    let clock = server.clone();
    move |_: &axum::http::request::Parts| Some(SignedIn::new("alice", clock.now()))
}

/// Lets a call through that brings a token for this resource with the scope of the tool it calls.
async fn guard(
    State((server, resource)): State<(AuthorizationServer, String)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_CALL).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let scope = if calls(&body, "add_note") { "notes:write" } else { "notes:read" };
    let request = Request::from_parts(parts, Body::from(body));
    match server.check(&request, Require::scope(scope).at(&resource)).await {
        Ok(_) => next.run(request).await,
        Err(challenge) => challenge.into_response().into_response(),
    }
}

fn calls(body: &[u8], tool: &str) -> bool {
    let call: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    call["method"] == "tools/call" && call["params"]["name"] == tool
}
