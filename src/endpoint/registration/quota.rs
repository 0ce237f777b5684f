//! What a registration spends: a use of its initial access token, and one of the day's.
//!
//! Both are counted in one partition, so that one commit spends them, before the one that inserts the client. Should the
//! second never come, a use is lost; there are never more clients than uses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Refused;
use crate::client::InitialAccess;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::grant::ATTEMPTS;
use crate::refusal::RegistrationError;
use crate::registration::{Access, RegistrationRules};
use crate::store::{Commit, Committed, Condition, Key, Kind, Loaded, Payload, Record, State, Write};
use crate::token::mint;
use crate::wire::token::TokenKind;

const DAY: i64 = 24 * 3600;

/// How many clients registered in a day.
#[derive(Serialize, Deserialize)]
struct Day {
    registered: u32,
}

/// An initial access token that counts.
#[derive(Debug)]
pub(super) struct Admitted {
    key: Key,
    pub(super) label: String,
}

/// Who may go on: whoever brings a token that counts, or anybody where that is how it is.
pub(super) async fn admit(
    context: &Context,
    rules: &RegistrationRules,
    token: Option<&str>,
    now: Timestamp,
) -> Result<Option<Admitted>, RegistrationError> {
    let Some(token) = token else {
        return match rules.settings.access {
            Access::Open => Ok(None),
            Access::InitialAccessToken => Err(RegistrationError::TokenMissing),
        };
    };
    let located = mint::locate(&context.keys, TokenKind::InitialAccess, token);
    let key = located.ok_or(RegistrationError::TokenInvalid)?.key;
    let loaded = context.load_one(key).await?;
    let access = usable(loaded.as_ref(), now)?;
    Ok(Some(Admitted { key, label: access.label }))
}

fn usable(loaded: Option<&Loaded>, now: Timestamp) -> Result<InitialAccess, RegistrationError> {
    let record = &loaded.ok_or(RegistrationError::TokenInvalid)?.record;
    let live = record.state == State::Live && !record.expires_at.has_come(now);
    let access = InitialAccess::read(record).filter(|_| live).ok_or(RegistrationError::TokenInvalid)?;
    access.spend().ok_or(RegistrationError::TokenInvalid)
}

/// Spends it; refused where there is nothing left to spend.
pub(super) async fn spend(
    context: &Context,
    rules: &RegistrationRules,
    admitted: Option<&Admitted>,
    now: Timestamp,
) -> Result<(), Refused> {
    let day = now.as_secs().div_euclid(DAY);
    let day_key = context.keys.drawn(Kind::REGISTRATION, context.keys.registration_desk(), &day.to_be_bytes());
    let keys: Vec<Key> = std::iter::once(day_key).chain(admitted.map(|admitted| admitted.key)).collect();
    for _ in 0..ATTEMPTS {
        let mut found = context.load(&keys).await?.into_iter();
        let today = found.next().flatten();
        let mut commit = count(context, rules, day_key, today.as_ref(), day, now)?;
        if admitted.is_some() {
            let token = found.next().flatten();
            let access = usable(token.as_ref(), now)?;
            let record = token.ok_or(RegistrationError::TokenInvalid)?.record;
            let payload = access.payload().ok_or(Failure::Corrupt)?;
            commit.conditions.push(Condition::Unchanged { key: record.key, revision: record.revision });
            commit.writes.push(Write::Replace(Arc::new(Record { payload, ..Record::clone(&record) })));
        }
        if context.commit(&commit).await? == Committed::Applied {
            return Ok(());
        }
    }
    Err(Failure::Contended.into())
}

fn count(
    context: &Context,
    rules: &RegistrationRules,
    key: Key,
    present: Option<&Loaded>,
    day: i64,
    now: Timestamp,
) -> Result<Commit, Refused> {
    let present = present.map(|loaded| &*loaded.record);
    let before = match present {
        Some(record) => serde_json::from_slice(record.payload.as_bytes()).map_err(|_| Failure::Corrupt)?,
        None => Day { registered: 0 },
    };
    if before.registered >= rules.settings.per_day {
        return Err(RegistrationError::Quota.into());
    }
    let after = Day { registered: before.registered.saturating_add(1) };
    let payload = Payload::new(serde_json::to_vec(&after).map_err(|_| Failure::Corrupt)?);
    let ends = Timestamp::from_secs(day.saturating_add(1).saturating_mul(DAY));
    let record = Arc::new(Record {
        key,
        tenant: context.keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: present.map_or(now, |record| record.created_at),
        expires_at: ends,
        // Another node's clock may still show this day.
        purge_after: ends.after(context.policy.lifetimes.clock_skew),
        used: None,
        payload,
    });
    let (conditions, write) = match present {
        Some(present) => (vec![Condition::Unchanged { key, revision: present.revision }], Write::Replace(record)),
        None => (Vec::new(), Write::Insert(record)),
    };
    Ok(Commit { conditions, writes: vec![write], ..context.keys.commit(key.partition, now) })
}

/// Seconds until the next day begins, when a client that met the quota may try again.
pub(crate) fn seconds_left(now: Timestamp) -> i64 {
    DAY.saturating_sub(now.as_secs().rem_euclid(DAY))
}
