//! What a subject has allowed a client: one record for each pair, in the subject's partition.
//!
//! It holds the remembered consent and the list of live grants. Every new grant replaces it on condition that nobody
//! else has, which makes the limit on grants exact however many sign in at once.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::{ClientId, Subject};
use crate::store::{Key, KeySpace, Link, Owner, Payload, Record, State, Tenant};
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// The name of a grant: 128 random bits.
pub(crate) type GrantName = [u8; 16];

/// Where an authorization is kept, and its subject: each hashed once, and handed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) authorization: Key,
    pub(crate) subject: Key,
}

impl Place {
    pub(crate) fn of(keys: &KeySpace, subject: &Subject, client_id: &ClientId) -> Self {
        let subject_key = keys.subject(subject);
        Self { authorization: keys.authorization_beside(subject_key, subject, client_id), subject: subject_key }
    }
}

/// The payload of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) subject: Subject,
    pub(crate) client_id: ClientId,
    /// What was consented to, and until when that is remembered.
    pub(crate) scope: Scope,
    /// Where; empty for anywhere.
    pub(crate) resources: Vec<Resource>,
    pub(crate) remembered_until: Timestamp,
    /// Oldest first; some may have ended since.
    pub(crate) grants: Vec<GrantName>,
}

impl Authorization {
    pub(crate) fn new(subject: &Subject, client_id: &ClientId) -> Self {
        Self {
            subject: subject.clone(),
            client_id: client_id.clone(),
            scope: Scope::empty(),
            resources: Vec::new(),
            remembered_until: Timestamp::from_millis(i64::MIN),
            grants: Vec::new(),
        }
    }

    pub(crate) fn read(record: &Record) -> Result<Self, Unreadable> {
        let fields = Fields::read(record.payload.as_bytes())?;
        Ok(Self {
            subject: Subject::from(fields.text(tag::SUBJECT)?.ok_or(Unreadable)?),
            client_id: ClientId::from(fields.text(tag::CLIENT)?.ok_or(Unreadable)?),
            scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
            resources: read_resources(fields)?,
            remembered_until: Timestamp::from_millis(fields.number(tag::CONSENTED_UNTIL)?.ok_or(Unreadable)?),
            grants: fields
                .all(tag::GRANT)
                .map(|name| name.try_into().map_err(|_| Unreadable))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The keys of the grants, in their order.
    pub(crate) fn keys_of_grants(&self, keys: &KeySpace, partition: crate::store::Partition) -> Vec<Key> {
        self.grants.iter().map(|name| grant_key(keys, partition, name)).collect()
    }

    /// Whether the consent in this record was given to the client of this link: to a client that was deactivated since,
    /// or deleted and its identifier given to another, none was.
    pub(crate) fn is_of(record: &Record, client: Link) -> bool {
        record.owner.as_ref().is_some_and(|owner| owner.client == client)
    }

    /// Forgets consent that was given to another client of the same name.
    pub(crate) fn keep_consent_to(&mut self, present: Option<&Record>, client: Link) {
        if present.is_some_and(|present| !Self::is_of(present, client)) {
            self.scope = Scope::empty();
            self.resources.clear();
            self.remembered_until = Timestamp::from_millis(i64::MIN);
        }
    }

    /// Whether consent to all of this is remembered.
    pub(crate) fn remembers(&self, scope: &Scope, resources: &[Resource], now: Timestamp) -> bool {
        !self.remembered_until.has_come(now)
            && scope.is_subset_of(&self.scope)
            && are_within(resources, &self.resources)
    }

    /// Remembers consent to this, until `until`, beside what was consented to before.
    ///
    /// What is remembered is one scope at one set of resources. Adding up both would put words into the user's mouth:
    /// who lets a client read here and write there has not let it write here. So only one of them grows; where both
    /// differ, the newer consent stands alone, and the client asks again. What is remembered already is not remembered
    /// for longer: nobody need have been asked.
    pub(crate) fn remember(&mut self, scope: &Scope, resources: &[Resource], now: Timestamp, until: Timestamp) {
        if self.remembers(scope, resources, now) {
            return;
        }
        let valid = !self.remembered_until.has_come(now);
        let covers_old = self.scope.is_subset_of(scope) && are_within(&self.resources, resources);
        let same_place = are_within(resources, &self.resources) && are_within(&self.resources, resources);
        if valid && !covers_old && same_place {
            self.scope = self.scope.union(scope);
        } else if valid && !covers_old && *scope == self.scope {
            let new = resources.iter().filter(|resource| !self.resources.contains(resource));
            self.resources = self.resources.iter().chain(new).cloned().collect();
        } else {
            self.scope = scope.clone();
            self.resources = resources.to_vec();
            self.remembered_until = until;
        }
    }

    fn payload(&self) -> Payload {
        let writer = Writer::new()
            .text(tag::SUBJECT, self.subject.as_str())
            .text(tag::CLIENT, self.client_id.as_str())
            .text(tag::SCOPE, self.scope.as_str())
            .texts(tag::RESOURCE, self.resources.iter().map(Resource::as_str))
            .number(tag::CONSENTED_UNTIL, self.remembered_until.as_millis());
        self.grants.iter().fold(writer, |writer, name| writer.bytes(tag::GRANT, name)).payload()
    }

    /// The record, in place of `present` or new, beside what has this `owner`.
    pub(crate) fn to_record(
        &self,
        tenant: Tenant,
        place: Place,
        present: Option<&Record>,
        owner: &Arc<Owner>,
        needed_until: Timestamp,
        now: Timestamp,
    ) -> Record {
        // The subject's own state is checked on codes and grants; here the name alone is wanted, for lists.
        let own = Owner { client: owner.client, subject: Some(Link { key: place.subject, epoch: 0 }) };
        let before = present.map_or(Timestamp::from_millis(i64::MIN), |record| record.purge_after);
        Record {
            key: place.authorization,
            tenant,
            // As the store will have it, so that it can keep this record and need not make another.
            revision: present.map_or(1, |record| record.revision.saturating_add(1)),
            state: State::Live,
            epoch: present.map_or(0, |record| record.epoch),
            parent: None,
            owner: Some(if **owner == own { Arc::clone(owner) } else { Arc::new(own) }),
            labels: None,
            created_at: present.map_or(now, |record| record.created_at),
            expires_at: Timestamp::NEVER,
            purge_after: before.max(needed_until).max(self.remembered_until),
            used: None,
            payload: self.payload(),
        }
    }
}

/// Whether consent for `granted` covers `asked`. No resource at all means any, which only consent for any covers.
fn are_within(asked: &[Resource], granted: &[Resource]) -> bool {
    granted.is_empty() || (!asked.is_empty() && asked.iter().all(|resource| granted.contains(resource)))
}

/// The key of a grant with this name.
pub(crate) fn grant_key(keys: &KeySpace, partition: crate::store::Partition, name: &GrantName) -> Key {
    keys.drawn(crate::store::Kind::GRANT, partition, name)
}

pub(crate) fn read_resources(fields: Fields<'_>) -> Result<Vec<Resource>, Unreadable> {
    fields.texts(tag::RESOURCE).map(|text| Resource::parse(text?).map_err(|_| Unreadable)).collect()
}
