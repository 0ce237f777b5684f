//! Each condition, true and false.

use super::bed::{Bed, Verdict, commit, writes};
use super::check::{Check, Rule};
use super::sample::{grant, later, spend, token};
use crate::clock::Timestamp;
use crate::store::{Commit, Condition, Failed, Record, State, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Conditional, run);
    vec![
        check("unused-holds-until-a-record-is-used", unused),
        check("live-holds-for-a-live-record-of-that-epoch", live_holds),
        check("live-fails-for-every-other-state", live_states),
        check("live-fails-for-another-epoch", live_epochs),
        check("unchanged-holds-for-that-revision-alone", unchanged),
        check("unchanged-fails-after-every-write", unchanged_after),
        check("the-condition-that-failed-first-is-named", first_failed),
        check("a-failed-condition-comes-before-a-failed-write", before_writes),
        check("conditions-see-what-was-before-the-writes", before_the_writes),
        Check::new("an-expired-record-is-loaded-and-live", Rule::Clockless, expired),
    ]
}

/// A commit of one condition, and a write that shows whether it happened.
fn when(condition: Condition) -> Commit {
    let key = condition.key();
    let mark = token(999).key;
    let writes = if key == mark { Vec::new() } else { vec![Write::SetState { key: mark, state: State::Live }] };
    commit(vec![condition], writes)
}

fn holds(bed: &Bed<'_>, condition: Condition) -> Verdict {
    bed.applied(&when(condition))
}

fn fails(bed: &Bed<'_>, condition: Condition) -> Verdict {
    let mark = bed.look(&[token(999).key])?;
    bed.refused(&when(condition), Failed::Condition(0))?;
    let after = bed.look(&[token(999).key])?;
    super::bed::ensure!(mark == after, "{condition:?} failed, and its commit was applied all the same");
    Ok(())
}

/// Inserts the record that [`when`] writes to, and others.
fn given<'a>(bed: &Bed<'_>, records: impl IntoIterator<Item = &'a Record>) -> Verdict {
    bed.given([&token(999)])?;
    bed.given(records)
}

fn states() -> Vec<Record> {
    let states = [State::Live, State::Inactive, State::Revoked, State::Deleted];
    (1..).zip(states).map(|(number, state)| Record { state, ..grant(number) }).collect()
}

fn unused(bed: &Bed<'_>) -> Verdict {
    let records = states();
    given(bed, &records)?;
    fails(bed, Condition::Unused(token(1).key))?;
    for record in &records {
        holds(bed, Condition::Unused(record.key))?;
        bed.applied(&writes([spend(record.key, later(0), b"")]))?;
        fails(bed, Condition::Unused(record.key))?;
    }
    Ok(())
}

fn live_holds(bed: &Bed<'_>) -> Verdict {
    given(bed, [])?;
    for (number, epoch) in (1..).zip([0, 1, 1 << 32, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX]) {
        let grant = Record { epoch, ..grant(number) };
        bed.given([&grant])?;
        holds(bed, Condition::Live { key: grant.key, epoch })?;
        bed.applied(&writes([spend(grant.key, later(0), b"")]))?;
        holds(bed, Condition::Live { key: grant.key, epoch })?;
    }
    Ok(())
}

fn live_states(bed: &Bed<'_>) -> Verdict {
    let records = states();
    given(bed, &records)?;
    fails(bed, Condition::Live { key: token(1).key, epoch: 0 })?;
    for Record { key, state, .. } in records {
        if state != State::Live {
            fails(bed, Condition::Live { key, epoch: 0 })?;
        }
        for state in [State::Inactive, State::Revoked, State::Deleted] {
            bed.applied(&writes([Write::SetState { key, state }]))?;
            fails(bed, Condition::Live { key, epoch: 0 })?;
        }
        bed.applied(&writes([Write::SetState { key, state: State::Live }]))?;
        holds(bed, Condition::Live { key, epoch: 0 })?;
    }
    Ok(())
}

fn live_epochs(bed: &Bed<'_>) -> Verdict {
    given(bed, [])?;
    // Others that a store would confuse which keeps 8, 32, 53 or 63 bits of 64, or a sign.
    let epochs = [0, 1, 256, 1 << 32, (1 << 53) + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX];
    for (number, epoch) in (1..).zip(epochs) {
        let Record { key, .. } = grant(number);
        bed.given([&Record { epoch, ..grant(number) }])?;
        let near = [epoch.wrapping_add(1), epoch.wrapping_sub(1)];
        for other in epochs.into_iter().chain(near).filter(|other| *other != epoch) {
            fails(bed, Condition::Live { key, epoch: other })?;
        }
    }
    Ok(())
}

fn unchanged(bed: &Bed<'_>) -> Verdict {
    let key = grant(1).key;
    given(bed, [&grant(1)])?;
    fails(bed, Condition::Unchanged { key: token(1).key, revision: 0 })?;
    fails(bed, Condition::Unchanged { key: token(1).key, revision: 1 })?;
    holds(bed, Condition::Unchanged { key, revision: 1 })?;
    for revision in [0, 2, (1 << 32) + 1, (1 << 63) + 1, u64::MAX] {
        fails(bed, Condition::Unchanged { key, revision })?;
    }
    Ok(())
}

fn unchanged_after(bed: &Bed<'_>) -> Verdict {
    let key = grant(1).key;
    given(bed, [&grant(1)])?;
    let changes = [
        Write::Replace(grant(1).into()),
        Write::SetState { key, state: State::Revoked },
        Write::SetState { key, state: State::Revoked },
        spend(key, later(0), b""),
        Write::Replace(grant(1).into()),
    ];
    for (revision, change) in (1..).zip(changes) {
        holds(bed, Condition::Unchanged { key, revision })?;
        bed.applied(&writes([change]))?;
        fails(bed, Condition::Unchanged { key, revision })?;
    }
    bed.applied(&writes([Write::Delete(key)]))?;
    fails(bed, Condition::Unchanged { key, revision: 6 })
}

fn first_failed(bed: &Bed<'_>) -> Verdict {
    given(bed, [&grant(1)])?;
    let good = Condition::Live { key: grant(1).key, epoch: 0 };
    let bad = [
        Condition::Unused(grant(2).key),
        Condition::Live { key: grant(1).key, epoch: 1 },
        Condition::Unchanged { key: grant(1).key, revision: 7 },
    ];
    for position in 0..4 {
        for first in bad {
            let mut conditions = vec![good; position];
            conditions.push(first);
            conditions.push(good);
            conditions.extend(bad);
            bed.refused(&commit(conditions, Vec::new()), Failed::Condition(position))?;
        }
    }
    Ok(())
}

fn before_writes(bed: &Bed<'_>) -> Verdict {
    given(bed, [&grant(1)])?;
    let conditions = vec![Condition::Unused(grant(1).key), Condition::Unused(grant(2).key)];
    let bad = vec![Write::Insert(grant(1).into()), Write::Delete(grant(2).key)];
    bed.refused(&commit(conditions, bad.clone()), Failed::Condition(1))?;
    bed.refused(&commit(vec![Condition::Unused(grant(1).key)], bad), Failed::Write(0))
}

fn before_the_writes(bed: &Bed<'_>) -> Verdict {
    let key = grant(1).key;
    bed.applied(&writes([Write::Insert(grant(1).into())]))?;
    bed.refused(
        &commit(vec![Condition::Unused(token(1).key)], vec![Write::Insert(token(1).into())]),
        Failed::Condition(0),
    )?;
    let conditions =
        vec![Condition::Unused(key), Condition::Live { key, epoch: 0 }, Condition::Unchanged { key, revision: 1 }];
    let used = spend(key, later(0), b"");
    bed.applied(&commit(conditions, vec![used, Write::SetState { key, state: State::Revoked }, Write::Delete(key)]))
}

fn expired(bed: &Bed<'_>) -> Verdict {
    for (number, expires_at) in
        (1..).zip([Timestamp::from_millis(i64::MIN), Timestamp::from_secs(1), later(-1), later(0)])
    {
        let grant = Record { expires_at, ..grant(number) };
        let key = grant.key;
        bed.given([&grant])?;
        bed.holds(&grant)?;
        // Long after it expired, and not yet to be forgotten.
        let at = later(86_400);
        let live = commit(vec![Condition::Live { key, epoch: 0 }], vec![Write::SetState { key, state: State::Live }]);
        bed.applied(&Commit { at, ..live })?;
        bed.holds(&Record { revision: 2, ..grant })?;
    }
    Ok(())
}
