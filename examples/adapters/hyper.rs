//! hyper, with an authorization server and no framework. `cargo run --example with_hyper`
//!
//! Here the scope that a route needs is named in the call of `check`.

use std::convert::Infallible;
use std::sync::Arc;

use grantor::{AuthorizationServer, Require, Site, tower};
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tower_service::Service as _;

mod common;
use common::Sessions;

#[derive(Clone)]
struct App {
    server: AuthorizationServer,
    sessions: Arc<Sessions>,
    site: tower::SiteService<tower::NotFound>,
}

impl App {
    async fn answer(mut self, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
        Ok(match (request.method(), request.uri().path()) {
            (&Method::GET, "/hello") => match self.server.check(&request, Require::scope("read")).await {
                Ok(token) => Response::new(format!("Hello, {}!\n", token.subject().unwrap_or(token.client_id()))),
                Err(challenge) => challenge.into_response(),
            },
            (&Method::POST, "/notes") => match self.server.check(&request, Require::scope("write")).await {
                Ok(_) => Response::new(format!("Noted: {}\n", String::from_utf8_lossy(&body(request).await))),
                Err(challenge) => challenge.into_response(),
            },
            (&Method::GET, "/login") => Sessions::page(request.uri().query().unwrap_or_default()),
            (&Method::POST, "/login") => self.sessions.sign_in(&body(request).await),
            _ => self.site.call(request).await?,
        })
    }
}

/// The body, up to 64 KiB.
async fn body(request: Request<Incoming>) -> Vec<u8> {
    let (mut body, mut collected) = (Box::pin(request.into_body()), Vec::new());
    while let Some(Ok(frame)) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        collected.extend(frame.into_data().unwrap_or_default());
        if collected.len() > 64 * 1024 {
            break;
        }
    }
    collected
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server = common::authorization_server(&issuer).await?;
    let sessions = Arc::new(Sessions::new(server.clone()));

    let known = Arc::clone(&sessions);
    let site = Site::new(server.clone(), move |request: &Parts| known.who(&request.headers));
    let app = App { server, sessions, site: tower::service(site) };
    common::announce(&issuer);
    loop {
        let (stream, _) = listener.accept().await?;
        let app = app.clone();
        let answer = service_fn(move |request| app.clone().answer(request));
        tokio::spawn(async move {
            // Whoever hung up will not hear of it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
