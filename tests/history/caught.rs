//! Every store that is wrong on purpose is caught, by the rule that is there to catch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use grantor::store::MemoryStore;

use crate::arena::{Arena, Handles, InProcess, in_memory};
use crate::broken::{Broken, Mistake};
use crate::faults::Faults;
use crate::round::{Plan, clock, play};
use crate::rules::{Rule, Violation, check};

fn arena(mistake: Mistake) -> impl Arena {
    let database = move || -> Handles {
        let (inner, next) = (Arc::new(MemoryStore::new()), AtomicUsize::new(0));
        Box::new(move || Broken::handle(Arc::clone(&inner), mistake, next.fetch_add(1, Ordering::SeqCst)))
    };
    InProcess { database }
}

/// Plays until a rule is broken.
async fn first_violation(arena: &impl Arena, plan: impl Fn(u64) -> Plan) -> Violation {
    for seed in 0..2_000 {
        if let Err(violation) = check(&play(arena, seed, plan(seed), clock()).await) {
            return violation;
        }
    }
    panic!("nothing was caught in two thousand rounds");
}

fn quiet(seed: u64) -> Plan {
    Plan { faults: Faults { turns: 2, ..Faults::NONE }, ..Plan::of(seed).honest() }
}

#[track_caller]
fn assert_caught(violation: &Violation, rule: Rule) {
    assert_eq!(violation.rule, rule, "{violation}");
    // Whoever reads it must see what contradicts what.
    assert!(violation.part.lines().any(|line| line.starts_with('>')), "{violation}");
}

#[tokio::test]
async fn check_then_act_sells_a_code_twice() {
    let plan = |seed| Plan { replays: true, ..quiet(seed) };
    assert_caught(&first_violation(&arena(Mistake::ChecksThenActs), plan).await, Rule::OneSuccessPerCode);
}

#[tokio::test]
async fn check_then_act_forks_a_chain_of_honest_clients() {
    assert_caught(&first_violation(&arena(Mistake::ChecksThenActs), quiet).await, Rule::RotationIsAChain);
}

#[tokio::test]
async fn a_token_spent_twice_forks_its_chain() {
    assert_caught(&first_violation(&arena(Mistake::UsesTwice), quiet).await, Rule::RotationIsAChain);
}

#[tokio::test]
async fn what_was_acknowledged_and_lost_is_missed() {
    let violation = first_violation(&arena(Mistake::LosesWhatItAcknowledged), quiet).await;
    assert_caught(&violation, Rule::NothingAcknowledgedIsLost);
}

#[tokio::test]
async fn an_end_that_was_acknowledged_and_lost_is_noticed() {
    let plan = |seed| Plan { revokes: true, ..quiet(seed) };
    assert_caught(&first_violation(&arena(Mistake::LosesEnds), plan).await, Rule::NothingLivesAfterItsEnd);
}

#[tokio::test]
async fn a_node_that_answers_from_memory_keeps_the_dead_alive() {
    let plan = |seed| Plan { revokes: true, ..quiet(seed) };
    assert_caught(&first_violation(&arena(Mistake::CachesOnOneNode), plan).await, Rule::NothingLivesAfterItsEnd);
}

#[tokio::test]
async fn where_the_last_to_write_wins_there_are_too_many_grants() {
    let plan = |seed| Plan { crowds: true, ..quiet(seed) };
    assert_caught(&first_violation(&arena(Mistake::LetsTheLastWin), plan).await, Rule::TheCapOnGrantsHolds);
}

#[tokio::test]
async fn a_store_that_forgets_the_answer_punishes_a_retry() {
    assert_caught(&first_violation(&arena(Mistake::ForgetsAnswers), quiet).await, Rule::NoInnocentRetryIsPunished);
}

#[tokio::test]
async fn a_doubt_that_is_denied_makes_a_thief_of_a_client_that_comes_back_late() {
    let plan = |seed| Plan { lingers: true, faults: Faults { denied: 30, turns: 2, ..Faults::NONE }, ..quiet(seed) };
    let violation = first_violation(&in_memory(), plan).await;
    assert_caught(&violation, Rule::NoInnocentRetryIsPunished);
}

#[tokio::test]
async fn a_clock_of_the_store_answers_a_thief() {
    let plan = |seed| Plan { lingers: true, ..quiet(seed) };
    assert_caught(&first_violation(&arena(Mistake::StampsByItsOwnClock), plan).await, Rule::NoLateReuseIsAnswered);
}

/// Else a seed that is printed would be of no use.
#[tokio::test]
async fn a_seed_gives_the_same_history_again() {
    for seed in 0..20 {
        let told = async || {
            let history = play(&in_memory(), seed, Plan::of(seed), clock()).await;
            let all: Vec<usize> = (0..history.calls.len()).collect();
            history.lines(&all, &[])
        };
        assert_eq!(told().await, told().await, "seed {seed}");
    }
}
