//! A new client (RFC 7591 §3).

use std::sync::Arc;

use http::HeaderMap;

use super::answer::Account;
use super::{Refused, bearer_token, describe, members, quota, shared};
use crate::client::{Client, ClientMetadata, Described, Origin, OwnAccount, StoredSecret};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::id::ClientId;
use crate::refusal::RegistrationError;
use crate::registration::{RegisteredBy, RegistrationRules};
use crate::secret::{Secret, SecretBytes};
use crate::store::{Commit, Committed, Key, KeySpace, Kind, Link, Owner, Partition, Payload, Record, State, Write};
use crate::token::mint::{Terms, mint};
use crate::wire::token::{self, TokenKind};

/// Registers a client; the answer is the body of a 201.
pub(crate) async fn create(
    context: &Context,
    rules: &RegistrationRules,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, Refused> {
    let now = context.now();
    let admitted = quota::admit(context, rules, bearer_token(headers)?, now).await?;
    let described = Described::read(&members(headers, body)?)?;
    let by =
        admitted.as_ref().map_or(RegisteredBy::Anybody, |admitted| RegisteredBy::InitialAccessToken(&admitted.label));
    let metadata = describe::describe(context, rules, &described, by, now).await?;
    if admitted.is_none() && !metadata.is_confidential() {
        return create_shared(context, rules, &described, metadata, now).await;
    }
    let id = generated_id(&context.draw::<16>()?);
    let made = New::draw(context, rules, id, metadata, now)?;
    quota::spend(context, rules, admitted.as_ref(), now).await?;
    let (commit, token) = made.commit(context, &described, now)?;
    match context.commit(&commit).await? {
        Committed::Applied => {}
        // A name of 128 random bits is not taken, unless there is something wrong with the randomness.
        Committed::Refused(_) => return Err(Failure::Entropy.into()),
    }
    let account = Account {
        id: &made.id,
        metadata: &made.metadata,
        software: &described.software,
        issued_at: now,
        secret: made.secret.as_ref().map(|(secret, _)| secret),
        secret_ends: made.secret.as_ref().map(|(_, ends)| *ends),
        token: Some(token.expose()),
    };
    Ok(account.to_json(context).map_err(|_| Failure::Corrupt)?)
}

/// Registers a client that is the same for all who describe it so; the second finds what the first has made.
async fn create_shared(
    context: &Context,
    rules: &RegistrationRules,
    described: &Described,
    metadata: ClientMetadata,
    now: Timestamp,
) -> Result<String, Refused> {
    let id = shared::identifier(context, &metadata, &described.software).map_err(|_| Failure::Corrupt)?;
    let key = context.keys.client(&id);
    let found = Client::loaded(context.load_one(key).await?.as_ref());
    let client = if let Some(client) = found {
        client
    } else {
        let client = new_client(context, &id, metadata.clone(), described, now)?;
        quota::spend(context, rules, None, now).await?;
        let (writes, event) = inserts(&context.keys, &client, now)?;
        let commit = Commit { writes, events: vec![event], ..context.keys.commit(key.partition, now) };
        match context.commit(&commit).await? {
            Committed::Applied => Arc::new(client),
            // Somebody else has just described the same.
            Committed::Refused(_) => Client::loaded(context.load_one(key).await?.as_ref()).ok_or(Failure::Contended)?,
        }
    };
    // An administrator ended it, or gave it a secret: it does not come back by asking again.
    let shared = client.origin() == Origin::Registration && !client.metadata().is_confidential();
    if client.state() != State::Live || client.is_inconsistent() || !shared {
        return Err(Refused::from(RegistrationError::Deactivated).of(&id));
    }
    let account = Account {
        id: &id,
        metadata: &shared::as_sent(&client, &metadata),
        software: &described.software,
        issued_at: client.created_at(),
        secret: None,
        secret_ends: None,
        token: None,
    };
    Ok(account.to_json(context).map_err(|_| Failure::Corrupt)?)
}

/// A client of its own, with what must be drawn for it.
struct New {
    id: ClientId,
    metadata: ClientMetadata,
    secret: Option<(Secret, Timestamp)>,
    token: SecretBytes,
    epoch: u64,
}

impl New {
    fn draw(
        context: &Context,
        rules: &RegistrationRules,
        id: ClientId,
        metadata: ClientMetadata,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let secret = if metadata.is_confidential() { Some(new_secret(context, rules, now)?) } else { None };
        let token = SecretBytes::new(context.draw()?);
        let epoch = u64::from_be_bytes(context.draw()?);
        Ok(Self { id, metadata, secret, token, epoch })
    }

    /// What inserts it, and the text of its registration access token.
    fn commit(&self, context: &Context, described: &Described, now: Timestamp) -> Result<(Commit, Secret), Failure> {
        let keys = &context.keys;
        let link = Link { key: keys.client(&self.id), epoch: self.epoch };
        let (token, record) = registration_token(keys, link, &self.token, now);
        let secrets = self.secret.iter().map(|(secret, ends)| stored_secret(keys, &self.id, secret, 1, now, *ends));
        let own = OwnAccount {
            origin: Origin::Registration,
            software: described.software.clone(),
            token: Some(record.key.id),
        };
        let client = Client::new(self.id.clone(), self.metadata.clone(), secrets.collect(), link, now);
        let (mut writes, event) = inserts(keys, &client.by_own_account(own), now)?;
        writes.push(Write::Insert(record));
        Ok((Commit { writes, events: vec![event], ..keys.commit(link.key.partition, now) }, token))
    }
}

fn new_client(
    context: &Context,
    id: &ClientId,
    metadata: ClientMetadata,
    described: &Described,
    now: Timestamp,
) -> Result<Client, Failure> {
    // Random, so that tokens of a client that was forgotten cannot count for another of the same name.
    let link = Link { key: context.keys.client(id), epoch: u64::from_be_bytes(context.draw()?) };
    let own = OwnAccount { origin: Origin::Registration, software: described.software.clone(), token: None };
    Ok(Client::new(id.clone(), metadata, Vec::new(), link, now).by_own_account(own))
}

/// The client, and the mark by which clients that registered themselves are listed.
fn inserts(keys: &KeySpace, client: &Client, now: Timestamp) -> Result<(Vec<Write>, Event), Failure> {
    let record = client.to_record(keys.tenant(), Timestamp::NEVER).map_err(|_| Failure::Corrupt)?;
    let mark = Record {
        key: mark_key(keys, client.key().partition, client.id()),
        tenant: keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: Some(Arc::new(Owner { client: client.link(), subject: None })),
        labels: None,
        created_at: now,
        expires_at: Timestamp::NEVER,
        purge_after: Timestamp::NEVER,
        used: None,
        payload: Payload::new(client.id().as_str().as_bytes()),
    };
    let event = Event::new(now, What::ClientRegistered).client(client.id());
    Ok((vec![Write::Insert(Arc::new(record)), Write::Insert(Arc::new(mark))], event))
}

/// The key of the mark that a client registered itself, in the client's partition.
pub(super) fn mark_key(keys: &KeySpace, partition: Partition, id: &ClientId) -> Key {
    keys.drawn(Kind::REGISTRATION, partition, id.as_str().as_bytes())
}

/// A secret, and when it ends.
pub(super) fn new_secret(
    context: &Context,
    rules: &RegistrationRules,
    now: Timestamp,
) -> Result<(Secret, Timestamp), Failure> {
    let ends = rules.settings.secret_lifetime.map_or(Timestamp::NEVER, |lifetime| now.after(lifetime));
    Ok((token::print(token::CLIENT_SECRET, &context.draw()?, 0), ends))
}

pub(super) fn stored_secret(
    keys: &KeySpace,
    client: &ClientId,
    secret: &Secret,
    id: u32,
    created_at: Timestamp,
    expires_at: Timestamp,
) -> StoredSecret {
    let digest = keys.secret_digest(client, secret.expose());
    StoredSecret { id, label: String::new(), digest, created_at, expires_at }
}

/// A registration access token. It hangs on its client, and ends with whatever ends the client's tokens.
pub(super) fn registration_token(
    keys: &KeySpace,
    client: Link,
    random: &SecretBytes,
    now: Timestamp,
) -> (Secret, Arc<Record>) {
    let terms = Terms {
        parent: Some(client),
        owner: None,
        created_at: now,
        expires_at: Timestamp::NEVER,
        purge_after: Timestamp::NEVER,
        payload: Payload::default(),
    };
    mint(keys, TokenKind::Registration, client.key.partition, random.expose(), terms)
}

fn generated_id(random: &[u8; 16]) -> ClientId {
    use base64::Engine as _;
    ClientId::from(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}
