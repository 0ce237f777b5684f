//! A hash chain over the events of an outbox, which shows when somebody has meddled with them.

use sha2::{Digest as _, Sha256};

use super::keyspace::keyed_hash;
use super::{EventCursor, Outbox, StoreError, StoredEvent, Tenant};
use crate::secret::{SecretBytes, same_digest};

/// How many events are read at once.
const PIECE: u32 = 1_000;

/// Links the events of one server to a chain: each link is a digest over the one before and the event.
///
/// The store need not know of it. The host follows the outbox, keeps the [`ChainHead`] it has come to now and then, and
/// later reads again what lies between two of them. An event that was changed, removed, added or put elsewhere in
/// between shows.
///
/// ```
/// # use grantor::store::{ChainHead, ChainVerdict, EventChain, Outbox, StoreError, Tenant};
/// # async fn example(outbox: &dyn Outbox, tenant: Tenant, kept: ChainHead) -> Result<(), StoreError> {
/// let chain = EventChain::new(tenant);
/// // Now and then: follow, and keep the head where whoever can write to the database cannot.
/// let head = chain.follow(outbox, kept.clone(), 10_000).await?;
/// // When it matters:
/// assert_eq!(chain.verify(outbox, &kept, &head).await?, ChainVerdict::Intact);
/// # Ok(())
/// # }
/// ```
///
/// # What it proves
///
/// As much as the heads are worth. Whoever can change events *and* heads can make both fit, so keep heads elsewhere (a
/// log that others hold, a ticket, paper), or use [`with_key`](Self::with_key) and keep the key elsewhere. Events that
/// were forgotten by
/// [`Outbox::forget_events`] cannot be verified any more: verify from the head that was reached before.
#[derive(Debug, Clone)]
pub struct EventChain {
    tenant: Tenant,
    key: Option<SecretBytes>,
}

/// A place in a chain: what was linked so far. It can be kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChainHead {
    /// How many events were linked.
    pub events: u64,
    /// The last of them; `None` before the first.
    pub cursor: Option<EventCursor>,
    /// The digest over all of them.
    pub digest: [u8; 32],
}

/// What became of the events between two heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a verdict that nobody reads proves nothing"]
pub enum ChainVerdict {
    /// They are all there, unchanged and in order.
    Intact,
    /// Some are missing.
    Missing {
        /// How many, at least.
        events: u64,
    },
    /// There are others than there were: changed, added, or in another order. Or a head is not one of this chain.
    Altered,
}

impl EventChain {
    /// The chain of one server's events.
    #[must_use]
    pub const fn new(tenant: Tenant) -> Self {
        Self { tenant, key: None }
    }

    /// The same, under a key: nobody without it can make a head that fits.
    #[must_use]
    pub fn with_key(self, key: SecretBytes) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Where the chain begins.
    pub fn start(&self) -> ChainHead {
        ChainHead { events: 0, cursor: None, digest: self.digest(&[b"grantor event chain 1", &self.tenant.0]) }
    }

    /// The head after one more event.
    #[must_use]
    pub fn link(&self, head: &ChainHead, event: &StoredEvent) -> ChainHead {
        let (cursor, json) = (event.cursor.0.as_bytes(), event.json.as_bytes());
        let digest = self.digest(&[&head.digest, &length(cursor), cursor, &length(json), json]);
        ChainHead { events: head.events.saturating_add(1), cursor: Some(event.cursor.clone()), digest }
    }

    /// Links what has come after `head`, at most `limit` events.
    pub async fn follow(&self, outbox: &dyn Outbox, head: ChainHead, limit: u32) -> Result<ChainHead, StoreError> {
        let (mut head, mut left) = (head, limit);
        while left > 0 {
            let events = outbox.events_after(self.tenant, head.cursor.as_ref(), left.min(PIECE)).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                head = self.link(&head, event);
            }
            left = left.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        }
        Ok(head)
    }

    /// Reads again what lies between two heads, and tells whether it is what was linked.
    pub async fn verify(
        &self,
        outbox: &dyn Outbox,
        from: &ChainHead,
        to: &ChainHead,
    ) -> Result<ChainVerdict, StoreError> {
        let mut head = from.clone();
        while head.events < to.events {
            let wanted = to.events.saturating_sub(head.events);
            let limit = u32::try_from(wanted).unwrap_or(PIECE).min(PIECE);
            let events = outbox.events_after(self.tenant, head.cursor.as_ref(), limit).await?;
            // The end of what there is, or the last of what was linked, comes too early.
            let last = events.iter().position(|event| Some(&event.cursor) == to.cursor.as_ref());
            let linked = last.map_or(events.len(), |last| last.saturating_add(1));
            for event in events.iter().take(linked) {
                head = self.link(&head, event);
            }
            if events.is_empty() || last.is_some() {
                break;
            }
        }
        Ok(match to.events.checked_sub(head.events) {
            Some(0) if head.cursor == to.cursor && same_digest(&head.digest, &to.digest) => ChainVerdict::Intact,
            None | Some(0) => ChainVerdict::Altered,
            Some(events) => ChainVerdict::Missing { events },
        })
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        match &self.key {
            None => {
                let mut hash = Sha256::new();
                for part in parts {
                    hash.update(part);
                }
                hash.finalize().into()
            }
            Some(key) => keyed_hash(key, parts),
        }
    }
}

fn length(bytes: &[u8]) -> [u8; 8] {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes()
}
