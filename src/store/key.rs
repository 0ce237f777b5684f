//! The name of a record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Which server, of several that share a database, a record belongs to: the head of the SHA-256 of its issuer.
///
/// Keys already contain the issuer; a tenant is stored beside them so that lists can be confined to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(pub [u8; 16]);

impl Tenant {
    /// That of the server with this issuer, byte for byte as its builder was given it: to ask an
    /// [`Outbox`](super::Outbox) for its events.
    pub fn of_issuer(issuer: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(issuer).into();
        let (head, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Self(*head)
    }
}

/// The unit of atomicity: one [`Commit`](super::Commit) touches records of one partition only.
///
/// A sharded engine places a partition on one shard, and a commit becomes a transaction of that shard. It is a keyed
/// hash of the subject (of the client, for what has no subject): uniform over all 65,536 values and meaningless to
/// whoever lacks the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u16);

/// What kind of record a key names. A store treats it as a number and gives it no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// A registered client.
    pub const CLIENT: Self = Self(1);
    /// What the host said of a resource owner: active or not, and from which epoch on. Absent until it says something.
    pub const SUBJECT: Self = Self(2);
    /// What one subject has allowed one client: remembered consent, and the live grants in order of age.
    pub const AUTHORIZATION: Self = Self(3);
    /// A family of tokens: one sign-in of one subject with one client.
    pub const GRANT: Self = Self(4);
    /// An authorization code.
    pub const CODE: Self = Self(5);
    /// An access token.
    pub const ACCESS_TOKEN: Self = Self(6);
    /// A refresh token.
    pub const REFRESH_TOKEN: Self = Self(7);
    /// A mark that something was spent: an interaction, a proof, an assertion.
    pub const MARKER: Self = Self(8);
    /// When a client secret was last used.
    pub const SECRET_USE: Self = Self(9);
    /// When a grant was last used.
    pub const GRANT_USE: Self = Self(10);
    /// How many tokens a client was issued, and how many of its requests were refused; and the same of all together.
    pub const ACTIVITY: Self = Self(11);
    /// A device that waits for its user, by its device code.
    pub const DEVICE_CODE: Self = Self(32);
    /// Which device a user code stands for.
    pub const USER_CODE: Self = Self(33);
    /// The token with which a client manages its own registration.
    pub const REGISTRATION_TOKEN: Self = Self(40);
    /// A token with which clients are registered, and how often it was.
    pub const INITIAL_ACCESS_TOKEN: Self = Self(41);
    /// That a client registered itself; and, named by a day, how many did.
    pub const REGISTRATION: Self = Self(42);
    /// A personal token.
    pub const PERSONAL_TOKEN: Self = Self(48);
    /// That a creation may be sent again.
    pub const IDEMPOTENCY_KEY: Self = Self(50);
}

/// The name of a record: unique in a store, whatever number of servers share it.
///
/// `id` is a SHA-256 digest over the issuer, the kind and what the record is named by, so neither a token nor a secret
/// can be read from it, and what one server wrote another cannot name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Where the record lives.
    pub partition: Partition,
    /// What it is.
    pub kind: Kind,
    /// Which one it is.
    pub id: [u8; 32],
}

impl Key {
    /// The 35 bytes of it: partition, kind, id.
    pub(crate) fn to_bytes(self) -> [u8; 35] {
        let mut bytes = [0; 35];
        let [high, low] = self.partition.0.to_be_bytes();
        let (head, id) = bytes.split_at_mut(3);
        head.copy_from_slice(&[high, low, self.kind.0]);
        id.copy_from_slice(&self.id);
        bytes
    }

    /// The same as text: base64url, so that a person can copy it and a line of JSON needs no escapes.
    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.to_bytes())
    }

    /// `None` for what [`to_text`](Self::to_text) never gives.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self::from_bytes(bytes.as_slice().try_into().ok()?))
    }

    /// The key in these bytes.
    pub(crate) fn from_bytes(bytes: &[u8; 35]) -> Self {
        let [high, low, kind, id @ ..] = *bytes;
        Self { partition: Partition(u16::from_be_bytes([high, low])), kind: Kind(kind), id }
    }
}
