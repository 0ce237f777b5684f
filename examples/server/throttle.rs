//! How often a password may be guessed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantor::clock::Timestamp;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// How many failures an account has from one address before it is refused there.
pub(crate) const MOST_FAILURES: u32 = 10;
/// How long after the first of them they are forgotten.
pub(crate) const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many pairs of account and address are remembered.
const MOST_PAIRS: usize = 10_000;

/// Counts failed sign-ins by account and address, in memory: ten in a quarter of an hour, then that account is refused
/// from that address until the quarter is over. Sign-ins that succeed do not count, and forgive.
///
/// Both together, for by account alone anybody could lock anybody out, and by address alone an office would share one
/// count. What is left, a few guesses at each of many accounts or from each of many addresses, is for a rate limit in
/// front.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    pairs: Mutex<HashMap<Pair, Arc<Turn<Failures>>>>,
}

/// An account, and the network that tries it.
type Pair = (String, IpAddr);

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    until: Option<Timestamp>,
}

/// The turn of one attempt: others for the same account from the same address wait for its end, so that no number of
/// them at once gets more guesses than one after the other.
#[derive(Debug)]
#[must_use = "an attempt that is not forgiven counts as a failure"]
pub(crate) struct Attempt(OwnedMutexGuard<Failures>);

/// There were too many failures; until then it is no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) until: Timestamp,
}

impl Throttle {
    /// Takes a turn. It counts as a failure until it is known to be none.
    pub(crate) async fn attempt(&self, account: &str, from: IpAddr, now: Timestamp) -> Result<Attempt, TooMany> {
        let turn = self.turn(account, from, now);
        let mut failures = turn.lock_owned().await;
        if failures.until.is_none_or(|until| until.has_come(now)) {
            *failures = Failures { count: 0, until: Some(now.after(WINDOW)) };
        }
        match failures.until {
            Some(until) if failures.count >= MOST_FAILURES => Err(TooMany { until }),
            _ => {
                failures.count = failures.count.saturating_add(1);
                Ok(Attempt(failures))
            }
        }
    }

    fn turn(&self, account: &str, from: IpAddr, now: Timestamp) -> Arc<Turn<Failures>> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (account.to_owned(), network(from));
        if !pairs.contains_key(&pair) && pairs.len() >= MOST_PAIRS {
            let over = |turn: &Arc<Turn<Failures>>| {
                turn.try_lock().is_ok_and(|failures| failures.until.is_none_or(|until| until.has_come(now)))
            };
            pairs.retain(|_, turn| !over(turn));
            // If that does not help, some are forgiven, and enough of them that this is not done each time.
            let mut surplus = pairs.len().saturating_sub(MOST_PAIRS / 10 * 9);
            pairs.retain(|_, _| {
                let kept = surplus == 0;
                surplus = surplus.saturating_sub(1);
                kept
            });
        }
        Arc::clone(pairs.entry(pair).or_default())
    }
}

impl Attempt {
    /// The password was right: what failed before is forgiven.
    pub(crate) fn succeeded(mut self) {
        *self.0 = Failures::default();
    }
}

/// What one party can have of addresses counts as one: a /64 of IPv6; and an IPv4 address in IPv6 dress is what it is.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}
