//! A new token: its text, which is told once, and its record, which does not contain it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::store::{Key, KeySpace, Kind, Link, Owner, Partition, Payload, Record, State};
use crate::wire::token::{self, TokenKind};

/// The kind of record that a token of this kind has.
pub(crate) const fn store_kind(kind: TokenKind) -> Kind {
    match kind {
        TokenKind::Access => Kind::ACCESS_TOKEN,
        TokenKind::Refresh => Kind::REFRESH_TOKEN,
        TokenKind::Code => Kind::CODE,
        TokenKind::DeviceCode => Kind::DEVICE_CODE,
        TokenKind::Personal => Kind::PERSONAL_TOKEN,
        TokenKind::Registration => Kind::REGISTRATION_TOKEN,
        TokenKind::InitialAccess => Kind::INITIAL_ACCESS_TOKEN,
    }
}

/// What a token's record says, beyond which token it is.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) parent: Option<Link>,
    pub(crate) owner: Option<Arc<Owner>>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) purge_after: Timestamp,
    pub(crate) payload: Payload,
}

/// The text and the record of a new token.
pub(crate) fn mint(
    keys: &KeySpace,
    kind: TokenKind,
    partition: Partition,
    random: &[u8; 32],
    terms: Terms,
) -> (Secret, Arc<Record>) {
    let record = Record {
        key: keys.drawn(store_kind(kind), partition, random),
        tenant: keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: terms.parent,
        owner: terms.owner,
        labels: None,
        created_at: terms.created_at,
        expires_at: terms.expires_at,
        purge_after: terms.purge_after,
        used: None,
        payload: terms.payload,
    };
    (text(keys, kind, partition, random), Arc::new(record))
}

/// The text of the token with this random part.
pub(crate) fn text(keys: &KeySpace, kind: TokenKind, partition: Partition, random: &[u8; 32]) -> Secret {
    token::print(kind.prefix(), random, keys.mask(partition, random).0)
}

/// A token that was presented: where its record is, and what only its holder knows.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) key: Key,
    pub(crate) random: crate::secret::SecretBytes,
}

/// Where the record of a presented token is; `None` for a text that cannot be a token of this kind.
pub(crate) fn locate(keys: &KeySpace, kind: TokenKind, text: &str) -> Option<Located> {
    let parts = token::parse(kind, text)?;
    let partition = keys.mask(Partition(parts.masked), parts.random.expose());
    let key = keys.drawn(store_kind(kind), partition, parts.random.expose());
    Some(Located { key, random: parts.random })
}
