//! The server: one cloneable value, and how it is built.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;

use crate::client::RecentUses;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{
    AccessTokenRevocation, ConfigError, Lifetimes, Limits, OmittedRedirectUri, Policy, RedirectUriAtTokenEndpoint,
    ScopeDefinition,
};
use crate::context::Context;
use crate::endpoint::{Approval, ConsentNeed, approve, metadata};
use crate::entropy::{Entropy, SystemEntropy, draw};
use crate::error::Failure;
use crate::event::{Event, Observer, Refusal, What};
use crate::extension::ExtensionGrant;
use crate::grant::{authorization_code, client_credentials, refresh_token};
use crate::id::{ClientId, Subject};
use crate::interaction::{self, AuthorizationResponse, PendingAuthorization, Suspended};
use crate::manage::{Clients, Grants, Subjects};
use crate::pages::{Pages, PlainPages};
use crate::refusal::{ApproveError, AuthorizeError, ResumeError, VerifyError};
use crate::resource::{self, Challenge, Require, Verified};
use crate::secret::SecretBytes;
use crate::store::{Durability, KeySpace, Purged, Store};
use crate::token::doubt::Doubts;
use crate::token::seal::SealKey;
use crate::wire::uri::Issuer;

/// An authorization server: configuration and keys, over a store. Cloning it is cheap, and clones are one server.
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) context: Context,
    pub(crate) pages: Arc<dyn Pages>,
    pub(crate) metadata: String,
}

impl Inner {
    /// Tells of an interaction that went no further.
    pub(crate) fn refused_interaction(&self, refusal: Refusal, client_id: Option<&ClientId>) {
        let event = Event::new(self.context.now(), What::Refused(refusal));
        self.context.tell(&match client_id {
            Some(client_id) => event.client(client_id),
            None => event,
        });
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.context.fmt(f)
    }
}

impl AuthorizationServer {
    /// Begins a server with this issuer (RFC 8414 §2): an https URL without query and fragment; http only for a
    /// loopback address.
    pub fn builder(issuer: &str) -> Builder {
        Builder::new(issuer)
    }

    /// The issuer, byte for byte as it was given.
    pub fn issuer(&self) -> &str {
        self.inner.context.issuer.as_str()
    }

    /// Whether a URL is the server's own, below its issuer. A page where one signs in asks this of the `return_to` that
    /// it is given before it sends a browser there, for anybody can give it another.
    pub fn is_own_url(&self, url: &str) -> bool {
        self.inner.context.issuer.covers(url)
    }

    /// The present moment, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.context.now()
    }

    /// The registered clients.
    pub fn clients(&self) -> Clients<'_> {
        Clients::new(&self.inner.context)
    }

    /// What resource owners have granted.
    pub fn grants(&self) -> Grants<'_> {
        Grants::new(&self.inner.context)
    }

    /// The resource owners, as far as the server must know them: which are active.
    pub fn subjects(&self) -> Subjects<'_> {
        Subjects::new(&self.inner.context)
    }

    /// Verifies an access token in this process.
    pub async fn verify(&self, token: &str, require: Require<'_>) -> Result<Verified, VerifyError> {
        resource::verify(&self.inner.context, token, require).await
    }

    /// Verifies the access token in an HTTP request (RFC 6750 §2.1); a refusal is ready to be sent.
    // Not an `async fn`: its future would hold the request, whose body is not `Sync` in most frameworks, and so not be
    // `Send`.
    pub fn check<B>(
        &self,
        request: &http::Request<B>,
        require: Require<'_>,
    ) -> impl Future<Output = Result<Verified, Challenge>> + Send {
        resource::check_request(&self.inner.context, request.headers(), request.uri(), require)
    }

    /// Whether `subject` must be asked before [`approve`](Self::approve).
    pub async fn consent_need(
        &self,
        pending: &PendingAuthorization,
        subject: &Subject,
    ) -> Result<ConsentNeed, Failure> {
        approve::consent_need(&self.inner.context, pending, subject).await
    }

    /// Gives a pending authorization to the browser to keep; `subject`, where it is known who will decide.
    pub fn suspend(&self, pending: PendingAuthorization, subject: Option<&Subject>) -> Result<Suspended, Failure> {
        interaction::suspend(&self.inner.context, pending, subject, self.now())
    }

    /// Takes a pending authorization back from the browser that kept it.
    pub async fn resume(&self, handle: &str, headers: &HeaderMap) -> Result<PendingAuthorization, ResumeError> {
        let resumed = interaction::resume(&self.inner.context, handle, headers).await;
        resumed.inspect_err(|error| self.inner.refused_interaction(Refusal::Resume(*error), None))
    }

    /// Whether a form brings the `csrf` of [`Suspended`]: ask before acting on a decision that came by POST.
    pub fn check_csrf(&self, pending: &PendingAuthorization, csrf: &str) -> Result<(), ResumeError> {
        interaction::check_csrf(&self.inner.context, pending, csrf).inspect_err(|error| {
            self.inner.refused_interaction(Refusal::Resume(*error), Some(pending.client().id()));
        })
    }

    /// The resource owner allows it: an authorization code goes to the client.
    pub async fn approve(
        &self,
        pending: PendingAuthorization,
        approval: Approval,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = approve::approve(&self.inner.context, &pending, &approval).await;
        self.finish(&pending, response)
    }

    /// The resource owner refuses: the client is told `access_denied`.
    pub async fn deny(
        &self,
        pending: PendingAuthorization,
        subject: Option<&Subject>,
    ) -> Result<http::Response<String>, ApproveError> {
        self.refuse(pending, subject, AuthorizeError::AccessDenied).await
    }

    pub(crate) async fn refuse(
        &self,
        pending: PendingAuthorization,
        subject: Option<&Subject>,
        error: AuthorizeError,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = approve::deny(&self.inner.context, &pending, subject, error).await;
        self.finish(&pending, response)
    }

    fn finish(
        &self,
        pending: &PendingAuthorization,
        response: Result<AuthorizationResponse, ApproveError>,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = response.inspect_err(|error| {
            self.inner.refused_interaction(Refusal::Approve(*error), Some(pending.client().id()));
        })?;
        let cookie = interaction::expired_cookie(&self.inner.context, pending);
        let mut response = crate::http::authorization_response(&*self.inner.pages, response);
        if let Some(cookie) = cookie {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Forgets what may be forgotten, at most `limit` records: call it now and then, from wherever the host does such
    /// things. A store may do the same on its own.
    pub async fn purge(&self, limit: u32) -> Result<Purged, Failure> {
        self.inner.context.purge(limit).await
    }
}

/// Collects what a server is made of. See [`AuthorizationServer::builder`].
#[must_use = "a builder makes nothing until `build`"]
pub struct Builder {
    issuer: String,
    store: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Option<Arc<dyn Observer>>,
    pages: Arc<dyn Pages>,
    secret: Option<SecretBytes>,
    lifetimes: Lifetimes,
    limits: Limits,
    scopes: Vec<ScopeDefinition>,
    resources: Vec<(String, Vec<String>)>,
    extension_grants: Vec<(String, Arc<dyn ExtensionGrant>)>,
    access_token_revocation: AccessTokenRevocation,
    redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint,
    omitted_redirect_uri: OmittedRedirectUri,
}

impl Builder {
    fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            store: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            observer: None,
            pages: Arc::new(PlainPages::new()),
            secret: None,
            lifetimes: Lifetimes::default(),
            limits: Limits::default(),
            scopes: Vec::new(),
            resources: Vec::new(),
            extension_grants: Vec::new(),
            access_token_revocation: AccessTokenRevocation::default(),
            redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint::default(),
            omitted_redirect_uri: OmittedRedirectUri::default(),
        }
    }

    /// Where records live.
    pub fn store(self, store: impl Store) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// Where records live, in a store that others hold too.
    pub fn shared_store(self, store: Arc<dyn Store>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// The key that all keys of the server are derived from: 32 random bytes, the same at every start and on every
    /// node. A volatile store can do without; with any other, losing it loses every token, and whoever has it can forge
    /// interactions.
    pub fn secret(self, secret: [u8; 32]) -> Self {
        Self { secret: Some(SecretBytes::new(secret)), ..self }
    }

    /// A scope token, with the words in which the consent page explains it.
    pub fn scope(self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.scope_definition(ScopeDefinition::new(name, description))
    }

    /// A scope token that is granted also when a request names no scope.
    pub fn default_scope(self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.scope_definition(ScopeDefinition::new(name, description).default())
    }

    /// A scope token, with all that can be said of it.
    pub fn scope_definition(mut self, scope: ScopeDefinition) -> Self {
        self.scopes.push(scope);
        self
    }

    /// A protected resource that tokens can be addressed to (RFC 8707), with the scope that makes sense there (none:
    /// any).
    pub fn resource<S: Into<String>>(
        mut self,
        identifier: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.resources.push((identifier.into(), scopes.into_iter().map(Into::into).collect()));
        self
    }

    /// How long things live.
    pub fn lifetimes(self, lifetimes: Lifetimes) -> Self {
        Self { lifetimes, ..self }
    }

    /// How much of something there may be.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What else ends when a client revokes an access token.
    pub fn access_token_revocation(self, policy: AccessTokenRevocation) -> Self {
        Self { access_token_revocation: policy, ..self }
    }

    /// Whether the token request must repeat the redirect URI.
    pub fn redirect_uri_at_token_endpoint(self, policy: RedirectUriAtTokenEndpoint) -> Self {
        Self { redirect_uri_at_token_endpoint: policy, ..self }
    }

    /// Whether an authorization request may leave the redirect URI out.
    pub fn omitted_redirect_uri(self, policy: OmittedRedirectUri) -> Self {
        Self { omitted_redirect_uri: policy, ..self }
    }

    /// What time it is.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Where randomness comes from.
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// Who is told of events.
    pub fn observer(self, observer: impl Observer) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    /// What people see.
    pub fn pages(self, pages: impl Pages) -> Self {
        Self { pages: Arc::new(pages), ..self }
    }

    /// A grant type of the host (RFC 6749 §4.5), by the name it has on the wire.
    pub fn grant_type(mut self, name: impl Into<String>, grant: impl ExtensionGrant) -> Self {
        self.extension_grants.push((name.into(), Arc::new(grant)));
        self
    }

    /// Checks the whole configuration and makes the server.
    pub fn build(self) -> Result<AuthorizationServer, ConfigError> {
        let issuer = Issuer::parse(&self.issuer).map_err(ConfigError::Issuer)?;
        let store = self.store.ok_or(ConfigError::StoreMissing)?;
        let secret = match self.secret {
            Some(secret) => secret,
            None if store.durability() == Durability::Volatile => {
                SecretBytes::new(draw(&*self.entropy).map_err(|_| ConfigError::Entropy)?)
            }
            None => return Err(ConfigError::SecretMissing),
        };
        let mut policy = Policy::check(self.lifetimes, self.limits, self.scopes, self.resources)?;
        policy.access_token_revocation = self.access_token_revocation;
        policy.redirect_uri_at_token_endpoint = self.redirect_uri_at_token_endpoint;
        policy.omitted_redirect_uri = self.omitted_redirect_uri;

        let own = [authorization_code::GRANT_TYPE, refresh_token::GRANT_TYPE, client_credentials::GRANT_TYPE];
        let mut extension_grants: HashMap<String, Arc<dyn ExtensionGrant>> = HashMap::new();
        let mut names: Vec<&str> = Vec::new();
        for (name, grant) in &self.extension_grants {
            // `password` stays refused whoever would serve it (RFC 9700 §2.4).
            let taken = own.contains(&name.as_str()) || matches!(name.as_str(), "" | "password" | "implicit");
            if taken || extension_grants.insert(name.clone(), Arc::clone(grant)).is_some() {
                return Err(ConfigError::GrantType(name.clone()));
            }
            names.push(name);
        }
        let metadata = metadata::document(&issuer, &policy.every_scope, &names)
            .map_err(|_| ConfigError::Issuer(crate::wire::uri::UriError::Malformed))?;
        let keys = KeySpace::new(issuer.as_str(), &secret);
        let context = Context {
            seal: SealKey::new(&secret, &keys),
            issuer,
            keys,
            store,
            clock: self.clock,
            entropy: self.entropy,
            observer: self.observer,
            policy,
            recent_uses: RecentUses::new(),
            doubts: Doubts::default(),
            extension_grants,
        };
        Ok(AuthorizationServer { inner: Arc::new(Inner { context, pages: self.pages, metadata }) })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
