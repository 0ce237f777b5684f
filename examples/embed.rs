//! The smallest useful host: an application that lets clients act for its users. `cargo run --example embed`
//!
//! Who is signed in is the application's to tell. This one stands behind a proxy that signs people in and names them in
//! the header `Remote-User` (and lets nobody else send one). An application with sessions of its own looks there
//! instead, and has a page `/login` that leads back to the `return_to` in its query, if
//! [`AuthorizationServer::is_own_url`].

use axum::{Router, extract::Request, extract::State, http::request::Parts, routing::get};
use grantor::client::ClientMetadata;
use grantor::{AuthorizationServer, Require, SignedIn, resource::Challenge, store::MemoryStore};

/// The application's own API, for whoever has a token with the right scope.
async fn hello(State(server): State<AuthorizationServer>, request: Request) -> Result<String, Challenge> {
    let token = server.check(&request, Require::scope("hello")).await?;
    Ok(format!("Hello, {}!\n", token.subject().unwrap_or(token.client_id())))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let builder = AuthorizationServer::builder(&issuer).store(MemoryStore::new());
    let server = builder.default_scope("hello", "Greet you by name").build()?;

    let metadata = ClientMetadata {
        client_name: "Greeter".into(),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        grant_types: vec!["authorization_code".into(), "client_credentials".into()],
        ..ClientMetadata::default()
    };
    let made = server.clients().register(metadata).await?;
    let secret = made.secret.ok_or("a public client has no secret")?;
    println!("curl -u {}:{} -d grant_type=client_credentials {issuer}/token", made.client.id(), secret.expose());

    let clock = server.clone();
    let host = move |request: &Parts| {
        request.headers.get("remote-user")?.to_str().ok().map(|user| SignedIn::new(user, clock.now()))
    };
    let app = Router::new().route("/hello", get(hello)).with_state(server.clone());
    axum::serve(listener, app.merge(grantor::axum::router(server, host))).await?;
    Ok(())
}
