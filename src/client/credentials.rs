//! What a request presents to say who is calling: at most one method, whichever it is.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::presented::Presented;
use super::{public, secret_basic, secret_post};
use crate::refusal::ClientError;
use crate::wire::charset::is_client_id;
use crate::wire::form::Form;

/// Reads the one claim in a request (RFC 6749 §2.3: a client must not use two methods at once).
pub(crate) fn presented(headers: &HeaderMap, form: &Form<'_>) -> Result<Presented, ClientError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(ClientError::SeveralMethods);
    }
    let named = match form.get("client_id") {
        Some(id) if is_client_id(id) => Some(id),
        Some(_) => return Err(ClientError::Unknown { header: header.is_some() }),
        None => None,
    };
    if form.has("client_assertion") || form.has("client_assertion_type") {
        let alone = header.is_none() && form.get("client_secret").is_none();
        return Err(if alone { ClientError::MethodUnsupported { header: false } } else { ClientError::SeveralMethods });
    }
    match (header, form.get("client_secret")) {
        (Some(_), Some(_)) => Err(ClientError::SeveralMethods),
        (Some(header), None) => {
            let presented = secret_basic::read(header)?;
            if named.is_some_and(|named| named != presented.client_id.as_str()) {
                return Err(ClientError::IdMismatch);
            }
            Ok(presented)
        }
        (None, Some(secret)) => secret_post::read(named, secret),
        (None, None) => public::read(named),
    }
}
