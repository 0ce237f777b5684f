//! An application of poem with an authorization server in it. `cargo run` in this directory.

use std::sync::Arc;

use grantor::resource::Needs;
use grantor::{Require, Site};
use http::request::Parts;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::{Data, LocalAddr};
use poem::{EndpointExt as _, Request, Response, Route, Server, get, handler, post};

mod adapter;
#[path = "../../adapters/common.rs"]
mod common;
use adapter::{Bearer, Provider, response_of};
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

#[handler]
fn hello(token: Bearer<Read>) -> String {
    format!("Hello, {}!\n", token.subject().unwrap_or(token.client_id()))
}

#[handler]
fn note(_token: Bearer<Write>, note: String) -> String {
    format!("Noted: {note}\n")
}

#[handler]
fn login(request: &Request) -> Response {
    response_of(Sessions::page(request.uri().query().unwrap_or_default()))
}

#[handler]
fn sign_in(sessions: Data<&Arc<Sessions>>, body: Vec<u8>) -> Response {
    response_of(sessions.sign_in(&body))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let acceptor = TcpListener::bind(address).into_acceptor().await?;
    let LocalAddr(local) = acceptor.local_addr().remove(0);
    let address = local.as_socket_addr().ok_or("no address")?;
    let issuer = format!("http://{address}");
    let server = common::authorization_server(&issuer).await?;
    let sessions = Arc::new(Sessions::new(server.clone()));

    let known = Arc::clone(&sessions);
    let site = Site::new(server.clone(), move |request: &Parts| known.who(&request.headers));
    let app = Route::new()
        .at("/hello", get(hello))
        .at("/notes", post(note))
        .at("/login", get(login).post(sign_in))
        .at("/*rest", Provider(site))
        .data(server)
        .data(sessions);
    common::announce(&issuer);
    Server::new_with_acceptor(acceptor).run(app).await?;
    Ok(())
}
