//! What is sealed, and to what it is bound.
//!
//! ```text
//!  1 byte    4 bytes        24 bytes   as many as were given   16 bytes
//! ┌────────┬──────────────┬──────────┬───────────────────────┬─────────┐
//! │ form 1 │ number of    │ nonce,   │ XChaCha20             │ Poly1305│
//! │        │ the key (BE) │ random   │                       │         │
//! └────────┴──────────────┴──────────┴───────────────────────┴─────────┘
//! bound to: the form, the column, and the key of the record (partition, kind, id)
//! ```
//!
//! `XChaCha20`, since its nonce is long enough to be drawn at random, on any number of nodes, for the life of a key.

use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead as _, Payload};

use super::ring::KeyRing;
use crate::entropy::{Entropy, draw};
use crate::store::{Key, StoreError};

/// The form of what is sealed.
const FORM: u8 = 1;

/// Which column of a record: what is sealed in one does not open in the other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Payload = 1,
    Answer = 2,
}

fn bound_to(column: Column, key: &Key) -> [u8; 37] {
    let mut bytes = [0; 37];
    let (head, name) = bytes.split_at_mut(2);
    head.copy_from_slice(&[FORM, column as u8]);
    name.copy_from_slice(&key.to_bytes());
    bytes
}

pub(super) fn seal(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    column: Column,
    key: &Key,
    bytes: &[u8],
) -> Result<Box<[u8]>, StoreError> {
    let nonce: [u8; 24] = draw(entropy).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let (number, cipher) = ring.sealing();
    let payload = Payload { msg: bytes, aad: &bound_to(column, key) };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
    // Only what is longer than 256 GiB.
    let sealed = sealed.map_err(|_| StoreError::Corrupt("a payload is too long to be sealed".into()))?;
    let mut all = Vec::with_capacity(sealed.len().saturating_add(29));
    all.push(FORM);
    all.extend_from_slice(&number.to_be_bytes());
    all.extend_from_slice(&nonce);
    all.extend_from_slice(&sealed);
    Ok(all.into())
}

pub(super) fn open(ring: &KeyRing, column: Column, key: &Key, sealed: &[u8]) -> Result<Box<[u8]>, StoreError> {
    let corrupt = |why: &str| StoreError::Corrupt(format!("what is in the record {} {why}", key.to_text()));
    let (number, rest) = split(sealed).ok_or_else(|| corrupt("is not sealed"))?;
    let (nonce, content) = rest.split_first_chunk::<24>().ok_or_else(|| corrupt("is not sealed"))?;
    let cipher = ring
        .opening(number)
        .ok_or_else(|| corrupt(&format!("is sealed with key {number}, which is not on the ring")))?;
    let payload = Payload { msg: content, aad: &bound_to(column, key) };
    let opened = cipher.decrypt(&XNonce::from(*nonce), payload);
    let opened =
        opened.map_err(|_| corrupt("was altered, was sealed for another record, or with another key of that number"));
    Ok(opened?.into())
}

/// The number of the key with which this is sealed; `None` for what is not.
pub(super) fn number(sealed: &[u8]) -> Option<u32> {
    split(sealed).map(|(number, _)| number)
}

fn split(sealed: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = sealed.split_first_chunk::<5>()?;
    let [FORM, number @ ..] = *head else { return None };
    Some((u32::from_be_bytes(number), rest))
}
