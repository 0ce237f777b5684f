//! The sealed answer to a refresh that is sent twice.
//!
//! The commit that spends a refresh token also keeps, with the spent token, what it was exchanged for, under a key that
//! only the holder of the spent token can compute. Each key serves one message, so a keystream needs no nonce; and what
//! comes out is not trusted: it must name a successor that the store has (`refresh_token.rs` loads it).

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::fields::{Fields, Unreadable, Writer, tag};
use crate::clock::Timestamp;
use crate::secret::SecretBytes;
use crate::wire::scope::Scope;

/// What a refresh was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) refresh: SecretBytes,
    pub(crate) access: SecretBytes,
    pub(crate) access_expires_at: Timestamp,
    pub(crate) scope: Scope,
}

/// Seals an answer for the holder of the token with the random part `spent`.
pub(crate) fn seal(spent: &SecretBytes, answer: &Answer) -> Box<[u8]> {
    let mut bytes = Writer::new()
        .bytes(tag::REFRESH, answer.refresh.expose())
        .bytes(tag::ACCESS, answer.access.expose())
        .number(tag::EXPIRES_AT, answer.access_expires_at.as_millis())
        .text(tag::SCOPE, answer.scope.as_str())
        .finish();
    apply_keystream(spent, &mut bytes);
    bytes.into_boxed_slice()
}

/// Opens an answer; fails if it was sealed for the holder of another token.
pub(crate) fn open(spent: &SecretBytes, sealed: &[u8]) -> Result<Answer, Unreadable> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    apply_keystream(spent, &mut bytes);
    let fields = Fields::read(&bytes)?;
    Ok(Answer {
        refresh: SecretBytes::new(fields.array(tag::REFRESH)?.ok_or(Unreadable)?),
        access: SecretBytes::new(fields.array(tag::ACCESS)?.ok_or(Unreadable)?),
        access_expires_at: Timestamp::from_millis(fields.number(tag::EXPIRES_AT)?.ok_or(Unreadable)?),
        scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
    })
}

/// What the keystream is for. With the key and the counter it fits into one block of the hash.
const LABEL: &[u8; 14] = b"refresh retry\0";

fn apply_keystream(spent: &SecretBytes, bytes: &mut [u8]) {
    for (counter, block) in (0_u32..).zip(bytes.chunks_mut(32)) {
        let key = Sha256::new()
            .chain_update(LABEL)
            .chain_update(spent.expose())
            .chain_update(counter.to_be_bytes())
            .finalize();
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_the_spent_token_can_open_it() {
        let spent = SecretBytes::new([1; 32]);
        let answer = Answer {
            refresh: SecretBytes::new([2; 32]),
            access: SecretBytes::new([3; 32]),
            access_expires_at: Timestamp::from_secs(7),
            scope: Scope::from_canonical("read write"),
        };
        let sealed = seal(&spent, &answer);
        assert!(!sealed.windows(32).any(|window| window == [2; 32] || window == [3; 32]));
        let opened = open(&spent, &sealed).unwrap();
        assert_eq!(opened.refresh.expose(), &[2; 32]);
        assert_eq!(opened.scope.as_str(), "read write");
        assert!(open(&SecretBytes::new([9; 32]), &sealed).is_err());
    }
}
