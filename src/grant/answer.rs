//! The token response (RFC 6749 §5.1).

use std::sync::Arc;

use crate::client::Client;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::extension::token_format;
use crate::resource::Verified;
use crate::secret::Secret;
use crate::store::{Loaded, Record};
use crate::wire::json::{JsonObject, push_number, quote};
use crate::wire::scope::Scope;

/// What a successful token request is answered.
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    /// The access token.
    pub(crate) access_token: Secret,
    /// Its record, and what that hangs on.
    pub(crate) record: Arc<Record>,
    pub(crate) under: Under,
    /// The refresh token, where one is issued.
    pub(crate) refresh_token: Option<Secret>,
    /// For how many seconds the access token lives.
    pub(crate) expires_in: u64,
    /// Which scope it has: always told, also where it is what was asked for.
    pub(crate) scope: Scope,
}

/// What an access token hangs on.
#[derive(Debug)]
pub(crate) enum Under {
    Grant(Arc<Record>),
    Client(Arc<Client>),
}

impl TokenAnswer {
    /// What the access token says, for whoever adds to the answer: it is read off the records that are about to be
    /// written, or were.
    pub(crate) fn says(&self, context: &Context) -> Result<Verified, Failure> {
        let parent = match &self.under {
            Under::Grant(record) => Arc::clone(record),
            Under::Client(client) => {
                let record = client.to_record(context.keys.tenant(), Timestamp::NEVER);
                Arc::new(record.map_err(|_| Failure::Corrupt)?)
            }
        };
        let loaded = Loaded { record: Arc::clone(&self.record), parent: Some(parent), client: None, subject: None };
        Ok(Verified::held(loaded, None))
    }

    /// The same with the access token in the format of the host, if it has one. Asked before the commit, so that where it
    /// fails nothing was issued.
    pub(crate) async fn in_format(self, context: &Context) -> Result<Self, Failure> {
        let Some(format) = &context.token_format else { return Ok(self) };
        let access_token = token_format::write(&**format, &self.access_token, &self.says(context)?).await?;
        Ok(Self { access_token, ..self })
    }

    /// The body of the response, to be finished. Neither a token nor a scope (RFC 6749 App. A.4) holds what JSON would escape.
    pub(crate) fn to_json(&self) -> JsonObject {
        json(&self.access_token, self.refresh_token.as_ref(), self.expires_in, &self.scope)
    }
}

fn json(access_token: &Secret, refresh_token: Option<&Secret>, expires_in: u64, scope: &Scope) -> JsonObject {
    let mut json = String::with_capacity(access_token.expose().len().saturating_add(200));
    json.push_str("{\"access_token\":\"");
    json.push_str(access_token.expose());
    json.push_str("\",\"token_type\":\"Bearer\",\"expires_in\":");
    push_number(&mut json, expires_in);
    if let Some(refresh_token) = refresh_token {
        json.push_str(",\"refresh_token\":\"");
        json.push_str(refresh_token.expose());
        json.push('"');
    }
    json.push_str(",\"scope\":");
    quote(&mut json, scope.as_str());
    JsonObject::begun(json)
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
            let answer = json(&Secret::new("gat_a"), refresh_token.as_ref(), 43_200, &scope).finish();
            assert_eq!(answer, object.finish());
        }
    }
}
