//! Ending everything of everyone: for the day on which nobody knows what has leaked.
//!
//! All that is ever issued hangs on a client's epoch: tokens, grants, codes that wait, remembered consent. So ending all
//! of it is one write for each client, however many people and tokens there are; and a run that was interrupted goes on
//! where it stopped.

use super::{Clients, ManageError};
use crate::client::decode;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::store::{Cursor, Kind, Order, Page, Query, State};

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// How many clients were gone through by this call.
    pub clients: u32,
    /// Where the next call begins; `None` when all is done.
    pub next: Option<Cursor>,
}

impl Clients<'_> {
    /// Ends all that was issued to the next `limit` (1 to 1,000) clients, to whomever it was granted, personal tokens
    /// included. Call it with [`Sweep::next`] of the call before until there is none; `None` begins.
    ///
    /// Clients and users stay as they are and may begin anew at once; to keep one out, deactivate it. Clients are gone
    /// through from the oldest on, so that whoever registers meanwhile is reached too. Calling it for a part again does
    /// no harm.
    pub async fn revoke_everything(self, after: Option<Cursor>, limit: u32) -> Result<Sweep, ManageError> {
        let context = self.context;
        if after.is_none() {
            // Told at the beginning: whoever watches must not learn of it only when it is over.
            context.tell(&Event::new(context.now(), What::EverythingRevoked));
        }
        let query = Query { order: Order::OldestFirst, ..Query::new(context.keys.tenant(), Kind::CLIENT) };
        let listing = context.list(&query, &Page { after, limit: limit.clamp(1, 1_000) }).await?;
        let mut clients = 0_u32;
        for record in &listing.records {
            if record.state != State::Live {
                // Its epoch was raised when it stopped being live.
                continue;
            }
            let id = decode(record).ok_or(Failure::Corrupt)?.id().clone();
            match self.revoke_all(&id).await {
                Ok(_) => clients = clients.saturating_add(1),
                // Deleted meanwhile: nothing of it is left.
                Err(ManageError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Sweep { clients, next: listing.next })
    }
}
