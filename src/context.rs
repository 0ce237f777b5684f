//! What every endpoint is given: configuration, store, clock, randomness, and who is told.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use crate::activity::RecentActivity;
use crate::client::{AuthenticatedClient, RecentUses};
use crate::client_id_metadata::Documents;
use crate::clock::{Clock, Timestamp};
use crate::config::Policy;
use crate::entropy::{Entropy, draw};
use crate::error::Failure;
use crate::event::{Event, Observer, What};
use crate::extension::{ExtensionGrant, Members, Methods, TokenFormat};
use crate::grant::last_used::{self, RecentGrants};
use crate::id::Subject;
use crate::limit::Limiter;
use crate::registration::RegistrationRules;
use crate::rights::Rights;
use crate::store::{
    Commit, Committed, Key, KeySpace, Kind, Listing, Loaded, Page, Purged, Query, Record, Store, StoreError, Write,
    load_all_ready,
};
use crate::token::doubt::Doubts;
use crate::token::fields::{Fields, tag};
use crate::token::seal::SealKey;
use crate::wire::scope::Scope;
use crate::wire::uri::Issuer;

pub(crate) struct Context {
    pub(crate) issuer: Issuer,
    pub(crate) keys: KeySpace,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) policy: Policy,
    pub(crate) seal: SealKey,
    pub(crate) recent_uses: RecentUses,
    pub(crate) recent_grants: RecentGrants,
    pub(crate) recent_activity: RecentActivity,
    pub(crate) rights: Option<Arc<dyn Rights>>,
    pub(crate) doubts: Doubts,
    pub(crate) limiter: Limiter,
    pub(crate) extension_grants: HashMap<String, Arc<dyn ExtensionGrant>>,
    pub(crate) client_authentication: Methods,
    pub(crate) token_members: Members,
    pub(crate) introspection_members: Members,
    pub(crate) token_format: Option<Arc<dyn TokenFormat>>,
    pub(crate) parameters: Vec<String>,
    pub(crate) registration: Option<RegistrationRules>,
    pub(crate) documents: Option<Documents>,
}

impl Context {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn draw<const N: usize>(&self) -> Result<[u8; N], Failure> {
        draw(&*self.entropy).map_err(|error| self.fail(error.into()))
    }

    pub(crate) async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, Failure> {
        let found = match load_all_ready(&*self.store, keys) {
            Poll::Ready(found) => found,
            Poll::Pending => self.store.load(keys).await,
        }
        .map_err(|error| self.store_failed(&error))?;
        // A store that answers too few is broken; what is missing must not be taken for absent by position.
        if found.len() != keys.len() {
            return Err(self.fail(Failure::Corrupt));
        }
        for (loaded, key) in found.iter().zip(keys) {
            self.is_asked_for(loaded.as_ref(), key)?;
        }
        Ok(found)
    }

    /// The same for a few keys, without an allocation where the store has them at hand.
    pub(crate) async fn load_few<const N: usize>(&self, keys: [Key; N]) -> Result<[Option<Loaded>; N], Failure> {
        let mut found = [const { None }; N];
        for (place, key) in found.iter_mut().zip(&keys) {
            let Poll::Ready(loaded) = self.at_hand(key) else {
                return self.load(&keys).await?.try_into().map_err(|_| self.fail(Failure::Corrupt));
            };
            *place = loaded?;
        }
        Ok(found)
    }

    pub(crate) async fn load_one(&self, key: Key) -> Result<Option<Loaded>, Failure> {
        match self.at_hand(&key) {
            Poll::Ready(found) => found,
            Poll::Pending => Ok(self.load(&[key]).await?.pop().flatten()),
        }
    }

    /// What a store that need not wait answers for this key.
    fn at_hand(&self, key: &Key) -> Poll<Result<Option<Loaded>, Failure>> {
        self.store.load_ready(key).map(|found| {
            let found = found.map_err(|error| self.store_failed(&error))?;
            self.is_asked_for(found.as_ref(), key)?;
            Ok(found)
        })
    }

    /// A record under another key than the one asked for would let one thing pass for another.
    fn is_asked_for(&self, found: Option<&Loaded>, key: &Key) -> Result<(), Failure> {
        if found.is_some_and(|found| found.record.key != *key) { Err(self.fail(Failure::Corrupt)) } else { Ok(()) }
    }

    /// Commits, and tells of the events if it happened.
    pub(crate) async fn commit(&self, commit: &Commit) -> Result<Committed, Failure> {
        debug_assert!(commit.is_local(), "a commit touches one partition");
        let answered = match self.store.commit_ready(commit) {
            Poll::Ready(answered) => answered,
            Poll::Pending => self.store.commit(commit).await,
        };
        let committed = match answered {
            Ok(committed) => committed,
            Err(error) => {
                if let StoreError::InDoubt(_) = error {
                    self.remember_doubt(commit);
                }
                return Err(self.store_failed(&error));
            }
        };
        if committed == Committed::Applied {
            spent(commit).for_each(|key| self.doubts.settle(&key));
            for event in &commit.events {
                self.tell(event);
            }
        }
        Ok(committed)
    }

    /// The server's own token in a text that was presented, which may be in the format of the host.
    pub(crate) fn own_token<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.token_format.as_ref().and_then(|format| format.read(text)).unwrap_or(Cow::Borrowed(text))
    }

    pub(crate) async fn list(&self, query: &Query, page: &Page) -> Result<Listing, Failure> {
        self.store.list(query, page).await.map_err(|error| self.store_failed(&error))
    }

    pub(crate) async fn purge(&self, limit: u32) -> Result<Purged, Failure> {
        self.write_uses(limit).await;
        self.store.purge(self.now(), limit).await.map_err(|error| self.store_failed(&error))
    }

    /// Notes that a client's secret was used, unless that was noted within the hour. Never fails the request.
    pub(crate) async fn note_secret_use(&self, client: &AuthenticatedClient, now: Timestamp) {
        let Some(key) = self.recent_uses.due(&self.keys, client, now) else { return };
        if let Ok(present) = self.load_one(key).await {
            let note = crate::client::note_use(&self.keys, key, present.as_ref().map(|mark| &*mark.record), now);
            let _ = self.commit(&note).await;
        }
    }

    /// The part of `scope` that its resource owner may have now.
    pub(crate) async fn within_rights(&self, subject: &Subject, scope: &Scope) -> Result<Scope, Failure> {
        match &self.rights {
            None => Ok(scope.clone()),
            Some(rights) => match rights.narrow(subject, scope).await {
                Ok(narrowed) => Ok(narrowed.intersection(scope)),
                Err(failure) => Err(self.fail(failure)),
            },
        }
    }

    /// The part of the scope of a code or a token, or of its grant, that its resource owner may have now. `None` where
    /// nobody is asked: the host has no rights to tell of, or the token is a client's own.
    pub(crate) async fn rights_left(&self, loaded: Option<&Loaded>) -> Result<Option<Scope>, Failure> {
        let Some(loaded) = loaded.filter(|_| self.rights.is_some()) else { return Ok(None) };
        let text = |record: Option<&Record>, wanted: u8| {
            let fields = Fields::read(record?.payload.as_bytes()).ok()?;
            fields.text(wanted).ok()?.map(str::to_owned)
        };
        let Some(subject) = text(loaded.parent.as_deref(), tag::SUBJECT) else { return Ok(None) };
        let own = text(Some(&loaded.record), tag::SCOPE);
        let scope = own.or_else(|| text(loaded.parent.as_deref(), tag::SCOPE)).unwrap_or_default();
        self.within_rights(&subject.into(), &Scope::from_canonical(&scope)).await.map(Some)
    }

    /// Remembers that a grant was used.
    pub(crate) fn note_grant_use(&self, grant: Option<&Record>, now: Timestamp) {
        if let Some(grant) = grant.filter(|grant| grant.key.kind == Kind::GRANT) {
            self.recent_grants.note(grant, now);
        }
    }

    /// Writes down at most `limit` uses of grants. Those that cannot be written now are written after the next use.
    async fn write_uses(&self, limit: u32) {
        let now = self.now();
        for seen in self.recent_grants.take_unwritten(usize::try_from(limit).unwrap_or(usize::MAX)) {
            let Ok(present) = self.load_one(last_used::mark(&self.keys, &seen.grant)).await else { return };
            let present = present.as_ref().map(|mark| &*mark.record);
            if let Some(commit) = last_used::write_down(&self.keys, &seen, present, now)
                && self.commit(&commit).await.is_err()
            {
                return;
            }
        }
    }

    pub(crate) fn tell(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        crate::event::trace(event);
        crate::observe::event(event);
        self.recent_activity.count(event);
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }

    /// What a commit in doubt was to spend may be spent: whoever presents it again is not a thief.
    fn remember_doubt(&self, commit: &Commit) {
        spent(commit).for_each(|key| self.doubts.remember(key, commit.at));
    }

    fn store_failed(&self, error: &StoreError) -> Failure {
        #[cfg(feature = "tracing")]
        tracing::error!(target: "grantor", %error, "the store failed");
        self.fail(error.into())
    }

    fn fail(&self, failure: Failure) -> Failure {
        self.tell(&Event::new(self.now(), What::Failed { failure }));
        failure
    }
}

/// What a commit spends.
fn spent(commit: &Commit) -> impl Iterator<Item = Key> {
    commit.writes.iter().filter_map(|write| match write {
        Write::Use { key, .. } => Some(*key),
        // What lies in another partition than what it buys is spent by a mark beside that.
        Write::Insert(record) if record.key.kind == Kind::MARKER => Some(record.key),
        Write::Insert(_) | Write::Replace(_) | Write::SetState { .. } | Write::Delete(_) => None,
    })
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
