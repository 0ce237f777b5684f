//! Proof Key for Code Exchange, RFC 7636: the challenge that a code is bound to, and the verifier that redeems it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::charset::is_unreserved;
use crate::secret::same_digest;

/// How long the challenge of `S256` is: 32 bytes in base64url without padding.
const CHALLENGE_LENGTH: usize = 43;
/// How long a verifier may be (RFC 7636 §4.1).
const VERIFIER_LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// A challenge of the method `S256` (RFC 7636 §4.2), decoded: the only method there is here, so that none is stored.
///
/// `plain` is refused (RFC 9700 §2.1.1): its challenge is the verifier, and whoever reads the request can redeem the
/// code.
#[derive(Clone, Copy)]
pub struct CodeChallenge([u8; 32]);

/// Why a challenge is refused. The answer is `invalid_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// `plain`, by name or by default: without a method, RFC 7636 §4.3 means `plain`.
    #[error("code_challenge_method must be S256")]
    PlainRefused,
    /// No method of that name (RFC 7636 §4.4.1); methods are case-sensitive.
    #[error("transform algorithm not supported")]
    UnknownMethod,
    /// Not 43 characters of canonical base64url without padding.
    #[error("code_challenge must be a SHA-256 digest in base64url without padding")]
    Malformed,
}

/// Why a verifier is refused. The answer is `invalid_grant` (RFC 7636 §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    /// Not 43 to 128 unreserved characters (RFC 7636 §4.1).
    #[error("code_verifier is malformed")]
    Malformed,
    /// It is not the one that the challenge was made from.
    #[error("code_verifier does not match the challenge")]
    Mismatch,
}

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method` of an authorization request.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, ChallengeError> {
        match method {
            Some("S256") => decode(challenge).map(Self).ok_or(ChallengeError::Malformed),
            None | Some("plain") => Err(ChallengeError::PlainRefused),
            Some(_) => Err(ChallengeError::UnknownMethod),
        }
    }

    /// The challenge with these bytes, as [`as_bytes`](Self::as_bytes) gave them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of it, to be stored with the code; never to be put into the code (RFC 7636 §4.4).
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this challenge was made from `verifier`, in a time that tells nothing about where they differ.
    ///
    /// The verifier is hashed as ASCII, not decoded first (RFC 7636 §4.6).
    pub fn verify(&self, verifier: &str) -> Result<(), VerifierError> {
        if !VERIFIER_LENGTHS.contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
            return Err(VerifierError::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(verifier).into();
        if same_digest(&digest, &self.0) { Ok(()) } else { Err(VerifierError::Mismatch) }
    }
}

fn decode(challenge: &str) -> Option<[u8; 32]> {
    if challenge.len() != CHALLENGE_LENGTH {
        return None;
    }
    let mut bytes = [0; 32];
    // The engine refuses padding and bits left over, so that a digest has one spelling.
    let length = URL_SAFE_NO_PAD.decode_slice(challenge, &mut bytes).ok()?;
    (length == bytes.len()).then_some(bytes)
}

impl std::fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeChallenge(..)")
    }
}

impl serde::Serialize for CodeChallenge {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for CodeChallenge {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Self).ok_or_else(|| serde::de::Error::custom(ChallengeError::Malformed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn s256(challenge: &str) -> Result<CodeChallenge, ChallengeError> {
        CodeChallenge::parse(challenge, Some("S256"))
    }

    #[test]
    fn the_pair_of_rfc_7636_appendix_b_matches() {
        s256(CHALLENGE).unwrap().verify(VERIFIER).unwrap();
    }

    #[test]
    fn the_pair_of_oauth_2_1_matches() {
        let challenge = s256("6fdkQaPm51l13DSukcAH3Mdx7_ntecHYd1vi3n0hMZY").unwrap();
        challenge.verify("3641a2d12d66101249cdf7a79c000c1f8c05d2aafcf14bf146497bed").unwrap();
    }

    #[test]
    fn plain_is_refused_by_name_and_by_default() {
        assert_eq!(CodeChallenge::parse(CHALLENGE, None).unwrap_err(), ChallengeError::PlainRefused);
        assert_eq!(CodeChallenge::parse(CHALLENGE, Some("plain")).unwrap_err(), ChallengeError::PlainRefused);
    }

    #[test]
    fn an_unknown_method_is_never_taken_for_plain_or_s256() {
        for method in ["s256", "S512", "none", "", "S256 ", " S256", "Plain", "S256,plain"] {
            let refused = CodeChallenge::parse(CHALLENGE, Some(method)).unwrap_err();
            assert_eq!(refused, ChallengeError::UnknownMethod, "{method:?}");
        }
    }

    #[test]
    fn a_challenge_is_43_characters_of_canonical_base64url() {
        let with = |last: char| format!("{}{last}", &CHALLENGE[..42]);
        for challenge in [
            "",
            &CHALLENGE[..42],
            &format!("{CHALLENGE}A"),
            &format!("{CHALLENGE}="),
            &with('='),
            &with('+'),
            &with('/'),
            // `M` has its two spare bits at zero; these do not.
            &with('N'),
            &with('O'),
            &with('P'),
            &format!("{}\u{e9}", &CHALLENGE[..41]),
            &"A".repeat(129),
        ] {
            assert_eq!(s256(challenge).unwrap_err(), ChallengeError::Malformed, "{challenge:?}");
        }
    }

    #[test]
    fn a_wrong_verifier_does_not_match_and_a_malformed_one_is_not_hashed() {
        let challenge = s256(CHALLENGE).unwrap();
        // The challenge itself is a well-formed verifier: whoever confuses the methods sends it.
        assert_eq!(challenge.verify(CHALLENGE), Err(VerifierError::Mismatch));
        for verifier in
            ["", " ", &VERIFIER[..42], &"a".repeat(129), &VERIFIER.replace('-', "+"), &VERIFIER.replace('k', "\u{e9}")]
        {
            assert_eq!(challenge.verify(verifier), Err(VerifierError::Malformed), "{verifier:?}");
        }
        assert_eq!(challenge.verify(&"a".repeat(128)), Err(VerifierError::Mismatch));
    }

    #[test]
    fn a_stored_challenge_comes_back_and_a_damaged_one_does_not() {
        let challenge = s256(CHALLENGE).unwrap();
        let stored = serde_json::to_string(&challenge).unwrap();
        assert_eq!(stored, format!("\"{CHALLENGE}\""));
        let back: CodeChallenge = serde_json::from_str(&stored).unwrap();
        back.verify(VERIFIER).unwrap();
        CodeChallenge::from_bytes(*challenge.as_bytes()).verify(VERIFIER).unwrap();
        assert!(serde_json::from_str::<CodeChallenge>("\"\"").is_err());
        assert!(serde_json::from_str::<CodeChallenge>("null").is_err());
    }

    #[test]
    fn debug_output_holds_nothing_of_the_challenge() {
        assert_eq!(format!("{:?}", s256(CHALLENGE).unwrap()), "CodeChallenge(..)");
    }
}
