//! A server with its console, and browsers of people who may this or that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use grantor::access::{Access, Action, Actor};
use grantor::client::{Client, ClientMetadata};
use grantor::clock::{ManualClock, Timestamp};
use grantor::console::Console;
use grantor::manage::{NewPersonalToken, Registered};
use grantor::store::{MemoryStore, Record};
use grantor::{Approval, AuthorizationServer, Outcome, Require, Subject};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};

use crate::html::{Form, Page};

/// The host: the header `x-user` says who it is. `admin` may everything, `nobody` nothing, `reader` only see; all others
/// what is their own.
pub struct Host;

#[async_trait]
impl Access for Host {
    async fn actor(&self, request: &Parts) -> Option<Actor> {
        let user = request.headers.get("x-user")?.to_str().ok()?;
        Some(Actor { subject: user.into(), name: format!("<{user}>") })
    }

    async fn may(&self, actor: &Actor, action: Action<'_>) -> bool {
        match actor.subject.as_str() {
            "admin" => true,
            "nobody" => false,
            "reader" => matches!(action, Action::ListClients | Action::ReadClient(_) | Action::ReadGrants),
            _ => matches!(action, Action::OwnGrants | Action::OwnTokens | Action::CreateOwnToken),
        }
    }
}

pub struct World {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub console: Console,
}

/// An answer, read.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn page(&self) -> Page {
        Page::read(&self.body)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn form(&self) -> Form {
        self.page().form().unwrap_or_else(|| panic!("no form: {}", self.page().text()))
    }
}

pub const REDIRECT_URI: &str = "https://app.example/cb";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

impl World {
    pub fn new() -> Self {
        Self::at("https://auth.example.com", |console| console)
    }

    pub fn at(issuer: &str, set: impl FnOnce(Console) -> Console) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let server = AuthorizationServer::builder(issuer)
            .shared_store(Arc::clone(&store) as _)
            .clock(Arc::clone(&clock) as _)
            .default_scope("read", "Read your data")
            .scope("write", "Change your data")
            .build()
            .unwrap();
        let console = set(Console::new(server.clone(), Host));
        Self { server, store, clock, console }
    }

    pub fn dump(&self) -> Vec<Arc<Record>> {
        self.store.snapshot()
    }

    pub async fn client(&self, name: &str) -> Registered {
        let metadata = ClientMetadata {
            client_name: name.into(),
            redirect_uris: vec![REDIRECT_URI.into()],
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            scope: "read write".parse().unwrap(),
            ..ClientMetadata::default()
        };
        self.server.clients().register(metadata).await.unwrap()
    }

    /// The access token of a new grant, on a device that calls itself this.
    pub async fn grant(&self, client: &Registered, user: &str, device: &str) -> String {
        let id = client.client.id();
        let uri = format!(
            "/authorize?client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let outcome = self.server.handle(Request::get(uri).body(String::new()).unwrap()).await;
        let Outcome::Interact { pending, .. } = outcome else { panic!("not pending") };
        let approval = Approval::new(user.into(), self.server.now()).on_device(device);
        let response = self.server.approve(*pending, approval).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let secret = client.secret.as_ref().unwrap().expose();
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let request = Request::post("/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {basic}"))
            .body(format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}"))
            .unwrap();
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("no answer") };
        let json: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        json["access_token"].as_str().unwrap().to_owned()
    }

    /// A personal token: its text, and what its grant is called.
    pub async fn token(&self, user: &str, name: &str) -> (String, String) {
        let new = NewPersonalToken {
            name: name.into(),
            scope: "read".parse().unwrap(),
            lifetime: Duration::from_secs(3600),
            resources: Vec::new(),
        };
        let made = self.server.personal_tokens().create(&Subject::from(user), new).await.unwrap();
        (made.token.expose().to_owned(), made.grant.id.as_str().to_owned())
    }

    pub async fn is_live(&self, token: &str) -> bool {
        self.server.verify(token, Require::any()).await.is_ok()
    }

    pub fn browser(&self, user: &str) -> Browser<'_> {
        Browser { world: self, user: user.to_owned(), jar: BTreeMap::new(), extra: Vec::new() }
    }

    /// Where the client's pages are, by their names; with what each needs.
    pub fn client_paths(client: &Client) -> Vec<String> {
        let id = client.id();
        [
            "client",
            "client/edit",
            "client/secret/new",
            "client/deactivate",
            "client/activate",
            "client/revoke",
            "client/delete",
        ]
        .map(|path| format!("/{path}?client={id}"))
        .into()
    }
}

/// A browser of one person.
#[derive(Clone)]
pub struct Browser<'w> {
    world: &'w World,
    pub user: String,
    pub jar: BTreeMap<String, String>,
    /// Headers that it sends with everything.
    pub extra: Vec<(&'static str, String)>,
}

impl Browser<'_> {
    /// Opens a page, by its path below the prefix.
    pub async fn open(&mut self, path: &str) -> Answer {
        let path = format!("{}{path}", self.world.console.prefix());
        self.send("GET", &path, String::new()).await
    }

    /// Opens a page and sends the form on it, as it is.
    pub async fn answer(&mut self, path: &str) -> Answer {
        let form = self.open(path).await.form();
        self.submit(&form).await
    }

    pub async fn submit(&mut self, form: &Form) -> Answer {
        self.send("POST", &form.action, encode(&form.fields)).await
    }

    pub async fn send(&mut self, method: &str, path: &str, body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "auth.example.com");
        if !self.user.is_empty() {
            request = request.header("x-user", &self.user);
        }
        if method == "POST" && !self.extra.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in &self.extra {
            request = request.header(*name, value);
        }
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = self.world.console.handle(request.body(body).unwrap()).await;
        let response: Response<String> = response.unwrap_or_else(|_| panic!("{path} is not the console's"));
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

pub fn encode(fields: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        out.push_str(if out.is_empty() { "" } else { "&" });
        grantor::wire::form::encode_component(&mut out, name);
        out.push('=');
        grantor::wire::form::encode_component(&mut out, value);
    }
    out
}
