//! Reading what an authorization server says of a token (RFC 7662 §2.2) and of itself (RFC 8414 §2).

use serde::Deserialize;

use super::verify::Told;
use crate::clock::Timestamp;

/// An introspection response. What it does not need is not read.
#[derive(Deserialize)]
pub(super) struct Described {
    active: bool,
    scope: Option<String>,
    client_id: Option<String>,
    token_type: Option<String>,
    exp: Option<f64>,
    iat: Option<f64>,
    nbf: Option<f64>,
    sub: Option<String>,
    aud: Option<Audience>,
    iss: Option<String>,
    auth_time: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Why a described token does not count here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Useless {
    /// It is not active, from somebody else, or of a type that a bearer of it cannot prove.
    Unknown,
    /// Its time is over by our clock, or has not come.
    Expired,
}

impl Described {
    pub(super) fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// What it says, if it says that the token counts now.
    pub(super) fn into_told(self, issuer: Option<&str>, now: Timestamp) -> Result<Told, Useless> {
        let foreign = match (&self.iss, issuer) {
            (Some(named), Some(expected)) => named != expected,
            _ => false,
        };
        // A token that is bound to a key is worth nothing without the proof, which nobody checks here.
        let bound = self.token_type.as_deref().is_some_and(|name| !name.eq_ignore_ascii_case("Bearer"));
        if !self.active || foreign || bound {
            return Err(Useless::Unknown);
        }
        let expires_at = self.exp.map_or(Timestamp::NEVER, moment);
        if expires_at.has_come(now) || self.nbf.is_some_and(|begins| moment(begins) > now) {
            return Err(Useless::Expired);
        }
        Ok(Told {
            subject: self.sub,
            client_id: self.client_id.unwrap_or_default(),
            scope: self.scope.unwrap_or_default(),
            resources: match self.aud {
                None => Vec::new(),
                Some(Audience::One(only)) => vec![only],
                Some(Audience::Several(several)) => several,
            },
            issued_at: self.iat.map_or(now, moment),
            expires_at,
            authenticated_at: self.auth_time.map(moment),
        })
    }
}

/// A `NumericDate` (RFC 7519 §2), which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "a float beyond the range saturates, which is what is meant")]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// The part of a server's metadata that says where to ask.
#[derive(Deserialize)]
pub(super) struct ServerMetadata {
    pub(super) issuer: String,
    pub(super) introspection_endpoint: Option<String>,
}
