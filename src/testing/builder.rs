//! All that can be chosen of a test server.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use super::TestClock;
use super::entropy::Seeded;
use super::fault::Faults;
use super::handle::Inner;
use super::listen;
use super::log::Log;
use super::script::{Scripted, ScriptedHost};
use super::server::{self, TestServer};
use super::store::TestStore;
use crate::builder::Builder;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::entropy::{Entropy as _, SystemEntropy};
use crate::event::Event;
use crate::http::Site;
use crate::server::AuthorizationServer;
use crate::store::{MemoryStore, Store};

type Configure = Box<dyn FnOnce(Builder) -> Builder + Send>;

/// What a [`TestServer`] is made of. See [`TestServer::builder`].
#[must_use = "a builder makes nothing until `start` or `in_process`"]
pub struct TestServerBuilder {
    listen: String,
    host: Option<String>,
    path: String,
    issuer: Option<String>,
    seed: Option<u64>,
    at: Option<Timestamp>,
    running: bool,
    control: bool,
    scopes: String,
    store: Option<Arc<dyn Store>>,
    configure: Option<Configure>,
}

impl std::fmt::Debug for TestServerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestServerBuilder").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl TestServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            listen: "127.0.0.1:0".into(),
            host: None,
            path: String::new(),
            issuer: None,
            seed: None,
            at: None,
            running: false,
            control: false,
            scopes: "read write admin".into(),
            store: None,
            configure: None,
        }
    }

    /// The scope that the server has: tokens separated by one space, the first of which is granted also where none is
    /// asked for. `read write admin` where nothing is said.
    pub fn scopes(self, scopes: impl Into<String>) -> Self {
        Self { scopes: scopes.into(), ..self }
    }

    /// All else that a server can be configured with: lifetimes, limits, resources, grant types. Issuer, store, clock,
    /// randomness, secret and observer are the test's own and stay.
    pub fn configure(self, configure: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        Self { configure: Some(Box::new(configure)), ..self }
    }

    /// All randomness comes from this seed: the same requests in the same order get the same tokens.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// The clock stands at this moment; otherwise at that of the start, by the clock of the machine.
    pub fn clock_at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// The clock runs. For clients that look at their own clock, in another process.
    pub fn running_clock(self) -> Self {
        Self { running: true, ..self }
    }

    /// Where to listen: `0.0.0.0:8080`. A free port of 127.0.0.1 where nothing is said.
    pub fn listen(self, address: impl Into<String>) -> Self {
        Self { listen: address.into(), ..self }
    }

    /// By which name clients reach the listener, where that is not its address: `localhost`.
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// The path of the issuer: `/tenant`. Several servers with one path each stand for several issuers.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The issuer as a whole: https, or http for a loopback address (RFC 8414 §2). Where nothing is said, the address
    /// of the listener; in process `https://auth.test`.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// Records are kept in this store, and not in memory.
    pub fn store(self, store: impl Store) -> Self {
        Self { store: Some(Arc::new(store)), ..self }
    }

    /// Whoever can reach the listener can do over HTTP what the methods of [`TestServer`] do: see the guide
    /// `docs/testing.md`.
    pub fn control(self) -> Self {
        Self { control: true, ..self }
    }

    /// Starts it without a socket.
    ///
    /// # Panics
    ///
    /// If the configuration cannot be served, or the store that was given does not answer at once.
    pub fn in_process(mut self) -> TestServer {
        let issuer = self.issuer.take().unwrap_or_else(|| format!("https://auth.test{}", self.path));
        let inner = Arc::new(self.build(&issuer));
        let registered = {
            let mut registering = pin!(server::register_known(&inner));
            registering.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()))
        };
        match registered {
            Poll::Ready(()) => TestServer::new(inner, None),
            Poll::Pending => panic!("a store that waits needs a server with a socket: use `start`"),
        }
    }

    /// Starts it on its listener, which ends when the last clone of the server is dropped.
    ///
    /// # Panics
    ///
    /// If the configuration cannot be served, the address cannot be listened on, or there is no runtime of tokio.
    pub async fn start(mut self) -> TestServer {
        let listener = match listen::bind(&self.listen) {
            Ok(listener) => listener,
            Err(error) => panic!("cannot listen on {}: {error}", self.listen),
        };
        let address = listen::address(&listener);
        let issuer = self.issuer.take().unwrap_or_else(|| self.issuer_at(address));
        let inner = Arc::new(self.build(&issuer));
        server::register_known(&inner).await;
        let listening = listen::spawn(listener, Arc::clone(&inner));
        TestServer::new(inner, Some(listening))
    }

    fn issuer_at(&self, address: SocketAddr) -> String {
        match &self.host {
            Some(host) => format!("http://{host}:{}{}", address.port(), self.path),
            None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}{}", address.port(), self.path),
            None => format!("http://{address}{}", self.path),
        }
    }

    fn build(self, issuer: &str) -> Inner {
        let clock = Arc::new(TestClock::standing(self.at.unwrap_or_else(|| SystemClock.now())));
        if self.running {
            clock.run();
        }
        let seed = self.seed.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            // A machine without randomness gives every server the same: tests still run.
            let _ = SystemEntropy.fill(&mut bytes);
            u64::from_be_bytes(bytes)
        });
        let entropy = Arc::new(Seeded::new(seed));
        let mut secret = [0; 32];
        let _ = entropy.fill(&mut secret);
        let below = self.store.unwrap_or_else(|| Arc::new(MemoryStore::new()));
        let store = Arc::new(TestStore::new(below, Arc::clone(&clock)));
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = Arc::clone(&events);

        let mut builder = AuthorizationServer::builder(issuer);
        for (at, scope) in self.scopes.split(' ').filter(|scope| !scope.is_empty()).enumerate() {
            builder = if at == 0 { builder.default_scope(scope, scope) } else { builder.scope(scope, scope) };
        }
        if let Some(configure) = self.configure {
            builder = configure(builder);
        }
        let builder = builder
            .shared_store(Arc::<TestStore>::clone(&store))
            .clock(Arc::<TestClock>::clone(&clock))
            .entropy(entropy)
            .secret(secret)
            .observer(move |event: &Event| told.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone()));
        let server = match builder.build() {
            Ok(server) => server,
            Err(error) => panic!("the test server cannot be built: {error}"),
        };
        let script = Arc::new(Scripted::new(issuer));
        let host = ScriptedHost { script: Arc::clone(&script), clock: Arc::clone(&clock) };
        Inner {
            site: Site::new(server.clone(), host),
            server,
            clock,
            store,
            script,
            faults: Faults::default(),
            log: Log::default(),
            events,
            seed,
            control: self.control,
        }
    }
}
