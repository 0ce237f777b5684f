//! Parameters that a host adds to authorization requests (RFC 6749 §3.1 lets unknown ones be ignored, and §8.2 names
//! them).

use crate::config::ConfigError;
use crate::token::fields::{Fields, Unreadable, tag};
use crate::token::view::value_in;
use crate::wire::form::Form;

/// The longest value, in bytes.
const LONGEST: usize = 1024;
/// How many a host may add: all of them travel with the request through the browser.
const MOST: usize = 16;

/// What the server reads itself, has an answer for, or must not be told in an authorization request.
const TAKEN: [&str; 30] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "prompt",
    "max_age",
    "request",
    "request_uri",
    "nonce",
    "claims",
    "registration",
    "authorization_details",
    "dpop_jkt",
    "id_token_hint",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "iss",
    "error",
    "error_description",
    "error_uri",
];

/// Whether a host may add these.
pub(crate) fn check(names: &[String]) -> Result<(), ConfigError> {
    for (at, name) in names.iter().enumerate() {
        // RFC 6749 App. A: a name has letters, digits, `-`, `.` and `_`.
        let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        let twice = names.iter().take(at).any(|earlier| earlier == name);
        if name.is_empty() || !sound || twice || at >= MOST || TAKEN.contains(&name.as_str()) {
            return Err(ConfigError::Parameter(name.clone()));
        }
    }
    Ok(())
}

/// What a request says in the parameters that the host added: `name=value` each.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<String>);

impl Parameters {
    /// Reads those of these names that a request has; `None` where one is too long.
    pub(crate) fn of(form: &Form<'_>, names: &[String]) -> Option<Self> {
        let sent = names.iter().filter_map(|name| Some((name, form.get(name)?)));
        let pair = |(name, value): (&String, &str)| (value.len() <= LONGEST).then(|| [name, "=", value].concat());
        sent.map(pair).collect::<Option<_>>().map(Self)
    }

    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, Unreadable> {
        fields.texts(tag::PARAMETER).map(|text| text.map(str::to_owned)).collect::<Result<_, _>>().map(Self)
    }

    /// What to write down.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        value_in(self.texts(), name)
    }
}

/// The names alone: what they say may be personal.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.texts().filter_map(|text| text.split('=').next())).finish()
    }
}
