//! What browsers keep for us: sealed, so that it comes back as it went.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::{SecretBytes, same_digest};
use crate::store::{KeySpace, keyspace};

/// Seals handles.
pub(crate) struct SealKey(SecretBytes);

impl SealKey {
    pub(crate) fn new(secret: &SecretBytes, keys: &KeySpace) -> Self {
        Self(SecretBytes::new(keyspace::derive(secret, &keys.tenant(), b"seal of an interaction handle")))
    }

    pub(crate) fn seal(&self, mut bytes: Vec<u8>) -> String {
        let mac = keyspace::keyed_hash(&self.0, &[b"handle\0", &bytes]);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn open(&self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, mac) = bytes.split_last_chunk::<32>()?;
        if !same_digest(&keyspace::keyed_hash(&self.0, &[b"handle\0", content]), mac) {
            return None;
        }
        let length = content.len();
        bytes.truncate(length);
        Some(bytes)
    }

    pub(crate) fn csrf(&self, flow: &[u8; 16], browser: &[u8; 32]) -> String {
        URL_SAFE_NO_PAD.encode(keyspace::keyed_hash(&self.0, &[b"csrf\0", flow, browser]))
    }

    /// What binds a form of the console to all of `parts`.
    #[cfg(feature = "console")]
    pub(crate) fn console(&self, parts: &[&[u8]]) -> [u8; 32] {
        let parts: Vec<&[u8]> = std::iter::once(&b"console\0"[..]).chain(parts.iter().copied()).collect();
        keyspace::keyed_hash(&self.0, &parts)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}
