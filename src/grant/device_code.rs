//! A device code for tokens, once its user has agreed (RFC 8628 §3.4, §3.5).
//!
//! While the user has not decided, each request is noted in the store: the device has to wait between two, and whoever
//! does not has to wait five seconds longer from then on, whichever node is asked next.

use std::sync::Arc;

use super::authorization::{Authorization, Place, grant_key};
use super::device::{self, Approved, Decision, Device};
use super::family::{self, Drawn, NewFamily};
use super::record;
use super::terms::{Asked, Granted, narrow};
use super::{ATTEMPTS, TokenAnswer};
use crate::client::{AuthenticatedClient, Presented};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{What, Why};
use crate::extension::Parameters;
use crate::refusal::{Dead, TokenError};
use crate::secret::SecretBytes;
use crate::store::{Commit, Committed, Condition, Key, Link, Loaded, Owner, Record, State, Write};
use crate::token::fields::Unreadable;
use crate::token::{liveness, mint};
use crate::wire::form::Form;
use crate::wire::token::TokenKind;

pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// By how many seconds a device that does not wait has to wait longer (RFC 8628 §3.5).
const SLOWER: i64 = 5;

/// What the state of the device comes to.
enum Step {
    /// Nobody has decided: this is noted, and that is answered.
    Wait(Box<Commit>, TokenError),
    /// Somebody agreed.
    Buy(Device, Approved),
}

pub(crate) async fn redeem(
    context: &Context,
    presented: &Presented,
    form: &Form<'_>,
) -> Result<TokenAnswer, TokenError> {
    let text = form.get("device_code").ok_or(TokenError::ParameterMissing("device_code"))?;
    // The scope was settled with the user: `scope` has no meaning here.
    let asked = Asked { scope: None, ..Asked::read(form)? };
    let now = context.now();
    let located = mint::locate(&context.keys, TokenKind::DeviceCode, text);
    for _ in 0..ATTEMPTS {
        let (client, loaded) = super::load_for(context, presented, GRANT_TYPE, located.as_ref(), now).await?;
        let loaded = loaded.ok_or(TokenError::DeviceCodeDead(Dead::Unknown))?;
        match step(context, &client, &loaded, now)? {
            Step::Wait(commit, answer) => {
                if context.commit(&commit).await? == Committed::Applied {
                    context.note_secret_use(&client, now).await;
                    return Err(answer);
                }
                // The user has decided meanwhile, or the same device has asked again.
            }
            Step::Buy(device, approved) => {
                let bought = buy(context, &client, &loaded, &device, &approved, &asked, now).await?;
                context.note_secret_use(&client, now).await;
                return Ok(bought);
            }
        }
    }
    Err(Failure::Contended.into())
}

fn step(context: &Context, client: &AuthenticatedClient, loaded: &Loaded, now: Timestamp) -> Result<Step, TokenError> {
    let dead = |_: Unreadable| TokenError::DeviceCodeDead(Dead::Unreadable);
    let record = &loaded.record;
    let owner = loaded.owner().ok_or(TokenError::DeviceCodeDead(Dead::Unreadable))?;
    if owner.client.key != client.client().link().key {
        return Err(TokenError::DeviceCodeOfAnotherClient);
    }
    let device = Device::read(record).map_err(dead)?;
    if let Some(used) = &record.used {
        return match Decision::read(&used.answer).map_err(dead)? {
            Decision::Denied => Err(TokenError::DeviceDenied),
            Decision::Approved(approved) => Ok(Step::Buy(device, approved)),
        };
    }
    liveness::check(loaded, now).map_err(TokenError::DeviceCodeDead)?;
    let wait = std::time::Duration::from_secs(u64::try_from(device.interval).unwrap_or(0));
    let too_fast = device.polled_at.is_some_and(|before| now < before.after(wait));
    let interval = if too_fast { device.interval.saturating_add(SLOWER) } else { device.interval };
    let noted = Device { interval, polled_at: Some(now), ..device };
    let answer = if too_fast { TokenError::DeviceTooFast } else { TokenError::DevicePending };
    let commit = Commit {
        conditions: vec![Condition::Unchanged { key: record.key, revision: record.revision }],
        writes: vec![Write::Replace(Arc::new(Record { payload: noted.payload(), ..Record::clone(record) }))],
        ..context.keys.commit(record.key.partition, now)
    };
    Ok(Step::Wait(Box::new(commit), answer))
}

/// Redeems what the user agreed to, in the partition of the user.
async fn buy(
    context: &Context,
    client: &AuthenticatedClient,
    loaded: &Loaded,
    device: &Device,
    approved: &Approved,
    asked: &Asked,
    now: Timestamp,
) -> Result<TokenAnswer, TokenError> {
    let keys = &context.keys;
    let place = Place::of(keys, &approved.subject, client.id());
    let partition = place.subject.partition;
    let marker = device::marker_key(keys, partition, &loaded.record.key);
    let wanted = [place.authorization, place.subject, marker];
    let drawn = Drawn { access: SecretBytes::new(context.draw()?), refresh: SecretBytes::new(context.draw()?) };
    for _ in 0..ATTEMPTS {
        let [authorization, subject, mark] = context.load_few(wanted).await?;
        if let Some(mark) = mark {
            if context.doubts.excuse(&marker, mark.record.created_at, now) {
                return Err(TokenError::DeviceCodeInDoubt);
            }
            end(context, grant_key(keys, partition, &device.grant), now).await?;
            return Err(TokenError::DeviceCodeReplayed);
        }
        let present = authorization.as_ref().map(|loaded| &*loaded.record);
        check(loaded, subject.as_ref(), present, approved, now).map_err(TokenError::DeviceCodeDead)?;
        let list = match present.map(Authorization::read) {
            Some(read) => read.map_err(|_| Failure::Corrupt)?,
            None => Authorization::new(&approved.subject, client.id()),
        };
        // Always anew: what was found under an older list says nothing of this one.
        let siblings = if family::is_full(&context.policy, &list) {
            context.load(&list.keys_of_grants(keys, partition)).await?
        } else {
            Vec::new()
        };
        let (commit, answer) = decide(
            context, client, loaded, device, approved, asked, list, place, present, &siblings, &drawn, marker, now,
        )?;
        let answer = answer.in_format(context).await?;
        if context.commit(&commit).await? == Committed::Applied {
            return Ok(answer);
        }
        // Redeemed by another request, or what this subject allows this client has changed.
    }
    Err(Failure::Contended.into())
}

/// Whether what the user agreed to still counts: the device code and its client, the user, and the user's permission.
fn check(
    loaded: &Loaded,
    subject: Option<&Loaded>,
    authorization: Option<&Record>,
    approved: &Approved,
    now: Timestamp,
) -> Result<(), Dead> {
    if loaded.record.state != State::Live {
        return Err(Dead::Revoked);
    }
    if loaded.record.expires_at.has_come(now) {
        return Err(Dead::Expired);
    }
    liveness::check_roots(loaded)?;
    let (state, epoch) = subject.map_or((State::Live, 0), |subject| (subject.record.state, subject.record.epoch));
    if state != State::Live || epoch != approved.subject_epoch {
        return Err(Dead::SubjectInactive);
    }
    let (state, epoch) = authorization.map_or((State::Live, 0), |record| (record.state, record.epoch));
    if state != State::Live || epoch != approved.authorization_epoch {
        return Err(Dead::GrantRevoked);
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "a decision is a function of all that it depends on")]
fn decide(
    context: &Context,
    client: &AuthenticatedClient,
    loaded: &Loaded,
    device: &Device,
    approved: &Approved,
    asked: &Asked,
    list: Authorization,
    place: Place,
    present: Option<&Record>,
    siblings: &[Option<Loaded>],
    drawn: &Drawn,
    marker: Key,
    now: Timestamp,
) -> Result<(Commit, TokenAnswer), TokenError> {
    let (policy, keys) = (&context.policy, &context.keys);
    let owner = loaded.owner().ok_or(TokenError::DeviceCodeDead(Dead::Unreadable))?;
    let granted = Granted { scope: approved.scope.clone(), resources: device.asked.resources.clone() };
    let metadata = client.client().metadata();
    let first = narrow(policy, &granted, &policy.scope_of_client(metadata), asked)?;
    let new = NewFamily {
        client,
        owner: Arc::new(Owner {
            client: owner.client,
            subject: Some(Link { key: place.subject, epoch: approved.subject_epoch }),
        }),
        name: device.grant,
        granted: &granted,
        first: &first,
        authenticated_at: approved.authenticated_at,
        // The browser in which the user agreed is not the device.
        device: "",
        parameters: &Parameters::default(),
        grant_type: GRANT_TYPE.into(),
        with_refresh: metadata.allows(super::refresh_token::GRANT_TYPE),
        authorization: list,
        place,
        present,
        siblings,
    };
    let (mut commit, answer) = family::found(policy, keys, new, drawn, now);
    // The mark stays for as long as the device's own record, which stays for as long as anything it bought can live:
    // a code that is presented again is never taken for one that was not.
    commit.writes.insert(0, Write::Insert(device::marker(marker, keys, loaded.record.purge_after, now)));
    Ok((commit, answer))
}

/// Ends what a device code bought that is presented again: it is with two, and one of them is not the device.
async fn end(context: &Context, grant: Key, now: Timestamp) -> Result<(), TokenError> {
    let Some(grant) = context.load_one(grant).await? else { return Ok(()) };
    if grant.record.state != State::Live {
        return Ok(());
    }
    let mut commit = record::end(&context.keys, &grant.record, Why::DeviceCodeReplayed, now);
    commit.events.insert(0, record::event(&grant.record, What::Replayed { kind: TokenKind::DeviceCode }, now));
    // A refusal means that the grant has been forgotten meanwhile, and everything under it with it.
    let _ = context.commit(&commit).await?;
    Ok(())
}
