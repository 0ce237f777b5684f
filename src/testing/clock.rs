//! Time as a test wants it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, SystemClock, Timestamp};

/// The clock of a [`TestServer`](super::TestServer): stands still until it is moved, or runs along with the machine's,
/// as far ahead or behind as it was moved.
#[derive(Debug)]
pub struct TestClock {
    running: AtomicBool,
    /// The moment it shows, in milliseconds; where it runs, how far it is ahead of the machine.
    value: AtomicI64,
}

impl TestClock {
    pub(super) const fn standing(at: Timestamp) -> Self {
        Self { running: AtomicBool::new(false), value: AtomicI64::new(at.as_millis()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let moved = |value: i64| Some(value.saturating_add(by));
        // The closure never says `None`, so that there is nothing to fail.
        let _ = self.value.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, to: Timestamp) {
        let ahead = if self.is_running() { SystemClock.now().as_millis() } else { 0 };
        self.value.store(to.as_millis().saturating_sub(ahead), Ordering::SeqCst);
    }

    /// Lets the clock run from where it stands.
    pub fn run(&self) {
        let now = self.now();
        self.running.store(true, Ordering::SeqCst);
        self.set(now);
    }

    /// Stops the clock where it is.
    pub fn stop(&self) {
        let now = self.now();
        self.running.store(false, Ordering::SeqCst);
        self.set(now);
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let from = if self.is_running() { SystemClock.now().as_millis() } else { 0 };
        Timestamp::from_millis(from.saturating_add(self.value.load(Ordering::SeqCst)))
    }
}

/// So many seconds.
#[must_use]
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many minutes.
#[must_use]
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

/// So many hours.
#[must_use]
pub const fn hours(count: u64) -> Duration {
    minutes(count.saturating_mul(60))
}

/// So many days of 24 hours.
#[must_use]
pub const fn days(count: u64) -> Duration {
    hours(count.saturating_mul(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_where_it_stood_when_it_is_let_run_and_stopped() {
        let clock = TestClock::standing(Timestamp::from_secs(1_000));
        clock.advance(hours(1));
        assert_eq!(clock.now(), Timestamp::from_secs(4_600));
        clock.run();
        assert!(clock.now() >= Timestamp::from_secs(4_600) && clock.now() < Timestamp::from_secs(4_700));
        clock.advance(days(1));
        assert!(clock.now() >= Timestamp::from_secs(91_000) && clock.now() < Timestamp::from_secs(91_100));
        clock.stop();
        clock.set(Timestamp::from_secs(7));
        assert_eq!(clock.now(), Timestamp::from_secs(7));
    }
}
