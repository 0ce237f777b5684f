//! Whether a client is who it says: the only place that makes an [`AuthenticatedClient`].

use std::sync::Arc;

use super::credentials::{Presented, Proof};
use super::{AuthMethod, Client};
use crate::ClientId;
use crate::clock::Timestamp;
use crate::secret::same_digest;
use crate::store::{KeySpace, Loaded, State};

/// A client that has shown who it is, by the method it registered.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    secret: Option<u32>,
}

impl AuthenticatedClient {
    /// The client.
    pub const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Its identifier.
    pub fn id(&self) -> &ClientId {
        self.client.id()
    }

    /// Which of its secrets it used.
    pub(crate) const fn secret(&self) -> Option<u32> {
        self.secret
    }
}

/// A client could not be authenticated, and why. On the wire they are alike, but for the first three.
///
/// `header` tells whether the client used the `Authorization` header, which then has to be answered by a challenge (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientError {
    /// Two methods at once, or two `Authorization` headers: `invalid_request`.
    #[error("more than one client authentication method was used")]
    SeveralMethods,
    /// The body names another client than the header: `invalid_request`.
    #[error("client_id differs from the authenticated client")]
    IdMismatch,
    /// Credentials in the query string, where logs keep them (RFC 6749 §2.3.1): `invalid_request`.
    #[error("credentials must not be sent in the query string")]
    InQuery,
    /// Neither credentials nor a `client_id`.
    #[error("no client authentication was included")]
    Missing,
    /// Credentials that cannot be read.
    #[error("the client credentials cannot be read")]
    Malformed {
        /// Whether they were in the header.
        header: bool,
    },
    /// There is no such client.
    #[error("the client is unknown")]
    Unknown {
        /// Whether it was named in the header.
        header: bool,
    },
    /// The client was deactivated or deleted.
    #[error("the client is not active")]
    Inactive {
        /// Whether it was named in the header.
        header: bool,
    },
    /// A method that the server does not have.
    #[error("the authentication method is not supported")]
    MethodUnsupported {
        /// Whether it uses the header.
        header: bool,
    },
    /// A method other than the one the client registered.
    #[error("the client registered another authentication method")]
    MethodNotRegistered {
        /// Whether the header was used.
        header: bool,
    },
    /// The secret is none of the client's, or none that is still current.
    #[error("the client secret is wrong or has expired")]
    WrongSecret {
        /// Whether it was in the header.
        header: bool,
    },
    /// What is stored of the client contradicts itself: it never authenticates.
    #[error("the record of the client is inconsistent")]
    Inconsistent {
        /// Whether the header was used.
        header: bool,
    },
}

impl ClientError {
    /// Whether the answer needs a challenge.
    pub(crate) const fn used_header(self) -> bool {
        match self {
            Self::SeveralMethods | Self::IdMismatch | Self::InQuery | Self::Missing => false,
            Self::Malformed { header }
            | Self::Unknown { header }
            | Self::Inactive { header }
            | Self::MethodUnsupported { header }
            | Self::MethodNotRegistered { header }
            | Self::WrongSecret { header }
            | Self::Inconsistent { header } => header,
        }
    }
}

/// The longest secret that is looked at, in bytes; no registered one is longer.
pub(crate) const MAX_SECRET: usize = 512;

/// Compares what was presented with what is registered.
///
/// The digest is computed and compared also when there is no client or it has no secret, so that the time tells nothing.
pub(crate) fn authenticate(
    presented: &Presented,
    loaded: Option<&Loaded>,
    keys: &KeySpace,
    now: Timestamp,
) -> Result<AuthenticatedClient, ClientError> {
    let header = matches!(presented.proof, Proof::Secret { method: AuthMethod::ClientSecretBasic, .. });
    let client = Client::loaded(loaded);
    let matched = match &presented.proof {
        Proof::None => None,
        Proof::Secret { candidates, .. } => {
            if candidates.iter().any(|candidate| candidate.expose().len() > MAX_SECRET) {
                return Err(ClientError::WrongSecret { header });
            }
            let digests =
                candidates.iter().map(|candidate| keys.secret_digest(&presented.client_id, candidate.expose()));
            matching_secret(client.as_deref(), digests, now)
        }
    };
    let client = client.ok_or(ClientError::Unknown { header })?;
    if client.state() != State::Live {
        return Err(ClientError::Inactive { header });
    }
    if client.is_inconsistent() {
        return Err(ClientError::Inconsistent { header });
    }
    let method = match presented.proof {
        Proof::None => AuthMethod::None,
        Proof::Secret { method, .. } => method,
    };
    if client.metadata().token_endpoint_auth_method != method {
        return Err(ClientError::MethodNotRegistered { header });
    }
    if method != AuthMethod::None && matched.is_none() {
        return Err(ClientError::WrongSecret { header });
    }
    Ok(AuthenticatedClient { client, secret: matched })
}

fn matching_secret(client: Option<&Client>, digests: impl Iterator<Item = [u8; 32]>, now: Timestamp) -> Option<u32> {
    let secrets = client.map_or(&[][..], Client::secrets);
    let mut matched = None;
    for digest in digests {
        if secrets.is_empty() {
            std::hint::black_box(same_digest(&digest, &[0; 32]));
        }
        for secret in secrets {
            if same_digest(&digest, &secret.digest) && secret.is_current(now) {
                matched = Some(secret.id);
            }
        }
    }
    matched
}
