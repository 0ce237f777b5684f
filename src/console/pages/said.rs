//! What was done just before, told by the page after: kept for a moment in a cookie, so that no address can claim it.

use http::{HeaderMap, HeaderValue};

use crate::console::Text;
use crate::console::csrf::cookie;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Said {
    Saved,
    Deactivated,
    Activated,
    Revoked,
    Deleted,
    SecretEnded,
    SessionEnded,
    AppRemoved,
    PersonRevoked,
    TokenSaved,
    TokenDeleted,
}

const NAME: &str = "grantor-console-said";

impl Said {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Saved, "saved"),
        (Self::Deactivated, "deactivated"),
        (Self::Activated, "activated"),
        (Self::Revoked, "revoked"),
        (Self::Deleted, "deleted"),
        (Self::SecretEnded, "secret-ended"),
        (Self::SessionEnded, "session-ended"),
        (Self::AppRemoved, "app-removed"),
        (Self::PersonRevoked, "person-revoked"),
        (Self::TokenSaved, "token-saved"),
        (Self::TokenDeleted, "token-deleted"),
    ];

    /// What the browser was told to remember.
    pub(in crate::console) fn of(headers: &HeaderMap) -> Option<Self> {
        let word = cookie(headers, NAME)?;
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(said, _)| *said)
    }

    pub(in crate::console) fn remember(self) -> Option<HeaderValue> {
        let (_, word) = Self::ALL.iter().find(|(said, _)| *said == self)?;
        HeaderValue::from_str(&format!("{NAME}={word}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict")).ok()
    }

    pub(in crate::console) fn forget() -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("{NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")).ok()
    }

    pub(in crate::console) fn words(self, t: &Text) -> &str {
        match self {
            Self::Saved => &t.saved,
            Self::Deactivated => &t.deactivated,
            Self::Activated => &t.activated,
            Self::Revoked => &t.revoked,
            Self::Deleted => &t.deleted,
            Self::SecretEnded => &t.secret_ended,
            Self::SessionEnded => &t.session_ended,
            Self::AppRemoved => &t.app_removed,
            Self::PersonRevoked => &t.person_revoked,
            Self::TokenSaved => &t.token_saved,
            Self::TokenDeleted => &t.token_deleted,
        }
    }
}
