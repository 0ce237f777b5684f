//! A new grant with its first tokens, and the place it takes among the others of its subject and client.

use std::borrow::Cow;
use std::sync::Arc;

use super::authorization::{Authorization, GrantName, Place, grant_key};
use super::record;
use super::terms::Granted;
use super::{TokenAnswer, Under};
use crate::client::{AuthenticatedClient, ClientMetadata};
use crate::clock::Timestamp;
use crate::config::{Lifetimes, Policy};
use crate::event::{Event, Revoked, What, Why};
use crate::extension::Parameters;
use crate::secret::SecretBytes;
use crate::store::{Commit, Condition, KeySpace, Link, Loaded, Owner, Partition, Payload, Record, State, Write};
use crate::token::fields::{Writer, tag};
use crate::token::mint::{Terms, mint};
use crate::wire::token::TokenKind;

/// Randomness for a family.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) access: SecretBytes,
    pub(crate) refresh: SecretBytes,
}

/// What a family is made from.
pub(crate) struct NewFamily<'a> {
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) owner: Arc<Owner>,
    pub(crate) name: GrantName,
    /// What the grant allows, now and when it is refreshed.
    pub(crate) granted: &'a Granted,
    /// What the first access token allows.
    pub(crate) first: &'a Granted,
    pub(crate) authenticated_at: Timestamp,
    /// On which device, as far as anybody said; else empty.
    pub(crate) device: &'a str,
    /// What the authorization request said in parameters of the host.
    pub(crate) parameters: &'a Parameters,
    pub(crate) grant_type: Cow<'static, str>,
    pub(crate) with_refresh: bool,
    /// The authorization that the grant is listed in, where it is kept, and its record, if there is one yet.
    pub(crate) authorization: Authorization,
    pub(crate) place: Place,
    pub(crate) present: Option<&'a Record>,
    /// The other grants in the list, in its order; empty while there is room for one more.
    pub(crate) siblings: &'a [Option<Loaded>],
}

/// How long things live for one client.
pub(crate) struct ClientLifetimes {
    access: std::time::Duration,
    refresh: std::time::Duration,
}

impl ClientLifetimes {
    pub(crate) fn of(lifetimes: &Lifetimes, metadata: &ClientMetadata) -> Self {
        let or = |own: Option<u64>, common| own.map_or(common, std::time::Duration::from_secs);
        Self {
            access: or(metadata.access_token_lifetime, lifetimes.access_token),
            refresh: or(metadata.refresh_token_lifetime, lifetimes.refresh_token),
        }
    }

    pub(crate) fn access_until(&self, now: Timestamp) -> Timestamp {
        now.after(self.access)
    }

    /// When an access token ends that is issued under a grant that ends at `grant`.
    pub(crate) fn access_within(&self, now: Timestamp, grant: Timestamp) -> Timestamp {
        self.access_until(now).min(grant)
    }

    /// When a refresh token ends that is issued under a grant that ends at `grant`.
    pub(crate) fn refresh_within(&self, now: Timestamp, grant: Timestamp) -> Timestamp {
        now.after(self.refresh).min(grant)
    }
}

/// Whether the list is so long that the others must be looked at before one is added.
pub(crate) fn is_full(policy: &Policy, authorization: &Authorization) -> bool {
    authorization.grants.len() >= most(policy)
}

fn most(policy: &Policy) -> usize {
    usize::try_from(policy.limits.grants_per_subject_and_client).unwrap_or(usize::MAX)
}

/// The commit that makes the family, and what the client is told. The caller adds what the family is bought with.
pub(crate) fn found(
    policy: &Policy,
    keys: &KeySpace,
    new: NewFamily<'_>,
    drawn: &Drawn,
    now: Timestamp,
) -> (Commit, TokenAnswer) {
    let skew = policy.lifetimes.clock_skew;
    let lifetimes = ClientLifetimes::of(&policy.lifetimes, new.client.client().metadata());
    let partition = new.place.subject.partition;
    let ends = if new.with_refresh { now.after(policy.lifetimes.grant) } else { lifetimes.access_until(now) };

    let grant = grant_record(keys, partition, &new, ends, now, skew);
    let parent = Some(Link { key: grant.key, epoch: grant.epoch });
    let access_ends = lifetimes.access_within(now, ends);
    let (access_token, access) = mint(
        keys,
        TokenKind::Access,
        partition,
        drawn.access.expose(),
        Terms {
            parent,
            owner: None,
            created_at: now,
            expires_at: access_ends,
            purge_after: access_ends.after(skew),
            payload: difference(new.granted, new.first),
        },
    );
    let (refresh_token, refresh) = Option::unzip(new.with_refresh.then(|| {
        let ends = lifetimes.refresh_within(now, ends);
        let terms = Terms {
            parent,
            owner: None,
            created_at: now,
            expires_at: ends,
            purge_after: ends.after(skew),
            payload: Payload::default(),
        };
        mint(keys, TokenKind::Refresh, partition, drawn.refresh.expose(), terms)
    }));

    let answer = TokenAnswer {
        access_token,
        record: Arc::clone(&access),
        under: Under::Grant(Arc::clone(&grant)),
        refresh_token,
        expires_in: access_ends.seconds_from(now),
        scope: new.first.scope.clone(),
    };
    let issued = What::Issued { grant_type: new.grant_type.clone(), scope: new.first.scope.clone() };
    let event = Event::new(now, issued)
        .client(&new.authorization.client_id)
        .subject(Some(&new.authorization.subject))
        .grant(Some(record::grant_id(partition, &new.name)));
    // With room for what the caller adds.
    let mut commit = Commit {
        conditions: Vec::with_capacity(2),
        writes: Vec::with_capacity(5),
        events: vec![event],
        ..keys.commit(partition, now)
    };
    enlist(&mut commit, policy, new, ends.after(skew), now);
    commit.writes.extend([Write::Insert(grant), Write::Insert(access)]);
    commit.writes.extend(refresh.map(Write::Insert));
    (commit, answer)
}

fn grant_record(
    keys: &KeySpace,
    partition: Partition,
    new: &NewFamily<'_>,
    ends: Timestamp,
    now: Timestamp,
    skew: std::time::Duration,
) -> Arc<Record> {
    let payload = Writer::new()
        .bytes(tag::GRANT, &new.name)
        .text(tag::SUBJECT, new.authorization.subject.as_str())
        .text(tag::CLIENT, new.authorization.client_id.as_str())
        .text(tag::SCOPE, new.granted.scope.as_str())
        .texts(tag::RESOURCE, new.granted.resources.iter().map(crate::wire::uri::Resource::as_str))
        .number(tag::AUTHENTICATED_AT, new.authenticated_at.as_millis())
        .text(tag::GRANT_TYPE, &new.grant_type)
        .optional((!new.device.is_empty()).then_some(new.device), |writer, device| writer.text(tag::DEVICE, device))
        .texts(tag::PARAMETER, new.parameters.texts())
        .payload();
    Arc::new(Record {
        key: grant_key(keys, partition, &new.name),
        tenant: keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: Some(Arc::clone(&new.owner)),
        labels: None,
        created_at: now,
        expires_at: ends,
        purge_after: ends.after(skew),
        used: None,
        payload,
    })
}

/// Adds the grant to the list of its subject and client; where there is no room, the oldest that still lives makes
/// some.
fn enlist(commit: &mut Commit, policy: &Policy, new: NewFamily<'_>, needed_until: Timestamp, now: Timestamp) {
    let mut list = new.authorization;
    if is_full(policy, &list) {
        let mut living: Vec<(GrantName, &Loaded)> = Vec::new();
        for (name, sibling) in list.grants.iter().zip(new.siblings) {
            if let Some(sibling) = sibling
                && sibling.record.state == State::Live
                && !sibling.record.expires_at.has_come(now)
            {
                living.push((*name, sibling));
            }
        }
        // One place is for the new grant.
        let surplus = living.len().saturating_add(1).saturating_sub(most(policy));
        for (name, oldest) in living.drain(..surplus.min(living.len())) {
            commit.writes.push(Write::SetState { key: oldest.record.key, state: State::Revoked });
            let event = What::Revoked { what: Revoked::Grant, why: Why::TooMany };
            commit.events.push(
                Event::new(now, event)
                    .client(&list.client_id)
                    .subject(Some(&list.subject))
                    .grant(Some(record::grant_id(commit.partition, &name))),
            );
        }
        list.grants = living.into_iter().map(|(name, _)| name).collect();
    }
    list.grants.push(new.name);
    list.keep_consent_to(new.present, new.owner.client);
    let record = Arc::new(list.to_record(commit.tenant, new.place, new.present, &new.owner, needed_until, now));
    match new.present {
        Some(present) => {
            commit.conditions.push(Condition::Unchanged { key: present.key, revision: present.revision });
            commit.writes.push(Write::Replace(record));
        }
        None => commit.writes.push(Write::Insert(record)),
    }
}

/// The payload of a token that allows less than its grant; empty where it allows all of it.
pub(crate) fn difference(granted: &Granted, token: &Granted) -> Payload {
    if token == granted {
        return Payload::default();
    }
    let mut writer = Writer::new();
    if token.scope != granted.scope {
        writer = writer.text(tag::SCOPE, token.scope.as_str());
    }
    if token.resources != granted.resources {
        writer = writer.texts(tag::RESOURCE, token.resources.iter().map(crate::wire::uri::Resource::as_str));
    }
    writer.payload()
}
