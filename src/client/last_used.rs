//! When a secret was last used: to the hour, so that it costs no write per request.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{AuthenticatedClient, Client, StoredSecret};
use crate::clock::Timestamp;
use crate::store::{Commit, DigestHasher, Key, KeySpace, Kind, Record};

/// How far the time that is kept may lag behind.
const PRECISION: Duration = Duration::from_secs(3600);

/// How long an unused mark is kept.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

const SHARDS: usize = 16;
const PER_SHARD: usize = 4096;

/// A secret's digest and when it was made: what its mark is named by, without a hash of the two.
type Name = ([u8; 32], Timestamp);

/// What this process has noted lately, so that it does not ask the store each time.
pub(crate) struct RecentUses([Mutex<Noted>; SHARDS]);

type Noted = HashMap<Name, Timestamp, BuildHasherDefault<DigestHasher>>;

impl RecentUses {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// The key of the mark to write, unless this process wrote it within the hour.
    pub(crate) fn due(&self, keys: &KeySpace, used: &AuthenticatedClient, now: Timestamp) -> Option<Key> {
        let number = used.secret()?;
        let secret = used.client().secrets().iter().find(|secret| secret.id == number)?;
        let name = (secret.digest, secret.created_at);
        let shard = self.0.get(usize::from(secret.digest.first()? % 16))?;
        let mut noted = shard.lock().unwrap_or_else(PoisonError::into_inner);
        match noted.get(&name) {
            Some(at) if now < at.after(PRECISION) && now >= *at => None,
            _ => {
                if noted.len() >= PER_SHARD {
                    noted.clear();
                }
                noted.insert(name, now);
                Some(mark(keys, used.client(), secret))
            }
        }
    }
}

/// The key of the mark that a secret was used, in its client's partition.
///
/// Named by the secret itself and when it was made, and not by its number: a client that was forgotten, or that became
/// public, numbers its secrets from one again, and a new secret must not seem to have been used.
pub(crate) fn mark(keys: &KeySpace, client: &Client, secret: &StoredSecret) -> Key {
    let mut name = secret.digest.to_vec();
    name.extend_from_slice(&secret.created_at.as_millis().to_be_bytes());
    keys.drawn(Kind::SECRET_USE, client.key().partition, &name)
}

/// The commit that writes the mark, given the one that is there. If another node is quicker, its mark is as good.
pub(crate) fn note(keys: &KeySpace, key: Key, present: Option<&Record>, now: Timestamp) -> Commit {
    keys.mark_use(key, present, now, now.after(KEPT), now)
}

impl std::fmt::Debug for RecentUses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecentUses(..)")
    }
}
