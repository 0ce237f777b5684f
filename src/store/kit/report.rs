//! What the author of a store gets back.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::bed::Bed;
use super::check::{Check, Rule, checks};
use super::fixture::Fixture;

/// Runs every check.
pub fn run(fixture: &dyn Fixture) -> Report {
    run_some(fixture, |_| true)
}

/// Runs the checks that are wanted.
pub fn run_some(fixture: &dyn Fixture, wanted: impl Fn(&Check) -> bool) -> Report {
    let outcomes = checks().iter().filter(|check| wanted(check)).map(|check| outcome(check, fixture)).collect();
    Report { outcomes }
}

fn outcome(check: &Check, fixture: &dyn Fixture) -> Outcome {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        fixture.reset();
        check.run(&Bed::new(fixture))
    }));
    let failure = match tried {
        Ok(result) => result.err(),
        Err(panic) => Some(format!("panicked: {}", said(&*panic))),
    };
    Outcome { name: check.name(), rule: check.rule(), failure }
}

/// What a panic said.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The name of the check: stable, so that it can be asked for.
    pub name: &'static str,
    /// What it proves.
    pub rule: Rule,
    /// What was wrong; `None` where nothing was.
    pub failure: Option<String>,
}

/// What became of every check that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a report that nobody reads proves nothing"]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    /// Every check that was run, in order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Those that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.failure.is_some())
    }

    /// Whether the check of this name was run and failed.
    pub fn caught(&self, name: &str) -> bool {
        self.failures().any(|outcome| outcome.name == name)
    }

    /// # Panics
    ///
    /// If a check failed, or none was run; the message lists all that failed.
    pub fn assert(&self) {
        assert!(!self.outcomes.is_empty(), "no check was run");
        assert!(self.failures().next().is_none(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} checks failed", self.failures().count(), self.outcomes.len())?;
        for Outcome { name, rule, failure } in self.failures() {
            writeln!(f, "  {name}\n    rule: {rule}\n    {}", failure.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}
