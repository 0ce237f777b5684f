//! `client_secret_post`: identifier and secret in the body (RFC 6749 §2.3.1).

use super::AuthMethod;
use super::presented::{Presented, Proof};
use crate::refusal::ClientError;
use crate::secret::Secret;

pub(super) fn read(client_id: Option<&str>, secret: &str) -> Result<Presented, ClientError> {
    let client_id = client_id.ok_or(ClientError::Missing)?;
    let proof = Proof::Secret { method: AuthMethod::ClientSecretPost, secret: Secret::new(secret), other: None };
    Ok(Presented::new(client_id.into(), proof))
}
