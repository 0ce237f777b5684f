//! What this host adds to the server: a grant type, a client authentication method, and members of responses.

use std::collections::HashMap;

use async_trait::async_trait;
use grantor::refusal::ExtensionRefusal;
use grantor::resource::Verified;
use grantor::{
    Builder, Claim, ClientAuthentication, ClientAuthenticationRequest, ClientId, ExtensionGrant, ExtensionMember,
    ExtensionRequest, Issue,
};
use serde_json::{Value, json};

/// The grant type by which a partner changes its tickets for tokens.
pub(crate) const TICKET: &str = "urn:example:grant-type:ticket";
/// The method by which clients are known by their certificates.
pub(crate) const BY_CERTIFICATE: &str = "example_certificate";
/// The header in which the proxy in front names the certificate that it has checked, by its SHA-256. The proxy deletes
/// it from what comes from outside; a host without such a proxy must not believe it.
pub(crate) const HEADER: &str = "x-client-certificate";

/// Tickets that were sold, each with its holder and the scope that it is for.
pub(crate) struct Tickets(pub(crate) HashMap<&'static str, (&'static str, &'static str)>);

#[async_trait]
impl ExtensionGrant for Tickets {
    async fn decide(&self, request: ExtensionRequest<'_>) -> Result<Issue, ExtensionRefusal> {
        let ticket = request.parameters.get("ticket").ok_or(ExtensionRefusal::InvalidRequest)?;
        let (holder, scope) = self.0.get(ticket).ok_or(ExtensionRefusal::InvalidGrant)?;
        let scope = scope.parse().map_err(|_| ExtensionRefusal::InvalidScope)?;
        Ok(Issue { subject: (*holder).into(), scope, resources: Vec::new(), refresh_token: false })
    }
}

/// Which certificate is whose.
pub(crate) struct Certificates(pub(crate) HashMap<&'static str, &'static str>);

#[async_trait]
impl ClientAuthentication for Certificates {
    async fn authenticate(&self, request: ClientAuthenticationRequest<'_>) -> Claim {
        let mut shown = request.headers.get_all(HEADER).iter();
        match (shown.next(), shown.next()) {
            (None, _) => Claim::Absent,
            (Some(one), None) => {
                let known = one.to_str().ok().and_then(|certificate| self.0.get(certificate));
                known.map_or(Claim::Refused, |client| Claim::Proven(ClientId::from(*client)))
            }
            (Some(_), Some(_)) => Claim::Refused,
        }
    }
}

/// The tenant of a user, which resource servers want to know. It may have to be looked up.
pub(crate) struct Tenants(pub(crate) HashMap<&'static str, &'static str>);

#[async_trait]
impl ExtensionMember for Tenants {
    async fn value(&self, token: &Verified) -> Option<Value> {
        self.0.get(token.subject()?).map(|tenant| json!(tenant))
    }
}

/// Adds all of it.
pub(crate) fn extend(builder: Builder) -> Builder {
    builder
        .grant_type(TICKET, Tickets(HashMap::from([("front-row", ("alice", "read write"))])))
        .client_authentication(BY_CERTIFICATE, Certificates(HashMap::from([("4f1c", "batch")])))
        .introspection_member("tenant", Tenants(HashMap::from([("alice", "acme")])))
        .token_member("api_url", |token: &Verified| Some(json!(format!("https://{}.api.example", token.client_id()))))
}
