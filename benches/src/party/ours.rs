//! Ours, as a host calls it: `http::Request` in, `http::Response` out.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, SystemClock};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{MemoryStore, Store};
use grantor::{Approval, AuthorizationServer, Lifetimes, Outcome, Require, Subject};

use super::{Pair, Party};
use crate::measure::{Cost, cost, ready};
use crate::wire::{self, Incoming};

pub struct Ours {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    users: u64,
}

/// A server over a store, before anything else is chosen.
pub fn builder(store: Arc<dyn Store>) -> grantor::Builder {
    AuthorizationServer::builder(wire::ISSUER)
        .shared_store(store)
        .clock(Arc::new(SystemClock))
        .secret([7; 32])
        .default_scope("read", "Read your data")
        .scope("write", "Change your data")
}

/// The two clients.
pub async fn register(server: &AuthorizationServer) {
    let grants = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let service = ClientMetadata {
        client_name: "Service".into(),
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        grant_types: grants(&["client_credentials"]),
        scope: "read write".parse().unwrap(),
        ..ClientMetadata::default()
    };
    let app = ClientMetadata {
        client_name: "App".into(),
        token_endpoint_auth_method: AuthMethod::None,
        redirect_uris: vec![wire::CALLBACK.into()],
        grant_types: grants(&["authorization_code", "refresh_token"]),
        scope: "read write".parse().unwrap(),
        ..ClientMetadata::default()
    };
    for (id, secret, metadata) in [(wire::SERVICE, Some(Secret::new(wire::SECRET)), service), (wire::APP, None, app)] {
        let registration = Registration { metadata, client_id: Some(id.into()), client_secret: secret };
        server.clients().register(registration).await.unwrap();
    }
}

impl Default for Ours {
    fn default() -> Self {
        Self::new(|builder| builder)
    }
}

impl Ours {
    pub fn new(configure: impl FnOnce(grantor::Builder) -> grantor::Builder) -> Self {
        let store = Arc::new(MemoryStore::with_capacity_limit(1 << 26));
        let server = configure(builder(Arc::clone(&store) as _)).build().unwrap();
        ready(register(&server));
        Self { server, store, users: 0 }
    }

    /// A server that takes every spent token for stolen at once.
    pub fn strict() -> Self {
        Self::new(|builder| {
            builder.lifetimes(Lifetimes { refresh_retry_window: Duration::ZERO, ..Lifetimes::default() })
        })
    }

    /// A server whose clock is moved by hand.
    pub fn with_clock(clock: &Arc<ManualClock>) -> Self {
        Self::new(|builder| builder.clock(Arc::clone(clock) as _))
    }

    /// The same server, for another thread: its users are others.
    #[must_use]
    pub fn share(&self, thread: u64) -> Self {
        Self { server: self.server.clone(), store: Arc::clone(&self.store), users: thread << 40 }
    }

    pub fn answer(&self, request: Incoming) -> http::Response<String> {
        match ready(self.server.handle(request)) {
            Outcome::Respond(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn all(&self, requests: Vec<Incoming>) -> (Cost, Vec<http::Response<String>>) {
        let mut answers = Vec::with_capacity(requests.len());
        let (cost, ()) = cost(requests.len(), || {
            for request in requests {
                answers.push(self.answer(request));
            }
        });
        (cost, answers)
    }

    fn drop_all(&self, requests: Vec<Incoming>) -> Cost {
        cost(requests.len(), || {
            for request in requests {
                let answer = self.answer(request);
                debug_assert!(answer.status().is_success());
                black_box(&answer);
            }
        })
        .0
    }

    /// Codes, and what it cost to authorize and to approve.
    pub fn codes(&mut self, times: usize) -> (Cost, Vec<String>) {
        let requests: Vec<(Incoming, Approval)> = (0..times)
            .map(|_| {
                self.users += 1;
                let user = format!("user-{}", self.users);
                (wire::authorize(&user), Approval::new(Subject::from(user), self.server.now()))
            })
            .collect();
        let mut answers = Vec::with_capacity(times);
        let (cost, ()) = cost(times, || {
            for (request, approval) in requests {
                let Outcome::Interact { pending, request } = ready(self.server.handle(request)) else { panic!() };
                drop(request);
                answers.push(ready(self.server.approve(*pending, approval)).unwrap());
            }
        });
        let code = |answer: &http::Response<String>| wire::code_of(answer.headers()["location"].to_str().unwrap());
        (cost, answers.iter().map(code).collect())
    }

    pub fn exchange(&self, codes: &[String]) -> (Cost, Vec<Pair>) {
        let requests = codes.iter().map(|code| wire::post("/token", wire::exchange_body(code), false)).collect();
        let (cost, answers) = self.all(requests);
        (cost, answers.iter().map(|answer| pair(answer.body())).collect())
    }
}

pub fn pair(body: &str) -> Pair {
    (wire::member(body, "access_token"), wire::member(body, "refresh_token"))
}

impl Party for Ours {
    fn issue(&mut self, times: usize) -> Cost {
        let request = |_| wire::post("/token", wire::CLIENT_CREDENTIALS.into(), true);
        self.drop_all((0..times).map(request).collect())
    }

    fn tokens(&mut self, times: usize) -> Vec<String> {
        let request = || wire::post("/token", wire::CLIENT_CREDENTIALS.into(), true);
        (0..times).map(|_| wire::member(self.answer(request()).body(), "access_token")).collect()
    }

    fn flow(&mut self, times: usize) -> (Cost, Vec<Pair>) {
        let (first, codes) = self.codes(times);
        let (second, pairs) = self.exchange(&codes);
        (Cost { nanos: first.nanos + second.nanos, ..first }, pairs)
    }

    fn refresh(&mut self, tokens: &[String]) -> (Cost, Vec<Pair>) {
        let requests = tokens.iter().map(|token| wire::post("/token", wire::refresh_body(token), false)).collect();
        let (cost, answers) = self.all(requests);
        (cost, answers.iter().map(|answer| pair(answer.body())).collect())
    }

    fn verify(&mut self, tokens: &[String]) -> Cost {
        let require = Require::scope("read");
        cost(tokens.len(), || {
            for token in tokens {
                black_box(ready(self.server.verify(token, require)).unwrap());
            }
        })
        .0
    }

    fn introspect(&mut self, tokens: &[String]) -> Cost {
        self.drop_all(tokens.iter().map(|token| wire::post("/introspect", wire::token_body(token), true)).collect())
    }

    fn revoke(&mut self, tokens: &[String]) -> Cost {
        let body = |token| format!("{}&client_id={}", wire::token_body(token), wire::APP);
        self.drop_all(tokens.iter().map(|token| wire::post("/revoke", body(token), false)).collect())
    }

    fn reuse(&mut self, spent: &[String]) -> Cost {
        let requests = spent.iter().map(|token| wire::post("/token", wire::refresh_body(token), false)).collect();
        let (cost, answers) = self.all(requests);
        assert!(answers.iter().all(|answer| answer.status() == 400));
        cost
    }

    fn register(&mut self, times: usize) -> Cost {
        let metadata = |at| ClientMetadata {
            client_name: format!("Client {at}"),
            redirect_uris: vec![wire::CALLBACK.into()],
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            ..ClientMetadata::default()
        };
        let asked: Vec<ClientMetadata> = (0..times).map(metadata).collect();
        cost(times, || {
            for metadata in asked {
                black_box(ready(self.server.clients().register(metadata)).unwrap());
            }
        })
        .0
    }
}
