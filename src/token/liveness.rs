//! Whether a token, and all it hangs on, still counts.
//!
//! A token counts iff it does, its grant does, and its client and resource owner do, each still in the epoch in which
//! the token was issued.

use crate::clock::Timestamp;
use crate::refusal::Dead;
use crate::store::{Kind, Link, Loaded, Record, State};

/// Checks the token itself and all it hangs on.
pub(crate) fn check(loaded: &Loaded, now: Timestamp) -> Result<(), Dead> {
    if loaded.record.used.is_some() {
        return Err(Dead::Spent);
    }
    if loaded.record.state != State::Live {
        return Err(Dead::Revoked);
    }
    if loaded.record.expires_at.has_come(now) {
        return Err(Dead::Expired);
    }
    check_roots(loaded)
}

/// Checks all that it hangs on, and not the token itself.
pub(crate) fn check_roots(loaded: &Loaded) -> Result<(), Dead> {
    let parent = loaded.record.parent.as_ref();
    let on_client = parent.is_some_and(|parent| parent.key.kind == Kind::CLIENT);
    if let Some(parent) = parent
        && !holds(parent, loaded.parent.as_deref())
    {
        return Err(if on_client { Dead::ClientInactive } else { Dead::GrantRevoked });
    }
    let Some(owner) = loaded.owner() else {
        // Only what hangs on the client itself may belong to nobody.
        return if on_client { Ok(()) } else { Err(Dead::Unreadable) };
    };
    if !holds(&owner.client, loaded.client.as_deref()) {
        return Err(Dead::ClientInactive);
    }
    match (&owner.subject, loaded.subject.as_deref()) {
        (Some(link), Some(subject)) if !holds(link, Some(subject)) => Err(Dead::SubjectInactive),
        // Nothing was ever said of this subject; but if something had been when the token was issued, the record is
        // gone, and so is what it said.
        (Some(link), None) if link.epoch != 0 => Err(Dead::SubjectInactive),
        _ => Ok(()),
    }
}

fn holds(link: &Link, record: Option<&Record>) -> bool {
    record.is_some_and(|record| record.key == link.key && record.state == State::Live && record.epoch == link.epoch)
}
