//! The authorization endpoint (RFC 6749 §3.1): validates a request and makes it pending.
//!
//! Two halves. Until client and redirect URI are proven, whatever is wrong is told to the person at the browser, here
//! and without a redirect; from then on it is told to the client.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, Unmatched, verify_redirect_uri};
use crate::client_id_metadata;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::event::{Event, Refusal, What};
use crate::extension::Parameters;
use crate::grant::authorization_code;
use crate::grant::terms::read_resources;
use crate::id::ClientId;
use crate::interaction::{
    AuthorizationAsked, AuthorizationResponse, PendingAuthorization, Prompt, ResponseMode, Target,
};
use crate::refusal::AuthorizeError;
use crate::store::State;
use crate::wire::charset::is_client_id;
use crate::wire::error::ErrorCode;
use crate::wire::form::Form;
use crate::wire::pkce::{ChallengeError, CodeChallenge};
use crate::wire::scope::{Scope, ScopeError};
use crate::wire::uri::Resource;

/// A refusal, and where it is told.
#[derive(Debug)]
pub(crate) struct AuthorizeRefusal {
    pub(crate) error: AuthorizeError,
    /// `None`: here, to the person at the browser.
    pub(crate) target: Option<Target>,
    pub(crate) client_id: Option<ClientId>,
}

impl<E> From<E> for AuthorizeRefusal
where
    AuthorizeError: From<E>,
{
    fn from(error: E) -> Self {
        Self { error: error.into(), target: None, client_id: None }
    }
}

/// Validates a request.
pub(crate) async fn authorize(context: &Context, form: &Form<'_>) -> Result<PendingAuthorization, AuthorizeRefusal> {
    let (client, target, omitted) = identify(context, form).await?;
    let refuse = |error| AuthorizeRefusal {
        error,
        target: Some(Target { mode: answered_by(form), ..target.clone() }),
        client_id: Some(client.id().clone()),
    };
    let asked = validate(context, &client, form).map_err(refuse)?;
    let now = context.now();
    let flow = context.draw().map_err(|failure| refuse(failure.into()))?;
    Ok(PendingAuthorization::new(
        client,
        Target { mode: asked.mode, ..target },
        omitted,
        asked,
        flow,
        now,
        now.after(context.policy.lifetimes.interaction),
    ))
}

/// Proves client and redirect URI. What fails here is never redirected.
async fn identify(context: &Context, form: &Form<'_>) -> Result<(Arc<Client>, Target, bool), AuthorizeRefusal> {
    if form.count("client_id") > 1 {
        return Err(AuthorizeError::ClientMissing.into());
    }
    let id = form.get("client_id").filter(|id| is_client_id(id)).ok_or(AuthorizeError::ClientMissing)?;
    let id = ClientId::from(id);
    let known = |error| AuthorizeRefusal { error, target: None, client_id: Some(id.clone()) };
    let loaded = context.load_one(context.keys.client(&id)).await?;
    let client = client_id_metadata::named(context, &id, loaded.as_ref())
        .await
        .map_err(|error| known(AuthorizeError::ClientDocument(error)))?
        .filter(|client| client.state() == State::Live && !client.is_inconsistent())
        .ok_or_else(|| known(AuthorizeError::ClientUnknown))?;
    if form.count("redirect_uri") > 1 {
        return Err(known(AuthorizeError::RedirectUriMissing));
    }
    let requested = form.get("redirect_uri");
    let redirect_uri =
        verify_redirect_uri(&client, requested, context.policy.omitted_redirect_uri).map_err(|unmatched| {
            known(match unmatched {
                Unmatched::Unregistered => AuthorizeError::RedirectUriUnregistered,
                Unmatched::Missing => AuthorizeError::RedirectUriMissing,
            })
        })?;
    // A `state` that occurs twice cannot be sent back unchanged, so none is.
    let state = if form.count("state") > 1 { None } else { form.get("state").map(str::to_owned) };
    Ok((client, Target { redirect_uri, mode: ResponseMode::Query, state }, requested.is_none()))
}

/// The way on which an error is told: the one asked for, if that can be told.
fn answered_by(form: &Form<'_>) -> ResponseMode {
    let single = form.count("response_mode") == 1;
    form.get("response_mode").filter(|_| single).and_then(ResponseMode::parse).unwrap_or_default()
}

fn validate(context: &Context, client: &Client, form: &Form<'_>) -> Result<AuthorizationAsked, AuthorizeError> {
    if form.repeated().is_some() {
        return Err(AuthorizeError::Repeated);
    }
    let mode = match form.get("response_mode") {
        Some(mode) => ResponseMode::parse(mode).ok_or(AuthorizeError::ResponseMode)?,
        None => ResponseMode::default(),
    };
    if form.get("request").is_some() {
        return Err(AuthorizeError::RequestObject);
    }
    if form.get("request_uri").is_some() {
        return Err(AuthorizeError::RequestUri);
    }
    let metadata = client.metadata();
    match form.get("response_type") {
        None => return Err(AuthorizeError::ResponseTypeMissing),
        Some("code") => {
            let registered = metadata.response_types.iter().any(|registered| registered == "code");
            if !registered || !metadata.allows(authorization_code::GRANT_TYPE) {
                return Err(AuthorizeError::ResponseTypeNotAllowed);
            }
        }
        Some(_) => return Err(AuthorizeError::ResponseTypeUnsupported),
    }
    Ok(AuthorizationAsked {
        mode,
        challenge: challenge(form, metadata.require_pkce)?,
        scope: scope(context, client, form)?,
        resources: resources(context, form)?,
        prompt: Prompt::parse(form.get("prompt").unwrap_or_default()).ok_or(AuthorizeError::Prompt)?,
        max_age: form.get("max_age").map(|text| seconds(text).ok_or(AuthorizeError::MaxAge)).transpose()?,
        parameters: Parameters::of(form, &context.parameters).ok_or(AuthorizeError::ParameterTooLong)?,
    })
}

fn challenge(form: &Form<'_>, required: bool) -> Result<Option<CodeChallenge>, AuthorizeError> {
    // An empty challenge or method is a mistake, not an omission: to read it as one would be to take PKCE away.
    if !form.has("code_challenge") {
        return match (form.has("code_challenge_method"), required) {
            (false, false) => Ok(None),
            _ => Err(AuthorizeError::ChallengeMissing),
        };
    }
    let method = form.has("code_challenge_method").then(|| form.get("code_challenge_method").unwrap_or_default());
    match CodeChallenge::parse(form.get("code_challenge").unwrap_or_default(), method) {
        Ok(challenge) => Ok(Some(challenge)),
        Err(ChallengeError::Malformed) => Err(AuthorizeError::ChallengeMalformed),
        Err(ChallengeError::PlainRefused | ChallengeError::UnknownMethod) => Err(AuthorizeError::ChallengeMethod),
    }
}

/// The most words of scope that a person can be asked to read.
const MAX_SCOPES: usize = 64;

pub(super) fn scope(context: &Context, client: &Client, form: &Form<'_>) -> Result<Scope, AuthorizeError> {
    let allowed = context.policy.scope_of_client(client.metadata());
    let scope = match form.get("scope").map(Scope::parse) {
        None | Some(Err(ScopeError::Empty)) => context.policy.default_scope.intersection(&allowed),
        Some(Ok(scope)) => scope,
        Some(Err(_)) => return Err(AuthorizeError::Scope),
    };
    let sensible = !scope.is_empty() && scope.is_subset_of(&allowed) && scope.tokens().count() <= MAX_SCOPES;
    if sensible { Ok(scope) } else { Err(AuthorizeError::Scope) }
}

pub(super) fn resources(context: &Context, form: &Form<'_>) -> Result<Vec<Resource>, AuthorizeError> {
    let policy = &context.policy;
    let mut resources = policy.named(&read_resources(form).ok_or(AuthorizeError::Target)?);
    if resources.is_empty() {
        resources.extend(policy.unnamed_resource.clone());
    }
    let known = resources.iter().all(|resource| policy.resource(resource).is_some());
    if known { Ok(resources) } else { Err(AuthorizeError::Target) }
}

/// A non-negative decimal number of seconds, without sign, point or exponent.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().map(Duration::from_secs)
}

impl AuthorizeRefusal {
    /// Tells of it, and gives the response to the client, if it is the client's to know.
    pub(crate) fn tell(&self, context: &Context, now: Timestamp) -> Option<AuthorizationResponse> {
        let mut event = Event::new(now, What::Refused(Refusal::Authorize(self.error)));
        event.client_id.clone_from(&self.client_id);
        context.tell(&event);
        let target = self.target.as_ref()?;
        let (code, description) = wire(self.error)?;
        Some(target.error(context, code, description))
    }
}

/// From a reason to the wire; `None` for what is never redirected.
pub(crate) fn wire(error: AuthorizeError) -> Option<(ErrorCode, &'static str)> {
    use ErrorCode::{InvalidRequest, InvalidScope, InvalidTarget};
    Some(match error {
        AuthorizeError::Request(_)
        | AuthorizeError::ClientMissing
        | AuthorizeError::ClientUnknown
        | AuthorizeError::ClientDocument(_)
        | AuthorizeError::RedirectUriMissing
        | AuthorizeError::RedirectUriUnregistered => return None,
        AuthorizeError::Failure(failure) if failure.is_temporary() => {
            (ErrorCode::TemporarilyUnavailable, "the server cannot answer now: try again")
        }
        AuthorizeError::Failure(_) => (ErrorCode::ServerError, "the server met an unexpected condition"),
        AuthorizeError::Repeated => (InvalidRequest, "a parameter is included more than once"),
        AuthorizeError::ResponseMode => (InvalidRequest, "the response mode is not supported"),
        AuthorizeError::ResponseTypeMissing => (InvalidRequest, "response_type is missing"),
        AuthorizeError::ResponseTypeUnsupported => {
            (ErrorCode::UnsupportedResponseType, "the response type is not supported")
        }
        AuthorizeError::ResponseTypeNotAllowed => {
            (ErrorCode::UnauthorizedClient, "the client may not use this response type")
        }
        AuthorizeError::RequestObject => (ErrorCode::RequestNotSupported, "request objects are not supported"),
        AuthorizeError::RequestUri => (ErrorCode::RequestUriNotSupported, "request URIs are not supported"),
        AuthorizeError::ChallengeMissing => (InvalidRequest, "code challenge required"),
        AuthorizeError::ChallengeMalformed => (InvalidRequest, "the code challenge is malformed"),
        AuthorizeError::ChallengeMethod => (InvalidRequest, "transform algorithm not supported"),
        AuthorizeError::Scope => (InvalidScope, "the scope is malformed or more than the client may have"),
        AuthorizeError::Target => (InvalidTarget, "a resource is malformed or unknown"),
        AuthorizeError::Prompt => (InvalidRequest, "prompt is malformed"),
        AuthorizeError::MaxAge => (InvalidRequest, "max_age is not a number of seconds"),
        AuthorizeError::ParameterTooLong => (InvalidRequest, "a parameter is too long"),
        AuthorizeError::LoginRequired => (ErrorCode::LoginRequired, "the user must sign in"),
        AuthorizeError::ConsentRequired => (ErrorCode::ConsentRequired, "the user must consent"),
        AuthorizeError::AccessDenied => (ErrorCode::AccessDenied, "the user refused"),
    })
}
