//! What is kept of how much is going on, and writing down what was counted.

use std::sync::Arc;

use super::{Clients, ManageError};
use crate::activity::{Batch, Counts, DayCount, Kept, key_of, totals};
use crate::client::{Client, decode};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::grant::ATTEMPTS;
use crate::id::ClientId;
use crate::store::{Committed, Key, Loaded};

/// How much is going on, of all clients together. See [`Clients::activity`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Activity {
    /// How many token requests were answered with tokens, since the beginning.
    pub tokens_issued: u64,
    /// How many requests to the authorization and token endpoints were refused, since the beginning.
    pub requests_refused: u64,
    /// The same for each of the last 30 days up to today, the oldest first.
    pub days: Vec<DayCount>,
    /// The clients that were issued most in these days, at most 10; the busiest first.
    pub busiest: Vec<BusyClient>,
}

/// A client to which much was issued.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BusyClient {
    /// Which one.
    pub client: Arc<Client>,
    /// How many token requests of it were answered with tokens in the last 30 days.
    pub issued: u64,
    /// How many requests of it were refused in the last 30 days.
    pub refused: u64,
}

/// How many clients are told as the busiest.
const BUSIEST: usize = 10;
/// How many are remembered as candidates.
const CANDIDATES: usize = 20;

/// How long what was counted of a client is kept after it was last heard of.
const KEPT: std::time::Duration = std::time::Duration::from_secs(400 * 24 * 3600);

impl Clients<'_> {
    /// How many tokens were issued and requests refused, of all clients together, and by which clients most.
    ///
    /// Counted in memory and added to the store by [`purge`](crate::AuthorizationServer::purge): what another node has
    /// not written down yet is missing, and what a node had not written when it was killed is lost. Of a client that has
    /// not been heard of for 400 days nothing is known any more.
    pub async fn activity(self) -> Result<Activity, ManageError> {
        let (context, now) = (self.context, self.context.now());
        let kept = context.load_one(context.keys.activity()).await?;
        let Kept { counts: mut all, busiest: mut candidates, .. } = read(kept.as_ref())?;
        let (recent, busiest) = context.recent_activity.of_all(BUSIEST);
        all.add(&recent);
        candidates.extend(busiest);
        let mut busiest: Vec<BusyClient> = Vec::new();
        for (client, counts) in of_clients(context, candidates).await? {
            let (issued, refused) = totals(&counts.days(now));
            if issued.saturating_add(refused) > 0 {
                busiest.push(BusyClient { client, issued, refused });
            }
        }
        busiest.sort_by_key(|busy| std::cmp::Reverse((busy.issued, busy.refused)));
        busiest.truncate(BUSIEST);
        Ok(Activity { tokens_issued: all.issued, requests_refused: all.refused, days: all.days(now), busiest })
    }
}

/// What was counted of a client, written down or not.
pub(super) async fn of_client(context: &Context, client: &Client) -> Result<Counts, Failure> {
    let kept = context.load_one(key_of(&context.keys, client.id(), client.created_at())).await?;
    let mut counts = read(kept.as_ref())?.counts;
    counts.add(&context.recent_activity.of(client.id()));
    Ok(counts)
}

/// The clients of these names that there are, with what was counted of each.
async fn of_clients(context: &Context, mut names: Vec<ClientId>) -> Result<Vec<(Arc<Client>, Counts)>, Failure> {
    names.sort_unstable();
    names.dedup();
    let keys: Vec<Key> = names.iter().map(|name| context.keys.client(name)).collect();
    let records = if keys.is_empty() { Vec::new() } else { context.load(&keys).await? };
    let clients: Vec<Arc<Client>> = records.iter().flatten().filter_map(|found| decode(&found.record)).collect();
    let keys: Vec<Key> = clients.iter().map(|client| key_of(&context.keys, client.id(), client.created_at())).collect();
    let kept = if keys.is_empty() { Vec::new() } else { context.load(&keys).await? };
    let mut counted = Vec::with_capacity(clients.len());
    for (client, kept) in clients.into_iter().zip(kept) {
        let mut counts = read(kept.as_ref())?.counts;
        counts.add(&context.recent_activity.of(client.id()));
        counted.push((client, counts));
    }
    Ok(counted)
}

fn read(kept: Option<&Loaded>) -> Result<Kept, Failure> {
    kept.map_or_else(|| Ok(Kept::default()), |kept| Kept::read(&kept.record.payload).map_err(|_| Failure::Corrupt))
}

/// Writes down what this process has counted, of at most `limit` clients; what cannot be written now is written the next
/// time.
pub(crate) async fn write_down(context: &Context, limit: usize) {
    let (recent, now) = (&context.recent_activity, context.now());
    let mut heard = Vec::new();
    for client in recent.unwritten(limit) {
        let Some(batch) = context.draw().ok().and_then(|name| recent.offer(&client, name)) else { continue };
        if add_to_client(context, &client, &batch, now).await.is_err() {
            return;
        }
        recent.settle(&client, &batch);
        heard.push(client);
    }
    let Some(batch) = context.draw().ok().and_then(|name| recent.offer_all(name)) else { return };
    if add(context, context.keys.activity(), &batch, &heard, now).await.is_ok() {
        recent.settle_all(&batch);
    }
}

/// Adds to what is kept of a client, if there is such a client.
async fn add_to_client(context: &Context, name: &ClientId, batch: &Batch, now: Timestamp) -> Result<(), Failure> {
    let found = context.load_one(context.keys.client(name)).await?;
    let Some(client) = found.and_then(|found| decode(&found.record)) else { return Ok(()) };
    add(context, key_of(&context.keys, name, client.created_at()), batch, &[], now).await
}

/// Adds to a record, however often another node is quicker. `heard` are the clients of which something was added, where
/// the record is that of all together.
async fn add(context: &Context, key: Key, batch: &Batch, heard: &[ClientId], now: Timestamp) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let present = context.load_one(key).await?;
        let mut kept = read(present.as_ref())?;
        kept.add(batch);
        kept.busiest.extend_from_slice(heard);
        kept.busiest = busiest(context, kept.busiest, now).await?;
        let present = present.as_ref().map(|present| &*present.record);
        let commit = context.keys.put(key, present, now, now.after(KEPT), kept.payload(), now);
        if context.commit(&commit).await? == Committed::Applied {
            return Ok(());
        }
    }
    Err(Failure::Contended)
}

/// Those of these clients that were issued most in the last 30 days.
async fn busiest(context: &Context, of: Vec<ClientId>, now: Timestamp) -> Result<Vec<ClientId>, Failure> {
    let mut counted: Vec<_> = (of_clients(context, of).await?.into_iter())
        .map(|(client, counts)| (totals(&counts.days(now)), client.id().clone()))
        .collect();
    counted.sort_unstable_by(|left, right| right.cmp(left));
    Ok(counted.into_iter().take(CANDIDATES).map(|(_, client)| client).collect())
}
