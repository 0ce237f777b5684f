//! The record of a grant: what it says, what the grant is called, and ending it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::authorization::{GrantName, read_resources};
use super::terms::Granted;
use crate::clock::Timestamp;
use crate::event::{Event, Revoked, What, Why};
use crate::id::{ClientId, GrantId, Subject};
use crate::store::{Commit, KeySpace, Partition, Record, State, Write};
use crate::token::fields::{Fields, Unreadable, tag};
use crate::wire::scope::Scope;

/// What a grant's record says it allows.
pub(crate) fn granted(record: &Record) -> Result<Granted, Unreadable> {
    let fields = Fields::read(record.payload.as_bytes())?;
    Ok(Granted {
        scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
        resources: read_resources(fields)?,
    })
}

/// What people and events call the grant.
pub(crate) fn grant_id(partition: Partition, name: &GrantName) -> GrantId {
    let mut bytes = [0_u8; 18];
    let (head, tail) = bytes.split_at_mut(2);
    head.copy_from_slice(&partition.0.to_be_bytes());
    tail.copy_from_slice(name);
    let mut text = [0_u8; 24];
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).ok();
    let text = written.and_then(|length| std::str::from_utf8(text.get(..length)?).ok());
    GrantId::from(text.unwrap_or_default())
}

/// What people call a grant, taken apart; `None` if it is not such a name.
pub(crate) fn parse_grant_id(id: &GrantId) -> Option<(Partition, GrantName)> {
    let mut bytes = [0_u8; 18];
    let read = URL_SAFE_NO_PAD.decode_slice(id.as_str(), &mut bytes).ok()?;
    let (partition, rest) = bytes.split_first_chunk::<2>()?;
    let name = rest.first_chunk::<16>()?;
    (read == bytes.len()).then(|| (Partition(u16::from_be_bytes(*partition)), *name))
}

/// The identifier of the grant in this record.
pub(crate) fn id_of(record: &Record) -> Option<GrantId> {
    let fields = Fields::read(record.payload.as_bytes()).ok()?;
    let name = fields.array::<16>(tag::GRANT).ok()??;
    Some(grant_id(record.key.partition, &name))
}

/// An event that concerns the grant of this record.
pub(crate) fn event(grant: &Record, what: What, now: Timestamp) -> Event {
    let fields = Fields::read(grant.payload.as_bytes()).ok();
    let text = |tag| fields.and_then(|fields| fields.text(tag).ok().flatten());
    let name = fields.and_then(|fields| fields.array::<16>(tag::GRANT).ok().flatten());
    Event {
        client_id: text(tag::CLIENT).map(ClientId::from),
        subject: text(tag::SUBJECT).map(Subject::from),
        grant: name.map(|name| grant_id(grant.key.partition, &name)),
        ..Event::new(now, what)
    }
}

/// The commit that ends the grant with all its tokens: one write to one record, unconditional, however many there are.
pub(crate) fn end(keys: &KeySpace, grant: &Record, why: Why, now: Timestamp) -> Commit {
    Commit {
        writes: vec![Write::SetState { key: grant.key, state: State::Revoked }],
        events: vec![event(grant, What::Revoked { what: Revoked::Grant, why }, now)],
        ..keys.commit(grant.key.partition, now)
    }
}
