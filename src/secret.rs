//! The one type of things that must not be seen.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// A client secret, a token, a code: text whose holder may act.
///
/// `Debug` is redacted, there is no `Display`, no `PartialEq` and no `Serialize`, and the memory is overwritten when it
/// is dropped. The only way out is [`Secret::expose`], so that a reader can search for it.
///
/// It cannot be compared by accident, which would tell by its time how much of a guess is right:
///
/// ```compile_fail,E0369
/// # use grantor::secret::Secret;
/// assert!(Secret::new("guess") == Secret::new("secret"));
/// ```
///
/// Nor printed:
///
/// ```compile_fail,E0277
/// # use grantor::secret::Secret;
/// println!("{}", Secret::new("secret"));
/// ```
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes `text` in custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that must send or hash it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Thirty-two bytes that must not be seen: a key, or the random part of a token. Compared by nobody:
///
/// ```compile_fail,E0369
/// # use grantor::secret::SecretBytes;
/// assert!(SecretBytes::new([1; 32]) == SecretBytes::new([2; 32]));
/// ```
#[derive(Clone)]
pub struct SecretBytes([u8; 32]);

impl SecretBytes {
    /// Takes `bytes` in custody.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves, for the one place that must hash or send them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// Whether two digests are equal, in a time that depends on neither.
pub(crate) fn same_digest(left: &[u8; 32], right: &[u8; 32]) -> bool {
    // Eight bytes at a time.
    let words = |digest: &[u8; 32]| -> [u64; 4] {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        words
    };
    words(left).ct_eq(&words(right)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_nothing_of_the_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
        assert_eq!(format!("{:?}", SecretBytes::new([7; 32])), "SecretBytes(..)");
    }
}
