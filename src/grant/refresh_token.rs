//! A refresh token for the next (RFC 6749 §6, RFC 9700 §4.14).
//!
//! A token that was spent is presented again for one of two reasons: the client never got the answer, or somebody stole
//! the token. Within the retry window the same answer is given, whoever asks, and nothing new exists afterwards;
//! outside it the family ends.

use std::sync::Arc;

use super::family::{self, ClientLifetimes};
use super::record;
use super::terms::{Asked, Granted, narrow, still_allowed};
use super::{ATTEMPTS, TokenAnswer, Under};
use crate::client::{AuthenticatedClient, Presented, RefreshRotation};
use crate::clock::Timestamp;
use crate::config::Policy;
use crate::context::Context;
use crate::event::{What, Why};
use crate::refusal::{Dead, TokenError};
use crate::secret::SecretBytes;
use crate::store::{Commit, Committed, Condition, KeySpace, Loaded, Payload, Record, Write};
use crate::token::liveness;
use crate::token::mint::{self, Located, Terms};
use crate::token::retry::{self, Answer};
use crate::wire::form::Form;
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;

pub(crate) const GRANT_TYPE: &str = "refresh_token";

/// Randomness for the successors.
struct Drawn {
    access: SecretBytes,
    refresh: SecretBytes,
}

/// Whether the token was spent by a request that this process answered by saying that it does not know.
#[derive(Clone, Copy)]
enum Doubt {
    None,
    Known,
}

/// What is to be done.
enum Decision {
    Issue(Commit, TokenAnswer),
    Repeat(Answer),
    Revoke(Commit),
}

pub(crate) async fn refresh(
    context: &Context,
    presented: &Presented,
    form: &Form<'_>,
) -> Result<TokenAnswer, TokenError> {
    let text = form.get("refresh_token").ok_or(TokenError::ParameterMissing("refresh_token"))?;
    let asked = Asked::read(form)?;
    let now = context.now();
    let located = mint::locate(&context.keys, TokenKind::Refresh, text);
    let drawn = Drawn { access: SecretBytes::new(context.draw()?), refresh: SecretBytes::new(context.draw()?) };
    for _ in 0..ATTEMPTS {
        let (client, loaded) = super::load_for(context, presented, GRANT_TYPE, located.as_ref(), now).await?;
        let (Some(located), Some(loaded)) = (&located, loaded) else {
            return Err(TokenError::RefreshDead(Dead::Unknown));
        };
        let (doubt, clock) = match &loaded.record.used {
            Some(used) if context.doubts.excuse(&located.key, used.at, now) => (Doubt::Known, context.now()),
            Some(_) => (Doubt::None, context.now()),
            None => (Doubt::None, now),
        };
        let rights = context.rights_left(Some(&loaded)).await?;
        let allowed = still_allowed(&context.policy, &client, rights.as_ref());
        let (policy, keys) = (&context.policy, &context.keys);
        match decide(policy, keys, &client, &allowed, located, &loaded, &asked, &drawn, doubt, clock, now)? {
            Decision::Issue(commit, answer) => {
                let answer = answer.in_format(context).await?;
                if context.commit(&commit).await? == Committed::Applied {
                    context.note_secret_use(&client, now).await;
                    context.note_grant_use(loaded.parent.as_deref(), now);
                    return Ok(answer);
                }
                // Somebody was quicker: the next decision sees what they did.
            }
            Decision::Repeat(answer) => {
                let answer = repeat(context, &loaded, &answer, now).await?;
                context.doubts.answered(&located.key, now.after(context.policy.lifetimes.refresh_retry_window));
                return Ok(answer);
            }
            Decision::Revoke(commit) => {
                // On its own, so that no refusal takes it back; and a refusal means that the family is forgotten
                // already.
                let _ = context.commit(&commit).await?;
                return Err(TokenError::RefreshReplayed);
            }
        }
    }
    Err(crate::error::Failure::Contended.into())
}

#[expect(clippy::too_many_arguments, reason = "a decision is a function of all that it depends on")]
fn decide(
    policy: &Policy,
    keys: &KeySpace,
    client: &AuthenticatedClient,
    allowed: &Scope,
    located: &Located,
    loaded: &Loaded,
    asked: &Asked,
    drawn: &Drawn,
    doubt: Doubt,
    clock: Timestamp,
    now: Timestamp,
) -> Result<Decision, TokenError> {
    let owner = loaded.owner().ok_or(TokenError::RefreshDead(Dead::Unreadable))?;
    if owner.client.key != client.client().link().key {
        return Err(TokenError::RefreshOfAnotherClient);
    }
    let grant = loaded.parent.as_ref().ok_or(TokenError::RefreshDead(Dead::GrantRevoked))?;
    liveness::check_roots(loaded).map_err(TokenError::RefreshDead)?;
    if let Some(used) = &loaded.record.used {
        let window = policy.lifetimes.refresh_retry_window;
        // By when the request arrived, since it may have waited for its twin. But a clock that now shows a moment
        // before the use, by more than clocks may differ, was set back: that opens no window.
        let set_back = clock < used.at.before(policy.lifetimes.clock_skew);
        let in_window = now < used.at.after(window) && !set_back;
        return match doubt {
            Doubt::Known if window.is_zero() => Err(TokenError::RefreshInDoubt),
            Doubt::None if window.is_zero() || !in_window => Ok(Decision::Revoke(revocation(keys, grant, now))),
            Doubt::Known | Doubt::None => retry::open(&located.random, &used.answer)
                .map(Decision::Repeat)
                .map_err(|_| TokenError::RefreshDead(Dead::Unreadable)),
        };
    }
    liveness::check(loaded, now).map_err(TokenError::RefreshDead)?;
    let granted = record::granted(grant).map_err(|_| TokenError::RefreshDead(Dead::Unreadable))?;
    let narrowed = narrow(policy, &granted, allowed, asked)?;
    let (commit, answer) = issue(policy, keys, client, located, loaded, grant, &granted, &narrowed, drawn, now);
    Ok(Decision::Issue(commit, answer))
}

#[expect(clippy::too_many_arguments, reason = "a decision is a function of all that it depends on")]
fn issue(
    policy: &Policy,
    keys: &KeySpace,
    client: &AuthenticatedClient,
    located: &Located,
    loaded: &Loaded,
    grant: &Arc<Record>,
    granted: &Granted,
    narrowed: &Granted,
    drawn: &Drawn,
    now: Timestamp,
) -> (Commit, TokenAnswer) {
    let skew = policy.lifetimes.clock_skew;
    let metadata = client.client().metadata();
    let lifetimes = ClientLifetimes::of(&policy.lifetimes, metadata);
    let (partition, presented) = (located.key.partition, &loaded.record);
    let terms = |expires_at: Timestamp, payload| Terms {
        parent: presented.parent,
        owner: None,
        created_at: now,
        expires_at,
        purge_after: expires_at.after(skew),
        payload,
    };
    let access_ends = lifetimes.access_within(now, grant.expires_at);
    let payload = family::difference(granted, narrowed);
    let (access_token, access) =
        mint::mint(keys, TokenKind::Access, partition, drawn.access.expose(), terms(access_ends, payload));
    let refresh_ends = lifetimes.refresh_within(now, grant.expires_at);

    let mut conditions = Vec::with_capacity(2);
    conditions.push(Condition::Live { key: grant.key, epoch: grant.epoch });
    let mut writes = Vec::with_capacity(3);
    let refresh_token = match metadata.refresh_token_rotation {
        RefreshRotation::EachUse => {
            let sealed = Answer {
                refresh: drawn.refresh.clone(),
                access: drawn.access.clone(),
                access_expires_at: access_ends,
                scope: narrowed.scope.clone(),
            };
            let (text, record) = mint::mint(
                keys,
                TokenKind::Refresh,
                partition,
                drawn.refresh.expose(),
                terms(refresh_ends, Payload::default()),
            );
            writes.push(Write::Use {
                key: located.key,
                at: now,
                answer: retry::seal(&located.random, &sealed),
                purge_after: grant.purge_after.max(presented.purge_after),
            });
            writes.push(Write::Insert(record));
            Some(text)
        }
        RefreshRotation::Never => {
            // The token stays, and its time starts anew.
            conditions.push(Condition::Unchanged { key: presented.key, revision: presented.revision });
            let renewed =
                Record { expires_at: refresh_ends, purge_after: refresh_ends.after(skew), ..Record::clone(presented) };
            writes.push(Write::Replace(Arc::new(renewed)));
            None
        }
    };
    writes.push(Write::Insert(Arc::clone(&access)));
    let issued = What::Issued { grant_type: GRANT_TYPE.into(), scope: narrowed.scope.clone() };
    let event = record::event(grant, issued, now);
    let commit = Commit { conditions, writes, events: vec![event], ..keys.commit(partition, now) };
    let answer = TokenAnswer {
        access_token,
        record: access,
        under: Under::Grant(Arc::clone(grant)),
        refresh_token,
        expires_in: access_ends.seconds_from(now),
        scope: narrowed.scope.clone(),
    };
    (commit, answer)
}

/// The commit that ends a family whose spent token came back too late (RFC 9700 §4.14.2).
fn revocation(keys: &KeySpace, grant: &Record, now: Timestamp) -> Commit {
    let mut commit = record::end(keys, grant, Why::RefreshReplayed, now);
    commit.events.insert(0, record::event(grant, What::Replayed { kind: TokenKind::Refresh }, now));
    commit
}

/// Gives the answer that was given before, once it is found that the store has the successor it names.
async fn repeat(context: &Context, spent: &Loaded, answer: &Answer, now: Timestamp) -> Result<TokenAnswer, TokenError> {
    let partition = spent.record.key.partition;
    let key = context.keys.drawn(mint::store_kind(TokenKind::Refresh), partition, answer.refresh.expose());
    let access = context.keys.drawn(mint::store_kind(TokenKind::Access), partition, answer.access.expose());
    let [successor, access] = context.load_few([key, access]).await?;
    let successor = successor.ok_or(TokenError::RefreshDead(Dead::Unreadable))?;
    if successor.record.parent != spent.record.parent {
        return Err(TokenError::RefreshDead(Dead::Unreadable));
    }
    liveness::check_roots(&successor).map_err(TokenError::RefreshDead)?;
    let grant = spent.parent.as_ref().ok_or(TokenError::RefreshDead(Dead::Unreadable))?;
    context.tell(&record::event(grant, What::Repeated, now));
    let repeated = TokenAnswer {
        access_token: mint::text(&context.keys, TokenKind::Access, partition, answer.access.expose()),
        // Where it has been forgotten already, the successor says the same of the grant.
        record: access.map_or(successor.record, |access| access.record),
        under: Under::Grant(Arc::clone(grant)),
        refresh_token: Some(mint::text(&context.keys, TokenKind::Refresh, partition, answer.refresh.expose())),
        expires_in: answer.access_expires_at.seconds_from(now),
        scope: answer.scope.clone(),
    };
    Ok(repeated.in_format(context).await?)
}
