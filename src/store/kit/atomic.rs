//! All or nothing, in order, within a partition.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::bed::{Bed, Verdict, commit, ensure, writes};
use super::check::{Check, Rule};
use super::sample::{ELSEWHERE, grant, key_in, later, record, spend, spent, token};
use crate::store::{Commit, Committed, Condition, Failed, Key, Kind, Payload, Record, State, StoreError, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Atomic, run);
    vec![
        check("a-failed-last-write-undoes-those-before-it", last_fails),
        check("each-kind-of-write-undoes-those-before-it-when-it-fails", each_fails),
        check("a-failed-condition-leaves-nothing-behind", condition_fails),
        check("the-write-that-failed-first-is-named", first_failed),
        check("a-commit-of-nothing-is-applied", |bed| bed.applied(&commit(Vec::new(), Vec::new()))),
        check("a-commit-of-conditions-alone-changes-nothing", conditions_alone),
        check("a-commit-of-many-writes-is-applied-as-a-whole", many),
        check("a-write-sees-what-the-writes-before-it-left", in_order),
        check("a-guard-sees-what-the-writes-before-it-left", guards_in_order),
        check("a-dropped-commit-happened-as-a-whole-or-not-at-all", dropped),
        Check::new("a-commit-across-partitions-is-corrupt-and-changes-nothing", Rule::Local, foreign),
    ]
}

/// One record for each kind of write, numbered from 1 on.
fn given(bed: &Bed<'_>) -> Verdict {
    bed.given(&(1..=5).map(token).collect::<Vec<_>>())
}

/// One write of each kind, all of which succeed.
fn good() -> Vec<Write> {
    let [replaced, used, set, deleted] = [1, 2, 3, 4].map(token);
    vec![
        Write::Insert(token(10).into()),
        Write::Replace(Arc::new(Record { payload: Payload::new(*b"replaced"), ..replaced })),
        spend(used.key, later(0), b"answer"),
        Write::SetState { key: set.key, state: State::Revoked },
        Write::Delete(deleted.key),
    ]
}

fn keys() -> Vec<Key> {
    (1..=12).map(|number| token(number).key).collect()
}

/// Commits what must be refused, and expects every record to be as it was.
fn leaves_all(bed: &Bed<'_>, commit: &Commit, failed: Failed) -> Verdict {
    let before = bed.look(&keys())?;
    bed.refused(commit, failed)?;
    let after = bed.look(&keys())?;
    for (before, after) in before.iter().zip(&after) {
        ensure!(before == after, "a refused commit left {after:?} where {before:?} was");
    }
    Ok(())
}

fn last_fails(bed: &Bed<'_>) -> Verdict {
    given(bed)?;
    let mut all = good();
    all.push(Write::Insert(token(5).into()));
    leaves_all(bed, &writes(all), Failed::Write(5))?;
    // It was the last one alone that stood in the way.
    bed.applied(&writes(good()))
}

fn each_fails(bed: &Bed<'_>) -> Verdict {
    given(bed)?;
    let nobody = token(11).key;
    bed.applied(&writes([spend(token(5).key, later(0), b"")]))?;
    let bad = [
        Write::Insert(token(5).into()),
        Write::Replace(token(11).into()),
        spend(nobody, later(0), b""),
        spend(token(5).key, later(0), b""),
        Write::SetState { key: nobody, state: State::Live },
        Write::Delete(nobody),
    ];
    for bad in bad {
        for position in [0, 1, 3, 5] {
            let mut all = good();
            all.insert(position, bad.clone());
            leaves_all(bed, &writes(all), Failed::Write(position))?;
        }
    }
    Ok(())
}

fn condition_fails(bed: &Bed<'_>) -> Verdict {
    given(bed)?;
    let last = vec![Condition::Unused(token(1).key), Condition::Unused(token(99).key)];
    leaves_all(bed, &commit(last, good()), Failed::Condition(1))
}

fn first_failed(bed: &Bed<'_>) -> Verdict {
    given(bed)?;
    let nobody = token(11).key;
    let bad = [
        Write::Delete(nobody),
        Write::Insert(token(5).into()),
        Write::SetState { key: nobody, state: State::Live },
        Write::Replace(token(12).into()),
    ];
    for (position, _) in good().iter().enumerate() {
        let mut all: Vec<Write> = good().into_iter().take(position).collect();
        all.extend(bad.clone());
        leaves_all(bed, &writes(all), Failed::Write(position))?;
    }
    Ok(())
}

fn conditions_alone(bed: &Bed<'_>) -> Verdict {
    given(bed)?;
    let conditions = vec![Condition::Unused(token(1).key)];
    bed.applied(&commit(conditions, Vec::new()))?;
    bed.holds(&token(1))?;
    bed.absent(token(9).key)
}

fn many(bed: &Bed<'_>) -> Verdict {
    let tokens: Vec<Record> = (100..300).map(token).collect();
    let all = tokens.iter().map(|token| Write::Insert(Arc::new(token.clone())));
    let mut failing: Vec<Write> = all.clone().collect();
    bed.given([&token(1)])?;
    failing.push(Write::Insert(token(1).into()));
    bed.refused(&writes(failing), Failed::Write(200))?;
    tokens.iter().try_for_each(|token| bed.absent(token.key))?;
    bed.applied(&writes(all))?;
    tokens.iter().try_for_each(|token| bed.holds(token))
}

fn in_order(bed: &Bed<'_>) -> Verdict {
    let Record { key, .. } = token(1);
    let now = later(0);
    let version = |epoch| Record { epoch, ..token(1) };

    let inserted =
        [Write::Insert(token(1).into()), spend(key, now, b"answer"), Write::SetState { key, state: State::Revoked }];
    bed.applied(&writes(inserted))?;
    let record = Record { state: State::Revoked, revision: 2, ..token(1) };
    bed.holds(&spent(record, now, b"answer"))?;
    // Deleted and made anew: a record without a past.
    bed.applied(&writes([Write::Delete(key), Write::Insert(version(7).into())]))?;
    bed.holds(&version(7))?;
    bed.applied(&writes([Write::Replace(version(8).into()), Write::Replace(version(9).into())]))?;
    bed.holds(&Record { revision: 3, ..version(9) })?;
    // A replacement that was never used may be used.
    bed.applied(&writes([spend(key, now, b"first"), Write::Replace(version(9).into()), spend(key, now, b"last")]))?;
    bed.holds(&spent(Record { revision: 5, ..version(9) }, now, b"last"))?;
    bed.applied(&writes([Write::Delete(key), Write::Insert(version(1).into()), Write::Delete(key)]))?;
    bed.absent(key)
}

fn guards_in_order(bed: &Bed<'_>) -> Verdict {
    let Record { key, .. } = token(10);
    given(bed)?;
    let insert = || Write::Insert(token(10).into());
    let spend = |key| spend(key, later(0), b"");
    leaves_all(bed, &writes([insert(), insert()]), Failed::Write(1))?;
    leaves_all(bed, &writes([insert(), spend(key), spend(key)]), Failed::Write(2))?;
    leaves_all(bed, &writes([spend(token(1).key), spend(token(1).key)]), Failed::Write(1))?;
    let gone = Write::Delete(token(1).key);
    leaves_all(bed, &writes([gone.clone(), spend(token(1).key)]), Failed::Write(1))?;
    leaves_all(bed, &writes([gone.clone(), Write::Replace(token(1).into())]), Failed::Write(1))?;
    leaves_all(bed, &writes([gone.clone(), gone]), Failed::Write(1))?;
    leaves_all(bed, &writes([insert(), Write::Delete(key), Write::Delete(key)]), Failed::Write(2))
}

/// Polls a commit a few times and drops it. Whether it happened is then asked by another commit, which cannot fall
/// between the two halves of the first, even if that is still under way.
fn dropped(bed: &Bed<'_>) -> Verdict {
    for (round, polls) in (0..).zip([0_u32, 1, 1, 2, 2, 3, 5, 8]) {
        let number = 1_000_u64.wrapping_add(round);
        let [one, other] = [grant(number), token(number)];
        let both = |word: &[u8]| {
            let with = |record: &Record| Arc::new(Record { payload: Payload::new(word), ..record.clone() });
            writes([Write::Insert(with(&one)), Write::Insert(with(&other))])
        };
        let first = both(b"first");
        bed.drive(async {
            let mut future = pin!(bed.store.commit(&first));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if future.as_mut().poll(&mut context).is_ready() {
                    break;
                }
            }
        })?;
        let word = match bed.commit(&both(b"second"))? {
            Committed::Applied => b"second".as_slice(),
            Committed::Refused(Failed::Write(0)) => b"first",
            other @ Committed::Refused(_) => {
                return Err(format!("a commit dropped after {polls} polls was half applied: {other:?}"));
            }
        };
        for record in [one, other] {
            bed.holds(&Record { payload: Payload::new(word), ..record })?;
        }
    }
    Ok(())
}

fn foreign(bed: &Bed<'_>) -> Verdict {
    let far = record(key_in(ELSEWHERE, Kind::ACCESS_TOKEN, 1));
    bed.given([&token(1), &far])?;
    let near = Write::SetState { key: token(1).key, state: State::Revoked };
    let across = [
        writes([near.clone(), Write::SetState { key: far.key, state: State::Revoked }]),
        writes([near.clone(), Write::Insert(record(key_in(ELSEWHERE, Kind::ACCESS_TOKEN, 2)).into())]),
        commit(vec![Condition::Unused(token(1).key), Condition::Unused(far.key)], vec![near.clone()]),
        Commit { partition: ELSEWHERE, ..writes([near]) },
    ];
    for commit in across {
        let answer = bed.attempt(&commit)?;
        ensure!(matches!(answer, Err(StoreError::Corrupt(_))), "a commit across partitions was answered {answer:?}");
        bed.holds(&token(1))?;
        bed.holds(&far)?;
        bed.absent(key_in(ELSEWHERE, Kind::ACCESS_TOKEN, 2))?;
    }
    Ok(())
}
