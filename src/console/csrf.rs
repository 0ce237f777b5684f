//! What a form must bring along: a token for this browser, this person and this form, good for a while and, where
//! something is created, for once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::id::Subject;
use crate::secret::{Secret, same_digest};
use crate::store::{Commit, Committed, Key, Kind, Payload, Record, State, Write};

/// How long a page may be open before its form is no longer taken.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The browser, as its cookie names it.
pub(super) struct Session {
    name: &'static str,
    value: String,
    /// Whether the browser has yet to be given the cookie.
    fresh: bool,
    attributes: &'static str,
}

/// What is wrong with the token of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It was not made for this browser, person and form.
    Forged,
    /// It was, but too long ago.
    Expired,
}

/// The one time that a form is good for.
pub(super) struct Once {
    nonce: [u8; 16],
    expires_at: Timestamp,
}

impl Session {
    /// That of the browser that sent these headers; a new one where it has none.
    pub(super) fn of(context: &Context, headers: &HeaderMap) -> Result<Self, Failure> {
        // On https the cookie is held to it, and to this host (RFC 6265bis §4.1.3.2); plain http is a loopback address.
        let (name, attributes) = if context.issuer.is_https() {
            ("__Host-grantor-console", "; Path=/; HttpOnly; SameSite=Lax; Secure")
        } else {
            ("grantor-console", "; Path=/; HttpOnly; SameSite=Lax")
        };
        let sent = cookie(headers, name).filter(|value| value.len() == 43 && value.bytes().all(is_token_byte));
        let (value, fresh) = match sent {
            Some(value) => (value.to_owned(), false),
            None => (URL_SAFE_NO_PAD.encode(context.draw::<32>()?), true),
        };
        Ok(Self { name, value, fresh, attributes })
    }

    /// The header that gives the browser its cookie, if it has none yet.
    pub(super) fn set_cookie(&self) -> Option<HeaderValue> {
        let cookie = format!("{}={}{}", self.name, self.value, self.attributes);
        self.fresh.then(|| HeaderValue::from_str(&cookie).ok()).flatten()
    }

    /// A token for the form that does `what`.
    pub(super) fn token(&self, context: &Context, subject: &Subject, what: &str) -> Result<Secret, Failure> {
        let nonce = context.draw::<16>()?;
        let expires_at = context.now().after(LIFETIME);
        let mac = self.mac(context, subject, what, &nonce, expires_at);
        let bytes = [&expires_at.as_millis().to_be_bytes()[..], &nonce, &mac].concat();
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Checks the token that a form brought.
    pub(super) fn check(&self, context: &Context, subject: &Subject, what: &str, token: &str) -> Result<Once, Unfit> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Unfit::Forged)?;
        let (expires_at, rest) = bytes.split_first_chunk::<8>().ok_or(Unfit::Forged)?;
        let (nonce, mac) = rest.split_first_chunk::<16>().ok_or(Unfit::Forged)?;
        let mac: &[u8; 32] = mac.try_into().map_err(|_| Unfit::Forged)?;
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(*expires_at));
        if self.fresh || !same_digest(&self.mac(context, subject, what, nonce, expires_at), mac) {
            return Err(Unfit::Forged);
        }
        if expires_at.has_come(context.now()) {
            return Err(Unfit::Expired);
        }
        Ok(Once { nonce: *nonce, expires_at })
    }

    fn mac(
        &self,
        context: &Context,
        subject: &Subject,
        what: &str,
        nonce: &[u8; 16],
        expires_at: Timestamp,
    ) -> [u8; 32] {
        let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
        context.seal.console(&[
            self.value.as_bytes(),
            &length(subject.as_str()),
            subject.as_str().as_bytes(),
            &length(what),
            what.as_bytes(),
            nonce,
            &expires_at.as_millis().to_be_bytes(),
        ])
    }
}

impl Once {
    fn key(&self, context: &Context, subject: &Subject) -> Key {
        context.keys.drawn(Kind::MARKER, context.keys.partition_of(subject), &self.nonce)
    }

    /// Whether it was spent: whoever reloads the answer to a form sends the form again.
    pub(super) async fn is_spent(&self, context: &Context, subject: &Subject) -> Result<bool, Failure> {
        Ok(context.load_one(self.key(context, subject)).await?.is_some())
    }

    /// Spends it; `false` if another was quicker.
    pub(super) async fn spend(&self, context: &Context, subject: &Subject) -> Result<bool, Failure> {
        let now = context.now();
        let key = self.key(context, subject);
        let record = Record {
            key,
            tenant: context.keys.tenant(),
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at: now,
            expires_at: self.expires_at,
            purge_after: self.expires_at.after(context.policy.lifetimes.clock_skew),
            used: None,
            payload: Payload::default(),
        };
        let writes = vec![Write::Insert(Arc::new(record))];
        let commit = Commit { writes, ..context.keys.commit(key.partition, now) };
        Ok(context.commit(&commit).await? == Committed::Applied)
    }
}

/// Whether the browser says that the form was sent from another site. What says nothing is judged by the token alone:
/// browsers have sent `Origin` with every form since 2020, `Sec-Fetch-Site` since 2023.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match text("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => text("origin").is_some_and(|origin| {
            let host = text("host").or(authority);
            origin.split_once("://").map(|(_, of_origin)| of_origin) != host
        }),
    }
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let headers = headers.get_all(http::header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
