//! Personal tokens, minted.

use super::handle::Inner;
use super::mint::{MintError, MintTerms};
use crate::client::Client;
use crate::clock::Clock as _;
use crate::error::Failure;
use crate::grant::ATTEMPTS;
use crate::grant::authorization::Authorization;
use crate::grant::personal::{self, NewPersonal, Personal};
use crate::id::Subject;
use crate::secret::SecretBytes;
use crate::store::{Committed, State};
use crate::token::mint;
use crate::wire::token::TokenKind;

/// A personal token as its owner would have made it, but with any name, scope, audience and lifetime.
pub(super) async fn token(inner: &Inner, terms: &MintTerms, name: Option<String>) -> Result<String, MintError> {
    let context = &inner.server.inner.context;
    let subject: &Subject = terms.subject.as_ref().filter(|subject| subject.is_sound()).ok_or(MintError::Subject)?;
    let (random, grant) = (SecretBytes::new(context.draw()?), context.draw::<16>()?);
    let name = name.unwrap_or_else(|| format!("token {:08x}", u128::from_be_bytes(grant) >> 96));
    let (granted, now) = (terms.granted(context)?, context.now());
    let made = Personal { grant, name, subject: subject.clone(), granted, made_at: now };
    let keys = [
        context.keys.client(&personal::client_id()),
        context.keys.authorization(subject, &personal::client_id()),
        context.keys.subject(subject),
    ];
    for _ in 0..ATTEMPTS {
        let [client, list, owner] = context.load_few(keys).await?;
        let Some(client) = Client::loaded(client.as_ref()) else {
            // If another request is quicker, its client is as good.
            let _ = context.commit(&personal::found_client(context, now)?).await?;
            continue;
        };
        if owner.as_ref().is_some_and(|owner| owner.record.state != State::Live) {
            return Err(MintError::Subject);
        }
        let present = list.as_ref().map(|list| &*list.record);
        let kept = present.map(Authorization::read).transpose().map_err(|_| Failure::Corrupt)?;
        let lifetime = terms.lifetime.unwrap_or(context.policy.lifetimes.personal_token);
        let new = NewPersonal {
            personal: &made,
            client: client.link(),
            epoch: owner.as_ref().map_or(0, |owner| owner.record.epoch),
            expires_at: now.after(lifetime),
            present,
            kept: kept.map_or_else(Vec::new, |list| list.grants),
        };
        let (commit, _, text) = personal::found(&context.keys, new, &random, context.policy.lifetimes.clock_skew, now);
        if context.commit(&commit).await? == Committed::Applied {
            let partition = context.keys.partition_of(subject);
            let key = context.keys.drawn(mint::store_kind(TokenKind::Personal), partition, random.expose());
            if !terms.begins_in.is_zero() {
                inner.store.hide(key, inner.clock.now().after(terms.begins_in));
            }
            return Ok(text.expose().to_owned());
        }
    }
    Err(Failure::Contended.into())
}
