//! The name of a record.

/// Which server, of several that share a database, a record belongs to: the head of the SHA-256 of its issuer.
///
/// Keys already contain the issuer; a tenant is stored beside them so that lists can be confined to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(pub [u8; 16]);

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
