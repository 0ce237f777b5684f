//! A client reads, replaces or deletes its registration (RFC 7592).

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Map, Value};

use super::answer::Account;
use super::create::{mark_key, new_secret, registration_token, stored_secret};
use super::{Refused, bearer_token, describe, members};
use crate::client::{Client, Described, OwnAccount};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::grant::ATTEMPTS;
use crate::refusal::RegistrationError;
use crate::registration::{RegisteredBy, RegistrationRules};
use crate::secret::{SecretBytes, same_digest};
use crate::store::{Commit, Committed, Condition, Key, State, Write};
use crate::token::{liveness, mint};
use crate::wire::token::TokenKind;

/// All that is registered (§2.1). A secret is told once and not again.
pub(crate) async fn read(context: &Context, headers: &HeaderMap, id: &str) -> Result<String, Refused> {
    let token = bearer_token(headers)?.ok_or(RegistrationError::TokenMissing)?;
    let (client, own, _) = caller(context, token, id, context.now()).await?;
    let account = Account {
        id: client.id(),
        metadata: client.metadata(),
        software: &own.software,
        issued_at: client.created_at(),
        secret: None,
        secret_ends: secret_ends(&client),
        token: Some(token),
    };
    Ok(account.to_json(context).map_err(|_| Failure::Corrupt)?)
}

/// Other metadata in place of what is registered, whole (§2.2), and another token in place of the one that was used.
pub(crate) async fn update(
    context: &Context,
    rules: &RegistrationRules,
    headers: &HeaderMap,
    id: &str,
    body: &[u8],
) -> Result<String, Refused> {
    let token = bearer_token(headers)?.ok_or(RegistrationError::TokenMissing)?;
    // Who may not is told nothing of what they sent.
    caller(context, token, id, context.now()).await?;
    let members = members(headers, body)?;
    let described = Described::read(&members)?;
    let random = SecretBytes::new(context.draw()?);
    for _ in 0..ATTEMPTS {
        let now = context.now();
        let (client, own, key) = caller(context, token, id, now).await?;
        check_members(context, &members, &client, now).map_err(|error| Refused::from(error).of(client.id()))?;
        let metadata = describe::describe(context, rules, &described, RegisteredBy::Itself(&client), now).await;
        let metadata = metadata.map_err(|refused| refused.of(client.id()))?;
        let current: Vec<_> = client.secrets().iter().filter(|secret| secret.is_current(now)).cloned().collect();
        let (secret, secrets) = if !metadata.is_confidential() {
            (None, Vec::new())
        } else if current.is_empty() {
            let (secret, ends) = new_secret(context, rules, now)?;
            let number = client.secrets().iter().map(|secret| secret.id).max().unwrap_or(0).saturating_add(1);
            let stored = stored_secret(&context.keys, client.id(), &secret, number, now, ends);
            (Some(secret), vec![stored])
        } else {
            (None, current)
        };
        let (text, record) = registration_token(&context.keys, client.link(), &random, now);
        let own = OwnAccount { software: described.software.clone(), token: Some(record.key.id), ..own };
        let changed = client.with(metadata, secrets).by_own_account(own);
        let commit = Commit {
            conditions: vec![unchanged(&client)],
            writes: vec![
                Write::Replace(Arc::new(
                    changed.to_record(context.keys.tenant(), Timestamp::NEVER).map_err(|_| Failure::Corrupt)?,
                )),
                Write::Delete(key),
                Write::Insert(record),
            ],
            events: vec![Event::new(now, What::ClientChanged).client(client.id())],
            ..context.keys.commit(client.key().partition, now)
        };
        if context.commit(&commit).await? == Committed::Applied {
            let account = Account {
                id: changed.id(),
                metadata: changed.metadata(),
                software: &described.software,
                issued_at: changed.created_at(),
                secret: secret.as_ref(),
                secret_ends: secret_ends(&changed),
                token: Some(text.expose()),
            };
            return Ok(account.to_json(context).map_err(|_| Failure::Corrupt)?);
        }
    }
    Err(Failure::Contended.into())
}

/// The client goes, and with it all that it was issued (§2.3).
pub(crate) async fn delete(context: &Context, headers: &HeaderMap, id: &str) -> Result<(), Refused> {
    let token = bearer_token(headers)?.ok_or(RegistrationError::TokenMissing)?;
    for _ in 0..ATTEMPTS {
        let now = context.now();
        let (client, _, key) = caller(context, token, id, now).await?;
        let deleted = client.in_state(State::Deleted);
        let purge_after = now.after(context.policy.longest_lifetime(client.metadata()));
        let commit = Commit {
            conditions: vec![unchanged(&client)],
            writes: vec![
                Write::Replace(Arc::new(
                    deleted.to_record(context.keys.tenant(), purge_after).map_err(|_| Failure::Corrupt)?,
                )),
                Write::Delete(key),
                Write::Delete(mark_key(&context.keys, key.partition, client.id())),
            ],
            events: vec![Event::new(now, What::ClientDeleted).client(client.id())],
            ..context.keys.commit(key.partition, now)
        };
        if context.commit(&commit).await? == Committed::Applied {
            return Ok(());
        }
    }
    Err(Failure::Contended.into())
}

/// The client whose token this is, if it is the one that the URL names, with the key of the token.
///
/// Unknown, spent, of another client, of a client that is gone: one answer (§2).
async fn caller(
    context: &Context,
    token: &str,
    id: &str,
    now: Timestamp,
) -> Result<(Arc<Client>, OwnAccount, Key), RegistrationError> {
    let invalid = RegistrationError::TokenInvalid;
    let key = mint::locate(&context.keys, TokenKind::Registration, token).ok_or(invalid)?.key;
    let loaded = context.load_one(key).await?.ok_or(invalid)?;
    liveness::check(&loaded, now).map_err(|_| invalid)?;
    let client = loaded.parent.as_deref().and_then(crate::client::decode).ok_or(invalid)?;
    let own = client.own_account().filter(|own| own.token == Some(key.id)).ok_or(invalid)?.clone();
    if client.id().as_str() == id { Ok((client, own, key)) } else { Err(invalid) }
}

/// What an update must have and must not have (§2.2).
fn check_members(
    context: &Context,
    members: &Map<String, Value>,
    client: &Client,
    now: Timestamp,
) -> Result<(), RegistrationError> {
    let not_the_clients =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    let names_itself = members.get("client_id").and_then(Value::as_str) == Some(client.id().as_str());
    if !names_itself || not_the_clients.iter().any(|name| members.contains_key(*name)) {
        return Err(RegistrationError::Metadata);
    }
    // A client does not choose its secret: it may say the one it has.
    let Some(secret) = members.get("client_secret") else { return Ok(()) };
    let digest = context.keys.secret_digest(client.id(), secret.as_str().unwrap_or_default());
    let known = client.secrets().iter().filter(|secret| secret.is_current(now));
    let matches = known.fold(false, |found, secret| same_digest(&secret.digest, &digest) | found);
    if matches { Ok(()) } else { Err(RegistrationError::Metadata) }
}

fn unchanged(client: &Client) -> Condition {
    Condition::Unchanged { key: client.key(), revision: client.revision() }
}

fn secret_ends(client: &Client) -> Option<Timestamp> {
    client.secrets().iter().map(|secret| secret.expires_at).max()
}
