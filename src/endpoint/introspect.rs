//! Token introspection (RFC 7662).

use http::HeaderMap;

use super::lookup::look_up;
use super::{ClientRequest, ErrorAnswer, Refused};
use crate::client::AuthenticatedClient;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::limit::Limited;
use crate::refusal::{ClientError, IntrospectError};
use crate::resource::Verified;
use crate::store::{Kind, Loaded};
use crate::token::liveness;
use crate::token::view::TokenView;
use crate::wire::error::ErrorCode;
use crate::wire::json::JsonObject;
use crate::wire::scope::Scope;

/// All that is told of a token that does not count, or not to this caller (RFC 7662 §2.2).
const INACTIVE: &str = r#"{"active":false}"#;

/// The body of the answer.
pub(crate) async fn introspect(
    context: &Context,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
) -> Result<String, Refused<IntrospectError>> {
    let request = ClientRequest::read(context, headers, query, body).await?;
    describe_to_caller(context, &request).await.map_err(|error| request.refused(error))
}

/// The body of the answer to a request that was read.
pub(crate) async fn describe_to_caller(
    context: &Context,
    request: &ClientRequest<'_>,
) -> Result<String, IntrospectError> {
    let token = request.form.get("token").ok_or(IntrospectError::TokenMissing)?;
    let now = context.now();
    let (caller, token) = look_up::<IntrospectError>(context, Limited::Introspect, request, token, now).await?;
    if !caller.client().metadata().is_confidential() {
        return Err(IntrospectError::PublicClient);
    }
    let token = token.filter(|token| liveness::check(token, now).is_ok());
    let left = context.rights_left(token.as_ref()).await?;
    let answer = token.as_ref().and_then(|token| describe(context, &caller, token, left.as_ref()));
    context.note_secret_use(&caller, now).await;
    let Some(mut answer) = answer else { return Ok(INACTIVE.to_owned()) };
    if let Some(token) = token.as_ref().filter(|_| !context.introspection_members.is_empty()) {
        context.introspection_members.write(&mut answer, &Verified::held(token.clone(), left)).await;
    }
    // A resource server asks because the token was used.
    context.note_grant_use(token.as_ref().and_then(|token| token.parent.as_deref()), now);
    Ok(answer.finish())
}

/// What the caller may know of a token that counts; `None` where that is nothing.
fn describe(
    context: &Context,
    caller: &AuthenticatedClient,
    token: &Loaded,
    left: Option<&Scope>,
) -> Option<JsonObject> {
    let view = TokenView::of(token)?;
    let access = token.record.key.kind != Kind::REFRESH_TOKEN;
    let own = view.client_id() == caller.id().as_str();
    // A refresh token is between the client and us: a resource server has no use for it (RFC 7662 §4).
    if !(own || access && is_addressed_to(caller, &view)) {
        return None;
    }
    let scope = left.map_or(view.scope(), Scope::as_str);
    if scope.is_empty() && !view.scope().is_empty() {
        return None;
    }
    let mut json = JsonObject::with_capacity(384);
    json.boolean("active", true);
    json.text("scope", scope);
    json.text("client_id", view.client_id());
    if access {
        json.text("token_type", "Bearer");
    }
    json.number("exp", seconds(view.expires_at()));
    json.number("iat", seconds(view.issued_at()));
    // A token that a client holds for itself has no `sub`: a client cannot be taken for a person of the same name.
    if let Some(subject) = view.subject() {
        json.text("sub", subject);
    }
    if let Some(signed_in) = view.authenticated_at() {
        // RFC 9470 §6.2: so that a resource server elsewhere can ask for a fresh sign-in.
        json.number("auth_time", seconds(signed_in));
    }
    let mut audience = view.resources();
    match (audience.next(), audience.next()) {
        (None, _) => {}
        (Some(only), None) => {
            json.text("aud", only);
        }
        (Some(_), Some(_)) => {
            json.texts("aud", view.resources());
        }
    }
    json.text("iss", context.issuer.as_str());
    Some(json)
}

/// Whether the token is addressed to this resource server: to all, or to one of the resources it stands for.
fn is_addressed_to(caller: &AuthenticatedClient, view: &TokenView<'_>) -> bool {
    let metadata = caller.client().metadata();
    let mut audience = view.resources().peekable();
    metadata.resource_server
        && (audience.peek().is_none()
            || metadata.resources.is_empty()
            || audience.any(|resource| metadata.resources.iter().any(|own| own.as_str() == resource)))
}

fn seconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_secs()).unwrap_or(0)
}

impl From<IntrospectError> for ErrorAnswer {
    fn from(error: IntrospectError) -> Self {
        match error {
            IntrospectError::Request(error) => error.into(),
            IntrospectError::Client(error) => error.into(),
            IntrospectError::Failure(failure) => failure.into(),
            IntrospectError::TokenMissing => Self::bad_request(ErrorCode::InvalidRequest, "token is missing"),
            IntrospectError::PublicClient => ClientError::MethodNotRegistered { header: false }.into(),
        }
    }
}
