//! Documents in memory: how long they are kept, one fetch for all who wait for it, and how many fetches at all.
//!
//! Knows no runtime: who waits leaves a waker, and whoever fetches wakes them, also when it is dropped half-way; then
//! one of them fetches.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::client::ClientMetadata;
use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::refusal::DocumentError;

/// What is known of a client by its document.
pub(super) type Known = Result<Arc<ClientMetadata>, DocumentError>;

/// The most documents that are kept.
const MOST_KEPT: usize = 4_096;
/// The most fetches at one time.
const MOST_FLYING: usize = 64;

#[derive(Default)]
pub(super) struct Shelf(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    kept: HashMap<ClientId, (Known, Timestamp)>,
    flying: HashMap<ClientId, Vec<Waker>>,
    budget: Budget,
}

/// What was fetched in this minute.
#[derive(Default)]
struct Budget {
    minute: i64,
    in_all: u32,
    by_host: HashMap<Box<str>, u32>,
}

/// How many fetches a minute has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) per_host: u32,
    pub(super) in_all: u32,
}

/// Whose turn it is.
pub(super) enum Turn<'s> {
    /// Nobody's: it is known.
    Known(Known),
    /// Of whoever asked: all others wait for it.
    Fetch(Flight<'s>),
}

/// A fetch under way. Dropped without [`land`](Flight::land), it leaves nothing, and somebody else may try.
pub(super) struct Flight<'s> {
    shelf: &'s Shelf,
    id: ClientId,
}

impl Shelf {
    /// What is known of this client, once nobody is fetching its document any more.
    pub(super) async fn turn(&self, id: &ClientId, host: &str, allowance: Allowance, now: Timestamp) -> Turn<'_> {
        poll_fn(|context| self.poll(context, id, host, allowance, now)).await
    }

    fn poll(
        &self,
        context: &Context<'_>,
        id: &ClientId,
        host: &str,
        allowance: Allowance,
        now: Timestamp,
    ) -> Poll<Turn<'_>> {
        let mut inner = self.lock();
        if let Some((known, until)) = inner.kept.get(id)
            && !until.has_come(now)
        {
            return Poll::Ready(Turn::Known(known.clone()));
        }
        if let Some(waiting) = inner.flying.get_mut(id) {
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            return Poll::Pending;
        }
        if inner.flying.len() >= MOST_FLYING || !inner.budget.spend(host, allowance, now) {
            return Poll::Ready(Turn::Known(Err(DocumentError::Budget)));
        }
        inner.flying.insert(id.clone(), Vec::new());
        Poll::Ready(Turn::Fetch(Flight { shelf: self, id: id.clone() }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    fn spend(&mut self, host: &str, allowance: Allowance, now: Timestamp) -> bool {
        let minute = now.as_secs().div_euclid(60);
        if minute != self.minute {
            *self = Self { minute, ..Self::default() };
        }
        // As many hosts as fetches at most, so the map is bounded by the budget of all.
        let of_host = self.by_host.get(host).copied().unwrap_or(0);
        if self.in_all >= allowance.in_all || of_host >= allowance.per_host {
            return false;
        }
        self.in_all = self.in_all.saturating_add(1);
        self.by_host.insert(host.into(), of_host.saturating_add(1));
        true
    }
}

impl Flight<'_> {
    /// It is known now, and stays so until then.
    pub(super) fn land(self, known: Known, now: Timestamp, until: Timestamp) {
        let mut inner = self.shelf.lock();
        if inner.kept.len() >= MOST_KEPT {
            inner.kept.retain(|_, (_, until)| !until.has_come(now));
        }
        if inner.kept.len() >= MOST_KEPT {
            inner.kept.clear();
        }
        inner.kept.insert(self.id.clone(), (known, until));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let waiting = self.shelf.lock().flying.remove(&self.id);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}
