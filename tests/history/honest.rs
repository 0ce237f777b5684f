//! Stores that keep the contract break no rule, whatever the seed.

use crate::arena::in_memory;
use crate::history::Outcome;
use crate::round::Plan;
use crate::rounds::rounds;

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
