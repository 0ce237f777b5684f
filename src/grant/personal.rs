//! Personal tokens: what a resource owner makes for a script of their own, without any client asking.
//!
//! Each is a grant with one token under it, to a client that the server keeps for them all: a public one with no grant
//! type and no redirect URI, that can do nothing but end a token (RFC 7009). All else follows from that: what ends a
//! grant, its resource owner or its client ends it too, and whoever verifies or introspects a token needs to know
//! nothing of it. The record of what a resource owner has allowed that client lists their tokens, and makes names unique
//! and the limit exact however many are made at once.

use std::sync::Arc;

use super::authorization::{Authorization, GrantName, Place, grant_key, read_resources};
use super::record;
use super::terms::Granted;
use crate::client::{AuthMethod, Client, ClientMetadata};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::id::{ClientId, Subject};
use crate::secret::{Secret, SecretBytes};
use crate::store::{Commit, Condition, Key, KeySpace, Labels, Link, Owner, Payload, Record, State, Write};
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::token::mint::{Terms, mint};
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;
use crate::wire::uri::Resource;

/// What events and records call the way in which they are granted.
pub(crate) const GRANT_TYPE: &str = "personal_token";

/// What the labels of their grants are filtered by.
pub(crate) const CLASS: &str = "personal_token";

/// For how long one that has expired is still shown.
const SHOWN: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// The identifier of the client that they are granted to.
pub(crate) const CLIENT_ID: &str = "personal-tokens";

pub(crate) fn client_id() -> ClientId {
    ClientId::from(CLIENT_ID)
}

/// What the grant of a personal token says.
#[derive(Debug, Clone)]
pub(crate) struct Personal {
    pub(crate) grant: GrantName,
    pub(crate) name: String,
    pub(crate) subject: Subject,
    pub(crate) granted: Granted,
    pub(crate) made_at: Timestamp,
}

impl Personal {
    /// `None` for the grant of another client.
    pub(crate) fn read(record: &Record) -> Result<Option<Self>, Unreadable> {
        let fields = Fields::read(record.payload.as_bytes())?;
        if fields.text(tag::CLIENT)? != Some(CLIENT_ID) {
            return Ok(None);
        }
        Ok(Some(Self {
            grant: fields.array(tag::GRANT)?.ok_or(Unreadable)?,
            name: fields.text(tag::NAME)?.ok_or(Unreadable)?.to_owned(),
            subject: fields.text(tag::SUBJECT)?.ok_or(Unreadable)?.into(),
            granted: Granted {
                scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
                resources: read_resources(fields)?,
            },
            made_at: Timestamp::from_millis(fields.number(tag::AUTHENTICATED_AT)?.ok_or(Unreadable)?),
        }))
    }

    pub(crate) fn payload(&self) -> Payload {
        Writer::new()
            .bytes(tag::GRANT, &self.grant)
            .text(tag::SUBJECT, self.subject.as_str())
            .text(tag::CLIENT, CLIENT_ID)
            .text(tag::SCOPE, self.granted.scope.as_str())
            .texts(tag::RESOURCE, self.granted.resources.iter().map(Resource::as_str))
            .number(tag::AUTHENTICATED_AT, self.made_at.as_millis())
            .text(tag::GRANT_TYPE, GRANT_TYPE)
            .text(tag::NAME, &self.name)
            .payload()
    }

    /// Whether people would take the two names for one.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }
}

/// The client that they are granted to. `None` until the first is made.
pub(crate) fn client_metadata() -> ClientMetadata {
    ClientMetadata {
        client_name: "Personal tokens".into(),
        token_endpoint_auth_method: AuthMethod::None,
        response_types: Vec::new(),
        ..ClientMetadata::default()
    }
}

/// The commit that makes the client.
pub(crate) fn found_client(context: &Context, now: Timestamp) -> Result<Commit, Failure> {
    let link = Link { key: context.keys.client(&client_id()), epoch: u64::from_be_bytes(context.draw()?) };
    let client = Client::new(client_id(), client_metadata(), Vec::new(), link, now);
    let record = client.to_record(context.keys.tenant(), Timestamp::NEVER).map_err(|_| Failure::Corrupt)?;
    Ok(Commit { writes: vec![Write::Insert(Arc::new(record))], ..context.keys.commit(link.key.partition, now) })
}

/// What a new one is made from.
pub(crate) struct NewPersonal<'a> {
    pub(crate) personal: &'a Personal,
    pub(crate) client: Link,
    /// The epoch of its resource owner.
    pub(crate) epoch: u64,
    pub(crate) expires_at: Timestamp,
    /// The list of those its resource owner has: its record, if there is one yet, and which of them are kept in it.
    pub(crate) present: Option<&'a Record>,
    pub(crate) kept: Vec<GrantName>,
}

/// The commit that makes it, and its text.
pub(crate) fn found(
    keys: &KeySpace,
    new: NewPersonal<'_>,
    random: &SecretBytes,
    skew: std::time::Duration,
    now: Timestamp,
) -> (Commit, Key, Secret) {
    let subject = &new.personal.subject;
    let partition = keys.partition_of(subject);
    let place = Place::of(keys, subject, &client_id());
    let subject_link = Link { key: place.subject, epoch: new.epoch };
    let owner = Arc::new(Owner { client: new.client, subject: Some(subject_link) });
    let id = record::grant_id(partition, &new.personal.grant);
    let purge_after = new.expires_at.after(skew).after(SHOWN);
    let grant = Record {
        key: grant_key(keys, partition, &new.personal.grant),
        tenant: keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: Some(Arc::clone(&owner)),
        labels: Some(Box::new(Labels {
            name: due_name(new.expires_at),
            public_id: id.as_str().to_owned(),
            class: CLASS.to_owned(),
        })),
        created_at: now,
        expires_at: new.expires_at,
        purge_after,
        used: None,
        payload: new.personal.payload(),
    };
    let terms = Terms {
        parent: Some(Link { key: grant.key, epoch: grant.epoch }),
        owner: None,
        created_at: now,
        expires_at: new.expires_at,
        purge_after: new.expires_at.after(skew),
        payload: Payload::default(),
    };
    let (text, token) = mint(keys, TokenKind::Personal, partition, random.expose(), terms);

    let place = Place::of(keys, subject, &client_id());
    let mut list = Authorization::new(subject, &client_id());
    list.grants = new.kept;
    list.grants.push(new.personal.grant);
    let list = Arc::new(list.to_record(keys.tenant(), place, new.present, &owner, purge_after, now));
    let (conditions, write) = match new.present {
        Some(present) => {
            (vec![Condition::Unchanged { key: present.key, revision: present.revision }], Write::Replace(list))
        }
        None => (Vec::new(), Write::Insert(list)),
    };
    let scope = new.personal.granted.scope.clone();
    let event = Event::new(now, What::Issued { grant_type: GRANT_TYPE.into(), scope })
        .client(&client_id())
        .subject(Some(subject))
        .grant(Some(id));
    let key = grant.key;
    let writes = vec![write, Write::Insert(Arc::new(grant)), Write::Insert(token)];
    (Commit { conditions, writes, events: vec![event], ..keys.commit(partition, now) }, key, text)
}

/// What the grant of one that ends then is listed by: moments sort as their names do.
pub(crate) fn due_name(expires_at: Timestamp) -> String {
    format!("{:020}", expires_at.as_millis().max(0))
}
