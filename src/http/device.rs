//! The pages on which a user lets a device in (RFC 8628 §3.3).
//!
//! ```text
//!   GET /device ─────────────▶ which code?  ──POST──┐
//!   GET /device?user_code=…  ──────────────────┐    │
//!                                              ▼    ▼
//!                       found: this client, this code, that scope?  ──POST──▶ connected, or turned away
//! ```
//!
//! A link never decides. It may bring the code (`verification_uri_complete`), and then the user compares it: whoever
//! sent the link may be after their account (§5.4).

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use super::answer;
use super::site::{MAX_NAME, SignIn, SignedIn, Site, Stopped, allowed, once, sent};
use crate::endpoint::metadata::path;
use crate::endpoint::{Approval, DeviceDecision, decide_device};
use crate::event::Refusal;
use crate::extension::Parameters;
use crate::interaction::{DeviceHandle, PendingDevice, Sealed};
use crate::limit::PeerAddress;
use crate::pages::{DeviceCodeView, DeviceConsentView, DeviceDoneView};
use crate::refusal::{ApproveError, RequestError, ResumeError, UserCodeError};
use crate::wire::form::{Form, encode_component};
use crate::wire::html::truncate_display;
use crate::wire::uri::Resource;
use crate::wire::user_code::UserCode;

/// What is shown again of a code that leads nowhere, in characters.
const MAX_TYPED: usize = 20;

impl Site {
    /// Answers a request to the page for devices.
    pub(super) async fn device<B: Body>(&self, parts: Parts, body: B) -> Response<String> {
        if parts.method != Method::GET && parts.method != Method::POST {
            return answer::method_not_allowed("GET, POST");
        }
        let went = match sent(&parts, body).await {
            Ok(None) => self.open_device(&parts).await,
            Ok(Some(body)) => self.post_device(&parts, &body).await,
            Err(too_long) => Err(too_long),
        };
        went.unwrap_or_else(|stopped| self.stopped(&stopped))
    }

    /// The page was opened, with or without a code in the link.
    async fn open_device(&self, parts: &Parts) -> Result<Response<String>, Stopped> {
        let query = parts.uri.query().unwrap_or_default();
        let form = Form::parse(query.as_bytes()).map_err(|_| ResumeError::Invalid)?;
        if form.has("decision") || form.has("csrf") || form.has("handle") {
            return Err(self.forged());
        }
        let typed = once(&form, "user_code")?;
        let Some(user) = self.host.signed_in(parts).await else { return Ok(self.device_sign_in(typed)) };
        let context = &self.server.inner.context;
        let (handle, cookie) = DeviceHandle::begin(context, &user.subject, self.server.now())?;
        match typed {
            None => Ok(self.ask_code(&handle, Some(cookie), &user, None)),
            Some(typed) => self.try_code(parts, handle, Some(cookie), &user, typed).await,
        }
    }

    /// A form was sent: with a code, or with a decision.
    async fn post_device(&self, parts: &Parts, body: &[u8]) -> Result<Response<String>, Stopped> {
        let context = &self.server.inner.context;
        let form = self.form_of_page(parts, body)?;
        let handle = once(&form, "handle")?.ok_or(ResumeError::Invalid)?;
        let csrf = once(&form, "csrf")?.unwrap_or_default();
        let typed = once(&form, "user_code")?;
        let decision = once(&form, "decision")?;
        let Some(user) = self.host.signed_in(parts).await else { return Ok(self.device_sign_in(typed)) };
        let opened = DeviceHandle::open(context, handle, csrf, &parts.headers, &user.subject);
        let handle = opened.inspect_err(|error| {
            self.server.refused_device(Refusal::Resume(*error), None, &user.subject);
        })?;
        match (handle.device().cloned(), typed) {
            (Some(found), None) => self.decide_device(&handle, found, &user, decision, &form).await,
            (None, typed) => self.try_code(parts, handle, None, &user, typed.unwrap_or_default()).await,
            (Some(_), Some(_)) => Err(ResumeError::Invalid.into()),
        }
    }

    fn device_sign_in(&self, typed: Option<&str>) -> Response<String> {
        let mut return_to = self.server.inner.context.issuer.endpoint(path::DEVICE);
        // Only what is a code: the address of the host's page is no place for a stranger's words.
        if let Some(code) = typed.and_then(UserCode::parse) {
            return_to.push_str("?user_code=");
            encode_component(&mut return_to, &code.to_string());
        }
        let parameters = &Parameters::default();
        let client_name = "a device";
        let sign_in = SignIn { return_to: &return_to, client_name, again: false, choose_account: false, parameters };
        answer::see_other(&self.host.sign_in_url(&sign_in))
    }

    /// Looks for the device, and asks about it.
    async fn try_code(
        &self,
        parts: &Parts,
        handle: DeviceHandle,
        cookie: Option<HeaderValue>,
        user: &SignedIn,
        typed: &str,
    ) -> Result<Response<String>, Stopped> {
        let peer = parts.extensions.get::<PeerAddress>().copied();
        match self.server.find_device(typed, &user.subject, peer).await {
            Ok(pending) => Ok(self.ask_device(&handle.found(&pending), cookie, user, &pending)),
            Err(UserCodeError::Failure(failure)) => Err(failure.into()),
            Err(UserCodeError::Request(RequestError::RateLimited { retry_after })) => {
                Err(Stopped::TooMany { retry_after })
            }
            Err(
                UserCodeError::Malformed
                | UserCodeError::Unknown
                | UserCodeError::Expired
                | UserCodeError::Decided
                | UserCodeError::Request(_),
            ) => Ok(self.ask_code(&handle, cookie, user, Some(typed))),
        }
    }

    /// Asks for a code; again, where one leads nowhere.
    fn ask_code(
        &self,
        handle: &DeviceHandle,
        cookie: Option<HeaderValue>,
        user: &SignedIn,
        wrong: Option<&str>,
    ) -> Response<String> {
        let inner = &self.server.inner;
        let sealed = handle.seal(&inner.context, cookie);
        let typed = truncate_display(wrong.unwrap_or_default(), MAX_TYPED);
        let html = inner.pages.device_code(&DeviceCodeView {
            user_name: &user.name,
            failed: wrong.is_some(),
            typed: &typed,
            action: &inner.context.issuer.endpoint(path::DEVICE),
            handle: &sealed.handle,
            csrf: &sealed.csrf,
        });
        let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        self.device_page(status, html, sealed)
    }

    /// Asks about the device that was found. Always: nothing but the user's eyes tells that it is theirs.
    fn ask_device(
        &self,
        handle: &DeviceHandle,
        cookie: Option<HeaderValue>,
        user: &SignedIn,
        pending: &PendingDevice,
    ) -> Response<String> {
        let inner = &self.server.inner;
        let sealed = handle.seal(&inner.context, cookie);
        let policy = &inner.context.policy;
        let html = inner.pages.device_consent(&DeviceConsentView {
            client_name: truncate_display(pending.client().display_name(), MAX_NAME),
            client_uri: pending.client().metadata().client_uri.as_deref(),
            user_code: pending.user_code().to_string(),
            user_name: &user.name,
            scopes: pending.scope().tokens().map(|name| (name, policy.description(name))).collect(),
            resources: pending.resources().iter().map(Resource::as_str).collect(),
            action: &inner.context.issuer.endpoint(path::DEVICE),
            handle: &sealed.handle,
            csrf: &sealed.csrf,
        });
        self.device_page(StatusCode::OK, html, sealed)
    }

    /// A decision about the device that was found before.
    async fn decide_device(
        &self,
        handle: &DeviceHandle,
        (user_code, device): (UserCode, [u8; 32]),
        user: &SignedIn,
        decision: Option<&str>,
        form: &Form<'_>,
    ) -> Result<Response<String>, Stopped> {
        let context = &self.server.inner.context;
        let found = decide_device::look_up(context, user_code, &user.subject).await;
        let pending = found.map_err(|error| match error {
            UserCodeError::Failure(failure) => Stopped::from(failure),
            UserCodeError::Decided => ApproveError::Decided.into(),
            _ => ApproveError::Expired.into(),
        });
        let pending = pending?;
        if pending.key.id != device {
            return Err(ApproveError::Expired.into());
        }
        let client_name = truncate_display(pending.client().display_name(), MAX_NAME);
        let decided = match decision {
            Some("allow") => {
                let scope = allowed(form, pending.scope())?;
                let approval = Approval::new(user.subject.clone(), user.authenticated_at).with_scope(scope);
                self.server.approve_device(pending, approval).await?
            }
            Some("deny") => self.server.deny_device(pending).await?,
            _ => return Err(Stopped::Message(StatusCode::BAD_REQUEST, "The form did not say what was decided.")),
        };
        let approved = decided == DeviceDecision::Approved;
        let html = self.server.inner.pages.device_done(&DeviceDoneView { client_name: &client_name, approved });
        let mut response = answer::page(&*self.server.inner.pages, StatusCode::OK, html, "'none'");
        if let Some(cookie) = handle.expired_cookie(context) {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    fn device_page(&self, status: StatusCode, html: String, sealed: Sealed) -> Response<String> {
        let mut response = answer::page(&*self.server.inner.pages, status, html, "'self'");
        if let Some(cookie) = sealed.set_cookie {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        response
    }
}
