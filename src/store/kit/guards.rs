//! Each write, and when it fails.

use super::bed::{Bed, Verdict, insert, writes};
use super::check::{Check, Rule};
use super::sample::{every_byte, later, spend, spent, token};
use crate::clock::Timestamp;
use crate::store::{Commit, Failed, Payload, Record, State, Used, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Conditional, run);
    vec![
        check("insert-fails-for-a-name-that-is-taken", taken),
        check("insert-fails-for-a-name-that-a-dead-record-holds", taken_by_the_dead),
        check("insert-succeeds-again-after-a-delete", again),
        check("replace-fails-for-a-record-that-is-not-there", |bed| missing(bed, Write::Replace(token(1).into()))),
        check("replace-raises-the-revision-by-one", replace),
        check("use-fails-for-a-record-that-is-not-there", |bed| missing(bed, spend(token(1).key, later(0), b"answer"))),
        check("use-fails-for-a-record-that-was-used", used_twice),
        check("use-fails-for-a-record-that-was-inserted-as-used", inserted_used),
        Check::new("use-keeps-its-moment-and-answer-and-leaves-the-rest", Rule::Faithful, answer),
        check("use-does-not-ask-for-the-state", use_of_any_state),
        check("set-state-fails-for-a-record-that-is-not-there", |bed| {
            missing(bed, Write::SetState { key: token(1).key, state: State::Live })
        }),
        Check::new("set-state-leaves-the-rest", Rule::Faithful, set_state),
        check("set-state-to-the-same-state-is-no-failure", same_state),
        check("delete-fails-for-a-record-that-is-not-there", |bed| missing(bed, Write::Delete(token(1).key))),
        check("delete-removes-the-record-and-no-other", delete),
    ]
}

/// The write is refused, and what it names is not there afterwards either.
fn missing(bed: &Bed<'_>, write: Write) -> Verdict {
    let key = write.key();
    bed.given([&token(2)])?;
    bed.refused(&writes([write]), Failed::Write(0))?;
    bed.absent(key)?;
    bed.holds(&token(2))
}

fn use_of(record: &Record, at: Timestamp, answer: &[u8]) -> Commit {
    writes([spend(record.key, at, answer)])
}

fn taken(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    bed.refused(&insert(&token(1)), Failed::Write(0))?;
    let other = Record { payload: Payload::new(*b"other"), epoch: 4, ..token(1) };
    bed.refused(&insert(&other), Failed::Write(0))?;
    bed.holds(&token(1))
}

fn taken_by_the_dead(bed: &Bed<'_>) -> Verdict {
    let used = Some(Box::new(Used { at: later(0), answer: Box::default() }));
    let dead = [
        Record { state: State::Revoked, ..token(1) },
        Record { state: State::Deleted, ..token(2) },
        Record { state: State::Inactive, ..token(3) },
        Record { expires_at: Timestamp::from_millis(i64::MIN), ..token(4) },
        Record { used, ..token(5) },
    ];
    bed.given(&dead)?;
    for (number, record) in (1..).zip(&dead) {
        bed.refused(&insert(&token(number)), Failed::Write(0))?;
        bed.holds(record)?;
    }
    Ok(())
}

fn again(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    bed.applied(&writes([Write::SetState { key: token(1).key, state: State::Revoked }]))?;
    bed.applied(&writes([Write::Delete(token(1).key)]))?;
    bed.given([&token(1)])?;
    bed.holds(&token(1))
}

fn replace(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    for revision in 2..=20 {
        // The revision that a replacement bears means nothing.
        let given = Record { revision: revision % 3, epoch: revision, ..token(1) };
        bed.applied(&writes([Write::Replace(given.clone().into())]))?;
        bed.holds(&Record { revision, ..given })?;
    }
    Ok(())
}

fn used_twice(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    bed.applied(&use_of(&token(1), later(1), b"first"))?;
    for (at, answer) in [(later(1), b"first"), (later(2), b"other"), (later(-9), b"third")] {
        bed.refused(&use_of(&token(1), at, answer), Failed::Write(0))?;
        bed.holds(&spent(token(1), later(1), b"first"))?;
    }
    Ok(())
}

fn inserted_used(bed: &Bed<'_>) -> Verdict {
    let used = Some(Box::new(Used { at: Timestamp::from_millis(0), answer: Box::default() }));
    let record = Record { used, ..token(1) };
    bed.given([&record])?;
    bed.refused(&use_of(&record, later(0), b"again"), Failed::Write(0))?;
    bed.holds(&record)
}

fn answer(bed: &Bed<'_>) -> Verdict {
    let moments = [i64::MIN, -1, 0, i64::MAX - 1, i64::MAX].map(Timestamp::from_millis);
    let answers = [Vec::new(), vec![0], every_byte()];
    let all = moments.into_iter().flat_map(|at| answers.iter().map(move |answer| (at, answer)));
    for (number, (at, answer)) in (1..).zip(all) {
        let record = token(number);
        bed.given([&record])?;
        bed.applied(&use_of(&record, at, answer))?;
        bed.holds(&spent(record, at, answer))?;
    }
    Ok(())
}

fn use_of_any_state(bed: &Bed<'_>) -> Verdict {
    for (number, state) in (1..).zip([State::Live, State::Inactive, State::Revoked, State::Deleted]) {
        let record = Record { state, ..token(number) };
        bed.given([&record])?;
        bed.applied(&use_of(&record, later(0), b"answer"))?;
        bed.holds(&spent(record, later(0), b"answer"))?;
    }
    Ok(())
}

fn set_state(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    bed.applied(&use_of(&token(1), later(0), b"answer"))?;
    let states = [State::Revoked, State::Inactive, State::Deleted, State::Live];
    for (revision, state) in (3..).zip(states) {
        bed.applied(&writes([Write::SetState { key: token(1).key, state }]))?;
        bed.holds(&Record { state, revision, ..spent(token(1), later(0), b"answer") })?;
    }
    Ok(())
}

fn same_state(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    for revision in 2..5 {
        bed.applied(&writes([Write::SetState { key: token(1).key, state: State::Revoked }]))?;
        bed.holds(&Record { state: State::Revoked, revision, ..token(1) })?;
    }
    Ok(())
}

fn delete(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1), &token(2)])?;
    bed.applied(&writes([Write::Delete(token(1).key)]))?;
    bed.absent(token(1).key)?;
    bed.refused(&writes([Write::Delete(token(1).key)]), Failed::Write(0))?;
    bed.holds(&token(2))
}
