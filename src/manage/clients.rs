//! Registering, listing, changing, deactivating and deleting clients.

use std::sync::Arc;

use super::secrets::{self, NewSecret};
use super::{ManageError, settle};
use crate::client::{AuthMethod, Client, ClientMetadata, ClientSecret, Origin, decode, use_mark};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::grant::personal;
use crate::id::ClientId;
use crate::secret::Secret;
use crate::store::{Commit, Committed, Condition, Cursor, Failed, Kind, Link, Order, Page, Query, State, Write};
use crate::wire::charset::is_client_id;

/// The registered clients. See [`AuthorizationServer::clients`](crate::AuthorizationServer::clients).
#[derive(Debug, Clone, Copy)]
pub struct Clients<'a> {
    pub(super) context: &'a Context,
}

/// A client to be registered.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// What is registered of it.
    pub metadata: ClientMetadata,
    /// Its identifier, where the host chooses it; else 128 random bits.
    pub client_id: Option<ClientId>,
    /// Its secret, where the host chooses it; else 256 random bits. 16 to 512 printable ASCII characters.
    pub client_secret: Option<Secret>,
}

/// A client that was just registered.
#[derive(Debug)]
pub struct Registered {
    /// The client.
    pub client: Arc<Client>,
    /// Its secret, told this once; `None` for a public client.
    pub secret: Option<Secret>,
}

/// Which clients to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFilter {
    /// Only those in this state; `None`: all but the deleted.
    pub state: Option<State>,
    /// Only those that authenticate so.
    pub auth_method: Option<AuthMethod>,
    /// Only those whose name contains this or whose identifier begins with it, without regard to ASCII case.
    pub search: Option<String>,
    /// In which order.
    pub order: Order,
}

impl Default for ClientFilter {
    fn default() -> Self {
        Self { state: None, auth_method: None, search: None, order: Order::NewestFirst }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<Cursor>,
}

impl From<ClientMetadata> for Registration {
    fn from(metadata: ClientMetadata) -> Self {
        Self { metadata, client_id: None, client_secret: None }
    }
}

impl<'a> Clients<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// Registers a client. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ManageError::Metadata`] for metadata that breaks a rule, [`ManageError::Taken`] for an identifier that is in
    /// use.
    pub async fn register(self, registration: impl Into<Registration>) -> Result<Registered, ManageError> {
        let Registration { metadata, client_id, client_secret } = registration.into();
        let context = self.context;
        self.check(&metadata)?;
        let now = context.now();
        let id = match client_id {
            // A URL as identifier is a client ID metadata document, which nobody may shadow.
            Some(id) if id.as_str() == personal::CLIENT_ID => return Err(ManageError::Taken),
            Some(id) if is_client_id(id.as_str()) && !id.as_str().starts_with("https://") => id,
            Some(_) => return Err(ManageError::ClientId),
            None => generated_id(&context.draw::<16>()?),
        };
        let (secret, stored) = match (metadata.token_endpoint_auth_method.takes_secret(), client_secret) {
            (false, None) => (None, Vec::new()),
            (false, Some(_)) => return Err(ManageError::PublicClient),
            (true, chosen) => {
                let secret = match chosen {
                    Some(secret) => secrets::check(secret)?,
                    None => secrets::generate(context)?,
                };
                let stored = secrets::store(context, &id, &secret, 1, String::new(), now, Timestamp::NEVER);
                (Some(secret), vec![stored])
            }
        };
        // Random, so that tokens of a client that was forgotten cannot count for another of the same name.
        let epoch = u64::from_be_bytes(context.draw()?);
        let link = Link { key: context.keys.client(&id), epoch };
        let client = Client::new(id, metadata, stored, link, now);
        let record = client.to_record(context.keys.tenant(), Timestamp::NEVER).map_err(|_| Failure::Corrupt)?;
        let commit = Commit {
            writes: vec![Write::Insert(Arc::new(record))],
            events: vec![Event::new(now, What::ClientRegistered).client(client.id())],
            ..context.keys.commit(link.key.partition, now)
        };
        match context.commit(&commit).await? {
            Committed::Applied => Ok(Registered { client: Arc::new(client), secret }),
            Committed::Refused(Failed::Write(_) | Failed::Condition(_)) => Err(ManageError::Taken),
        }
    }

    /// The client with this identifier; `None` if there is none, or it was deleted.
    pub async fn get(self, id: &ClientId) -> Result<Option<Arc<Client>>, Failure> {
        let loaded = self.context.load_one(self.context.keys.client(id)).await?;
        Ok(Client::loaded(loaded.as_ref()).filter(|client| client.state() != State::Deleted))
    }

    /// One page of the clients; `limit` is 1 to 1,000.
    pub async fn list(
        self,
        filter: &ClientFilter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Found<Arc<Client>>, Failure> {
        let context = self.context;
        let query = Query {
            state: filter.state,
            class: filter.auth_method.map(|method| method.as_str().to_owned()),
            search: filter.search.clone(),
            order: filter.order,
            ..Query::new(context.keys.tenant(), Kind::CLIENT)
        };
        let limit = limit.clamp(1, 1_000);
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut items, mut last, mut cursor) = (Vec::new(), None, after);
        // The deleted are few and short-lived; pages are filled up past them. One more is asked for, since the client of personal tokens,
        // which is not shown, is on one page of each list.
        let limit = limit.saturating_add(1).min(1_000);
        loop {
            let listing = context.list(&query, &Page { after: cursor, limit }).await?;
            for record in &listing.records {
                let listed = filter.state.is_some() || record.state != State::Deleted;
                let shown = |client: &Arc<Client>| listed && client.id().as_str() != personal::CLIENT_ID;
                if let Some(client) = decode(record).filter(shown) {
                    if items.len() == wanted {
                        return Ok(Found { items, next: last });
                    }
                    items.push(client);
                    last = Some(Cursor::of(record));
                }
            }
            match listing.next {
                Some(next) if items.len() < wanted => cursor = Some(next),
                next => return Ok(Found { items, next }),
            }
        }
    }

    /// Puts other metadata in place. `revision` is that of the client as it was read.
    ///
    /// A client that becomes public loses its secrets; one that becomes confidential is given a secret, which is in the
    /// answer.
    ///
    /// # Errors
    ///
    /// [`ManageError::Changed`] if somebody changed it meanwhile, [`ManageError::Document`] for a client that is
    /// described by a document.
    pub async fn update(
        self,
        id: &ClientId,
        revision: u64,
        metadata: ClientMetadata,
    ) -> Result<Registered, ManageError> {
        let context = self.context;
        self.check(&metadata)?;
        let client = self.at_revision(id, revision).await?;
        if client.origin() == Origin::Document {
            return Err(ManageError::Document);
        }
        let now = context.now();
        let (secret, stored) = match (metadata.token_endpoint_auth_method.takes_secret(), client.secrets()) {
            (false, _) => (None, Vec::new()),
            (true, []) => {
                let secret = secrets::generate(context)?;
                let stored = secrets::store(context, id, &secret, 1, String::new(), now, Timestamp::NEVER);
                (Some(secret), vec![stored])
            }
            (true, secrets) => (None, secrets.to_vec()),
        };
        let changed = client.with(metadata, stored);
        let client = self.replace(&changed, Timestamp::NEVER, What::ClientChanged, now).await?;
        Ok(Registered { client, secret })
    }

    /// Ends all that the client was issued, at once, and refuses it until it is activated. Again: no change.
    pub async fn deactivate(self, id: &ClientId) -> Result<Arc<Client>, ManageError> {
        self.change_state(id, State::Inactive, What::ClientDeactivated).await
    }

    /// Lets the client act again. What it was issued before stays ended. Again: no change.
    pub async fn activate(self, id: &ClientId) -> Result<Arc<Client>, ManageError> {
        self.change_state(id, State::Live, What::ClientActivated).await
    }

    /// Deletes the client and ends all that it was issued. Its identifier stays taken until the last of that would have
    /// expired; that of a client that is described by a document for good.
    pub async fn delete(self, id: &ClientId) -> Result<(), ManageError> {
        if id.as_str() == personal::CLIENT_ID {
            return Err(ManageError::NotFound);
        }
        self.change_state(id, State::Deleted, What::ClientDeleted).await.map(|_| ())
    }

    /// Ends all that the client was issued, to whomever it was granted, and lets it begin anew at once: one write,
    /// however much there is. Consent that was remembered for it is asked for again.
    pub async fn revoke_all(self, id: &ClientId) -> Result<Arc<Client>, ManageError> {
        self.change_state(id, State::Live, What::ClientRevoked).await
    }

    /// The client's secrets, without the secrets.
    pub async fn secrets(self, id: &ClientId) -> Result<Vec<ClientSecret>, ManageError> {
        let client = self.get(id).await?.ok_or(ManageError::NotFound)?;
        let keys: Vec<_> =
            client.secrets().iter().map(|secret| use_mark(&self.context.keys, &client, secret)).collect();
        let marks = self.context.load(&keys).await?;
        let secrets = client.secrets().iter().zip(marks).map(|(secret, mark)| ClientSecret {
            id: secret.id,
            label: secret.label.clone(),
            created_at: secret.created_at,
            expires_at: secret.expires_at,
            last_used_at: mark.map(|mark| mark.record.created_at),
        });
        Ok(secrets.collect())
    }

    /// Gives the client one more secret. `expires_at` may be [`Timestamp::NEVER`]; `label` is at most 200 characters.
    pub async fn add_secret(self, id: &ClientId, label: &str, expires_at: Timestamp) -> Result<NewSecret, ManageError> {
        secrets::add(self, id, label, expires_at, None, None).await
    }

    /// Either of the two, with a secret that was drawn elsewhere: if the client has it already, that is no change.
    #[cfg(feature = "api")]
    pub(crate) async fn add_secret_from(
        self,
        id: &ClientId,
        label: &str,
        expires_at: Timestamp,
        overlap: Option<std::time::Duration>,
        drawn: Option<Secret>,
    ) -> Result<NewSecret, ManageError> {
        secrets::add(self, id, label, expires_at, overlap, drawn).await
    }

    /// Gives the client a new secret, and lets every older one work for `overlap` longer and no longer. An `overlap` of
    /// 0 ends them at once.
    pub async fn rotate_secret(
        self,
        id: &ClientId,
        label: &str,
        overlap: std::time::Duration,
    ) -> Result<NewSecret, ManageError> {
        secrets::add(self, id, label, Timestamp::NEVER, Some(overlap), None).await
    }

    /// Makes a secret that the host chose the client's only one; every other ends at once. Where it is that already,
    /// nothing changes: a host whose configuration says what the secret is may ask for this at every start.
    ///
    /// # Errors
    ///
    /// [`ManageError::Secret`] if it is not 16 to 512 printable ASCII characters, [`ManageError::PublicClient`] for a
    /// client that has none.
    pub async fn set_secret(self, id: &ClientId, secret: Secret) -> Result<(), ManageError> {
        secrets::set(self, id, secret).await
    }

    /// Ends one of the client's secrets at `at`; at once, if that is not in the future.
    pub async fn expire_secret(self, id: &ClientId, secret: u32, at: Timestamp) -> Result<(), ManageError> {
        secrets::expire(self, id, secret, at).await
    }

    /// Whether this could be registered, or put in place of what is.
    pub(crate) fn check(self, metadata: &ClientMetadata) -> Result<(), ManageError> {
        Ok(crate::grant::check_metadata(self.context, metadata)?)
    }

    async fn at_revision(self, id: &ClientId, revision: u64) -> Result<Arc<Client>, ManageError> {
        // That of the personal tokens is the server's own.
        if id.as_str() == personal::CLIENT_ID {
            return Err(ManageError::NotFound);
        }
        let client = self.get(id).await?.ok_or(ManageError::NotFound)?;
        if client.revision() == revision { Ok(client) } else { Err(ManageError::Changed) }
    }

    async fn change_state(self, id: &ClientId, state: State, what: What) -> Result<Arc<Client>, ManageError> {
        for _ in 0..crate::grant::ATTEMPTS {
            let client = self.get(id).await?.ok_or(ManageError::NotFound)?;
            let ends_all = what == What::ClientRevoked;
            if client.state() == state && !ends_all || client.state() == State::Inactive && ends_all {
                return Ok(client);
            }
            let now = self.context.now();
            let purge_after = match state {
                // Forgotten, it would be back at the next request that names its document.
                State::Deleted if client.origin() == Origin::Document => Timestamp::NEVER,
                State::Deleted => now.after(self.context.policy.longest_lifetime(client.metadata())),
                State::Live | State::Inactive | State::Revoked => Timestamp::NEVER,
            };
            match self.replace(&client.in_state(state), purge_after, what.clone(), now).await {
                Err(ManageError::Changed) => {}
                settled => return settled,
            }
        }
        Err(Failure::Contended.into())
    }

    /// Puts a changed client in place of the one it was read from.
    pub(super) async fn replace(
        self,
        changed: &Client,
        purge_after: Timestamp,
        what: What,
        now: Timestamp,
    ) -> Result<Arc<Client>, ManageError> {
        let context = self.context;
        let key = context.keys.client(changed.id());
        let mut record = changed.to_record(context.keys.tenant(), purge_after).map_err(|_| Failure::Corrupt)?;
        let commit = Commit {
            conditions: vec![Condition::Unchanged { key, revision: changed.revision() }],
            writes: vec![Write::Replace(Arc::new(record.clone()))],
            events: vec![Event::new(now, what).client(changed.id())],
            ..context.keys.commit(key.partition, now)
        };
        settle(context.commit(&commit).await?)?;
        record.revision = record.revision.saturating_add(1);
        decode(&record).ok_or_else(|| Failure::Corrupt.into())
    }
}

fn generated_id(random: &[u8; 16]) -> ClientId {
    use base64::Engine as _;
    ClientId::from(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}
