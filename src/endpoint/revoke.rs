//! Token revocation (RFC 7009).

use http::HeaderMap;

use super::lookup::look_up;
use super::{ClientRequest, ErrorAnswer, Refused};
use crate::client::AuthenticatedClient;
use crate::clock::Timestamp;
use crate::config::AccessTokenRevocation;
use crate::context::Context;
use crate::event::{Event, Revoked, What, Why};
use crate::grant::record;
use crate::limit::Limited;
use crate::refusal::RevokeError;
use crate::store::{Commit, Kind, Loaded, State, Write};
use crate::wire::error::ErrorCode;

/// Ends a token of the client that asks.
pub(crate) async fn revoke(
    context: &Context,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
) -> Result<(), Refused<RevokeError>> {
    let request = ClientRequest::read(context, headers, query, body).await?;
    end(context, &request).await.map_err(|error| request.refused(error))
}

/// The same for a request that was read.
pub(crate) async fn end(context: &Context, request: &ClientRequest<'_>) -> Result<(), RevokeError> {
    let token = request.form.get("token").ok_or(RevokeError::TokenMissing)?;
    let now = context.now();
    let (client, token) = look_up::<RevokeError>(context, Limited::Revoke, request, token, now).await?;
    if let Some(commit) = token.and_then(|token| decide(context, &client, &token, now)) {
        // A refusal means that the record has been forgotten meanwhile: it does not live.
        let _ = context.commit(&commit).await?;
    }
    context.note_secret_use(&client, now).await;
    Ok(())
}

/// What ends; `None` where there is nothing to end, or nothing of this client's.
fn decide(context: &Context, client: &AuthenticatedClient, token: &Loaded, now: Timestamp) -> Option<Commit> {
    let link = client.client().link();
    let parent = token.record.parent?;
    let owner = if parent.key.kind == Kind::CLIENT { parent.key } else { token.owner()?.client.key };
    if owner != link.key {
        return None;
    }
    let grant = token.parent.as_deref().filter(|parent| parent.key.kind == Kind::GRANT);
    // A personal token is all that its grant has.
    let whole = matches!(token.record.key.kind, Kind::REFRESH_TOKEN | Kind::PERSONAL_TOKEN)
        || context.policy.access_token_revocation == AccessTokenRevocation::WholeGrant;
    if let Some(grant) = grant.filter(|_| whole) {
        let lives = grant.state == State::Live;
        return lives.then(|| record::end(&context.keys, grant, Why::Client, now));
    }
    let what = What::Revoked { what: Revoked::AccessToken, why: Why::Client };
    let event = match grant {
        Some(grant) => record::event(grant, what, now),
        None => Event::new(now, what).client(client.id()),
    };
    (token.record.state == State::Live).then(|| Commit {
        writes: vec![Write::SetState { key: token.record.key, state: State::Revoked }],
        events: vec![event],
        ..context.keys.commit(token.record.key.partition, now)
    })
}

impl From<RevokeError> for ErrorAnswer {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Request(error) => error.into(),
            RevokeError::Client(error) => error.into(),
            RevokeError::Failure(failure) => failure.into(),
            RevokeError::TokenMissing => Self::bad_request(ErrorCode::InvalidRequest, "token is missing"),
        }
    }
}
