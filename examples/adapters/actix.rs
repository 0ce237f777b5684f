//! An application of actix-web with an authorization server in it. `cargo run --example with_actix`

use std::sync::Arc;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use grantor::resource::{Bearer, Needs};
use grantor::{Require, Site};
use http::request::Parts;

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

async fn hello(token: Bearer<Read>) -> String {
    format!("Hello, {}!\n", token.subject().unwrap_or(token.client_id()))
}

async fn note(_: Bearer<Write>, note: String) -> String {
    format!("Noted: {note}\n")
}

async fn login(request: HttpRequest) -> HttpResponse {
    grantor::actix::response(Sessions::page(request.query_string()))
}

async fn sign_in(sessions: Data<Sessions>, body: Bytes) -> HttpResponse {
    grantor::actix::response(sessions.sign_in(&body))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = std::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into()))?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server = common::authorization_server(&issuer).await?;
    let sessions = Arc::new(Sessions::new(server.clone()));

    let known = Arc::clone(&sessions);
    let site = Site::new(server, move |request: &Parts| known.who(&request.headers));
    common::announce(&issuer);
    let app = move || {
        App::new()
            .app_data(Data::from(Arc::clone(&sessions)))
            .route("/hello", web::get().to(hello))
            .route("/notes", web::post().to(note))
            .route("/login", web::get().to(login))
            .route("/login", web::post().to(sign_in))
            .configure(grantor::actix::site(site.clone()))
    };
    HttpServer::new(app).workers(2).listen(listener)?.run().await?;
    Ok(())
}
