//! Random interleavings, step by step (id RC-18).
//!
//! Requests run as tasks of a scheduler of our own, over a store that lets the others go first before and after each
//! call. At each step the scheduler, driven by a seed, goes on with one of them, begins another, moves the clock or
//! stops nothing at all. A failure prints its seed.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use grantor::event::{Event, What};
use grantor::store::{Kind, MemoryStore, Store};
use grantor::wire::token::TokenKind;
use grantor::{AuthorizationServer, Require};
use http::StatusCode;

use crate::faulty::*;
use crate::harness::*;
use crate::race::{assert_no_orphans, redemption, refreshing};

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Says which round it was.
struct Round(u64, Mode);

impl Drop for Round {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {} of {:?}", self.0, self.1);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nobody does wrong: retries, introspection, purges, and strangers without what it takes.
    Innocent,
    /// Codes are replayed, tokens revoked, clients and subjects deactivated and activated.
    Hostile,
}

/// The family that is there from the beginning, and the one that the code buys.
const FAMILIES: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Op {
    Redeem,
    RedeemWithoutVerifier,
    Refresh { family: usize, token: String },
    RefreshByAnotherClient { token: String },
    RevokeRefresh { family: usize, token: String },
    RevokeAccess { token: String },
    Introspect { family: usize, token: String },
    DeactivateSubject,
    ActivateSubject,
    DeactivateClient,
    ActivateClient,
    Purge,
}

type Task = Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;

/// What has been seen so far.
#[derive(Default)]
struct History {
    step: usize,
    refresh: [Vec<String>; FAMILIES],
    access: [Vec<String>; FAMILIES],
    /// From which step on a family must be dead.
    dead: [Option<usize>; FAMILIES],
    dead_access: HashMap<String, usize>,
    bought: Vec<(String, String)>,
    successors: HashMap<String, (String, String)>,
    refused_redemption: bool,
}

impl History {
    fn end(&mut self, family: usize) {
        let step = self.step;
        self.dead[family].get_or_insert(step);
    }

    fn learn(&mut self, family: usize, (access, refresh): (String, String)) {
        if !self.refresh[family].contains(&refresh) {
            self.refresh[family].push(refresh);
            self.access[family].push(access);
        }
    }

    /// Takes down what an operation that began at `begun` was answered, and checks that it may be.
    fn record(&mut self, op: Op, begun: usize, answer: Option<Answer>) {
        if let Some(answer) = &answer {
            assert!(answer.status.as_u16() < 500, "{op:?}: {} {}", answer.status, answer.body);
        }
        let was_dead = |history: &Self, family: usize| history.dead[family].is_some_and(|end| end < begun);
        match op {
            Op::Redeem => {
                let answer = answer.unwrap();
                if answer.status == StatusCode::OK {
                    assert!(!was_dead(self, 1), "redeemed after the end");
                    self.bought.push(answer.tokens());
                    assert_eq!(self.bought.len(), 1, "one success per code");
                    self.learn(1, answer.tokens());
                } else {
                    // A replay, or all is over anyway.
                    self.refused_redemption = true;
                    self.end(1);
                }
            }
            Op::RedeemWithoutVerifier | Op::RefreshByAnotherClient { .. } => {
                assert!(answer.unwrap().status.is_client_error(), "a stranger gets nothing");
            }
            Op::Refresh { family, token } => {
                let answer = answer.unwrap();
                if answer.status == StatusCode::OK {
                    assert!(!was_dead(self, family), "refreshed after the end");
                    let tokens = answer.tokens();
                    let first = self.successors.entry(token).or_insert_with(|| tokens.clone());
                    assert_eq!(*first, tokens, "a token has one successor");
                    self.learn(family, tokens);
                }
            }
            Op::RevokeRefresh { family, .. } => {
                // One that could not authenticate any more ended nothing; but then everything had ended.
                let _ = answer;
                self.end(family);
            }
            Op::RevokeAccess { token } => {
                let step = self.step;
                self.dead_access.entry(token).or_insert(step);
            }
            Op::Introspect { family, token } => {
                if answer.unwrap().json().unwrap()["active"] == true {
                    assert!(!was_dead(self, family), "alive after the end of its family");
                    let gone = self.dead_access.get(&token);
                    assert!(gone.is_none_or(|end| *end >= begun), "alive after it was revoked");
                } else {
                    // Who was told so once is never told otherwise.
                    let step = self.step;
                    self.dead_access.entry(token).or_insert(step);
                }
            }
            Op::DeactivateSubject | Op::DeactivateClient => (0..FAMILIES).for_each(|family| self.end(family)),
            Op::ActivateSubject | Op::ActivateClient | Op::Purge => {}
        }
    }

    fn choose(&self, mode: Mode, random: &mut Random) -> Op {
        loop {
            let family = random.below(FAMILIES);
            let pick = |list: &[String], random: &mut Random| {
                // The newest as often as all others together: an honest client mostly has that.
                let newest = list.last()?;
                Some(if random.below(2) == 0 { newest.clone() } else { list[random.below(list.len())].clone() })
            };
            let refresh = pick(&self.refresh[family], random);
            let access = pick(&self.access[family], random);
            let op = match random.below(if mode == Mode::Innocent { 60 } else { 100 }) {
                0..20 => refresh.map(|token| Op::Refresh { family, token }),
                20..35 => access.map(|token| Op::Introspect { family, token }),
                35..40 => Some(Op::Purge),
                40..45 => Some(Op::RedeemWithoutVerifier),
                45..50 => refresh.map(|token| Op::RefreshByAnotherClient { token }),
                50..60 => refresh.map(|token| Op::Refresh { family: self.family_of(&token), token }),
                60..78 => Some(Op::Redeem),
                78..83 => refresh.map(|token| Op::RevokeRefresh { family, token }),
                83..88 => access.map(|token| Op::RevokeAccess { token }),
                88..91 => Some(Op::DeactivateSubject),
                91..94 => Some(Op::ActivateSubject),
                94..97 => Some(Op::DeactivateClient),
                _ => Some(Op::ActivateClient),
            };
            if let Some(op) = op {
                return op;
            }
        }
    }

    fn family_of(&self, token: &String) -> usize {
        usize::from(self.refresh[1].contains(token))
    }
}

fn task(server: AuthorizationServer, op: &Op, code: &str) -> Task {
    let request = match op {
        Op::Redeem => redemption(WEB, code),
        Op::RedeemWithoutVerifier => post_as(WEB, "/token", &[("grant_type", "authorization_code"), ("code", code)]),
        Op::Refresh { token, .. } => refreshing(WEB, token),
        Op::RefreshByAnotherClient { token } => refreshing(LEGACY, token),
        Op::RevokeRefresh { token, .. } | Op::RevokeAccess { token } => post_as(WEB, "/revoke", &[("token", token)]),
        Op::Introspect { token, .. } => post_as(API, "/introspect", &[("token", token)]),
        Op::DeactivateSubject | Op::ActivateSubject | Op::DeactivateClient | Op::ActivateClient | Op::Purge => {
            let op = op.clone();
            return Box::pin(async move {
                match op {
                    Op::DeactivateSubject => server.subjects().deactivate(&"alice".into()).await.unwrap(),
                    Op::ActivateSubject => server.subjects().activate(&"alice".into()).await.unwrap(),
                    Op::DeactivateClient => assert!(server.clients().deactivate(&"web".into()).await.is_ok()),
                    Op::ActivateClient => assert!(server.clients().activate(&"web".into()).await.is_ok()),
                    _ => assert!(server.purge(3).await.is_ok()),
                }
                None
            });
        }
    };
    Box::pin(async move { Some(ask(&server, request).await) })
}

async fn round(seed: u64, mode: Mode) {
    let round = Round(seed, mode);
    let mut random = Random(seed);
    let memory = Arc::new(MemoryStore::new());
    let store = YieldingStore::new(Arc::clone(&memory), 1);
    let world = World::over(Arc::clone(&store) as Arc<dyn Store>, memory, |builder| builder).await;
    let nodes = [world.server.clone(), world.server_over(store, |builder| builder)];
    let mut history = History::default();
    history.learn(0, world.tokens(WEB).await);
    let code = world.valid_code(WEB).await;
    if mode == Mode::Innocent {
        // Redeemed once, by whom it belongs to.
        history.record(Op::Redeem, 0, Some(world.redeem(WEB, &code).await));
    }
    world.take_events();

    let mut running: Vec<(Op, usize, Task)> = Vec::new();
    let mut left = 12;
    // Less than the retry window in all, so that no refresh is ever late.
    let mut time = 29_999;
    let mut context = Context::from_waker(Waker::noop());
    while left > 0 || !running.is_empty() {
        history.step += 1;
        if left > 0 && (running.is_empty() || random.below(4) == 0) {
            left -= 1;
            let op = history.choose(mode, &mut random);
            let future = task(nodes[random.below(2)].clone(), &op, &code);
            running.push((op, history.step, future));
            // Often a twin of it: a retry.
            if left > 0 && random.below(3) == 0 {
                left -= 1;
                let (op, _, _) = running.last().unwrap();
                let (op, future) = (op.clone(), task(nodes[random.below(2)].clone(), op, &code));
                running.push((op, history.step, future));
            }
        } else if time > 0 && random.below(20) == 0 {
            let by = random.below(time.min(10_000)) + 1;
            time -= by;
            world.clock.advance(Duration::from_millis(u64::try_from(by).unwrap()));
        } else {
            let chosen = random.below(running.len());
            if let Poll::Ready(answer) = running[chosen].2.as_mut().poll(&mut context) {
                let (op, begun, _) = running.swap_remove(chosen);
                history.record(op, begun, answer);
            }
        }
    }
    settle(&world, &nodes, &history, mode).await;
    drop(round);
}

/// What must hold when all is done.
async fn settle(world: &World, nodes: &[AuthorizationServer], history: &History, mode: Mode) {
    let (records, now) = (world.dump(), world.now());
    assert_no_orphans(world);
    // A chain: of each grant, one refresh token is unspent, and every spent one was answered with one successor.
    let grants = of_kind(&records, Kind::GRANT);
    assert!(grants.len() <= FAMILIES);
    for grant in &grants {
        let leaves = of_kind(&records, Kind::REFRESH_TOKEN)
            .into_iter()
            .filter(|token| token.parent.is_some_and(|parent| parent.key == grant.key) && token.used.is_none());
        assert_eq!(leaves.count(), 1, "one leaf");
    }
    let events = world.take_events();
    let replayed = |kind| events.iter().filter(|event: &&Event| event.what == What::Replayed { kind }).count();
    assert_eq!(replayed(TokenKind::Refresh), 0, "a retry within the window was punished");
    let living_leaves = living(&records, Kind::REFRESH_TOKEN, now).len();
    let ended = history.dead.iter().filter(|dead| dead.is_some()).count();
    match mode {
        Mode::Innocent => {
            assert_eq!((replayed(TokenKind::Code), ended, living_leaves), (0, 0, 2));
            for (family, tokens) in history.access.iter().enumerate() {
                for token in tokens {
                    assert!(world.server.verify(token, Require::any()).await.is_ok(), "of family {family}");
                }
            }
        }
        Mode::Hostile => {
            let bought = !history.bought.is_empty();
            assert_eq!(grants.len(), 1 + usize::from(bought));
            // What did not end lives, and nothing else.
            let expected = usize::from(history.dead[0].is_none()) + usize::from(history.dead[1].is_none() && bought);
            assert_eq!(living_leaves, expected, "{:?}", history.dead);
        }
    }
    // Both nodes judge each token alike, and as the records say.
    let alive = living(&records, Kind::ACCESS_TOKEN, now).len();
    let mut verified = 0;
    for token in history.access.iter().flatten() {
        let [first, second] = [&nodes[0], &nodes[1]];
        let answers =
            (first.verify(token, Require::any()).await.is_ok(), second.verify(token, Require::any()).await.is_ok());
        assert_eq!(answers.0, answers.1);
        let dead = history.dead_access.contains_key(token);
        assert!(!(dead && answers.0), "revived");
        verified += usize::from(answers.0);
    }
    assert_eq!(verified, alive);
}

#[tokio::test]
async fn rc_18_no_interleaving_of_honest_requests_punishes_anybody() {
    for seed in 0..300 {
        round(seed, Mode::Innocent).await;
    }
}

#[tokio::test]
async fn rc_18_no_interleaving_revives_doubles_or_forks() {
    for seed in 0..600 {
        round(seed, Mode::Hostile).await;
    }
}
