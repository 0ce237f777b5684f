//! Whether a client is who it says: the only place that makes an [`AuthenticatedClient`].

use std::sync::Arc;

use super::presented::{Presented, Proof};
use super::{AuthMethod, Client};
use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::refusal::ClientError;
use crate::secret::{Secret, same_digest};
use crate::store::{KeySpace, Loaded, State};

/// A client that has shown who it is, by the method it registered.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    secret: Option<u32>,
}

impl AuthenticatedClient {
    /// A client that a test speaks for: nobody has shown anything.
    #[cfg(feature = "testing")]
    pub(crate) const fn vouched_for(client: Arc<Client>) -> Self {
        Self { client, secret: None }
    }

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
/// The digest is computed and compared also when there is no client or it has no secret, so that the time tells
/// nothing.
pub(crate) fn authenticate(
    presented: &Presented,
    loaded: Option<&Loaded>,
    keys: &KeySpace,
    now: Timestamp,
) -> Result<AuthenticatedClient, ClientError> {
    let header = matches!(presented.proof, Proof::Secret { method: AuthMethod::ClientSecretBasic, .. });
    let client = Client::loaded(loaded);
    let matched = match &presented.proof {
        Proof::None | Proof::Extension { .. } => None,
        Proof::Secret { secret, other, .. } => {
            let candidates = std::iter::once(secret).chain(other).map(Secret::expose);
            if candidates.clone().any(|candidate| candidate.len() > MAX_SECRET) {
                return Err(ClientError::WrongSecret { header });
            }
            let digests = candidates.map(|candidate| keys.secret_digest(&presented.client_id, candidate));
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
        Proof::Extension { method } => AuthMethod::Extension(method),
        Proof::Secret { method, .. } => method,
    };
    if client.metadata().token_endpoint_auth_method != method {
        return Err(ClientError::MethodNotRegistered { header });
    }
    if method.takes_secret() && matched.is_none() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientMetadata, StoredSecret};
    use crate::store::{Key, Kind, Link, Partition};

    #[test]
    fn a_secret_is_hashed_for_an_unknown_client_as_for_a_known_one() {
        let now = Timestamp::from_secs(0);
        let key = Key { partition: Partition(0), kind: Kind::CLIENT, id: [0; 32] };
        let client = |digests: &[[u8; 32]]| {
            let secret = |(id, digest): (u32, &[u8; 32])| StoredSecret {
                id,
                label: String::new(),
                digest: *digest,
                created_at: now,
                expires_at: Timestamp::NEVER,
            };
            let secrets = (1..).zip(digests).map(secret).collect();
            Client::new("web".into(), ClientMetadata::default(), secrets, Link { key, epoch: 0 }, now)
        };
        let (none, one, two) = (client(&[]), client(&[[1; 32]]), client(&[[1; 32], [2; 32]]));
        for (client, expected) in [(None, None), (Some(&none), None), (Some(&one), None), (Some(&two), Some(2))] {
            // Each candidate is hashed when it is asked for: all of them are, whether there is something to compare or
            // not, and also after one was right.
            for candidates in [vec![[2; 32]], vec![[2; 32], [3; 32]], vec![[3; 32], [2; 32]]] {
                let mut hashed = 0;
                let digests = candidates.iter().inspect(|_| hashed += 1).copied();
                assert_eq!(matching_secret(client, digests, now), expected);
                assert_eq!(hashed, candidates.len());
            }
        }
    }
}
