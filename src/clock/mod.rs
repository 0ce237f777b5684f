//! Time as an argument: the one place that may ask the machine what time it is.

mod date;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use date::Date;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: no lifetime, however large, wraps around, and [`Timestamp::NEVER`] stays what it is.
///
/// It is written in UTC as RFC 3339 has it, and becomes a [`SystemTime`], which every crate for dates can take:
///
/// ```
/// use grantor::clock::Timestamp;
///
/// assert_eq!(Timestamp::from_secs(1_767_225_600).to_string(), "2026-01-01T00:00:00Z");
/// assert_eq!(Timestamp::from_secs(7).system_time(), Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(7)));
/// assert_eq!(Timestamp::NEVER.to_string(), "never");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that does not come: later than every other.
    pub const NEVER: Self = Self(i64::MAX);

    /// The moment `milliseconds` after (before, where negative) the epoch.
    #[must_use]
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The moment `seconds` after the epoch, saturating.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: the `NumericDate` of RFC 7519 §2.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The number of the day on which this moment falls in UTC, counted from 1970-01-01.
    pub(crate) const fn day_number(self) -> i64 {
        self.as_secs().div_euclid(SECONDS_OF_DAY)
    }

    /// The moment at which the day of this number begins.
    pub(crate) const fn of_day(number: i64) -> Self {
        Self::from_secs(number.saturating_mul(SECONDS_OF_DAY))
    }

    /// The same as the standard library has it; `None` for [`NEVER`](Self::NEVER), and for what this machine's calendar
    /// cannot hold.
    #[must_use]
    pub fn system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_millis(self.0.unsigned_abs());
        match self {
            Self::NEVER => None,
            Self(..0) => UNIX_EPOCH.checked_sub(distance),
            Self(0..) => UNIX_EPOCH.checked_add(distance),
        }
    }

    /// This moment, `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// This moment, `by` earlier.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        if self == Self::NEVER { self } else { Self(self.0.saturating_sub(millis(by))) }
    }

    /// Whole seconds from `now` until this moment, rounded down; 0 when it has passed.
    #[must_use]
    pub fn seconds_from(self, now: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(now.0).div_euclid(1000)).unwrap_or(0)
    }

    /// Whether this moment has come: a thing that expires at 12:00:00 is expired at 12:00:00.
    #[must_use]
    pub fn has_come(self, now: Self) -> bool {
        now >= self
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

const SECONDS_OF_DAY: i64 = 86_400;

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (day, second) = (self.day_number(), self.as_secs().rem_euclid(SECONDS_OF_DAY));
        if *self == Self::NEVER {
            return f.write_str("never");
        }
        if !Date::CALENDAR.contains(&day) {
            return write!(f, "{}ms", self.0);
        }
        write!(f, "{}T{:02}:{:02}:{:02}", Date::of(day), second / 3600, second / 60 % 60, second % 60)?;
        match self.0.rem_euclid(1000) {
            0 => f.write_str("Z"),
            fraction => write!(f, ".{fraction:03}Z"),
        }
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What the server asks for the time, once per request.
///
/// Tests inject one that they move; see [`ManualClock`].
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => Timestamp(millis(since)),
            Err(before) => Timestamp(millis(before.duration()).saturating_neg()),
        }
    }
}

/// Measures how long something takes, for instruments. Nothing is decided by it, and so it is no argument.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

#[cfg(feature = "metrics")]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(std::sync::atomic::AtomicI64::new(now.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().after(by));
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let late = Timestamp::from_millis(i64::MAX - 1);
        assert_eq!(late.after(Duration::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::NEVER.before(Duration::from_secs(1)), Timestamp::NEVER);
        assert_eq!(Timestamp::from_millis(i64::MIN).before(Duration::MAX).as_millis(), i64::MIN);
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::from_secs(1).seconds_from(Timestamp::from_secs(5)), 0);
    }

    #[test]
    fn moments_are_written_on_their_days() {
        for (millis, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696_000, "2000-02-29T12:34:56Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-1000, "1969-12-31T23:59:59Z"),
            (i64::MAX, "never"),
            (i64::MIN, "-9223372036854775808ms"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), written);
        }
    }

    #[test]
    fn the_standard_library_has_the_same_moments() {
        assert_eq!(Timestamp::from_millis(-1500).system_time(), Some(UNIX_EPOCH - Duration::from_millis(1500)));
        assert_eq!(Timestamp::from_millis(1500).system_time(), Some(UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(Timestamp::NEVER.system_time(), None);
    }

    #[test]
    fn the_boundary_belongs_to_the_expired() {
        let at = Timestamp::from_secs(100);
        assert!(!at.has_come(Timestamp::from_millis(99_999)));
        assert!(at.has_come(at));
    }
}
