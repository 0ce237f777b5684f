//! `oauth-as`, over its store in memory: parsed parameters in, JSON out; or through its HTTP service, which does what ours does.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use oauth_as::authorization::AuthorizationRequest;
use oauth_as::client::{Client, ClientAuth, ClientId, SecretHash, SecretVerifier};
use oauth_as::grant::GrantType;
use oauth_as::http::{ApprovalDecision, AuthorizationService, ServiceBuilder};
use oauth_as::scope::ScopeSet;
use oauth_as::server::{AuthorizationServer, ServerConfig, SystemClock, TokenRequest, UserApproval};
use oauth_as::store::MemoryStorage;

use super::{Pair, Party};
use crate::beside::burn;
use crate::measure::{Cost, cost, ready};
use crate::wire::{self, Incoming};

type Server = AuthorizationServer<MemoryStorage, SystemClock>;

pub struct OauthAs {
    server: Arc<Server>,
    /// Where its HTTP service is to be measured.
    service: Option<AuthorizationService<MemoryStorage, SystemClock>>,
    users: u64,
}

fn scope(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn client(id: &str, auth: ClientAuth, grant_types: Vec<GrantType>) -> Client {
    Client {
        client_id: ClientId::new(id),
        auth,
        grant_types,
        redirect_uris: vec![wire::CALLBACK.to_owned()],
        allowed_scopes: scope("read write"),
        default_scopes: scope("read"),
        name: Some(id.to_owned()),
        registration: None,
    }
}

/// Lets everybody in, after a while.
struct Slow;

impl SecretVerifier for Slow {
    fn verify(&self, _: &SecretHash, _: &str) -> bool {
        burn();
        true
    }
}

impl OauthAs {
    /// Parsed parameters in.
    pub fn engine() -> Self {
        Self::of(Self::server(), SecretHash::sha256(wire::SECRET))
    }

    /// The same, where the secret of the service takes long to check.
    pub fn slow() -> Self {
        Self::of(Self::server().with_secret_verifier(Box::new(Slow)), SecretHash::custom("slow", "slow"))
    }

    fn server() -> Server {
        let config = ServerConfig::new(wire::ISSUER, format!("{}/device", wire::ISSUER));
        AuthorizationServer::new(config, MemoryStorage::new())
    }

    fn of(server: Server, hash: SecretHash) -> Self {
        let auth = ClientAuth::ConfidentialSecretHash { hash };
        ready(server.register_client(client(wire::SERVICE, auth, vec![GrantType::ClientCredentials]))).unwrap();
        let grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        ready(server.register_client(client(wire::APP, ClientAuth::Public, grants))).unwrap();
        Self { server: Arc::new(server), service: None, users: 0 }
    }

    /// `http::Request` in.
    pub fn http() -> Self {
        let mut party = Self::engine();
        let user = |headers: &http::HeaderMap| Some(headers.get("x-user")?.to_str().ok()?.to_owned());
        let service = ServiceBuilder::new(Arc::clone(&party.server))
            .with_subject_resolver(user)
            .with_approval_resolver(|_| ApprovalDecision::Approve)
            .dangerously_disable_verification_protections()
            .build()
            .unwrap();
        party.service = Some(service);
        party
    }

    /// The same server, for another thread: its users are others.
    #[must_use]
    pub fn share(&self, thread: u64) -> Self {
        Self { server: Arc::clone(&self.server), service: self.service.clone(), users: thread << 40 }
    }

    /// Forgets what has expired by `now`.
    pub fn sweep(&self, now: std::time::SystemTime) {
        use oauth_as::store::Storage as _;
        ready(self.server.store().sweep_expired(now)).unwrap();
    }

    fn answer(&self, request: Incoming) -> http::Response<Bytes> {
        let service = self.service.as_ref().unwrap();
        ready(service.handle(request)).map(oauth_as::http::Body::into_bytes)
    }

    fn over_http(&self, requests: Vec<Incoming>) -> (Cost, Vec<http::Response<Bytes>>) {
        let mut answers = Vec::with_capacity(requests.len());
        let (cost, ()) = cost(requests.len(), || {
            for request in requests {
                answers.push(self.answer(request));
            }
        });
        (cost, answers)
    }

    fn drop_over_http(&self, requests: Vec<Incoming>) -> Cost {
        cost(requests.len(), || {
            for request in requests {
                let answer = self.answer(request);
                assert_eq!(answer.status(), 200, "{:?}", answer.body());
                black_box(&answer);
            }
        })
        .0
    }

    fn token(&self, request: TokenRequest) -> String {
        serde_json::to_string(&ready(self.server.token(request)).unwrap()).unwrap()
    }

    fn all(&self, requests: Vec<TokenRequest>) -> (Cost, Vec<Pair>) {
        let mut answers = Vec::with_capacity(requests.len());
        let (cost, ()) = cost(requests.len(), || {
            for request in requests {
                answers.push(self.token(request));
            }
        });
        (cost, answers.iter().map(|body| pair(body)).collect())
    }

    fn of_service() -> TokenRequest {
        TokenRequest::ClientCredentials {
            client_id: ClientId::new(wire::SERVICE),
            client_secret: Some(wire::SECRET.to_owned()),
            scope: Some(scope("read")),
        }
    }

    fn of_refresh(token: &str) -> TokenRequest {
        TokenRequest::RefreshToken {
            client_id: ClientId::new(wire::APP),
            client_secret: None,
            refresh_token: token.to_owned(),
            scope: None,
        }
    }
}

fn pair(body: &str) -> Pair {
    (wire::member(body, "access_token"), wire::member(body, "refresh_token"))
}

fn pairs(answers: &[http::Response<Bytes>]) -> Vec<Pair> {
    answers.iter().map(|answer| pair(std::str::from_utf8(answer.body()).unwrap())).collect()
}

impl Party for OauthAs {
    fn issue(&mut self, times: usize) -> Cost {
        if self.service.is_some() {
            let request = |_| wire::post("/token", wire::CLIENT_CREDENTIALS.into(), true);
            return self.drop_over_http((0..times).map(request).collect());
        }
        let requests: Vec<TokenRequest> = (0..times).map(|_| Self::of_service()).collect();
        cost(times, || {
            for request in requests {
                black_box(self.token(request));
            }
        })
        .0
    }

    fn tokens(&mut self, times: usize) -> Vec<String> {
        (0..times).map(|_| wire::member(&self.token(Self::of_service()), "access_token")).collect()
    }

    fn flow(&mut self, times: usize) -> (Cost, Vec<Pair>) {
        let users: Vec<String> = (0..times)
            .map(|_| {
                self.users += 1;
                format!("user-{}", self.users)
            })
            .collect();
        if self.service.is_some() {
            let (first, answers) = self.over_http(users.iter().map(|user| wire::authorize(user)).collect());
            let code = |answer: &http::Response<Bytes>| wire::code_of(answer.headers()["location"].to_str().unwrap());
            let exchange = |code: String| wire::post("/token", wire::exchange_body(&code), false);
            let (second, answers) = self.over_http(answers.iter().map(code).map(exchange).collect());
            return (Cost { nanos: first.nanos + second.nanos, ..first }, pairs(&answers));
        }
        let pairs = wire::authorize_pairs();
        let request = |user| (AuthorizationRequest::from_pairs(pairs.iter().copied()), user);
        let requests: Vec<_> = users.into_iter().map(request).collect();
        let mut locations = Vec::with_capacity(times);
        let (first, ()) = cost(times, || {
            for (request, user) in requests {
                let validated = ready(self.server.validate_authorization_request(&request)).unwrap();
                let approval = UserApproval::granted(&validated, user);
                let response = ready(self.server.issue_authorization_code(approval)).unwrap();
                locations.push(response.location(wire::CALLBACK));
            }
        });
        let exchange = |location: &String| TokenRequest::AuthorizationCode {
            client_id: ClientId::new(wire::APP),
            client_secret: None,
            code: wire::code_of(location),
            redirect_uri: Some(wire::CALLBACK.to_owned()),
            code_verifier: Some(wire::VERIFIER.to_owned()),
        };
        let (second, pairs) = self.all(locations.iter().map(exchange).collect());
        (Cost { nanos: first.nanos + second.nanos, ..first }, pairs)
    }

    fn refresh(&mut self, tokens: &[String]) -> (Cost, Vec<Pair>) {
        if self.service.is_some() {
            let requests = tokens.iter().map(|token| wire::post("/token", wire::refresh_body(token), false)).collect();
            let (cost, answers) = self.over_http(requests);
            return (cost, pairs(&answers));
        }
        self.all(tokens.iter().map(|token| Self::of_refresh(token)).collect())
    }

    fn verify(&mut self, tokens: &[String]) -> Cost {
        cost(tokens.len(), || {
            for token in tokens {
                black_box(ready(self.server.introspect(token)).unwrap().unwrap());
            }
        })
        .0
    }

    fn introspect(&mut self, tokens: &[String]) -> Cost {
        if self.service.is_some() {
            let request = |token: &String| wire::post("/introspect", wire::token_body(token), true);
            return self.drop_over_http(tokens.iter().map(request).collect());
        }
        let id = ClientId::new(wire::SERVICE);
        cost(tokens.len(), || {
            for token in tokens {
                let answer = ready(self.server.introspection_response(&id, Some(wire::SECRET), token)).unwrap();
                black_box(serde_json::to_string(&answer).unwrap());
            }
        })
        .0
    }

    fn revoke(&mut self, tokens: &[String]) -> Cost {
        let id = ClientId::new(wire::APP);
        cost(tokens.len(), || {
            for token in tokens {
                ready(self.server.revoke(&id, None, token, None)).unwrap();
            }
        })
        .0
    }

    fn reuse(&mut self, spent: &[String]) -> Cost {
        let requests: Vec<TokenRequest> = spent.iter().map(|token| Self::of_refresh(token)).collect();
        cost(spent.len(), || {
            for request in requests {
                black_box(ready(self.server.token(request)).unwrap_err());
            }
        })
        .0
    }

    fn register(&mut self, times: usize) -> Cost {
        self.users += 1;
        let batch = self.users;
        let ids: Vec<String> = (0..times).map(|at| format!("client-{batch}-{at}")).collect();
        cost(times, || {
            for id in ids {
                let auth = ClientAuth::ConfidentialSecretHash { hash: SecretHash::sha256(wire::SECRET) };
                let client = client(&id, auth, vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
                ready(self.server.register_client(client)).unwrap();
            }
        })
        .0
    }
}
