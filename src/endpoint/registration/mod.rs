//! Clients that register themselves (RFC 7591), and manage their registration (RFC 7592).
//!
//! | file | holds |
//! |---|---|
//! | `create.rs` | a new client |
//! | `shared.rs` | a client without a secret, which is the same for all who describe it alike |
//! | `quota.rs` | what a registration spends: a use of its initial access token, and one of the day's |
//! | `manage.rs` | a client reads, replaces or deletes its registration |
//! | `describe.rs` | from what the client wrote to metadata that may be registered |
//! | `answer.rs` | the answer: all that is registered, and what the client needs to go on |
//! | `refused.rs` | from a reason to the wire |

mod answer;
mod create;
mod describe;
mod manage;
mod quota;
mod refused;
mod shared;

pub(crate) use create::create;
pub(crate) use manage::{delete, read, update};
pub(crate) use quota::seconds_left;
pub(crate) use refused::Refused;

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value};

use crate::refusal::RegistrationError;
use crate::wire::{bearer, document};

/// The token in the header; `None` where there is no header.
fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, RegistrationError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => match bearer::parse(only.as_bytes()) {
            Some(Ok(token)) => Ok(Some(token)),
            Some(Err(_)) | None => Err(RegistrationError::TokenInvalid),
        },
        (Some(_), Some(_)) => Err(RegistrationError::TokenInvalid),
    }
}

/// The members of the body.
fn members(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, RegistrationError> {
    let mut declared = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (declared.next(), declared.next()) else { return Err(RegistrationError::NotJson) };
    let essence = only.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(RegistrationError::NotJson);
    }
    document::parse(body).map_err(|_| RegistrationError::Unreadable)
}
