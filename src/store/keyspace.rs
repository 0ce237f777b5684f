//! From what a thing is called to the key of its record.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher24;

use super::{Commit, Condition, Key, Kind, Partition, Payload, Record, State, Tenant, Write};
use crate::clock::Timestamp;
use crate::id::{ClientId, Subject};
use crate::secret::SecretBytes;

/// The keys of one server: bound to its issuer, so that servers that share a store do not meet.
#[derive(Clone)]
pub(crate) struct KeySpace {
    tenant: Tenant,
    partitions: [u8; 16],
    masks: [u8; 16],
    user_codes: SecretBytes,
}

impl KeySpace {
    pub(crate) fn new(issuer: &str, secret: &SecretBytes) -> Self {
        let tenant = Tenant::of_issuer(issuer);
        Self {
            tenant,
            partitions: head(&derive(secret, &tenant, b"partition of a subject or client")),
            masks: head(&derive(secret, &tenant, b"mask of the partition in a token")),
            user_codes: SecretBytes::new(derive(secret, &tenant, b"name of a user code")),
        }
    }

    pub(crate) const fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// A commit of this server that does nothing yet.
    pub(crate) const fn commit(&self, partition: Partition, at: Timestamp) -> Commit {
        Commit { tenant: self.tenant, partition, at, conditions: Vec::new(), writes: Vec::new(), events: Vec::new() }
    }

    /// The commit that writes the mark of a use at `used_at`, in place of the one that is there. If another node is
    /// quicker it is refused, and the other's mark is as good.
    pub(crate) fn mark_use(
        &self,
        key: Key,
        present: Option<&Record>,
        used_at: Timestamp,
        purge_after: Timestamp,
        now: Timestamp,
    ) -> Commit {
        self.put(key, present, used_at, purge_after, Payload::default(), now)
    }

    /// The commit that writes a record which hangs on nothing, in place of the one that is there.
    pub(crate) fn put(
        &self,
        key: Key,
        present: Option<&Record>,
        created_at: Timestamp,
        purge_after: Timestamp,
        payload: Payload,
        now: Timestamp,
    ) -> Commit {
        let record = Arc::new(Record {
            key,
            tenant: self.tenant,
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at,
            expires_at: Timestamp::NEVER,
            purge_after,
            used: None,
            payload,
        });
        let (conditions, write) = match present {
            Some(present) => (vec![Condition::Unchanged { key, revision: present.revision }], Write::Replace(record)),
            None => (Vec::new(), Write::Insert(record)),
        };
        Commit { conditions, writes: vec![write], ..self.commit(key.partition, now) }
    }

    /// The key of a client, in its own partition, which is also that of what it is issued without a resource owner.
    pub(crate) fn client(&self, client: &ClientId) -> Key {
        let partition = self.partition(b'c', client.as_str());
        Key { partition, kind: Kind::CLIENT, id: self.id(Kind::CLIENT, &[client.as_str().as_bytes()]) }
    }

    /// The key of what the host says of a resource owner, in its partition.
    pub(crate) fn subject(&self, subject: &Subject) -> Key {
        let partition = self.partition_of(subject);
        Key { partition, kind: Kind::SUBJECT, id: self.id(Kind::SUBJECT, &[subject.as_str().as_bytes()]) }
    }

    /// The partition of all that belongs to a resource owner.
    pub(crate) fn partition_of(&self, subject: &Subject) -> Partition {
        self.partition(b's', subject.as_str())
    }

    /// The key of what was counted of all clients together.
    pub(crate) fn activity(&self) -> Key {
        self.drawn(Kind::ACTIVITY, self.partition(b'a', "activity"), b"all")
    }

    /// The partition of what is counted when clients register.
    pub(crate) fn registration_desk(&self) -> Partition {
        self.partition(b'r', "registration")
    }

    /// The key of what `subject` has allowed `client`, in the subject's partition.
    pub(crate) fn authorization(&self, subject: &Subject, client: &ClientId) -> Key {
        self.authorization_in(self.partition_of(subject), subject, client)
    }

    /// The same for whoever has the key of the subject already.
    pub(crate) fn authorization_beside(&self, subject_key: Key, subject: &Subject, client: &ClientId) -> Key {
        self.authorization_in(subject_key.partition, subject, client)
    }

    fn authorization_in(&self, partition: Partition, subject: &Subject, client: &ClientId) -> Key {
        let length = u64::try_from(subject.as_str().len()).unwrap_or(u64::MAX).to_be_bytes();
        let id = self.id(Kind::AUTHORIZATION, &[&length, subject.as_str().as_bytes(), client.as_str().as_bytes()]);
        Key { partition, kind: Kind::AUTHORIZATION, id }
    }

    /// The key of what is named by random bytes: a token by its secret part, a grant by its identifier.
    pub(crate) fn drawn(&self, kind: Kind, partition: Partition, random: &[u8]) -> Key {
        Key { partition, kind, id: self.id(kind, &[random]) }
    }

    /// The key of what a user code stands for, in the partition of its device.
    ///
    /// There are too few user codes for a digest alone to hide one: under a key of the server's, whoever copied the
    /// store cannot find out which are waiting.
    pub(crate) fn user_code(&self, code: &str) -> Key {
        let name = keyed_hash(&self.user_codes, &[code.as_bytes()]);
        self.drawn(Kind::USER_CODE, self.partition(b'u', code), &name)
    }

    /// The digest that is kept of a client's secret: bound to the client, so that equal secrets of two clients do not
    /// look equal.
    pub(crate) fn secret_digest(&self, client: &ClientId, secret: &str) -> [u8; 32] {
        let length = u64::try_from(client.as_str().len()).unwrap_or(u64::MAX).to_be_bytes();
        self.id(Kind::SECRET_USE, &[&length, client.as_str().as_bytes(), secret.as_bytes()])
    }

    /// Hides a partition behind a token's random part, or brings it out again.
    pub(crate) fn mask(&self, partition: Partition, random: &[u8; 32]) -> Partition {
        Partition(partition.0 ^ fold(SipHasher24::new_with_key(&self.masks).hash(random)))
    }

    fn partition(&self, role: u8, name: &str) -> Partition {
        use std::hash::Hasher as _;
        let mut hasher = SipHasher24::new_with_key(&self.partitions);
        hasher.write_u8(role);
        hasher.write(name.as_bytes());
        Partition(fold(hasher.finish()))
    }

    fn id(&self, kind: Kind, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.tenant.0);
        hash.update([kind.0]);
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// A key for one purpose of one server.
pub(crate) fn derive(secret: &SecretBytes, tenant: &Tenant, purpose: &[u8]) -> [u8; 32] {
    keyed_hash(secret, &[&tenant.0, purpose])
}

/// HMAC-SHA256 (RFC 2104).
pub(crate) fn keyed_hash(key: &SecretBytes, parts: &[&[u8]]) -> [u8; 32] {
    use hmac::{KeyInit as _, Mac as _};
    // A key shorter than a block counts as one with zeros after it (RFC 2104 §2).
    let mut block = [0; 64];
    let (head, _) = block.split_at_mut(32);
    head.copy_from_slice(key.expose());
    let mut mac = hmac::Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn head<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    let mut out = [0; M];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[expect(clippy::cast_possible_truncation, reason = "the low 16 bits of a hash are wanted")]
const fn fold(hash: u64) -> u16 {
    hash as u16
}

impl std::fmt::Debug for KeySpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySpace").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(issuer: &str) -> KeySpace {
        KeySpace::new(issuer, &SecretBytes::new([1; 32]))
    }

    #[test]
    fn two_issuers_share_no_key() {
        let (a, b) = (space("https://a.example"), space("https://b.example"));
        assert_ne!(a.client(&"web".into()).id, b.client(&"web".into()).id);
        assert_ne!(a.tenant(), b.tenant());
    }

    #[test]
    fn names_that_join_to_the_same_text_have_different_keys() {
        let space = space("https://a.example");
        let one = space.authorization(&"ab".into(), &"c".into());
        let other = space.authorization(&"a".into(), &"bc".into());
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn the_mask_is_its_own_inverse_and_differs_with_the_random_part() {
        let space = space("https://a.example");
        let partition = space.partition_of(&"alice".into());
        let masked = space.mask(partition, &[3; 32]);
        assert_eq!(space.mask(masked, &[3; 32]), partition);
        assert_ne!(space.mask(partition, &[4; 32]), masked);
    }
}
