//! Limits in the memory of this process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{By, Caller, Limited, RateLimit, TooMany};
use crate::clock::Timestamp;

const SHARDS: usize = 16;
/// How many callers one shard remembers, at about 50 bytes each: some 13 MB in all.
const PER_SHARD: usize = 16_384;

/// How often: some at once, and then one each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    every: i64,
}

impl Rate {
    /// `burst` at once (at least 1), and one more `every` so often (at least a millisecond, at most a day).
    pub fn new(burst: u32, every: Duration) -> Self {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).clamp(1, 86_400_000);
        Self { burst: burst.max(1), every }
    }

    /// How far ahead of now a full bucket reaches, in milliseconds.
    fn depth(self) -> i64 {
        self.every.saturating_mul(i64::from(self.burst))
    }
}

/// A limit in the memory of this process: what is counted on one node is not known to another.
///
/// It is bounded: it remembers at most some 260,000 callers, and where there are more it forgets first whose time has
/// come, and then who is closest to it. It counts by the server's clock, holds no lock while it waits, since it does not
/// wait, and keeps neither addresses nor names but a hash of them.
#[derive(Debug)]
pub struct MemoryRateLimit {
    rates: Vec<(Limited, By, Rate)>,
    hashes: [RandomState; 2],
    /// For each caller the moment, in milliseconds, from which on nothing speaks against it any more: "theoretical
    /// arrival time" where this algorithm (GCRA, ITU-T I.371) is at home.
    shards: [Mutex<HashMap<Name, i64>>; SHARDS],
}

/// Who and what is counted. Two hashes under keys of this process: nobody can choose names that meet.
type Name = (u64, u64);

impl MemoryRateLimit {
    /// One that limits devices and user codes alone, as a server does that was given no limit: the last two lines of
    /// [`generous`](Self::generous). So nobody who limits something else takes away what keeps guessing hopeless.
    pub fn new() -> Self {
        let millis = Duration::from_millis;
        let nothing = Self {
            rates: Vec::new(),
            hashes: [RandomState::new(), RandomState::new()],
            shards: std::array::from_fn(|_| Mutex::default()),
        };
        nothing
            .limit(Limited::DeviceAuthorization, By::Address, Rate::new(60, millis(1_000)))
            .limit(Limited::DeviceAuthorization, By::Client, Rate::new(600, millis(100)))
            .limit(Limited::DeviceAuthorization, By::Everyone, Rate::new(5_000, millis(10)))
            .limit(Limited::UserCode, By::Address, Rate::new(60, millis(10_000)))
            .limit(Limited::UserCode, By::Subject, Rate::new(10, millis(60_000)))
            .limit(Limited::UserCode, By::Everyone, Rate::new(3_000, millis(200)))
    }

    /// What an authorization server usually needs: far above what one application or household does, and far below what
    /// wears a server out.
    ///
    /// | | an address | a client with a secret | a signed-in user | all together |
    /// |---|---|---|---|---|
    /// | authorization endpoint | 120, then 2 a second | | | |
    /// | token endpoint | 600, then 20 a second | 6,000, then 200 a second | | |
    /// | revocation | 600, then 20 a second | 6,000, then 200 a second | | |
    /// | introspection | 10,000, then 1,000 a second | | | |
    /// | registration | 60, then 1 a second | | | |
    /// | device authorization | 60, then 1 a second | 600, then 10 a second | | 5,000, then 100 a second |
    /// | user codes | 60, then 1 in 10 seconds | | 10, then 1 a minute | 3,000, then 5 a second |
    ///
    /// The last line is what keeps guessing hopeless (RFC 8628 §5.1): within the ten minutes of a code all the world
    /// makes 6,000 guesses at most, among 25,600,000,000 codes.
    pub fn generous() -> Self {
        let millis = Duration::from_millis;
        Self::new()
            .limit(Limited::Authorize, By::Address, Rate::new(120, millis(500)))
            .limit(Limited::Token, By::Address, Rate::new(600, millis(50)))
            .limit(Limited::Token, By::Client, Rate::new(6_000, millis(5)))
            .limit(Limited::Revoke, By::Address, Rate::new(600, millis(50)))
            .limit(Limited::Revoke, By::Client, Rate::new(6_000, millis(5)))
            .limit(Limited::Register, By::Address, Rate::new(60, millis(1_000)))
            .limit(Limited::Introspect, By::Address, Rate::new(10_000, millis(1)))
    }

    /// The same, with this limit in place of the one there was for the same thing and kind of caller.
    #[must_use]
    pub fn limit(mut self, what: Limited, by: By, rate: Rate) -> Self {
        self.rates.retain(|(other, other_by, _)| (*other, *other_by) != (what, by));
        self.rates.push((what, by, rate));
        self
    }

    fn rate(&self, what: Limited, by: By) -> Option<Rate> {
        self.rates.iter().find(|(other, other_by, _)| (*other, *other_by) == (what, by)).map(|(.., rate)| *rate)
    }

    fn count(&self, what: Limited, caller: Caller<'_>, now: Timestamp) -> Result<(), TooMany> {
        let Some(rate) = self.rate(what, caller.by()) else { return Ok(()) };
        let name = self.name(what, caller);
        let index = usize::try_from(name.0 % 16).unwrap_or(0);
        let Some(shard) = self.shards.get(index) else { return Ok(()) };
        let mut times = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_millis();
        let full = now.saturating_add(rate.depth());
        // Not before now; and not further ahead than can be, or a clock that was set back would lock out for as long.
        let time = times.get_mut(&name).map_or(now, |time| {
            // Kept, so that it runs down from here also for somebody who is refused now.
            *time = (*time).min(full);
            (*time).max(now)
        });
        let next = time.saturating_add(rate.every);
        if next > full {
            let wait = u64::try_from(next.saturating_sub(full)).unwrap_or(0);
            return Err(TooMany { retry_after: Duration::from_millis(wait) });
        }
        if times.len() >= PER_SHARD && !times.contains_key(&name) {
            make_room(&mut times, now);
        }
        times.insert(name, next);
        Ok(())
    }

    fn name(&self, what: Limited, caller: Caller<'_>) -> Name {
        let by = caller.by();
        let hash = |keys: &RandomState| match caller {
            Caller::Address(address) => keys.hash_one((what, by, address)),
            Caller::Client(client) => keys.hash_one((what, by, client.as_str())),
            Caller::Subject(subject) => keys.hash_one((what, by, subject.as_str())),
            Caller::Everyone => keys.hash_one((what, by)),
        };
        let [first, second] = &self.hashes;
        (hash(first), hash(second))
    }
}

/// Forgets whose time has come; where that is nobody, the eighth that is closest to it.
fn make_room(times: &mut HashMap<Name, i64>, now: i64) {
    times.retain(|_, time| *time > now);
    if times.len() < PER_SHARD {
        return;
    }
    let mut order: Vec<i64> = times.values().copied().collect();
    let (_, least, _) = order.select_nth_unstable(PER_SHARD / 8);
    let least = *least;
    times.retain(|_, time| *time > least);
}

impl Default for MemoryRateLimit {
    /// [`generous`](Self::generous).
    fn default() -> Self {
        Self::generous()
    }
}

#[async_trait]
impl RateLimit for MemoryRateLimit {
    async fn take(&self, what: Limited, caller: Caller<'_>, now: Timestamp) -> Result<(), TooMany> {
        self.count(what, caller, now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_000_000);

    fn later(millis: u64) -> Timestamp {
        START.after(Duration::from_millis(millis))
    }

    fn address(number: u32) -> Caller<'static> {
        Caller::Address(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    fn three_then_one_a_second() -> MemoryRateLimit {
        MemoryRateLimit::new().limit(Limited::Token, By::Address, Rate::new(3, Duration::from_secs(1)))
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_each_time() {
        let limit = three_then_one_a_second();
        let take = |at| limit.count(Limited::Token, address(1), later(at));
        assert_eq!([0, 0, 0].map(|at| take(at).is_ok()), [true; 3]);
        assert_eq!(take(0), Err(TooMany { retry_after: Duration::from_secs(1) }));
        assert_eq!(take(400), Err(TooMany { retry_after: Duration::from_millis(600) }));
        // What is refused does not count: the time to wait does not grow.
        assert!(take(1_000).is_ok());
        assert!(take(1_999).is_err());
        assert_eq!([9_000, 9_000, 9_000].map(|at| take(at).is_ok()), [true; 3]);
        assert!(take(9_000).is_err(), "more than a burst is not saved up");
    }

    #[test]
    fn callers_and_things_have_counts_of_their_own() {
        let limit = three_then_one_a_second();
        for _ in 0..3 {
            assert!(limit.count(Limited::Token, address(1), START).is_ok());
        }
        assert!(limit.count(Limited::Token, address(1), START).is_err());
        assert!(limit.count(Limited::Token, address(2), START).is_ok());
        for _ in 0..100 {
            assert!(limit.count(Limited::Revoke, address(1), START).is_ok(), "no limit was set for it");
            assert!(limit.count(Limited::Token, Caller::Everyone, START).is_ok());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_burst() {
        let limit = three_then_one_a_second();
        for _ in 0..3 {
            assert!(limit.count(Limited::Token, address(1), later(3_600_000)).is_ok());
        }
        assert!(limit.count(Limited::Token, address(1), START).is_err());
        assert!(limit.count(Limited::Token, address(1), later(1_000)).is_ok());
    }

    #[test]
    fn no_number_of_callers_takes_more_than_a_bounded_memory() {
        let limit = three_then_one_a_second();
        for number in 0..400_000 {
            assert!(limit.count(Limited::Token, address(number), START).is_ok());
        }
        let kept: usize = limit.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * PER_SHARD, "{kept}");
    }

    #[test]
    fn many_threads_at_once_get_no_more_than_one_would() {
        let limit = three_then_one_a_second();
        let barrier = std::sync::Barrier::new(8);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        (0..100).filter(|_| limit.count(Limited::Token, address(1), START).is_ok()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 3);
    }
}
