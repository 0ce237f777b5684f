//! What this host adds to the server: a grant type, a client authentication method, members of responses, a parameter,
//! and what access tokens look like.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::refusal::ExtensionRefusal;
use grantor::resource::Verified;
use grantor::secret::Secret;
use grantor::{
    Builder, Claim, ClientAuthentication, ClientAuthenticationRequest, ClientId, ExtensionGrant, ExtensionMember,
    ExtensionRequest, Failure, Issue, TokenFormat, async_trait,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

/// The grant type by which a partner changes its tickets for tokens.
pub(crate) const TICKET: &str = "urn:example:grant-type:ticket";
/// The method by which clients are known by their certificates.
pub(crate) const BY_CERTIFICATE: &str = "example_certificate";
/// The header in which the proxy in front names the certificate that it has checked, by its SHA-256. The proxy deletes
/// it from what comes from outside; a host without such a proxy must not believe it.
pub(crate) const HEADER: &str = "x-client-certificate";

/// The key of the tokens. A host draws one, and keeps it where it keeps secrets.
pub(crate) const KEY: [u8; 32] = *b"an example: do not use this key!";

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

/// Access tokens as JWTs (RFC 9068), so that a resource server elsewhere can read them without asking anybody. It learns
/// of a revocation when the token expires, or by asking the server, which knows the token in `own`.
///
/// The key is shared with the resource server (HS256), which is enough where both are yours. Others are given a public key:
/// take a library for JWTs, and sign with the private one.
#[derive(Clone)]
pub(crate) struct Jwt {
    pub(crate) issuer: String,
    pub(crate) key: [u8; 32],
}

impl Jwt {
    #[expect(clippy::expect_used, reason = "there is no wrong length")]
    fn signature(&self, signed: &str) -> Hmac<sha2::Sha256> {
        Hmac::new_from_slice(&self.key).expect("a key of any length").chain_update(signed)
    }

    /// What a resource server does: the claims of a token that this key signed and that has not expired.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        self.signature(signed).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let (header, claims) = (part(header)?, part(claims)?);
        let sound = says(&header, "typ") == Some("at+jwt")
            && says(&header, "alg") == Some("HS256")
            && says(&claims, "iss") == Some(&self.issuer);
        (sound && claims.get("exp")?.as_i64()? > now).then_some(claims)
    }
}

fn says<'v>(json: &'v Value, name: &str) -> Option<&'v str> {
    json.get(name)?.as_str()
}

#[async_trait]
impl TokenFormat for Jwt {
    async fn write(&self, token: &Secret, says: &Verified) -> Result<String, Failure> {
        let claims = json!({
            "iss": self.issuer,
            "sub": says.subject().unwrap_or(says.client_id()),
            "client_id": says.client_id(),
            "scope": says.scope(),
            "aud": says.resources().collect::<Vec<_>>(),
            "iat": says.issued_at().as_secs(),
            "exp": says.expires_at().as_secs(),
            "own": token.expose(),
        });
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = [part(json!({ "typ": "at+jwt", "alg": "HS256" })), part(claims)].join(".");
        let signature = URL_SAFE_NO_PAD.encode(self.signature(&signed).finalize().into_bytes());
        Ok([signed, signature].join("."))
    }

    fn read<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        Some(Cow::Owned(says(&claims, "own")?.to_owned()))
    }
}

/// Adds all of it.
pub(crate) fn extend(builder: Builder, issuer: &str) -> Builder {
    builder
        .token_format(Jwt { issuer: issuer.to_owned(), key: KEY })
        // For what a client asks: shown to the user, and told to resource servers.
        .authorization_parameter("purpose")
        .introspection_member("purpose", |token: &Verified| token.parameter("purpose").map(|purpose| json!(purpose)))
        .grant_type(TICKET, Tickets(HashMap::from([("front-row", ("alice", "read write"))])))
        .client_authentication(BY_CERTIFICATE, Certificates(HashMap::from([("4f1c", "batch")])))
        .introspection_member("tenant", Tenants(HashMap::from([("alice", "acme")])))
        .token_member("api_url", |token: &Verified| Some(json!(format!("https://{}.api.example", token.client_id()))))
}
