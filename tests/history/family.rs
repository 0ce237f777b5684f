//! What a history says of one family of tokens: all that came of one code.

use std::collections::HashMap;

use crate::history::{Call, History, Name, Op, Outcome, Person};
use crate::node::{CAP, WINDOW};

/// One code, and what came of it. Calls are named by their number.
#[derive(Debug, Clone)]
pub struct Family {
    pub person: Person,
    pub code: Name,
    pub sign_in: usize,
    /// Every attempt to redeem the code.
    pub redeems: Vec<usize>,
    /// The one that was answered with tokens.
    pub founder: Option<usize>,
    pub access: Vec<Name>,
    pub refresh: Vec<Name>,
}

/// A history, sorted by family.
pub struct Families<'h> {
    pub history: &'h History,
    pub all: Vec<Family>,
    /// Which family each code and token belongs to.
    of: HashMap<Name, usize>,
}

impl<'h> Families<'h> {
    pub fn of(history: &'h History) -> Self {
        let mut families = Self { history, all: Vec::new(), of: HashMap::new() };
        // In the order of the answers, so that nobody has a token before it was handed out.
        let mut answered: Vec<usize> = (0..history.calls.len()).collect();
        answered.sort_by_key(|call| history.calls[*call].answer.as_ref().map_or(usize::MAX, |(at, _)| at.place));
        for call in answered {
            families.learn(call);
        }
        for (number, call) in history.calls.iter().enumerate() {
            if let Op::Redeem(code) = call.op
                && let Some(family) = families.of.get(&code)
            {
                families.all[*family].redeems.push(number);
            }
        }
        families
    }

    fn learn(&mut self, number: usize) {
        let call = &self.history.calls[number];
        match (call.op, call.outcome()) {
            (Op::SignIn(person), Some(Outcome::Code(code))) => {
                self.of.insert(*code, self.all.len());
                let (redeems, access, refresh) = (Vec::new(), Vec::new(), Vec::new());
                let (sign_in, founder) = (number, None);
                self.all.push(Family { person, code: *code, sign_in, redeems, founder, access, refresh });
            }
            (Op::Redeem(from) | Op::Refresh(from), Some(Outcome::Tokens { access, refresh })) => {
                let Some(place) = self.of.get(&from).copied() else { return };
                let family = &mut self.all[place];
                if from == family.code {
                    family.founder.get_or_insert(number);
                }
                // A token that another family had first stays there: whoever checks the chain sees that it came twice.
                if *self.of.entry(*access).or_insert(place) == place && !family.access.contains(access) {
                    family.access.push(*access);
                }
                if *self.of.entry(*refresh).or_insert(place) == place && !family.refresh.contains(refresh) {
                    family.refresh.push(*refresh);
                }
            }
            _ => {}
        }
    }

    pub fn call(&self, number: usize) -> &'h Call {
        &self.history.calls[number]
    }

    pub fn calls(&self) -> impl Iterator<Item = (usize, &'h Call)> {
        self.history.calls.iter().enumerate()
    }

    pub fn family_of(&self, name: Name) -> Option<&Family> {
        self.of.get(&name).map(|family| &self.all[*family])
    }

    /// The family that a call is about.
    pub fn concerned(&self, op: Op) -> Option<&Family> {
        match op {
            Op::Redeem(name)
            | Op::Refresh(name)
            | Op::Introspect(name)
            | Op::RevokeAccess(name)
            | Op::RevokeRefresh(name) => self.family_of(name),
            Op::SignIn(_) | Op::EndApp(_) | Op::EndPerson(_) => None,
        }
    }

    pub fn person_of(&self, op: Op) -> Option<Person> {
        match op {
            Op::SignIn(person) | Op::EndApp(person) | Op::EndPerson(person) => Some(person),
            other => self.concerned(other).map(|family| family.person),
        }
    }

    /// Whether something that was asked may have ended the family before `seen` was answered. What is in doubt may have happened, then
    /// or later; what nobody asked for may not.
    pub fn may_have_ended(&self, family: &Family, seen: usize) -> bool {
        let seen_call = self.call(seen);
        let asked = self.calls().any(|(_, call)| {
            call.may_affect(seen_call)
                && match call.op {
                    Op::RevokeRefresh(token) => family.refresh.contains(&token),
                    Op::EndApp(_) | Op::EndPerson(_) => self.may_end_person(call, family),
                    _ => false,
                }
        });
        asked
            || self.code_came_twice(family, seen_call)
            || self.reused_late(family, seen)
            || self.evicted(family, seen_call)
    }

    fn may_end_person(&self, end: &Call, family: &Family) -> bool {
        let settled_before = end.precedes(self.call(family.sign_in)) && end.outcome() != Some(&Outcome::InDoubt);
        self.person_of(end.op) == Some(family.person) && !settled_before
    }

    /// Whether all that a person had granted may have been ended, before `seen` was answered.
    pub fn person_may_have_ended(&self, family: &Family, seen: usize) -> bool {
        self.calls().any(|(_, call)| {
            matches!(call.op, Op::EndApp(_) | Op::EndPerson(_))
                && call.may_affect(self.call(seen))
                && self.may_end_person(call, family)
        })
    }

    /// A second presentation of a code ends what the first one bought. An attempt that was over before the founder came has done nothing.
    fn code_came_twice(&self, family: &Family, seen: &Call) -> bool {
        let Some(founder) = family.founder else { return family.redeems.len() > 1 };
        family.redeems.iter().any(|other| {
            let call = self.call(*other);
            *other != founder && call.may_affect(seen) && !call.precedes(self.call(founder))
        })
    }

    /// A refresh token that may have been presented, once it was spent, after its window.
    fn reused_late(&self, family: &Family, seen: usize) -> bool {
        let limit = self.call(seen);
        family.refresh.iter().any(|token| {
            let presented: Vec<&Call> =
                self.calls().map(|(_, call)| call).filter(|call| call.op == Op::Refresh(*token)).collect();
            presented.iter().any(|late| {
                let others = || presented.iter().filter(|other| !std::ptr::eq(**other, *late));
                // The latest that the server's clock can have shown for it.
                let end = late.answer.as_ref().or(limit.answer.as_ref());
                late.may_affect(limit)
                    && others().any(|first| {
                        let reaches = end.is_none_or(|(at, _)| at.clock >= first.sent.clock.after(WINDOW));
                        // Whoever was told by this very node that it does not know is no thief, however late he comes back.
                        let excused = others().count() == 1
                            && first.precedes(late)
                            && first.node == late.node
                            && first.outcome() == Some(&Outcome::InDoubt);
                        reaches && !late.precedes(first) && !excused
                    })
            })
        })
    }

    /// Whether so many others may have been founded after the family that it had to go: it is the oldest that goes.
    fn evicted(&self, family: &Family, seen: &Call) -> bool {
        let Some(founder) = family.founder.map(|founder| self.call(founder)) else { return false };
        let newer = |other: &&Family| {
            other.person == family.person
                && other.code != family.code
                && other.redeems.iter().any(|redeem| {
                    let redeem = self.call(*redeem);
                    let refused = redeem.outcome() == Some(&Outcome::Refused);
                    let older = redeem.precedes(founder) && redeem.outcome() != Some(&Outcome::InDoubt);
                    redeem.may_affect(seen) && !refused && !older
                })
        };
        self.all.iter().filter(newer).count() >= CAP
    }

    /// The calls that ended the family for certain, and were answered.
    pub fn ends(&self, family: &Family) -> Vec<usize> {
        let ends = |call: &Call| match (call.op, call.outcome()) {
            (Op::RevokeRefresh(token), Some(Outcome::Done)) | (Op::Refresh(token), Some(Outcome::Refused)) => {
                family.refresh.contains(&token)
            }
            // A code is refused because it was spent, and then what it bought is ended first; or because all is over. But a node that
            // has left one attempt in doubt refuses the next without accusing anybody.
            (Op::Redeem(code), Some(Outcome::Refused)) => {
                let doubted = |other: &usize| {
                    let other = self.call(*other);
                    other.node == call.node && other.outcome() == Some(&Outcome::InDoubt) && other.may_affect(call)
                };
                code == family.code && !family.redeems.iter().any(doubted)
            }
            (Op::EndApp(person) | Op::EndPerson(person), Some(Outcome::Done)) => {
                person == family.person && self.call(family.sign_in).precedes(call)
            }
            _ => false,
        };
        self.calls().filter(|(_, call)| ends(call)).map(|(number, _)| number).collect()
    }

    /// The calls that found the family alive.
    pub fn found_alive(&self, family: &Family) -> Vec<usize> {
        let alive = |call: &Call| match (call.op, call.outcome()) {
            (Op::Introspect(token), Some(Outcome::Active)) => family.access.contains(&token),
            (Op::Refresh(token), Some(Outcome::Tokens { .. })) => family.refresh.contains(&token),
            (Op::Redeem(code), Some(Outcome::Tokens { .. })) => code == family.code,
            _ => false,
        };
        self.calls().filter(|(_, call)| alive(call)).map(|(number, _)| number).collect()
    }
}
