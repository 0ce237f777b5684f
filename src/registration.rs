//! What a host decides about clients that register themselves (RFC 7591): who may, as what, and how many.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::client::{AuthMethod, Client, ClientMetadata};
use crate::clock::Timestamp;
use crate::config::ConfigError;
use crate::refusal::RegistrationRefusal;
use crate::wire::scope::Scope;

/// Clients that register themselves (RFC 7591, RFC 7592); see [`Builder::registration`](crate::Builder::registration).
///
/// ```
/// use grantor::DynamicRegistration;
///
/// let registration = DynamicRegistration::open().scope(["read"]).per_day(500);
/// ```
#[derive(Clone)]
pub struct DynamicRegistration {
    pub(crate) access: Access,
    pub(crate) policy: Option<Arc<dyn RegistrationPolicy>>,
    pub(crate) scope: Option<Vec<String>>,
    pub(crate) grant_types: Vec<String>,
    pub(crate) per_day: u32,
    pub(crate) secret_lifetime: Option<Duration>,
    /// Of a client that names none.
    pub(crate) auth_method: AuthMethod,
    pub(crate) registered_scope: RegisteredScope,
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Open,
    InitialAccessToken,
}

/// For which scope a client is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegisteredScope {
    /// What it names, or all it may have where it names none.
    AsNamed,
    /// All it may have, whatever it names.
    All,
}

impl DynamicRegistration {
    /// Anybody may register a client, as programs expect that meet the server for the first time (MCP).
    ///
    /// A client without a secret is then the same for all who describe it alike: registering it again makes no other
    /// one, and nobody is given a token to change it.
    pub fn open() -> Self {
        Self {
            access: Access::Open,
            policy: None,
            scope: None,
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            per_day: 1_000,
            secret_lifetime: None,
            auth_method: AuthMethod::ClientSecretBasic,
            registered_scope: RegisteredScope::AsNamed,
        }
    }

    /// Only who brings an initial access token (RFC 7591 §3), which
    /// [`Registrations::issue`](crate::manage::Registrations::issue) makes.
    pub fn by_initial_access_token() -> Self {
        Self { access: Access::InitialAccessToken, ..Self::open() }
    }

    /// Who is asked about each registration, after all that the server itself checks.
    #[must_use]
    pub fn policy(self, policy: impl RegistrationPolicy) -> Self {
        Self { policy: Some(Arc::new(policy)), ..self }
    }

    /// The most scope that such a client may have, and what it has where it names none. By default all that the server
    /// has, since a user is asked about each word of it, but for the server's own (`grantor:…`, of the
    /// [management API](crate::api)): whoever administrates should not be asked for it by a stranger.
    #[must_use]
    pub fn scope<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { scope: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// The grant types that such a client may have. By default `authorization_code` and `refresh_token`: what a user
    /// allowed. With `client_credentials` a stranger who registers has tokens without asking anybody.
    #[must_use]
    pub fn grant_types<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { grant_types: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// How many clients may register in a day (UTC) by all ways together. Default 1,000. With
    /// [`Registrations::purge_unused`](crate::manage::Registrations::purge_unused) it bounds how many clients that
    /// nobody uses there can be.
    #[must_use]
    pub fn per_day(self, clients: u32) -> Self {
        Self { per_day: clients, ..self }
    }

    /// How long a secret lives that such a client is given (`client_secret_expires_at`); 1 hour to 10 years. By default
    /// it does not expire. A client whose secrets have all expired is given another when it updates its registration.
    #[must_use]
    pub fn secret_lifetime(self, lifetime: Duration) -> Self {
        Self { secret_lifetime: Some(lifetime), ..self }
    }

    /// Registers a client that names no `token_endpoint_auth_method` as public (`none`), where RFC 7591 §2 has it that
    /// such a client gets a secret. For servers whose clients are programs on people's own devices: they have no place for
    /// a secret, and without one, registering again makes no other client. A client that asks for a secret gets it.
    #[must_use]
    pub fn public_by_default(self) -> Self {
        Self { auth_method: AuthMethod::None, ..self }
    }

    /// Registers each client for all the [`scope`](Self::scope) that such clients may have, whatever it names, and tells it
    /// so (RFC 7591 §3.2.1). Programs name what they need at first, and ask for more when a call is refused for want of
    /// it; they do not register once more in between. A user is asked about each word all the same.
    #[must_use]
    pub fn scope_may_grow(self) -> Self {
        Self { registered_scope: RegisteredScope::All, ..self }
    }

    /// What is served, if it makes sense for a server that has `every_scope`.
    pub(crate) fn check(
        self,
        every_scope: &Scope,
        grant_type: &dyn Fn(&str) -> bool,
    ) -> Result<RegistrationRules, ConfigError> {
        const TEN_YEARS: u64 = 315_576_000;
        let scope = most_scope(self.scope.as_deref(), every_scope)?;
        if let Some(unknown) = self.grant_types.iter().find(|name| !grant_type(name)) {
            return Err(ConfigError::Registration(format!("the server has no grant type {unknown:?}")));
        }
        let (least, most) = (3_600, TEN_YEARS);
        if self.secret_lifetime.is_some_and(|lifetime| !(least..=most).contains(&lifetime.as_secs())) {
            return Err(ConfigError::Lifetime { name: "secret_lifetime", least, most });
        }
        if self.per_day == 0 {
            return Err(ConfigError::Limit { name: "per_day", least: 1, most: u32::MAX });
        }
        Ok(RegistrationRules { scope, settings: self })
    }
}

/// The scope that a client which describes itself may have at the most.
pub(crate) fn most_scope(names: Option<&[String]>, every_scope: &Scope) -> Result<Scope, ConfigError> {
    let scope = match names {
        Some(names) => Scope::from_tokens(names),
        None => Scope::from_tokens(every_scope.tokens().filter(|name| !name.starts_with("grantor:"))),
    };
    let scope = scope.map_err(|error| ConfigError::Registration(error.to_string()))?;
    if scope.is_subset_of(every_scope) {
        Ok(scope)
    } else {
        Err(ConfigError::Registration("its scope is not one the server has".into()))
    }
}

/// The same, checked.
pub(crate) struct RegistrationRules {
    pub(crate) scope: Scope,
    pub(crate) settings: DynamicRegistration,
}

impl std::fmt::Debug for DynamicRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamicRegistration")
            .field("access", &self.access)
            .field("scope", &self.scope)
            .field("grant_types", &self.grant_types)
            .field("per_day", &self.per_day)
            .field("secret_lifetime", &self.secret_lifetime)
            .field("auth_method", &self.auth_method)
            .field("registered_scope", &self.registered_scope)
            .finish_non_exhaustive()
    }
}

/// What the host thinks of a client that describes itself.
///
/// # Contract
///
/// Asked after the server's own checks, possibly more than once for one request. It validates and changes nothing. What
/// it returns is checked again, by the rules for any client.
#[async_trait]
pub trait RegistrationPolicy: Send + Sync + 'static {
    /// As what the client is registered: `request.metadata`, or less, or otherwise amended; or why it is not.
    async fn decide(&self, request: RegistrationRequest<'_>) -> Result<ClientMetadata, RegistrationRefusal>;
}

/// A client that describes itself.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RegistrationRequest<'a> {
    /// What it would be registered as.
    pub metadata: &'a ClientMetadata,
    /// What it calls the software that it is an instance of (RFC 7591 §2).
    pub software_id: Option<&'a str>,
    /// Which version of that it says it is.
    pub software_version: Option<&'a str>,
    /// What somebody else says of it, signed (RFC 7591 §2.3): a JWT that the server has not looked at. Without a policy
    /// it is refused. Values in it that the policy trusts take the place of the client's own.
    pub software_statement: Option<&'a str>,
    /// By what it comes.
    pub by: RegisteredBy<'a>,
    /// The present moment.
    pub now: Timestamp,
}

/// By what a client that describes itself comes to the server.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RegisteredBy<'a> {
    /// By a request of anybody.
    Anybody,
    /// By a request with an initial access token, which has this label.
    InitialAccessToken(&'a str),
    /// By its own registration access token: it is registered already, as this.
    Itself(&'a Client),
    /// By a document at this URL, which is its identifier.
    Document(&'a str),
}
