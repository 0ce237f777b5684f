//! The client that a request names, and writing it down once a user has let it in.

use std::sync::Arc;
use std::time::Duration;

use super::read::{LIMIT, kept_for, read};
use super::shelf::{Allowance, Known, Turn};
use super::{Documents, url};
use crate::client::{Client, ClientMetadata, Described, Origin, OwnAccount, Software};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::fetch::FetchRequest;
use crate::grant::{ATTEMPTS, check_metadata};
use crate::id::ClientId;
use crate::refusal::DocumentError;
use crate::registration::{RegisteredBy, RegistrationRequest};
use crate::store::{Commit, Committed, Condition, Link, Loaded, State, Write};

/// How long a failure is remembered: not to be sent out again by whoever asks again, and no longer, since a document
/// that was wrong may be right now.
const FAILED_FOR: Duration = Duration::from_secs(10);

/// The client that a request names: as it is registered, whatever its state, or as its document says; `None` if there is
/// none.
pub(crate) async fn named(
    context: &Context,
    id: &ClientId,
    loaded: Option<&Loaded>,
) -> Result<Option<Arc<Client>>, DocumentError> {
    let registered = Client::loaded(loaded);
    let Some(documents) = &context.documents else {
        return Ok(registered.filter(|client| client.origin() != Origin::Document));
    };
    match &registered {
        // One that an administrator ended stays so, whatever its document says; and nothing is fetched for it.
        Some(client) if client.origin() != Origin::Document || client.state() != State::Live => return Ok(registered),
        None if !url::is_claimed(id.as_str()) => return Ok(None),
        Some(_) | None => {}
    }
    let metadata = Box::pin(documents.metadata(context, id)).await?;
    Ok(Some(match registered {
        Some(client) if *client.metadata() == *metadata => client,
        Some(client) => Arc::new(client.with(ClientMetadata::clone(&metadata), Vec::new())),
        None => Arc::new(unwritten(context, id, &metadata)),
    }))
}

/// A client that no record tells of yet.
fn unwritten(context: &Context, id: &ClientId, metadata: &ClientMetadata) -> Client {
    // Epoch 0, so that it is the same client on every node before it is written down. A record that is deleted stays
    // until all it was issued has expired, so none of that can count for one that is written after it.
    let link = Link { key: context.keys.client(id), epoch: 0 };
    let own = OwnAccount { origin: Origin::Document, software: Software::default(), token: None };
    Client::new(id.clone(), metadata.clone(), Vec::new(), link, context.now()).by_own_account(own)
}

/// Writes down what its document says of a client that a user lets in, unless that is written already.
///
/// Its record may have ended meanwhile: whoever goes on looks at it.
pub(crate) async fn keep(context: &Context, client: &Client) -> Result<(), Failure> {
    if client.origin() != Origin::Document {
        return Ok(());
    }
    let key = client.key();
    for _ in 0..ATTEMPTS {
        let now = context.now();
        let loaded = context.load_one(key).await?;
        let present = Client::loaded(loaded.as_ref());
        let (conditions, written, what) = match &present {
            None if loaded.is_some() => return Err(Failure::Corrupt),
            None => (Vec::new(), None, What::ClientRegistered),
            Some(present) if present.state() != State::Live || present.metadata() == client.metadata() => return Ok(()),
            Some(present) => {
                let changed = present.with(client.metadata().clone(), Vec::new());
                let unchanged = Condition::Unchanged { key, revision: present.revision() };
                (vec![unchanged], Some(changed), What::ClientChanged)
            }
        };
        let record = written.as_ref().unwrap_or(client).to_record(context.keys.tenant(), Timestamp::NEVER);
        let record = Arc::new(record.map_err(|_| Failure::Corrupt)?);
        let write = if written.is_some() { Write::Replace(record) } else { Write::Insert(record) };
        let events = vec![Event::new(now, what).client(client.id())];
        let commit = Commit { conditions, writes: vec![write], events, ..context.keys.commit(key.partition, now) };
        if context.commit(&commit).await? == Committed::Applied {
            return Ok(());
        }
    }
    Err(Failure::Contended)
}

impl Documents {
    /// What the document of this client says, from memory if it is there.
    async fn metadata(&self, context: &Context, id: &ClientId) -> Known {
        url::check(id.as_str(), self.settings.loopback)?;
        let host = url::host(id.as_str()).ok_or(DocumentError::Url)?;
        let allowance = Allowance { per_host: self.settings.per_host, in_all: self.settings.in_all };
        let flight = match self.shelf.turn(id, host, allowance, context.now()).await {
            Turn::Known(known) => return known,
            Turn::Fetch(flight) => flight,
        };
        let fetched = self.fetch(context, id).await;
        let now = context.now();
        let (known, kept_for) = match fetched {
            Ok((metadata, kept_for)) => (Ok(Arc::new(metadata)), kept_for),
            Err(error) => (Err(error), FAILED_FOR),
        };
        flight.land(known.clone(), now, now.after(kept_for));
        known
    }

    async fn fetch(&self, context: &Context, id: &ClientId) -> Result<(ClientMetadata, Duration), DocumentError> {
        let fetched = self.settings.fetch.fetch(FetchRequest::new(id.as_str(), LIMIT)).await?;
        let (described, metadata) = read(context, self, id.as_str(), &fetched)?;
        let metadata = self.agree(context, id, &described, metadata).await?;
        Ok((metadata, kept_for(fetched.cache_control.as_deref(), self.settings.cached)))
    }

    /// What the host's policy makes of it.
    async fn agree(
        &self,
        context: &Context,
        id: &ClientId,
        described: &Described,
        metadata: ClientMetadata,
    ) -> Result<ClientMetadata, DocumentError> {
        let Some(policy) = &self.settings.policy else { return Ok(metadata) };
        let request = RegistrationRequest {
            metadata: &metadata,
            software_id: described.software.id.as_deref(),
            software_version: described.software.version.as_deref(),
            software_statement: described.software.statement.as_deref(),
            by: RegisteredBy::Document(id.as_str()),
            now: context.now(),
        };
        let agreed = policy.decide(request).await.map_err(|_| DocumentError::Policy)?;
        // It has no secret, whatever the policy says.
        if agreed.is_confidential() || check_metadata(context, &agreed).is_err() {
            return Err(DocumentError::Policy);
        }
        Ok(agreed)
    }
}
