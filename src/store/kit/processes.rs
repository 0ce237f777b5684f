//! Many processes at once.
//!
//! A store may be right within a process and wrong between two: a lock in memory looks like atomicity until there is a
//! second node. The kit cannot start processes of your test, so it gives you the parts. In the test:
//!
//! 1. [`prepare`](ProcessRace::prepare) on an empty database;
//! 2. start `workers` children (the test binary itself, with an environment variable, will do), of which each opens the
//!    database and calls [`take_part`](ProcessRace::take_part) with its number, from 0 on;
//! 3. when all have ended well, [`verify`](ProcessRace::verify).
//!
//! The children find each other through records in the store: no sleep, no port, no file.

use super::bed::{Bed, Verdict, commit, ensure, writes};
use super::fixture::Fixture;
use super::races::{counter, counts, increment};
use super::sample::{key, later, record, spend};
use crate::store::{Committed, Condition, Failed, Key, Kind, Payload, Record, Write};

/// A race between processes, on well-known keys.
///
/// In each round every worker waits for the others, then spends the same code, takes the same name, and adds to the
/// same counter.
#[derive(Debug, Clone, Copy)]
pub struct ProcessRace {
    /// How many take part.
    pub workers: u32,
    /// How many rounds there are.
    pub rounds: u32,
}

/// How often a worker adds to the counter in a round.
const INCREMENTS: u32 = 3;

/// Where the records of one round are, apart from those of all others.
fn number(round: u32, worker: u32) -> u64 {
    u64::from(round).saturating_mul(1 << 20).saturating_add(u64::from(worker))
}

fn code(round: u32) -> Key {
    key(Kind::CODE, number(round, 0))
}

fn bought(round: u32, worker: u32) -> Key {
    key(Kind::ACCESS_TOKEN, number(round, worker))
}

fn name(round: u32) -> Key {
    key(Kind::MARKER, number(round, 0))
}

fn arrival(round: u32, worker: u32) -> Key {
    key(Kind(200), number(round, worker))
}

/// What a worker says that it was answered.
fn claim(round: u32, worker: u32) -> Key {
    key(Kind(201), number(round, worker))
}

/// There once a worker gave up, so that the others do not wait for it.
fn given_up() -> Key {
    key(Kind(202), 0)
}

fn total() -> Key {
    key(Kind::AUTHORIZATION, 0)
}

fn signed(worker: u32) -> Box<[u8]> {
    worker.to_be_bytes().into()
}

impl ProcessRace {
    /// Puts in place what the workers race for. The database is to be empty.
    pub fn prepare(&self, fixture: &dyn Fixture) -> Result<(), String> {
        let bed = Bed::new(fixture);
        bed.given([&counter(total())])?;
        bed.given(&(0..self.rounds).map(|round| record(code(round))).collect::<Vec<_>>())
    }

    /// Takes part as worker number `me`. Waits for the others for as long as it takes: the caller bounds that, if it
    /// must.
    ///
    /// # Errors
    ///
    /// If the store failed, or another worker gave up.
    pub fn take_part(&self, fixture: &dyn Fixture, me: u32) -> Result<(), String> {
        let bed = Bed::new(fixture);
        let result = (0..self.rounds).try_for_each(|round| self.round(&bed, round, me));
        if result.is_err() {
            // If this fails too, there is nobody left to tell.
            let _ = bed.commit(&writes([Write::Insert(record(given_up()).into())]));
        }
        result
    }

    fn round(self, bed: &Bed<'_>, round: u32, me: u32) -> Verdict {
        bed.given([&record(arrival(round, me))])?;
        let mut awaited: Vec<Key> = (0..self.workers).map(|worker| arrival(round, worker)).collect();
        awaited.push(given_up());
        loop {
            let found = bed.look(&awaited)?;
            let there = found.iter().flatten().count();
            ensure!(found.last().is_some_and(Option::is_none), "another worker gave up");
            if there >= found.len().saturating_sub(1) {
                break;
            }
            std::thread::yield_now();
        }
        let purchase = commit(
            vec![Condition::Unused(code(round))],
            vec![Write::Insert(record(bought(round, me)).into()), spend(code(round), later(1), &signed(me))],
        );
        let bought_it = bed.commit(&purchase)?;
        let taken = Record { payload: Payload::new(signed(me)), ..record(name(round)) };
        let took = bed.commit(&writes([Write::Insert(taken.into())]))?;
        for answer in [bought_it, took] {
            let right =
                matches!(answer, Committed::Applied | Committed::Refused(Failed::Condition(0) | Failed::Write(0 | 1)));
            ensure!(right, "worker {me} was answered {answer:?} in round {round}");
        }
        (0..INCREMENTS).try_for_each(|_| increment(bed, total()))?;
        let won = [bought_it, took].map(|answer| u8::from(answer == Committed::Applied));
        bed.given([&Record { payload: Payload::new(won), ..record(claim(round, me)) }])
    }

    /// Whether, in every round, one worker won, is the only one to say so, and is the one that the store remembers.
    pub fn verify(&self, fixture: &dyn Fixture) -> Result<(), String> {
        let bed = Bed::new(fixture);
        for round in 0..self.rounds {
            let code = bed.loaded(code(round))?.record;
            let buyer = code.used.as_ref().map(|used| used.answer.clone());
            let taker = bed.loaded(name(round))?.record.payload.clone();
            for worker in 0..self.workers {
                let claim = bed.loaded(claim(round, worker))?.record;
                let says = claim.payload.as_bytes().iter().map(|byte| *byte == 1).collect::<Vec<_>>();
                let is = vec![buyer == Some(signed(worker)), taker.as_bytes() == &*signed(worker)];
                ensure!(says == is, "worker {worker} says that it won {says:?} in round {round}, and the store {is:?}");
                let there = bed.find(bought(round, worker))?.is_some();
                ensure!(Some(&there) == is.first(), "what worker {worker} bought in round {round} is there: {there}");
            }
        }
        let each = u64::from(self.workers).saturating_mul(u64::from(self.rounds));
        counts(&bed, total(), each.saturating_mul(u64::from(INCREMENTS)))
    }
}
