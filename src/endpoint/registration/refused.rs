//! From a reason to the wire (RFC 7591 §3.2.2, RFC 6750 §3.1).

use std::borrow::Cow;

use http::StatusCode;

use crate::client::{DescriptionError, MetadataError};
use crate::endpoint::ErrorAnswer;
use crate::error::Failure;
use crate::id::ClientId;
use crate::refusal::{RegistrationError, RegistrationRefusal};
use crate::wire::error::{ErrorCode, sanitize_description};
use crate::wire::json::JsonObject;

/// A refusal: for events the reason, for the client's developer what exactly is wrong.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: RegistrationError,
    pub(crate) client_id: Option<ClientId>,
    detail: Option<String>,
}

impl Refused {
    /// The status, and the code in the body.
    pub(crate) fn wire(&self) -> (StatusCode, ErrorCode) {
        let answer = |error: ErrorAnswer| (error.status, error.code);
        match self.error {
            RegistrationError::Request(error) => answer(error.into()),
            RegistrationError::Failure(failure) => answer(failure.into()),
            RegistrationError::TokenMissing | RegistrationError::TokenInvalid => {
                (StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken)
            }
            RegistrationError::RedirectUri => (StatusCode::BAD_REQUEST, ErrorCode::InvalidRedirectUri),
            RegistrationError::NotJson
            | RegistrationError::Unreadable
            | RegistrationError::Metadata
            | RegistrationError::Policy
            | RegistrationError::Deactivated => (StatusCode::BAD_REQUEST, ErrorCode::InvalidClientMetadata),
            RegistrationError::SoftwareStatement => (StatusCode::BAD_REQUEST, ErrorCode::InvalidSoftwareStatement),
            RegistrationError::UnapprovedStatement => (StatusCode::BAD_REQUEST, ErrorCode::UnapprovedSoftwareStatement),
            RegistrationError::Quota => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TemporarilyUnavailable),
        }
    }

    pub(crate) fn body(&self) -> String {
        let (_, code) = self.wire();
        let description: Cow<'_, str> = match (&self.detail, self.error) {
            (Some(detail), _) => sanitize_description(detail),
            (None, RegistrationError::Request(error)) => ErrorAnswer::from(error).description.into(),
            (None, RegistrationError::Failure(failure)) => ErrorAnswer::from(failure).description.into(),
            // Whether a token was missing, wrong or another's is one answer.
            (None, RegistrationError::TokenMissing | RegistrationError::TokenInvalid) => {
                "the token is missing or does not count".into()
            }
            (None, error) => sanitize_description(&error.to_string()).into_owned().into(),
        };
        let mut json = JsonObject::with_capacity(128);
        json.text("error", code.as_str()).text("error_description", &description);
        json.finish()
    }

    #[must_use]
    pub(super) fn of(self, client_id: &ClientId) -> Self {
        Self { client_id: Some(client_id.clone()), ..self }
    }
}

impl<E: Into<RegistrationError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self { error: error.into(), client_id: None, detail: None }
    }
}

impl From<DescriptionError> for Refused {
    fn from(error: DescriptionError) -> Self {
        let reason = match error {
            DescriptionError::Member("redirect_uris") | DescriptionError::WebRedirect => RegistrationError::RedirectUri,
            DescriptionError::Member("software_statement") => RegistrationError::SoftwareStatement,
            DescriptionError::Member(_)
            | DescriptionError::Keys
            | DescriptionError::AuthMethod
            | DescriptionError::ResponseTypes
            | DescriptionError::PlainHttp(_) => RegistrationError::Metadata,
        };
        Self { detail: Some(error.to_string()), ..reason.into() }
    }
}

impl From<MetadataError> for Refused {
    fn from(error: MetadataError) -> Self {
        let reason = match error {
            MetadataError::RedirectUri { .. } | MetadataError::RedirectUris | MetadataError::RedirectUriMissing => {
                RegistrationError::RedirectUri
            }
            _ => RegistrationError::Metadata,
        };
        Self { detail: Some(error.to_string()), ..reason.into() }
    }
}

impl From<RegistrationRefusal> for RegistrationError {
    fn from(refusal: RegistrationRefusal) -> Self {
        match refusal {
            RegistrationRefusal::RedirectUri => Self::RedirectUri,
            RegistrationRefusal::Metadata => Self::Policy,
            RegistrationRefusal::SoftwareStatement => Self::SoftwareStatement,
            RegistrationRefusal::UnapprovedStatement => Self::UnapprovedStatement,
            RegistrationRefusal::Unavailable => Self::Failure(Failure::Unavailable),
        }
    }
}
