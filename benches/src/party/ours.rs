//! Ours: parsed parameters in, JSON out; or as a host calls it, `http::Request` in, `http::Response` out.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, SystemClock};
use grantor::engine::Parsed;
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{MemoryStore, Store};
use grantor::wire::form::Form;
use grantor::{Approval, AuthorizationServer, Lifetimes, Outcome, Require, Subject};

use super::{Pair, Party};
use crate::measure::{Cost, cost, ready};
use crate::wire::{self, Incoming};

pub struct Ours {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    /// Whether it is called with what was parsed.
    parsed: bool,
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
        Self { server, store, parsed: false, users: 0 }
    }

    /// Parsed parameters in.
    #[must_use]
    pub fn engine(self) -> Self {
        Self { parsed: true, ..self }
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
        Self { server: self.server.clone(), store: Arc::clone(&self.store), users: thread << 40, ..*self }
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

    /// What `work` says of each of these requests, once they are parsed.
    fn each<A>(
        &self,
        bodies: &[String],
        authenticated: bool,
        work: &impl AsyncFn(&Parsed<'_>) -> A,
        mut keep: impl FnMut(A),
    ) -> Cost {
        let headers = wire::post("/", String::new(), authenticated).into_parts().0.headers;
        let mut requests = Vec::with_capacity(bodies.len());
        for body in bodies {
            requests.push(ready(self.server.engine().parse(&headers, body.as_bytes())).unwrap());
        }
        cost(requests.len(), || {
            for request in requests {
                keep(ready(work(&request)));
            }
        })
        .0
    }

    /// The bodies of the answers of the token endpoint.
    fn tokens_of(&self, bodies: Vec<String>) -> (Cost, Vec<String>) {
        if self.parsed {
            let engine = self.server.engine();
            let mut answers = Vec::with_capacity(bodies.len());
            let issue = async |request: &Parsed<'_>| engine.token(request).await.unwrap();
            let cost = self.each(&bodies, false, &issue, |answer| answers.push(answer));
            return (cost, answers);
        }
        let (cost, answers) = self.all(bodies.into_iter().map(|body| wire::post("/token", body, false)).collect());
        (cost, answers.into_iter().map(http::Response::into_body).collect())
    }

    /// Codes, and what it cost to authorize and to approve.
    pub fn codes(&mut self, times: usize) -> (Cost, Vec<String>) {
        let users: Vec<String> = (0..times)
            .map(|_| {
                self.users += 1;
                format!("user-{}", self.users)
            })
            .collect();
        let approval = |user: String| Approval::new(Subject::from(user), self.server.now());
        if self.parsed {
            let engine = self.server.engine();
            let query = wire::authorize_query();
            let form = |user| (Form::parse(query.as_bytes()).unwrap(), approval(user));
            let requests: Vec<_> = users.into_iter().map(form).collect();
            let mut locations = Vec::with_capacity(times);
            let (cost, ()) = cost(times, || {
                for (form, approval) in requests {
                    let pending = ready(engine.authorize(&form)).unwrap();
                    locations.push(ready(engine.approve(&pending, &approval)).unwrap());
                }
            });
            return (cost, locations.iter().map(|location| wire::code_of(location)).collect());
        }
        let request = |user: String| (wire::authorize(&user), approval(user));
        let requests: Vec<(Incoming, Approval)> = users.into_iter().map(request).collect();
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
        let (cost, answers) = self.tokens_of(codes.iter().map(|code| wire::exchange_body(code)).collect());
        (cost, answers.iter().map(|answer| pair(answer)).collect())
    }
}

pub fn pair(body: &str) -> Pair {
    (wire::member(body, "access_token"), wire::member(body, "refresh_token"))
}

impl Party for Ours {
    fn issue(&mut self, times: usize) -> Cost {
        if self.parsed {
            let engine = self.server.engine();
            let bodies = vec![wire::CLIENT_CREDENTIALS.to_owned(); times];
            let issue = async |request: &Parsed<'_>| engine.token(request).await.unwrap();
            return self.each(&bodies, true, &issue, |answer| drop(black_box(answer)));
        }
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
        let (cost, answers) = self.tokens_of(tokens.iter().map(|token| wire::refresh_body(token)).collect());
        (cost, answers.iter().map(|answer| pair(answer)).collect())
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
        if self.parsed {
            let engine = self.server.engine();
            let bodies: Vec<String> = tokens.iter().map(|token| wire::token_body(token)).collect();
            let describe = async |request: &Parsed<'_>| engine.introspect(request).await.unwrap();
            return self.each(&bodies, true, &describe, |answer| drop(black_box(answer)));
        }
        self.drop_all(tokens.iter().map(|token| wire::post("/introspect", wire::token_body(token), true)).collect())
    }

    fn revoke(&mut self, tokens: &[String]) -> Cost {
        let body = |token| format!("{}&client_id={}", wire::token_body(token), wire::APP);
        if self.parsed {
            let engine = self.server.engine();
            let bodies: Vec<String> = tokens.iter().map(|token| body(token)).collect();
            let end = async |request: &Parsed<'_>| engine.revoke(request).await.unwrap();
            return self.each(&bodies, false, &end, drop);
        }
        self.drop_all(tokens.iter().map(|token| wire::post("/revoke", body(token), false)).collect())
    }

    fn reuse(&mut self, spent: &[String]) -> Cost {
        if self.parsed {
            let engine = self.server.engine();
            let bodies: Vec<String> = spent.iter().map(|token| wire::refresh_body(token)).collect();
            let refuse = async |request: &Parsed<'_>| engine.token(request).await.unwrap_err();
            return self.each(&bodies, false, &refuse, |answer| {
                black_box(answer);
            });
        }
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
