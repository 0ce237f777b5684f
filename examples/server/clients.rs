//! The clients of the configuration, in a store that may have them from the last time.
//!
//! The file is the truth for the clients that it names: one that is not there is registered, one that differs is changed,
//! and its secret is the one in the file and no other. What the file does not name is left alone, clients that it once
//! named included; and one that somebody has deactivated stays so.

use std::error::Error;

use grantor::manage::{ManageError, Registration};
use grantor::store::{MemoryStore, State};
use grantor::{AuthorizationServer, Builder, ClientId};

use crate::config::Config;

/// How often it is tried again when another server changes the same client.
const ATTEMPTS: usize = 10;

/// Looks for mistakes, where nothing is written that lasts: a file with one of them changes no store.
pub(crate) async fn check(builder: Builder, config: &Config) -> Result<(), Box<dyn Error>> {
    let server = builder.store(MemoryStore::new()).build().map_err(|error| config.refused(&error))?;
    for (index, client) in config.clients.iter().enumerate() {
        let registered = server.clients().register(client.clone()).await;
        let registered = registered.map_err(|error| config.client_refused(index, &error))?;
        if client.client_secret.is_none() && registered.secret.is_some() {
            let message = "a client that authenticates by a secret needs one";
            return Err(config.client_problem(index, "client_secret", message).into());
        }
    }
    Ok(())
}

/// Puts them in place.
pub(crate) async fn put_in_place(server: &AuthorizationServer, config: &Config) -> Result<(), Box<dyn Error>> {
    for (index, client) in config.clients.iter().enumerate() {
        let Some(id) = &client.client_id else { continue };
        let mut left = ATTEMPTS;
        loop {
            match put(server, id, client).await {
                Ok(()) => break,
                // Another server was at it at the same moment.
                Err(ManageError::Changed | ManageError::NotFound | ManageError::Taken) if left > 0 => {
                    left = left.saturating_sub(1);
                }
                Err(ManageError::Taken) => {
                    let message = "there was a client of this identifier, which was deleted: it is free again when all that was issued to it has expired";
                    return Err(config.client_problem(index, "client_id", message).into());
                }
                Err(error) => return Err(config.client_refused(index, &error).into()),
            }
        }
    }
    Ok(())
}

async fn put(server: &AuthorizationServer, id: &ClientId, client: &Registration) -> Result<(), ManageError> {
    let Some(known) = server.clients().get(id).await? else {
        server.clients().register(client.clone()).await?;
        return Ok(());
    };
    if *known.metadata() != client.metadata {
        server.clients().update(id, known.revision(), client.metadata.clone()).await?;
        eprintln!("note: the client {:?} was changed to what the configuration says", id.as_str());
    }
    if known.state() != State::Live {
        eprintln!("note: the client {:?} is deactivated, and stays so", id.as_str());
    }
    if let Some(secret) = &client.client_secret {
        server.clients().set_secret(id, secret.clone()).await?;
    }
    Ok(())
}
