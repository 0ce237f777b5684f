//! What a resource owner granted, and ending it.

use std::sync::Arc;

use super::grant::{Grant, load_all};
use super::{Found, ManageError};
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, Revoked, What, Why};
use crate::grant::authorization::{Authorization, Place, grant_key};
use crate::grant::record;
use crate::id::{ClientId, GrantId, Subject};
use crate::store::{Commit, Committed, Condition, Cursor, Kind, Link, Loaded, Owner, Page, Query, State, Write};
use crate::token::mint;
use crate::wire::token::TokenKind;

/// What resource owners have granted. See [`AuthorizationServer::grants`](crate::AuthorizationServer::grants).
#[derive(Debug, Clone, Copy)]
pub struct Grants<'a> {
    pub(super) context: &'a Context,
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
        self.page(&query, after, limit).await
    }

    /// One page of the grants to a client, newest first; `limit` is 1 to 1,000.
    pub async fn to(self, client: &ClientId, after: Option<Cursor>, limit: u32) -> Result<Found<Grant>, Failure> {
        let keys = &self.context.keys;
        let query = Query { client: Some(keys.client(client)), ..Query::new(keys.tenant(), Kind::GRANT) };
        self.page(&query, after, limit).await
    }

    async fn page(self, query: &Query, after: Option<Cursor>, limit: u32) -> Result<Found<Grant>, Failure> {
        let listing = self.context.list(query, &Page { after, limit }).await?;
        let keys: Vec<_> = listing.records.iter().map(|record| record.key).collect();
        Ok(Found { items: load_all(self.context, &keys).await?, next: listing.next })
    }

    /// One grant; `None` if there is none of that name, or no longer.
    pub async fn get(self, id: &GrantId) -> Result<Option<Grant>, Failure> {
        let Some((partition, name)) = record::parse_grant_id(id) else { return Ok(None) };
        Ok(load_all(self.context, &[grant_key(&self.context.keys, partition, &name)]).await?.pop())
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

    /// The same, of this resource owner only: for a page on which people end what is their own.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] also if it is somebody else's.
    pub async fn revoke_own(self, subject: &Subject, id: &GrantId) -> Result<(), ManageError> {
        let grant = self.get(id).await?.filter(|grant| grant.subject == *subject);
        self.revoke(&grant.ok_or(ManageError::NotFound)?.id).await
    }

    /// Ends whatever this token belongs to: its grant with all its tokens, or the token that a client holds for itself.
    /// For one that leaked, or that is brought by somebody who is no client.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] for what is no token of this server, or no longer. Codes are none.
    pub async fn revoke_token(self, token: &str) -> Result<(), ManageError> {
        let context = self.context;
        let token = &*context.own_token(token);
        let held = |kind: &TokenKind| matches!(kind, TokenKind::Access | TokenKind::Refresh | TokenKind::Personal);
        let kind = TokenKind::of(token).filter(held).ok_or(ManageError::NotFound)?;
        let located = mint::locate(&context.keys, kind, token).ok_or(ManageError::NotFound)?;
        let loaded = context.load_one(located.key).await?.ok_or(ManageError::NotFound)?;
        let now = context.now();
        let commit = match loaded.parent.as_deref().filter(|parent| parent.key.kind == Kind::GRANT) {
            Some(grant) if grant.state == State::Live => record::end(&context.keys, grant, Why::Host, now),
            Some(_) => return Ok(()),
            None => {
                let client = loaded.client.as_deref().and_then(crate::client::decode);
                let event = Event::new(now, What::Revoked { what: Revoked::AccessToken, why: Why::Host });
                Commit {
                    writes: vec![Write::SetState { key: located.key, state: State::Revoked }],
                    events: vec![client.iter().fold(event, |event, client| event.client(client.id()))],
                    ..context.keys.commit(located.key.partition, now)
                }
            }
        };
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
        let nobody = || Arc::new(Owner { client: Link { key: present.key, epoch: 0 }, subject: None });
        let owner = loaded.owner().cloned().unwrap_or_else(nobody);
        let place = Place::of(&context.keys, &authorization.subject, &authorization.client_id);
        let mut record =
            emptied.to_record(context.keys.tenant(), place, Some(present), &owner, present.purge_after, now);
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
