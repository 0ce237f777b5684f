//! Why a page cannot be shown, or a form not be carried out.

use http::StatusCode;

use super::csrf::Unfit;
use super::text::Text;
use crate::error::Failure;
use crate::manage::ManageError;

/// Why it goes no further; told to the person at the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nobody is signed in.
    SignedOut,
    /// They may not.
    NotAllowed,
    /// There is no such thing.
    NotFound,
    /// The form was not made for this browser, person and purpose, or was sent from another site.
    Forged,
    /// The page was open for too long.
    Expired,
    /// The form was sent before.
    Spent,
    /// The form cannot be read.
    Malformed,
    /// The request is too long.
    TooLong,
    /// The server could not.
    Failure(Failure),
}

impl Stop {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::NotAllowed | Self::Forged | Self::Expired => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Spent => StatusCode::CONFLICT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Failure(failure) if failure.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failure(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the page is called, and what it says.
    pub(super) fn words(self, t: &Text) -> (&str, &str) {
        match self {
            Self::SignedOut => (&t.signed_out, &t.wrong_signed_out),
            Self::NotAllowed => (&t.not_allowed, &t.wrong_not_allowed),
            Self::NotFound => (&t.not_found, &t.wrong_not_found),
            Self::Forged => (&t.wrong_title, &t.wrong_forged),
            Self::Expired => (&t.wrong_title, &t.wrong_expired),
            Self::Spent => (&t.already_sent, &t.wrong_spent),
            Self::Malformed => (&t.wrong_title, &t.wrong_malformed),
            Self::TooLong => (&t.wrong_title, &t.wrong_too_long),
            Self::Failure(failure) if failure.is_temporary() => (&t.wrong_title, &t.wrong_later),
            Self::Failure(_) => (&t.wrong_title, &t.wrong_server),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Unfit> for Stop {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Forged => Self::Forged,
            Unfit::Expired => Self::Expired,
        }
    }
}

/// For what a form cannot have caused by what was typed into it.
impl From<ManageError> for Stop {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::NotFound => Self::NotFound,
            ManageError::Failure(failure) => Self::Failure(failure),
            ManageError::Changed => Self::Failure(Failure::Contended),
            _ => Self::Malformed,
        }
    }
}
