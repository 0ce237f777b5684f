//! `client_secret_basic`: identifier and secret in the `Authorization` header (RFC 6749 §2.3.1).

use http::HeaderValue;

use super::AuthMethod;
use super::presented::{Presented, Proof};
use crate::refusal::ClientError;
use crate::wire::basic::BasicCredentials;
use crate::wire::charset::is_client_id;

/// Reads the header.
///
/// The specification has both halves form-encoded; many clients send them as they are. The decoded reading names the
/// client; where the raw one differs, its secret is accepted as well, for it must equal the stored one exactly.
pub(super) fn read(header: &HeaderValue) -> Result<Presented, ClientError> {
    let failed = ClientError::Malformed { header: true };
    let credentials = BasicCredentials::parse(header.as_bytes()).ok_or(failed)?.map_err(|_| failed)?;
    if !is_client_id(&credentials.id) {
        return Err(ClientError::Unknown { header: true });
    }
    let other = credentials.raw.filter(|(id, _)| *id == credentials.id).map(|(_, secret)| secret);
    let proof = Proof::Secret { method: AuthMethod::ClientSecretBasic, secret: credentials.secret, other };
    Ok(Presented::new(credentials.id.into(), proof))
}
