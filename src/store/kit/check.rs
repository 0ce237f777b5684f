//! The checks, each with a name and the rule that it proves.

use std::fmt;
use std::sync::LazyLock;

use super::bed::{Bed, Verdict};
use super::{atomic, conditions, forgetting, guards, lists, races, related, round_trip, scans};

/// Which part of the contract a check proves. See [`Store`](crate::store::Store).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A commit applies all of itself or nothing.
    Atomic,
    /// Conditions and guards are evaluated in the same atomic step as the writes.
    Conditional,
    /// A load that begins after a commit was answered sees it, on every node.
    Current,
    /// Every column and every byte comes back as it was given.
    Faithful,
    /// Time comes in arguments only.
    Clockless,
    /// Nothing is forgotten before its time, and all of it can be after.
    Forgetting,
    /// A load brings along what a record hangs on, in the order of the keys.
    Related,
    /// A list holds what matches, in order, a page at a time.
    Listed,
    /// A scan holds everything, a piece at a time.
    Scanned,
    /// A commit touches one partition.
    Local,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Atomic => "a commit applies all of itself or nothing",
            Self::Conditional => "conditions and guards are evaluated in the same atomic step as the writes",
            Self::Current => "a load that begins after a commit was answered sees it, on every node",
            Self::Faithful => "every column and every byte comes back as it was given",
            Self::Clockless => "time comes in arguments only",
            Self::Forgetting => "nothing is forgotten before its time, and all of it can be after",
            Self::Related => "a load brings along what a record hangs on, in the order of the keys",
            Self::Listed => "a list holds what matches, in order, a page at a time",
            Self::Scanned => "a scan holds everything, a piece at a time",
            Self::Local => "a commit touches one partition",
        })
    }
}

/// One check.
#[derive(Debug)]
pub struct Check {
    name: &'static str,
    rule: Rule,
    run: fn(&Bed<'_>) -> Verdict,
}

impl Check {
    pub(super) const fn new(name: &'static str, rule: Rule, run: fn(&Bed<'_>) -> Verdict) -> Self {
        Self { name, rule, run }
    }

    /// What it is called: stable, so that it can be asked for.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it proves.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    pub(super) fn run(&self, bed: &Bed<'_>) -> Verdict {
        (self.run)(bed)
    }
}

/// Every check, in the order in which they run.
pub fn checks() -> &'static [Check] {
    static ALL: LazyLock<Vec<Check>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for part in [
            round_trip::checks,
            related::checks,
            conditions::checks,
            guards::checks,
            atomic::checks,
            forgetting::checks,
            lists::checks,
            scans::checks,
            races::checks,
        ] {
            all.extend(part());
        }
        all
    });
    &ALL
}
