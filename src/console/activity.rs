//! How much is going on: tokens issued and requests refused, by day and client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::when::day_number;
use crate::clock::Timestamp;
use crate::event::{Event, Observer, Refusal, What};
use crate::id::ClientId;

/// How many days are counted.
pub(super) const DAYS: usize = 30;

/// Counts tokens issued and requests refused, for 30 days, in memory: since the process began, on this node.
///
/// Give one clone to the server as its observer, and one to the console:
///
/// ```
/// # use grantor::AuthorizationServer;
/// # use grantor::store::MemoryStore;
/// use grantor::console::Activity;
///
/// let activity = Activity::new();
/// let server = AuthorizationServer::builder("https://auth.example.com")
///     .store(MemoryStore::new())
///     .observer(activity.clone())
///     .build()?;
/// // And then: Console::new(server, access).activity(activity)
/// # Ok::<(), grantor::ConfigError>(())
/// ```
///
/// A host with an observer of its own passes events on: `activity.observe(event)`.
///
/// A client takes some 300 bytes. At most 10,000 are counted; beyond that, those of which nothing was heard for longest
/// are forgotten, and first of all those that were never issued anything, whose names anybody may have made up.
#[derive(Clone)]
pub struct Activity {
    counted: Arc<Mutex<Counted>>,
}

/// The most clients that are counted, unless [`Activity::of_at_most`] says otherwise.
const MOST_CLIENTS: usize = 10_000;

struct Counted {
    most: usize,
    all: Days,
    clients: HashMap<ClientId, Days>,
}

/// What happened on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DayCount {
    /// Counted from 1970-01-01.
    pub(super) day: i64,
    pub(super) issued: u32,
    pub(super) refused: u32,
}

/// A ring of days: each at the place that the number of the day gives.
#[derive(Default)]
struct Days {
    ring: [DayCount; DAYS],
    last_heard: i64,
    ever_issued: bool,
}

/// What is counted.
#[derive(Clone, Copy)]
enum Counts {
    Issued,
    Refused,
}

impl Activity {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::of_at_most(MOST_CLIENTS)
    }

    /// Begins with nothing, and counts at most so many clients.
    #[must_use]
    pub fn of_at_most(clients: usize) -> Self {
        let counted = Counted { most: clients, all: Days::default(), clients: HashMap::new() };
        Self { counted: Arc::new(Mutex::new(counted)) }
    }

    /// The last 30 days of one client, or of all; the oldest first.
    pub(super) fn days(&self, client: Option<&ClientId>, now: Timestamp) -> Vec<DayCount> {
        let counted = self.lock();
        let days = match client {
            None => Some(&counted.all),
            Some(client) => counted.clients.get(client),
        };
        let today = day_number(now);
        let of_day = |day| days.and_then(|days| days.of(day)).unwrap_or(DayCount { day, ..DayCount::default() });
        (0..DAYS).rev().map(|ago| of_day(today.saturating_sub(i64::try_from(ago).unwrap_or(0)))).collect()
    }

    /// The clients that were issued most in these days, with what they were issued and refused; at most `limit`.
    pub(super) fn busiest(&self, now: Timestamp, limit: usize) -> Vec<(ClientId, u64, u64)> {
        let from = day_number(now).saturating_sub(i64::try_from(DAYS).unwrap_or(0));
        let mut all: Vec<_> = {
            let counted = self.lock();
            let sums = counted.clients.iter().map(|(client, days)| {
                let (issued, refused) = totals(days.ring.iter().filter(|count| count.day > from));
                (client.clone(), issued, refused)
            });
            sums.filter(|(_, issued, refused)| issued.saturating_add(*refused) > 0).collect()
        };
        all.sort_by(|left, right| (right.1, right.2, &left.0).cmp(&(left.1, left.2, &right.0)));
        all.truncate(limit);
        all
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many were issued, and how many refused.
pub(super) fn totals<'d>(days: impl Iterator<Item = &'d DayCount>) -> (u64, u64) {
    days.fold((0, 0), |(issued, refused), day| {
        (u64::from(day.issued).saturating_add(issued), u64::from(day.refused).saturating_add(refused))
    })
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Activity {
    fn observe(&self, event: &Event) {
        let what = match &event.what {
            What::Issued { .. } => Counts::Issued,
            // What a protected resource refuses says nothing of the client: a token that has expired, mostly.
            What::Refused(Refusal::Authorize(_) | Refusal::Token(_)) => Counts::Refused,
            _ => return,
        };
        let mut counted = self.lock();
        counted.all.count(event.at, what);
        if let Some(client) = &event.client_id {
            counted.of(client).count(event.at, what);
        }
    }
}

impl Counted {
    fn of(&mut self, client: &ClientId) -> &mut Days {
        if self.clients.len() >= self.most && !self.clients.contains_key(client) {
            let oldest = self.clients.iter().min_by_key(|(_, days)| (days.ever_issued, days.last_heard));
            if let Some(oldest) = oldest.map(|(client, _)| client.clone()) {
                self.clients.remove(&oldest);
            }
        }
        self.clients.entry(client.clone()).or_default()
    }
}

impl Days {
    fn count(&mut self, at: Timestamp, what: Counts) {
        let day = day_number(at);
        self.last_heard = self.last_heard.max(at.as_millis());
        let Some(count) = self.ring.get_mut(place(day)) else { return };
        if count.day != day {
            *count = DayCount { day, ..DayCount::default() };
        }
        match what {
            Counts::Issued => {
                self.ever_issued = true;
                count.issued = count.issued.saturating_add(1);
            }
            Counts::Refused => count.refused = count.refused.saturating_add(1),
        }
    }

    fn of(&self, day: i64) -> Option<DayCount> {
        self.ring.get(place(day)).copied().filter(|count| count.day == day)
    }
}

fn place(day: i64) -> usize {
    usize::try_from(day.rem_euclid(i64::try_from(DAYS).unwrap_or(1))).unwrap_or(0)
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activity").field("clients", &self.lock().clients.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::refusal::TokenError;
    use crate::wire::scope::Scope;

    fn issued(client: &str, at: Timestamp) -> Event {
        let what = What::Issued { grant_type: "client_credentials".into(), scope: Scope::empty() };
        Event::new(at, what).client(&client.into())
    }

    fn refused(client: &str, at: Timestamp) -> Event {
        Event::new(at, What::Refused(Refusal::Token(TokenError::ScopeMalformed))).client(&client.into())
    }

    #[test]
    fn days_are_counted_apart_and_forgotten_after_thirty() {
        let (activity, day) = (Activity::new(), Duration::from_secs(86_400));
        let start = Timestamp::from_secs(1_767_225_600);
        activity.observe(&issued("a", start));
        activity.observe(&issued("a", start.after(day)));
        activity.observe(&refused("a", start.after(day)));
        activity.observe(&issued("b", start.after(day)));
        let days = activity.days(Some(&"a".into()), start.after(day));
        assert_eq!(days.len(), DAYS);
        let tail: Vec<_> = days.iter().rev().take(3).map(|day| (day.issued, day.refused)).collect();
        assert_eq!(tail, [(1, 1), (1, 0), (0, 0)]);
        assert_eq!(totals(activity.days(None, start.after(day)).iter()), (3, 1));
        assert_eq!(activity.busiest(start.after(day), 1), [("a".into(), 2, 1)]);
        assert_eq!(totals(activity.days(Some(&"a".into()), start.after(day * 30)).iter()), (1, 1));
        assert_eq!(totals(activity.days(None, start.after(day * 31)).iter()), (0, 0));
        assert!(activity.busiest(start.after(day * 31), 9).is_empty());
    }

    #[test]
    fn names_that_were_made_up_do_not_push_out_a_client_that_is_used() {
        let activity = Activity::of_at_most(2);
        let at = Timestamp::from_secs(1_767_225_600);
        activity.observe(&issued("real", at));
        for number in 1..50 {
            activity.observe(&refused(&format!("made up {number}"), at.after(Duration::from_secs(number))));
        }
        assert_eq!(totals(activity.days(Some(&"real".into()), at).iter()), (1, 0));
        assert_eq!(activity.lock().clients.len(), 2);
    }
}
