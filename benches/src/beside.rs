//! Whether a client whose authentication takes long holds up others: the flow of a public client, while another thread does nothing
//! but authenticate, against the same flow while that thread does the same work outside the server.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use async_trait::async_trait;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::manage::Registration;
use grantor::{Claim, ClientAuthentication, ClientAuthenticationRequest};

use crate::Options;
use crate::measure::{Judged, OURS, Row, hash, median, ready, summary, wall};
use crate::party::{OauthAs, Ours, Party};
use crate::wire;

/// Some milliseconds of work, as a hash for human passwords takes them.
pub fn burn() {
    hash(100_000);
}

const METHOD: &str = "slow";
const CLIENT: &str = "slow-service";

/// Lets a client in after a while.
struct Slow;

#[async_trait]
impl ClientAuthentication for Slow {
    async fn authenticate(&self, request: ClientAuthenticationRequest<'_>) -> Claim {
        if !request.headers.contains_key("x-slow") {
            return Claim::Absent;
        }
        burn();
        Claim::Proven(CLIENT.into())
    }
}

fn ours() -> Ours {
    let ours = Ours::new(|builder| builder.client_authentication(METHOD, Slow));
    let metadata = ClientMetadata {
        client_name: "Slow service".into(),
        token_endpoint_auth_method: AuthMethod::Extension(METHOD),
        grant_types: vec!["client_credentials".into()],
        scope: "read".parse().unwrap(),
        ..ClientMetadata::default()
    };
    let registration = Registration { metadata, client_id: Some(CLIENT.into()), client_secret: None };
    ready(ours.server.clients().register(registration)).unwrap();
    ours
}

/// Authenticates once.
fn authenticate(ours: &Ours) {
    let mut request = wire::post("/token", wire::CLIENT_CREDENTIALS.into(), false);
    request.headers_mut().insert("x-slow", http::HeaderValue::from_static("1"));
    let answer = ours.answer(request);
    assert_eq!(answer.status(), 200, "{}", answer.body());
}

/// How many flows are timed at once.
const FLOWS: usize = 256;

/// How long the flows take while another thread does this over and over.
fn time(party: &mut dyn Party, neighbour: &(dyn Fn() + Sync)) -> f64 {
    let (begun, over) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            while !over.load(Ordering::Relaxed) {
                neighbour();
            }
        });
        begun.wait();
        let start = wall();
        drop(party.flow(FLOWS));
        let took = wall() - start;
        over.store(true, Ordering::Relaxed);
        took as f64
    })
}

pub fn run(options: &Options) -> Row {
    let (ours, oauth_as) = (ours(), OauthAs::slow());
    let (mut our_flows, mut their_flows) = (ours.share(1), oauth_as.share(1));
    let slow_peer = std::sync::Mutex::new(oauth_as.share(2));
    let our_neighbour = || authenticate(&ours);
    let their_neighbour = || {
        slow_peer.lock().unwrap().issue(1);
    };
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..=options.rounds {
        samples[0].push(time(&mut our_flows, &our_neighbour) / time(&mut our_flows, &burn));
        samples[1].push(time(&mut their_flows, &their_neighbour) / time(&mut their_flows, &burn));
    }
    for samples in &mut samples {
        samples.remove(0);
    }
    let found = median(&samples[0]);
    let work = "a public client's flow, while another client authenticates slowly";
    eprintln!("  {work}: {found:.2}, oauth-as {:.2}", median(&samples[1]));
    Row {
        work: work.to_owned(),
        unit: "× the time beside a stranger".to_owned(),
        measured: vec![summary(OURS, &samples[0]), summary("oauth-as", &samples[1])],
        judged: vec![Judged { target: "≤ 1.1×".to_owned(), found: format!("{found:.2}×"), met: found <= 1.1 }],
        note: "the stranger does the same work on the other thread, outside the server".to_owned(),
    }
}
