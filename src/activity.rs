//! How much is going on: tokens issued and requests refused, by day, of each client and of all together.
//!
//! Counting writes nothing. What happens is counted in the process, and added to what is kept of a client when the host
//! purges; what is shown is the sum of both. A process that is killed forgets what it had not written.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::event::{Event, Refusal, What};
use crate::id::ClientId;
use crate::store::{Key, KeySpace, Kind, Payload};
use crate::token::fields::{Fields, Unreadable, Writer, tag};

/// How many days are told apart.
pub(crate) const DAYS: usize = 30;

/// What happened on one day, which begins at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DayCount {
    /// Which day, counted from 1970-01-01.
    pub day: i64,
    /// How many token requests were answered with tokens.
    pub issued: u32,
    /// How many requests to the authorization and token endpoints were refused.
    pub refused: u32,
}

impl DayCount {
    /// The moment at which the day begins.
    #[must_use]
    pub const fn begins_at(&self) -> Timestamp {
        Timestamp::of_day(self.day)
    }

    const fn of(day: i64) -> Self {
        Self { day, issued: 0, refused: 0 }
    }
}

/// What was counted of one client, or of all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Since the beginning.
    pub(crate) issued: u64,
    pub(crate) refused: u64,
    /// The newest days on which something happened, in their order; at most [`DAYS`].
    days: Vec<DayCount>,
}

impl Counts {
    /// The last 30 days up to this moment, the oldest first, with those on which nothing happened.
    pub(crate) fn days(&self, now: Timestamp) -> Vec<DayCount> {
        let today = now.day_number();
        let first = today.saturating_sub(i64::try_from(DAYS).unwrap_or(0)).saturating_add(1);
        let of_day = |day| self.days.iter().find(|count| count.day == day).copied().unwrap_or(DayCount::of(day));
        (first..=today).map(of_day).collect()
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.issued = self.issued.saturating_add(other.issued);
        self.refused = self.refused.saturating_add(other.refused);
        for count in &other.days {
            if let Some(own) = self.day(count.day) {
                own.issued = own.issued.saturating_add(count.issued);
                own.refused = own.refused.saturating_add(count.refused);
            }
        }
    }

    fn count(&mut self, day: i64, what: Counted) {
        let (all, of_day) = match what {
            Counted::Issued => (&mut self.issued, DayCount { issued: 1, ..DayCount::of(day) }),
            Counted::Refused => (&mut self.refused, DayCount { refused: 1, ..DayCount::of(day) }),
        };
        *all = all.saturating_add(1);
        if let Some(own) = self.day(day) {
            own.issued = own.issued.saturating_add(of_day.issued);
            own.refused = own.refused.saturating_add(of_day.refused);
        }
    }

    /// Where a day is counted; `None` for one that is older than all that there is room for.
    fn day(&mut self, day: i64) -> Option<&mut DayCount> {
        let place = match self.days.iter().rposition(|count| count.day <= day) {
            Some(at) if self.days.get(at).is_some_and(|count| count.day == day) => at,
            Some(before) => self.make_room(before.saturating_add(1), day),
            None if self.days.len() < DAYS => self.make_room(0, day),
            None => return None,
        };
        self.days.get_mut(place)
    }

    fn make_room(&mut self, at: usize, day: i64) -> usize {
        self.days.insert(at, DayCount::of(day));
        if self.days.len() <= DAYS {
            return at;
        }
        self.days.remove(0);
        at.saturating_sub(1)
    }
}

/// What is kept of one client, or of all together.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) counts: Counts,
    /// The batches that were added last, the newest at the end.
    batches: Vec<[u8; 8]>,
    /// Of all together: the clients that were issued most.
    pub(crate) busiest: Vec<ClientId>,
}

/// How many batches are remembered: more nodes than will write down between a doubt and its end.
const BATCHES: usize = 32;

impl Kept {
    /// Adds a batch, unless it was added before.
    pub(crate) fn add(&mut self, batch: &Batch) {
        if self.batches.contains(&batch.name) {
            return;
        }
        self.counts.add(&batch.counts);
        self.batches.push(batch.name);
        let surplus = self.batches.len().saturating_sub(BATCHES);
        self.batches.drain(..surplus);
    }

    pub(crate) fn payload(&self) -> Payload {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mut days = Vec::with_capacity(self.counts.days.len().saturating_mul(16));
        for count in &self.counts.days {
            days.extend_from_slice(&count.day.to_be_bytes());
            days.extend_from_slice(&count.issued.to_be_bytes());
            days.extend_from_slice(&count.refused.to_be_bytes());
        }
        Writer::new()
            .number(tag::ISSUED, number(self.counts.issued))
            .number(tag::REFUSED, number(self.counts.refused))
            .bytes(tag::DAYS, &days)
            .bytes(tag::BATCHES, self.batches.as_flattened())
            .texts(tag::CLIENT, self.busiest.iter().map(ClientId::as_str))
            .payload()
    }

    pub(crate) fn read(payload: &Payload) -> Result<Self, Unreadable> {
        let fields = Fields::read(payload.as_bytes())?;
        let number = |tag| Ok(u64::try_from(fields.number(tag)?.unwrap_or(0)).unwrap_or(0));
        let (days, rest) = fields.bytes(tag::DAYS).unwrap_or_default().as_chunks::<16>();
        if !rest.is_empty() || days.len() > DAYS {
            return Err(Unreadable);
        }
        let days = days.iter().map(|bytes| {
            let number = u128::from_be_bytes(*bytes);
            DayCount {
                day: low(number >> 64).cast_signed(),
                issued: u32::try_from(low(number) >> 32).unwrap_or(0),
                refused: u32::try_from(low(number) & u64::from(u32::MAX)).unwrap_or(0),
            }
        });
        Ok(Self {
            counts: Counts { issued: number(tag::ISSUED)?, refused: number(tag::REFUSED)?, days: days.collect() },
            batches: fields.bytes(tag::BATCHES).unwrap_or_default().as_chunks().0.to_vec(),
            busiest: fields.texts(tag::CLIENT).map(|id| id.map(ClientId::from)).collect::<Result<_, _>>()?,
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
const fn low(number: u128) -> u64 {
    number as u64
}

/// How many were issued and refused on these days.
pub(crate) fn totals<'d>(days: impl IntoIterator<Item = &'d DayCount>) -> (u64, u64) {
    days.into_iter().fold((0, 0), |(issued, refused), day| {
        (u64::from(day.issued).saturating_add(issued), u64::from(day.refused).saturating_add(refused))
    })
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Issued,
    Refused,
}

const SHARDS: usize = 16;
/// 16,384 clients in all, some 100 bytes each. What is counted of others is counted of all together alone.
const PER_SHARD: usize = 1024;

/// What this process has counted and not written down.
///
/// What is written down is taken in batches, each with a name that is kept beside the sum. A batch stays here until it is
/// known to have been added; where that is in doubt, or the writing was broken off, it is offered again under its name,
/// and added once.
pub(crate) struct RecentActivity {
    shards: [Mutex<Shard>; SHARDS],
    /// What is to be added to the record of all together.
    all: Mutex<Unwritten>,
}

#[derive(Default)]
struct Shard {
    clients: HashMap<ClientId, Unwritten>,
    /// Of requests that name no client, and of clients for which there was no room.
    others: Counts,
}

/// What was counted of one client, or of all together, and is not known to be written down.
#[derive(Default)]
struct Unwritten {
    counting: Counts,
    offered: Option<Batch>,
}

/// What is added to a record at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    name: [u8; 8],
    pub(crate) counts: Counts,
}

impl Unwritten {
    fn sum(&self) -> Counts {
        let mut sum = self.counting.clone();
        if let Some(offered) = &self.offered {
            sum.add(&offered.counts);
        }
        sum
    }

    /// The batch that was not settled, or a new one of this name; `None` where there is nothing.
    fn offer(&mut self, name: [u8; 8]) -> Option<Batch> {
        if self.offered.is_none() && self.counting != Counts::default() {
            self.offered = Some(Batch { name, counts: std::mem::take(&mut self.counting) });
        }
        self.offered.clone()
    }

    /// False for a batch that was settled before.
    fn settle(&mut self, batch: &Batch) -> bool {
        self.offered.take_if(|offered| offered.name == batch.name).is_some()
    }
}

impl RecentActivity {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), all: Mutex::default() }
    }

    /// Counts an event, if it is one of those that are.
    pub(crate) fn count(&self, event: &Event) {
        let what = match &event.what {
            What::Issued { .. } => Counted::Issued,
            // What a protected resource refuses says nothing of the client: a token that has expired, mostly.
            What::Refused(Refusal::Authorize(_) | Refusal::Token(_)) => Counted::Refused,
            _ => return,
        };
        let day = event.at.day_number();
        let Some(mut shard) = self.shard(event.client_id.as_ref()) else { return };
        match event.client_id.as_ref().and_then(|client| shard.of(client, what)) {
            Some(counts) => counts.count(day, what),
            None => shard.others.count(day, what),
        }
    }

    /// What is not written down of one client.
    pub(crate) fn of(&self, client: &ClientId) -> Counts {
        let shard = self.shard(Some(client));
        shard.and_then(|shard| shard.clients.get(client).map(Unwritten::sum)).unwrap_or_default()
    }

    /// What is not written down, of all together, and the `most` clients that were issued most of it.
    pub(crate) fn of_all(&self, most: usize) -> (Counts, Vec<ClientId>) {
        let (mut all, mut busiest) = (lock(&self.all).sum(), Vec::new());
        for shard in &self.shards {
            let shard = lock(shard);
            all.add(&shard.others);
            for (client, unwritten) in &shard.clients {
                let sum = unwritten.sum();
                all.add(&sum);
                busiest.push((sum.issued, client.clone()));
            }
            busiest.sort_unstable_by(|left, right| right.cmp(left));
            busiest.truncate(most);
        }
        (all, busiest.into_iter().map(|(_, client)| client).collect())
    }

    /// At most `limit` clients of which there is something to write down.
    pub(crate) fn unwritten(&self, limit: usize) -> Vec<ClientId> {
        let mut clients = Vec::new();
        for shard in &self.shards {
            let room = limit.saturating_sub(clients.len());
            clients.extend(lock(shard).clients.keys().take(room).cloned());
        }
        clients
    }

    /// What is to be added to what is kept of a client, under this name unless it has one.
    pub(crate) fn offer(&self, client: &ClientId, name: [u8; 8]) -> Option<Batch> {
        self.shard(Some(client))?.clients.get_mut(client)?.offer(name)
    }

    /// It was added, or there is no such client: from now on it counts for all together.
    pub(crate) fn settle(&self, client: &ClientId, batch: &Batch) {
        let Some(mut shard) = self.shard(Some(client)) else { return };
        let Some(unwritten) = shard.clients.get_mut(client) else { return };
        if unwritten.settle(batch) {
            if unwritten.counting == Counts::default() {
                shard.clients.remove(client);
            }
            shard.others.add(&batch.counts);
        }
    }

    /// What is to be added to what is kept of all together, under this name unless it has one.
    pub(crate) fn offer_all(&self, name: [u8; 8]) -> Option<Batch> {
        let mut all = lock(&self.all);
        for shard in &self.shards {
            all.counting.add(&std::mem::take(&mut lock(shard).others));
        }
        all.offer(name)
    }

    /// It was added.
    pub(crate) fn settle_all(&self, batch: &Batch) {
        lock(&self.all).settle(batch);
    }

    fn shard(&self, client: Option<&ClientId>) -> Option<MutexGuard<'_, Shard>> {
        let last = client.and_then(|client| client.as_str().bytes().last()).unwrap_or(0);
        self.shards.get(usize::from(last) % SHARDS).map(lock)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// Where a client is counted. Where there is no room, clients that were issued nothing make some, whose names anybody
    /// may have made up; for what is itself refused, none is made.
    fn of(&mut self, client: &ClientId, what: Counted) -> Option<&mut Counts> {
        if self.clients.len() >= PER_SHARD && !self.clients.contains_key(client) {
            if what == Counted::Refused {
                return None;
            }
            let others = &mut self.others;
            self.clients.retain(|_, unwritten| {
                let kept = unwritten.counting.issued > 0 || unwritten.offered.is_some();
                if !kept {
                    others.add(&unwritten.counting);
                }
                kept
            });
            if self.clients.len() >= PER_SHARD {
                return None;
            }
        }
        Some(&mut self.clients.entry(client.clone()).or_default().counting)
    }
}

/// The key of what is kept of a client, in its partition.
///
/// Named by when the client was made, too: another that is given the identifier of one that was forgotten begins anew.
pub(crate) fn key_of(keys: &KeySpace, client: &ClientId, created_at: Timestamp) -> Key {
    let name = [&created_at.as_millis().to_be_bytes()[..], client.as_str().as_bytes()].concat();
    keys.drawn(Kind::ACTIVITY, keys.client(client).partition, &name)
}

impl std::fmt::Debug for RecentActivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecentActivity(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::refusal::TokenError;
    use crate::wire::scope::Scope;

    const DAY: Duration = Duration::from_secs(86_400);
    const START: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn issued(client: &str, at: Timestamp) -> Event {
        let what = What::Issued { grant_type: "client_credentials".into(), scope: Scope::empty() };
        Event::new(at, what).client(&client.into())
    }

    fn refused(client: &str, at: Timestamp) -> Event {
        Event::new(at, What::Refused(Refusal::Token(TokenError::ScopeMalformed))).client(&client.into())
    }

    #[test]
    fn days_are_counted_apart_and_forgotten_after_thirty() {
        let recent = RecentActivity::new();
        let (first, second) = (START, START.after(DAY));
        for event in [issued("a", first), issued("a", second), refused("a", second), issued("b", second)] {
            recent.count(&event);
        }
        let month = |now| totals(&recent.of(&"a".into()).days(now));
        let days = recent.of(&"a".into()).days(second);
        assert_eq!(days.len(), DAYS);
        let tail: Vec<_> = days.iter().rev().take(3).map(|day| (day.issued, day.refused)).collect();
        assert_eq!(tail, [(1, 1), (1, 0), (0, 0)]);
        assert_eq!((month(first.after(DAY * 29)), month(first.after(DAY * 30))), ((2, 1), (1, 1)));
        assert_eq!(month(first.after(DAY * 31)), (0, 0));
        let (all, busiest) = recent.of_all(1);
        assert_eq!((all.issued, all.refused, busiest), (3, 1, vec!["a".into()]));
    }

    #[test]
    fn days_are_kept_in_their_order_and_the_newest_of_them() {
        let (mut counts, mut late) = (Counts::default(), Counts::default());
        for day in 0..40 {
            counts.count(100 + day, Counted::Issued);
            late.count(100 + day, Counted::Refused);
        }
        counts.add(&late);
        assert_eq!((counts.issued, counts.refused, counts.days.len()), (40, 40, DAYS));
        assert!(counts.days.iter().zip(110..).all(|(count, day)| *count == DayCount { day, issued: 1, refused: 1 }));
        counts.count(1, Counted::Issued);
        assert_eq!((counts.issued, counts.days.len(), counts.days[0].day), (41, DAYS, 110));
        counts.count(1_000, Counted::Issued);
        assert_eq!((counts.days.len(), counts.days[0].day, counts.days[29].day), (DAYS, 111, 1_000));
    }

    #[test]
    fn what_is_kept_comes_back_and_takes_each_batch_once() {
        let mut kept = Kept { busiest: vec!["a".into(), "b".into()], ..Kept::default() };
        let mut counts = Counts::default();
        counts.count(100, Counted::Issued);
        counts.count(101, Counted::Refused);
        let batch = |number: u8| Batch { name: [number; 8], counts: counts.clone() };
        for number in (0..40).chain(8..40) {
            kept.add(&batch(number));
            kept = Kept::read(&kept.payload()).unwrap();
        }
        assert_eq!((kept.counts.issued, kept.counts.refused, kept.counts.days.len()), (40, 40, 2));
        assert_eq!((kept.batches.len(), &kept.busiest[..]), (BATCHES, &["a".into(), "b".into()][..]));
    }

    #[test]
    fn what_was_offered_is_offered_again_until_it_is_settled() {
        let (recent, a) = (RecentActivity::new(), ClientId::from("a"));
        recent.count(&issued("a", START));
        let first = recent.offer(&a, [1; 8]).unwrap();
        recent.count(&issued("a", START));
        assert_eq!((recent.offer(&a, [2; 8]), recent.of(&a).issued), (Some(first.clone()), 2));
        recent.settle(&a, &first);
        assert_eq!((recent.of(&a).issued, recent.of_all(9).0.issued), (1, 2));
        let second = recent.offer(&a, [3; 8]).unwrap();
        recent.settle(&a, &first);
        assert_eq!((second.counts.issued, recent.of(&a).issued), (1, 1), "an old answer settles nothing");
        recent.settle(&a, &second);
        assert_eq!((recent.unwritten(9), recent.offer(&a, [4; 8])), (vec![], None));
    }

    #[test]
    fn names_that_were_made_up_do_not_push_out_a_client_that_is_used() {
        let recent = RecentActivity::new();
        recent.count(&issued("real", START));
        for number in 0..40_000 {
            recent.count(&refused(&format!("made up {number}"), START));
        }
        for number in 0..40_000 {
            recent.count(&issued(&format!("real {number}"), START));
        }
        assert_eq!(recent.of(&"real".into()).issued, 1);
        assert_eq!((recent.of_all(1).0.issued, recent.of_all(1).0.refused), (40_001, 40_000));
        assert!(recent.unwritten(100).len() == 100 && recent.unwritten(usize::MAX).len() <= SHARDS * PER_SHARD);
    }
}
