//! An application of axum with an authorization server in it. `cargo run --example with_axum`

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRef, RawQuery, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use grantor::resource::{Bearer, Needs};
use grantor::{AuthorizationServer, Require};

mod common;
use common::Sessions;

/// The scope that `GET /hello` needs.
struct Read;

impl Needs for Read {
    const REQUIRE: Require<'static> = Require::scope("read");
}

/// The scope that `POST /notes` needs.
struct Write;

impl Needs for Write {
    const REQUIRE: Require<'static> = Require::scope("write");
}

/// What the handlers share; the extractor `Bearer` finds the server in it.
#[derive(Clone, FromRef)]
struct App {
    server: AuthorizationServer,
    sessions: Arc<Sessions>,
}

async fn hello(token: Bearer<Read>) -> String {
    format!("Hello, {}!\n", token.subject().unwrap_or(token.client_id()))
}

async fn note(_: Bearer<Write>, note: String) -> String {
    format!("Noted: {note}\n")
}

async fn login(RawQuery(query): RawQuery) -> Response {
    Sessions::page(&query.unwrap_or_default()).into_response()
}

async fn sign_in(State(app): State<App>, body: Bytes) -> Response {
    app.sessions.sign_in(&body).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server = common::authorization_server(&issuer).await?;
    let sessions = Arc::new(Sessions::new(server.clone()));
    let app = App { server: server.clone(), sessions: Arc::clone(&sessions) };

    let own = Router::new()
        .route("/hello", get(hello))
        .route("/notes", post(note))
        .route("/login", get(login).post(sign_in))
        .with_state(app);
    let host = move |request: &Parts| sessions.who(&request.headers);
    common::announce(&issuer);
    axum::serve(listener, own.merge(grantor::axum::router(server, host))).await?;
    Ok(())
}
