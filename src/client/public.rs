//! `none`: a public client says who it is and proves nothing (RFC 6749 §2.1, §3.2.1).

use super::presented::{Presented, Proof};
use crate::refusal::ClientError;

pub(super) fn read(client_id: Option<&str>) -> Result<Presented, ClientError> {
    let client_id = client_id.ok_or(ClientError::Missing)?;
    Ok(Presented::new(client_id.into(), Proof::None))
}
