//! The token response (RFC 6749 §5.1).

use crate::secret::Secret;
use crate::wire::json::{JsonObject, push_number, quote};
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
    /// The body of the response, to be finished. Neither a token nor a scope (RFC 6749 App. A.4) holds what JSON would escape.
    pub(crate) fn to_json(&self) -> JsonObject {
        let mut json = String::with_capacity(256);
        json.push_str("{\"access_token\":\"");
        json.push_str(self.access_token.expose());
        json.push_str("\",\"token_type\":\"Bearer\",\"expires_in\":");
        push_number(&mut json, self.expires_in);
        if let Some(refresh_token) = &self.refresh_token {
            json.push_str(",\"refresh_token\":\"");
            json.push_str(refresh_token.expose());
            json.push('"');
        }
        json.push_str(",\"scope\":");
        quote(&mut json, self.scope.as_str());
        JsonObject::begun(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_object_that_it_says() {
        for refresh_token in [None, Some(Secret::new("grt_b"))] {
            let mut object = JsonObject::new();
            object.text("access_token", "gat_a").text("token_type", "Bearer").number("expires_in", 43_200);
            if refresh_token.is_some() {
                object.text("refresh_token", "grt_b");
            }
            object.text("scope", "read write");
            let scope = Scope::from_canonical("read write");
            let answer = TokenAnswer { access_token: Secret::new("gat_a"), refresh_token, expires_in: 43_200, scope };
            assert_eq!(answer.to_json().finish(), object.finish());
        }
    }
}
