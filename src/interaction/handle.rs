//! A pending authorization in the browser's keeping.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::pending::AuthorizationAsked;
use super::{PendingAuthorization, Prompt, ResponseMode, Target};
use crate::client::verify_redirect_uri;
use crate::client_id_metadata;
use crate::clock::Timestamp;
use crate::config::OmittedRedirectUri;
use crate::context::Context;
use crate::error::Failure;
use crate::extension::Parameters;
use crate::grant::authorization::read_resources;
use crate::id::{ClientId, Subject};
use crate::refusal::{DocumentError, ResumeError};
use crate::secret::same_digest;
use crate::store::State;
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::wire::pkce::CodeChallenge;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// A pending authorization in the browser's keeping.
pub struct Suspended {
    /// What brings it back, with the cookie: goes into a hidden field or a query. At most some 20 KiB, typically under
    /// 1 KiB.
    pub handle: String,
    /// What the form that decides must bring along, in a field of its own, against cross-site request forgery.
    pub csrf: String,
    /// To set in the response, unless the browser has it already.
    pub set_cookie: Option<HeaderValue>,
}

impl std::fmt::Debug for Suspended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Together they decide in the user's name.
        f.write_str("Suspended(..)")
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
        let (browser, cookie) = new_browser(context, &flow, expires_at.seconds_from(now))?;
        (browser, Some(cookie))
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
        .texts(tag::PARAMETER, asked.parameters.texts())
        .optional(subject.or(pending.subject.as_ref()), |writer, subject| writer.text(tag::SUBJECT, subject.as_str()))
        .finish();
    Ok(Suspended { handle: context.seal.seal(bytes), csrf: context.seal.csrf(&flow, &browser), set_cookie })
}

/// Brings a pending authorization back: checks the seal, the time, the browser, and that the client still is what it
/// was.
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
    if !browser_of(context, &opened.flow, &opened.browser, headers) {
        return Err(ResumeError::OtherBrowser);
    }
    let loaded = context.load_one(context.keys.client(&opened.client_id)).await?;
    let client = client_id_metadata::named(context, &opened.client_id, loaded.as_ref())
        .await
        .map_err(|error| match error {
            // It was there when the request was made, and may be again.
            DocumentError::Budget | DocumentError::Fetch(_) => ResumeError::Failure(Failure::Unavailable),
            _ => ResumeError::ClientChanged,
        })?
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
            parameters: Parameters::read(fields)?,
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

/// One cookie for each flow, so that two in one browser do not disturb each other. On https it has the `__Host-` prefix
/// (RFC 6265bis §4.1.3.2); a plain-http issuer is a loopback address, where browsers would refuse it.
fn cookie_name(context: &Context, flow: &[u8; 16]) -> String {
    let prefix = if context.issuer.is_https() { "__Host-grantor-" } else { "grantor-" };
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(flow))
}

/// A secret for the browser to keep in a cookie, and the digest by which it is known again.
pub(super) fn new_browser(
    context: &Context,
    flow: &[u8; 16],
    max_age: u64,
) -> Result<([u8; 32], HeaderValue), Failure> {
    let secret = URL_SAFE_NO_PAD.encode(context.draw::<32>()?);
    let cookie = cookie(context, flow, &secret, max_age).ok_or(Failure::Corrupt)?;
    Ok((Sha256::digest(&secret).into(), cookie))
}

/// Whether the request comes from the browser that got that secret.
pub(super) fn browser_of(context: &Context, flow: &[u8; 16], browser: &[u8; 32], headers: &HeaderMap) -> bool {
    let name = cookie_name(context, flow);
    cookies(headers, &name).any(|secret| same_digest(&Sha256::digest(secret).into(), browser))
}

pub(super) fn cookie(context: &Context, flow: &[u8; 16], value: &str, max_age: u64) -> Option<HeaderValue> {
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
