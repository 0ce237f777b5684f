//! The server of a test, and what a test says to it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;

use super::handle::{self, Inner};
use super::listen::Listening;
use super::script::Decision;
use super::{ConnectionReset, Injection, Mint, RecordedRequest, TestClock, TestServerBuilder, end};
use crate::client::ClientMetadata;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::id::{ClientId, Subject};
use crate::manage::Registration;
use crate::secret::Secret;
use crate::server::AuthorizationServer;
use crate::wire::scope::Scope;

/// The real engine inside a test. See the [module](super). Clones are one server.
#[derive(Clone)]
pub struct TestServer {
    pub(super) inner: Arc<Inner>,
    listening: Option<Arc<Listening>>,
}

/// A client of a test server, with its secret in the clear.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TestClient {
    /// Its identifier.
    pub client_id: String,
    /// Its secret; `None` for a public client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

impl TestClient {
    /// The value of an `Authorization` header by which it authenticates (RFC 6749 §2.3.1).
    pub fn basic(&self) -> String {
        use base64::Engine as _;
        let credentials = format!("{}:{}", self.client_id, self.client_secret.as_deref().unwrap_or_default());
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
    }
}

impl std::fmt::Debug for TestServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestServer").field("issuer", &self.issuer()).field("seed", &self.seed()).finish_non_exhaustive()
    }
}

impl TestServer {
    /// A client that every test server has: confidential, by HTTP Basic, with every scope and grant type, and the
    /// redirect URI [`REDIRECT_URI`](Self::REDIRECT_URI). Tokens are minted for it where no other is named.
    pub const CLIENT_ID: &str = "app";
    /// Its secret.
    pub const CLIENT_SECRET: &str = "app-secret-of-a-test-server";
    /// Its redirect URI.
    pub const REDIRECT_URI: &str = "http://localhost/callback";
    /// A resource server that every test server has: it may introspect every access token.
    pub const RESOURCE_SERVER_ID: &str = "api";
    /// Its secret.
    pub const RESOURCE_SERVER_SECRET: &str = "api-secret-of-a-test-server";

    pub(super) fn new(inner: Arc<Inner>, listening: Option<Listening>) -> Self {
        Self { inner, listening: listening.map(Arc::new) }
    }

    /// Begins a server for which something is chosen.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::new()
    }

    /// A server on a free port of 127.0.0.1. It ends when the last clone is dropped.
    ///
    /// # Panics
    ///
    /// If there is no port, or no runtime of tokio.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server without a socket: see [`send`](Self::send).
    pub fn in_process() -> Self {
        Self::builder().in_process()
    }

    /// Its issuer, which is where it listens, if it does.
    pub fn issuer(&self) -> &str {
        self.inner.server.issuer()
    }

    /// The URL of this path below the issuer: `server.url("/token")`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// Where it listens; `None` in process.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listening.as_ref().map(|listening| listening.address)
    }

    /// The engine: give a clone to the application that verifies tokens, or ask it for anything that a host can.
    pub fn oauth(&self) -> &AuthorizationServer {
        &self.inner.server
    }

    /// The seed of its randomness: with the same one it draws the same again.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Its clock.
    pub fn clock(&self) -> &TestClock {
        &self.inner.clock
    }

    /// A token for this user: say more, then [`access`](Mint::access), [`refresh`](Mint::refresh) or
    /// [`tokens`](Mint::tokens).
    pub fn mint(&self, subject: impl Into<Subject>) -> Mint<'_> {
        Mint::new(self, Self::CLIENT_ID.into(), Some(subject.into()))
    }

    /// A token that a client holds for itself, as by `client_credentials`.
    pub fn mint_for_client(&self, client: impl Into<ClientId>) -> Mint<'_> {
        Mint::new(self, client.into(), None)
    }

    /// Registers a client, with metadata alone or with an identifier and a secret of the test's choice.
    ///
    /// # Panics
    ///
    /// If the metadata breaks a rule, or the identifier is taken.
    pub async fn register(&self, registration: impl Into<Registration>) -> TestClient {
        match self.inner.server.clients().register(registration).await {
            Ok(made) => TestClient {
                client_id: made.client.id().as_str().to_owned(),
                client_secret: made.secret.map(|secret| secret.expose().to_owned()),
            },
            Err(error) => panic!("the client could not be registered: {error}"),
        }
    }

    /// From now on this user is signed in, and was signed in just before each request. At first it is `alice`.
    pub fn sign_in(&self, subject: impl Into<Subject>) {
        let subject = subject.into();
        self.inner.script.change(|script| (script.user, script.authenticated_at) = (Some(subject), None));
    }

    /// From now on this user is signed in, since this moment.
    pub fn sign_in_at(&self, subject: impl Into<Subject>, at: Timestamp) {
        let subject = subject.into();
        self.inner.script.change(|script| (script.user, script.authenticated_at) = (Some(subject), Some(at)));
    }

    /// From now on nobody is signed in: a browser is sent to a page on which anybody signs in by giving a name.
    pub fn sign_out(&self) {
        self.inner.script.change(|script| script.user = None);
    }

    /// From now on the user allows all that is asked for, without a page; so it is at first.
    pub fn approve(&self) {
        self.inner.script.change(|script| script.decision = Decision::Approve(None));
    }

    /// From now on the user allows no more than this scope; what is asked for beyond it is left out.
    ///
    /// # Panics
    ///
    /// If it is not a scope.
    pub fn approve_only(&self, scope: &str) {
        match Scope::parse(scope) {
            Ok(scope) => self.inner.script.change(|script| script.decision = Decision::Approve(Some(scope))),
            Err(error) => panic!("{scope:?} is not a scope: {error}"),
        }
    }

    /// From now on the user refuses.
    pub fn deny(&self) {
        self.inner.script.change(|script| script.decision = Decision::Deny);
    }

    /// From now on nobody decides for the user: a browser gets the consent page.
    pub fn ask(&self) {
        self.inner.script.change(|script| script.decision = Decision::Ask);
    }

    /// Ends a token, as the host would: an access token alone, with a refresh or a personal token its
    /// whole grant.
    ///
    /// # Panics
    ///
    /// If it is no token of this server.
    pub async fn revoke(&self, token: &str) {
        match end::revoke(&self.inner, token).await {
            Ok(true) => {}
            Ok(false) => panic!("there is no such token to revoke"),
            Err(error) => panic!("the token could not be revoked: {error}"),
        }
    }

    /// Ends all that was issued for this user.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn revoke_all(&self, subject: impl Into<Subject>) {
        if let Err(error) = self.inner.server.subjects().revoke_all(&subject.into()).await {
            panic!("the user's tokens could not be revoked: {error}");
        }
    }

    /// The requests that came, oldest first; those to the control endpoints are not among them.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.inner.log.all()
    }

    /// The same, and forgets them.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.inner.log.take()
    }

    /// What happened, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.inner.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, and forgets it.
    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.inner.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets something go wrong, for the next request or for those that are named. Where several are for one request, it
    /// is the oldest that happens.
    pub fn inject(&self, fault: impl Into<Injection>) {
        self.inner.faults.add(fault.into());
    }

    /// Takes back every fault that has not happened yet.
    pub fn clear_faults(&self) {
        self.inner.faults.clear();
    }

    /// Answers a request, as the listener would.
    ///
    /// # Errors
    ///
    /// [`ConnectionReset`], where a [`Fault`](super::Fault) says so.
    pub async fn send<B: Body>(&self, request: Request<B>) -> Result<Response<String>, ConnectionReset> {
        handle::handle(&self.inner, request).await
    }
}

impl<B> tower_service::Service<Request<B>> for TestServer
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<String>;
    type Error = ConnectionReset;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, ConnectionReset>> + Send>>;

    fn poll_ready(&mut self, _context: &mut TaskContext<'_>) -> Poll<Result<(), ConnectionReset>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move { server.send(request).await })
    }
}

/// Registers the clients that every test server has.
pub(super) async fn register_known(inner: &Inner) {
    let policy = &inner.server.inner.context.policy;
    let grants = ["authorization_code", "refresh_token", "client_credentials"];
    let app = ClientMetadata {
        client_name: "The application under test".into(),
        redirect_uris: vec![TestServer::REDIRECT_URI.into()],
        grant_types: grants.map(str::to_owned).to_vec(),
        scope: policy.every_scope.clone(),
        ..ClientMetadata::default()
    };
    let api = ClientMetadata {
        client_name: "The API under test".into(),
        grant_types: vec!["client_credentials".into()],
        response_types: Vec::new(),
        resource_server: true,
        ..ClientMetadata::default()
    };
    for (id, secret, metadata) in [
        (TestServer::CLIENT_ID, TestServer::CLIENT_SECRET, app),
        (TestServer::RESOURCE_SERVER_ID, TestServer::RESOURCE_SERVER_SECRET, api),
    ] {
        let registration =
            Registration { metadata, client_id: Some(id.into()), client_secret: Some(Secret::new(secret)) };
        match inner.server.clients().register(registration).await {
            // A store that outlives the server has them already.
            Ok(_) | Err(crate::manage::ManageError::Taken) => {}
            Err(error) => panic!("the client {id} could not be registered: {error}"),
        }
    }
    inner.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
