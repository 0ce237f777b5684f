//! A client that asks about a token: both are fetched in one round trip.

use super::ClientRequest;
use crate::client::{AuthenticatedClient, authenticate};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::limit::Limited;
use crate::refusal::{ClientError, RequestError};
use crate::store::Loaded;
use crate::token::mint;
use crate::wire::token::TokenKind;

/// Authenticates the client, and finds the access, refresh or personal token it asks about, whosever that is.
///
/// The prefix tells which kind it is; `token_type_hint` could only be wrong, and may be ignored (RFC 7009 §2.1, RFC
/// 7662 §2.1).
pub(super) async fn look_up<E>(
    context: &Context,
    endpoint: Limited,
    request: &ClientRequest<'_>,
    token: &str,
    now: Timestamp,
) -> Result<(AuthenticatedClient, Option<Loaded>), E>
where
    E: From<ClientError> + From<Failure> + From<RequestError>,
{
    let token = &*context.own_token(token);
    let located = TokenKind::of(token)
        .filter(|kind| matches!(kind, TokenKind::Access | TokenKind::Refresh | TokenKind::Personal))
        .and_then(|kind| mint::locate(&context.keys, kind, token));
    let client = context.keys.client(&request.presented.client_id);
    let keys: Vec<_> = std::iter::once(client).chain(located.map(|located| located.key)).collect();
    let mut found = context.load(&keys).await?.into_iter();
    let client = authenticate(&request.presented, found.next().flatten().as_ref(), &context.keys, now)?;
    context.limiter.admit_client(endpoint, &request.presented, &client, now).await?;
    Ok((client, found.next().flatten()))
}
