//! Many callers at once: 2, 16 and 64 threads, through one handle and through two.
//!
//! Each race is one that a store loses which reads, compares and writes in separate steps. All threads wait for each
//! other before each round. A race that is won proves nothing for sure; one that is lost proves the store wrong,
//! whatever the schedule: what is checked is true of every order in which the commits could have happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use super::bed::{Bed, Verdict, commit, ensure, insert, writes};
use super::check::{Check, Rule};
use super::report::said;
use super::sample::{NOW, grant, later, record, spend, spent, token};
use crate::clock::Timestamp;
use crate::store::{Commit, Committed, Condition, Failed, Key, Kind, Payload, Record, State, Write};

/// How a race is run.
#[derive(Debug, Clone, Copy)]
struct Field {
    callers: usize,
    handles: usize,
}

impl Field {
    /// More rounds for fewer callers: the work is about the same.
    fn rounds(self) -> u64 {
        match self.callers {
            2 => 40,
            16 => 8,
            _ => 3,
        }
    }
}

macro_rules! races {
    ($($name:literal $rule:ident $run:path;)+) => {
        vec![$(
            races!(@ $name, $rule, $run, "-by-2-callers-through-1-handle", 2, 1),
            races!(@ $name, $rule, $run, "-by-2-callers-through-2-handles", 2, 2),
            races!(@ $name, $rule, $run, "-by-16-callers-through-1-handle", 16, 1),
            races!(@ $name, $rule, $run, "-by-16-callers-through-2-handles", 16, 2),
            races!(@ $name, $rule, $run, "-by-64-callers-through-1-handle", 64, 1),
            races!(@ $name, $rule, $run, "-by-64-callers-through-2-handles", 64, 2),
        )+]
    };
    (@ $name:literal, $rule:ident, $run:path, $field:literal, $callers:literal, $handles:literal) => {
        Check::new(concat!($name, $field), Rule::$rule, |bed| $run(bed, Field { callers: $callers, handles: $handles }))
    };
}

pub(super) fn checks() -> Vec<Check> {
    races! {
        "a-record-is-used-once" Conditional used_once;
        "a-code-buys-once" Conditional bought_once;
        "a-name-is-taken-once" Conditional inserted_once;
        "a-record-is-deleted-once" Conditional deleted_once;
        "no-increment-is-lost" Conditional counted;
        "nothing-is-issued-under-a-grant-that-was-revoked" Conditional revoked;
        "of-two-commits-that-end-what-the-other-rests-on-one-is-applied" Conditional crossed;
        "a-commit-is-seen-as-a-whole" Atomic whole;
        "a-purge-brings-nothing-back" Forgetting purged;
        "a-purge-spares-what-is-prolonged-meanwhile" Forgetting prolonged;
        "a-purge-spares-what-is-used-meanwhile" Forgetting spared;
    }
}

/// Runs `act` on every thread at once and returns what each came to, in order.
fn race<T: Send>(
    bed: &Bed<'_>,
    field: Field,
    act: impl Fn(&Bed<'_>, usize) -> Result<T, String> + Sync,
) -> Result<Vec<T>, String> {
    let other = bed.another();
    let barrier = Barrier::new(field.callers);
    let (act, barrier) = (&act, &barrier);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..field.callers)
            .map(|caller| {
                let handle = if field.handles == 2 && caller % 2 == 1 { &other } else { bed };
                let handle = handle.share();
                scope.spawn(move || {
                    barrier.wait();
                    act(&handle, caller)
                })
            })
            .collect();
        let results: Vec<_> = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|panic| Err(format!("a caller panicked: {}", said(&*panic)))))
            .collect()
    })
}

/// Expects one commit to have been applied, and all others to have been refused for this reason; returns the winner.
fn one_winner(answers: &[Committed], failed: &[Failed]) -> Result<usize, String> {
    let mut winners = (0..).zip(answers).filter(|(_, answer)| **answer == Committed::Applied).map(|(caller, _)| caller);
    let winner = winners.next().ok_or_else(|| format!("nobody won: {answers:?}"))?;
    let more = winners.count();
    ensure!(more == 0, "{} of {} callers won, and one may", more.saturating_add(1), answers.len());
    for answer in answers {
        let right = match answer {
            Committed::Applied => true,
            Committed::Refused(reason) => failed.contains(reason),
        };
        ensure!(right, "a loser was answered {answer:?} instead of one of {failed:?}");
    }
    Ok(winner)
}

/// The number of a record that no other round and caller has.
fn number(round: u64, caller: usize) -> u64 {
    round.saturating_mul(1_000).saturating_add(u64::try_from(caller).unwrap_or(u64::MAX)).saturating_add(1)
}

fn name_of(caller: usize) -> Box<[u8]> {
    caller.to_be_bytes().into()
}

fn spend_as(key: Key, caller: usize) -> Write {
    spend(key, later(1), &name_of(caller))
}

fn used_once(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let code = record(super::sample::key(Kind::CODE, round));
        bed.given([&code])?;
        let answers = race(bed, field, |bed, caller| bed.commit(&writes([spend_as(code.key, caller)])))?;
        let winner = one_winner(&answers, &[Failed::Write(0)])?;
        let found = bed.loaded(code.key)?.record;
        let answer = found.used.as_ref().map(|used| used.answer.clone());
        ensure!(answer == Some(name_of(winner)), "the answer that is kept is not that of the winner");
        ensure!(found.revision == 2, "a record that was used once has revision {}", found.revision);
    }
    Ok(())
}

fn bought_once(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let code = record(super::sample::key(Kind::CODE, round));
        let grant = grant(round);
        bed.given([&code, &grant])?;
        let answers = race(bed, field, |bed, caller| {
            let bought = Write::Insert(token(number(round, caller)).into());
            let conditions = vec![Condition::Live { key: grant.key, epoch: 0 }, Condition::Unused(code.key)];
            bed.commit(&commit(conditions, vec![bought, spend_as(code.key, caller)]))
        })?;
        let winner = one_winner(&answers, &[Failed::Condition(1), Failed::Write(1)])?;
        for caller in 0..field.callers {
            let there = bed.find(token(number(round, caller)).key)?.is_some();
            ensure!(
                there == (caller == winner),
                "of a code that was used once, the token of a loser is there, or not that of the winner"
            );
        }
    }
    Ok(())
}

fn inserted_once(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let marker = record(super::sample::key(Kind::MARKER, round));
        let version = |caller| Record { payload: Payload::new(name_of(caller)), ..marker.clone() };
        let answers = race(bed, field, |bed, caller| bed.commit(&insert(&version(caller))))?;
        let winner = one_winner(&answers, &[Failed::Write(0)])?;
        bed.holds(&version(winner))?;
    }
    Ok(())
}

fn deleted_once(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let marker = record(super::sample::key(Kind::MARKER, round));
        bed.given([&marker])?;
        let answers = race(bed, field, |bed, _| bed.commit(&writes([Write::Delete(marker.key)])))?;
        one_winner(&answers, &[Failed::Write(0)])?;
        bed.absent(marker.key)?;
    }
    Ok(())
}

fn count_in(record: &Record) -> u64 {
    record.payload.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Reads a counter and writes it, one higher, if nothing has touched it meanwhile; again until that succeeds.
pub(super) fn increment(bed: &Bed<'_>, key: Key) -> Verdict {
    for _ in 0..1_000_000 {
        let found = bed.loaded(key)?.record;
        let payload = Payload::new(count_in(&found).saturating_add(1).to_be_bytes());
        let next = Record { payload, ..Record::clone(&found) };
        let unchanged = Condition::Unchanged { key, revision: found.revision };
        match bed.commit(&commit(vec![unchanged], vec![Write::Replace(Arc::new(next))]))? {
            Committed::Applied => return Ok(()),
            Committed::Refused(Failed::Condition(0)) => {}
            other @ Committed::Refused(_) => return Err(format!("a replacement of a counter was answered {other:?}")),
        }
    }
    Err("a million attempts to replace a counter were refused".into())
}

/// Expects a counter to be at `count`, with a revision to match.
pub(super) fn counts(bed: &Bed<'_>, key: Key, count: u64) -> Verdict {
    let found = bed.loaded(key)?.record;
    let (got, revision) = (count_in(&found), found.revision);
    ensure!(got == count, "{count} increments were applied, and the counter is at {got}");
    ensure!(revision == count.saturating_add(1), "{count} increments were applied, and the revision is {revision}");
    Ok(())
}

/// A record that begins at 0.
pub(super) fn counter(key: Key) -> Record {
    Record { payload: Payload::new(0_u64.to_be_bytes()), ..record(key) }
}

fn counted(bed: &Bed<'_>, field: Field) -> Verdict {
    // Whoever loses comes again, so that the work grows with the square of the callers.
    let each = match field.callers {
        2 => 20,
        16 => 5,
        _ => 1,
    };
    let counter = counter(super::sample::key(Kind::AUTHORIZATION, 1));
    bed.given([&counter])?;
    race(bed, field, |bed, _| (0..each).try_for_each(|_| increment(bed, counter.key)))?;
    counts(bed, counter.key, u64::try_from(field.callers).unwrap_or(u64::MAX).saturating_mul(each))
}

/// Says that something is over, also where it ends in a panic: others wait for it.
struct Told<'a>(&'a AtomicBool);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The first caller revokes; the others issue under the grant, a few times, and once more when the revocation was
/// answered: that must be refused, on every handle.
fn revoked(bed: &Bed<'_>, field: Field) -> Verdict {
    const EARLY: u64 = 20;
    for round in 0..field.rounds() {
        let grant = grant(round);
        bed.given([&grant])?;
        let over = AtomicBool::new(false);
        let issued = race(bed, field, |bed, caller| {
            let mut issued = Vec::new();
            if caller == 0 {
                let _told = Told(&over);
                bed.applied(&writes([Write::SetState { key: grant.key, state: State::Revoked }]))?;
                return Ok(issued);
            }
            for attempt in 0..=EARLY {
                while attempt == EARLY && !over.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                let token = token(number(round, caller).saturating_mul(100).saturating_add(attempt));
                let too_late = over.load(Ordering::SeqCst);
                let live = Condition::Live { key: grant.key, epoch: 0 };
                match bed.commit(&commit(vec![live], vec![Write::Insert(token.clone().into())]))? {
                    Committed::Applied => {
                        ensure!(!too_late, "a token was issued after the revocation of its grant was answered");
                        issued.push(token.key);
                    }
                    Committed::Refused(Failed::Condition(0)) => return Ok(issued),
                    other @ Committed::Refused(_) => {
                        return Err(format!("an insert under a grant was answered {other:?}"));
                    }
                }
            }
            Ok(issued)
        })?;
        for key in issued.into_iter().flatten() {
            ensure!(bed.find(key)?.is_some(), "a token that was issued before the revocation is not there");
        }
    }
    Ok(())
}

/// Even callers end one record if the other is live, odd ones the other way round.
fn crossed(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let pair = [grant(number(round, 0)), grant(number(round, 1))];
        bed.given(&pair)?;
        let [even, odd] = pair.map(|record| record.key);
        let answers = race(bed, field, |bed, caller| {
            let (rests_on, ends) = if caller % 2 == 0 { (even, odd) } else { (odd, even) };
            let live = Condition::Live { key: rests_on, epoch: 0 };
            let mut ending = commit(vec![live], vec![Write::SetState { key: ends, state: State::Revoked }]);
            ending.conditions.push(Condition::Live { key: ends, epoch: 0 });
            bed.commit(&ending)
        })?;
        one_winner(&answers, &[Failed::Condition(0), Failed::Condition(1)])?;
    }
    Ok(())
}

/// The first caller sets two records to the same state, back and forth; the others, in one commit, expect both to be
/// live: never one without the other.
fn whole(bed: &Bed<'_>, field: Field) -> Verdict {
    let pair = [grant(1), grant(2)];
    bed.given(&pair)?;
    let [one, other] = pair.map(|record| record.key);
    let live = |key| Condition::Live { key, epoch: 0 };
    race(bed, field, |bed, caller| {
        let rounds = field.rounds().saturating_mul(5);
        for round in 0..rounds {
            if caller == 0 {
                let state = if round % 2 == 0 { State::Revoked } else { State::Live };
                bed.applied(&writes([Write::SetState { key: one, state }, Write::SetState { key: other, state }]))?;
            } else {
                let conditions = if caller % 2 == 0 { [one, other] } else { [other, one] };
                let answer = bed.commit(&commit(conditions.map(live).to_vec(), Vec::new()))?;
                let right = matches!(answer, Committed::Applied | Committed::Refused(Failed::Condition(0)));
                ensure!(right, "half of a commit was seen: {answer:?}");
            }
        }
        Ok(())
    })?;
    let revisions = [bed.loaded(one)?.record.revision, bed.loaded(other)?.record.revision];
    ensure!(revisions[0] == revisions[1], "two records that change together have revisions {revisions:?}");
    Ok(())
}

/// The first caller purges; the others use the record, which is to be forgotten all the same.
fn purged(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let code = Record { purge_after: later(10), ..record(super::sample::key(Kind::CODE, round)) };
        bed.given([&code])?;
        let answers = race(bed, field, |bed, caller| {
            if caller == 0 {
                let removed = bed.purge_all(later(11), 10)?;
                ensure!(removed == 1, "a purge of one record says that it removed {removed}");
                return Ok(None);
            }
            let (key, answer, purge_after) = (code.key, name_of(caller), later(10));
            bed.commit(&writes([Write::Use { key, at: later(1), answer, purge_after }])).map(Some)
        })?;
        let answers: Vec<Committed> = answers.into_iter().flatten().collect();
        let won = answers.iter().filter(|answer| **answer == Committed::Applied).count();
        ensure!(won <= 1, "{won} callers used a record, and one may");
        let right = answers.iter().all(|it| matches!(it, Committed::Applied | Committed::Refused(Failed::Write(0))));
        ensure!(right, "a use of a record that may be gone was answered otherwise: {answers:?}");
        bed.absent(code.key)?;
    }
    Ok(())
}

/// The first caller purges; the others put off when the record may be forgotten. Whoever succeeds finds it there.
fn prolonged(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let grant = Record { purge_after: later(10), ..grant(round) };
        let kept = Record { purge_after: Timestamp::NEVER, ..grant.clone() };
        bed.given([&grant])?;
        let answers = race(bed, field, |bed, caller| {
            if caller == 0 {
                bed.purge_all(later(11), 10)?;
                return Ok(None);
            }
            let replace = writes([Write::Replace(kept.clone().into())]);
            // At a moment at which no store may forget the record on its own.
            bed.commit(&Commit { at: NOW, ..replace }).map(Some)
        })?;
        let applied = answers.iter().filter(|answer| **answer == Some(Committed::Applied)).count();
        match bed.find(grant.key)? {
            None => ensure!(applied == 0, "a purge took a record that was prolonged before it went"),
            Some(found) => {
                ensure!(applied > 0, "a purge left a record that nobody prolonged");
                let revision = u64::try_from(applied).unwrap_or(u64::MAX).saturating_add(1);
                ensure!(found.revision == revision, "{applied} replacements make revision {}", found.revision);
            }
        }
    }
    Ok(())
}

/// The first caller purges; the others use the record, which puts off when it may be forgotten: one succeeds and finds
/// it there as spent, or the purge came first.
fn spared(bed: &Bed<'_>, field: Field) -> Verdict {
    for round in 0..field.rounds() {
        let code = Record { purge_after: later(10), ..record(super::sample::key(Kind::CODE, round)) };
        bed.given([&code])?;
        let answers = race(bed, field, |bed, caller| {
            if caller == 0 {
                return bed.purge_all(later(11), 10).map(|_| None);
            }
            bed.commit(&writes([spend_as(code.key, caller)])).map(Some)
        })?;
        let answers: Vec<Committed> = answers.into_iter().flatten().collect();
        match bed.find(code.key)? {
            Some(found) => {
                let winner = one_winner(&answers, &[Failed::Write(0)])?.saturating_add(1);
                super::bed::same(&spent(code, later(1), &name_of(winner)), &found)?;
            }
            None => ensure!(
                answers.iter().all(|answer| *answer == Committed::Refused(Failed::Write(0))),
                "a purge took a record that was spent, and is to be remembered as such"
            ),
        }
    }
    Ok(())
}
