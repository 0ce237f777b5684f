//! Which key seals, and which open.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use crate::secret::SecretBytes;

/// The keys of an [`EncryptingStore`](super::EncryptingStore): one that seals, and others that still open.
///
/// A key is 32 random bytes, and has a number by which what it sealed is known. A number is never given to another key.
///
/// # Rotation
///
/// 1. Every node gets the new key beside the old: `KeyRing::new(1, old).with(2, new)`.
/// 2. When all have it, every node seals with it: `KeyRing::new(2, new).with(1, old)`.
/// 3. [`EncryptingStore::reseal`](super::EncryptingStore::reseal) moves what lies there, and key 1 can go.
///
/// ```
/// use grantor::secret::SecretBytes;
/// use grantor::store::KeyRing;
///
/// # let (new, old) = ([2; 32], [1; 32]);
/// let ring = KeyRing::new(2, SecretBytes::new(new)).with(1, SecretBytes::new(old));
/// ```
#[derive(Clone)]
pub struct KeyRing {
    sealing: u32,
    newest: XChaCha20Poly1305,
    older: BTreeMap<u32, XChaCha20Poly1305>,
}

impl KeyRing {
    /// A ring of one key, which seals and opens.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "whoever gives a key away need not keep it")]
    pub fn new(number: u32, key: SecretBytes) -> Self {
        Self { sealing: number, newest: cipher(&key), older: BTreeMap::new() }
    }

    /// The same ring with a key that only opens. A number that the ring has already keeps the key it has.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "whoever gives a key away need not keep it")]
    pub fn with(mut self, number: u32, key: SecretBytes) -> Self {
        self.older.entry(number).or_insert_with(|| cipher(&key));
        self
    }

    pub(super) const fn sealing(&self) -> (u32, &XChaCha20Poly1305) {
        (self.sealing, &self.newest)
    }

    pub(super) fn opening(&self, number: u32) -> Option<&XChaCha20Poly1305> {
        if number == self.sealing { Some(&self.newest) } else { self.older.get(&number) }
    }
}

fn cipher(key: &SecretBytes) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose().into())
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<_> = self.older.keys().collect();
        f.debug_struct("KeyRing").field("seals", &self.sealing).field("opens", &older).finish_non_exhaustive()
    }
}
