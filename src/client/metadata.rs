//! What is registered of a client, by its RFC 7591 names, and the rules it must keep.

use serde::{Deserialize, Serialize};

use super::redirect::{self, RedirectUriError};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// Client metadata (RFC 7591 §2). Fields that no specification names are marked as ours.
///
/// `ClientMetadata::default()` is a confidential web client with no redirect URI and no grant type; fill in what you
/// need:
///
/// ```
/// use grantor::client::{AuthMethod, ClientMetadata};
///
/// let metadata = ClientMetadata {
///     client_name: "Camera wall".into(),
///     redirect_uris: vec!["https://wall.example/cb".into()],
///     grant_types: vec!["authorization_code".into(), "refresh_token".into()],
///     token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
///     ..ClientMetadata::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientMetadata {
    /// What people call it; at most 200 characters. Shown on the consent page.
    pub client_name: String,
    /// Ours: what it is for; at most 2,000 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where authorization responses may go; at most 50. See `docs/design.md` for what is accepted and what matches.
    pub redirect_uris: Vec<String>,
    /// How it authenticates at the token endpoint; only this method is accepted.
    pub token_endpoint_auth_method: AuthMethod,
    /// Which grant types it may use: `authorization_code`, `refresh_token`, `client_credentials`, or a host's own.
    pub grant_types: Vec<String>,
    /// Which response types it may use: `code`, or nothing.
    pub response_types: Vec<String>,
    /// Which scope it may ask for. Empty: the server's default scope.
    pub scope: Scope,
    /// Whether it runs on a server or on the user's device. `None`: native if it is public and has a loopback or
    /// private-use redirect URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// Its home page; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo; http or https. Never fetched by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms of service; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its privacy policy; http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// How to reach the people behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Ours: whether an authorization request without a code challenge is refused. Must be true for a public client.
    pub require_pkce: bool,
    /// Ours: how long its access tokens live, in seconds; `None`: as the server is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// Ours: how long its refresh tokens live unused, in seconds; `None`: as the server is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<u64>,
    /// Ours: whether its refresh tokens are replaced at each use.
    pub refresh_token_rotation: RefreshRotation,
    /// Ours: whether it is asked for the user's consent.
    pub consent: Consent,
    /// Ours: whether it may introspect tokens that were issued to others and are addressed to it (RFC 7662).
    pub resource_server: bool,
    /// Ours: as which resources it is addressed (RFC 8707), where it is a resource server. Empty: as any that the
    /// server knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
}

impl Default for ClientMetadata {
    fn default() -> Self {
        Self {
            client_name: String::new(),
            description: String::new(),
            redirect_uris: Vec::new(),
            token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
            grant_types: Vec::new(),
            response_types: vec!["code".into()],
            scope: Scope::empty(),
            application_type: None,
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            contacts: Vec::new(),
            require_pkce: true,
            access_token_lifetime: None,
            refresh_token_lifetime: None,
            refresh_token_rotation: RefreshRotation::EachUse,
            consent: Consent::Remembered,
            resource_server: false,
            resources: Vec::new(),
        }
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2, RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// Its secret in the `Authorization` header.
    ClientSecretBasic,
    /// Its secret in the body.
    ClientSecretPost,
    /// By a method of the host, by its name; see
    /// [`Builder::client_authentication`](crate::Builder::client_authentication).
    Extension(&'static str),
}

impl AuthMethod {
    /// Every method that the server has by itself, in the order in which metadata names them.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The name of the method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::Extension(name) => name,
        }
    }

    /// Whether the server keeps secrets for it.
    pub(crate) const fn takes_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

impl Serialize for AuthMethod {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One of the host's only where some server of the process has it.
impl<'d> Deserialize<'d> for AuthMethod {
    fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'d, str>::deserialize(deserializer)?;
        let own = Self::ALL.into_iter().find(|method| method.as_str() == name);
        own.or_else(|| crate::extension::known_name(&name).map(Self::Extension))
            .ok_or_else(|| serde::de::Error::custom(format!("unknown client authentication method `{name}`")))
    }
}

/// Where a client runs (OpenID Connect Dynamic Client Registration 1.0 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a server.
    Web,
    /// On the user's device: any port of a loopback redirect URI matches (RFC 8252 §7.3).
    Native,
}

/// Whether refresh tokens are replaced at each use (RFC 9700 §4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshRotation {
    /// Each use answers a new one, and using an old one later ends the family.
    EachUse,
    /// The same one serves until it expires. Only for confidential clients.
    Never,
}

/// Whether a client is asked for the user's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The first time, and when it asks for more. Public clients that anyone could impersonate are asked each time.
    Remembered,
    /// Each time.
    Always,
    /// Never: the host answers for this client, which is its own.
    Implied,
}

/// Metadata that cannot be registered, and why (RFC 7591 §3.2.2).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// `invalid_redirect_uri`.
    #[error("redirect URI {index}: {reason}")]
    RedirectUri {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        reason: RedirectUriError,
    },
    /// More than 50 redirect URIs, or the same one twice.
    #[error("at most 50 redirect URIs, each once")]
    RedirectUris,
    /// The authorization code grant without a redirect URI.
    #[error("the authorization_code grant needs a redirect URI")]
    RedirectUriMissing,
    /// A public client for which PKCE is not required.
    #[error("a client that authenticates by none must require PKCE")]
    PublicWithoutPkce,
    /// A public client with a grant that needs a secret.
    #[error("a client that authenticates by none cannot use client_credentials")]
    PublicWithClientCredentials,
    /// A public client whose refresh tokens would not be replaced.
    #[error("a client that authenticates by none must have its refresh tokens rotated")]
    PublicWithoutRotation,
    /// A public client that would introspect the tokens of others.
    #[error("a client that authenticates by none cannot be a resource server")]
    PublicResourceServer,
    /// An authentication method of another server.
    #[error("unknown client authentication method")]
    AuthMethod,
    /// A grant type that the server does not have.
    #[error("unknown grant type")]
    GrantType,
    /// `refresh_token` without a grant that could issue one.
    #[error("the refresh_token grant needs a grant that issues refresh tokens")]
    RefreshWithoutSource,
    /// A response type other than `code`.
    #[error("the only response type is code, with the authorization_code grant")]
    ResponseType,
    /// A scope that the server does not have.
    #[error("the scope names something that the server does not have")]
    Scope,
    /// A resource that the server does not have.
    #[error("the resources name one that the server does not have")]
    Resource,
    /// Text that is too long or has control characters.
    #[error("{0} is too long, or has control characters")]
    Text(&'static str),
    /// An address that is not http or https.
    #[error("{0} is not an http or https URL")]
    Url(&'static str),
    /// A lifetime of 0, or over ten years.
    #[error("{0} must be 1 second to 10 years")]
    Lifetime(&'static str),
}

crate::error::debug_in_words!(MetadataError);

/// What metadata is checked against.
pub(crate) struct Known<'a> {
    pub(crate) auth_method: &'a dyn Fn(&str) -> bool,
    pub(crate) grant_types: &'a dyn Fn(&str) -> bool,
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a dyn Fn(&Resource) -> bool,
}

const MAX_REDIRECT_URIS: usize = 50;
const TEN_YEARS: u64 = 315_576_000;

impl ClientMetadata {
    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub const fn is_confidential(&self) -> bool {
        !matches!(self.token_endpoint_auth_method, AuthMethod::None)
    }

    /// Whether it runs on the user's device.
    pub fn is_native(&self) -> bool {
        match self.application_type {
            Some(ApplicationType::Native) => true,
            Some(ApplicationType::Web) => false,
            None => !self.is_confidential() && self.redirect_uris.iter().any(|uri| redirect::is_on_device(uri)),
        }
    }

    /// Whether it may use `grant_type`.
    pub fn allows(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|allowed| allowed == grant_type)
    }

    /// Checks every rule; the first that is broken is named.
    pub(crate) fn check(&self, known: &Known<'_>) -> Result<(), MetadataError> {
        self.check_redirect_uris()?;
        if let AuthMethod::Extension(name) = self.token_endpoint_auth_method
            && !(known.auth_method)(name)
        {
            return Err(MetadataError::AuthMethod);
        }
        self.check_grants(known)?;
        if !self.is_confidential() {
            self.check_public()?;
        }
        if !self.scope.is_subset_of(known.scope) {
            return Err(MetadataError::Scope);
        }
        if !self.resources.iter().all(known.resources) {
            return Err(MetadataError::Resource);
        }
        self.check_texts()?;
        for (name, lifetime) in [
            ("access_token_lifetime", self.access_token_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
        ] {
            if lifetime.is_some_and(|seconds| !(1..=TEN_YEARS).contains(&seconds)) {
                return Err(MetadataError::Lifetime(name));
            }
        }
        Ok(())
    }

    fn check_redirect_uris(&self) -> Result<(), MetadataError> {
        let uris = &self.redirect_uris;
        let distinct: std::collections::HashSet<&str> = uris.iter().map(String::as_str).collect();
        if uris.len() > MAX_REDIRECT_URIS || distinct.len() != uris.len() {
            return Err(MetadataError::RedirectUris);
        }
        for (index, uri) in uris.iter().enumerate() {
            redirect::check_registration(uri).map_err(|reason| MetadataError::RedirectUri { index, reason })?;
        }
        Ok(())
    }

    fn check_grants(&self, known: &Known<'_>) -> Result<(), MetadataError> {
        if !self.grant_types.iter().all(|grant_type| (known.grant_types)(grant_type)) {
            return Err(MetadataError::GrantType);
        }
        let code = self.allows("authorization_code");
        if code && self.redirect_uris.is_empty() {
            return Err(MetadataError::RedirectUriMissing);
        }
        if self.grant_types.iter().all(|grant_type| grant_type == "refresh_token" || grant_type == "client_credentials")
            && self.allows("refresh_token")
        {
            return Err(MetadataError::RefreshWithoutSource);
        }
        if self.response_types.iter().any(|response_type| response_type != "code") {
            return Err(MetadataError::ResponseType);
        }
        Ok(())
    }

    fn check_public(&self) -> Result<(), MetadataError> {
        if !self.require_pkce {
            return Err(MetadataError::PublicWithoutPkce);
        }
        if self.allows("client_credentials") {
            return Err(MetadataError::PublicWithClientCredentials);
        }
        if self.refresh_token_rotation == RefreshRotation::Never {
            return Err(MetadataError::PublicWithoutRotation);
        }
        if self.resource_server {
            return Err(MetadataError::PublicResourceServer);
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), MetadataError> {
        let fits = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        if !fits(&self.client_name, 200) {
            return Err(MetadataError::Text("client_name"));
        }
        if self.description.chars().count() > 2_000 {
            return Err(MetadataError::Text("description"));
        }
        if self.contacts.len() > 20 || !self.contacts.iter().all(|contact| fits(contact, 320)) {
            return Err(MetadataError::Text("contacts"));
        }
        for (name, url) in [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
        ] {
            if url.as_deref().is_some_and(|url| !redirect::is_web_page(url)) {
                return Err(MetadataError::Url(name));
            }
        }
        Ok(())
    }
}
