//! Every column comes back.

use std::sync::Arc;

use super::bed::{Bed, Verdict, ensure, insert, same, writes};
use super::check::{Check, Rule};
use super::sample::{ELSEWHERE, HOME, NOW, TENANT, every_byte, key, key_in, labels, link, owner, record, token};
use crate::clock::Timestamp;
use crate::store::{Commit, Key, Kind, Link, Owner, Partition, Payload, Query, Record, State, Tenant, Used, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Faithful, run);
    vec![
        check("a-record-comes-back-as-it-was-inserted", plain),
        check("every-moment-comes-back", |bed| each(bed, &moments())),
        check("every-state-comes-back", |bed| each(bed, &states())),
        check("every-kind-partition-id-and-tenant-comes-back", |bed| each(bed, &names())),
        check("every-epoch-comes-back", |bed| each(bed, &epochs())),
        check("every-payload-comes-back", |bed| each(bed, &payloads())),
        check("every-label-comes-back", |bed| each(bed, &texts())),
        check("every-owner-and-parent-comes-back", |bed| each(bed, &relations())),
        check("a-record-inserted-as-used-comes-back-used", |bed| each(bed, &used())),
        check("an-insert-makes-the-revision-one", first_revision),
        check("a-replace-puts-every-column-in-place", replaced),
        Check::new("a-commit-is-seen-through-another-handle", Rule::Current, other_handle),
        Check::new("a-change-is-seen-through-a-handle-that-had-loaded-the-record", Rule::Current, stale_cache),
        check("a-list-returns-whole-records", listed),
    ]
}

fn plain(bed: &Bed<'_>) -> Verdict {
    let token = token(1);
    bed.absent(token.key)?;
    bed.given([&token])?;
    bed.holds(&token)
}

fn each(bed: &Bed<'_>, records: &[Record]) -> Verdict {
    bed.given(records)?;
    records.iter().try_for_each(|record| bed.holds(record))
}

/// Numbers a record for each variant, and varies it.
fn vary<T>(variants: impl IntoIterator<Item = T>, change: impl Fn(&mut Record, T)) -> Vec<Record> {
    let numbered = (1..).zip(variants);
    numbered
        .map(|(number, variant)| {
            let mut record = token(number);
            change(&mut record, variant);
            record
        })
        .collect()
}

fn extremes() -> Vec<Timestamp> {
    let millis = [i64::MIN, i64::MIN + 1, -1_000, -1, 0, 1, 1 << 31, 1 << 32, 1 << 53, i64::MAX - 1, i64::MAX];
    millis.into_iter().map(Timestamp::from_millis).collect()
}

fn moments() -> Vec<Record> {
    let mut records = vary(extremes(), |record, moment| record.created_at = moment);
    records.extend(vary(extremes(), |record, moment| record.expires_at = moment));
    records.extend(vary(extremes(), |record, moment| record.purge_after = moment));
    for (number, record) in (1..).zip(&mut records) {
        record.key = token(number).key;
    }
    records
}

fn states() -> Vec<Record> {
    vary([State::Live, State::Inactive, State::Revoked, State::Deleted], |record, state| record.state = state)
}

fn names() -> Vec<Record> {
    let mut keys: Vec<Key> = (0..=u8::MAX).map(|kind| key(Kind(kind), 1)).collect();
    for partition in [0, 1, 0x7fff, 0x8000, u16::MAX] {
        keys.push(key_in(Partition(partition), Kind::GRANT, 2));
        // The same kind and id in another partition is another record.
        keys.push(key_in(Partition(partition), Kind::GRANT, 3));
    }
    for id in [[0; 32], [u8::MAX; 32]] {
        keys.push(Key { partition: HOME, kind: Kind::CODE, id });
        keys.push(Key { partition: HOME, kind: Kind::GRANT, id });
    }
    let mut last = [0; 32];
    last[31] = 1;
    keys.push(Key { partition: HOME, kind: Kind::CODE, id: last });
    let mut records: Vec<Record> = keys.into_iter().map(record).collect();
    for (number, (record, tenant)) in (0_u64..).zip(records.iter_mut().zip([[0; 16], [u8::MAX; 16]].iter().cycle())) {
        record.tenant = Tenant(*tenant);
        record.payload = Payload::new(number.to_be_bytes());
    }
    records
}

fn numbers() -> [u64; 8] {
    [0, 1, 1 << 31, 1 << 32, 1 << 53, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX]
}

fn epochs() -> Vec<Record> {
    vary(numbers(), |record, epoch| {
        record.epoch = epoch;
        record.parent = Some(link(key(Kind::GRANT, 1), epoch));
        let subject = Some(link(key(Kind::SUBJECT, 1), epoch));
        let client = link(key_in(ELSEWHERE, Kind::CLIENT, 1), epoch);
        record.owner = Some(Arc::new(Owner { client, subject }));
    })
}

fn payloads() -> Vec<Record> {
    let all = [Vec::new(), vec![0], vec![0; 3], b"\\x00'\"%{}".to_vec(), vec![u8::MAX; 3], vec![7; 257], every_byte()];
    vary(all, |record, payload| record.payload = Payload::new(payload))
}

fn texts() -> Vec<Record> {
    let long = "ü".repeat(1_000);
    let all = ["", " ", " padded ", "O'Brien", "100% \\_\"", "日本語 🎉", "e\u{301} ≠ é", "\n\t\u{202e}", &long];
    vary(all, |record, text| record.labels = labels(text, text, text))
}

fn relations() -> Vec<Record> {
    let client = key_in(ELSEWHERE, Kind::CLIENT, 1);
    let near = key(Kind::CLIENT, 1);
    let owners = [
        None,
        owner(client, None),
        owner(client, Some(key(Kind::SUBJECT, 1))),
        owner(near, None),
        owner(near, Some(key(Kind(0), 1))),
    ];
    let parents: [Option<Link>; 3] = [None, Some(link(key(Kind::GRANT, 9), 3)), Some(link(near, 0))];
    let all = owners.iter().flat_map(|owner| parents.iter().map(move |parent| (owner.clone(), *parent)));
    vary(all, |record, (owner, parent)| (record.owner, record.parent) = (owner, parent))
}

fn used() -> Vec<Record> {
    let answers = [Vec::new(), vec![0, 1, 2], every_byte()];
    let all = answers.iter().flat_map(|answer| extremes().into_iter().map(move |at| (at, answer.clone())));
    vary(all, |record, (at, answer)| record.used = Some(Box::new(Used { at, answer: answer.into() })))
}

fn first_revision(bed: &Bed<'_>) -> Verdict {
    for (number, revision) in (1..).zip(numbers()) {
        let token = token(number);
        bed.given([&Record { revision, ..token.clone() }])?;
        bed.holds(&token)?;
    }
    Ok(())
}

fn replaced(bed: &Bed<'_>) -> Verdict {
    let parts = [
        moments(),
        states(),
        epochs(),
        payloads(),
        texts(),
        relations(),
        used(),
        vary([()], |record, ()| bare(record)),
    ];
    let key = token(1).key;
    bed.given([&token(1)])?;
    for (revision, version) in (2..).zip(parts.into_iter().flatten()) {
        // What is given as the revision means nothing.
        let version = Record { key, revision: u64::MAX, ..version };
        let replace = writes([Write::Replace(Arc::new(version.clone()))]);
        // A store must not forget a record at once that may be forgotten from the beginning of time on.
        bed.applied(&Commit { at: Timestamp::from_millis(i64::MIN), ..replace })?;
        bed.holds(&Record { revision, ..version })?;
    }
    Ok(())
}

/// Nothing that may be left out.
fn bare(record: &mut Record) {
    (record.parent, record.owner, record.labels, record.used) = (None, None, None, None);
    record.payload = Payload::default();
}

fn other_handle(bed: &Bed<'_>) -> Verdict {
    let other = bed.another();
    for (number, (writer, reader)) in (1..).zip([(bed, &other), (&other, bed)]) {
        let token = token(number);
        reader.absent(token.key)?;
        writer.given([&token])?;
        reader.holds(&token)?;
    }
    Ok(())
}

fn stale_cache(bed: &Bed<'_>) -> Verdict {
    let (other, token) = (bed.another(), token(1));
    let key = token.key;
    bed.given([&token])?;
    other.holds(&token)?;
    bed.applied(&writes([Write::SetState { key, state: State::Revoked }]))?;
    other.holds(&Record { state: State::Revoked, revision: 2, ..token.clone() })?;
    other.applied(&writes([Write::Delete(key)]))?;
    bed.absent(key)?;
    bed.applied(&insert(&token))?;
    other.holds(&token)
}

fn listed(bed: &Bed<'_>) -> Verdict {
    let mut records: Vec<Record> = [moments(), states(), epochs(), payloads(), texts(), relations(), used()].concat();
    for (number, record) in (1..).zip(&mut records) {
        record.key = token(number).key;
        record.tenant = TENANT;
        record.created_at = NOW;
    }
    bed.given(&records)?;
    bed.fixture.settle();
    let listing = bed.page(&Query::new(TENANT, Kind::ACCESS_TOKEN), None, 1_000)?;
    ensure!(listing.records.len() == records.len(), "{} of {} are listed", listing.records.len(), records.len());
    records.sort_unstable_by_key(|record| record.key);
    records.iter().zip(&listing.records).try_for_each(|(expected, found)| same(expected, found))
}
