//! What a client was given and has: for the page that shows one client.

use super::{Clients, ManageError, activity};
use crate::activity::DayCount;
use crate::client::Client;
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::id::ClientId;
use crate::store::{Key, Kind, Page, Query, State};
use crate::token::liveness;

/// The most live grants that are counted.
const MOST: u32 = 1_000;

/// What a client was given and has, as far as it is told quickly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How many live grants it has, of all resource owners.
    pub live_grants: Count,
    /// When it last authenticated, or one of its newest 1,000 grants was used; to the hour. `None` if neither was seen.
    pub last_used_at: Option<Timestamp>,
    /// How many of its token requests were answered with tokens, since it was registered.
    ///
    /// Counted as [`Clients::activity`] says, so that no token request waits for the count of another.
    pub tokens_issued: u64,
    /// How many of its requests to the authorization and token endpoints were refused, since it was registered.
    pub requests_refused: u64,
    /// Both for each of the last 30 days up to today, the oldest first.
    pub days: Vec<DayCount>,
}

/// How many there are: counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many were counted.
    pub number: u32,
    /// Whether there may be more.
    pub more: bool,
}

impl Clients<'_> {
    /// How many live grants a client has, when it was last used, and how much it was issued and refused. Looks at its newest 1,000 grants that were not
    /// revoked one by one, however many there are.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if there is no such client.
    pub async fn usage(self, id: &ClientId) -> Result<Usage, ManageError> {
        let client = self.get(id).await?.ok_or(ManageError::NotFound)?;
        let by_secret = self.secrets(id).await?.into_iter().filter_map(|secret| secret.last_used_at).max();
        let (live_grants, by_grant) = self.count_live_grants(&client).await?;
        let counts = activity::of_client(self.context, &client).await?;
        Ok(Usage {
            live_grants,
            last_used_at: by_secret.max(by_grant),
            tokens_issued: counts.issued,
            requests_refused: counts.refused,
            days: counts.days(self.context.now()),
        })
    }

    async fn count_live_grants(self, client: &Client) -> Result<(Count, Option<Timestamp>), Failure> {
        let (context, now) = (self.context, self.context.now());
        let query = Query {
            client: Some(client.key()),
            state: Some(State::Live),
            ..Query::new(context.keys.tenant(), Kind::GRANT)
        };
        let listing = context.list(&query, &Page { after: None, limit: MOST }).await?;
        let keys: Vec<Key> = listing.records.iter().map(|record| record.key).collect();
        let (mut number, mut last_used) = (0_u32, None);
        for batch in keys.chunks(250) {
            let marks = batch.iter().map(|key| crate::grant::last_used::mark(&context.keys, key));
            let wanted: Vec<Key> = batch.iter().copied().chain(marks).collect();
            let loaded = context.load(&wanted).await?;
            let (grants, marks) = loaded.split_at_checked(batch.len()).ok_or(Failure::Corrupt)?;
            let live = grants.iter().flatten().filter(|grant| liveness::check(grant, now).is_ok()).count();
            number = number.saturating_add(u32::try_from(live).unwrap_or(u32::MAX));
            let written = marks.iter().flatten().map(|mark| mark.record.created_at).max();
            let seen = batch.iter().filter_map(|key| context.recent_grants.last(key)).max();
            last_used = last_used.max(written).max(seen);
        }
        Ok((Count { number, more: listing.next.is_some() }, last_used))
    }
}
