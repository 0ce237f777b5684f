//! A host with its site and its API on a port of their own, and browsers and programs that call them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::get;
use grantor::access::{Access, Action, Actor};
use grantor::api::ManagementApi;
use grantor::client::ClientMetadata;
use grantor::clock::{ManualClock, Timestamp};
use grantor::manage::Registered;
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, Builder, Dialect, Require, Rights, SignedIn, Site};
use http::request::Parts;
use http::{Request, Response};
use serde_json::Value;

use crate::http_client::exchange;

pub const CALLBACK: &str = "https://app.example/cb";
pub const API: &str = "/manage/v1";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const PKCE: &str = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// The house: `admin` may everything, `full` may make applications too, `guest` has their own.
struct House;

#[async_trait]
impl Access for House {
    async fn actor(&self, _: &Parts) -> Option<Actor> {
        None
    }

    async fn may(&self, actor: &Actor, action: Action<'_>) -> bool {
        match actor.subject.as_str() {
            "admin" => true,
            "full" => !matches!(action, Action::RevokeEverything),
            _ => matches!(action, Action::OwnGrants | Action::OwnTokens | Action::CreateOwnToken),
        }
    }
}

/// Serves the site, and an API beside it, on a thread of their own. Where they listen.
fn serve(site: Site) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let api = Router::new().route("/api/me", get(me)).with_state(site.server().clone());
    let router = api.merge(grantor::axum::site(site));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

/// The API of the host: whom the token speaks for, if it is enough for what the request names.
async fn me(State(server): State<AuthorizationServer>, request: axum::extract::Request) -> axum::response::Response {
    let request = request.map(|_| ());
    let needs = request.headers()["x-needs"].to_str().unwrap();
    match server.check(&request, Require::scope(needs)).await {
        Ok(token) => token.subject().unwrap_or_default().to_owned().into_response(),
        Err(challenge) => challenge.into_response().into_response(),
    }
}

pub struct World {
    site: Site,
    /// Where it listens.
    address: String,
    pub clock: Arc<ManualClock>,
    /// The host's own front end, which calls the API for whoever is signed in.
    portal: Registered,
}

impl World {
    pub async fn new(scopes: &[&str], rights: impl Rights) -> Self {
        Self::with(scopes, |builder| builder.rights(rights)).await
    }

    pub async fn plain(scopes: &[&str]) -> Self {
        Self::with(scopes, |builder| builder).await
    }

    async fn with(scopes: &[&str], configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let mut builder = AuthorizationServer::builder("https://auth.example.com")
            .store(MemoryStore::new())
            .clock(Arc::clone(&clock) as _)
            .management_api(ManagementApi::new().access(House));
        for scope in scopes {
            builder = builder.scope(*scope, format!("May {scope}"));
        }
        let server = configure(builder).build().unwrap();
        let clients = "grantor:clients:read grantor:clients:write grantor:grants:read grantor:grants:write";
        let portal = ClientMetadata {
            client_name: "Portal".into(),
            redirect_uris: vec![CALLBACK.into()],
            grant_types: vec!["authorization_code".into()],
            token_endpoint_auth_method: grantor::client::AuthMethod::ClientSecretPost,
            consent: grantor::client::Consent::Implied,
            scope: format!("{clients} grantor:tokens:read grantor:tokens:write").parse().unwrap(),
            ..ClientMetadata::default()
        };
        let portal = server.clients().register(portal).await.unwrap();
        let signed_in = |request: &Parts| {
            let user = request.headers.get("x-user")?.to_str().ok()?;
            Some(SignedIn::new(user, Timestamp::from_secs(1_767_225_600)))
        };
        let site = Site::new(server, signed_in);
        Self { address: serve(site.clone()), site, clock, portal }
    }

    /// The same host, whose clients speak a dialect.
    pub fn speaking(self, dialect: impl Dialect) -> Self {
        let site = self.site.dialect(dialect);
        Self { address: serve(site.clone()), site, ..self }
    }

    pub async fn send(&self, request: Request<String>) -> Response<String> {
        let (address, (parts, body)) = (self.address.clone(), request.into_parts());
        let exchange = move || {
            let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
            let path = parts.uri.path_and_query().unwrap().as_str();
            exchange(&address, parts.method.as_str(), path, &headers.collect::<Vec<_>>(), &body).unwrap()
        };
        let answer = tokio::task::spawn_blocking(exchange).await.unwrap();
        let response = Response::builder().status(answer.status);
        let response = answer.headers.iter().fold(response, |response, (name, value)| response.header(name, value));
        response.body(answer.body).unwrap()
    }

    pub async fn post(&self, path: &str, form: &str) -> Response<String> {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form.to_owned()).unwrap()).await
    }

    /// What the token endpoint answers.
    pub async fn token(&self, form: &str) -> (u16, Value) {
        let answer = self.post("/token", form).await;
        (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap())
    }

    /// Sends a browser to the authorization endpoint, and answers the consent page if there is one. Where it ends up.
    pub async fn authorize(&self, request: Request<String>, user: &str, decision: &str) -> Response<String> {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("x-user", user.parse().unwrap());
        parts.headers.insert("user-agent", "Chromium on a desk".parse().unwrap());
        let page = self.send(Request::from_parts(parts, body)).await;
        if page.status() != 200 {
            return page;
        }
        let html = page.body();
        let field = |name: &str| {
            let at = html.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("{html}"));
            html[at..].split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let mut form = format!("handle={}&csrf={}&decision={decision}", field("handle"), field("csrf"));
        for scope in html.split("name=\"scope\" value=\"").skip(1) {
            form.push_str("&scope=");
            form.push_str(scope.split('"').next().unwrap());
        }
        let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let request = Request::post("/interaction")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie)
            .header("x-user", user)
            .header("user-agent", "Chromium on a desk");
        self.send(request.body(form).unwrap()).await
    }

    /// The page on which a user decides, as text.
    pub async fn consent_page(&self, query: &str, user: &str) -> String {
        let request = Request::get(format!("/authorize?{query}")).header("x-user", user);
        self.send(request.body(String::new()).unwrap()).await.into_body()
    }

    /// A code for this client, with PKCE.
    pub async fn code(&self, client_id: &str, user: &str, scope: &str) -> String {
        let uri = format!(
            "/authorize?response_type=code&client_id={client_id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
             &scope={scope}&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let answer = self.authorize(Request::get(uri).body(String::new()).unwrap(), user, "allow").await;
        parameter(&answer, "code").unwrap_or_else(|| panic!("{answer:?}"))
    }

    /// Calls the management API as somebody who is signed in at the portal.
    pub async fn manage(&self, user: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.manage_at(user, method, path, body, "*").await
    }

    pub async fn manage_at(
        &self,
        user: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        if_match: &str,
    ) -> (u16, Value) {
        let (id, secret) = (self.portal.client.id(), self.portal.secret.as_ref().unwrap().expose());
        let scope = self.portal.client.metadata().scope.as_str().replace(' ', "+");
        let code = self.code(id.as_str(), user, &scope).await;
        let form = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
        let (_, token) = self.token(&format!("{form}&client_id={id}&client_secret={secret}")).await;
        let token = token["access_token"].as_str().unwrap_or_else(|| panic!("{token}"));
        let mut request = Request::builder().method(method).uri(format!("{API}{path}"));
        request = request.header("authorization", format!("Bearer {token}")).header("if-match", if_match);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self.send(request.body(body).unwrap()).await;
        (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap_or_default())
    }

    /// The resource server of the host: whom the request speaks for, if the token is enough.
    pub async fn api_me(&self, token: &str, scope: &str) -> Result<Option<String>, u16> {
        let request =
            Request::get("/api/me").header("authorization", format!("Bearer {token}")).header("x-needs", scope);
        let answer = self.send(request.body(String::new()).unwrap()).await;
        if answer.status() == 200 {
            Ok(Some(answer.into_body()).filter(|subject| !subject.is_empty()))
        } else {
            Err(answer.status().as_u16())
        }
    }
}

/// A parameter of the address that a browser is sent to.
pub fn parameter(response: &Response<String>, name: &str) -> Option<String> {
    let location = response.headers().get("location")?.to_str().unwrap();
    let query = location.split('?').nth(1)?;
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
}
