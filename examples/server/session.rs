//! Who is signed in, in which browser: a cookie that names a session kept in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::SignedIn;
use grantor::clock::Timestamp;
use grantor::entropy::{Entropy as _, EntropyError, SystemEntropy};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// How long a sign-in counts.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// How many sessions are kept; the oldest makes room.
const MOST_SESSIONS: usize = 10_000;

/// The sessions. Only digests of the cookies are kept, as a store keeps only digests of tokens.
pub(crate) struct Sessions {
    cookie_name: &'static str,
    attributes: &'static str,
    /// Keyed, and waiting for the text.
    csrf_key: Hmac<Sha256>,
    signed_in: Mutex<HashMap<[u8; 32], SignedIn>>,
}

/// The value of the cookie: 256 random bits, in base64url. A browser has one before it signs in, for the form's sake.
#[derive(Clone)]
pub(crate) struct Ticket(String);

impl Sessions {
    /// `https`: whether browsers come by https, so that the cookie can be held to it.
    pub(crate) fn new(https: bool) -> Result<Self, EntropyError> {
        let (cookie_name, attributes) = if https {
            ("__Host-grantor-session", "; Path=/; HttpOnly; SameSite=Lax; Secure")
        } else {
            ("grantor-session", "; Path=/; HttpOnly; SameSite=Lax")
        };
        let csrf_key = Hmac::new_from_slice(&random()?).map_err(|_| EntropyError)?;
        Ok(Self { cookie_name, attributes, csrf_key, signed_in: Mutex::default() })
    }

    /// A ticket that nobody has had.
    pub(crate) fn fresh() -> Result<Ticket, EntropyError> {
        Ok(Ticket(URL_SAFE_NO_PAD.encode(random()?)))
    }

    /// The ticket that a browser brings, if it has the form of one.
    pub(crate) fn ticket(&self, headers: &HeaderMap) -> Option<Ticket> {
        let pairs = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let mut values = pairs.flat_map(|header| header.split(';')).filter_map(|pair| {
            pair.trim().split_once('=').filter(|(name, _)| *name == self.cookie_name).map(|(_, value)| value)
        });
        let value = values.next().filter(|value| value.len() == 43)?;
        Some(Ticket(value.to_owned()))
    }

    /// The header that gives a browser this ticket; `None` takes away what it has.
    pub(crate) fn set_cookie(&self, ticket: Option<&Ticket>) -> HeaderValue {
        let Self { cookie_name, attributes, .. } = self;
        let cookie = match ticket {
            Some(Ticket(value)) => format!("{cookie_name}={value}{attributes}"),
            None => format!("{cookie_name}={attributes}; Max-Age=0"),
        };
        HeaderValue::from_str(&cookie).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Who is signed in there.
    pub(crate) fn user(&self, headers: &HeaderMap, now: Timestamp) -> Option<SignedIn> {
        let ticket = self.ticket(headers)?;
        let sessions = self.signed_in.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&ticket.digest()).filter(|user| !expired(user, now)).cloned()
    }

    /// Signs somebody in, under a new ticket; the one before, if any, is worth nothing from now on (session fixation).
    pub(crate) fn sign_in(&self, before: Option<&Ticket>, user: SignedIn) -> Result<Ticket, EntropyError> {
        let ticket = Self::fresh()?;
        let now = user.authenticated_at;
        let mut sessions = self.signed_in.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = before {
            sessions.remove(&before.digest());
        }
        if sessions.len() >= MOST_SESSIONS {
            sessions.retain(|_, user| !expired(user, now));
        }
        if sessions.len() >= MOST_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, user)| user.authenticated_at).map(|(digest, _)| *digest);
            oldest.map(|digest| sessions.remove(&digest));
        }
        sessions.insert(ticket.digest(), user);
        Ok(ticket)
    }

    /// Signs out.
    pub(crate) fn sign_out(&self, ticket: &Ticket) {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket.digest());
    }

    /// What a form must bring along, so that only a page of ours in the same browser can have made it.
    pub(crate) fn csrf(&self, ticket: &Ticket) -> String {
        URL_SAFE_NO_PAD.encode(self.csrf_mac(ticket).finalize().into_bytes())
    }

    /// Whether a form brings it.
    pub(crate) fn is_csrf_of(&self, ticket: &Ticket, csrf: &str) -> bool {
        let presented = URL_SAFE_NO_PAD.decode(csrf).unwrap_or_default();
        self.csrf_mac(ticket).verify_slice(&presented).is_ok()
    }

    fn csrf_mac(&self, ticket: &Ticket) -> Hmac<Sha256> {
        let mut mac = self.csrf_key.clone();
        mac.update(ticket.0.as_bytes());
        mac
    }
}

impl Ticket {
    fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

fn expired(user: &SignedIn, now: Timestamp) -> bool {
    user.authenticated_at.after(LIFETIME).has_come(now)
}

fn random() -> Result<[u8; 32], EntropyError> {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes)?;
    Ok(bytes)
}
