//! One round: some clients, a few people, and a dozen things that each client does.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use grantor::clock::Timestamp;

use crate::arena::Arena;
use crate::blows::{Blow, Blows, Victim};
use crate::faults::Faults;
use crate::history::{History, Name, Op, Outcome, Person, Recorder};
use crate::node::{Ask, CAP, Node, Reply, START};
use crate::random::Random;

/// What happens in a round beyond what honest clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, whatever the others")]
pub struct Plan {
    /// Codes are presented again.
    pub replays: bool,
    /// Tokens are revoked.
    pub revokes: bool,
    /// All that a person has granted ends.
    pub ends: bool,
    /// More sign-ins than a person may have grants.
    pub crowds: bool,
    /// Time passes, so that a retry may be late.
    pub lingers: bool,
    /// How often a node is killed, with requests under way.
    pub kills: usize,
    /// How often the database is.
    pub crashes: usize,
    pub clients: usize,
    pub steps: usize,
    pub faults: Faults,
}

impl Plan {
    /// What a seed brings: often honest in all but one thing, so that a rule which that thing suspends is tried by the other rounds.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::of(seed, 0);
        let faults = match random.below(3) {
            0 => Faults { turns: 3, ..Faults::NONE },
            1 => Faults { unavailable: 4, doubt_done: 6, doubt_undone: 4, turns: 3, ..Faults::NONE },
            _ => Faults { doubt_done: 20, doubt_undone: 5, turns: 2, ..Faults::NONE },
        };
        let mut some = |of_hundred| random.percent(of_hundred);
        Self {
            replays: some(30),
            revokes: some(30),
            ends: some(25),
            crowds: some(30),
            lingers: some(25),
            kills: 0,
            crashes: 0,
            clients: 4,
            steps: 8,
            faults,
        }
    }

    pub fn honest(self) -> Self {
        Self { replays: false, revokes: false, ends: false, crowds: false, lingers: false, ..self }
    }
}

/// What the clients of a round know.
#[derive(Default)]
struct Known {
    sign_ins: [usize; PEOPLE],
    /// Codes that nobody has presented yet.
    fresh: Vec<Name>,
    codes: Vec<Name>,
    refresh: Vec<Name>,
    access: Vec<Name>,
    /// Refresh tokens whose client does not know what became of its request.
    open: Vec<Name>,
}

const PEOPLE: usize = 2;

struct Round {
    seed: u64,
    plan: Plan,
    nodes: Vec<Arc<dyn Node>>,
    recorder: Recorder,
    known: Mutex<Known>,
    clock: Arc<AtomicI64>,
    blows: Blows,
    struck: AtomicUsize,
}

/// The clock of rounds that follow each other on one arena: it never goes back.
pub fn clock() -> Arc<AtomicI64> {
    Arc::new(AtomicI64::new(START.as_millis()))
}

/// Plays a round, and returns what was seen.
pub async fn play(arena: &dyn Arena, seed: u64, plan: Plan, clock: Arc<AtomicI64>) -> History {
    let nodes = arena.nodes(seed).await;
    let round = Arc::new(Round {
        seed,
        plan,
        nodes,
        recorder: Recorder::default(),
        known: Mutex::default(),
        clock,
        blows: Blows::of(seed, plan.kills, plan.crashes),
        struck: AtomicUsize::new(0),
    });
    round.fail(plan.faults).await;
    let clients: Vec<_> = (0..plan.clients)
        .map(|client| {
            let round = Arc::clone(&round);
            tokio::spawn(async move { round.client(client).await })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    round.audit().await;
    History { struck: round.struck.load(Ordering::SeqCst), ..round.recorder.history() }
}

impl Round {
    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap())
    }

    /// How often the stores of all nodes fail from now on.
    async fn fail(&self, faults: Faults) {
        for node in &self.nodes {
            node.ask(START, Ask::Faults(faults)).await;
        }
    }

    /// What one client does.
    async fn client(&self, client: usize) {
        let mut random = Random::of(self.seed, 1 + u64::try_from(client).unwrap());
        for _ in 0..self.plan.steps {
            if self.plan.lingers && random.percent(8) {
                self.clock.fetch_add(31_000, Ordering::SeqCst);
            }
            let Some(op) = self.choose(&mut random) else { continue };
            let node = random.below(self.nodes.len());
            let again = self.may_be_sent_twice(op) && random.percent(25);
            if again {
                // A twin at the same moment: a client that is impatient, or two of its threads.
                tokio::join!(self.call(client, node, op), self.call(client, 1 - node, op));
            } else if self.call(client, node, op).await == Outcome::InDoubt && random.percent(70) {
                self.call(client, random.below(self.nodes.len()), op).await;
            }
        }
    }

    /// Whether the plan lets a client send the same again while the first is under way.
    fn may_be_sent_twice(&self, op: Op) -> bool {
        match op {
            Op::SignIn(_) => false,
            Op::Redeem(_) => self.plan.replays,
            _ => true,
        }
    }

    fn choose(&self, random: &mut Random) -> Option<Op> {
        let person = random.below(PEOPLE);
        let plan = self.plan;
        let number = Person::try_from(person).unwrap();
        self.known(|known| {
            let room = plan.crowds || known.sign_ins[person] < CAP;
            match random.below(100) {
                0..18 if room => {
                    known.sign_ins[person] += 1;
                    Some(Op::SignIn(number))
                }
                0..36 => {
                    let fresh = if known.fresh.is_empty() { None } else { Some(known.fresh.remove(0)) };
                    fresh.map(Op::Redeem)
                }
                36..42 if plan.replays => random.pick_new(&known.codes).map(Op::Redeem),
                36..48 => random.pick(&known.open).map(Op::Refresh),
                48..70 => random.pick_new(&known.refresh).map(Op::Refresh),
                70..74 if plan.revokes => random.pick(&known.refresh).map(Op::RevokeRefresh),
                74..78 if plan.revokes => random.pick(&known.access).map(Op::RevokeAccess),
                78..80 if plan.ends => Some(Op::EndApp(number)),
                80..82 if plan.ends => Some(Op::EndPerson(number)),
                _ => random.pick_new(&known.access).map(Op::Introspect),
            }
        })
    }

    /// Sends a request, and writes down what came of it.
    async fn call(&self, client: usize, node: usize, op: Op) -> Outcome {
        let server = &self.nodes[node];
        let now = Timestamp::from_millis(self.clock.fetch_add(1, Ordering::SeqCst));
        let person = |person: Person| format!("person {person} of round {}", self.seed);
        let secret = |name| self.recorder.secret(name);
        let ask = match op {
            Op::SignIn(number) => Ask::SignIn(person(number)),
            Op::EndApp(number) => Ask::EndApp(person(number)),
            Op::EndPerson(number) => Ask::EndPerson(person(number)),
            Op::Redeem(code) => Ask::Redeem(secret(code)),
            Op::Refresh(token) => Ask::Refresh(secret(token)),
            Op::Introspect(token) => Ask::Introspect(secret(token)),
            Op::RevokeAccess(token) | Op::RevokeRefresh(token) => Ask::Revoke(secret(token)),
        };
        let number = self.recorder.sent(client, (node, server.life()), op, now);
        let reply = match self.blows.due(number) {
            None => server.ask(now, ask).await,
            Some(blow) => self.ask_and_strike(node, now, ask, blow).await,
        };
        self.blows.answered();
        let outcome = self.read(op, &reply);
        let answered = Timestamp::from_millis(self.clock.load(Ordering::SeqCst));
        self.recorder.answered(number, outcome.clone(), answered);
        self.learn(op, &outcome);
        outcome
    }

    /// Sends a request, and strikes while it is under way.
    async fn ask_and_strike(&self, node: usize, now: Timestamp, ask: Ask, blow: Blow) -> Reply {
        let mut asking = self.nodes[node].ask(now, ask);
        let reply = tokio::select! {
            // In this order, so that the request is sent.
            biased;
            reply = &mut asking => Some(reply),
            () = self.blows.moment(blow) => None,
        };
        self.strike(node, blow).await;
        match reply {
            Some(reply) => reply,
            None => asking.await,
        }
    }

    async fn strike(&self, node: usize, blow: Blow) {
        match blow.victim {
            Victim::Database => self.nodes[node].crash(),
            Victim::Node => {
                self.nodes[node].kill();
                // A node that was started anew has a store that is well.
                self.fail(self.plan.faults).await;
            }
        }
        self.struck.fetch_add(1, Ordering::SeqCst);
    }

    fn read(&self, op: Op, reply: &Reply) -> Outcome {
        let json = || serde_json::from_str::<serde_json::Value>(&reply.body).unwrap_or_default();
        let name = |kind, field: &str| json()[field].as_str().map(|secret| self.recorder.name(kind, secret));
        let outcome = match (op, reply.status) {
            (_, 0 | 503) => Some(Outcome::InDoubt),
            (Op::SignIn(_), 200) if !reply.body.is_empty() => Some(Outcome::Code(self.recorder.name('c', &reply.body))),
            (Op::Redeem(_) | Op::Refresh(_), 200) => name('a', "access_token")
                .zip(name('r', "refresh_token"))
                .map(|(access, refresh)| Outcome::Tokens { access, refresh }),
            (Op::Redeem(_) | Op::Refresh(_), 400) if json()["error"] == "invalid_grant" => Some(Outcome::Refused),
            (Op::Introspect(_), 200) => match json()["active"].as_bool() {
                Some(true) => Some(Outcome::Active),
                Some(false) => Some(Outcome::Inactive),
                None => None,
            },
            (Op::RevokeAccess(_) | Op::RevokeRefresh(_) | Op::EndApp(_) | Op::EndPerson(_), 200) => Some(Outcome::Done),
            (Op::EndApp(_), 404) => Some(Outcome::Refused),
            _ => None,
        };
        outcome.unwrap_or_else(|| Outcome::Wrong(format!("{} {}", reply.status, reply.body)))
    }

    fn learn(&self, op: Op, outcome: &Outcome) {
        self.known(|known| {
            let new = |list: &mut Vec<Name>, name: Name| {
                if !list.contains(&name) {
                    list.push(name);
                }
            };
            match *outcome {
                Outcome::Code(code) => {
                    known.fresh.push(code);
                    known.codes.push(code);
                }
                Outcome::Tokens { access, refresh } => {
                    new(&mut known.access, access);
                    new(&mut known.refresh, refresh);
                }
                _ => {}
            }
            if let Op::Refresh(token) = op {
                known.open.retain(|open| *open != token);
                if *outcome == Outcome::InDoubt {
                    known.open.push(token);
                }
            }
        });
    }

    /// Waits until every node has found the database again: it is well when they say so.
    async fn recover(&self) {
        for node in &self.nodes {
            let found = async || node.ask(START, Ask::Introspect("nothing".into())).await.status == 200;
            let mut left = 600;
            while !found().await {
                left -= 1;
                assert!(left > 0, "a node has not found the database again in half a minute");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }

    /// When all is done, and the store is well: what became of each token, asked of both nodes.
    async fn audit(&self) {
        let auditor = self.plan.clients;
        for blow in self.blows.late() {
            self.strike(0, blow).await;
        }
        self.fail(Faults { turns: self.plan.faults.turns, ..Faults::NONE }).await;
        if self.plan.crashes > 0 {
            self.recover().await;
        }
        self.recorder.calm();
        let ask_all = |access: Vec<Name>| async move {
            for token in access {
                for node in 0..self.nodes.len() {
                    self.call(auditor, node, Op::Introspect(token)).await;
                }
            }
        };
        ask_all(self.known(|known| known.access.clone())).await;
        // The oldest first, so that what is left open is settled before the last of the chain goes on.
        for (number, token) in self.known(|known| known.refresh.clone()).into_iter().enumerate() {
            self.call(auditor, number % self.nodes.len(), Op::Refresh(token)).await;
        }
        ask_all(self.known(|known| known.access.clone())).await;
    }
}
