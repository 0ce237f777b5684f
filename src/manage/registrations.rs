//! Clients that registered themselves: what lets them in, and what becomes of those that nobody uses.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Found, ManageError};
use crate::client::{Client, InitialAccess, Origin, decode, use_mark};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::secret::{Secret, SecretBytes};
use crate::store::{Commit, Committed, Condition, Cursor, Key, Kind, Order, Page, Query, Record, State, Write};
use crate::token::mint::{Terms, mint};
use crate::wire::token::TokenKind;

/// Clients that registered themselves. See [`AuthorizationServer::registrations`](crate::AuthorizationServer::registrations).
#[derive(Debug, Clone, Copy)]
pub struct Registrations<'a> {
    context: &'a Context,
}

/// An initial access token to be made (RFC 7591 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInitialAccessToken {
    /// For whom it is; at most 200 characters. A policy is told it.
    pub label: String,
    /// How many clients it may register; at least 1.
    pub uses: u32,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

/// An initial access token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitialAccessToken {
    /// What it is called: not secret, and of no use as a token.
    pub id: String,
    /// For whom it is.
    pub label: String,
    /// How many clients it may register.
    pub uses: u32,
    /// How many it has registered.
    pub used: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

/// What [`Registrations::purge_unused`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgedUnused {
    /// How many clients were deleted.
    pub removed: u32,
    /// Where to go on; `None` when all have been looked at.
    pub next: Option<Cursor>,
}

impl<'a> Registrations<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// Makes an initial access token. It is in the answer and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ManageError::Label`] for a label that is too long or has control characters, [`ManageError::Uses`] for no uses
    /// at all.
    pub async fn issue(self, new: NewInitialAccessToken) -> Result<(InitialAccessToken, Secret), ManageError> {
        let random = SecretBytes::new(self.context.draw()?);
        let (described, token, committed) = self.make(new, &random).await?;
        match committed {
            Committed::Applied => Ok((described, token)),
            Committed::Refused(_) => Err(Failure::Entropy.into()),
        }
    }

    /// The same from given randomness; where it was done before, what was made then.
    #[cfg(feature = "api")]
    pub(crate) async fn issue_from(
        self,
        new: NewInitialAccessToken,
        random: SecretBytes,
    ) -> Result<(InitialAccessToken, Secret), ManageError> {
        let (described, token, committed) = self.make(new, &random).await?;
        if committed == Committed::Applied {
            return Ok((described, token));
        }
        let desk = self.context.keys.registration_desk();
        let key = self.context.keys.drawn(Kind::INITIAL_ACCESS_TOKEN, desk, random.expose());
        let there = self.context.load_one(key).await?.and_then(|loaded| describe(&loaded.record));
        Ok((there.ok_or(Failure::Contended)?, token))
    }

    async fn make(
        self,
        new: NewInitialAccessToken,
        random: &SecretBytes,
    ) -> Result<(InitialAccessToken, Secret, Committed), ManageError> {
        let context = self.context;
        if new.label.chars().count() > 200 || new.label.chars().any(char::is_control) {
            return Err(ManageError::Label);
        }
        if new.uses == 0 {
            return Err(ManageError::Uses);
        }
        let now = context.now();
        let access = InitialAccess { label: new.label, uses: new.uses, used: 0 };
        let terms = Terms {
            parent: None,
            owner: None,
            created_at: now,
            expires_at: new.expires_at,
            // Nothing refers to it.
            purge_after: new.expires_at,
            payload: access.payload().ok_or(Failure::Corrupt)?,
        };
        let desk = context.keys.registration_desk();
        let (token, record) = mint(&context.keys, TokenKind::InitialAccess, desk, random.expose(), terms);
        let described = describe(&record).ok_or(Failure::Corrupt)?;
        let commit = Commit {
            writes: vec![Write::Insert(record)],
            events: vec![Event::new(now, What::InitialAccessTokenIssued)],
            ..context.keys.commit(desk, now)
        };
        let committed = context.commit(&commit).await?;
        Ok((described, token, committed))
    }

    /// One page of the initial access tokens, newest first; `limit` is 1 to 1,000.
    pub async fn tokens(self, after: Option<Cursor>, limit: u32) -> Result<Found<InitialAccessToken>, Failure> {
        let query = Query::new(self.context.keys.tenant(), Kind::INITIAL_ACCESS_TOKEN);
        let listing = self.context.list(&query, &Page { after, limit: limit.clamp(1, 1_000) }).await?;
        let items = listing.records.iter().filter_map(|record| describe(record)).collect();
        Ok(Found { items, next: listing.next })
    }

    /// Ends an initial access token, by its [`id`](InitialAccessToken::id). What it has registered stays.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if there is none of this name.
    pub async fn revoke(self, id: &str) -> Result<(), ManageError> {
        let context = self.context;
        let name =
            URL_SAFE_NO_PAD.decode(id).ok().and_then(|name| name.try_into().ok()).ok_or(ManageError::NotFound)?;
        let desk = context.keys.registration_desk();
        let key = Key { partition: desk, kind: Kind::INITIAL_ACCESS_TOKEN, id: name };
        let now = context.now();
        let commit = Commit {
            writes: vec![Write::Delete(key)],
            events: vec![Event::new(now, What::InitialAccessTokenRevoked)],
            ..context.keys.commit(desk, now)
        };
        match context.commit(&commit).await? {
            Committed::Applied => Ok(()),
            Committed::Refused(_) => Err(ManageError::NotFound),
        }
    }

    /// One page of the clients that registered themselves, newest first; `limit` is 1 to 1,000. A page may have fewer
    /// than that and others still come.
    pub async fn clients(self, after: Option<Cursor>, limit: u32) -> Result<Found<Arc<Client>>, Failure> {
        let query = Query::new(self.context.keys.tenant(), Kind::REGISTRATION);
        let listing = self.context.list(&query, &Page { after, limit: limit.clamp(1, 1_000) }).await?;
        let keys: Vec<Key> = listing.records.iter().filter_map(|mark| client_key(mark)).collect();
        let found = self.context.load(&keys).await?;
        let clients = found.into_iter().flatten().filter_map(|loaded| decode(&loaded.record));
        let items = clients.filter(|client| client.state() != State::Deleted).collect();
        Ok(Found { items, next: listing.next })
    }

    /// Deletes clients that registered themselves more than `unused_for` ago and that nobody uses: no user has let them
    /// in, and no secret of theirs was used since. Looks at `limit` of them (1 to 1,000), oldest first; call it now and
    /// then, and go on from [`PurgedUnused::next`].
    ///
    /// A client that was once let in stays until what it was granted has been forgotten.
    pub async fn purge_unused(
        self,
        unused_for: Duration,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<PurgedUnused, Failure> {
        let context = self.context;
        let query = Query { order: Order::OldestFirst, ..Query::new(context.keys.tenant(), Kind::REGISTRATION) };
        let listing = context.list(&query, &Page { after, limit: limit.clamp(1, 1_000) }).await?;
        let since = context.now().before(unused_for);
        let mut purged = PurgedUnused { removed: 0, next: listing.next };
        for mark in &listing.records {
            if mark.created_at > since {
                // Younger ones follow.
                purged.next = None;
                break;
            }
            let Some(key) = client_key(mark) else { continue };
            let loaded = context.load_one(key).await?;
            let client = loaded.as_ref().and_then(|loaded| decode(&loaded.record));
            if self.remove_unused(mark, client.as_deref(), since).await? {
                purged.removed = purged.removed.saturating_add(1);
            }
        }
        Ok(purged)
    }

    /// Removes a client that is not used, with its mark and its token; where only these are left, these.
    async fn remove_unused(self, mark: &Record, client: Option<&Client>, since: Timestamp) -> Result<bool, Failure> {
        let context = self.context;
        let now = context.now();
        let mut commit =
            Commit { writes: vec![Write::Delete(mark.key)], ..context.keys.commit(mark.key.partition, now) };
        let Some(client) = client else {
            // Forgotten long after it was deleted.
            let _ = context.commit(&commit).await?;
            return Ok(false);
        };
        // One that an administrator deactivated stays as it is: forgotten, it could register anew.
        if client.origin() != Origin::Registration
            || client.state() == State::Inactive
            || (client.state() == State::Live && self.is_used(client, since).await?)
        {
            return Ok(false);
        }
        if let Some(id) = client.own_account().and_then(|own| own.token) {
            let key = Key { partition: mark.key.partition, kind: Kind::REGISTRATION_TOKEN, id };
            commit.writes.push(Write::Delete(key));
        }
        let live = client.state() == State::Live;
        if live {
            // Nothing was issued to it, so that nothing would have to be told dead by a tombstone.
            commit.conditions.push(Condition::Unchanged { key: client.key(), revision: client.revision() });
            commit.writes.push(Write::Delete(client.key()));
            commit.events.push(Event::new(now, What::ClientDeleted).client(client.id()));
        }
        // Refused: it was changed meanwhile, so somebody uses it.
        Ok(context.commit(&commit).await? == Committed::Applied && live)
    }

    async fn is_used(self, client: &Client, since: Timestamp) -> Result<bool, Failure> {
        let context = self.context;
        let query = Query { client: Some(client.key()), ..Query::new(context.keys.tenant(), Kind::AUTHORIZATION) };
        if !context.list(&query, &Page { after: None, limit: 1 }).await?.records.is_empty() {
            return Ok(true);
        }
        let marks: Vec<Key> = client.secrets().iter().map(|secret| use_mark(&context.keys, client, secret)).collect();
        let marks = context.load(&marks).await?;
        Ok(marks.into_iter().flatten().any(|mark| mark.record.created_at > since))
    }
}

/// The client that this mark stands for; `None` for what is no such mark.
fn client_key(mark: &Record) -> Option<Key> {
    mark.owner.as_ref().map(|owner| owner.client.key)
}

fn describe(record: &Record) -> Option<InitialAccessToken> {
    let InitialAccess { label, uses, used } = InitialAccess::read(record)?;
    let (created_at, expires_at) = (record.created_at, record.expires_at);
    Some(InitialAccessToken { id: URL_SAFE_NO_PAD.encode(record.key.id), label, uses, used, created_at, expires_at })
}
