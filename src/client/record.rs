//! A client as it is kept: its metadata, and the digests of its secrets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ClientMetadata, Software};
use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::store::{Key, Labels, Link, Loaded, Payload, Record, State, Tenant};

/// A registered client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    id: ClientId,
    stored: Stored,
    state: State,
    created_at: Timestamp,
    revision: u64,
    link: Link,
}

/// The payload of a client's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    metadata: ClientMetadata,
    secrets: Vec<StoredSecret>,
    /// Absent where the host registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<OwnAccount>,
}

/// What there is of a client that described itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnAccount {
    pub(crate) origin: Origin,
    pub(crate) software: Software,
    /// Which registration access token is the current one, by the name of its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<[u8; 32]>,
}

/// Who described a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// The host, which knows whom it lets in.
    Host,
    /// The client itself, by registering (RFC 7591): what it says of itself nobody has checked.
    Registration,
    /// The client itself, in a document at the URL that is its identifier: it belongs to whoever has that host.
    Document,
}

/// A secret as it is kept: everything but the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredSecret {
    pub(crate) id: u32,
    pub(crate) label: String,
    pub(crate) digest: [u8; 32],
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A host may have chosen a weak secret: whoever has its digest can try guesses.
        f.debug_struct("StoredSecret").field("id", &self.id).field("label", &self.label).finish_non_exhaustive()
    }
}

/// What can be told of a client's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Which one, among the client's.
    pub id: u32,
    /// What people call it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer authenticates; [`Timestamp::NEVER`] for one that does not expire.
    pub expires_at: Timestamp,
    /// When it last authenticated, to the hour; `None` if it never did.
    pub last_used_at: Option<Timestamp>,
}

impl Client {
    /// Its identifier.
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// What is registered of it.
    pub const fn metadata(&self) -> &ClientMetadata {
        &self.stored.metadata
    }

    /// Whether it may do anything: [`State::Live`], [`State::Inactive`] or [`State::Deleted`].
    pub const fn state(&self) -> State {
        self.state
    }

    /// When it was registered.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Raised by every change: give it to an update to be told of changes in between.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Who described it.
    pub fn origin(&self) -> Origin {
        self.stored.own.as_ref().map_or(Origin::Host, |own| own.origin)
    }

    /// What it told of itself beyond its metadata, where it described itself.
    pub(crate) const fn own_account(&self) -> Option<&OwnAccount> {
        self.stored.own.as_ref()
    }

    /// The name to show: its `client_name`, or its identifier where it has none.
    pub fn display_name(&self) -> &str {
        if self.stored.metadata.client_name.is_empty() { self.id.as_str() } else { &self.stored.metadata.client_name }
    }

    pub(crate) const fn link(&self) -> Link {
        self.link
    }

    pub(crate) fn secrets(&self) -> &[StoredSecret] {
        &self.stored.secrets
    }

    /// A client that is not yet in the store.
    pub(crate) fn new(
        id: ClientId,
        metadata: ClientMetadata,
        secrets: Vec<StoredSecret>,
        link: Link,
        now: Timestamp,
    ) -> Self {
        let stored = Stored { metadata, secrets, own: None };
        Self { id, stored, state: State::Live, created_at: now, revision: 1, link }
    }

    /// The same client, which described itself.
    #[must_use]
    pub(crate) fn by_own_account(mut self, own: OwnAccount) -> Self {
        self.stored.own = Some(own);
        self
    }

    /// The same client with other metadata and secrets.
    #[must_use]
    pub(crate) fn with(&self, metadata: ClientMetadata, secrets: Vec<StoredSecret>) -> Self {
        Self { stored: Stored { metadata, secrets, own: self.stored.own.clone() }, ..self.clone() }
    }

    /// The same client in another state. All that was issued to it before ends for good.
    #[must_use]
    pub(crate) fn in_state(&self, state: State) -> Self {
        let link = Link { epoch: self.link.epoch.wrapping_add(1), ..self.link };
        Self { state, link, ..self.clone() }
    }

    /// Its record; `purge_after` is [`Timestamp::NEVER`] until it is deleted.
    pub(crate) fn to_record(&self, tenant: Tenant, purge_after: Timestamp) -> Result<Record, serde_json::Error> {
        Ok(Record {
            key: self.link.key,
            tenant,
            revision: self.revision,
            state: self.state,
            epoch: self.link.epoch,
            parent: None,
            owner: None,
            labels: Some(Box::new(Labels {
                name: self.stored.metadata.client_name.clone(),
                public_id: self.id.as_str().to_owned(),
                class: self.stored.metadata.token_endpoint_auth_method.as_str().to_owned(),
            })),
            created_at: self.created_at,
            expires_at: Timestamp::NEVER,
            purge_after,
            used: None,
            payload: Payload::new(serde_json::to_vec(&self.stored)?),
        })
    }
}

impl StoredSecret {
    pub(crate) fn is_current(&self, now: Timestamp) -> bool {
        !self.expires_at.has_come(now)
    }
}

/// The client in a record, decoded once for as long as the store keeps the record in memory; `None` if it is none of
/// ours to read.
pub(crate) fn decode(record: &Record) -> Option<Arc<Client>> {
    record
        .payload
        .decoded(|bytes| {
            let stored: Stored = serde_json::from_slice(bytes).map_err(|_| ())?;
            let labels = record.labels.as_ref().ok_or(())?;
            Ok::<_, ()>(Client {
                id: ClientId::from(labels.public_id.as_str()),
                stored,
                state: record.state,
                created_at: record.created_at,
                revision: record.revision,
                link: Link { key: record.key, epoch: record.epoch },
            })
        })
        .ok()
}

impl Client {
    /// The client that was loaded under `key`, whatever its state.
    pub(crate) fn loaded(loaded: Option<&Loaded>) -> Option<Arc<Self>> {
        loaded.and_then(|loaded| decode(&loaded.record))
    }

    /// Whether its record could only have come from a mistake: a secret beside a method that takes none, or no secret
    /// beside one that does.
    pub(crate) fn is_inconsistent(&self) -> bool {
        self.metadata().token_endpoint_auth_method.takes_secret() == self.secrets().is_empty()
    }

    /// The key of its record.
    pub(crate) const fn key(&self) -> Key {
        self.link.key
    }
}
