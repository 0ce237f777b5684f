//! A way in which clients show who they are, that the host brings.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use http::HeaderMap;

use crate::config::ConfigError;
use crate::error::Failure;
use crate::id::ClientId;
use crate::wire::form::Form;

/// A client authentication method of the host (RFC 6749 §2.3.2); see
/// [`Builder::client_authentication`](crate::Builder::client_authentication).
///
/// For what the host can tell from the request alone, with what it keeps itself: a certificate that a proxy has checked,
/// an identity that the platform gives to its workloads, a signature by a key it knows. A client is registered for it by
/// [`AuthMethod::Extension`](crate::client::AuthMethod::Extension), has no secret, and can authenticate in no other way;
/// nor can any other client in this one.
#[async_trait]
pub trait ClientAuthentication: Send + Sync + 'static {
    /// Whose request it is. Asked at every endpoint where clients authenticate, before anything is loaded, for requests
    /// of all clients: answer [`Claim::Absent`] quickly for one that does not use the method.
    async fn authenticate(&self, request: ClientAuthenticationRequest<'_>) -> Claim;
}

/// A request in which a client may show who it is.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ClientAuthenticationRequest<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its parameters, each at most once.
    pub parameters: &'a Form<'a>,
}

/// The names of headers and parameters alone: what they say is what proves who somebody is.
impl std::fmt::Debug for ClientAuthenticationRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("ClientAuthenticationRequest")
            .field("headers", &headers)
            .field("parameters", self.parameters)
            .finish()
    }
}

/// What a method makes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The request does not use this method.
    Absent,
    /// It does, and what it shows is not valid: `invalid_client`.
    Refused,
    /// It does, and this client has shown who it is.
    Proven(ClientId),
    /// It cannot be told now: 503.
    Unavailable,
}

/// The methods of the host, by their names.
#[derive(Clone, Default)]
pub(crate) struct Methods(Vec<(&'static str, Arc<dyn ClientAuthentication>)>);

/// Every name that a host of this process has given a method: metadata are read by it, and `AuthMethod` stays a value
/// that is copied.
static NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// The name of a method that some server of this process has.
pub(crate) fn known_name(name: &str) -> Option<&'static str> {
    NAMES.read().unwrap_or_else(PoisonError::into_inner).iter().find(|known| **known == name).copied()
}

/// What the server has or may have, and what is no name.
const TAKEN: [&str; 8] = [
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "",
];

impl Methods {
    pub(crate) fn add(&mut self, name: &'static str, method: impl ClientAuthentication) {
        self.0.push((name, Arc::new(method)));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| *own == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// Refuses what collides, and makes the names known.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (at, name) in self.names().enumerate() {
            let printable = name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
            if TAKEN.contains(&name) || !printable || self.names().take(at).any(|earlier| earlier == name) {
                return Err(ConfigError::ClientAuthentication(name));
            }
        }
        let mut known = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        for name in self.names() {
            if !known.contains(&name) {
                known.push(name);
            }
        }
        Ok(())
    }

    /// The method that the request uses, with what came of it; `None` if it uses none of these.
    pub(crate) async fn claimed(
        &self,
        headers: &HeaderMap,
        parameters: &Form<'_>,
    ) -> Result<Option<(&'static str, Used)>, Failure> {
        let mut found = None;
        for (name, method) in &self.0 {
            let used = match method.authenticate(ClientAuthenticationRequest { headers, parameters }).await {
                Claim::Absent => continue,
                Claim::Refused => Used::Refused,
                Claim::Proven(client_id) => Used::Proven(client_id),
                Claim::Unavailable => return Err(Failure::Unavailable),
            };
            let used = if found.is_some() { Used::Several } else { used };
            found = Some((*name, used));
        }
        Ok(found)
    }
}

/// What came of a method that a request uses.
#[derive(Debug)]
pub(crate) enum Used {
    Proven(ClientId),
    Refused,
    /// And of another: RFC 6749 §2.3 allows one.
    Several,
}
