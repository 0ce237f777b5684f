//! The authorization response (RFC 6749 §4.1.2), on whichever way to the client.

use crate::client::VerifiedRedirectUri;
use crate::context::Context;
use crate::secret::Secret;
use crate::wire::error::ErrorCode;
use crate::wire::uri::{append_query, close_fragment, without_parameters};

/// How the response gets to the client (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In the body of a POST that a page in the browser makes.
    FormPost,
}

impl ResponseMode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Query, Self::FormPost].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// Where a response goes, and what goes with every response.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) redirect_uri: VerifiedRedirectUri,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

/// A response on its way to the client.
#[derive(Debug)]
pub(crate) enum AuthorizationResponse {
    /// The browser goes here.
    Redirect { location: String },
    /// The browser posts this there.
    FormPost { action: String, fields: Vec<(&'static str, String)> },
}

/// Every parameter that a response may have. A registered URI may bring its own query, but none of these: a `code` of
/// its own beside our `error` would be two answers in one.
const PARAMETERS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

impl Target {
    pub(crate) fn code(&self, context: &Context, code: &Secret) -> AuthorizationResponse {
        self.send(context, &[("code", code.expose())])
    }

    pub(crate) fn error(&self, context: &Context, code: ErrorCode, description: &str) -> AuthorizationResponse {
        self.send(context, &[("error", code.as_str()), ("error_description", description)])
    }

    /// Adds `state`, as it came, and `iss` (RFC 9207 §2).
    fn send(&self, context: &Context, fields: &[(&'static str, &str)]) -> AuthorizationResponse {
        let mut pairs = Vec::with_capacity(fields.len().saturating_add(2));
        pairs.extend_from_slice(fields);
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", context.issuer.as_str()));
        let redirect_uri = without_parameters(self.redirect_uri.as_str(), &PARAMETERS);
        match self.mode {
            ResponseMode::Query => {
                let mut location = append_query(&redirect_uri, &pairs);
                // A browser would carry the fragment of the page before over to a location without one (RFC 9700
                // §4.1.3).
                close_fragment(&mut location);
                AuthorizationResponse::Redirect { location }
            }
            ResponseMode::FormPost => AuthorizationResponse::FormPost {
                action: redirect_uri.into_owned(),
                fields: pairs.into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
            },
        }
    }
}
