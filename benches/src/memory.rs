//! What is held: bytes per grant, per abandoned code, and once everything has expired. Counted by the allocator of `count`.

use std::sync::Arc;
use std::time::Duration;

use grantor::clock::{ManualClock, Timestamp};

use crate::Options;
use crate::measure::{OURS, Row, ready};
#[cfg(feature = "peers")]
use crate::party::{OauthAs, Oxide};
use crate::party::{Ours, Party};

const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Bytes held per grant with its tokens.
fn per_grant<P: Party>(make: impl Fn() -> P, grants: usize, held: &dyn Fn() -> f64) -> f64 {
    let mut party = make();
    party.grants(64);
    let before = held();
    for _ in 0..grants / 1_000 {
        drop(party.grants(1_000));
    }
    (held() - before) / (grants / 1_000 * 1_000) as f64
}

pub fn run(options: &Options, held: &dyn Fn() -> f64) -> Vec<Row> {
    let mut rows = Vec::new();
    let live = if options.million { 1_000_000 } else { options.live };
    let figures = [
        (OURS, per_grant(Ours::default, live, held)),
        #[cfg(feature = "peers")]
        ("oxide-auth", per_grant(Oxide::default, live, held)),
        #[cfg(feature = "peers")]
        ("oauth-as", per_grant(OauthAs::engine, live, held)),
    ];
    let mut row = Row::figures(&format!("a live grant with its two tokens, of {live}"), "bytes", &figures, Some(600.0));
    row.note.push_str(
        "with its spent code, and what is remembered of the user's consent; the code of a grant goes with the grant",
    );
    rows.push(row);

    let clock = Arc::new(ManualClock::new(START));
    let mut ours = Ours::with_clock(&clock);
    let start = held();
    let codes = if options.million { 1_000_000 } else { options.live };
    for _ in 0..codes / 1_000 {
        drop(ours.codes(1_000));
    }
    let per = |bytes: f64| bytes / codes as f64;
    rows.push(Row::figures(&format!("an abandoned code, of {codes}"), "bytes", &[(OURS, per(held() - start))], None));
    clock.advance(Duration::from_hours(1));
    purge(&ours);
    let row = Row::figures("the same an hour later: consent remains", "bytes", &[(OURS, per(held() - start))], None);
    rows.push(row);
    clock.advance(Duration::from_hours(20 * 365 * 24));
    purge(&ours);
    let left = held() - start;
    let mut row = Row::figures("after everything has expired, in all", "bytes", &[(OURS, left)], Some(4_194_304.0));
    row.note.push_str("what is left are the empty tables of partitions and shards, whose number is fixed");
    rows.push(row);
    rows
}

fn purge(ours: &Ours) {
    while ready(ours.server.purge(100_000)).unwrap().more {}
}
