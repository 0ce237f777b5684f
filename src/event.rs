//! What happened, as values: every issue, refusal, revocation and replay, with its reason.

use std::borrow::Cow;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::error::Failure;
use crate::id::{ClientId, GrantId, Subject};
use crate::refusal::{
    ApproveError, AuthorizeError, DeviceAuthorizationError, IntrospectError, RegistrationError, ResumeError,
    RevokeError, TokenError, UserCodeError, VerifyError,
};
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;

/// Something that happened. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The client concerned, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The resource owner concerned, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The grant concerned, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A client was registered.
    ClientRegistered,
    /// A client's metadata was changed.
    ClientChanged,
    /// A client was deactivated: all it was issued ended.
    ClientDeactivated,
    /// A client was activated again.
    ClientActivated,
    /// A client was deleted: all it was issued ended.
    ClientDeleted,
    /// All that a client was issued ended.
    ClientRevoked,
    /// All that anybody was issued is being ended: one [`ClientRevoked`](Self::ClientRevoked) for each client follows.
    EverythingRevoked,
    /// A client was given a secret.
    SecretAdded {
        /// Which one.
        secret: u32,
    },
    /// An initial access token was made.
    InitialAccessTokenIssued,
    /// An initial access token was taken away.
    InitialAccessTokenRevoked,
    /// A client's secret was taken away, or its end was moved.
    SecretEnded {
        /// Which one.
        secret: u32,
    },
    /// A resource owner was deactivated: all that was issued for them ended.
    SubjectDeactivated,
    /// A resource owner was activated again.
    SubjectActivated,
    /// All that was issued for a resource owner ended.
    SubjectRevoked,
    /// A device asked to be let in, and waits for its user (RFC 8628 §3.1).
    DeviceStarted {
        /// What it asks for.
        scope: Scope,
    },
    /// A resource owner allowed a client what it asked for, or part of it: an authorization code was issued, or its
    /// device may fetch its tokens.
    Authorized {
        /// What was allowed.
        scope: Scope,
    },
    /// A resource owner refused.
    Denied,
    /// Tokens were issued.
    Issued {
        /// By which grant type.
        grant_type: Cow<'static, str>,
        /// With which scope.
        scope: Scope,
    },
    /// A refresh was repeated within the retry window and got the answer it had got before.
    Repeated,
    /// A token was presented again that had been spent.
    Replayed {
        /// What kind of token.
        kind: TokenKind,
    },
    /// Something that was issued ended before its time.
    Revoked {
        /// What ended.
        what: Revoked,
        /// Why.
        why: Why,
    },
    /// A personal token was given another scope.
    PersonalTokenChanged {
        /// What it is called.
        name: String,
        /// Which scope it has now.
        scope: Scope,
    },
    /// A personal token will expire soon. Told once for each.
    PersonalTokenExpiring {
        /// What it is called.
        name: String,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// A request was refused.
    Refused(Refusal),
    /// The server could not do what was asked.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Revoked {
    /// One access token.
    AccessToken,
    /// A grant with all its tokens.
    Grant,
    /// All grants of a resource owner with a client, and the remembered consent.
    Authorization,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// The client asked for it (RFC 7009).
    Client,
    /// The host asked for it, for an administrator or the resource owner.
    Host,
    /// The resource owner deleted it.
    Owner,
    /// An authorization code was presented twice.
    CodeReplayed,
    /// A device code was presented again after it had been redeemed.
    DeviceCodeReplayed,
    /// A refresh token was presented again after the retry window.
    RefreshReplayed,
    /// The resource owner had too many grants with this client, and this was the oldest.
    TooMany,
}

/// A refusal, by the endpoint that refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "endpoint", content = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The authorization endpoint.
    Authorize(AuthorizeError),
    /// An interaction that could not go on.
    Resume(ResumeError),
    /// An approval or a denial that could not be carried out.
    Approve(ApproveError),
    /// The token endpoint.
    Token(TokenError),
    /// The revocation endpoint.
    Revoke(RevokeError),
    /// The introspection endpoint.
    Introspect(IntrospectError),
    /// The device authorization endpoint.
    DeviceAuthorization(DeviceAuthorizationError),
    /// A device that could not be found by its user code.
    UserCode(UserCodeError),
    /// The registration endpoint, or the one where a registration is managed.
    Register(RegistrationError),
    /// A protected resource.
    Verify(VerifyError),
}

impl Event {
    pub(crate) const fn new(at: Timestamp, what: What) -> Self {
        Self { at, client_id: None, subject: None, grant: None, what }
    }

    #[must_use]
    pub(crate) fn client(self, client_id: &ClientId) -> Self {
        Self { client_id: Some(client_id.clone()), ..self }
    }

    #[must_use]
    pub(crate) fn subject(self, subject: Option<&Subject>) -> Self {
        Self { subject: subject.cloned(), ..self }
    }

    #[must_use]
    pub(crate) fn grant(self, grant: Option<GrantId>) -> Self {
        Self { grant, ..self }
    }
}

/// Who is told of events.
///
/// Called on the thread of the request, after the commit: do little, or hand it on. An observer that panics fails the
/// request it was told of, though not what that request has done.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// Writes an event to `tracing`, as one line of JSON in the field `detail`.
#[cfg(feature = "tracing")]
pub(crate) fn trace(event: &Event) {
    let detail = serde_json::to_string(event).unwrap_or_default();
    match event.what {
        What::Replayed { .. } | What::Failed { .. } => tracing::warn!(target: "grantor", detail, "oauth event"),
        What::Refused(_) => tracing::info!(target: "grantor", detail, "oauth event"),
        _ => tracing::debug!(target: "grantor", detail, "oauth event"),
    }
}
