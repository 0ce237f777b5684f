//! How a server is built: everything a host can choose, checked at once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::activity::RecentActivity;
use crate::client::RecentUses;
use crate::client_id_metadata::ClientIdMetadata;
use crate::clock::{Clock, SystemClock};
use crate::config::{
    AccessTokenRevocation, ConfigError, Lifetimes, Limits, OmittedRedirectUri, Policy, RedirectUriAtTokenEndpoint,
    ScopeDefinition, SlashAtTheEnd,
};
use crate::context::Context;
use crate::device::DeviceAuthorization;
use crate::endpoint::metadata::{self, Offered};
use crate::entropy::{Entropy, SystemEntropy, draw};
use crate::event::Observer;
use crate::extension::{ClientAuthentication, ExtensionGrant, ExtensionMember, Members, Methods, TokenFormat};
use crate::grant::last_used::RecentGrants;
use crate::limit::{Limiter, RateLimit};
use crate::pages::{Pages, PlainPages};
use crate::preset::{MCP_ACCESS_TOKEN, Preset};
use crate::registration::DynamicRegistration;
use crate::resource::ProtectedResource;
use crate::rights::Rights;
use crate::secret::SecretBytes;
use crate::server::{AuthorizationServer, Inner, Published};
use crate::store::{Durability, KeySpace, Store};
use crate::token::doubt::Doubts;
use crate::token::seal::SealKey;
use crate::wire::uri::Issuer;

/// Collects what a server is made of. See [`AuthorizationServer::builder`].
#[must_use = "a builder makes nothing until `build`"]
pub struct Builder {
    issuer: String,
    store: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Option<Arc<dyn Observer>>,
    pages: Arc<dyn Pages>,
    rate_limit: Option<Arc<dyn RateLimit>>,
    secret: Option<SecretBytes>,
    lifetimes: Lifetimes,
    limits: Limits,
    scopes: Vec<ScopeDefinition>,
    resources: Vec<(String, Vec<String>)>,
    device: Option<DeviceAuthorization>,
    personal_token_scope: Option<Vec<String>>,
    rights: Option<Arc<dyn Rights>>,
    #[cfg(feature = "api")]
    api: Option<crate::api::ManagementApi>,
    protected: Vec<ProtectedResource>,
    preset: Option<Preset>,
    extension_grants: Vec<(String, Arc<dyn ExtensionGrant>)>,
    client_authentication: Methods,
    token_members: Members,
    introspection_members: Members,
    token_format: Option<Arc<dyn TokenFormat>>,
    parameters: Vec<String>,
    access_token_revocation: AccessTokenRevocation,
    redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint,
    omitted_redirect_uri: OmittedRedirectUri,
    registration: Option<DynamicRegistration>,
    client_id_metadata: Option<ClientIdMetadata>,
}

impl Builder {
    pub(crate) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            store: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            observer: None,
            pages: Arc::new(PlainPages::new()),
            rate_limit: None,
            secret: None,
            lifetimes: Lifetimes::default(),
            limits: Limits::default(),
            scopes: Vec::new(),
            resources: Vec::new(),
            device: None,
            personal_token_scope: None,
            rights: None,
            #[cfg(feature = "api")]
            api: None,
            protected: Vec::new(),
            preset: None,
            extension_grants: Vec::new(),
            client_authentication: Methods::default(),
            token_members: Members::default(),
            introspection_members: Members::default(),
            token_format: None,
            parameters: Vec::new(),
            access_token_revocation: AccessTokenRevocation::default(),
            redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint::default(),
            omitted_redirect_uri: OmittedRedirectUri::default(),
            registration: None,
            client_id_metadata: None,
        }
    }

    /// Where records live.
    pub fn store(self, store: impl Store) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// Where records live, in a store that others hold too, or that was chosen when the program ran.
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

    /// The scope that personal tokens may have, of what the server has; by default all of it, but for what begins with
    /// `grantor:`.
    pub fn personal_token_scope<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { personal_token_scope: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// What resource owners may do at all: no token of theirs goes beyond it, whenever it was issued. Without it, what a
    /// scope means for a user is for the protected resource to find out.
    pub fn rights(self, rights: impl Rights) -> Self {
        Self { rights: Some(Arc::new(rights)), ..self }
    }

    /// A protected resource that tokens can be addressed to, and whose metadata (RFC 9728) the server answers where the
    /// resource is at the same origin. What was not said of it is the server's: its issuer, and all its scope.
    pub fn protected_resource(mut self, resource: ProtectedResource) -> Self {
        self.protected.push(resource);
        self
    }

    /// What a kind of client or resource expects, in one line.
    pub fn preset(self, preset: Preset) -> Self {
        let lifetimes = Lifetimes { access_token: MCP_ACCESS_TOKEN, ..self.lifetimes };
        Self { preset: Some(preset), lifetimes, ..self }
    }

    /// Serves the management API too, and adds its scope to the server's: six tokens that begin with `grantor:`, which a
    /// client has only if it is registered for them.
    #[cfg(feature = "api")]
    pub fn management_api(self, api: crate::api::ManagementApi) -> Self {
        let own = crate::api::SCOPES.iter().map(|(name, about)| ScopeDefinition::new(*name, *about));
        let mut scopes = self.scopes;
        scopes.extend(own);
        Self { api: Some(api), scopes, ..self }
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

    /// Lets devices in that have no browser (RFC 8628): adds the endpoint `/device_authorization`, the grant type
    /// `urn:ietf:params:oauth:grant-type:device_code`, and the page `/device` to a [`Site`](crate::Site). Default: off.
    ///
    /// Read what [`DeviceAuthorization`] says of its risk.
    pub fn device_authorization(self, device: DeviceAuthorization) -> Self {
        Self { device: Some(device), ..self }
    }

    /// How often things may be asked for, such as
    /// [`MemoryRateLimit::generous`](crate::limit::MemoryRateLimit::generous). Default: no limit, but for devices and
    /// their user codes, where one is needed (RFC 8628 §5.1).
    ///
    /// A limit by address works where the host tells the [`PeerAddress`](crate::limit::PeerAddress) of a request.
    pub fn rate_limit(self, limit: impl RateLimit) -> Self {
        Self { rate_limit: Some(Arc::new(limit)), ..self }
    }

    /// A grant type of the host (RFC 6749 §4.5), by the name it has on the wire.
    pub fn grant_type(mut self, name: impl Into<String>, grant: impl ExtensionGrant) -> Self {
        self.extension_grants.push((name.into(), Arc::new(grant)));
        self
    }

    /// A client authentication method of the host (RFC 6749 §2.3.2), by the name it has in the metadata of clients:
    /// [`AuthMethod::Extension`](crate::client::AuthMethod::Extension).
    pub fn client_authentication(mut self, name: &'static str, method: impl ClientAuthentication) -> Self {
        self.client_authentication.add(name, method);
        self
    }

    /// What access tokens look like, where they are not to be the server's own text: a JWT, or what older clients know.
    pub fn token_format(self, format: impl TokenFormat) -> Self {
        Self { token_format: Some(Arc::new(format)), ..self }
    }

    /// A parameter of the host in authorization requests (RFC 6749 §8.2), at most 16 of them. Its value, of at most 1,024
    /// bytes, is told by [`SignIn::parameter`](crate::SignIn::parameter) and
    /// [`PendingAuthorization::parameter`](crate::PendingAuthorization::parameter) while the user decides, and then by
    /// [`Verified::parameter`](crate::resource::Verified::parameter) of every token of the grant. It comes from the client
    /// and through the browser: whoever relies on it asks whether it may be so.
    pub fn authorization_parameter(mut self, name: impl Into<String>) -> Self {
        self.parameters.push(name.into());
        self
    }

    /// A member of every token response (RFC 6749 §5.1), by what the token says.
    pub fn token_member(mut self, name: impl Into<String>, member: impl ExtensionMember) -> Self {
        self.token_members.add(name.into(), member);
        self
    }

    /// A member of every introspection response for a token that counts (RFC 7662 §2.2).
    pub fn introspection_member(mut self, name: impl Into<String>, member: impl ExtensionMember) -> Self {
        self.introspection_members.add(name.into(), member);
        self
    }

    /// Lets clients register themselves (RFC 7591) and manage their registration (RFC 7592); off unless it is called.
    pub fn registration(self, registration: DynamicRegistration) -> Self {
        Self { registration: Some(registration), ..self }
    }

    /// Lets the URL of a client ID metadata document be a client identifier; off unless it is called.
    pub fn client_id_metadata(self, documents: ClientIdMetadata) -> Self {
        Self { client_id_metadata: Some(documents), ..self }
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
        let (mut resources, mut protected) = (self.resources, self.protected);
        let mut unnamed = None;
        if let Some(preset) = &self.preset {
            let resource = preset.protected_resource()?;
            unnamed = Some(resource.named().clone());
            protected.push(resource);
        }
        resources.extend(protected.iter().map(|known| (known.identifier().to_owned(), known.scopes().to_vec())));
        let mut policy = Policy::check(self.lifetimes, self.limits, self.scopes, resources)?;
        if unnamed.is_some() {
            policy.slash = SlashAtTheEnd::MeansTheSame;
        }
        policy.unnamed_resource = unnamed;
        policy.access_token_revocation = self.access_token_revocation;
        policy.redirect_uri_at_token_endpoint = self.redirect_uri_at_token_endpoint;
        policy.omitted_redirect_uri = self.omitted_redirect_uri;
        policy.allow_personal_tokens(self.personal_token_scope.as_deref())?;

        self.device.map_or(Ok(()), |device| device.check())?;
        policy.device = self.device;
        let own = crate::grant::own_grant_types(&policy);
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
        self.client_authentication.check()?;
        self.token_members.check_for_tokens()?;
        self.introspection_members.check_for_introspection()?;
        crate::extension::parameter::check(&self.parameters)?;
        let served = |name: &str| own.contains(&name) || extension_grants.contains_key(name);
        let (at_root, registration, documents) = match self.preset {
            Some(preset) => {
                (true, self.registration.or(preset.registration), self.client_id_metadata.or(preset.documents))
            }
            None => (false, self.registration, self.client_id_metadata),
        };
        let registration = registration.map(|settings| settings.check(&policy.every_scope, &served)).transpose()?;
        let documents = documents.map(|settings| settings.check(&policy.every_scope)).transpose()?;
        let offered = Offered { registration: registration.is_some(), client_documents: documents.is_some() };
        let metadata =
            metadata::document(&issuer, &policy.every_scope, &own, &names, offered, &self.client_authentication)
                .map_err(|_| ConfigError::Issuer(crate::wire::uri::UriError::Malformed))?;
        let with_defaults = |known: ProtectedResource| known.with_defaults(issuer.as_str(), &policy.every_scope);
        let published = Published { resources: protected.into_iter().map(with_defaults).collect(), at_root };
        let keys = KeySpace::new(issuer.as_str(), &secret);
        #[cfg(feature = "api")]
        let api = self.api.map(|api| api.mount(&issuer, &keys, &secret)).transpose()?;
        let store = crate::observe::store(store);
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
            recent_grants: RecentGrants::new(),
            recent_activity: RecentActivity::new(),
            rights: self.rights,
            doubts: Doubts::default(),
            limiter: Limiter::new(self.rate_limit),
            extension_grants,
            client_authentication: self.client_authentication,
            token_members: self.token_members,
            introspection_members: self.introspection_members,
            token_format: self.token_format,
            parameters: self.parameters,
            registration,
            documents,
        };
        Ok(AuthorizationServer {
            inner: Arc::new(Inner {
                context,
                pages: self.pages,
                metadata,
                published,
                #[cfg(feature = "api")]
                api,
            }),
        })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
