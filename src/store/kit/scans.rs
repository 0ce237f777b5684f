//! Everything, a piece at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bed::{Bed, Verdict, ensure, same, writes};
use super::check::{Check, Rule};
use super::sample::{HOME, OTHER_TENANT, labels, later, link, owner, record, spend, spent, token};
use crate::clock::Timestamp;
use crate::store::{Key, Kind, Partition, Payload, Record, ScanCursor, State, StoreError, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Scanned, run);
    vec![
        check("a-scan-of-nothing-is-empty", empty),
        check("a-scan-holds-every-record-of-every-server-kind-and-state", everything),
        check("a-scan-in-pieces-of-any-size-misses-nothing", in_pieces),
        check("a-scan-goes-on-through-another-handle", through_another),
        check("a-scan-misses-nothing-while-others-write", while_written),
        check("a-scan-from-a-cursor-that-no-store-made-is-corrupt", foreign_cursor),
    ]
}

/// The most that a piece may hold beyond what was asked for.
const SLACK: usize = 1_000;

/// Records that differ in all that a store may keep apart, across many partitions; some of those have many.
fn all_sorts() -> Vec<Record> {
    let states = [State::Live, State::Inactive, State::Revoked, State::Deleted];
    let kinds = [Kind::CLIENT, Kind::SUBJECT, Kind::GRANT, Kind::ACCESS_TOKEN, Kind::MARKER, Kind(0), Kind(255)];
    let numbered = (0_u64..).zip(states.iter().cycle().zip(kinds.iter().cycle()));
    numbered
        .take(140)
        .map(|(number, (state, kind))| {
            let partition = match number % 4 {
                0 => HOME,
                // The ends, and some in between.
                1 => Partition(if number % 8 == 1 { 0 } else { u16::MAX }),
                _ => Partition(u16::try_from(number.wrapping_mul(4_099) % 65_536).unwrap_or_default()),
            };
            let Record { key, .. } = token(number);
            let key = Key { partition, kind: *kind, ..key };
            let client = Key { kind: Kind::CLIENT, ..key };
            Record {
                tenant: if number % 3 == 0 { OTHER_TENANT } else { super::sample::TENANT },
                state: *state,
                epoch: number,
                parent: (number % 5 == 1).then(|| link(Key { kind: Kind::GRANT, ..key }, number)),
                owner: if number % 5 == 2 { owner(client, None) } else { None },
                labels: if number % 5 == 3 { labels("name", &format!("id_{number}"), "class") } else { None },
                created_at: Timestamp::from_secs(i64::try_from(number % 6).unwrap_or_default()),
                expires_at: if number % 7 == 0 { Timestamp::from_millis(i64::MIN) } else { later(9) },
                purge_after: if number % 7 == 1 { Timestamp::NEVER } else { later(99) },
                payload: Payload::new(number.to_be_bytes()),
                ..record(key)
            }
        })
        .collect()
}

fn piece(
    bed: &Bed<'_>,
    after: Option<&ScanCursor>,
    limit: u32,
) -> Result<(Vec<Arc<Record>>, Option<ScanCursor>), String> {
    let scanned = bed.drive(bed.store.scan(after, limit))?.map_err(|error| format!("a scan failed: {error}"))?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(SLACK);
    let count = scanned.records.len();
    ensure!(count <= most, "a piece of about {limit} holds {count}");
    Ok((scanned.records, scanned.next))
}

/// Every piece, joined. What comes between two pieces is done there.
fn whole(
    bed: &Bed<'_>,
    limit: u32,
    mut between: impl FnMut() -> Verdict,
) -> Result<BTreeMap<Key, Arc<Record>>, String> {
    let (mut all, mut after) = (BTreeMap::new(), None);
    for _ in 0..100_000 {
        let (records, next) = piece(bed, after.as_ref(), limit)?;
        all.extend(records.into_iter().map(|record| (record.key, record)));
        if next.is_none() {
            return Ok(all);
        }
        after = next;
        between()?;
    }
    Err("a scan has no end".into())
}

/// Expects a scan to hold exactly these.
fn holds(found: &BTreeMap<Key, Arc<Record>>, expected: &[Record]) -> Verdict {
    for record in expected {
        let found = found.get(&record.key).ok_or_else(|| format!("a scan leaves out {record:?}"))?;
        same(record, found)?;
    }
    let keys: BTreeSet<Key> = expected.iter().map(|record| record.key).collect();
    let stray = found.keys().find(|key| !keys.contains(key));
    ensure!(stray.is_none(), "a scan holds what is not there: {stray:?}");
    Ok(())
}

fn empty(bed: &Bed<'_>) -> Verdict {
    holds(&whole(bed, 10, || Ok(()))?, &[])
}

fn everything(bed: &Bed<'_>) -> Verdict {
    let mut records = all_sorts();
    bed.given(&records)?;
    // Each as it is now, not as it came.
    let (used, gone) = (token(501), token(502));
    bed.given([&used, &gone])?;
    bed.applied(&writes([spend(used.key, later(1), b"answer"), Write::Delete(gone.key)]))?;
    records.push(spent(used, later(1), b"answer"));
    bed.fixture.settle();
    holds(&whole(bed, 1_000, || Ok(()))?, &records)
}

fn in_pieces(bed: &Bed<'_>) -> Verdict {
    let mut records = all_sorts();
    // More in one partition than a small piece can hold.
    records.extend((1_000..1_050).map(token));
    bed.given(&records)?;
    bed.fixture.settle();
    [1, 2, 7, 50, 64].into_iter().try_for_each(|limit| holds(&whole(bed, limit, || Ok(()))?, &records))
}

fn through_another(bed: &Bed<'_>) -> Verdict {
    let records = all_sorts();
    bed.given(&records)?;
    bed.fixture.settle();
    let other = bed.another();
    let (mut all, mut after) = (BTreeMap::new(), None);
    for turn in [bed, &other].into_iter().cycle().take(1_000) {
        let (found, next) = piece(turn, after.as_ref(), 16)?;
        all.extend(found.into_iter().map(|record| (record.key, record)));
        after = next;
        if after.is_none() {
            return holds(&all, &records);
        }
    }
    Err("a scan through two handles has no end".into())
}

/// Between any two pieces some records go, others come, and some of those that stay are changed.
fn while_written(bed: &Bed<'_>) -> Verdict {
    let staying = all_sorts();
    let coming: Vec<Record> = (2_000..2_060).map(token).collect();
    bed.given(&staying)?;
    bed.given(coming.iter().step_by(2))?;
    bed.fixture.settle();
    let mut turns = coming.iter().zip(staying.iter().rev()).cycle();
    let found = whole(bed, 5, || {
        let Some((moving, changed)) = turns.next() else { return Ok(()) };
        match bed.find(moving.key)? {
            Some(_) => bed.applied(&writes([Write::Delete(moving.key)]))?,
            None => bed.given([moving])?,
        }
        // A store that keeps what is due in order moves it when this changes.
        let later = Record { purge_after: Timestamp::NEVER, ..changed.clone() };
        bed.applied(&writes([Write::Replace(later.into())]))
    })?;
    for record in &staying {
        let found = found.get(&record.key).ok_or("a record that was there all the time is not in a scan")?;
        ensure!(found.payload == record.payload, "a scan mixes two records: {:?}", record.key);
    }
    let known: BTreeSet<Key> = staying.iter().chain(&coming).map(|record| record.key).collect();
    let stray = found.keys().find(|key| !known.contains(key));
    ensure!(stray.is_none(), "a scan holds what was never there: {stray:?}");
    Ok(())
}

fn foreign_cursor(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    for text in ["", "no cursor", "{\"$gt\":\"\"}", "é", "-"] {
        let cursor = ScanCursor(text.into());
        let answer = bed.drive(bed.store.scan(Some(&cursor), 10))?;
        ensure!(
            matches!(answer, Err(StoreError::Corrupt(_))),
            "a scan from the cursor {text:?} was answered {answer:?}"
        );
    }
    Ok(())
}
