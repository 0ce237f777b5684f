//! What a host decides, with the reason of every default.

use std::time::Duration;

use crate::client::{ClientMetadata, MetadataError};
use crate::device::DeviceAuthorization;
use crate::wire::scope::{Scope, ScopeError};
use crate::wire::uri::{Resource, UriError};

/// How long things live. Whole seconds count on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token; 1 second to 10 years. Default 12 hours: what API pages of the products we rebuild promise.
    pub access_token: Duration,
    /// A refresh token that is not used; 1 second to 10 years. Default 30 days. Each use starts it anew, up to `grant`.
    pub refresh_token: Duration,
    /// A grant, however often it is refreshed; 1 second to 10 years. Default 90 days: spent refresh tokens are
    /// remembered this long, so that a stolen one is still recognised.
    pub grant: Duration,
    /// An authorization code; 1 second to 10 minutes (RFC 6749 §4.1.2). Default 60 seconds, the most that FAPI 2.0
    /// allows.
    pub authorization_code: Duration,
    /// How long after a refresh the same token still gets the same answer; 0 (strict) to 10 minutes. Default 30
    /// seconds: an answer lost on the way costs nobody their session.
    pub refresh_retry_window: Duration,
    /// How long a user may take to sign in and decide; 1 minute to 1 day. Default 30 minutes.
    pub interaction: Duration,
    /// How long consent is remembered; up to 10 years. Default 1 year.
    pub consent: Duration,
    /// A personal token, at the most; 1 second to 10 years. Default 1 year: what nobody renews for a year, nobody misses.
    pub personal_token: Duration,
    /// How far the clocks of nodes may differ; up to 1 hour. Default 60 seconds. Spent tokens are remembered this much
    /// longer.
    pub clock_skew: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            access_token: Duration::from_secs(12 * 3600),
            refresh_token: Duration::from_secs(30 * DAY),
            grant: Duration::from_secs(90 * DAY),
            authorization_code: Duration::from_secs(60),
            refresh_retry_window: Duration::from_secs(30),
            interaction: Duration::from_secs(1800),
            consent: Duration::from_secs(365 * DAY),
            personal_token: Duration::from_secs(365 * DAY),
            clock_skew: Duration::from_secs(60),
        }
    }
}

impl Lifetimes {
    fn check(&self) -> Result<(), ConfigError> {
        const TEN_YEARS: u64 = 315_576_000;
        for (name, value, least, most) in [
            ("access_token", self.access_token, 1, TEN_YEARS),
            ("refresh_token", self.refresh_token, 1, TEN_YEARS),
            ("grant", self.grant, 1, TEN_YEARS),
            ("authorization_code", self.authorization_code, 1, 600),
            ("refresh_retry_window", self.refresh_retry_window, 0, 600),
            ("interaction", self.interaction, 60, 86_400),
            ("consent", self.consent, 0, TEN_YEARS),
            ("personal_token", self.personal_token, 1, TEN_YEARS),
            ("clock_skew", self.clock_skew, 0, 3_600),
        ] {
            if value < Duration::from_secs(least) || value > Duration::from_secs(most) {
                return Err(ConfigError::Lifetime { name, least, most });
            }
        }
        Ok(())
    }
}

/// How much of something there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many live grants one subject may have with one client; 1 to 1,000. Default 10. Beyond it the oldest is
    /// revoked.
    pub grants_per_subject_and_client: u32,
    /// How many live personal tokens one subject may have; 1 to 1,000. Default 50. Beyond it no more are made.
    pub personal_tokens_per_subject: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { grants_per_subject_and_client: 10, personal_tokens_per_subject: 50 }
    }
}

/// A word of the scope (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDefinition {
    /// The scope token itself.
    pub name: String,
    /// What it allows, in the words of the consent page.
    pub description: String,
    /// Whether it is granted when a request names no scope.
    pub default: bool,
    /// Whether only a person can grant it: not to be had by `client_credentials`.
    pub user_only: bool,
}

impl ScopeDefinition {
    /// A scope token that must be asked for.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), default: false, user_only: false }
    }

    /// The same, granted also when a request names no scope.
    #[must_use]
    pub fn default(self) -> Self {
        Self { default: true, ..self }
    }

    /// The same, for people only.
    #[must_use]
    pub fn user_only(self) -> Self {
        Self { user_only: true, ..self }
    }
}

/// A protected resource that tokens can be addressed to (RFC 8707).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDefinition {
    /// Its identifier: what a request names as `resource`, byte for byte.
    pub identifier: Resource,
    /// Which scope makes sense there; a token for it has no other. Empty: any.
    pub scope: Scope,
}

/// What happens to the rest when a client revokes an access token (RFC 7009 §2.1 allows both).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessTokenRevocation {
    /// Only that token ends; its refresh token stays.
    #[default]
    TokenOnly,
    /// The grant ends, with its refresh token and all its access tokens.
    WholeGrant,
}

/// Whether the token request must repeat the redirect URI of the authorization request. If it is sent, it must be the
/// same in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectUriAtTokenEndpoint {
    /// Not where the code is bound by PKCE (OAuth 2.1 §10.2).
    #[default]
    UnlessPkce,
    /// Always, if the authorization request had it (RFC 6749 §4.1.3).
    Required,
}

/// What an authorization request may leave out where the client registered exactly one redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OmittedRedirectUri {
    /// Nothing: `redirect_uri` is always required, as OpenID Connect has it.
    #[default]
    Refused,
    /// `redirect_uri`: the registered one is meant (RFC 6749 §3.1.2.3).
    MeansTheOnlyOne,
}

/// Whether `resource` may be written with another slash at its end than the resource has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SlashAtTheEnd {
    /// It names another resource then (RFC 8707 §2: compared as it is).
    #[default]
    Counts,
    /// It is the same: MCP clients write what their URL library makes of it.
    MeansTheSame,
}

/// What the endpoints go by.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) lifetimes: Lifetimes,
    pub(crate) limits: Limits,
    pub(crate) scopes: Vec<ScopeDefinition>,
    pub(crate) every_scope: Scope,
    pub(crate) default_scope: Scope,
    pub(crate) user_only_scope: Scope,
    pub(crate) personal_token_scope: Scope,
    pub(crate) resources: Vec<ResourceDefinition>,
    pub(crate) slash: SlashAtTheEnd,
    /// What an authorization request that names no resource is for (RFC 8707 §2 allows a default).
    pub(crate) unnamed_resource: Option<Resource>,
    pub(crate) access_token_revocation: AccessTokenRevocation,
    pub(crate) redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint,
    pub(crate) omitted_redirect_uri: OmittedRedirectUri,
    pub(crate) device: Option<DeviceAuthorization>,
}

/// A configuration that cannot be served.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The issuer is not one (RFC 8414 §2).
    #[error("issuer: {0}")]
    Issuer(UriError),
    /// There is no store.
    #[error("a store must be given")]
    StoreMissing,
    /// The store outlives the process, so the keys must too.
    #[error("this store outlives the process: give the builder a secret of 32 bytes that does too")]
    SecretMissing,
    /// A lifetime out of range.
    #[error("the lifetime {name} must be {least} to {most} seconds")]
    Lifetime {
        /// Which one.
        name: &'static str,
        /// The least, in seconds.
        least: u64,
        /// The most, in seconds.
        most: u64,
    },
    /// A limit out of range.
    #[error("the limit {name} must be {least} to {most}")]
    Limit {
        /// Which one.
        name: &'static str,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// A scope token that is not one, or is defined twice.
    #[error("scope {name:?}: {reason}")]
    Scope {
        /// Which one.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A resource identifier that is not one, or is defined twice, or whose scope the server does not have.
    #[error("resource {identifier:?}: {reason}")]
    Resource {
        /// Which one.
        identifier: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A grant type of the host that is one of ours already, or is named twice.
    #[error("grant type {0:?} is already served")]
    GrantType(String),
    /// A client authentication method of the host that is one of ours already, is named twice, or has no name for the
    /// wire.
    #[error("client authentication method {0:?} is already served, or cannot be named")]
    ClientAuthentication(&'static str),
    /// A member that the host adds to a response, and that is there already or is named twice.
    #[error("the member {0:?} belongs to a specification, or is added twice")]
    Member(String),
    /// A parameter that the host adds to authorization requests, and that is another's or cannot be named.
    #[error("the parameter {0:?} belongs to the server, is added twice, is one too many, or cannot be named")]
    Parameter(String),
    /// The path of the management API is not one.
    #[error("the path {0:?} of the management API must be like /manage/v1")]
    ManagementPath(String),
    /// Clients that describe themselves could have what the server does not have.
    #[error("registration: {0}")]
    Registration(String),
    /// There is no randomness.
    #[error("the operating system gave no randomness")]
    Entropy,
}

crate::error::debug_in_words!(ConfigError);

impl Policy {
    pub(crate) fn check(
        lifetimes: Lifetimes,
        limits: Limits,
        scopes: Vec<ScopeDefinition>,
        resources: Vec<(String, Vec<String>)>,
    ) -> Result<Self, ConfigError> {
        lifetimes.check()?;
        for (name, limit) in [
            ("grants_per_subject_and_client", limits.grants_per_subject_and_client),
            ("personal_tokens_per_subject", limits.personal_tokens_per_subject),
        ] {
            if !(1..=1_000).contains(&limit) {
                return Err(ConfigError::Limit { name, least: 1, most: 1_000 });
            }
        }
        let every_scope = scope_of(&scopes, |_| true)?;
        let mut known: Vec<ResourceDefinition> = Vec::with_capacity(resources.len());
        for (identifier, names) in resources {
            let wrong = |reason: String| ConfigError::Resource { identifier: identifier.clone(), reason };
            let resource = Resource::parse(&identifier).map_err(|error| wrong(error.to_string()))?;
            let scope = if names.is_empty() {
                Scope::empty()
            } else {
                Scope::from_tokens(&names).map_err(|error: ScopeError| wrong(error.to_string()))?
            };
            if !scope.is_subset_of(&every_scope) {
                return Err(wrong("its scope is not one the server has".into()));
            }
            if known.iter().any(|other| other.identifier == resource) {
                return Err(wrong("it is defined twice".into()));
            }
            known.push(ResourceDefinition { identifier: resource, scope });
        }
        Ok(Self {
            lifetimes,
            limits,
            default_scope: scope_of(&scopes, |scope| scope.default)?,
            user_only_scope: scope_of(&scopes, |scope| scope.user_only)?,
            personal_token_scope: every_scope.clone(),
            every_scope,
            scopes,
            resources: known,
            slash: SlashAtTheEnd::default(),
            unnamed_resource: None,
            access_token_revocation: AccessTokenRevocation::default(),
            redirect_uri_at_token_endpoint: RedirectUriAtTokenEndpoint::default(),
            omitted_redirect_uri: OmittedRedirectUri::default(),
            device: None,
        })
    }

    /// Which scope personal tokens may have; `None`: all but the server's own.
    pub(crate) fn allow_personal_tokens(&mut self, names: Option<&[String]>) -> Result<(), ConfigError> {
        let own = |name: &&str| !name.starts_with("grantor:");
        let chosen: Vec<&str> = match names {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.every_scope.tokens().filter(own).collect(),
        };
        self.personal_token_scope = Scope::empty();
        for name in chosen {
            let wrong = |reason| ConfigError::Scope { name: name.to_owned(), reason };
            if !self.every_scope.contains(name) {
                return Err(wrong("personal tokens cannot have what the server does not"));
            }
            let scope = Scope::parse(name).map_err(|_| wrong("it is not a scope token"))?;
            self.personal_token_scope = self.personal_token_scope.union(&scope);
        }
        Ok(())
    }

    /// What a request calls a resource, by the identifier it has.
    pub(crate) fn named(&self, resources: &[Resource]) -> Vec<Resource> {
        let named = |asked: &Resource| match (self.slash, self.resource(asked)) {
            (SlashAtTheEnd::MeansTheSame, None) => {
                let bare = |text: &Resource| text.as_str().strip_suffix('/').unwrap_or(text.as_str()).to_owned();
                let same = |known: &&ResourceDefinition| bare(&known.identifier) == bare(asked);
                self.resources.iter().find(same).map_or_else(|| asked.clone(), |known| known.identifier.clone())
            }
            _ => asked.clone(),
        };
        resources.iter().map(named).collect()
    }

    pub(crate) fn resource(&self, identifier: &Resource) -> Option<&ResourceDefinition> {
        self.resources.iter().find(|known| known.identifier == *identifier)
    }

    /// What the consent page says of a scope token; empty where nothing is known of it.
    pub(crate) fn description(&self, name: &str) -> &str {
        self.scopes.iter().find(|scope| scope.name == name).map_or("", |scope| scope.description.as_str())
    }

    /// The scope a client may have at all: what it registered, or the default where it registered none.
    pub(crate) fn scope_of_client(&self, metadata: &ClientMetadata) -> Scope {
        let registered = if metadata.scope.is_empty() { &self.default_scope } else { &metadata.scope };
        registered.intersection(&self.every_scope)
    }

    /// How long something issued to this client can live at the most.
    pub(crate) fn longest_lifetime(&self, metadata: &ClientMetadata) -> Duration {
        let lifetimes = &self.lifetimes;
        let own = metadata.access_token_lifetime.map_or(lifetimes.access_token, Duration::from_secs);
        let most = own.max(lifetimes.access_token).max(lifetimes.grant);
        most.saturating_add(lifetimes.authorization_code).saturating_add(lifetimes.clock_skew)
    }

    /// The part of `scope` that makes sense at `resources`.
    pub(crate) fn scope_at(&self, scope: &Scope, resources: &[Resource]) -> Scope {
        let mut sensible = Scope::empty();
        for resource in resources {
            match self.resource(resource) {
                Some(known) if !known.scope.is_empty() => sensible = sensible.union(&known.scope),
                _ => return scope.clone(),
            }
        }
        if resources.is_empty() { scope.clone() } else { scope.intersection(&sensible) }
    }

    pub(crate) fn check_metadata(
        &self,
        metadata: &ClientMetadata,
        grant_type: &dyn Fn(&str) -> bool,
        auth_method: &dyn Fn(&str) -> bool,
    ) -> Result<(), MetadataError> {
        metadata.check(&crate::client::Known {
            auth_method,
            grant_types: grant_type,
            scope: &self.every_scope,
            resources: &|resource| self.resource(resource).is_some(),
        })
    }
}

fn scope_of(scopes: &[ScopeDefinition], wanted: impl Fn(&ScopeDefinition) -> bool) -> Result<Scope, ConfigError> {
    let mut names: Vec<&str> = Vec::new();
    for scope in scopes {
        let wrong = |reason| ConfigError::Scope { name: scope.name.clone(), reason };
        let alone = Scope::parse(&scope.name).map_err(|_| wrong("it is not a scope token (RFC 6749 section 3.3)"))?;
        if alone.tokens().count() != 1 || alone.as_str() != scope.name {
            return Err(wrong("it is not one scope token"));
        }
        if scopes.iter().filter(|other| other.name == scope.name).count() > 1 {
            return Err(wrong("it is defined twice"));
        }
        if wanted(scope) {
            names.push(&scope.name);
        }
    }
    if names.is_empty() {
        return Ok(Scope::empty());
    }
    Scope::from_tokens(names).map_err(|_| ConfigError::Scope { name: "*".into(), reason: "there are too many" })
}
