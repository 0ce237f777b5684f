//! Deactivating a resource owner, and ending all that was issued for them.
//!
//! The server keeps no record of a resource owner until the host says something of them. What it then keeps is one
//! record whose epoch every code and every grant of theirs refers to: ending all of it is one write, however much there
//! is.

use std::sync::Arc;

use super::ManageError;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::id::Subject;
use crate::store::{Commit, Committed, Condition, Payload, Record, State, Write};

/// The resource owners, as far as the server must know them. See
/// [`AuthorizationServer::subjects`](crate::AuthorizationServer::subjects).
#[derive(Debug, Clone, Copy)]
pub struct Subjects<'a> {
    context: &'a Context,
}

impl<'a> Subjects<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// Ends all that was issued for them, and issues nothing more, until they are activated. For a user who is locked
    /// or deleted.
    pub async fn deactivate(self, subject: &Subject) -> Result<(), ManageError> {
        self.change(subject, State::Inactive, What::SubjectDeactivated).await
    }

    /// Lets tokens be issued for them again. What was issued before stays ended.
    pub async fn activate(self, subject: &Subject) -> Result<(), ManageError> {
        self.change(subject, State::Live, What::SubjectActivated).await
    }

    /// Ends all that was issued for them, and lets them begin anew. For a password that was changed, or a lost device.
    pub async fn revoke_all(self, subject: &Subject) -> Result<(), ManageError> {
        self.change(subject, State::Live, What::SubjectRevoked).await
    }

    /// Whether tokens can be issued for them.
    pub async fn is_active(self, subject: &Subject) -> Result<bool, Failure> {
        let loaded = self.context.load_one(self.context.keys.subject(subject)).await?;
        Ok(loaded.is_none_or(|loaded| loaded.record.state == State::Live))
    }

    async fn change(self, subject: &Subject, state: State, what: What) -> Result<(), ManageError> {
        let context = self.context;
        let key = context.keys.subject(subject);
        for _ in 0..crate::grant::ATTEMPTS {
            let loaded = context.load_one(key).await?;
            let present = loaded.as_ref().map(|loaded| &*loaded.record);
            let before = present.map_or(State::Live, |record| record.state);
            if before == state && what != What::SubjectRevoked {
                return Ok(());
            }
            let now = context.now();
            let record = Record {
                key,
                tenant: context.keys.tenant(),
                revision: 1,
                state,
                epoch: present.map_or(0, |record| record.epoch).wrapping_add(1),
                parent: None,
                owner: None,
                labels: None,
                created_at: present.map_or(now, |record| record.created_at),
                expires_at: Timestamp::NEVER,
                purge_after: Timestamp::NEVER,
                used: None,
                payload: Payload::default(),
            };
            let (conditions, write) = match present {
                Some(present) => {
                    (vec![Condition::Unchanged { key, revision: present.revision }], Write::Replace(Arc::new(record)))
                }
                None => (Vec::new(), Write::Insert(Arc::new(record))),
            };
            let events = vec![Event::new(now, what.clone()).subject(Some(subject))];
            let commit = Commit { conditions, writes: vec![write], events, ..context.keys.commit(key.partition, now) };
            if context.commit(&commit).await? == Committed::Applied {
                return Ok(());
            }
        }
        Err(Failure::Contended.into())
    }
}
