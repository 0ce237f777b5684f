//! Whether a token counts, and is enough.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::context::Context;
use crate::refusal::{Dead, VerifyError};
use crate::store::Loaded;
use crate::token::view::TokenView;
use crate::token::{liveness, mint};
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;

/// What a protected resource asks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Require<'a> {
    scope: &'a str,
    resource: Option<&'a str>,
    max_age: Option<u64>,
}

impl<'a> Require<'a> {
    /// Any token that counts.
    pub const fn any() -> Self {
        Self { scope: "", resource: None, max_age: None }
    }

    /// A token with all of this scope: tokens separated by spaces.
    pub const fn scope(scope: &'a str) -> Self {
        Self { scope, resource: None, max_age: None }
    }

    /// And addressed to this resource by name (RFC 8707). Ask for it where the server has several resources: a token
    /// that names none is then not enough, and one that names another is another's.
    #[must_use]
    pub const fn at(self, resource: &'a str) -> Self {
        Self { resource: Some(resource), ..self }
    }

    /// And of a resource owner who signed in at most this many seconds ago (RFC 9470): for what should not be done in a
    /// session that somebody left open. The challenge tells the client to ask with `max_age`.
    #[must_use]
    pub const fn signed_in_within(self, seconds: u64) -> Self {
        Self { max_age: Some(seconds), ..self }
    }

    pub(crate) const fn resource(&self) -> Option<&'a str> {
        self.resource
    }

    pub(crate) const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    pub(crate) const fn scope_text(&self) -> &'a str {
        self.scope
    }
}

/// A token that counts, and what it says.
#[derive(Debug, Clone)]
pub struct Verified {
    source: Source,
    /// What is left of its scope, where the host has told what its resource owner may do.
    left: Option<Scope>,
}

/// Who told.
#[derive(Debug, Clone)]
enum Source {
    /// The store of this process.
    Held(Loaded),
    /// An authorization server elsewhere.
    Told(Arc<Told>),
}

/// What an authorization server elsewhere says of a token (RFC 7662 §2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) subject: Option<String>,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) resources: Vec<String>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) authenticated_at: Option<Timestamp>,
}

impl Told {
    /// Whether it is enough.
    pub(super) fn satisfies(&self, require: Require<'_>, now: Timestamp) -> Result<(), VerifyError> {
        is_enough(require, &self.scope, self.resources.iter().map(String::as_str), || self.authenticated_at, now)
    }
}

impl Verified {
    /// A token that was found to count, and what is left of its scope.
    pub(crate) const fn held(loaded: Loaded, left: Option<Scope>) -> Self {
        Self { source: Source::Held(loaded), left }
    }

    pub(super) const fn told(told: Arc<Told>) -> Self {
        Self { source: Source::Told(told), left: None }
    }

    /// Whose token it is; `None` for one that a client holds for itself.
    pub fn subject(&self) -> Option<&str> {
        match &self.source {
            Source::Held(loaded) => TokenView::of(loaded).and_then(|view| view.subject()),
            Source::Told(told) => told.subject.as_deref(),
        }
    }

    /// The client it was issued to.
    pub fn client_id(&self) -> &str {
        match &self.source {
            Source::Held(loaded) => TokenView::of(loaded).map_or("", |view| view.client_id()),
            Source::Told(told) => &told.client_id,
        }
    }

    /// Its scope: tokens separated by one space.
    pub fn scope(&self) -> &str {
        match (&self.left, &self.source) {
            (Some(left), _) => left.as_str(),
            (None, Source::Held(loaded)) => TokenView::of(loaded).map_or("", |view| view.scope()),
            (None, Source::Told(told)) => &told.scope,
        }
    }

    /// Whether its scope has this token.
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope().split(' ').any(|held| held == token)
    }

    /// The resources it is addressed to; none where it is addressed to all.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let (held, told) = match &self.source {
            Source::Held(loaded) => (TokenView::of(loaded), None),
            Source::Told(told) => (None, Some(&told.resources)),
        };
        let told = told.into_iter().flatten().map(String::as_str);
        held.into_iter().flat_map(|view| view.resources()).chain(told)
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Timestamp {
        match &self.source {
            Source::Held(loaded) => loaded.record.created_at,
            Source::Told(told) => told.issued_at,
        }
    }

    /// When it expires.
    pub fn expires_at(&self) -> Timestamp {
        match &self.source {
            Source::Held(loaded) => loaded.record.expires_at,
            Source::Told(told) => told.expires_at,
        }
    }

    /// When its resource owner had signed in; `None` for one that a client holds for itself.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Held(loaded) => TokenView::of(loaded).and_then(|view| view.authenticated_at()),
            Source::Told(told) => told.authenticated_at,
        }
    }

    /// What the authorization request said in a parameter of the host; see
    /// [`Builder::authorization_parameter`](crate::Builder::authorization_parameter). `None` for a token that an
    /// authorization server elsewhere told of.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        match &self.source {
            Source::Held(loaded) => TokenView::of(loaded).and_then(|view| view.parameter(name)),
            Source::Told(_) => None,
        }
    }
}

/// Whether a token that says this is enough. Of several things that are wrong the first is told that the client can mend
/// least.
fn is_enough<'a>(
    require: Require<'_>,
    scope: &str,
    mut resources: impl Iterator<Item = &'a str>,
    authenticated_at: impl FnOnce() -> Option<Timestamp>,
    now: Timestamp,
) -> Result<(), VerifyError> {
    if let Some(resource) = require.resource
        && !resources.any(|named| named == resource)
    {
        return Err(VerifyError::OtherResource);
    }
    let mut needed = require.scope.split(' ').filter(|token| !token.is_empty());
    // Mostly it has just that.
    if require.scope != scope && !needed.all(|needed| scope.split(' ').any(|held| held == needed)) {
        return Err(VerifyError::InsufficientScope);
    }
    if let Some(seconds) = require.max_age {
        let signed_in = authenticated_at().ok_or(VerifyError::StaleAuthentication)?;
        if now > signed_in.after(Duration::from_secs(seconds)) {
            return Err(VerifyError::StaleAuthentication);
        }
    }
    Ok(())
}

/// Looks the token up and compares it with what is required.
pub(crate) async fn verify(context: &Context, token: &str, require: Require<'_>) -> Result<Verified, VerifyError> {
    let dead = VerifyError::Dead;
    let now = context.now();
    let token = &*context.own_token(token);
    let kind = if token.starts_with(TokenKind::Personal.prefix()) { TokenKind::Personal } else { TokenKind::Access };
    let located = mint::locate(&context.keys, kind, token).ok_or(dead(Dead::Unknown))?;
    let loaded = context.load_one(located.key).await?.ok_or(dead(Dead::Unknown))?;
    liveness::check(&loaded, now).map_err(dead)?;
    let view = TokenView::of(&loaded).ok_or(dead(Dead::Unreadable))?;
    let left = context.rights_left(Some(&loaded)).await.map_err(VerifyError::Failure)?;
    // Where nothing is left of what was granted, the token is good for nothing, whatever is asked of it.
    if left.as_ref().is_some_and(Scope::is_empty) && !view.scope().is_empty() {
        return Err(VerifyError::InsufficientScope);
    }
    let scope = left.as_ref().map_or_else(|| view.scope(), Scope::as_str);
    is_enough(require, scope, view.resources(), || view.authenticated_at(), now)?;
    context.note_grant_use(loaded.parent.as_deref(), now);
    Ok(Verified::held(loaded, left))
}
