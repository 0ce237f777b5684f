//! What was typed into the form of an API client, and the metadata that it means.

use crate::client::{ApplicationType, AuthMethod, ClientMetadata};
use crate::console::form::Fields;
use crate::console::visit::Visit;
use crate::grant::{authorization_code, client_credentials, device_code, refresh_token};
use crate::wire::scope::Scope;

/// What was typed. Kept as it is, so that a form that is refused can be shown again.
pub(super) struct Entries {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) grants: Vec<String>,
    pub(super) redirect_uris: String,
    pub(super) kind: String,
    pub(super) method: String,
    pub(super) pkce: bool,
    pub(super) scopes: Vec<String>,
}

/// The grant types that the form offers, in its order: what the form knows, of what the server has.
pub(super) fn grants(visit: &Visit<'_>) -> Vec<&'static str> {
    let known = [
        authorization_code::GRANT_TYPE,
        device_code::GRANT_TYPE,
        refresh_token::GRANT_TYPE,
        client_credentials::GRANT_TYPE,
    ];
    let served = crate::grant::own_grant_types(&visit.context().policy);
    known.into_iter().filter(|grant| served.contains(grant)).collect()
}

/// The methods that it offers: the server's, and the host's.
pub(super) fn methods(visit: &Visit<'_>) -> Vec<AuthMethod> {
    let of_host = visit.context().client_authentication.names().map(AuthMethod::Extension);
    AuthMethod::ALL.into_iter().chain(of_host).collect()
}

impl Entries {
    /// Those of a form that was sent.
    pub(super) fn sent(form: &Fields) -> Self {
        let owned = |name| form.all(name).map(str::to_owned).collect();
        Self {
            name: form.line("name"),
            description: form.text("description").to_owned(),
            grants: owned("grant"),
            redirect_uris: form.text("redirect_uris").to_owned(),
            kind: form.line("type"),
            method: form.line("method"),
            pkce: form.has("pkce", "yes"),
            scopes: owned("scope"),
        }
    }

    /// Those of an empty form: what most people want.
    pub(super) fn usual() -> Self {
        let metadata = ClientMetadata {
            grant_types: vec![authorization_code::GRANT_TYPE.to_owned(), refresh_token::GRANT_TYPE.to_owned()],
            ..ClientMetadata::default()
        };
        Self { kind: "web".to_owned(), ..Self::of(&metadata) }
    }

    /// Those that say what is registered.
    pub(super) fn of(metadata: &ClientMetadata) -> Self {
        let kind = match metadata.application_type {
            None => "",
            Some(ApplicationType::Web) => "web",
            Some(ApplicationType::Native) => "native",
        };
        Self {
            name: metadata.client_name.clone(),
            description: metadata.description.clone(),
            grants: metadata.grant_types.clone(),
            redirect_uris: metadata.redirect_uris.join("\n"),
            kind: kind.to_owned(),
            method: metadata.token_endpoint_auth_method.as_str().to_owned(),
            pkce: metadata.require_pkce,
            scopes: metadata.scope.tokens().map(str::to_owned).collect(),
        }
    }

    /// The metadata that they mean, on the ground of `before`, of which everything stays that the form does not know.
    /// `None` for entries that the form cannot send.
    pub(super) fn metadata(&self, visit: &Visit<'_>, before: &ClientMetadata) -> Option<ClientMetadata> {
        let (offered, before_method) = (grants(visit), before.token_endpoint_auth_method);
        let application_type = match self.kind.as_str() {
            "" => None,
            "web" => Some(ApplicationType::Web),
            "native" => Some(ApplicationType::Native),
            _ => return None,
        };
        let methods = methods(visit).into_iter().chain([before_method]);
        let method = methods.into_iter().find(|method| method.as_str() == self.method)?;
        let chosen = |grant: &&str| self.grants.iter().any(|chosen| chosen == grant);
        if !self.grants.iter().all(|grant| offered.contains(&grant.as_str()) || before.allows(grant)) {
            return None;
        }
        let kept = before.grant_types.iter().filter(|grant| !offered.contains(&grant.as_str())).cloned();
        let lines = self.redirect_uris.lines().map(str::trim).filter(|line| !line.is_empty());
        let scope = if self.scopes.is_empty() { Scope::empty() } else { Scope::from_tokens(&self.scopes).ok()? };
        Some(ClientMetadata {
            client_name: self.name.clone(),
            description: self.description.clone(),
            redirect_uris: lines.map(str::to_owned).collect(),
            token_endpoint_auth_method: method,
            grant_types: offered.iter().copied().filter(chosen).map(str::to_owned).chain(kept).collect(),
            scope,
            application_type,
            require_pkce: self.pkce,
            ..before.clone()
        })
    }
}
