//! What the races share: two nodes over one store, which stops where the test says.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use grantor::event::{Event, What};
use grantor::store::{Key, Kind, MemoryStore, Store};
use grantor::{AuthorizationServer, Builder, Lifetimes};
use http::{Request, StatusCode};
use tokio::task::JoinHandle;

use crate::faulty::*;
use crate::harness::*;

/// Where a request can be made to stand still: before or after its first load, before or after its first commit.
pub const PLACES: [(Moment, bool); 4] =
    [(Moment::Before, false), (Moment::After, false), (Moment::Before, true), (Moment::After, true)];

/// Two nodes over one store.
pub struct Race {
    pub world: World,
    pub store: Arc<PausingStore>,
    pub nodes: [AuthorizationServer; 2],
}

impl Race {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(configure: impl Fn(Builder) -> Builder) -> Self {
        let memory = Arc::new(MemoryStore::new());
        let store = PausingStore::new(Arc::clone(&memory));
        let world = World::over(Arc::clone(&store) as Arc<dyn Store>, memory, &configure).await;
        let other = world.server_over(Arc::clone(&store) as Arc<dyn Store>, &configure);
        let nodes = [world.server.clone(), other];
        Self { world, store, nodes }
    }

    /// With a retry window of zero.
    pub async fn strict() -> Self {
        let lifetimes = Lifetimes { refresh_retry_window: Duration::ZERO, ..Lifetimes::default() };
        Self::with(|builder| builder.lifetimes(lifetimes)).await
    }

    /// Sends a request to one of the nodes, and does not wait.
    pub fn start(&self, number: usize, request: Request<String>) -> JoinHandle<Answer> {
        let node = self.nodes[number % 2].clone();
        tokio::spawn(async move { ask(&node, request).await })
    }

    /// Sends a request as often as there are members in the crowd, to the nodes in turn, and waits for all.
    pub async fn crowd(&self, size: usize, request: impl Fn(usize) -> Request<String>) -> Vec<Answer> {
        let tasks: Vec<_> = (0..size).map(|number| self.start(number, request(number))).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    pub fn living(&self, kind: Kind) -> usize {
        living(&self.world.dump(), kind, self.world.now()).len()
    }

    pub fn count(&self, kind: Kind) -> usize {
        of_kind(&self.world.dump(), kind).len()
    }

    /// Nothing that was issued can be used, by the records and by both nodes.
    pub async fn assert_all_dead(&self, tokens: &[String], what: &str) {
        let living = all_living(&self.world.dump(), self.world.now());
        assert!(living.is_empty(), "{what}: still alive: {living:?}");
        for token in tokens {
            for node in &self.nodes {
                assert!(node.verify(token, grantor::Require::any()).await.is_err(), "{what}: a token is alive");
            }
        }
    }
}

/// Stops the next call at this place.
pub fn at(store: &PausingStore, (moment, at_commit): (Moment, bool)) -> Gate {
    store.stop(moment, move |call| match call {
        Call::Load(_) => !at_commit,
        Call::Commit(_) => at_commit,
        Call::List | Call::Purge => false,
    })
}

pub fn redemption(client: Known, code: &str) -> Request<String> {
    let parameters =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    post_as(client, "/token", &parameters)
}

pub fn refreshing(client: Known, token: &str) -> Request<String> {
    post_as(client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

pub fn successes(answers: &[Answer]) -> Vec<&Answer> {
    for answer in answers {
        let expected = answer.status == StatusCode::OK || answer.status == StatusCode::BAD_REQUEST;
        assert!(expected, "{} {}", answer.status, answer.body);
        if answer.status != StatusCode::OK {
            answer.refused("invalid_grant");
        }
    }
    answers.iter().filter(|answer| answer.status == StatusCode::OK).collect()
}

/// Every token hangs on a grant that is there.
pub fn assert_no_orphans(world: &World) {
    let records = world.dump();
    let keys: HashSet<Key> = records.iter().map(|record| record.key).collect();
    for record in &records {
        if let Some(parent) = &record.parent {
            assert!(keys.contains(&parent.key), "an orphan: {record:?}");
        }
    }
}

pub fn replays(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.what, What::Replayed { .. })).count()
}

pub fn issues(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.what, What::Issued { .. })).count()
}
