//! The text of a token: `gat_` and 51 characters of base64url.
//!
//! ```text
//! gat_ · base64url( 32 random bytes ∥ partition, masked, 2 bytes ∥ CRC-32, 4 bytes )
//! ```
//!
//! The prefix says what it is and lets a secret scanner find it; the CRC-32 (IEEE, big-endian, over the prefix with its
//! underscore and the 34 bytes) lets the scanner be sure without asking us, and lets us refuse a truncated paste
//! without asking the store. Neither protects anything: the 256 random bits do (RFC 6749 §10.10 asks for 160).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::{Secret, SecretBytes};

/// What a token is for, told by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// An access token: `gat_`.
    Access,
    /// A refresh token: `grt_`.
    Refresh,
    /// An authorization code: `gac_`.
    Code,
    /// A device code: `gdc_` (RFC 8628 §3.2).
    DeviceCode,
    /// A personal token: `gpt_`. It serves where an access token does.
    Personal,
    /// A registration access token, with which a client manages its own registration (RFC 7592): `gra_`.
    Registration,
    /// An initial access token, with which a client is registered (RFC 7591 §3): `gia_`.
    InitialAccess,
}

impl TokenKind {
    const ALL: [Self; 7] = [
        Self::Access,
        Self::Refresh,
        Self::Code,
        Self::DeviceCode,
        Self::Personal,
        Self::Registration,
        Self::InitialAccess,
    ];

    /// The four characters that tokens of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "gat_",
            Self::Refresh => "grt_",
            Self::Code => "gac_",
            Self::DeviceCode => "gdc_",
            Self::Personal => "gpt_",
            Self::Registration => "gra_",
            Self::InitialAccess => "gia_",
        }
    }

    /// The kind that `text` claims to be.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

/// The prefix of a generated client secret.
pub(crate) const CLIENT_SECRET: &str = "gcs_";

const PREFIX: usize = 4;
const RANDOM: usize = 32;
const CHECKED: usize = RANDOM + 2;
const RAW: usize = CHECKED + 4;
const TEXT: usize = 51;

/// What the text of a token holds, once its checksum was found right.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) random: SecretBytes,
    pub(crate) masked: u16,
}

/// The text of a token.
pub(crate) fn print(prefix: &str, random: &[u8; 32], masked: u16) -> Secret {
    let mut raw = [0_u8; RAW];
    let (head, rest) = raw.split_at_mut(RANDOM);
    head.copy_from_slice(random);
    let (middle, tail) = rest.split_at_mut(2);
    middle.copy_from_slice(&masked.to_be_bytes());
    tail.copy_from_slice(&checksum(prefix, random, masked).to_be_bytes());
    let mut text = String::with_capacity(PREFIX + TEXT);
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(raw, &mut text);
    zeroize::Zeroize::zeroize(&mut raw);
    Secret::from(text)
}

/// The parts of a token of this kind; `None` for anything that we cannot have printed.
pub(crate) fn parse(kind: TokenKind, text: &str) -> Option<Parts> {
    let body = text.strip_prefix(kind.prefix())?;
    if body.len() != TEXT {
        return None;
    }
    // The engine refuses padding, other alphabets and stray bits in the last character: one token has one text.
    let mut raw = [0_u8; RAW];
    let written = URL_SAFE_NO_PAD.decode_slice(body, &mut raw).ok()?;
    if written != RAW {
        return None;
    }
    let (random, rest) = raw.split_first_chunk::<RANDOM>()?;
    let (masked, check) = rest.split_first_chunk::<2>()?;
    let masked = u16::from_be_bytes(*masked);
    let matches = checksum(kind.prefix(), random, masked).to_be_bytes() == *check;
    matches.then(|| Parts { random: SecretBytes::new(*random), masked })
}

fn checksum(prefix: &str, random: &[u8; 32], masked: u16) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix.as_bytes());
    crc.update(random);
    crc.update(&masked.to_be_bytes());
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_as_its_own_kind_only() {
        let text = print(TokenKind::Access.prefix(), &[7; 32], 0xbeef);
        assert_eq!(text.expose().len(), 55);
        let parts = parse(TokenKind::Access, text.expose()).unwrap();
        assert_eq!((parts.random.expose(), parts.masked), (&[7; 32], 0xbeef));
        assert!(parse(TokenKind::Refresh, text.expose()).is_none());
        let renamed = text.expose().replacen("gat_", "grt_", 1);
        assert!(parse(TokenKind::Refresh, &renamed).is_none(), "the checksum covers the prefix");
    }

    #[test]
    fn no_change_of_one_character_is_accepted() {
        let text = print(TokenKind::Code.prefix(), &[9; 32], 1);
        for at in 0..text.expose().len() {
            for other in ['A', 'z', '-', '=', '+', ' '] {
                let mut changed: Vec<char> = text.expose().chars().collect();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                let changed: String = changed.into_iter().collect();
                assert!(parse(TokenKind::Code, &changed).is_none(), "{changed}");
            }
        }
        assert!(parse(TokenKind::Code, &format!("{}=", text.expose())).is_none());
        assert!(parse(TokenKind::Code, &text.expose()[..54]).is_none());
    }
}
