//! A record as a line of JSON.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;
use crate::store::{Key, Labels, Link, Owner, Payload, Record, State, Tenant, Used};

/// The form of the dump. Whoever adds a column adds one to it: an old reader must refuse what it would drop.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    pub(super) dump: String,
    pub(super) version: u32,
}

impl First {
    pub(super) const NAME: &str = "grantor";

    pub(super) fn ours() -> Self {
        Self { dump: Self::NAME.into(), version: VERSION }
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last {
    pub(super) records: u64,
    /// In hexadecimal, as `sha256sum` prints it for all lines but this.
    pub(super) sha256: String,
}

impl Last {
    /// What the last line begins with, and no other.
    pub(super) const HEAD: &[u8] = b"{\"records\":";
}

/// A record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    key: Name,
    tenant: Bytes,
    revision: u64,
    state: u8,
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Ownership>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<Texts>,
    created_at: Timestamp,
    expires_at: Timestamp,
    purge_after: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<Spent>,
    payload: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    key: Name,
    epoch: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ownership {
    client: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Reference>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    name: String,
    public_id: String,
    class: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spent {
    at: Timestamp,
    answer: Bytes,
}

struct Name(Key);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_text())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Key::from_text(&text).map(Self).ok_or_else(|| D::Error::custom("a key is 35 bytes in base64url"))
    }
}

struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD_NO_PAD
            .decode(text)
            .map(Self)
            .map_err(|_| D::Error::custom("bytes are written in base64, without padding"))
    }
}

impl From<&Link> for Reference {
    fn from(link: &Link) -> Self {
        Self { key: Name(link.key), epoch: link.epoch }
    }
}

impl From<Reference> for Link {
    fn from(Reference { key, epoch }: Reference) -> Self {
        Self { key: key.0, epoch }
    }
}

impl From<&Record> for Line {
    fn from(record: &Record) -> Self {
        // Named one by one: who adds a column to the record is told that it is missing here.
        let Record {
            key,
            tenant,
            revision,
            state,
            epoch,
            parent,
            owner,
            labels,
            created_at,
            expires_at,
            purge_after,
            used,
            payload,
        } = record;
        let owner = owner.as_deref().map(|Owner { client, subject }| Ownership {
            client: client.into(),
            subject: subject.as_ref().map(Into::into),
        });
        let labels = labels.as_deref().map(|Labels { name, public_id, class }| Texts {
            name: name.clone(),
            public_id: public_id.clone(),
            class: class.clone(),
        });
        let used = used.as_deref().map(|Used { at, answer }| Spent { at: *at, answer: Bytes(answer.to_vec()) });
        Self {
            key: Name(*key),
            tenant: Bytes(tenant.0.to_vec()),
            revision: *revision,
            state: *state as u8,
            epoch: *epoch,
            parent: parent.as_ref().map(Into::into),
            owner,
            labels,
            created_at: *created_at,
            expires_at: *expires_at,
            purge_after: *purge_after,
            used,
            payload: Bytes(payload.as_bytes().to_vec()),
        }
    }
}

impl TryFrom<Line> for Record {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Self, Self::Error> {
        let tenant = line.tenant.0.try_into().map_err(|_| "a tenant is 16 bytes")?;
        let owner = line.owner.map(|Ownership { client, subject }| {
            Arc::new(Owner { client: client.into(), subject: subject.map(Into::into) })
        });
        let labels = line.labels.map(|Texts { name, public_id, class }| Box::new(Labels { name, public_id, class }));
        Ok(Self {
            key: line.key.0,
            tenant: Tenant(tenant),
            revision: line.revision,
            state: State::from_number(line.state).ok_or("there is no such state")?,
            epoch: line.epoch,
            parent: line.parent.map(Into::into),
            owner,
            labels,
            created_at: line.created_at,
            expires_at: line.expires_at,
            purge_after: line.purge_after,
            used: line.used.map(|Spent { at, answer }| Box::new(Used { at, answer: answer.0.into() })),
            payload: Payload::new(line.payload.0),
        })
    }
}
