//! The answer (RFC 7591 §3.2.1, RFC 7592 §3): all that is registered, and what the client needs to go on.

use serde::Serialize;

use crate::client::{ClientMetadata, Software};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::endpoint::metadata::path;
use crate::id::ClientId;
use crate::secret::Secret;

/// A client, as it is told of itself.
pub(super) struct Account<'a> {
    pub(super) id: &'a ClientId,
    pub(super) metadata: &'a ClientMetadata,
    pub(super) software: &'a Software,
    pub(super) issued_at: Timestamp,
    /// A secret that was just made.
    pub(super) secret: Option<&'a Secret>,
    /// When the client's last secret ends; `None` where it has none.
    pub(super) secret_ends: Option<Timestamp>,
    /// With what it manages its registration; `None` where it may not.
    pub(super) token: Option<&'a str>,
}

#[derive(Serialize)]
struct Body<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    /// 0: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_client_uri: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    client_name: &'a str,
    redirect_uris: &'a [String],
    token_endpoint_auth_method: &'static str,
    grant_types: &'a [String],
    response_types: &'a [String],
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<crate::client::ApplicationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    contacts: &'a [String],
    #[serde(flatten)]
    software: &'a Software,
}

impl Account<'_> {
    pub(super) fn to_json(&self, context: &Context) -> Result<String, serde_json::Error> {
        let Self { id, metadata, software, .. } = self;
        let ends = |at: Timestamp| if at == Timestamp::NEVER { 0 } else { at.as_secs() };
        serde_json::to_string(&Body {
            client_id: id.as_str(),
            client_id_issued_at: self.issued_at.as_secs(),
            client_secret: self.secret.map(Secret::expose),
            client_secret_expires_at: self.secret_ends.map(ends),
            registration_access_token: self.token,
            registration_client_uri: self.token.map(|_| {
                let mut uri = context.issuer.endpoint(path::REGISTER);
                uri.push('/');
                uri.push_str(id.as_str());
                uri
            }),
            client_name: &metadata.client_name,
            redirect_uris: &metadata.redirect_uris,
            token_endpoint_auth_method: metadata.token_endpoint_auth_method.as_str(),
            grant_types: &metadata.grant_types,
            response_types: &metadata.response_types,
            scope: metadata.scope.as_str(),
            application_type: metadata.application_type,
            client_uri: metadata.client_uri.as_deref(),
            logo_uri: metadata.logo_uri.as_deref(),
            tos_uri: metadata.tos_uri.as_deref(),
            policy_uri: metadata.policy_uri.as_deref(),
            contacts: &metadata.contacts,
            software,
        })
    }
}
