//! A new token: its text, which is told once, and its record, which does not contain it.

use std::sync::Arc;

use super::format::{self, TokenKind};
use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::store::{Key, KeySpace, Link, Owner, Partition, Payload, Record, State};

/// What a token's record says, beyond which token it is.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) parent: Option<Link>,
    pub(crate) owner: Option<Box<Owner>>,
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
        key: keys.drawn(kind.store_kind(), partition, random),
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
    format::print(kind.prefix(), random, keys.mask(partition, random))
}

/// A token that was presented: where its record is, and what only its holder knows.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) key: Key,
    pub(crate) random: crate::secret::SecretBytes,
}

/// Where the record of a presented token is; `None` for a text that cannot be a token of this kind.
pub(crate) fn locate(keys: &KeySpace, kind: TokenKind, text: &str) -> Option<Located> {
    let parts = format::parse(kind, text)?;
    let partition = keys.mask(parts.masked, parts.random.expose());
    let key = keys.drawn(kind.store_kind(), partition, parts.random.expose());
    Some(Located { key, random: parts.random })
}
