//! A host that adds to the server what the server does not have. `cargo run --example extensions`
//!
//! `host.rs` has what is added; here it is served, and a script is told how to use it.

use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock as _, SystemClock};
use grantor::manage::Registration;
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, SignedIn};

mod host;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let builder = AuthorizationServer::builder(&issuer).store(MemoryStore::new());
    let server = host::extend(builder.default_scope("read", "Read").scope("write", "Write"), &issuer).build()?;

    let metadata = ClientMetadata {
        client_name: "A job that runs at night".into(),
        token_endpoint_auth_method: AuthMethod::Extension(host::BY_CERTIFICATE),
        grant_types: vec![host::TICKET.into(), "client_credentials".into()],
        response_types: Vec::new(),
        scope: "read write".parse()?,
        ..ClientMetadata::default()
    };
    server.clients().register(Registration { client_id: Some("batch".into()), ..metadata.into() }).await?;
    println!("curl -H '{}: 4f1c' -d grant_type={} -d ticket=front-row {issuer}/token", host::HEADER, host::TICKET);

    println!("curl -H 'Authorization: Bearer TOKEN' {issuer}/elsewhere");

    // A resource server that knows the key and nobody else: what it does not know is whether the token was revoked.
    let jwt = host::Jwt { issuer, key: host::KEY };
    let elsewhere = move |headers: HeaderMap| async move {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let claims = token.and_then(|token| jwt.verify(token, SystemClock.now().as_secs()));
        claims.map(|claims| claims.to_string()).ok_or(StatusCode::UNAUTHORIZED)
    };
    let nobody = |_: &axum::http::request::Parts| None::<SignedIn>;
    let app = axum::Router::new().route("/elsewhere", get(elsewhere)).merge(grantor::axum::router(server, nobody));
    axum::serve(listener, app).await?;
    Ok(())
}
