//! Members that a host adds to token responses (RFC 6749 §5.1) and introspection responses (RFC 7662 §2.2).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::config::ConfigError;
use crate::resource::Verified;
use crate::wire::json::JsonObject;

/// A member of a response, by what is known of the token; see
/// [`Builder::token_member`](crate::Builder::token_member) and
/// [`Builder::introspection_member`](crate::Builder::introspection_member).
///
/// A function of the token will do, where nothing has to be waited for.
///
/// # Contract
///
/// It is asked for each response, after all has been decided: it cannot refuse, and where it knows nothing, the member
/// is left out. What it tells of a token goes to whoever may have the response; see RFC 7662 §5 before telling of
/// people.
#[async_trait]
pub trait ExtensionMember: Send + Sync + 'static {
    /// Its value for this token.
    async fn value(&self, token: &Verified) -> Option<Value>;
}

#[async_trait]
impl<F: Fn(&Verified) -> Option<Value> + Send + Sync + 'static> ExtensionMember for F {
    async fn value(&self, token: &Verified) -> Option<Value> {
        self(token)
    }
}

/// The members that are added to one kind of response.
#[derive(Clone, Default)]
pub(crate) struct Members(Vec<(String, Arc<dyn ExtensionMember>)>);

/// What a specification has given a meaning in a token response, whether we send it or not.
const OF_TOKENS: [&str; 12] = [
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
    "id_token",
    "issued_token_type",
    "authorization_details",
    "state",
    "error",
    "error_description",
    "error_uri",
];

/// The same of an introspection response.
const OF_INTROSPECTION: [&str; 19] = [
    "active",
    "scope",
    "client_id",
    "username",
    "token_type",
    "exp",
    "iat",
    "nbf",
    "sub",
    "aud",
    "iss",
    "jti",
    "auth_time",
    "acr",
    "cnf",
    "act",
    "may_act",
    "authorization_details",
    "error",
];

impl Members {
    pub(crate) fn add(&mut self, name: String, member: impl ExtensionMember) {
        self.0.push((name, Arc::new(member)));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check_for_tokens(&self) -> Result<(), ConfigError> {
        self.check(&OF_TOKENS)
    }

    pub(crate) fn check_for_introspection(&self) -> Result<(), ConfigError> {
        self.check(&OF_INTROSPECTION)
    }

    fn check(&self, taken: &[&str]) -> Result<(), ConfigError> {
        for (at, (name, _)) in self.0.iter().enumerate() {
            let twice = self.0.iter().take(at).any(|(earlier, _)| earlier == name);
            if name.is_empty() || twice || taken.contains(&name.as_str()) {
                return Err(ConfigError::Member(name.clone()));
            }
        }
        Ok(())
    }

    /// Writes those that have something to say of this token.
    pub(crate) async fn write(&self, json: &mut JsonObject, token: &Verified) {
        for (name, member) in &self.0 {
            if let Some(value) = member.value(token).await {
                json.raw(name, &value.to_string());
            }
        }
    }
}
