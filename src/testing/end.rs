//! Ending tokens, and changing those that were issued already.

use std::sync::Arc;

use super::handle::Inner;
use super::tamper::WRONG_AUDIENCE;
use super::{Fault, hours};
use crate::clock::Clock as _;
use crate::error::Failure;
use crate::event::{Event, Revoked, What, Why};
use crate::grant::record;
use crate::store::{Commit, Condition, Kind, Loaded, Payload, Record, State, Write};
use crate::token::fields::{Fields, Writer, tag};
use crate::token::mint;
use crate::wire::token::TokenKind;

/// The record of a token, whatever its state; `None` for a text that is no token of this server.
async fn find(inner: &Inner, token: &str) -> Result<Option<Loaded>, Failure> {
    let context = &inner.server.inner.context;
    let token = &*context.own_token(token);
    let located = TokenKind::of(token).and_then(|kind| mint::locate(&context.keys, kind, token));
    match located {
        Some(located) => context.load_one(located.key).await,
        None => Ok(None),
    }
}

/// Ends a token as the host would: an access token alone, with a refresh or a personal token its
/// whole grant. Whether there was one.
pub(super) async fn revoke(inner: &Inner, token: &str) -> Result<bool, Failure> {
    let Some(loaded) = find(inner, token).await? else { return Ok(false) };
    let context = &inner.server.inner.context;
    let now = context.now();
    let grant = loaded.parent.as_deref().filter(|parent| parent.key.kind == Kind::GRANT);
    let commit = match grant {
        Some(grant) if matches!(loaded.record.key.kind, Kind::REFRESH_TOKEN | Kind::PERSONAL_TOKEN) => {
            record::end(&context.keys, grant, Why::Host, now)
        }
        _ => {
            let what = What::Revoked { what: Revoked::AccessToken, why: Why::Host };
            Commit {
                writes: vec![Write::SetState { key: loaded.record.key, state: State::Revoked }],
                events: vec![
                    grant.map_or_else(|| Event::new(now, what.clone()), |g| record::event(g, what.clone(), now)),
                ],
                ..context.keys.commit(loaded.record.key.partition, now)
            }
        }
    };
    // A refusal means that the record has been forgotten meanwhile: it does not live.
    let _ = context.commit(&commit).await?;
    Ok(true)
}

/// Spoils the access token in a token response, in the way that this fault has.
pub(super) async fn spoil(inner: &Inner, fault: &Fault, body: &str) {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(body) else { return };
    let Some(token) = members.get("access_token").and_then(|token| token.as_str()) else { return };
    let Ok(Some(loaded)) = find(inner, token).await else { return };
    let (context, now) = (&inner.server.inner.context, inner.clock.now());
    let present = &loaded.record;
    let changed = match fault {
        Fault::NotYetValidToken => return inner.store.hide(present.key, now.after(hours(1))),
        Fault::ExpiredToken => Record { expires_at: now, ..Record::clone(present) },
        Fault::WrongAudience => Record { payload: addressed_elsewhere(&present.payload), ..Record::clone(present) },
        _ => return,
    };
    let commit = Commit {
        conditions: vec![Condition::Unchanged { key: present.key, revision: present.revision }],
        writes: vec![Write::Replace(Arc::new(changed))],
        ..context.keys.commit(present.key.partition, now)
    };
    // Nobody else knows the token yet.
    let _ = context.commit(&commit).await;
}

fn addressed_elsewhere(payload: &Payload) -> Payload {
    let scope = Fields::read(payload.as_bytes()).ok().and_then(|fields| fields.text(tag::SCOPE).ok().flatten());
    let writer = Writer::new().optional(scope, |writer, scope| writer.text(tag::SCOPE, scope));
    writer.text(tag::RESOURCE, WRONG_AUDIENCE).payload()
}
