//! What the hosts of `examples/adapters` have in common: an authorization server, a client, and a sign-in that is just
//! enough to play with.
//!
//! It speaks the types of the `http` crate, so that each example shows its framework and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use grantor::client::ClientMetadata;
use grantor::entropy::{Entropy as _, SystemEntropy};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::MemoryStore;
use grantor::wire::form::Form;
use grantor::wire::html::escape;
use grantor::{AuthorizationServer, SignedIn};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// Who is signed in, by the cookie that their browser has.
#[derive(Debug)]
pub(crate) struct Sessions {
    server: AuthorizationServer,
    open: Mutex<HashMap<String, SignedIn>>,
}

/// An authorization server at this address, with two scopes and the client `web`.
pub(crate) async fn authorization_server(issuer: &str) -> Result<AuthorizationServer, Box<dyn std::error::Error>> {
    let builder = AuthorizationServer::builder(issuer).store(MemoryStore::new());
    let server = builder.default_scope("read", "Read your notes").scope("write", "Write notes").build()?;
    let metadata = ClientMetadata {
        client_name: "Notes".into(),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
        scope: "read write".parse()?,
        ..ClientMetadata::default()
    };
    let secret = Secret::new("web-secret-web-secret-web-secret");
    server
        .clients()
        .register(Registration { metadata, client_id: Some("web".into()), client_secret: Some(secret) })
        .await?;
    Ok(server)
}

impl Sessions {
    /// Nobody is signed in yet.
    pub(crate) fn new(server: AuthorizationServer) -> Self {
        Self { server, open: Mutex::default() }
    }

    /// Whoever the browser that sends these headers has signed in.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let cookies = headers.get(COOKIE)?.to_str().ok()?;
        let ticket = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(ticket).cloned()
    }

    /// `GET /login`: the page on which one signs in, to go on to the `return_to` of the query.
    pub(crate) fn page(query: &str) -> Response<String> {
        let form = Form::parse(query.as_bytes()).unwrap_or_default();
        let return_to = escape(form.get("return_to").unwrap_or_default());
        let mut response = Response::new(format!(
            "<!doctype html><html lang=\"en\"><title>Sign in</title><form method=\"post\" action=\"/login\">\
             <input type=\"hidden\" name=\"return_to\" value=\"{return_to}\">\
             <label>Name <input name=\"username\"></label> <label>Password <input name=\"password\" type=\"password\"></label>\
             <button>Sign in</button></form>"
        ));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }

    /// `POST /login`: there is one user, alice, and her password is wonderland.
    pub(crate) fn sign_in(&self, body: &[u8]) -> Response<String> {
        let form = Form::parse(body).unwrap_or_default();
        let (name, return_to) = (form.get("username").unwrap_or_default(), form.get("return_to").unwrap_or_default());
        // A page that sends browsers wherever it is told helps whoever wants to be trusted as we are.
        let known = name == "alice" && form.get("password") == Some("wonderland") && self.server.is_own_url(return_to);
        let mut random = [0; 16];
        let location = HeaderValue::from_str(return_to);
        let (true, Ok(location), Ok(())) = (known, location, SystemEntropy.fill(&mut random)) else {
            return status(StatusCode::FORBIDDEN);
        };
        let ticket = format!("{:032x}", u128::from_be_bytes(random));
        let cookie = HeaderValue::from_str(&format!("session={ticket}; Path=/; HttpOnly; SameSite=Lax"));
        let user = SignedIn::new(name, self.server.now());
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, user);
        let mut response = status(StatusCode::SEE_OTHER);
        response.headers_mut().insert(LOCATION, location);
        response.headers_mut().extend(cookie.ok().map(|cookie| (SET_COOKIE, cookie)));
        response
    }
}

fn status(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    response
}

/// What a person or a script must know to try it.
pub(crate) fn announce(issuer: &str) {
    println!("listening on {issuer}");
    println!("  GET {issuer}/hello needs the scope read, POST {issuer}/notes needs write");
    println!("  user alice, password wonderland; client web, secret web-secret-web-secret-web-secret");
    println!("Ctrl-C stops it.");
}
