//! Purge, expiry, and what a store may forget on its own.

use super::bed::{Bed, Verdict, ensure, writes};
use super::check::{Check, Rule};
use super::sample::{NOW, grant, later, record, spent, token};
use crate::clock::Timestamp;
use crate::store::{Commit, Key, Kind, Partition, Record, State, Used, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Forgetting, run);
    vec![
        check("purge-takes-what-lies-before-and-nothing-else", boundary),
        check("purge-goes-by-purge-after-and-not-by-expiry-state-or-use", by_column),
        check("purge-never-takes-what-is-kept-for-ever", never),
        check("purge-takes-no-more-than-its-limit-and-goes-on", limited),
        check("purge-frees-the-name", frees),
        check("purge-goes-by-the-latest-version-of-a-record", latest),
        check("purge-goes-by-what-a-use-says", by_use),
        check("purge-before-the-beginning-takes-nothing", beginning),
        check("nothing-is-forgotten-before-its-time-by-a-commit", not_by_commits),
        check("what-a-commit-forgets-it-forgets-by-its-own-moment", not_by_a_clock),
    ]
}

fn until(number: u64, purge_after: Timestamp) -> Record {
    Record { purge_after, ..token(number) }
}

fn millis_from(moment: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(moment.as_millis().saturating_add(by))
}

/// Purges, and expects of all these records exactly those that are due to be gone.
fn purges(bed: &Bed<'_>, before: Timestamp, records: &[Record], limit: u32) -> Verdict {
    let (due, kept): (Vec<&Record>, Vec<&Record>) = records.iter().partition(|it| it.purge_after < before);
    let removed = bed.purge_all(before, limit)?;
    for record in kept {
        bed.holds(record).map_err(|wrong| format!("a purge before {before:?} took too much: {wrong}"))?;
    }
    for record in &due {
        bed.absent(record.key).map_err(|wrong| format!("a purge before {before:?} left something: {wrong}"))?;
    }
    let expected = u32::try_from(due.len()).unwrap_or(u32::MAX);
    ensure!(removed == expected, "a purge says that it removed {removed} records, and it was {expected}");
    Ok(())
}

fn boundary(bed: &Bed<'_>) -> Verdict {
    let records: Vec<Record> =
        (1..).zip(-3..=3).map(|(number, by)| until(number, millis_from(later(500), by))).collect();
    bed.given(&records)?;
    purges(bed, later(500), &records, 100)?;
    let left: Vec<Record> = records.into_iter().filter(|record| record.purge_after >= later(500)).collect();
    purges(bed, millis_from(later(500), 1), &left, 100)
}

fn by_column(bed: &Bed<'_>) -> Verdict {
    let kept = [
        Record { expires_at: Timestamp::from_millis(i64::MIN), ..token(1) },
        Record { state: State::Revoked, ..token(2) },
        Record { state: State::Deleted, ..token(3) },
        Record { used: Some(Box::new(Used { at: later(-9), answer: Box::default() })), ..token(4) },
        Record { created_at: Timestamp::from_millis(i64::MIN), ..token(5) },
    ];
    let gone: Vec<Record> = (11..)
        .zip(&kept)
        .map(|(number, it)| Record { purge_after: later(9), key: token(number).key, ..it.clone() })
        .collect();
    let unexpired = Record { expires_at: Timestamp::NEVER, purge_after: later(9), ..token(20) };
    let all = [kept.to_vec(), gone, vec![unexpired]].concat();
    bed.given(&all)?;
    purges(bed, later(10), &all, 100)
}

fn never(bed: &Bed<'_>) -> Verdict {
    let records = [
        until(1, Timestamp::NEVER),
        until(2, millis_from(Timestamp::NEVER, -1)),
        until(3, later(1)),
        until(4, Timestamp::NEVER),
    ];
    bed.given(&records)?;
    purges(bed, Timestamp::NEVER, &records, u32::MAX)
}

fn limited(bed: &Bed<'_>) -> Verdict {
    // Across many partitions, as what is due is.
    let spread = |number: u64| {
        let partition = Partition(u16::try_from(number.wrapping_mul(4_099) % 65_536).unwrap_or_default());
        let key = Key { partition, ..token(number).key };
        let purge_after =
            if number.is_multiple_of(5) { Timestamp::NEVER } else { later(i64::try_from(number).unwrap_or_default()) };
        Record { purge_after, ..record(key) }
    };
    let mut records: Vec<Record> = (1..=100).map(spread).collect();
    bed.given(&records)?;
    let due = |records: &[Record]| records.iter().filter(|it| it.purge_after < later(1_000)).count();
    for limit in [1, 7] {
        let before = due(&records);
        let purged = bed.purge(later(1_000), limit)?;
        ensure!(purged.more, "a purge that stopped at its limit says that there is no more");
        let keys: Vec<Key> = records.iter().map(|it| it.key).collect();
        let left = bed.look(&keys)?;
        records = left.into_iter().flatten().collect();
        let gone = before.saturating_sub(due(&records));
        ensure!(
            usize::try_from(purged.removed).is_ok_and(|removed| removed == gone),
            "a purge says that it removed {} records, and it was {gone}",
            purged.removed
        );
    }
    purges(bed, later(1_000), &records, 10)
}

fn frees(bed: &Bed<'_>) -> Verdict {
    bed.given([&until(1, later(1))])?;
    ensure!(bed.purge_all(later(2), 10)? == 1, "a purge did not remove the only record that was due");
    bed.given([&token(1)])?;
    bed.holds(&token(1))?;
    // A queue of what is due must not remember the one before it.
    ensure!(bed.purge_all(later(2), 10)? == 0, "a purge removed a record that took the name of one that was due");
    bed.holds(&token(1))
}

fn latest(bed: &Bed<'_>) -> Verdict {
    let (prolonged, shortened) = (token(1).key, token(2).key);
    bed.given([&until(1, later(10)), &until(2, later(1_000))])?;
    for by in [20, 30, 500] {
        bed.applied(&writes([Write::Replace(until(1, later(by)).into())]))?;
    }
    bed.applied(&writes([Write::Replace(until(2, later(5)).into())]))?;
    let version = |number, by, revision| Record { revision, ..until(number, later(by)) };
    purges(bed, later(100), &[version(1, 500, 4), version(2, 5, 2)], 10)?;
    bed.absent(shortened)?;
    // A change of state does not alter when a record may be forgotten.
    bed.applied(&writes([Write::SetState { key: prolonged, state: State::Revoked }]))?;
    ensure!(bed.purge_all(later(500), 10)? == 0, "a purge took a record at the moment it may be forgotten, not after");
    ensure!(bed.purge_all(later(501), 10)? == 1, "a purge left a record that was changed");
    bed.absent(prolonged)
}

/// What was spent is remembered for as long as the use says, be that longer or shorter than before.
fn by_use(bed: &Bed<'_>) -> Verdict {
    let records = [until(1, later(10)), until(2, Timestamp::NEVER), until(3, later(10)), until(4, later(100))];
    let prolonged = [later(50), later(50), Timestamp::NEVER, later(20)];
    bed.given(&records)?;
    let mut after = Vec::new();
    for (record, purge_after) in records.into_iter().zip(prolonged) {
        let used = Write::Use { key: record.key, at: later(1), answer: Box::default(), purge_after };
        bed.applied(&writes([used]))?;
        after.push(Record { purge_after, ..spent(record, later(1), b"") });
    }
    for before in [11, 20, 21, 50, 51] {
        purges(bed, later(before), &after, 10)?;
        after.retain(|record| record.purge_after >= later(before));
    }
    Ok(())
}

fn beginning(bed: &Bed<'_>) -> Verdict {
    let records = [until(1, Timestamp::from_millis(i64::MIN)), until(2, later(1))];
    bed.given(&records)?;
    purges(bed, Timestamp::from_millis(i64::MIN), &records, 10)
}

/// Commits at `at`, often enough for a store that forgets on the way.
fn commits(bed: &Bed<'_>, at: Timestamp) -> Verdict {
    let key = grant(1).key;
    for _ in 0..100 {
        bed.applied(&Commit { at, ..writes([Write::SetState { key, state: State::Live }]) })?;
    }
    Ok(())
}

fn not_by_commits(bed: &Bed<'_>) -> Verdict {
    let records = [until(1, later(900_000)), until(2, millis_from(later(900_000), 1)), until(3, Timestamp::NEVER)];
    bed.given([&Record { purge_after: Timestamp::NEVER, ..grant(1) }])?;
    bed.given(&records)?;
    commits(bed, later(900_000))?;
    records.iter().try_for_each(|record| bed.holds(record))?;
    commits(bed, Timestamp::NEVER)?;
    bed.holds(&until(3, Timestamp::NEVER))
}

fn not_by_a_clock(bed: &Bed<'_>) -> Verdict {
    // Long past by the clock of any machine that runs this, and in the future of every commit.
    let past = |by: i64| millis_from(Timestamp::from_millis(1_000_000), by);
    let records = [until(1, past(1)), until(2, past(1_000)), Record { expires_at: past(0), ..until(3, past(50)) }];
    bed.given([&Record { key: Key { kind: Kind::GRANT, ..grant(1).key }, purge_after: Timestamp::NEVER, ..grant(1) }])?;
    bed.given(&records)?;
    commits(bed, past(0))?;
    records.iter().try_for_each(|record| bed.holds(record))?;
    ensure!(bed.purge_all(past(0), 10)? == 0, "a purge went by a clock");
    ensure!(bed.purge_all(NOW, 10)? == 3, "a purge left what was due");
    Ok(())
}
