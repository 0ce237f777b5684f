//! What must hold of a history, whatever the store and the schedule.
//!
//! Each rule is one that no correct server can break: where an answer could have come about by any order of what was asked at the same
//! time, or by a commit in doubt, nothing is said against it.

use std::collections::HashMap;
use std::fmt;

use crate::family::Families;
use crate::history::{Call, History, Name, Op, Outcome};
use crate::node::{CAP, WINDOW};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    OneSuccessPerCode,
    RotationIsAChain,
    NothingLivesAfterItsEnd,
    NothingAcknowledgedIsLost,
    NoInnocentRetryIsPunished,
    TheCapOnGrantsHolds,
    NoLateReuseIsAnswered,
    EveryAnswerIsLawful,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneSuccessPerCode => "one-success-per-code: a code buys once",
            Self::RotationIsAChain => {
                "rotation-is-a-chain: a refresh token has one successor, and that no other token's"
            }
            Self::NothingLivesAfterItsEnd => "nothing-lives-after-its-end: what was ended, or found dead, is dead",
            Self::NothingAcknowledgedIsLost => {
                "nothing-acknowledged-is-lost: what was handed out counts until something ends it"
            }
            Self::NoInnocentRetryIsPunished => {
                "no-innocent-retry-is-punished: a family whose client only asked again, in time, goes on"
            }
            Self::TheCapOnGrantsHolds => "the-cap-on-grants-holds: a person never has more live grants than may be",
            Self::NoLateReuseIsAnswered => "no-late-reuse-is-answered: a spent token gets nothing after its window",
            Self::EveryAnswerIsLawful => {
                "every-answer-is-lawful: only what the protocol knows, and no 503 from a store that is well"
            }
        })
    }
}

/// A history that cannot be.
#[derive(Debug, Clone)]
pub struct Violation {
    pub rule: Rule,
    /// The part of the history that contradicts itself, as text.
    pub part: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nall that concerns the same person, and > what contradicts it:\n{}", self.rule, self.part)
    }
}

type Found = Result<(), (Rule, Vec<usize>)>;

/// Checks every rule; the first that is broken is told.
pub fn check(history: &History) -> Result<(), Violation> {
    let families = Families::of(history);
    let found = lawful(&families)
        .and_then(|()| codes(&families))
        .and_then(|()| chains(&families))
        .and_then(|()| late(&families))
        // What nobody asked for is told first: otherwise a loss would be taken for an end.
        .and_then(|()| lost(&families))
        .and_then(|()| ended(&families))
        .and_then(|()| caps(&families));
    found.map_err(|(rule, calls)| {
        let persons: Vec<_> = calls.iter().filter_map(|call| families.person_of(history.calls[*call].op)).collect();
        let concerns = |call: &Call| families.person_of(call.op).is_none_or(|person| persons.contains(&person));
        let related: Vec<usize> =
            families.calls().filter(|(_, call)| concerns(call)).map(|(number, _)| number).collect();
        Violation { rule, part: history.lines(&related, &calls) }
    })
}

fn lawful(families: &Families<'_>) -> Found {
    for (number, call) in families.calls() {
        let unlawful = match call.outcome() {
            Some(Outcome::Wrong(_)) => true,
            Some(Outcome::InDoubt) => families.history.calm.is_some_and(|calm| call.sent.place > calm),
            // Nobody is refused a sign-in.
            Some(Outcome::Refused) => matches!(call.op, Op::SignIn(_)),
            _ => false,
        };
        if unlawful {
            return Err((Rule::EveryAnswerIsLawful, vec![number]));
        }
    }
    Ok(())
}

/// The calls that were answered with tokens, and with which.
fn issues<'f>(families: &'f Families<'_>) -> impl Iterator<Item = (usize, &'f Call, Name, Name)> {
    families.calls().filter_map(|(number, call)| match call.outcome() {
        Some(Outcome::Tokens { access, refresh }) => Some((number, call, *access, *refresh)),
        _ => None,
    })
}

fn codes(families: &Families<'_>) -> Found {
    let mut bought: HashMap<Name, usize> = HashMap::new();
    for (number, call, ..) in issues(families) {
        if let Op::Redeem(code) = call.op
            && let Some(first) = bought.insert(code, number)
        {
            return Err((Rule::OneSuccessPerCode, vec![first, number]));
        }
    }
    Ok(())
}

fn chains(families: &Families<'_>) -> Found {
    // Of each token that was handed out: for what, and by which call first.
    let mut for_what: HashMap<Name, (Name, usize)> = HashMap::new();
    let mut successors: HashMap<Name, (Name, Name, usize)> = HashMap::new();
    for (number, call, access, refresh) in issues(families) {
        let (Op::Redeem(from) | Op::Refresh(from)) = call.op else { continue };
        let (same_access, same_refresh, first) = *successors.entry(from).or_insert((access, refresh, number));
        if (same_access, same_refresh) != (access, refresh) {
            return Err((Rule::RotationIsAChain, vec![first, number]));
        }
        for token in [access, refresh] {
            let (other, first) = *for_what.entry(token).or_insert((from, number));
            if other != from || token == from {
                return Err((Rule::RotationIsAChain, vec![first, number]));
            }
        }
    }
    Ok(())
}

fn late(families: &Families<'_>) -> Found {
    for (number, late, ..) in issues(families) {
        let Op::Refresh(token) = late.op else { continue };
        let same = || families.calls().filter(|(_, call)| call.op == Op::Refresh(token));
        // A commit in doubt excuses, and only the server knows which it was.
        if same().any(|(_, call)| matches!(call.outcome(), None | Some(Outcome::InDoubt))) {
            continue;
        }
        let spent = same().find(|(_, first)| match &first.answer {
            Some((at, Outcome::Tokens { .. })) => late.sent.clock >= at.clock.after(WINDOW),
            _ => false,
        });
        if let Some((first, _)) = spent {
            return Err((Rule::NoLateReuseIsAnswered, vec![first, number]));
        }
    }
    Ok(())
}

fn ended(families: &Families<'_>) -> Found {
    let after = |ends: &[usize], alive: usize| {
        ends.iter().copied().find(|end| *end != alive && families.call(*end).precedes(families.call(alive)))
    };
    for family in &families.all {
        let ends = families.ends(family);
        for alive in families.found_alive(family) {
            let own = match families.call(alive).op {
                Op::Introspect(token) => ends_of_token(families, token),
                _ => Vec::new(),
            };
            if let Some(end) = after(&ends, alive).or_else(|| after(&own, alive)) {
                return Err((Rule::NothingLivesAfterItsEnd, vec![end, alive]));
            }
        }
    }
    Ok(())
}

/// The calls after which an access token is dead, whatever its family: it was ended, or found to be.
fn ends_of_token(families: &Families<'_>, token: Name) -> Vec<usize> {
    let ends = |call: &Call| {
        (call.op == Op::RevokeAccess(token) && call.outcome() == Some(&Outcome::Done))
            || (call.op == Op::Introspect(token) && call.outcome() == Some(&Outcome::Inactive))
    };
    families.calls().filter(|(_, call)| ends(call)).map(|(number, _)| number).collect()
}

/// A family lived from when its first tokens were received until the last request was sent that found it alive.
fn caps(families: &Families<'_>) -> Found {
    let lives: Vec<_> = (families.all.iter())
        .filter_map(|family| {
            let founder = family.founder?;
            let (from, _) = families.call(founder).answer.as_ref()?;
            let last = families.found_alive(family).into_iter().max_by_key(|call| families.call(*call).sent)?;
            Some((family.person, from.place, families.call(last).sent.place, [founder, last]))
        })
        .collect();
    for (person, at, ..) in &lives {
        let together: Vec<_> =
            lives.iter().filter(|(other, from, to, _)| other == person && from <= at && at <= to).collect();
        if together.len() > CAP {
            let calls = together.iter().flat_map(|(.., calls)| *calls).collect();
            return Err((Rule::TheCapOnGrantsHolds, calls));
        }
    }
    Ok(())
}

fn lost(families: &Families<'_>) -> Found {
    for (number, call) in families.calls() {
        let Some(outcome) = call.outcome() else { continue };
        if let (Op::EndApp(person), Outcome::Refused) = (call.op, outcome) {
            // There is nothing to end only where nobody was let in.
            let signed_in =
                families.all.iter().find(|it| it.person == person && families.call(it.sign_in).precedes(call));
            if let Some(family) = signed_in {
                return Err((Rule::NothingAcknowledgedIsLost, vec![family.sign_in, number]));
            }
        }
        let Some(family) = families.concerned(call.op) else { continue };
        let explained = match (call.op, outcome) {
            (Op::Introspect(token), Outcome::Inactive) => {
                let ended = |(_, other): (usize, &Call)| other.op == Op::RevokeAccess(token) && other.may_affect(call);
                families.calls().any(ended) || families.may_have_ended(family, number)
            }
            (Op::Refresh(_), Outcome::Refused) => families.may_have_ended(family, number),
            (Op::Redeem(_), Outcome::Refused) => {
                let other = |other: &usize| *other != number && families.call(*other).may_affect(call);
                family.redeems.iter().any(other) || families.person_may_have_ended(family, number)
            }
            _ => true,
        };
        if !explained {
            return Err(blame(families, number));
        }
    }
    Ok(())
}

/// Whether something was lost, or somebody was taken for a thief.
fn blame(families: &Families<'_>, seen: usize) -> (Rule, Vec<usize>) {
    let call = families.call(seen);
    let family = families.concerned(call.op);
    let presented = |token: &Name| -> Vec<usize> {
        let same = families.calls().filter(|(_, other)| other.op == Op::Refresh(*token) && other.may_affect(call));
        same.map(|(number, _)| number).collect()
    };
    let retried = family.and_then(|family| family.refresh.iter().map(presented).find(|presented| presented.len() > 1));
    match (retried, family) {
        (Some(mut presented), _) => {
            presented.push(seen);
            (Rule::NoInnocentRetryIsPunished, presented)
        }
        (None, Some(family)) => (Rule::NothingAcknowledgedIsLost, vec![family.founder.unwrap_or(family.sign_in), seen]),
        (None, None) => (Rule::NothingAcknowledgedIsLost, vec![seen]),
    }
}
