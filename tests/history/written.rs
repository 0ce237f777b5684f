//! Histories written by hand: what each rule refuses, and what looks like it and is lawful.

use std::time::Duration;

use crate::history::{Call, History, Moment, Name, Op, Outcome};
use crate::node::START;
use crate::rules::{Rule, check};

const CODE: Name = Name('c', 1);
const ALICE: u32 = 0;

/// A history that is being written.
#[derive(Default)]
struct Scene {
    history: History,
    places: usize,
    seconds: u64,
}

impl Scene {
    fn now(&mut self) -> Moment {
        self.places += 1;
        Moment { place: self.places, clock: START.after(Duration::from_secs(self.seconds)) }
    }

    fn send_to(&mut self, node: usize, op: Op) -> usize {
        let sent = self.now();
        self.history.calls.push(Call { client: 0, node: (node, 0), op, sent, answer: None });
        self.history.calls.len() - 1
    }

    fn send(&mut self, op: Op) -> usize {
        self.send_to(0, op)
    }

    fn answer(&mut self, call: usize, outcome: Outcome) {
        let answered = self.now();
        self.history.calls[call].answer = Some((answered, outcome));
    }

    fn ask(&mut self, op: Op, outcome: Outcome) {
        let call = self.send(op);
        self.answer(call, outcome);
    }

    /// Signs in and redeems: the tokens of the `number`th family are `aN` and `rN`.
    fn family(&mut self, number: u32) {
        self.ask(Op::SignIn(ALICE), Outcome::Code(Name('c', number)));
        self.ask(Op::Redeem(Name('c', number)), tokens(number));
    }

    fn with_family() -> Self {
        let mut scene = Self::default();
        scene.family(1);
        scene
    }

    #[track_caller]
    fn refused(&self, rule: Rule) {
        let violation = check(&self.history).expect_err("no rule is broken");
        assert_eq!(violation.rule, rule, "{violation}");
    }

    #[track_caller]
    fn lawful(&self) {
        if let Err(violation) = check(&self.history) {
            panic!("{violation}");
        }
    }
}

fn access(number: u32) -> Name {
    Name('a', number)
}

fn refresh(number: u32) -> Name {
    Name('r', number)
}

fn tokens(number: u32) -> Outcome {
    Outcome::Tokens { access: access(number), refresh: refresh(number) }
}

#[test]
fn a_code_that_bought_twice() {
    let mut scene = Scene::with_family();
    scene.ask(Op::Redeem(CODE), tokens(2));
    scene.refused(Rule::OneSuccessPerCode);
}

#[test]
fn a_token_with_two_successors_and_one_with_the_same_again() {
    let mut scene = Scene::with_family();
    scene.ask(Op::Refresh(refresh(1)), tokens(2));
    scene.ask(Op::Refresh(refresh(1)), tokens(2));
    scene.ask(Op::Refresh(refresh(2)), tokens(3));
    scene.lawful();
    scene.ask(Op::Refresh(refresh(1)), tokens(4));
    scene.refused(Rule::RotationIsAChain);
}

#[test]
fn two_tokens_with_one_successor() {
    let mut scene = Scene::with_family();
    scene.ask(Op::Refresh(refresh(1)), tokens(2));
    scene.ask(Op::Refresh(refresh(2)), tokens(2));
    scene.refused(Rule::RotationIsAChain);
}

#[test]
fn alive_after_a_revocation_and_during_one() {
    for (outcome, lawful) in [(Outcome::Done, false), (Outcome::InDoubt, true)] {
        let mut scene = Scene::with_family();
        let revoke = scene.send(Op::RevokeRefresh(refresh(1)));
        scene.ask(Op::Introspect(access(1)), Outcome::Active);
        scene.answer(revoke, outcome);
        scene.lawful();
        scene.ask(Op::Introspect(access(1)), Outcome::Active);
        if lawful { scene.lawful() } else { scene.refused(Rule::NothingLivesAfterItsEnd) }
    }
}

#[test]
fn a_request_sent_before_the_end_and_answered_after_it() {
    let mut scene = Scene::with_family();
    let refreshing = scene.send(Op::Refresh(refresh(1)));
    scene.ask(Op::EndPerson(ALICE), Outcome::Done);
    scene.answer(refreshing, tokens(2));
    scene.lawful();
    scene.ask(Op::Introspect(access(2)), Outcome::Active);
    scene.refused(Rule::NothingLivesAfterItsEnd);
}

#[test]
fn dead_once_and_alive_again() {
    let mut scene = Scene::with_family();
    scene.ask(Op::RevokeAccess(access(1)), Outcome::InDoubt);
    scene.ask(Op::Introspect(access(1)), Outcome::Inactive);
    scene.lawful();
    scene.ask(Op::Introspect(access(1)), Outcome::Active);
    scene.refused(Rule::NothingLivesAfterItsEnd);
}

#[test]
fn dead_for_no_reason_and_for_one_in_doubt() {
    let mut scene = Scene::with_family();
    scene.ask(Op::Introspect(access(1)), Outcome::Inactive);
    scene.refused(Rule::NothingAcknowledgedIsLost);

    let mut scene = Scene::with_family();
    scene.ask(Op::EndApp(ALICE), Outcome::InDoubt);
    scene.ask(Op::Introspect(access(1)), Outcome::Inactive);
    scene.lawful();
}

#[test]
fn an_end_before_the_sign_in_explains_nothing() {
    let mut scene = Scene::default();
    scene.ask(Op::EndPerson(ALICE), Outcome::Done);
    scene.family(1);
    scene.ask(Op::Refresh(refresh(1)), Outcome::Refused);
    scene.refused(Rule::NothingAcknowledgedIsLost);
}

#[test]
fn another_persons_end_explains_nothing() {
    let mut scene = Scene::with_family();
    scene.ask(Op::EndPerson(ALICE + 1), Outcome::Done);
    scene.ask(Op::Introspect(access(1)), Outcome::Inactive);
    scene.refused(Rule::NothingAcknowledgedIsLost);
}

#[test]
fn a_code_refused_to_the_first_who_brings_it() {
    let mut scene = Scene::default();
    scene.ask(Op::SignIn(ALICE), Outcome::Code(CODE));
    scene.ask(Op::Redeem(CODE), Outcome::Refused);
    scene.refused(Rule::NothingAcknowledgedIsLost);
}

#[test]
fn an_attempt_that_was_over_before_the_founder_came_explains_nothing() {
    let mut scene = Scene::default();
    scene.ask(Op::SignIn(ALICE), Outcome::Code(CODE));
    scene.ask(Op::Redeem(CODE), Outcome::InDoubt);
    scene.ask(Op::Redeem(CODE), tokens(1));
    scene.lawful();
    scene.ask(Op::Introspect(access(1)), Outcome::Inactive);
    scene.refused(Rule::NothingAcknowledgedIsLost);
}

#[test]
fn a_retry_in_time_that_is_punished_and_one_that_is_late() {
    for (seconds, lawful) in [(29, false), (30, true)] {
        let mut scene = Scene::with_family();
        scene.ask(Op::Refresh(refresh(1)), tokens(2));
        scene.seconds += seconds;
        scene.ask(Op::Refresh(refresh(1)), Outcome::Refused);
        if lawful { scene.lawful() } else { scene.refused(Rule::NoInnocentRetryIsPunished) }
    }
}

#[test]
fn a_late_retry_is_excused_by_the_node_that_left_it_in_doubt_and_by_no_other() {
    for (node, lawful) in [(0, false), (1, true)] {
        let mut scene = Scene::with_family();
        scene.ask(Op::Refresh(refresh(1)), Outcome::InDoubt);
        scene.seconds += 40;
        let late = scene.send_to(node, Op::Refresh(refresh(1)));
        scene.answer(late, Outcome::Refused);
        if lawful { scene.lawful() } else { scene.refused(Rule::NoInnocentRetryIsPunished) }
    }
}

#[test]
fn a_reuse_after_the_window_that_is_answered() {
    for (first, lawful) in [(tokens(2), false), (Outcome::InDoubt, true)] {
        let mut scene = Scene::with_family();
        scene.ask(Op::Refresh(refresh(1)), first);
        scene.seconds += 30;
        scene.ask(Op::Refresh(refresh(1)), tokens(2));
        if lawful { scene.lawful() } else { scene.refused(Rule::NoLateReuseIsAnswered) }
    }
}

#[test]
fn three_grants_alive_where_two_may_be() {
    let mut scene = Scene::default();
    (1..=3).for_each(|number| scene.family(number));
    scene.ask(Op::Introspect(access(2)), Outcome::Active);
    scene.ask(Op::Introspect(access(3)), Outcome::Active);
    scene.lawful();
    scene.ask(Op::Introspect(access(1)), Outcome::Active);
    scene.refused(Rule::TheCapOnGrantsHolds);
}

#[test]
fn it_is_the_oldest_that_goes() {
    for (gone, lawful) in [(1, true), (2, false), (3, false)] {
        let mut scene = Scene::default();
        (1..=3).for_each(|number| scene.family(number));
        scene.ask(Op::Introspect(access(gone)), Outcome::Inactive);
        if lawful { scene.lawful() } else { scene.refused(Rule::NothingAcknowledgedIsLost) }
    }
}

#[test]
fn a_503_from_a_store_that_is_well_and_an_answer_nobody_knows() {
    let mut scene = Scene::with_family();
    scene.ask(Op::Refresh(refresh(1)), Outcome::InDoubt);
    scene.lawful();
    scene.history.calm = Some(scene.places);
    scene.ask(Op::Refresh(refresh(1)), Outcome::InDoubt);
    scene.refused(Rule::EveryAnswerIsLawful);

    let mut scene = Scene::with_family();
    scene.ask(Op::Refresh(refresh(1)), Outcome::Wrong("500".into()));
    scene.refused(Rule::EveryAnswerIsLawful);
}
