//! A client without a secret that anybody may register: the same for all who describe it alike.
//!
//! Its identifier is made from its description, so registering it again finds it, however many do so at once, and the
//! table does not grow. Nothing is given away by that: it has no secret, and nobody gets a token to change it, since one
//! of those who share it could turn it against the others. A client with a secret is never shared, for its secret is
//! told once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::client::{Client, ClientMetadata, Software, verify_redirect_uri};
use crate::config::OmittedRedirectUri;
use crate::context::Context;
use crate::id::ClientId;
use crate::wire::uri::is_loopback_host;

/// The identifier of the client that is described so.
pub(super) fn identifier(
    context: &Context,
    metadata: &ClientMetadata,
    software: &Software,
) -> Result<ClientId, serde_json::Error> {
    let redirect_uris = metadata.redirect_uris.iter().map(|uri| without_loopback_port(metadata, uri)).collect();
    let described = ClientMetadata { redirect_uris, ..metadata.clone() };
    let mut hash = Sha256::new();
    hash.update(context.keys.tenant().0);
    hash.update(b"client by its description\0");
    hash.update(serde_json::to_vec(&(described, software))?);
    let digest: [u8; 32] = hash.finalize().into();
    let (head, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    Ok(ClientId::from(URL_SAFE_NO_PAD.encode(head)))
}

/// A native client may use any port of a loopback address (RFC 8252 §7.3), so the one it had when it registered does not
/// make it another client.
fn without_loopback_port(metadata: &ClientMetadata, uri: &str) -> String {
    let parsed = fluent_uri::Uri::parse(uri).ok();
    let authority = parsed.as_ref().and_then(fluent_uri::Uri::authority);
    let host = authority.as_ref().map_or("", |authority| authority.host());
    match (uri.strip_prefix("http://"), authority) {
        (Some(rest), Some(authority)) if metadata.is_native() && is_loopback_host(host) => {
            let after = rest.strip_prefix(authority.as_str()).unwrap_or_default();
            format!("http://{host}{after}")
        }
        _ => uri.to_owned(),
    }
}

/// What is answered to who registers it again: all as it is registered, but the redirect URIs as they were sent, where
/// each of them would match.
pub(super) fn as_sent(client: &Client, sent: &ClientMetadata) -> ClientMetadata {
    let registered = client.metadata();
    let matches = |uri: &String| verify_redirect_uri(client, Some(uri), OmittedRedirectUri::Refused).is_ok();
    let redirect_uris = if sent.redirect_uris.iter().all(matches) { sent } else { registered }.redirect_uris.clone();
    ClientMetadata { redirect_uris, ..registered.clone() }
}
