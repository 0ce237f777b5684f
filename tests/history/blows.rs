//! What is killed in a round, and when: at calls that the seed names, while they are under way.

use std::sync::Mutex;

use tokio::sync::Notify;

use crate::random::Random;

/// What a blow strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The node that the call was sent to.
    Node,
    Database,
}

/// One blow.
#[derive(Debug, Clone, Copy)]
pub struct Blow {
    /// The first call of the round that it may strike.
    call: usize,
    /// Whether it falls as soon as the call was sent; else when the next of all that are under way is answered.
    at_once: bool,
    pub victim: Victim,
}

/// All blows of a round that have not fallen yet.
pub struct Blows {
    waiting: Mutex<Vec<Blow>>,
    answered: Notify,
}

/// Blows fall among the first so many calls: fewer than any round has.
const EARLY: usize = 12;

impl Blows {
    pub fn of(seed: u64, nodes: usize, databases: usize) -> Self {
        let mut random = Random::of(seed, 100);
        let mut blow = |victim| Blow { call: random.below(EARLY), at_once: random.percent(50), victim };
        let mut waiting: Vec<Blow> = (0..nodes).map(|_| blow(Victim::Node)).collect();
        waiting.extend((0..databases).map(|_| blow(Victim::Database)));
        Self { waiting: Mutex::new(waiting), answered: Notify::new() }
    }

    /// The blow that falls on this call, if one does; one call takes one.
    pub fn due(&self, call: usize) -> Option<Blow> {
        let mut waiting = self.waiting.lock().unwrap();
        let due = waiting.iter().position(|blow| blow.call <= call)?;
        Some(waiting.swap_remove(due))
    }

    /// The blows for which there were too few calls.
    pub fn late(&self) -> Vec<Blow> {
        std::mem::take(&mut *self.waiting.lock().unwrap())
    }

    /// Waits until the blow falls, with its call sent.
    pub async fn moment(&self, blow: Blow) {
        if !blow.at_once {
            self.answered.notified().await;
        }
    }

    /// Some call was answered.
    pub fn answered(&self) {
        self.answered.notify_waiters();
    }
}
