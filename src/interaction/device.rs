//! A device that waits for the decision of somebody who has typed its code.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::handle::{browser_of, cookie, new_browser};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::id::Subject;
use crate::refusal::ResumeError;
use crate::secret::same_digest;
use crate::store::Key;
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;
use crate::wire::user_code::UserCode;

/// A device that waits, found by its user code. Spent on [`approve_device`](crate::AuthorizationServer::approve_device)
/// or [`deny_device`](crate::AuthorizationServer::deny_device).
///
/// Before that the user must have seen which client it is, what it may do, **and the code itself**, to compare it with
/// what their device shows (RFC 8628 §3.3.1, §5.4): the code may have come by a link that somebody else sent.
#[derive(Debug)]
#[must_use = "a device that is neither approved nor denied goes on waiting"]
pub struct PendingDevice {
    pub(crate) client: Arc<Client>,
    pub(crate) user_code: UserCode,
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<Resource>,
    pub(crate) expires_at: Timestamp,
    pub(crate) subject: Subject,
    pub(crate) key: Key,
}

impl PendingDevice {
    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The code to compare.
    pub const fn user_code(&self) -> &UserCode {
        &self.user_code
    }

    /// The scope it asks for.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The resources it asks for (RFC 8707); empty for any.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Until when it waits.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Who has typed the code, and alone can decide.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// What the browser keeps between the pages for devices: sealed, and bound to it by a cookie, like the handle of an
/// authorization request. Neither can be taken for the other: each must have fields that the other lacks.
#[derive(Debug, Clone)]
pub(crate) struct DeviceHandle {
    flow: [u8; 16],
    browser: [u8; 32],
    subject: Subject,
    expires_at: Timestamp,
    found: Option<(UserCode, [u8; 32])>,
}

/// A handle as it goes into a page.
pub(crate) struct Sealed {
    pub(crate) handle: String,
    pub(crate) csrf: String,
    pub(crate) set_cookie: Option<HeaderValue>,
}

/// The longest handle that is looked at, in bytes.
const MAX_HANDLE: usize = 2048;

impl DeviceHandle {
    /// A handle for this user in this browser, which gets a cookie.
    pub(crate) fn begin(context: &Context, subject: &Subject, now: Timestamp) -> Result<(Self, HeaderValue), Failure> {
        let flow = context.draw()?;
        let expires_at = now.after(context.policy.lifetimes.interaction);
        let (browser, set_cookie) = new_browser(context, &flow, expires_at.seconds_from(now))?;
        Ok((Self { flow, browser, subject: subject.clone(), expires_at, found: None }, set_cookie))
    }

    /// The same, once a device was found.
    pub(crate) fn found(self, pending: &PendingDevice) -> Self {
        let expires_at = self.expires_at.min(pending.expires_at);
        Self { expires_at, found: Some((pending.user_code.clone(), pending.key.id)), ..self }
    }

    pub(crate) fn seal(&self, context: &Context, set_cookie: Option<HeaderValue>) -> Sealed {
        let bytes = Writer::new()
            .bytes(tag::FLOW, &self.flow)
            .bytes(tag::BROWSER, &self.browser)
            .text(tag::SUBJECT, self.subject.as_str())
            .number(tag::EXPIRES_AT, self.expires_at.as_millis())
            .optional(self.found.as_ref(), |writer, (code, device)| {
                writer.text(tag::USER_CODE, code.letters()).bytes(tag::DEVICE_CODE, device)
            })
            .finish();
        Sealed { handle: context.seal.seal(bytes), csrf: context.seal.csrf(&self.flow, &self.browser), set_cookie }
    }

    /// Brings a handle back: checks the seal, the time, the browser, the user, and the token of the form.
    pub(crate) fn open(
        context: &Context,
        handle: &str,
        csrf: &str,
        headers: &HeaderMap,
        subject: &Subject,
    ) -> Result<Self, ResumeError> {
        if handle.len() > MAX_HANDLE {
            return Err(ResumeError::Invalid);
        }
        let bytes = context.seal.open(handle).ok_or(ResumeError::Invalid)?;
        let opened = Self::read(&bytes).map_err(|_| ResumeError::Invalid)?;
        if opened.expires_at.has_come(context.now()) {
            return Err(ResumeError::Expired);
        }
        if !browser_of(context, &opened.flow, &opened.browser, headers) {
            return Err(ResumeError::OtherBrowser);
        }
        let expected = context.seal.csrf(&opened.flow, &opened.browser);
        if !same_text(&expected, csrf) || opened.subject != *subject {
            return Err(ResumeError::Forged);
        }
        Ok(opened)
    }

    /// The device that was found before, if one was.
    pub(crate) const fn device(&self) -> Option<&(UserCode, [u8; 32])> {
        self.found.as_ref()
    }

    /// Takes the cookie back, once the user has decided.
    pub(crate) fn expired_cookie(&self, context: &Context) -> Option<HeaderValue> {
        cookie(context, &self.flow, "", 0)
    }

    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::read(bytes)?;
        if fields.bytes(tag::CLIENT).is_some() {
            return Err(Unreadable);
        }
        let code = fields.text(tag::USER_CODE)?.map(|code| UserCode::parse(code).ok_or(Unreadable)).transpose()?;
        Ok(Self {
            flow: fields.array(tag::FLOW)?.ok_or(Unreadable)?,
            browser: fields.array(tag::BROWSER)?.ok_or(Unreadable)?,
            subject: fields.text(tag::SUBJECT)?.ok_or(Unreadable)?.into(),
            expires_at: Timestamp::from_millis(fields.number(tag::EXPIRES_AT)?.ok_or(Unreadable)?),
            found: code.zip(fields.array(tag::DEVICE_CODE)?),
        })
    }
}

fn same_text(one: &str, other: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    same_digest(&Sha256::digest(one).into(), &Sha256::digest(other).into())
}
