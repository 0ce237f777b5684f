//! A server to manage, and what its clients and users do.

use std::sync::{Arc, Mutex};

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, Timestamp};
use grantor::event::Event;
use grantor::manage::Registered;
use grantor::secret::Secret;
use grantor::store::MemoryStore;
use grantor::{Approval, AuthorizationServer, Builder, ClientId, Outcome, Require};
use http::{Request, Response};

pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub const SECRET: [u8; 32] = [7; 32];

pub struct World {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub events: Arc<Mutex<Vec<Event>>>,
}

pub fn world() -> World {
    world_with(|builder| builder)
}

pub fn world_with(configure: impl FnOnce(Builder) -> Builder) -> World {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
    let builder = AuthorizationServer::builder("https://auth.example.com")
        .shared_store(Arc::clone(&store) as _)
        .clock(Arc::clone(&clock) as _)
        .secret(SECRET)
        .default_scope("read", "Read your data")
        .scope("write", "Change your data")
        .resource("https://api.example.com", ["read"])
        .observer(move |event: &Event| seen.lock().unwrap().push(event.clone()));
    World { server: configure(builder).build().unwrap(), store, clock, events }
}

pub fn metadata(name: &str) -> ClientMetadata {
    ClientMetadata {
        client_name: name.into(),
        redirect_uris: vec!["https://app.example/cb".into()],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
        token_endpoint_auth_method: AuthMethod::ClientSecretPost,
        scope: "read write".parse().unwrap(),
        ..ClientMetadata::default()
    }
}

pub fn public(name: &str) -> ClientMetadata {
    ClientMetadata {
        token_endpoint_auth_method: AuthMethod::None,
        grant_types: ["authorization_code", "refresh_token"].map(str::to_owned).to_vec(),
        ..metadata(name)
    }
}

impl World {
    pub async fn register(&self, metadata: ClientMetadata) -> Registered {
        self.server.clients().register(metadata).await.unwrap()
    }

    pub async fn send(&self, request: Request<String>) -> Response<String> {
        match self.server.handle(request).await {
            Outcome::Respond(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub async fn token(&self, client: &ClientId, secret: &str, grant: &str) -> Response<String> {
        let body = format!("{grant}&client_id={client}&client_secret={secret}");
        let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body).unwrap()).await
    }

    pub async fn authenticates(&self, client: &ClientId, secret: &Secret) -> bool {
        self.token(client, secret.expose(), "grant_type=client_credentials").await.status().is_success()
    }

    pub async fn code(&self, client: &ClientId, user: &str) -> String {
        self.code_for(client, user, "read").await
    }

    pub async fn code_for(&self, client: &ClientId, user: &str, scope: &str) -> String {
        let uri = format!(
            "/authorize?client_id={client}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code\
             &scope={scope}&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let Outcome::Interact { pending, .. } =
            self.server.handle(Request::get(uri).body(String::new()).unwrap()).await
        else {
            panic!("not pending")
        };
        let approval = Approval::new(user.into(), self.server.now()).on_device("Firefox\u{7} on a ship");
        let response = self.server.approve(*pending, approval).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    }

    /// The access token of a new grant of this user.
    pub async fn grant(&self, client: &Registered, user: &str) -> String {
        let code = self.code(client.client.id(), user).await;
        let grant = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
        let secret = client.secret.as_ref().unwrap();
        let response = self.token(client.client.id(), secret.expose(), &grant).await;
        let json: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        json["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn is_live(&self, token: &str) -> bool {
        self.server.verify(token, Require::any()).await.is_ok()
    }

    /// What the server answers a form, with or without credentials of a client.
    pub async fn form(&self, path: &str, body: String) -> Response<String> {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body).unwrap()).await
    }

    pub async fn introspect(&self, client: &Registered, token: &str) -> serde_json::Value {
        let (id, secret) = (client.client.id(), client.secret.as_ref().unwrap().expose());
        let answer = self.form("/introspect", format!("token={token}&client_id={id}&client_secret={secret}")).await;
        serde_json::from_str(answer.body()).unwrap()
    }

    pub fn told(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }
}
