//! Connected apps: which clients a resource owner has let in, and what they remember having agreed to.

use std::collections::HashMap;

use super::grant::{Grant, load_all};
use super::{Found, Grants};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::grant::authorization::Authorization;
use crate::id::{ClientId, Subject};
use crate::store::{Cursor, Key, Kind, Page, Query, Record, State};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// A client that a resource owner has let in: it has access now, or will have it again without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectedApp {
    /// Which client.
    pub client_id: ClientId,
    /// What to call it; its identifier, where it has no name.
    pub client_name: String,
    /// Its home page.
    pub client_uri: Option<String>,
    /// What its sessions may do, taken together.
    pub scope: Scope,
    /// What the resource owner agreed to, and is not asked for again.
    pub consent: Option<RememberedConsent>,
    /// When it was first let in.
    pub created_at: Timestamp,
    /// When one of its sessions was last used, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// Its live grants, newest first.
    pub sessions: Vec<Grant>,
}

/// Consent that is remembered: it makes the server not ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RememberedConsent {
    /// To which scope.
    pub scope: Scope,
    /// At which resources; none: at any.
    pub resources: Vec<Resource>,
    /// Until when.
    pub until: Timestamp,
}

impl Grants<'_> {
    /// One page of the clients that a resource owner has let in, newest first; `limit` is 1 to 1,000. A page may be
    /// shorter than that and still not be the last: [`Found::next`] tells.
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
        let mut after = after;
        loop {
            let listing = self.context.list(&query, &Page { after, limit }).await?;
            let items = self.read_apps(&listing.records).await?;
            if !items.is_empty() || listing.next.is_none() {
                return Ok(Found { items, next: listing.next });
            }
            after = listing.next;
        }
    }

    /// One client that a resource owner has let in; `None` if it has no access and no consent.
    pub async fn app(self, subject: &Subject, client: &ClientId) -> Result<Option<ConnectedApp>, Failure> {
        let found = self.context.load_one(self.context.keys.authorization(subject, client)).await?;
        let records: Vec<_> = found.into_iter().map(|loaded| loaded.record).collect();
        Ok(self.read_apps(&records).await?.pop())
    }

    async fn read_apps(self, records: &[std::sync::Arc<Record>]) -> Result<Vec<ConnectedApp>, Failure> {
        let (context, now) = (self.context, self.context.now());
        let personal = crate::grant::personal::client_id();
        let listed: Vec<(&Record, Authorization)> = records
            .iter()
            .filter_map(|record| Some((&**record, Authorization::read(record).ok()?)))
            .filter(|(_, authorization)| authorization.client_id != personal)
            .collect();
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let clients: Vec<Key> = listed.iter().map(|(_, found)| context.keys.client(&found.client_id)).collect();
        let clients = context.load(&clients).await?;
        let grants: Vec<Key> = listed
            .iter()
            .flat_map(|(record, found)| found.keys_of_grants(&context.keys, record.key.partition))
            .collect();
        let mut sessions: HashMap<ClientId, Vec<Grant>> = HashMap::new();
        for grant in load_all(context, &grants).await?.into_iter().filter(|grant| grant.live) {
            sessions.entry(grant.client_id.clone()).or_default().push(grant);
        }
        let apps = listed.into_iter().zip(clients).filter_map(|((record, authorization), client)| {
            let client = Client::loaded(client.as_ref()).filter(|client| client.state() == State::Live)?;
            let mut sessions = sessions.remove(client.id()).unwrap_or_default();
            sessions.reverse();
            let remembered = Authorization::is_of(record, client.link())
                && !authorization.scope.is_empty()
                && !authorization.remembered_until.has_come(now);
            if sessions.is_empty() && !remembered {
                return None;
            }
            Some(ConnectedApp {
                client_id: client.id().clone(),
                client_name: client.display_name().to_owned(),
                client_uri: client.metadata().client_uri.clone(),
                scope: sessions.iter().fold(Scope::empty(), |scope, session| scope.union(&session.scope)),
                consent: remembered.then_some(RememberedConsent {
                    scope: authorization.scope,
                    resources: authorization.resources,
                    until: authorization.remembered_until,
                }),
                created_at: record.created_at,
                last_used_at: sessions.iter().filter_map(|session| session.last_used_at).max(),
                sessions,
            })
        });
        Ok(apps.collect())
    }
}
