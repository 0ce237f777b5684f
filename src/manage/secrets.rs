//! A client's secrets: several at once, each with a label and an end.

use std::time::Duration;

use super::{Clients, ManageError};
use crate::client::StoredSecret;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::What;
use crate::id::ClientId;
use crate::secret::{Secret, same_digest};
use crate::wire::charset::is_vschar;
use crate::wire::token;

const MAX_SECRETS: usize = 10;

/// A secret that was just made.
#[derive(Debug)]
pub struct NewSecret {
    /// Which one, among the client's.
    pub id: u32,
    /// The secret, told this once.
    pub secret: Secret,
}

/// A secret of 256 random bits, in the form that secret scanners find.
pub(super) fn generate(context: &Context) -> Result<Secret, Failure> {
    Ok(token::print(token::CLIENT_SECRET, &context.draw()?, 0))
}

/// A secret that the host chose.
pub(super) fn check(secret: Secret) -> Result<Secret, ManageError> {
    let text = secret.expose();
    let sound = (16..=512).contains(&text.len()) && text.bytes().all(is_vschar);
    if sound { Ok(secret) } else { Err(ManageError::Secret) }
}

/// What is kept of a secret.
pub(super) fn store(
    context: &Context,
    client: &ClientId,
    secret: &Secret,
    id: u32,
    label: String,
    created_at: Timestamp,
    expires_at: Timestamp,
) -> StoredSecret {
    let digest = context.keys.secret_digest(client, secret.expose());
    StoredSecret { id, label, digest, created_at, expires_at }
}

/// Adds a secret, `drawn` or random; with `overlap`, the others end that much later. A drawn one that is there already
/// is left as it is.
pub(super) async fn add(
    clients: Clients<'_>,
    client_id: &ClientId,
    label: &str,
    expires_at: Timestamp,
    overlap: Option<Duration>,
    drawn: Option<Secret>,
) -> Result<NewSecret, ManageError> {
    if label.chars().count() > 200 || label.chars().any(char::is_control) {
        return Err(ManageError::Label);
    }
    let context = clients.context;
    let repeatable = drawn.is_some();
    let secret = match drawn {
        Some(drawn) => drawn,
        None => generate(context)?,
    };
    let digest = context.keys.secret_digest(client_id, secret.expose());
    for _ in 0..crate::grant::ATTEMPTS {
        let client = clients.get(client_id).await?.ok_or(ManageError::NotFound)?;
        if !client.metadata().token_endpoint_auth_method.takes_secret() {
            return Err(ManageError::PublicClient);
        }
        let there = client.secrets().iter().find(|kept| repeatable && same_digest(&kept.digest, &digest));
        if let Some(there) = there {
            return Ok(NewSecret { id: there.id, secret });
        }
        let now = context.now();
        // What has ended is not kept: it could only be listed, and would count against the limit.
        let mut kept: Vec<StoredSecret> =
            client.secrets().iter().filter(|secret| secret.is_current(now)).cloned().collect();
        if let Some(overlap) = overlap {
            for old in &mut kept {
                old.expires_at = old.expires_at.min(now.after(overlap));
            }
            kept.retain(|old| old.is_current(now));
        }
        if kept.len() >= MAX_SECRETS {
            return Err(ManageError::TooManySecrets);
        }
        // Higher than any there ever was, as far as is known: a mark of last use must not pass to another secret.
        let id = client.secrets().iter().map(|secret| secret.id).max().unwrap_or(0).saturating_add(1);
        kept.push(store(context, client_id, &secret, id, label.to_owned(), now, expires_at));
        let changed = client.with(client.metadata().clone(), kept);
        match clients.replace(&changed, Timestamp::NEVER, What::SecretAdded { secret: id }, now).await {
            Ok(_) => return Ok(NewSecret { id, secret }),
            Err(ManageError::Changed) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Failure::Contended.into())
}

/// Makes a secret that the host chose the only one.
pub(super) async fn set(clients: Clients<'_>, client_id: &ClientId, secret: Secret) -> Result<(), ManageError> {
    let secret = check(secret)?;
    let context = clients.context;
    let digest = context.keys.secret_digest(client_id, secret.expose());
    for _ in 0..crate::grant::ATTEMPTS {
        let client = clients.get(client_id).await?.ok_or(ManageError::NotFound)?;
        if !client.metadata().token_endpoint_auth_method.takes_secret() {
            return Err(ManageError::PublicClient);
        }
        let now = context.now();
        if let [only] = client.secrets()
            && only.digest == digest
            && only.expires_at == Timestamp::NEVER
        {
            return Ok(());
        }
        let id = client.secrets().iter().map(|secret| secret.id).max().unwrap_or(0).saturating_add(1);
        let stored = store(context, client_id, &secret, id, String::new(), now, Timestamp::NEVER);
        let changed = client.with(client.metadata().clone(), vec![stored]);
        match clients.replace(&changed, Timestamp::NEVER, What::SecretAdded { secret: id }, now).await {
            Ok(_) => return Ok(()),
            Err(ManageError::Changed) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Failure::Contended.into())
}

/// Ends a secret.
pub(super) async fn expire(
    clients: Clients<'_>,
    client_id: &ClientId,
    secret: u32,
    at: Timestamp,
) -> Result<(), ManageError> {
    for _ in 0..crate::grant::ATTEMPTS {
        let client = clients.get(client_id).await?.ok_or(ManageError::NotFound)?;
        let mut secrets = client.secrets().to_vec();
        let ending = secrets.iter_mut().find(|kept| kept.id == secret).ok_or(ManageError::NotFound)?;
        ending.expires_at = at;
        let now = clients.context.now();
        let changed = client.with(client.metadata().clone(), secrets);
        match clients.replace(&changed, Timestamp::NEVER, What::SecretEnded { secret }, now).await {
            Ok(_) => return Ok(()),
            Err(ManageError::Changed) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Failure::Contended.into())
}
