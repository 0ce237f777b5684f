//! `oxide-auth`, with its maps in memory, parsed parameters in, JSON out.
//!
//! Its default check of a client secret is Argon2; here it is SHA-256, as in the others, so that the engines are compared.

use std::collections::HashMap;
use std::hint::black_box;

use chrono::Utc;
use oxide_auth::endpoint::{
    AccessTokenFlow, AuthorizationFlow, ClientCredentialsFlow, Endpoint, Issuer as _, OwnerConsent, OwnerSolicitor,
    RefreshFlow, Solicitation,
};
use oxide_auth::frontends::simple::endpoint::{Generic, Vacant};
use oxide_auth::frontends::simple::extensions::{AddonList, Extended, Pkce};
use oxide_auth::frontends::simple::request::{Body, Request, Response, Status};
use oxide_auth::primitives::authorizer::AuthMap;
use oxide_auth::primitives::generator::RandomGenerator;
use oxide_auth::primitives::issuer::TokenMap;
use oxide_auth::primitives::registrar::{Client, ClientMap, PasswordPolicy, RegisteredUrl, RegistrarError};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Pair, Party};
use crate::measure::{Cost, cost};
use crate::wire;

struct Digest;

impl PasswordPolicy for Digest {
    fn store(&self, _: &str, passphrase: &[u8]) -> Vec<u8> {
        Sha256::digest(passphrase).to_vec()
    }

    fn check(&self, _: &str, passphrase: &[u8], stored: &[u8]) -> Result<(), RegistrarError> {
        let same: bool = Sha256::digest(passphrase).ct_eq(stored).into();
        if same { Ok(()) } else { Err(RegistrarError::Unspecified) }
    }
}

/// Everybody agrees: the user of the request, or the client for itself.
struct Agree;

impl OwnerSolicitor<Request> for Agree {
    fn check_consent(&mut self, request: &mut Request, solicitation: Solicitation<'_>) -> OwnerConsent<Response> {
        let client = || solicitation.pre_grant().client_id.clone();
        OwnerConsent::Authorized(request.auth.take().filter(|user| user.starts_with("user")).unwrap_or_else(client))
    }
}

type Maps = Generic<ClientMap, AuthMap<RandomGenerator>, TokenMap<RandomGenerator>, Agree, Vacant, Vacant>;

pub struct Oxide {
    endpoint: Extended<Maps, AddonList>,
    users: u64,
}

impl Default for Oxide {
    fn default() -> Self {
        let mut registrar = ClientMap::new();
        registrar.set_password_policy(Digest);
        let url = || RegisteredUrl::Semantic(wire::CALLBACK.parse().unwrap());
        registrar.register_client(Client::confidential(
            wire::SERVICE,
            url(),
            "read".parse().unwrap(),
            wire::SECRET.as_bytes(),
        ));
        registrar.register_client(Client::public(wire::APP, url(), "read write".parse().unwrap()));
        let mut addons = AddonList::new();
        addons.push_code(Pkce::required());
        let maps = Generic {
            registrar,
            authorizer: AuthMap::new(RandomGenerator::new(32)),
            issuer: TokenMap::new(RandomGenerator::new(32)),
            solicitor: Agree,
            scopes: Vacant,
            response: Vacant,
        };
        Self { endpoint: Extended::extend_with(maps, addons), users: 0 }
    }
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn body(pairs: &[(&str, &str)]) -> Request {
    Request { query: HashMap::new(), urlbody: map(pairs), auth: None }
}

fn json(response: &Response) -> &str {
    assert_eq!(response.status, Status::Ok, "{:?}", response.body);
    match &response.body {
        Some(Body::Json(json)) => json,
        other => panic!("{other:?}"),
    }
}

fn pair(response: &Response) -> Pair {
    (wire::member(json(response), "access_token"), wire::member(json(response), "refresh_token"))
}

impl Oxide {
    fn one(&mut self) -> Response {
        let mut request = body(&[("grant_type", "client_credentials"), ("scope", "read")]);
        request.auth = Some(wire::AUTHORIZATION.to_owned());
        ClientCredentialsFlow::prepare(&mut self.endpoint).ok().unwrap().execute(request).ok().unwrap()
    }
}

fn all<E: Endpoint<Request>>(
    endpoint: &mut E,
    requests: Vec<Request>,
    run: impl Fn(&mut E, Request) -> Response,
) -> (Cost, Vec<Response>) {
    let mut answers = Vec::with_capacity(requests.len());
    let (cost, ()) = cost(requests.len(), || {
        for request in requests {
            answers.push(run(endpoint, request));
        }
    });
    (cost, answers)
}

impl Party for Oxide {
    fn issue(&mut self, times: usize) -> Cost {
        let request = || Request {
            auth: Some(wire::AUTHORIZATION.to_owned()),
            ..body(&[("grant_type", "client_credentials"), ("scope", "read")])
        };
        let requests: Vec<Request> = (0..times).map(|_| request()).collect();
        cost(times, || {
            for request in requests {
                let answer = ClientCredentialsFlow::prepare(&mut self.endpoint).ok().unwrap().execute(request);
                black_box(answer.ok().unwrap());
            }
        })
        .0
    }

    fn tokens(&mut self, times: usize) -> Vec<String> {
        (0..times).map(|_| wire::member(json(&self.one()), "access_token")).collect()
    }

    fn flow(&mut self, times: usize) -> (Cost, Vec<Pair>) {
        let requests = (0..times)
            .map(|_| {
                self.users += 1;
                let auth = Some(format!("user-{}", self.users));
                Request { query: map(&wire::authorize_pairs()), urlbody: HashMap::new(), auth }
            })
            .collect();
        let (first, answers) = all(&mut self.endpoint, requests, |endpoint, request| {
            AuthorizationFlow::prepare(endpoint).ok().unwrap().execute(request).ok().unwrap()
        });
        let exchanges = answers
            .iter()
            .map(|answer| {
                let location = answer.location.as_ref().unwrap();
                let (_, code) = location.query_pairs().find(|(name, _)| name == "code").unwrap();
                body(&[
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", wire::CALLBACK),
                    ("client_id", wire::APP),
                    ("code_verifier", wire::VERIFIER),
                ])
            })
            .collect();
        let (second, answers) = all(&mut self.endpoint, exchanges, |endpoint, request| {
            AccessTokenFlow::prepare(endpoint).ok().unwrap().execute(request).ok().unwrap()
        });
        (Cost { nanos: first.nanos + second.nanos, ..first }, answers.iter().map(pair).collect())
    }

    fn refresh(&mut self, tokens: &[String]) -> (Cost, Vec<Pair>) {
        let request = |token: &String| {
            body(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", wire::APP)])
        };
        let (cost, answers) = all(&mut self.endpoint, tokens.iter().map(request).collect(), |endpoint, request| {
            RefreshFlow::prepare(endpoint).ok().unwrap().execute(request).ok().unwrap()
        });
        (cost, answers.iter().map(pair).collect())
    }

    fn verify(&mut self, tokens: &[String]) -> Cost {
        cost(tokens.len(), || {
            for token in tokens {
                let grant = self.endpoint.inner.issuer.recover_token(token).unwrap().unwrap();
                assert!(grant.until > Utc::now());
                black_box(grant);
            }
        })
        .0
    }

    fn introspect(&mut self, _: &[String]) -> Cost {
        unimplemented!("it does not introspect")
    }

    fn revoke(&mut self, _: &[String]) -> Cost {
        unimplemented!("it does not revoke families")
    }

    fn reuse(&mut self, _: &[String]) -> Cost {
        unimplemented!("it does not detect reuse")
    }

    fn register(&mut self, times: usize) -> Cost {
        self.users += 1;
        let batch = self.users;
        let ids: Vec<String> = (0..times).map(|at| format!("client-{batch}-{at}")).collect();
        cost(times, || {
            for id in ids {
                let url = RegisteredUrl::Semantic(wire::CALLBACK.parse().unwrap());
                let client = Client::confidential(&id, url, "read".parse().unwrap(), wire::SECRET.as_bytes());
                self.endpoint.inner.registrar.register_client(client);
            }
        })
        .0
    }
}
