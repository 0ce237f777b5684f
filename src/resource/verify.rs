//! Whether a token counts, and is enough.

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
}

impl<'a> Require<'a> {
    /// Any token that counts.
    pub const fn any() -> Self {
        Self { scope: "", resource: None }
    }

    /// A token with all of this scope: tokens separated by spaces.
    pub const fn scope(scope: &'a str) -> Self {
        Self { scope, resource: None }
    }

    /// And addressed to this resource by name (RFC 8707). Ask for it where the server has several resources: a token
    /// that names none is then not enough, and one that names another is another's.
    #[must_use]
    pub const fn at(self, resource: &'a str) -> Self {
        Self { resource: Some(resource), ..self }
    }

    pub(crate) const fn scope_text(&self) -> &'a str {
        self.scope
    }
}

/// A token that counts, and what it says.
#[derive(Debug, Clone)]
pub struct Verified {
    loaded: Loaded,
    /// What is left of its scope, where the host has told what its resource owner may do.
    left: Option<Scope>,
}

impl Verified {
    /// Whose token it is; `None` for one that a client holds for itself.
    pub fn subject(&self) -> Option<&str> {
        self.view().and_then(|view| view.subject())
    }

    /// The client it was issued to.
    pub fn client_id(&self) -> &str {
        self.view().map_or("", |view| view.client_id())
    }

    /// Its scope: tokens separated by one space.
    pub fn scope(&self) -> &str {
        match &self.left {
            Some(left) => left.as_str(),
            None => self.view().map_or("", |view| view.scope()),
        }
    }

    /// Whether its scope has this token.
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope().split(' ').any(|held| held == token)
    }

    /// The resources it is addressed to; none where it is addressed to all.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.view().into_iter().flat_map(|view| view.resources())
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Timestamp {
        self.loaded.record.created_at
    }

    /// When it expires.
    pub fn expires_at(&self) -> Timestamp {
        self.loaded.record.expires_at
    }

    /// When its resource owner had signed in; `None` for one that a client holds for itself.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.view().and_then(|view| view.authenticated_at())
    }

    fn view(&self) -> Option<TokenView<'_>> {
        TokenView::of(&self.loaded)
    }
}

/// Looks the token up and compares it with what is required.
pub(crate) async fn verify(context: &Context, token: &str, require: Require<'_>) -> Result<Verified, VerifyError> {
    let dead = VerifyError::Dead;
    let kind = if token.starts_with(TokenKind::Personal.prefix()) { TokenKind::Personal } else { TokenKind::Access };
    let located = mint::locate(&context.keys, kind, token).ok_or(dead(Dead::Unknown))?;
    let loaded = context.load_one(located.key).await?.ok_or(dead(Dead::Unknown))?;
    let now = context.now();
    liveness::check(&loaded, now).map_err(dead)?;
    let view = TokenView::of(&loaded).ok_or(dead(Dead::Unreadable))?;
    if let Some(resource) = require.resource
        && !view.resources().any(|named| named == resource)
    {
        return Err(VerifyError::OtherResource);
    }
    let left = context.rights_left(Some(&loaded)).await.map_err(VerifyError::Failure)?;
    let scope = left.as_ref().map_or(view.scope(), Scope::as_str);
    // Where nothing is left of what was granted, the token is good for nothing, whatever is asked of it.
    if scope.is_empty() && !view.scope().is_empty() {
        return Err(VerifyError::InsufficientScope);
    }
    let mut needed = require.scope.split(' ').filter(|token| !token.is_empty());
    if !needed.all(|needed| scope.split(' ').any(|held| held == needed)) {
        return Err(VerifyError::InsufficientScope);
    }
    context.note_grant_use(loaded.parent.as_deref(), now);
    Ok(Verified { loaded, left })
}
