//! Many rounds on one arena.

use std::sync::Arc;

use crate::arena::Arena;
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
        assert_eq!(history.struck, plan.kills + plan.crashes, "seed {seed}: not all was killed that its plan names");
        // Enough to tell what was tried; ten thousand would be too many to keep.
        if histories.len() < 300 {
            histories.push(history);
        }
    }
    histories
}

/// That servers were killed with requests under way, some of which were never answered.
pub fn assert_noticed(histories: &[History]) {
    let struck = || histories.iter().filter(|history| history.struck > 0);
    let in_doubt = |history: &&History| history.calls.iter().any(|call| call.outcome() == Some(&Outcome::InDoubt));
    let (struck, noticed) = (struck().count(), struck().filter(in_doubt).count());
    assert!(noticed * 2 >= struck, "in {struck} rounds something was killed, and in {noticed} a request was in doubt");
}
