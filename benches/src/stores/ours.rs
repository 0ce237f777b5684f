//! An authorization server on a store, asked by some clients at once.

use std::sync::Arc;

use grantor::store::Store;
use grantor::{Approval, AuthorizationServer, Outcome, Subject};

use crate::party::{builder, pair, register};
use crate::wire::{self, Incoming};

use super::together::rate;

pub(super) struct Ours {
    server: AuthorizationServer,
    clients: usize,
    users: u64,
    prepared: Vec<Incoming>,
}

impl Ours {
    pub(super) async fn new(store: Arc<dyn Store>, clients: usize) -> Self {
        let server = builder(store).build().unwrap();
        register(&server).await;
        Self { server, clients, users: 0, prepared: Vec::new() }
    }

    /// Sends requests, as many at once as there are clients; all are answered with success. How many per second, and the answers.
    async fn send(&self, requests: Vec<Incoming>) -> (f64, Vec<String>) {
        let mut shares: Vec<Vec<Incoming>> = (0..self.clients).map(|_| Vec::new()).collect();
        for (at, request) in requests.into_iter().enumerate() {
            shares[at % self.clients].push(request);
        }
        let tasks = shares.into_iter().map(|share| {
            let server = self.server.clone();
            async move {
                let mut answers = Vec::with_capacity(share.len());
                for request in share {
                    let Outcome::Respond(response) = server.handle(request).await else { panic!("no answer") };
                    assert!(response.status().is_success(), "{response:?}");
                    answers.push(response.into_body());
                }
                answers
            }
        });
        let (rate, answers) = rate(tasks, Vec::len).await;
        (rate, answers.into_iter().flatten().collect())
    }

    /// Codes, each of another user. Not measured.
    async fn codes(&mut self, count: usize) -> Vec<String> {
        let mut shares: Vec<Vec<String>> = (0..self.clients).map(|_| Vec::new()).collect();
        for at in 0..count {
            self.users += 1;
            shares[at % self.clients].push(format!("user-{}", self.users));
        }
        let tasks = shares.into_iter().map(|share| {
            let server = self.server.clone();
            async move {
                let mut codes = Vec::with_capacity(share.len());
                for user in share {
                    let outcome = server.handle(wire::authorize(&user)).await;
                    let Outcome::Interact { pending, .. } = outcome else { panic!("no question") };
                    let approval = Approval::new(Subject::from(user), server.now());
                    let answer = server.approve(*pending, approval).await.unwrap();
                    codes.push(wire::code_of(answer.headers()["location"].to_str().unwrap()));
                }
                codes
            }
        });
        rate(tasks, Vec::len).await.1.into_iter().flatten().collect()
    }

    /// What has to be there before the work can be done so many times. Not measured.
    pub(super) async fn prepare(&mut self, work: &str, count: usize) {
        let exchange = |codes: &[String]| -> Vec<Incoming> {
            codes.iter().map(|code| wire::post("/token", wire::exchange_body(code), false)).collect()
        };
        let issue = || wire::post("/token", wire::CLIENT_CREDENTIALS.into(), true);
        self.prepared = match work {
            "code exchange" => exchange(&self.codes(count).await),
            "refresh" => {
                let exchange = exchange(&self.codes(count).await);
                let (_, answers) = self.send(exchange).await;
                let body = |answer: &String| wire::refresh_body(&pair(answer).1);
                answers.iter().map(|answer| wire::post("/token", body(answer), false)).collect()
            }
            "client_credentials" => (0..count).map(|_| issue()).collect(),
            "introspection" => {
                let (_, answers) = self.send((0..count / 4).map(|_| issue()).collect()).await;
                let body = |answer: &String| wire::token_body(&wire::member(answer, "access_token"));
                answers.iter().cycle().take(count).map(|answer| wire::post("/introspect", body(answer), true)).collect()
            }
            other => panic!("nobody does {other}"),
        };
    }

    /// Does what was prepared: how often per second.
    pub(super) async fn work(&mut self) -> f64 {
        let requests = std::mem::take(&mut self.prepared);
        self.send(requests).await.0
    }
}
