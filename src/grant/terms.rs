//! Which scope and which resources a token gets.

use crate::client::AuthenticatedClient;
use crate::config::Policy;
use crate::refusal::TokenError;
use crate::wire::form::Form;
use crate::wire::scope::{Scope, ScopeError};
use crate::wire::uri::Resource;

/// The most resources that one request may name.
const MAX_RESOURCES: usize = 20;

/// What a token request asks for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `None`: whatever it may have.
    pub(crate) scope: Option<Scope>,
    /// Empty: whatever it may have.
    pub(crate) resources: Vec<Resource>,
}

impl Asked {
    /// Reads `scope` and `resource` (RFC 6749 §3.3, RFC 8707 §2).
    pub(crate) fn read(form: &Form<'_>) -> Result<Self, TokenError> {
        let scope = match form.get("scope").map(Scope::parse) {
            None | Some(Err(ScopeError::Empty)) => None,
            Some(Ok(scope)) => Some(scope),
            Some(Err(_)) => return Err(TokenError::ScopeMalformed),
        };
        let resources = read_resources(form).ok_or(TokenError::TargetMalformed)?;
        Ok(Self { scope, resources })
    }
}

/// The resources that a request names, each once; `None` if one is malformed or there are too many.
pub(crate) fn read_resources(form: &Form<'_>) -> Option<Vec<Resource>> {
    let mut resources: Vec<Resource> = Vec::new();
    for text in form.all("resource") {
        let resource = Resource::parse(text).ok()?;
        if !resources.contains(&resource) {
            resources.push(resource);
        }
        if resources.len() > MAX_RESOURCES {
            return None;
        }
    }
    Some(resources)
}

/// The scope that a client may still have: what it is registered for, and what the resource owner may have themselves,
/// where that is told.
pub(crate) fn still_allowed(policy: &Policy, client: &AuthenticatedClient, rights: Option<&Scope>) -> Scope {
    let registered = policy.scope_of_client(client.client().metadata());
    rights.map_or_else(|| registered.clone(), |rights| registered.intersection(rights))
}

/// What a token gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<Resource>,
}

/// Narrows what was `granted` to what is `asked`, to what the client may still have, and to what makes sense at the
/// resources.
///
/// A scope that was not granted is refused (RFC 6749 §6), and so is a resource (RFC 8707 §2.2): asking for more is
/// never answered with less.
pub(crate) fn narrow(
    policy: &Policy,
    granted: &Granted,
    still_allowed: &Scope,
    asked: &Asked,
) -> Result<Granted, TokenError> {
    let resources = if asked.resources.is_empty() { granted.resources.clone() } else { policy.named(&asked.resources) };
    if !resources.iter().all(|resource| granted.resources.contains(resource)) {
        return Err(TokenError::TargetExceeded);
    }
    if !resources.iter().all(|resource| policy.resource(resource).is_some()) {
        return Err(TokenError::TargetUnknown);
    }
    let available = granted.scope.intersection(still_allowed);
    let scope = match &asked.scope {
        Some(scope) if !scope.is_subset_of(&available) => return Err(TokenError::ScopeExceeded),
        Some(scope) => scope.clone(),
        None => available,
    };
    let scope = policy.scope_at(&scope, &resources);
    // What was granted without any scope stays so; what loses all of it is refused.
    if scope.is_empty() && !granted.scope.is_empty() {
        return Err(TokenError::ScopeExceeded);
    }
    Ok(Granted { scope, resources })
}
