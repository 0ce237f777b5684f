//! The token response (RFC 6749 §5.1).

use crate::secret::Secret;
use crate::wire::json::JsonObject;
use crate::wire::scope::Scope;

/// What a successful token request is answered.
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    /// The access token.
    pub(crate) access_token: Secret,
    /// The refresh token, where one is issued.
    pub(crate) refresh_token: Option<Secret>,
    /// For how many seconds the access token lives.
    pub(crate) expires_in: u64,
    /// Which scope it has: always told, also where it is what was asked for.
    pub(crate) scope: Scope,
}

impl TokenAnswer {
    /// The body of the response, to be finished.
    pub(crate) fn to_json(&self) -> JsonObject {
        let mut json = JsonObject::with_capacity(256);
        json.text("access_token", self.access_token.expose());
        json.text("token_type", "Bearer");
        json.number("expires_in", self.expires_in);
        if let Some(refresh_token) = &self.refresh_token {
            json.text("refresh_token", refresh_token.expose());
        }
        json.text("scope", self.scope.as_str());
        json
    }
}
