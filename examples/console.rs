//! The console, in a host with three accounts and four applications. `cargo run --example console`
//!
//! Open the address it prints. There are no passwords: one signs in by saying who one is, which is the one thing not to
//! copy. Everything is kept in memory.
//!
//! | account | may |
//! |---|---|
//! | `ada` | everything: she administrates |
//! | `fred` | see which applications hold access to his account, and make access tokens |
//! | `rita` | see which applications hold access to her account; she can delete her tokens, but make none |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an example that cannot go on may stop")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::access::{Access, Action, Actor};
use grantor::client::{ApplicationType, AuthMethod, ClientMetadata};
use grantor::console::Console;
use grantor::entropy::{Entropy as _, SystemEntropy};
use grantor::pages::{Pages as _, PlainPages};
use grantor::resource::Challenge;
use grantor::store::MemoryStore;
use grantor::wire::form::Form;
use grantor::wire::html::escape;
use grantor::wire::uri::append_query;
use grantor::{AuthorizationServer, DeviceAuthorization, Host, Outcome, Require, ScopeDefinition, SignIn, SignedIn};
use sha2::{Digest as _, Sha256};

/// What a television does, having no browser (RFC 8628).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const ACCOUNTS: [(&str, &str); 3] = [("ada", "Ada, who administrates"), ("fred", "Fred"), ("rita", "Rita")];

/// Everything around the server.
pub(crate) struct App {
    pub(crate) server: AuthorizationServer,
    /// By the digest of the cookie.
    sessions: Arc<Mutex<HashMap<[u8; 32], SignedIn>>>,
    /// The applications that come with the example: what each registered, and the code verifiers it waits with.
    applications: Vec<Application>,
    verifiers: Mutex<HashMap<String, (usize, String)>>,
}

struct Application {
    name: String,
    id: String,
    secret: Option<String>,
    redirect_uri: String,
}

/// Who is signed in, and what they may: all that the library asks of its host.
#[derive(Clone)]
struct Accounts {
    sessions: Arc<Mutex<HashMap<[u8; 32], SignedIn>>>,
}

#[grantor::async_trait]
impl Host for Accounts {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        signed_in(&self.sessions, &request.headers)
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        sign_in.at("/login")
    }
}

#[grantor::async_trait]
impl Access for Accounts {
    async fn actor(&self, request: &Parts) -> Option<Actor> {
        let SignedIn { subject, name, .. } = signed_in(&self.sessions, &request.headers)?;
        Some(Actor { subject, name })
    }

    async fn may(&self, actor: &Actor, action: Action<'_>) -> bool {
        match action {
            Action::OwnGrants | Action::OwnTokens => true,
            Action::CreateOwnToken => actor.subject.as_str() != "rita",
            _ => actor.subject.as_str() == "ada",
        }
    }
}

fn signed_in(sessions: &Mutex<HashMap<[u8; 32], SignedIn>>, headers: &HeaderMap) -> Option<SignedIn> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let cookie = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
    let sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.get(&<[u8; 32]>::from(Sha256::digest(cookie))).cloned()
}

/// The server, with what there is to do with it, at this address.
pub(crate) async fn app(issuer: &str) -> (Arc<App>, Router) {
    let server = AuthorizationServer::builder(issuer)
        .store(MemoryStore::new())
        .scope_definition(ScopeDefinition::new("read", "See your cameras and their settings").default())
        .device_authorization(DeviceAuthorization::default())
        .scope("write", "Change settings")
        .scope("liveview", "Watch live pictures")
        .scope("recordings", "Watch recordings")
        .scope("recordings_delete", "Delete recordings")
        .scope("events", "Receive events")
        .build()
        .expect("the configuration is sound");
    let applications = applications(&server, issuer).await;
    let sessions: Arc<Mutex<HashMap<_, _>>> = Arc::default();
    let accounts = Accounts { sessions: Arc::clone(&sessions) };
    let console = Console::new(server.clone(), accounts.clone()).name("Camera cloud").sign_in_at("/login");
    let console = console.account_at("/");
    let app = Arc::new(App { server: server.clone(), sessions, applications, verifiers: Mutex::default() });
    let router = Router::new()
        .route("/", get(home))
        .route("/login", get(show_accounts).post(sign_in))
        .route("/connect/{application}", get(connect))
        .route("/callback", get(callback))
        .route("/api/me", get(me))
        .with_state(Arc::clone(&app))
        .merge(grantor::axum::console(console))
        .merge(grantor::axum::router(server, accounts));
    (app, router)
}

/// One application for each of the products whose pages these are.
async fn applications(server: &AuthorizationServer, issuer: &str) -> Vec<Application> {
    let redirect_uri = format!("{issuer}/callback");
    let grants = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let web = ClientMetadata {
        redirect_uris: vec![redirect_uri.clone()],
        grant_types: grants(&["authorization_code", "refresh_token"]),
        application_type: Some(ApplicationType::Web),
        ..ClientMetadata::default()
    };
    let all = [
        ClientMetadata {
            client_name: "Device reports".into(),
            description: "Reads the state of all devices every night.".into(),
            grant_types: grants(&["client_credentials"]),
            redirect_uris: Vec::new(),
            ..web.clone()
        },
        ClientMetadata {
            client_name: "Camera wall".into(),
            description: "Shows live pictures on the wall of the control room.".into(),
            client_uri: Some("https://wall.example".into()),
            scope: "read liveview recordings".parse().unwrap(),
            ..web.clone()
        },
        ClientMetadata {
            client_name: "Approval flow".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            scope: "read write events".parse().unwrap(),
            ..web.clone()
        },
        ClientMetadata {
            client_name: "Desktop player".into(),
            grant_types: grants(&["authorization_code", "refresh_token", DEVICE_CODE]),
            token_endpoint_auth_method: AuthMethod::None,
            application_type: Some(ApplicationType::Native),
            scope: "read liveview".parse().unwrap(),
            ..web
        },
    ];
    let mut made = Vec::new();
    for metadata in all {
        let name = metadata.client_name.clone();
        let registered = server.clients().register(metadata).await.expect("the metadata is sound");
        made.push(Application {
            name,
            id: registered.client.id().as_str().to_owned(),
            secret: registered.secret.map(|secret| secret.expose().to_owned()),
            redirect_uri: redirect_uri.clone(),
        });
    }
    made
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let policy = format!("default-src 'none'; {}; frame-ancestors 'none'", PlainPages::new().sources());
    let html = PlainPages::document(title, &format!("<h1>{}</h1>\n{body}", escape(title)));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (status, headers, html).into_response()
}

/// What there is.
async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut body = match signed_in(&app.sessions, &headers) {
        Some(user) => format!(
            "<p>Signed in as <strong>{}</strong>. <a href=\"/login\">Be somebody else</a></p>\n",
            escape(&user.name)
        ),
        None => "<p><a href=\"/login\">Sign in</a></p>\n".to_owned(),
    };
    body.push_str("<div class=\"acts\"><a class=\"button go\" href=\"/console/\">Open the console</a></div>\n");
    body.push_str("<h2>Applications that ask for access</h2>\n<ul>\n");
    for (at, application) in app.applications.iter().enumerate().skip(1) {
        let _ = writeln!(body, "<li><a href=\"/connect/{at}\">Connect {}</a></li>", escape(&application.name));
    }
    body.push_str("</ul>\n");
    page(StatusCode::OK, "Camera cloud", &body)
}

async fn show_accounts(State(app): State<Arc<App>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let return_to = query.get("return_to").map_or("", String::as_str);
    let mut body =
        String::from("<p>This is an example: say who you are.</p>\n<form method=\"post\" action=\"/login\">\n");
    if app.server.is_own_url(return_to) {
        let _ = writeln!(body, "<input type=\"hidden\" name=\"return_to\" value=\"{}\">", escape(return_to));
    }
    for (account, name) in ACCOUNTS {
        let _ = writeln!(body, "<p><button class=\"wide\" name=\"account\" value=\"{account}\">{name}</button></p>");
    }
    body.push_str("</form>\n");
    page(StatusCode::OK, "Sign in", &body)
}

async fn sign_in(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let site = headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default());
    let form = Form::parse(&body).ok().filter(|_| site.is_none_or(|site| site == "same-origin"));
    let account =
        form.as_ref().and_then(|form| ACCOUNTS.into_iter().find(|(account, _)| form.get("account") == Some(account)));
    let Some((account, name)) = account else {
        return page(StatusCode::BAD_REQUEST, "That did not work", "<p>Go back and try again.</p>\n");
    };
    let user = SignedIn { name: name.to_owned(), ..SignedIn::new(account, app.server.now()) };
    let cookie = random();
    let digest = Sha256::digest(&cookie).into();
    app.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, user);
    let return_to = form.as_ref().and_then(|form| form.get("return_to")).filter(|url| app.server.is_own_url(url));
    let cookie = format!("session={cookie}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(return_to.unwrap_or("/"))).into_response()
}

fn random() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes).expect("there is randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What an application does to ask for access.
async fn connect(State(app): State<Arc<App>>, Path(at): Path<usize>) -> Response {
    let Some(application) = app.applications.get(at) else { return StatusCode::NOT_FOUND.into_response() };
    let (state, verifier) = (random(), random());
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    app.verifiers.lock().unwrap_or_else(PoisonError::into_inner).insert(state.clone(), (at, verifier));
    let url = append_query(
        &format!("{}/authorize", app.server.issuer()),
        &[
            ("response_type", "code"),
            ("client_id", &application.id),
            ("redirect_uri", &application.redirect_uri),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ],
    );
    Redirect::to(&url).into_response()
}

/// And what it does when it is let in: it exchanges the code, and calls the API once.
async fn callback(State(app): State<Arc<App>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let get = |name: &str| query.get(name).map_or("", String::as_str);
    let waiting = app.verifiers.lock().unwrap_or_else(PoisonError::into_inner).remove(get("state"));
    let Some((application, verifier)) = waiting.and_then(|(at, verifier)| Some((app.applications.get(at)?, verifier)))
    else {
        return page(StatusCode::BAD_REQUEST, "That did not work", "<p>Nobody waits for this.</p>\n");
    };
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", get("code")),
        ("redirect_uri", &application.redirect_uri),
        ("code_verifier", &verifier),
    ];
    let mut request =
        axum::http::Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &application.secret {
        Some(secret) if application.name == "Approval flow" => {
            fields.extend([("client_id", application.id.as_str()), ("client_secret", secret)]);
        }
        Some(secret) => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{secret}", application.id));
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        None => fields.push(("client_id", &application.id)),
    }
    let body = append_query("", &fields).trim_start_matches('?').to_owned();
    let outcome = app.server.handle(request.body(body).unwrap()).await;
    let Outcome::Respond(answer) = outcome else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let token: serde_json::Value = serde_json::from_str(answer.body()).unwrap_or_default();
    let word = |name: &str| token.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let good = app.server.verify(word("access_token"), Require::any()).await;
    let body = match good {
        Ok(_) => format!(
            "<p><strong>{}</strong> now has access: <code>{}</code>.</p>\n\
             <div class=\"acts\"><a class=\"button go\" href=\"/console/apps\">See your connected apps</a></div>\n",
            escape(&application.name),
            escape(word("scope"))
        ),
        Err(_) => format!("<p>It was not let in: <code>{}</code></p>\n", escape(get("error"))),
    };
    page(StatusCode::OK, &application.name, &body)
}

/// What the API says of whoever calls it.
async fn me(State(app): State<Arc<App>>, request: Request) -> Result<Response, Challenge> {
    let token = app.server.check(&request, Require::scope("read")).await?;
    let about = serde_json::json!({"sub": token.subject(), "client_id": token.client_id(), "scope": token.scope()});
    Ok(([(header::CONTENT_TYPE, "application/json")], about.to_string()).into_response())
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await.expect("the address is free");
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let (app, router) = app(&issuer).await;
    println!("The console:       {issuer}/console/");
    println!("Connect an app:    {issuer}/");
    for application in &app.applications {
        let secret = application.secret.as_deref().unwrap_or("(public: no secret)");
        println!("{:<18} {} {secret}", application.name, application.id);
    }
    axum::serve(listener, router).await.unwrap();
}
