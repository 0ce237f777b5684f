//! A server that clients talk to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock, Timestamp};
use grantor::manage::{ManageError, Registration};
use grantor::secret::Secret;
use grantor::store::Store;
use grantor::{Approval, AuthorizationServer, Lifetimes, Limits, Outcome};
use http::Request;
use serde::{Deserialize, Serialize};

use crate::faults::{Faults, Faulty};
use crate::random::Random;

/// How many grants a person may have with the client: few, so that rounds reach it.
pub const CAP: usize = 2;
/// How long a spent refresh token gets the same answer again.
pub const WINDOW: Duration = Duration::from_secs(30);
/// When the clock of the first round stands: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

const ISSUER: &str = "https://auth.example.com";
const CALLBACK: &str = "https://app.example/cb";
/// The pair of RFC 7636 App. B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CLIENT: &str = "web";
const SECRET: &str = "web-secret-web-secret-web-secret";

/// What a node is asked. It can travel to another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    SignIn(String),
    Redeem(String),
    Refresh(String),
    Introspect(String),
    Revoke(String),
    EndApp(String),
    EndPerson(String),
    /// How often its store fails from now on.
    Faults(Faults),
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// As in HTTP; 0 where the connection broke.
    pub status: u16,
    /// As in HTTP; a code, after a sign-in.
    pub body: String,
}

impl Reply {
    pub fn lost() -> Self {
        Self { status: 0, body: String::new() }
    }

    fn of(status: u16) -> Self {
        Self { status, body: String::new() }
    }
}

/// A server, wherever it runs.
#[async_trait]
pub trait Node: Send + Sync {
    /// Asks it, and tells it that it is at least `now`.
    async fn ask(&self, now: Timestamp, ask: Ask) -> Reply;

    /// How often it was started anew.
    fn life(&self) -> u64 {
        0
    }

    /// Kills it without warning and starts it anew, where that can be done.
    fn kill(&self) {}

    /// Kills the database without warning and starts it anew, where that can be done.
    fn crash(&self) {}
}

/// Shows the latest moment that anybody has told it.
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A server in this process.
pub struct LocalNode {
    server: AuthorizationServer,
    store: Arc<Faulty>,
    clock: Arc<Told>,
}

impl LocalNode {
    /// A node over a store; the first over a database registers the client.
    pub async fn start(store: Arc<dyn Store>, random: Random) -> Self {
        let clock = Arc::new(Told(AtomicI64::new(START.as_millis())));
        let build = |store: Arc<dyn Store>| {
            let lifetimes = Lifetimes {
                refresh_retry_window: WINDOW,
                // Longer than any round takes.
                authorization_code: Duration::from_secs(600),
                ..Lifetimes::default()
            };
            AuthorizationServer::builder(ISSUER)
                .shared_store(store)
                .clock(Arc::clone(&clock) as _)
                .secret([7; 32])
                .lifetimes(lifetimes)
                .limits(Limits { grants_per_subject_and_client: u32::try_from(CAP).unwrap(), ..Limits::default() })
                .default_scope("read", "Read your data")
                .build()
                .unwrap()
        };
        let metadata = ClientMetadata {
            client_name: "Web".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            redirect_uris: vec![CALLBACK.into()],
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            ..ClientMetadata::default()
        };
        let registration =
            Registration { metadata, client_id: Some(CLIENT.into()), client_secret: Some(Secret::new(SECRET)) };
        // A database that has just come up may go again.
        loop {
            match build(Arc::clone(&store)).clients().register(registration.clone()).await {
                Ok(_) | Err(ManageError::Taken) => break,
                Err(ManageError::Failure(failure)) if failure.is_temporary() => tokio::task::yield_now().await,
                Err(error) => panic!("the client cannot be registered: {error}"),
            }
        }
        let store = Faulty::new(store, random);
        Self { server: build(Arc::clone(&store) as _), store, clock }
    }

    async fn sign_in(&self, person: &str) -> Reply {
        let query = format!(
            "/authorize?response_type=code&client_id={CLIENT}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let pending = match self.server.handle(Request::get(query).body(String::new()).unwrap()).await {
            Outcome::Interact { pending, .. } => pending,
            Outcome::Respond(response) => return Reply::of(response.status().as_u16()),
            Outcome::NotMine(_) => return Reply::of(404),
        };
        match self.server.approve(*pending, Approval::new(person.into(), self.clock.now())).await {
            Ok(response) => {
                let location = response.headers()["location"].to_str().unwrap();
                let code = location.split(['?', '&', '#']).find_map(|piece| piece.strip_prefix("code="));
                Reply { status: 200, body: code.unwrap_or_default().to_owned() }
            }
            Err(grantor::refusal::ApproveError::Failure(failure)) if failure.is_temporary() => Reply::of(503),
            Err(error) => Reply { status: 500, body: error.to_string() },
        }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("client_id", CLIENT), ("client_secret", SECRET)];
        all.extend_from_slice(fields);
        // Nothing that is sent here needs an escape, but for the redirect URI.
        let escape = |value: &str| value.replace(':', "%3A").replace('/', "%2F");
        let pairs: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        match self.server.handle(request.body(pairs.join("&")).unwrap()).await {
            Outcome::Respond(response) => Reply { status: response.status().as_u16(), body: response.into_body() },
            Outcome::Interact { .. } | Outcome::NotMine(_) => Reply::of(404),
        }
    }
}

fn managed(result: Result<(), ManageError>) -> Reply {
    match result {
        Ok(()) => Reply::of(200),
        Err(ManageError::NotFound) => Reply::of(404),
        Err(ManageError::Failure(failure)) if failure.is_temporary() => Reply::of(503),
        Err(error) => Reply { status: 500, body: error.to_string() },
    }
}

#[async_trait]
impl Node for LocalNode {
    async fn ask(&self, now: Timestamp, ask: Ask) -> Reply {
        self.clock.0.fetch_max(now.as_millis(), Ordering::SeqCst);
        match ask {
            Ask::SignIn(person) => self.sign_in(&person).await,
            Ask::Redeem(code) => {
                let fields = [
                    ("grant_type", "authorization_code"),
                    ("code", &*code),
                    ("redirect_uri", CALLBACK),
                    ("code_verifier", VERIFIER),
                ];
                self.post("/token", &fields).await
            }
            Ask::Refresh(token) => {
                self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await
            }
            Ask::Introspect(token) => self.post("/introspect", &[("token", &token)]).await,
            Ask::Revoke(token) => self.post("/revoke", &[("token", &token)]).await,
            Ask::EndApp(person) => {
                managed(self.server.grants().remove_app(&person.as_str().into(), &CLIENT.into()).await)
            }
            Ask::EndPerson(person) => managed(self.server.subjects().revoke_all(&person.as_str().into()).await),
            Ask::Faults(faults) => {
                self.store.fail(faults);
                Reply::of(200)
            }
        }
    }
}
