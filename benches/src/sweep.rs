//! Forgetting what has expired: the longest that anybody is held up.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use grantor::clock::{Clock as _, ManualClock, Timestamp};

use crate::Options;
use crate::measure::{OURS, Row, cost, median, ready};
use crate::party::{OauthAs, Ours, Party};

/// How many records the store forgets before others get the lock.
const PER_LOCK: u32 = 32;

const YEARS: Duration = Duration::from_hours(3 * 365 * 24);

pub fn run(options: &Options) -> Vec<Row> {
    let live = options.live;
    let mut rows = Vec::new();

    // A lock is never held for more records than one such call forgets, so the call bounds the pause.
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
    let mut ours = Ours::with_clock(&clock);
    ours.grants(live);
    clock.advance(YEARS);
    let mut calls = Vec::new();
    loop {
        let (cost, purged) = cost(1, || ready(ours.server.purge(PER_LOCK)).unwrap());
        calls.push(cost.nanos as f64);
        if !purged.more {
            break;
        }
    }
    let (longest, usual, most) = extremes(&mut calls);
    let mut oauth_as = OauthAs::engine();
    oauth_as.grants(live);
    let then = SystemTime::now() + YEARS;
    let (sweep, ()) = cost(1, || oauth_as.sweep(then));
    let figures = [(OURS, longest), ("oauth-as", sweep.nanos as f64)];
    let mut row =
        Row::figures(&format!("longest pause of a purge, {live} grants expired"), "ns", &figures, Some(100_000.0));
    row.note = format!(
        "{} calls for {PER_LOCK} records each, which is the longest that a lock is held; usual call {usual:.0} ns, the very longest {most:.0} ns. \
         oauth-as forgets all at once, under its only lock.",
        calls.len()
    );
    rows.push(row);

    // A store that nobody purges forgets a few records with each commit.
    let clock = Arc::new(ManualClock::new(clock.now()));
    let mut ours = Ours::with_clock(&clock);
    ours.grants(live);
    clock.advance(YEARS);
    let mut commits: Vec<f64> = (0..20_000).map(|_| ours.issue(1).nanos as f64).collect();
    let (longest, usual, most) = extremes(&mut commits);
    let mut row = Row::figures(
        &format!("longest client_credentials that forgets on the way, {live} grants expired"),
        "ns",
        &[(OURS, longest)],
        Some(100_000.0),
    );
    row.note = format!("usual request {usual:.0} ns, the very longest {most:.0} ns");
    rows.push(row);
    rows
}

/// The longest but for one in a hundred, the usual, and the very longest.
///
/// The very longest is not the store's: the allocator of glibc tidies up for milliseconds now and then, and a neighbour's work on a
/// shared machine may be charged to us.
fn extremes(samples: &mut [f64]) -> (f64, f64, f64) {
    samples.sort_by(f64::total_cmp);
    let at = (samples.len() - 1) * 99 / 100;
    (samples[at], median(samples), samples[samples.len() - 1])
}
