//! The pause in which the host signs the user in and asks for consent.
//!
//! A validated request is a [`PendingAuthorization`], which is spent on approve or deny. To keep it over several requests
//! it is turned into a handle: the request itself, sealed, so that nothing is stored before somebody consents. A handle works only in the
//! browser that began (a cookie says so), only until it expires, and only once (the commit that approves it leaves a mark).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::client::{Client, verify_redirect_uri};
use crate::clock::Timestamp;
use crate::config::OmittedRedirectUri;
use crate::context::Context;
use crate::endpoint::authorize::AuthorizationAsked;
use crate::endpoint::{ResponseMode, Target};
use crate::error::Failure;
use crate::grant::authorization::read_resources;
use crate::secret::{SecretBytes, same_digest};
use crate::store::{KeySpace, State, keyspace};
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::wire::pkce::CodeChallenge;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;
use crate::{ClientId, Subject};

/// What the client asked about the interaction (OpenID Connect Core §3.1.2.1 `prompt`).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Prompt(u8);

impl Prompt {
    const WORDS: [(u8, &str); 4] = [(1, "none"), (2, "login"), (4, "consent"), (8, "select_account")];

    /// `None` for words that have no meaning, and for `none` beside others.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut prompt = 0;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            prompt |= Self::WORDS.iter().find(|(_, known)| *known == word)?.0;
        }
        (prompt & 1 == 0 || prompt == 1).then_some(Self(prompt))
    }

    /// No page may be shown: what cannot be answered at once is refused.
    pub const fn forbids_pages(self) -> bool {
        self.0 & 1 != 0
    }

    /// The user must sign in again, even if signed in.
    pub const fn demands_sign_in(self) -> bool {
        self.0 & 2 != 0
    }

    /// Consent must be asked for, even if remembered.
    pub const fn demands_consent(self) -> bool {
        self.0 & 4 != 0
    }

    /// The user must be let choose an account.
    pub const fn demands_account_choice(self) -> bool {
        self.0 & 8 != 0
    }
}

impl std::fmt::Display for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Self::WORDS.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, word)| word);
        if let Some(first) = words.next() {
            f.write_str(first)?;
        }
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({self})")
    }
}

/// A valid authorization request that waits for its resource owner. Spent on
/// [`approve`](crate::AuthorizationServer::approve) or [`deny`](crate::AuthorizationServer::deny).
#[derive(Debug)]
#[must_use = "an authorization that is neither approved nor denied leaves the browser without an answer"]
pub struct PendingAuthorization {
    client: Arc<Client>,
    target: Target,
    redirect_uri_omitted: bool,
    asked: AuthorizationAsked,
    flow: [u8; 16],
    started_at: Timestamp,
    expires_at: Timestamp,
    subject: Option<Subject>,
    browser: Option<[u8; 32]>,
}

impl PendingAuthorization {
    pub(crate) const fn new(
        client: Arc<Client>,
        target: Target,
        redirect_uri_omitted: bool,
        asked: AuthorizationAsked,
        flow: [u8; 16],
        started_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self { client, target, redirect_uri_omitted, asked, flow, started_at, expires_at, subject: None, browser: None }
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The scope it asks for, all of which it may have if the resource owner agrees.
    pub const fn scope(&self) -> &Scope {
        &self.asked.scope
    }

    /// The resources it asks for (RFC 8707); empty for any.
    pub fn resources(&self) -> &[Resource] {
        &self.asked.resources
    }

    /// Where the answer will go.
    pub fn redirect_uri(&self) -> &str {
        self.target.redirect_uri.as_str()
    }

    /// What it asked about the interaction.
    pub const fn prompt(&self) -> Prompt {
        self.asked.prompt
    }

    /// When the request was made: a sign-in that `prompt=login` demands must be later.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The user for whom consent was asked, once the handle was made for one.
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Whether a sign-in at this moment satisfies `prompt` and `max_age` (OpenID Connect Core §3.1.2.1).
    pub fn accepts_sign_in(&self, at: Timestamp, now: Timestamp) -> bool {
        let during_this_flow = at >= self.started_at;
        let recent = self.asked.max_age.is_none_or(|age| now < at.after(age));
        during_this_flow || (recent && !self.asked.prompt.demands_sign_in())
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) const fn asked(&self) -> &AuthorizationAsked {
        &self.asked
    }

    pub(crate) const fn redirect_uri_omitted(&self) -> bool {
        self.redirect_uri_omitted
    }

    pub(crate) const fn flow(&self) -> &[u8; 16] {
        &self.flow
    }

    pub(crate) const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    pub(crate) const fn is_bound(&self) -> bool {
        self.browser.is_some()
    }
}

/// A pending authorization in the browser's keeping.
#[derive(Debug)]
pub struct Suspended {
    /// What brings it back, with the cookie: goes into a hidden field or a query. At most some 20 KiB, typically under 1 KiB.
    pub handle: String,
    /// What the form that decides must bring along, in a field of its own, against cross-site request forgery.
    pub csrf: String,
    /// To set in the response, unless the browser has it already.
    pub set_cookie: Option<HeaderValue>,
}

/// A handle that does not bring back an authorization, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResumeError {
    /// It is not one of ours, or was changed: 400.
    #[error("the handle is not valid")]
    Invalid,
    /// It took too long: 400.
    #[error("the handle has expired")]
    Expired,
    /// It is another browser's, or the cookie is gone: 403.
    #[error("the handle belongs to another browser")]
    OtherBrowser,
    /// The form does not bring what the page gave it: 403.
    #[error("the form was not sent from the page that was shown")]
    Forged,
    /// The client was changed meanwhile, so that the request is no longer valid: 400.
    #[error("the client has changed")]
    ClientChanged,
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Seals handles.
pub(crate) struct SealKey(SecretBytes);

impl SealKey {
    pub(crate) fn new(secret: &SecretBytes, keys: &KeySpace) -> Self {
        Self(SecretBytes::new(keyspace::derive(secret, &keys.tenant(), b"seal of an interaction handle")))
    }

    fn seal(&self, mut bytes: Vec<u8>) -> String {
        let mac = keyspace::keyed_hash(&self.0, &[b"handle\0", &bytes]);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, mac) = bytes.split_last_chunk::<32>()?;
        if !same_digest(&keyspace::keyed_hash(&self.0, &[b"handle\0", content]), mac) {
            return None;
        }
        let length = content.len();
        bytes.truncate(length);
        Some(bytes)
    }

    fn csrf(&self, flow: &[u8; 16], browser: &[u8; 32]) -> String {
        URL_SAFE_NO_PAD.encode(keyspace::keyed_hash(&self.0, &[b"csrf\0", flow, browser]))
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The longest handle that is looked at, in bytes.
const MAX_HANDLE: usize = 48 * 1024;

/// Turns a pending authorization into a handle; for `subject`, if it is known who will decide.
pub(crate) fn suspend(
    context: &Context,
    pending: PendingAuthorization,
    subject: Option<&Subject>,
    now: Timestamp,
) -> Result<Suspended, Failure> {
    let PendingAuthorization { client, target, redirect_uri_omitted, asked, flow, started_at, expires_at, .. } =
        pending;
    let (browser, set_cookie) = if let Some(browser) = pending.browser {
        (browser, None)
    } else {
        let secret = URL_SAFE_NO_PAD.encode(context.draw::<32>()?);
        let cookie = cookie(context, &flow, &secret, expires_at.seconds_from(now)).ok_or(Failure::Corrupt)?;
        (Sha256::digest(&secret).into(), Some(cookie))
    };
    let bytes = Writer::new()
        .bytes(tag::FLOW, &flow)
        .bytes(tag::BROWSER, &browser)
        .number(tag::CREATED_AT, started_at.as_millis())
        .number(tag::EXPIRES_AT, expires_at.as_millis())
        .text(tag::CLIENT, client.id().as_str())
        .text(tag::REDIRECT_URI, target.redirect_uri.as_str())
        .optional(redirect_uri_omitted.then_some(()), |writer, ()| writer.bytes(tag::REDIRECT_URI_OMITTED, &[]))
        .text(tag::RESPONSE_MODE, target.mode.as_str())
        .optional(target.state.as_deref(), |writer, state| writer.text(tag::STATE, state))
        .optional(asked.challenge.as_ref(), |writer, challenge| writer.bytes(tag::CODE_CHALLENGE, challenge.as_bytes()))
        .text(tag::SCOPE, asked.scope.as_str())
        .texts(tag::RESOURCE, asked.resources.iter().map(Resource::as_str))
        .text(tag::PROMPT, &asked.prompt.to_string())
        .optional(asked.max_age, |writer, age| {
            writer.number(tag::MAX_AGE, i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
        })
        .optional(subject.or(pending.subject.as_ref()), |writer, subject| writer.text(tag::SUBJECT, subject.as_str()))
        .finish();
    Ok(Suspended { handle: context.seal.seal(bytes), csrf: context.seal.csrf(&flow, &browser), set_cookie })
}

/// Brings a pending authorization back: checks the seal, the time, the browser, and that the client still is what it was.
pub(crate) async fn resume(
    context: &Context,
    handle: &str,
    headers: &HeaderMap,
) -> Result<PendingAuthorization, ResumeError> {
    if handle.len() > MAX_HANDLE {
        return Err(ResumeError::Invalid);
    }
    let bytes = context.seal.open(handle).ok_or(ResumeError::Invalid)?;
    let opened = Opened::read(&bytes).map_err(|_| ResumeError::Invalid)?;
    if opened.expires_at.has_come(context.now()) {
        return Err(ResumeError::Expired);
    }
    let name = cookie_name(context, &opened.flow);
    let mut secrets = cookies(headers, &name);
    if !secrets.any(|secret| same_digest(&Sha256::digest(secret).into(), &opened.browser)) {
        return Err(ResumeError::OtherBrowser);
    }
    let loaded = context.load_one(context.keys.client(&opened.client_id)).await?;
    let client = Client::loaded(loaded.as_ref())
        .filter(|client| client.state() == State::Live)
        .ok_or(ResumeError::ClientChanged)?;
    let redirect_uri = verify_redirect_uri(&client, Some(&opened.redirect_uri), OmittedRedirectUri::Refused)
        .map_err(|_| ResumeError::ClientChanged)?;
    Ok(PendingAuthorization {
        client,
        target: Target { redirect_uri, mode: opened.asked.mode, state: opened.state },
        redirect_uri_omitted: opened.redirect_uri_omitted,
        asked: opened.asked,
        flow: opened.flow,
        started_at: opened.started_at,
        expires_at: opened.expires_at,
        subject: opened.subject,
        browser: Some(opened.browser),
    })
}

/// Whether a form brings the token that its page was given.
pub(crate) fn check_csrf(context: &Context, pending: &PendingAuthorization, csrf: &str) -> Result<(), ResumeError> {
    let expected = pending.browser.map(|browser| context.seal.csrf(&pending.flow, &browser));
    let digest = |text: &str| Sha256::digest(text).into();
    match expected {
        Some(expected) if same_digest(&digest(&expected), &digest(csrf)) => Ok(()),
        _ => Err(ResumeError::Forged),
    }
}

/// What is in a handle.
struct Opened {
    flow: [u8; 16],
    browser: [u8; 32],
    started_at: Timestamp,
    expires_at: Timestamp,
    client_id: ClientId,
    redirect_uri: String,
    redirect_uri_omitted: bool,
    state: Option<String>,
    asked: AuthorizationAsked,
    subject: Option<Subject>,
}

impl Opened {
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::read(bytes)?;
        let moment = |name| Ok(Timestamp::from_millis(fields.number(name)?.ok_or(Unreadable)?));
        let asked = AuthorizationAsked {
            mode: fields.text(tag::RESPONSE_MODE)?.and_then(ResponseMode::parse).ok_or(Unreadable)?,
            challenge: fields.array(tag::CODE_CHALLENGE)?.map(CodeChallenge::from_bytes),
            scope: Scope::from_canonical(fields.text(tag::SCOPE)?.ok_or(Unreadable)?),
            resources: read_resources(fields)?,
            prompt: fields.text(tag::PROMPT)?.and_then(Prompt::parse).ok_or(Unreadable)?,
            max_age: fields
                .number(tag::MAX_AGE)?
                .map(|seconds| u64::try_from(seconds).map(Duration::from_secs).map_err(|_| Unreadable))
                .transpose()?,
        };
        Ok(Self {
            flow: fields.array(tag::FLOW)?.ok_or(Unreadable)?,
            browser: fields.array(tag::BROWSER)?.ok_or(Unreadable)?,
            started_at: moment(tag::CREATED_AT)?,
            expires_at: moment(tag::EXPIRES_AT)?,
            client_id: fields.text(tag::CLIENT)?.ok_or(Unreadable)?.into(),
            redirect_uri: fields.text(tag::REDIRECT_URI)?.ok_or(Unreadable)?.to_owned(),
            redirect_uri_omitted: fields.bytes(tag::REDIRECT_URI_OMITTED).is_some(),
            state: fields.text(tag::STATE)?.map(str::to_owned),
            asked,
            subject: fields.text(tag::SUBJECT)?.map(Subject::from),
        })
    }
}

/// One cookie for each flow, so that two in one browser do not disturb each other. On https it has the `__Host-` prefix (RFC 6265bis §4.1.3.2);
/// a plain-http issuer is a loopback address, where browsers would refuse it.
fn cookie_name(context: &Context, flow: &[u8; 16]) -> String {
    let prefix = if context.issuer.is_https() { "__Host-grantor-" } else { "grantor-" };
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(flow))
}

fn cookie(context: &Context, flow: &[u8; 16], value: &str, max_age: u64) -> Option<HeaderValue> {
    let name = cookie_name(context, flow);
    let secure = if context.issuer.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// Takes the flow's cookie back, once the flow is over.
pub(crate) fn expired_cookie(context: &Context, pending: &PendingAuthorization) -> Option<HeaderValue> {
    pending.browser.and_then(|_| cookie(context, &pending.flow, "", 0))
}

fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(found, _)| *found == name)
        .map(|(_, value)| value)
}
