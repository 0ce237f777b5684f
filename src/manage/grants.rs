//! What a resource owner granted, and ending it.

use std::sync::Arc;

use super::{Found, ManageError};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, Revoked, What, Why};
use crate::grant::authorization::{Authorization, Place, grant_key};
use crate::grant::record;
use crate::id::{ClientId, GrantId, Subject};
use crate::store::{Commit, Committed, Condition, Cursor, Kind, Loaded, Page, Query, Record, State, Write};
use crate::token::fields::{Fields, tag};
use crate::wire::scope::Scope;

/// What resource owners have granted. See [`AuthorizationServer::grants`](crate::AuthorizationServer::grants).
#[derive(Debug, Clone, Copy)]
pub struct Grants<'a> {
    context: &'a Context,
}

/// A grant: one sign-in of one resource owner with one client, and the tokens that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// What it is called.
    pub id: GrantId,
    /// Who granted it.
    pub subject: Subject,
    /// To whom.
    pub client_id: ClientId,
    /// Which scope.
    pub scope: Scope,
    /// When.
    pub created_at: Timestamp,
    /// Until when at the latest.
    pub expires_at: Timestamp,
    /// Whether it was not revoked. One that is live here may have ended with its client or its resource owner.
    pub live: bool,
}

/// A client that a resource owner has let in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectedApp {
    /// Which client.
    pub client_id: ClientId,
    /// The scope that was agreed to, and is not asked for again.
    pub scope: Scope,
    /// Since when.
    pub created_at: Timestamp,
    /// How many grants it has had and may still have; some may have ended.
    pub grants: usize,
}

impl<'a> Grants<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// One page of the grants of a resource owner, newest first; `limit` is 1 to 1,000.
    pub async fn of(self, subject: &Subject, after: Option<Cursor>, limit: u32) -> Result<Found<Grant>, Failure> {
        let keys = &self.context.keys;
        let query = Query {
            partition: Some(keys.partition_of(subject)),
            subject: Some(keys.subject(subject)),
            ..Query::new(keys.tenant(), Kind::GRANT)
        };
        self.page(&query, after, limit, read).await
    }

    /// One page of the grants to a client, newest first; `limit` is 1 to 1,000.
    pub async fn to(self, client: &ClientId, after: Option<Cursor>, limit: u32) -> Result<Found<Grant>, Failure> {
        let keys = &self.context.keys;
        let query = Query { client: Some(keys.client(client)), ..Query::new(keys.tenant(), Kind::GRANT) };
        self.page(&query, after, limit, read).await
    }

    /// One page of the clients that a resource owner has let in, newest first; `limit` is 1 to 1,000.
    pub async fn apps(
        self,
        subject: &Subject,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Found<ConnectedApp>, Failure> {
        let keys = &self.context.keys;
        let query = Query {
            partition: Some(keys.partition_of(subject)),
            subject: Some(keys.subject(subject)),
            state: Some(State::Live),
            ..Query::new(keys.tenant(), Kind::AUTHORIZATION)
        };
        self.page(&query, after, limit, read_app).await
    }

    async fn page<T>(
        self,
        query: &Query,
        after: Option<Cursor>,
        limit: u32,
        read: impl Fn(&Record) -> Option<T>,
    ) -> Result<Found<T>, Failure> {
        let listing = self.context.list(query, &Page { after, limit }).await?;
        Ok(Found { items: listing.records.iter().filter_map(|record| read(record)).collect(), next: listing.next })
    }

    /// Ends a grant with all its tokens, at once. One that has ended already stays ended.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if there is no such grant, or no longer.
    pub async fn revoke(self, id: &GrantId) -> Result<(), ManageError> {
        let context = self.context;
        let (partition, name) = record::parse_grant_id(id).ok_or(ManageError::NotFound)?;
        let key = grant_key(&context.keys, partition, &name);
        let grant = context.load_one(key).await?.ok_or(ManageError::NotFound)?;
        if grant.record.state != State::Live {
            return Ok(());
        }
        let commit = record::end(&context.keys, &grant.record, Why::Host, context.now());
        match context.commit(&commit).await? {
            Committed::Applied => Ok(()),
            Committed::Refused(_) => Err(ManageError::NotFound),
        }
    }

    /// Ends all that a resource owner has granted to a client, codes that wait to be redeemed included, and forgets the
    /// consent.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if nothing was ever granted.
    pub async fn remove_app(self, subject: &Subject, client: &ClientId) -> Result<(), ManageError> {
        let context = self.context;
        let key = context.keys.authorization(subject, client);
        for _ in 0..crate::grant::ATTEMPTS {
            let loaded = context.load_one(key).await?.ok_or(ManageError::NotFound)?;
            let authorization = Authorization::read(&loaded.record).map_err(|_| Failure::Corrupt)?;
            let grants = context.load(&authorization.keys_of_grants(&context.keys, key.partition)).await?;
            let commit = self.removal(&loaded, &authorization, grants.iter().flatten());
            if context.commit(&commit).await? == Committed::Applied {
                return Ok(());
            }
        }
        Err(Failure::Contended.into())
    }

    fn removal<'l>(
        self,
        loaded: &Loaded,
        authorization: &Authorization,
        grants: impl Iterator<Item = &'l Loaded>,
    ) -> Commit {
        let context = self.context;
        let now = context.now();
        let present = &loaded.record;
        let emptied = Authorization::new(&authorization.subject, &authorization.client_id);
        let client = loaded.owner().map(|owner| owner.client);
        let link = client.unwrap_or(crate::store::Link { key: present.key, epoch: 0 });
        let place = Place::of(&context.keys, &authorization.subject, &authorization.client_id);
        let mut record = emptied.to_record(context.keys.tenant(), place, Some(present), link, present.purge_after, now);
        // Codes hang on the epoch: those that were issued and not yet redeemed end here.
        record.epoch = record.epoch.wrapping_add(1);
        let mut writes = vec![Write::Replace(Arc::new(record))];
        let living = grants.filter(|grant| grant.record.state == State::Live);
        writes.extend(living.map(|grant| Write::SetState { key: grant.record.key, state: State::Revoked }));
        let event = Event::new(now, What::Revoked { what: Revoked::Authorization, why: Why::Host })
            .client(&authorization.client_id)
            .subject(Some(&authorization.subject));
        Commit {
            conditions: vec![Condition::Unchanged { key: present.key, revision: present.revision }],
            writes,
            events: vec![event],
            ..context.keys.commit(present.key.partition, now)
        }
    }
}

fn read(record: &Record) -> Option<Grant> {
    let fields = Fields::read(record.payload.as_bytes()).ok()?;
    Some(Grant {
        id: record::id_of(record)?,
        subject: fields.text(tag::SUBJECT).ok()??.into(),
        client_id: fields.text(tag::CLIENT).ok()??.into(),
        scope: Scope::from_canonical(fields.text(tag::SCOPE).ok()?.unwrap_or_default()),
        created_at: record.created_at,
        expires_at: record.expires_at,
        live: record.state == State::Live,
    })
}

fn read_app(record: &Record) -> Option<ConnectedApp> {
    let authorization = Authorization::read(record).ok()?;
    // What was removed leaves an empty record behind until it is forgotten.
    let present = !authorization.scope.is_empty() || !authorization.grants.is_empty();
    present.then_some(ConnectedApp {
        client_id: authorization.client_id,
        scope: authorization.scope,
        created_at: record.created_at,
        grants: authorization.grants.len(),
    })
}
