//! A token for the client itself (RFC 6749 §4.4).
//!
//! It hangs on the client's own record, in the client's partition: there is no resource owner, no grant and no refresh
//! token.

use std::sync::Arc;

use super::terms::{Asked, Granted, narrow};
use super::{ATTEMPTS, TokenAnswer, Under};
use crate::client::{AuthenticatedClient, Presented};
use crate::clock::Timestamp;
use crate::config::Policy;
use crate::context::Context;
use crate::event::{Event, What};
use crate::refusal::TokenError;
use crate::secret::SecretBytes;
use crate::store::{Commit, Committed, Condition, KeySpace, Write};
use crate::token::fields::{Writer, tag};
use crate::token::mint::{Terms, mint};
use crate::wire::form::Form;
use crate::wire::token::TokenKind;
use crate::wire::uri::Resource;

pub(crate) const GRANT_TYPE: &str = "client_credentials";

pub(crate) async fn issue(
    context: &Context,
    presented: &Presented,
    form: &Form<'_>,
) -> Result<TokenAnswer, TokenError> {
    let asked = Asked::read(form)?;
    let now = context.now();
    let random = SecretBytes::new(context.draw()?);
    for _ in 0..ATTEMPTS {
        let (client, _) = super::load_for(context, presented, GRANT_TYPE, None, now).await?;
        let granted = decide(&context.policy, &client, &asked)?;
        let (commit, answer) = token(&context.policy, &context.keys, &client, &granted, &random, now);
        let answer = answer.in_format(context).await?;
        if context.commit(&commit).await? == Committed::Applied {
            context.note_secret_use(&client, now).await;
            return Ok(answer);
        }
        // The client was changed meanwhile: it may no longer be allowed this.
    }
    Err(crate::error::Failure::Contended.into())
}

fn decide(policy: &Policy, client: &AuthenticatedClient, asked: &Asked) -> Result<Granted, TokenError> {
    let metadata = client.client().metadata();
    if !metadata.is_confidential() {
        return Err(TokenError::PublicClient);
    }
    let allowed = policy.scope_of_client(metadata).without(&policy.user_only_scope);
    let asked = Asked {
        scope: Some(asked.scope.clone().unwrap_or_else(|| policy.default_scope.intersection(&allowed))),
        resources: policy.named(&asked.resources),
    };
    if asked.scope.as_ref().is_none_or(crate::wire::scope::Scope::is_empty) {
        return Err(TokenError::ScopeMissing);
    }
    if !asked.resources.iter().all(|resource| policy.resource(resource).is_some()) {
        return Err(TokenError::TargetUnknown);
    }
    narrow(policy, &Granted { scope: allowed.clone(), resources: asked.resources.clone() }, &allowed, &asked)
}

fn token(
    policy: &Policy,
    keys: &KeySpace,
    client: &AuthenticatedClient,
    granted: &Granted,
    random: &SecretBytes,
    now: Timestamp,
) -> (Commit, TokenAnswer) {
    let link = client.client().link();
    let lifetimes = super::family::ClientLifetimes::of(&policy.lifetimes, client.client().metadata());
    let expires_at = lifetimes.access_until(now);
    let payload = Writer::new()
        .text(tag::SCOPE, granted.scope.as_str())
        .texts(tag::RESOURCE, granted.resources.iter().map(Resource::as_str))
        .payload();
    let terms = Terms {
        parent: Some(link),
        owner: None,
        created_at: now,
        expires_at,
        purge_after: expires_at.after(policy.lifetimes.clock_skew),
        payload,
    };
    let (access_token, record) = mint(keys, TokenKind::Access, link.key.partition, random.expose(), terms);
    let issued = What::Issued { grant_type: GRANT_TYPE.into(), scope: granted.scope.clone() };
    let commit = Commit {
        conditions: vec![Condition::Live { key: link.key, epoch: link.epoch }],
        writes: vec![Write::Insert(Arc::clone(&record))],
        events: vec![Event::new(now, issued).client(client.id())],
        ..keys.commit(link.key.partition, now)
    };
    let answer = TokenAnswer {
        access_token,
        record,
        under: Under::Client(Arc::clone(client.client())),
        refresh_token: None,
        expires_in: expires_at.seconds_from(now),
        scope: granted.scope.clone(),
    };
    (commit, answer)
}
