//! Whether a client is who it says: the only place that makes an [`AuthenticatedClient`].

use std::sync::Arc;

use super::presented::{Presented, Proof};
use super::{AuthMethod, Client};
use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::refusal::ClientError;
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
