//! The user's end of a device authorization (RFC 8628 §3.3): the device is found by its user code, and allowed or
//! denied.

use super::approve::Approval;
use crate::client::decode;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::grant::device::{Approved, Decision, Device};
use crate::grant::record;
use crate::id::Subject;
use crate::interaction::PendingDevice;
use crate::limit::PeerAddress;
use crate::refusal::{ApproveError, Dead, UserCodeError};
use crate::store::{Committed, Loaded, State, Write};
use crate::token::liveness;
use crate::wire::user_code::UserCode;

/// What became of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the user wants to know"]
pub enum DeviceDecision {
    /// It may fetch its tokens.
    Approved,
    /// It gets nothing.
    Denied,
}

/// Finds the device that has this code, for somebody who typed it. What could be one counts as an attempt, right or wrong.
pub(crate) async fn find(
    context: &Context,
    typed: &str,
    subject: &Subject,
    peer: Option<PeerAddress>,
) -> Result<PendingDevice, UserCodeError> {
    let user_code = UserCode::parse(typed).ok_or(UserCodeError::Malformed)?;
    context.limiter.admit_guess(subject, peer, &*context.clock).await?;
    look_up(context, user_code, subject).await
}

/// Finds it again, by a code that was found before.
pub(crate) async fn look_up(
    context: &Context,
    user_code: UserCode,
    subject: &Subject,
) -> Result<PendingDevice, UserCodeError> {
    let found = context.load_one(context.keys.user_code(user_code.letters())).await?.ok_or(UserCodeError::Unknown)?;
    let device = found.parent.as_deref().ok_or(UserCodeError::Unknown)?;
    if device.used.is_some() {
        return Err(UserCodeError::Decided);
    }
    liveness::check(&found, context.now()).map_err(|_| UserCodeError::Expired)?;
    let client = found.client.as_deref().and_then(decode).ok_or(UserCodeError::Expired)?;
    let asked = Device::read(device).map_err(|_| Failure::Corrupt)?.asked;
    Ok(PendingDevice {
        client,
        user_code,
        scope: asked.scope,
        resources: asked.resources,
        expires_at: device.expires_at,
        subject: subject.clone(),
        key: device.key,
    })
}

/// Lets the device in.
pub(crate) async fn approve(
    context: &Context,
    pending: &PendingDevice,
    approval: &Approval,
) -> Result<DeviceDecision, ApproveError> {
    let subject = approval.subject();
    if !subject.is_sound() {
        return Err(ApproveError::Subject);
    }
    if *subject != pending.subject {
        return Err(ApproveError::OtherSubject);
    }
    let scope = approval.scope().unwrap_or(&pending.scope);
    if !scope.is_subset_of(&pending.scope) {
        return Err(ApproveError::ScopeExceeded);
    }
    let wanted = [pending.key, context.keys.subject(subject), context.keys.authorization(subject, pending.client.id())];
    let [device, owner, authorization] = context.load_few(wanted).await?;
    let device = device.ok_or(ApproveError::Expired)?;
    let inactive = owner.as_ref().is_some_and(|owner| owner.record.state != State::Live);
    let decision = if scope.is_empty() || inactive {
        Decision::Denied
    } else {
        Decision::Approved(Approved {
            subject: subject.clone(),
            subject_epoch: owner.as_ref().map_or(0, |owner| owner.record.epoch),
            authorization_epoch: authorization.as_ref().map_or(0, |loaded| loaded.record.epoch),
            scope: scope.clone(),
            authenticated_at: approval.authenticated_at(),
        })
    };
    decide(context, &device, pending, &decision).await
}

/// Turns the device away.
pub(crate) async fn deny(context: &Context, pending: &PendingDevice) -> Result<DeviceDecision, ApproveError> {
    let device = context.load_one(pending.key).await?.ok_or(ApproveError::Expired)?;
    decide(context, &device, pending, &Decision::Denied).await
}

/// Uses the device's record, which works once: whoever is second, with whatever decision, is told so.
async fn decide(
    context: &Context,
    device: &Loaded,
    pending: &PendingDevice,
    decision: &Decision,
) -> Result<DeviceDecision, ApproveError> {
    let now = context.now();
    match liveness::check(device, now) {
        Ok(()) => {}
        Err(Dead::Spent) => return Err(ApproveError::Decided),
        Err(Dead::ClientInactive) => return Err(ApproveError::ClientChanged),
        Err(_) => return Err(ApproveError::Expired),
    }
    let lifetimes = &context.policy.lifetimes;
    let record = &device.record;
    let event = |what| Event::new(now, what).client(pending.client.id()).subject(Some(&pending.subject));
    let (outcome, event, purge_after) = match decision {
        Decision::Denied => (DeviceDecision::Denied, event(What::Denied), record.purge_after),
        Decision::Approved(approved) => {
            let grant = Device::read(record).map_err(|_| Failure::Corrupt)?.grant;
            let partition = context.keys.partition_of(&approved.subject);
            let event = event(What::Authorized { scope: approved.scope.clone() });
            // The spent code is remembered for as long as anything it bought can live.
            let until = record.purge_after.after(lifetimes.grant.max(lifetimes.access_token));
            (DeviceDecision::Approved, event.grant(Some(record::grant_id(partition, &grant))), until)
        }
    };
    let spend = Write::Use { key: record.key, at: now, answer: decision.to_bytes(), purge_after };
    let commit = crate::store::Commit {
        writes: vec![spend],
        events: vec![event],
        ..context.keys.commit(record.key.partition, now)
    };
    match context.commit(&commit).await? {
        Committed::Applied => Ok(outcome),
        Committed::Refused(_) => Err(ApproveError::Decided),
    }
}
