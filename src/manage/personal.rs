//! Personal tokens: what a resource owner makes for a script of their own.

use std::sync::Arc;
use std::time::Duration;

use super::grant::{Grant, load_all};
use super::{Found, ManageError};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{What, Why};
use crate::grant::authorization::{Authorization, GrantName, Place, grant_key};
use crate::grant::personal::{self, CLASS, NewPersonal, Personal, due_name};
use crate::grant::record;
use crate::grant::terms::Granted;
use crate::id::{GrantId, Subject};
use crate::secret::{Secret, SecretBytes};
use crate::store::{
    Commit, Committed, Condition, Cursor, Key, Kind, Loaded, Order, Page, Partition, Payload, Query, Record, State,
    Write,
};
use crate::token::liveness;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// The longest name, in characters.
const MAX_NAME: usize = 100;

const DAY: u64 = 24 * 3600;

/// Personal tokens. See [`AuthorizationServer::personal_tokens`](crate::AuthorizationServer::personal_tokens).
#[derive(Debug, Clone, Copy)]
pub struct PersonalTokens<'a> {
    context: &'a Context,
}

/// A personal token to be made.
#[derive(Debug, Clone)]
pub struct NewPersonalToken {
    /// What its owner calls it: 1 to 100 characters, like no other of theirs that counts (capitals make no difference).
    pub name: String,
    /// What it may do: some of [`PersonalTokens::allowed_scope`].
    pub scope: Scope,
    /// How long it lives: 1 second to [`Lifetimes::personal_token`](crate::Lifetimes::personal_token).
    pub lifetime: Duration,
    /// The resources it is addressed to (RFC 8707); none: all.
    pub resources: Vec<Resource>,
}

/// A personal token that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct PersonalToken {
    /// The token, told this once.
    pub token: Secret,
    /// Its grant.
    pub grant: Grant,
}

impl<'a> PersonalTokens<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// The scope that a personal token may have: what the host chose with
    /// [`Builder::personal_token_scope`](crate::Builder::personal_token_scope), or all but the server's own.
    pub fn allowed_scope(self) -> &'a Scope {
        &self.context.policy.personal_token_scope
    }

    /// How long one may live, for a list to choose from: 7, 30, 60, 90, 180 and 365 days as far as the maximum allows,
    /// and the maximum.
    pub fn lifetimes(self) -> Vec<Duration> {
        let most = self.context.policy.lifetimes.personal_token;
        let days = [7_u64, 30, 60, 90, 180, 365].map(|days| Duration::from_secs(days.saturating_mul(DAY)));
        let mut choices: Vec<Duration> = days.into_iter().filter(|days| *days < most).collect();
        choices.push(most);
        choices
    }

    /// Makes one. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ManageError::NameTaken`], [`ManageError::Name`], [`ManageError::ScopeNotAllowed`],
    /// [`ManageError::LifetimeNotAllowed`], [`ManageError::TooManyTokens`], and [`ManageError::Inactive`] for a
    /// resource owner who was deactivated.
    pub async fn create(self, subject: &Subject, new: NewPersonalToken) -> Result<PersonalToken, ManageError> {
        let (name, random) = (self.context.draw()?, SecretBytes::new(self.context.draw()?));
        self.make(subject, new, name, &random).await
    }

    /// Makes one of what was drawn elsewhere, once: if it was made already, that is what is answered.
    #[cfg(feature = "api")]
    pub(crate) async fn create_from(
        self,
        subject: &Subject,
        new: NewPersonalToken,
        name: GrantName,
        random: SecretBytes,
    ) -> Result<PersonalToken, ManageError> {
        let partition = self.context.keys.partition_of(subject);
        let key = grant_key(&self.context.keys, partition, &name);
        let made = self.make(subject, new, name, &random).await;
        let there = match &made {
            // Its own name, or its own self, may be what stands in the way.
            Err(_) => load_all(self.context, &[key]).await?.pop(),
            Ok(_) => None,
        };
        let Some(grant) = there else { return made };
        let token = crate::token::mint::text(
            &self.context.keys,
            crate::wire::token::TokenKind::Personal,
            partition,
            random.expose(),
        );
        Ok(PersonalToken { token, grant })
    }

    async fn make(
        self,
        subject: &Subject,
        new: NewPersonalToken,
        grant: GrantName,
        random: &SecretBytes,
    ) -> Result<PersonalToken, ManageError> {
        let context = self.context;
        self.check(subject, &new)?;
        self.check_rights(subject, &new.scope).await?;
        let now = context.now();
        let made = Personal {
            grant,
            name: new.name,
            subject: subject.clone(),
            granted: Granted { scope: new.scope, resources: new.resources },
            made_at: now,
        };
        let keys = [
            context.keys.client(&personal::client_id()),
            context.keys.authorization(subject, &personal::client_id()),
            context.keys.subject(subject),
        ];
        for _ in 0..crate::grant::ATTEMPTS {
            let [client, list, owner] = context.load_few(keys).await?;
            let Some(client) = Client::loaded(client.as_ref()) else {
                // If another node is quicker, its client is as good.
                let _ = context.commit(&personal::found_client(context, now)?).await?;
                continue;
            };
            let inactive = owner.as_ref().is_some_and(|owner| owner.record.state != State::Live);
            if inactive || client.state() != State::Live {
                return Err(ManageError::Inactive);
            }
            let new = NewPersonal {
                personal: &made,
                client: client.link(),
                epoch: owner.as_ref().map_or(0, |owner| owner.record.epoch),
                expires_at: now.after(new.lifetime),
                present: list.as_ref().map(|list| &*list.record),
                kept: self.kept(list.as_ref(), &made.name, now).await?,
            };
            let skew = context.policy.lifetimes.clock_skew;
            let (commit, key, token) = personal::found(&context.keys, new, random, skew, now);
            if context.commit(&commit).await? == Committed::Applied {
                let grant = load_all(context, &[key]).await?.pop().ok_or(Failure::Corrupt)?;
                return Ok(PersonalToken { token, grant });
            }
            // Another was made or deleted meanwhile, perhaps one of this name; or this very one was made before.
            let key = grant_key(&context.keys, context.keys.partition_of(subject), &made.grant);
            if context.load_one(key).await?.is_some() {
                return Err(ManageError::NameTaken);
            }
        }
        Err(Failure::Contended.into())
    }

    fn check(self, subject: &Subject, new: &NewPersonalToken) -> Result<(), ManageError> {
        let length = new.name.chars().count();
        let sound = (1..=MAX_NAME).contains(&length)
            && new.name.trim() == new.name
            && !new.name.chars().any(char::is_control)
            && subject.is_sound();
        if !sound {
            return Err(ManageError::Name);
        }
        let most = self.context.policy.lifetimes.personal_token;
        if new.lifetime < Duration::from_secs(1) || new.lifetime > most {
            return Err(ManageError::LifetimeNotAllowed);
        }
        if !new.resources.iter().all(|resource| self.context.policy.resource(resource).is_some()) {
            return Err(ManageError::ScopeNotAllowed);
        }
        self.check_scope(&new.scope, &new.resources)
    }

    fn check_scope(self, scope: &Scope, resources: &[Resource]) -> Result<(), ManageError> {
        let sensible = self.context.policy.scope_at(scope, resources) == *scope;
        let allowed = !scope.is_empty() && scope.is_subset_of(self.allowed_scope()) && sensible;
        if allowed { Ok(()) } else { Err(ManageError::ScopeNotAllowed) }
    }

    async fn check_rights(self, subject: &Subject, scope: &Scope) -> Result<(), ManageError> {
        let within = self.context.within_rights(subject, scope).await? == *scope;
        if within { Ok(()) } else { Err(ManageError::ScopeNotAllowed) }
    }

    /// Which of those in the list stay there when one more is made.
    async fn kept(self, list: Option<&Loaded>, name: &str, now: Timestamp) -> Result<Vec<GrantName>, ManageError> {
        let Some(list) = list else { return Ok(Vec::new()) };
        let limit = usize::try_from(self.context.policy.limits.personal_tokens_per_subject).unwrap_or(usize::MAX);
        let (mut kept, mut live) = (Vec::new(), 0_usize);
        for (record, personal) in self.listed(list).await? {
            if record.record.state != State::Live || liveness::check_roots(&record).is_err() {
                continue;
            }
            let expired = record.record.expires_at.has_come(now);
            if !expired && personal.is_called(name) {
                return Err(ManageError::NameTaken);
            }
            live = live.saturating_add(usize::from(!expired));
            kept.push((expired, personal.grant));
        }
        if live >= limit {
            return Err(ManageError::TooManyTokens);
        }
        // What has expired is shown for a while, but not at any length.
        let mut surplus = kept.len().saturating_sub(limit.saturating_mul(2));
        kept.retain(|(expired, _)| {
            let dropped = *expired && surplus > 0;
            surplus = surplus.saturating_sub(usize::from(dropped));
            !dropped
        });
        Ok(kept.into_iter().map(|(_, grant)| grant).collect())
    }

    /// The grants in a list, as far as they are there.
    async fn listed(self, list: &Loaded) -> Result<Vec<(Loaded, Personal)>, Failure> {
        let authorization = Authorization::read(&list.record).map_err(|_| Failure::Corrupt)?;
        let keys = authorization.keys_of_grants(&self.context.keys, list.record.key.partition);
        let loaded = self.context.load(&keys).await?;
        let read = |grant: Loaded| Some((Personal::read(&grant.record).ok()??, grant));
        Ok(loaded.into_iter().flatten().filter_map(read).map(|(personal, grant)| (grant, personal)).collect())
    }

    /// All of a resource owner's, newest first: those that count, and for 30 days those that have expired. Those that
    /// were deleted, or ended otherwise, are not among them.
    pub async fn of(self, subject: &Subject) -> Result<Vec<Grant>, Failure> {
        let context = self.context;
        let key = context.keys.authorization(subject, &personal::client_id());
        let Some(list) = context.load_one(key).await? else { return Ok(Vec::new()) };
        let list = Authorization::read(&list.record).map_err(|_| Failure::Corrupt)?;
        let keys = list.keys_of_grants(&context.keys, key.partition);
        let mut grants = load_all(context, &keys).await?;
        grants.retain(|grant| !grant.revoked);
        grants.reverse();
        Ok(grants)
    }

    /// One of a resource owner's; `None` if it is not theirs, or was deleted.
    pub async fn get(self, subject: &Subject, id: &GrantId) -> Result<Option<Grant>, Failure> {
        Ok(self.of(subject).await?.into_iter().find(|grant| grant.id == *id))
    }

    /// Gives one of a resource owner's another scope, in force at once for the token that they have.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if it is not theirs, or no longer counts; [`ManageError::ScopeNotAllowed`].
    pub async fn set_scope(self, subject: &Subject, id: &GrantId, scope: Scope) -> Result<Grant, ManageError> {
        self.set_scope_at(subject, id, None, scope).await
    }

    /// The same, if nobody changed it since it was read with this [`Grant::revision`].
    ///
    /// # Errors
    ///
    /// [`ManageError::Changed`] if somebody did.
    pub async fn set_scope_at(
        self,
        subject: &Subject,
        id: &GrantId,
        revision: Option<u64>,
        scope: Scope,
    ) -> Result<Grant, ManageError> {
        let context = self.context;
        for _ in 0..crate::grant::ATTEMPTS {
            let (loaded, personal) = self.own(subject, id).await?;
            if revision.is_some_and(|revision| revision != loaded.record.revision) {
                return Err(ManageError::Changed);
            }
            self.check_scope(&scope, &personal.granted.resources)?;
            self.check_rights(subject, &scope).await?;
            let present = &loaded.record;
            let changed =
                Personal { granted: Granted { scope: scope.clone(), ..personal.granted.clone() }, ..personal };
            let record = Record { payload: changed.payload(), ..Record::clone(present) };
            let what = What::PersonalTokenChanged { name: changed.name, scope: scope.clone() };
            let now = context.now();
            let commit = Commit {
                conditions: vec![Condition::Unchanged { key: present.key, revision: present.revision }],
                writes: vec![Write::Replace(Arc::new(record))],
                events: vec![record::event(present, what, now)],
                ..context.keys.commit(present.key.partition, now)
            };
            if context.commit(&commit).await? == Committed::Applied {
                return load_all(context, &[present.key]).await?.pop().ok_or(ManageError::NotFound);
            }
            // It was changed or deleted meanwhile: look again, so that what was deleted stays so.
        }
        Err(Failure::Contended.into())
    }

    /// Deletes one of a resource owner's: it ends at once, and its name is free again.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if it is not theirs, or has been deleted.
    pub async fn delete(self, subject: &Subject, id: &GrantId) -> Result<(), ManageError> {
        let context = self.context;
        for _ in 0..crate::grant::ATTEMPTS {
            let (partition, name) = record::parse_grant_id(id).ok_or(ManageError::NotFound)?;
            let keys = [
                context.keys.authorization(subject, &personal::client_id()),
                grant_key(&context.keys, partition, &name),
            ];
            if keys.iter().any(|key| key.partition != partition) {
                return Err(ManageError::NotFound);
            }
            let [list, grant] = context.load_few(keys).await?;
            let (list, grant) = list.zip(grant).ok_or(ManageError::NotFound)?;
            let mut authorization = Authorization::read(&list.record).map_err(|_| Failure::Corrupt)?;
            let owner = list.owner().ok_or(Failure::Corrupt)?;
            let listed = authorization.grants.len();
            authorization.grants.retain(|listed| *listed != name);
            if authorization.grants.len() == listed || grant.record.state != State::Live {
                return Err(ManageError::NotFound);
            }
            let now = context.now();
            let present = &list.record;
            let place = Place::of(&context.keys, subject, &personal::client_id());
            let (tenant, until) = (context.keys.tenant(), present.purge_after);
            let emptied = authorization.to_record(tenant, place, Some(present), owner, until, now);
            let mut commit = record::end(&context.keys, &grant.record, Why::Owner, now);
            commit.conditions.push(Condition::Unchanged { key: present.key, revision: present.revision });
            commit.writes.push(Write::Replace(Arc::new(emptied)));
            if context.commit(&commit).await? == Committed::Applied {
                return Ok(());
            }
        }
        Err(Failure::Contended.into())
    }

    /// One that is this resource owner's, and counts.
    async fn own(self, subject: &Subject, id: &GrantId) -> Result<(Loaded, Personal), ManageError> {
        let (partition, name) = record::parse_grant_id(id).ok_or(ManageError::NotFound)?;
        let key = grant_key(&self.context.keys, partition, &name);
        let loaded = self.context.load_one(key).await?.ok_or(ManageError::NotFound)?;
        let personal = Personal::read(&loaded.record).map_err(|_| Failure::Corrupt)?;
        let personal = personal.filter(|personal| personal.subject == *subject).ok_or(ManageError::NotFound)?;
        liveness::check(&loaded, self.context.now()).map_err(|_| ManageError::NotFound)?;
        Ok((loaded, personal))
    }

    /// One page of those of all resource owners that will expire within this time, the soonest first; `limit` is 1 to
    /// 1,000.
    pub async fn expiring(self, within: Duration, after: Option<Cursor>, limit: u32) -> Result<Found<Grant>, Failure> {
        let context = self.context;
        let now = context.now();
        let start = || Cursor { created_at: now, name: due_name(now), key: LOWEST };
        let query = Query {
            state: Some(State::Live),
            class: Some(CLASS.to_owned()),
            order: Order::Name,
            ..Query::new(context.keys.tenant(), Kind::GRANT)
        };
        let mut listing = context.list(&query, &Page { after: after.or_else(|| Some(start())), limit }).await?;
        let listed = listing.records.len();
        listing.records.retain(|record| record.expires_at <= now.after(within));
        let next = listing.next.filter(|_| listing.records.len() == listed);
        let keys: Vec<Key> = listing.records.iter().map(|record| record.key).collect();
        let mut items = load_all(context, &keys).await?;
        items.retain(|grant| grant.live);
        Ok(Found { items, next })
    }

    /// Tells of those that will expire within this time by an event for each,
    /// [`What::PersonalTokenExpiring`], and answers those it told of. Each is told of once, on however many nodes this
    /// is called: call it now and then, from wherever the host does such things.
    pub async fn warn_expiring(
        self,
        within: Duration,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Found<Grant>, Failure> {
        let context = self.context;
        let due = self.expiring(within, after, limit).await?;
        let marks: Vec<Key> = due.items.iter().filter_map(|grant| self.warning(grant)).collect();
        let told = context.load(&marks).await?;
        let mut items = Vec::new();
        for ((grant, key), told) in due.items.into_iter().zip(marks).zip(told) {
            if told.is_none() && self.warn(&grant, key).await? {
                items.push(grant);
            }
        }
        Ok(Found { items, next: due.next })
    }

    fn warning(self, grant: &Grant) -> Option<Key> {
        let (partition, name) = record::parse_grant_id(&grant.id)?;
        Some(self.context.keys.drawn(Kind::MARKER, partition, &[name.as_slice(), b"expiring"].concat()))
    }

    /// Whether nobody else has told of it meanwhile.
    async fn warn(self, grant: &Grant, key: Key) -> Result<bool, Failure> {
        let (context, now) = (self.context, self.context.now());
        let mark = Record {
            key,
            tenant: context.keys.tenant(),
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at: now,
            expires_at: grant.expires_at,
            purge_after: grant.expires_at.after(context.policy.lifetimes.clock_skew),
            used: None,
            payload: Payload::default(),
        };
        let what = What::PersonalTokenExpiring { name: grant.name.clone(), expires_at: grant.expires_at };
        let event = crate::event::Event::new(now, what)
            .client(&grant.client_id)
            .subject(Some(&grant.subject))
            .grant(Some(grant.id.clone()));
        let commit = Commit {
            writes: vec![Write::Insert(Arc::new(mark))],
            events: vec![event],
            ..context.keys.commit(key.partition, now)
        };
        Ok(context.commit(&commit).await? == Committed::Applied)
    }
}

/// A key that comes before every other.
const LOWEST: Key = Key { partition: Partition(0), kind: Kind(0), id: [0; 32] };
