//! A valid authorization request that waits for its resource owner.

use std::sync::Arc;
use std::time::Duration;

use super::{Prompt, ResponseMode, Target};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::extension::Parameters;
use crate::id::Subject;
use crate::wire::pkce::CodeChallenge;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// What a valid request asks for.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationAsked {
    pub(crate) mode: ResponseMode,
    pub(crate) challenge: Option<CodeChallenge>,
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<Resource>,
    pub(crate) prompt: Prompt,
    pub(crate) max_age: Option<Duration>,
    pub(crate) parameters: Parameters,
}

/// A valid authorization request that waits for its resource owner. Spent on
/// [`approve`](crate::AuthorizationServer::approve) or [`deny`](crate::AuthorizationServer::deny).
#[derive(Debug)]
#[must_use = "an authorization that is neither approved nor denied leaves the browser without an answer"]
pub struct PendingAuthorization {
    pub(super) client: Arc<Client>,
    pub(super) target: Target,
    pub(super) redirect_uri_omitted: bool,
    pub(super) asked: AuthorizationAsked,
    pub(super) flow: [u8; 16],
    pub(super) started_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) subject: Option<Subject>,
    pub(super) browser: Option<[u8; 32]>,
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

    /// What the request says in a parameter of the host; see
    /// [`Builder::authorization_parameter`](crate::Builder::authorization_parameter).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.asked.parameters.get(name)
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
