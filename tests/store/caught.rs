//! Every store that is wrong on purpose fails the kit, in the checks that are there to catch it.

use std::sync::Arc;

use grantor::store::kit::{self, Check, Report};
use grantor::store::{Commit, Write};

use super::broken::{Broken, Mistake, Pause};
use super::fixture::InMemory;

fn run(mistake: Mistake, wanted: impl Fn(&Check) -> bool) -> Report {
    let mistake = Arc::new(mistake);
    kit::run_some(&InMemory::behind(move |store| Broken::handle(store, Arc::clone(&mistake))), wanted)
}

/// Races need callers who meet, and are run one by one: everything else.
fn alone(check: &Check) -> bool {
    !check.name().contains("-callers-")
}

/// Runs what one caller can find out, and expects these checks to fail, whatever others do.
#[track_caller]
fn caught(mistake: Mistake, by: &[&str]) {
    let report = run(mistake, alone);
    for name in by {
        assert!(report.caught(name), "{name} did not catch it: {report}");
    }
}

/// Runs one race and expects it to be lost.
#[track_caller]
fn caught_racing(mistake: Mistake, race: &str) {
    let report = run(mistake, |check| check.name() == race);
    assert!(report.caught(race), "{race}: {report}");
}

fn spends(commit: &Commit) -> bool {
    commit.writes.iter().any(|write| matches!(write, Write::Use { .. }))
}

fn replaces(commit: &Commit) -> bool {
    commit.writes.iter().any(|write| matches!(write, Write::Replace(_)))
}

fn deletes(commit: &Commit) -> bool {
    commit.writes.iter().any(|write| matches!(write, Write::Delete(_)))
}

fn is_conditional(commit: &Commit) -> bool {
    !commit.conditions.is_empty()
}

#[test]
fn check_then_act_looks_right_to_a_single_caller() {
    run(Mistake::ChecksThenActs(Pause::none()), alone).assert();
}

#[test]
fn check_then_act_uses_a_record_twice() {
    for race in
        ["a-record-is-used-once-by-2-callers-through-1-handle", "a-code-buys-once-by-2-callers-through-2-handles"]
    {
        caught_racing(Mistake::ChecksThenActs(Pause::of_two(spends)), race);
    }
}

#[test]
fn check_then_act_loses_increments() {
    caught_racing(
        Mistake::ChecksThenActs(Pause::of_two(replaces)),
        "no-increment-is-lost-by-2-callers-through-1-handle",
    );
}

#[test]
fn check_then_act_takes_a_name_twice() {
    // Whoever gives the kit its records inserts alone; here all are inserted by the callers of the race.
    caught_racing(
        Mistake::ChecksThenActs(Pause::of_two(|_| true)),
        "a-name-is-taken-once-by-2-callers-through-1-handle",
    );
}

#[test]
fn check_then_act_deletes_twice() {
    caught_racing(
        Mistake::ChecksThenActs(Pause::of_two(deletes)),
        "a-record-is-deleted-once-by-2-callers-through-1-handle",
    );
}

#[test]
fn check_then_act_issues_under_a_grant_that_is_being_revoked() {
    let race = "of-two-commits-that-end-what-the-other-rests-on-one-is-applied-by-2-callers-through-2-handles";
    caught_racing(Mistake::ChecksThenActs(Pause::of_two(is_conditional)), race);
}

#[test]
fn a_lock_of_the_process_helps_through_one_handle_and_not_through_two() {
    let report = run(Mistake::ChecksThenActsUnderItsOwnLock(Pause::none()), |check| {
        check.name().ends_with("-through-1-handle") && check.name().starts_with("a-record-is-used-once")
    });
    report.assert();
    caught_racing(
        Mistake::ChecksThenActsUnderItsOwnLock(Pause::of_two(spends)),
        "a-record-is-used-once-by-2-callers-through-2-handles",
    );
}

#[test]
fn delete_then_insert_loses_increments() {
    // Every version has revision 1, so nobody can see that another came between. The callers meet at the replacement.
    caught_racing(
        Mistake::DeletesThenInserts(Pause::of_two(replaces)),
        "no-increment-is-lost-by-2-callers-through-1-handle",
    );
}

#[test]
fn delete_then_insert_is_caught() {
    caught(
        Mistake::DeletesThenInserts(Pause::none()),
        &["replace-raises-the-revision-by-one", "unchanged-fails-after-every-write"],
    );
}

#[test]
fn a_truncated_payload_is_caught() {
    caught(Mistake::TruncatesPayloads, &["every-payload-comes-back"]);
}

#[test]
fn a_dropped_payload_is_caught() {
    caught(Mistake::DropsPayloads, &["a-record-comes-back-as-it-was-inserted", "every-payload-comes-back"]);
}

#[test]
fn ignored_conditions_are_caught() {
    caught(
        Mistake::IgnoresConditions,
        &[
            "unused-holds-until-a-record-is-used",
            "live-fails-for-every-other-state",
            "live-fails-for-another-epoch",
            "unchanged-holds-for-that-revision-alone",
        ],
    );
}

#[test]
fn an_ignored_use_guard_is_caught() {
    caught(
        Mistake::IgnoresTheUseGuard,
        &["use-fails-for-a-record-that-was-used", "use-fails-for-a-record-that-was-inserted-as-used"],
    );
}

#[test]
fn writes_applied_one_by_one_are_caught() {
    caught(
        Mistake::AppliesOneByOne,
        &["a-failed-last-write-undoes-those-before-it", "each-kind-of-write-undoes-those-before-it-when-it-fails"],
    );
}

#[test]
fn a_commit_that_can_be_dropped_half_way_is_caught() {
    caught(Mistake::AwaitsHalfWay, &["a-dropped-commit-happened-as-a-whole-or-not-at-all"]);
}

#[test]
fn a_purge_that_takes_the_boundary_is_caught() {
    caught(Mistake::PurgesTheBoundary, &["purge-takes-what-lies-before-and-nothing-else"]);
}

#[test]
fn a_store_that_forgets_early_on_its_own_is_caught() {
    caught(
        Mistake::ForgetsEarly,
        &["nothing-is-forgotten-before-its-time-by-a-commit", "what-a-commit-forgets-it-forgets-by-its-own-moment"],
    );
}

#[test]
fn a_purge_that_looks_and_then_deletes_is_caught() {
    caught_racing(
        Mistake::PurgesByName(Pause::of_two(replaces)),
        "a-purge-spares-what-is-prolonged-meanwhile-by-2-callers-through-1-handle",
    );
    caught_racing(
        Mistake::PurgesByName(Pause::of_two(spends)),
        "a-purge-spares-what-is-used-meanwhile-by-2-callers-through-2-handles",
    );
}

#[test]
fn a_list_that_leaks_another_tenant_is_caught() {
    caught(Mistake::LeaksTenants, &["a-list-is-confined-to-its-tenant"]);
}

#[test]
fn answers_out_of_order_are_caught() {
    caught(
        Mistake::ReordersLoads,
        &["many-keys-are-answered-in-their-order", "a-key-asked-for-twice-is-answered-twice"],
    );
}

#[test]
fn an_inner_join_is_caught() {
    caught(Mistake::JoinsInner, &["what-is-missing-is-left-out-and-the-rest-comes"]);
}

#[test]
fn a_stale_cache_is_caught() {
    caught(Mistake::Caches, &["a-change-is-seen-through-a-handle-that-had-loaded-the-record"]);
}

#[test]
fn pages_by_offset_are_caught() {
    caught(
        Mistake::PagesByOffset,
        &["pages-miss-and-repeat-nothing-while-others-write", "a-cursor-outlives-its-record"],
    );
}

#[test]
fn a_scan_by_offset_is_caught() {
    caught(Mistake::ScansByOffset, &["a-scan-misses-nothing-while-others-write"]);
}

#[test]
fn a_scan_that_leaves_out_what_is_dead_is_caught() {
    caught(Mistake::ScansTheLiving, &["a-scan-holds-every-record-of-every-server-kind-and-state"]);
}

#[test]
fn the_wrong_position_is_caught() {
    caught(Mistake::NamesTheLast, &["the-condition-that-failed-first-is-named"]);
}
