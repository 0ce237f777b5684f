//! The server: one cloneable value, and how it is built.

use std::sync::Arc;

use http::HeaderMap;

use crate::builder::Builder;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::endpoint::{Approval, ConsentNeed, DeviceDecision, approve, decide_device};
use crate::error::Failure;
use crate::event::{Event, Refusal, What};
use crate::id::{ClientId, Subject};
use crate::interaction::{self, AuthorizationResponse, PendingAuthorization, PendingDevice, Suspended};
use crate::limit::PeerAddress;
use crate::manage::{self, Clients, Grants, PersonalTokens, Registrations, Subjects};
use crate::pages::Pages;
use crate::refusal::{ApproveError, AuthorizeError, ResumeError, UserCodeError, VerifyError};
use crate::resource::{self, Challenge, ProtectedResource, Require, Verified};
use crate::store::Purged;

/// What the server answers for besides itself.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The resources whose metadata it answers.
    pub(crate) resources: Vec<ProtectedResource>,
    /// Whether it answers also at the root of the origin, whatever path the issuer has.
    pub(crate) at_root: bool,
}

/// An authorization server: configuration and keys, over a store. Cloning it is cheap, and clones are one server.
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) context: Context,
    pub(crate) pages: Arc<dyn Pages>,
    pub(crate) metadata: String,
    pub(crate) published: Published,
    #[cfg(feature = "api")]
    pub(crate) api: Option<crate::api::Mounted>,
}

impl Inner {
    /// Tells of an interaction that went no further.
    pub(crate) fn refused_interaction(&self, refusal: Refusal, client_id: Option<&ClientId>) {
        let event = Event::new(self.context.now(), What::Refused(refusal));
        self.context.tell(&match client_id {
            Some(client_id) => event.client(client_id),
            None => event,
        });
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.context.fmt(f)
    }
}

impl AuthorizationServer {
    /// Begins a server with this issuer (RFC 8414 §2): an https URL without query and fragment; http only for a
    /// loopback address.
    pub fn builder(issuer: &str) -> Builder {
        Builder::new(issuer)
    }

    /// The issuer, byte for byte as it was given.
    pub fn issuer(&self) -> &str {
        self.inner.context.issuer.as_str()
    }

    /// Whether a URL is the server's own, below its issuer. A page where one signs in asks this of the `return_to` that
    /// it is given before it sends a browser there, for anybody can give it another.
    pub fn is_own_url(&self, url: &str) -> bool {
        self.inner.context.issuer.covers(url)
    }

    /// The present moment, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.context.now()
    }

    /// The registered clients.
    pub fn clients(&self) -> Clients<'_> {
        Clients::new(&self.inner.context)
    }

    /// Clients that register themselves, and what lets them.
    pub fn registrations(&self) -> Registrations<'_> {
        Registrations::new(&self.inner.context)
    }

    /// What resource owners have granted.
    pub fn grants(&self) -> Grants<'_> {
        Grants::new(&self.inner.context)
    }

    /// Personal tokens: what a resource owner makes for a script of their own.
    pub fn personal_tokens(&self) -> PersonalTokens<'_> {
        PersonalTokens::new(&self.inner.context)
    }

    /// The resource owners, as far as the server must know them: which are active.
    pub fn subjects(&self) -> Subjects<'_> {
        Subjects::new(&self.inner.context)
    }

    /// Verifies an access token in this process.
    pub async fn verify(&self, token: &str, require: Require<'_>) -> Result<Verified, VerifyError> {
        resource::verify(&self.inner.context, token, require).await
    }

    /// Verifies the access token in an HTTP request (RFC 6750 §2.1); a refusal is ready to be sent.
    // Not an `async fn`: its future would hold the request, whose body is not `Sync` in most frameworks, and so not be
    // `Send`.
    pub fn check<B>(
        &self,
        request: &http::Request<B>,
        require: Require<'_>,
    ) -> impl Future<Output = Result<Verified, Challenge>> + Send {
        self.check_head(request.headers(), request.uri(), require)
    }

    pub(crate) async fn check_head(
        &self,
        headers: &HeaderMap,
        uri: &http::Uri,
        require: Require<'_>,
    ) -> Result<Verified, Challenge> {
        let named = |resource: &&ProtectedResource| Some(resource.identifier()) == require.resource();
        let published = self.inner.published.resources.iter().find(named);
        let checked = resource::check_request(&self.inner.context, headers, uri, require).await;
        checked.map_err(|challenge| match published {
            Some(resource) => challenge.at(resource),
            None => challenge,
        })
    }

    /// Whether `subject` must be asked before [`approve`](Self::approve).
    pub async fn consent_need(
        &self,
        pending: &PendingAuthorization,
        subject: &Subject,
    ) -> Result<ConsentNeed, Failure> {
        approve::consent_need(&self.inner.context, pending, subject).await
    }

    /// Gives a pending authorization to the browser to keep; `subject`, where it is known who will decide.
    pub fn suspend(&self, pending: PendingAuthorization, subject: Option<&Subject>) -> Result<Suspended, Failure> {
        interaction::suspend(&self.inner.context, pending, subject, self.now())
    }

    /// Takes a pending authorization back from the browser that kept it.
    pub async fn resume(&self, handle: &str, headers: &HeaderMap) -> Result<PendingAuthorization, ResumeError> {
        let resumed = interaction::resume(&self.inner.context, handle, headers).await;
        resumed.inspect_err(|error| self.inner.refused_interaction(Refusal::Resume(*error), None))
    }

    /// Whether a form brings the `csrf` of [`Suspended`]: ask before acting on a decision that came by POST.
    pub fn check_csrf(&self, pending: &PendingAuthorization, csrf: &str) -> Result<(), ResumeError> {
        interaction::check_csrf(&self.inner.context, pending, csrf).inspect_err(|error| {
            self.inner.refused_interaction(Refusal::Resume(*error), Some(pending.client().id()));
        })
    }

    /// The resource owner allows it: an authorization code goes to the client.
    pub async fn approve(
        &self,
        pending: PendingAuthorization,
        approval: Approval,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = approve::approve(&self.inner.context, &pending, &approval).await;
        self.finish(&pending, response)
    }

    /// The resource owner refuses: the client is told `access_denied`.
    pub async fn deny(
        &self,
        pending: PendingAuthorization,
        subject: Option<&Subject>,
    ) -> Result<http::Response<String>, ApproveError> {
        self.refuse(pending, subject, AuthorizeError::AccessDenied).await
    }

    pub(crate) async fn refuse(
        &self,
        pending: PendingAuthorization,
        subject: Option<&Subject>,
        error: AuthorizeError,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = approve::deny(&self.inner.context, &pending, subject, error).await;
        self.finish(&pending, response)
    }

    fn finish(
        &self,
        pending: &PendingAuthorization,
        response: Result<AuthorizationResponse, ApproveError>,
    ) -> Result<http::Response<String>, ApproveError> {
        let response = response.inspect_err(|error| {
            self.inner.refused_interaction(Refusal::Approve(*error), Some(pending.client().id()));
        })?;
        let cookie = interaction::expired_cookie(&self.inner.context, pending);
        let mut response = crate::http::authorization_response(&*self.inner.pages, response);
        if let Some(cookie) = cookie {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Whether the server can answer now: asks the store for a record that there is not. For a probe of readiness; that
    /// the process lives, it tells by answering at all.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] if the store cannot be reached, [`Failure::Corrupt`] if it makes no sense.
    pub async fn ready(&self) -> Result<(), Failure> {
        let context = &self.inner.context;
        context.load_one(context.keys.client(&ClientId::from("(readiness)"))).await.map(|_| ())
    }

    /// The device that waits with this user code (RFC 8628 §3.3), for a page of the host's own; a
    /// [`Site`](crate::Site) has one. `subject` is who typed it, and `peer` where from, where that is known.
    ///
    /// Whatever could be a code counts, right or wrong, against a limit for `subject`, for `peer`, and for all together.
    pub async fn find_device(
        &self,
        user_code: &str,
        subject: &Subject,
        peer: Option<PeerAddress>,
    ) -> Result<PendingDevice, UserCodeError> {
        let found = decide_device::find(&self.inner.context, user_code, subject, peer).await;
        found.inspect_err(|error| self.refused_device(Refusal::UserCode(*error), None, subject))
    }

    /// The user lets the device in: the next time it asks, it gets its tokens.
    pub async fn approve_device(
        &self,
        pending: PendingDevice,
        approval: Approval,
    ) -> Result<DeviceDecision, ApproveError> {
        let decided = decide_device::approve(&self.inner.context, &pending, &approval).await;
        decided.inspect_err(|error| {
            self.refused_device(Refusal::Approve(*error), Some(pending.client().id()), pending.subject());
        })
    }

    /// The user turns the device away: it is told `access_denied`.
    pub async fn deny_device(&self, pending: PendingDevice) -> Result<DeviceDecision, ApproveError> {
        let decided = decide_device::deny(&self.inner.context, &pending).await;
        decided.inspect_err(|error| {
            self.refused_device(Refusal::Approve(*error), Some(pending.client().id()), pending.subject());
        })
    }

    pub(crate) fn refused_device(&self, refusal: Refusal, client_id: Option<&ClientId>, subject: &Subject) {
        let event = Event::new(self.now(), What::Refused(refusal)).subject(Some(subject));
        self.inner.context.tell(&match client_id {
            Some(client_id) => event.client(client_id),
            None => event,
        });
    }

    /// Writes down when grants were last used and how much was issued and refused, and forgets what may be forgotten, at
    /// most `limit` records each: call it now and then, from wherever the host does such things, and before the process
    /// ends. A store may forget on its own too.
    pub async fn purge(&self, limit: u32) -> Result<Purged, Failure> {
        manage::write_activity(&self.inner.context, usize::try_from(limit).unwrap_or(usize::MAX)).await;
        self.inner.context.purge(limit).await
    }
}
