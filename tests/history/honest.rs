//! Stores that keep the contract break no rule, whatever the seed.

use std::sync::Arc;

use crate::arena::{Arena, in_memory};
use crate::history::{History, Outcome};
use crate::round::{Plan, clock, play};
use crate::rules::check;

/// Which seeds to play: `GRANTOR_HISTORY_SEED` alone, or as many as `GRANTOR_HISTORY_ROUNDS` says.
pub fn seeds(few: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().expect(name));
    match number("GRANTOR_HISTORY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("GRANTOR_HISTORY_ROUNDS").unwrap_or(few),
    }
}

/// Plays rounds, and fails with the seed and the part of the history that cannot be.
pub async fn rounds(arena: &dyn Arena, few: u64, plan: impl Fn(u64) -> Plan) -> Vec<History> {
    let clock = clock();
    let mut histories = Vec::new();
    for seed in seeds(few) {
        let plan = plan(seed);
        let history = play(arena, seed, plan, Arc::clone(&clock)).await;
        if let Err(violation) = check(&history) {
            panic!("seed {seed}, {plan:?}\n{violation}");
        }
        // Enough to tell what was tried; ten thousand would be too many to keep.
        if histories.len() < 300 {
            histories.push(history);
        }
    }
    histories
}

/// On two threads, where the machine has a say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_race_between_threads_breaks_a_rule() {
    rounds(&in_memory(), 150, Plan::of).await;
}

#[tokio::test]
async fn where_everybody_is_honest_every_token_counts_to_the_end() {
    for history in rounds(&in_memory(), 100, |seed| Plan::of(seed).honest()).await {
        let dead = history.calls.iter().filter(|call| call.outcome() == Some(&Outcome::Inactive)).count();
        assert_eq!(dead, 0, "nobody has ended anything");
    }
}

/// On one thread, where only the seed decides who goes next.
#[tokio::test]
async fn no_seed_breaks_a_rule_and_all_of_them_are_tried() {
    let histories = rounds(&in_memory(), 300, Plan::of).await;
    let count = |outcome: fn(&Outcome) -> bool| {
        let all = histories.iter().flat_map(|history| &history.calls);
        all.filter(|call| call.outcome().is_some_and(outcome)).count()
    };
    // A driver that stopped asking would pass every rule. One seed alone need not try everything.
    if histories.len() >= 100 {
        let rounds = histories.len();
        assert!(count(|outcome| matches!(outcome, Outcome::Tokens { .. })) > rounds * 5);
        assert!(count(|outcome| *outcome == Outcome::Active) > rounds * 5);
        assert!(count(|outcome| *outcome == Outcome::InDoubt) > rounds / 2);
        assert!(count(|outcome| *outcome == Outcome::Refused) > rounds / 2);
        assert!(count(|outcome| *outcome == Outcome::Inactive) > rounds);
        assert!(count(|outcome| *outcome == Outcome::Done) > rounds / 4);
    }
}
