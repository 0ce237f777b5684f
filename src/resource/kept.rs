//! Answers kept for a bounded time, in bounded room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::verify::Told;
use crate::clock::Timestamp;

/// The most answers that are kept, in each of two halves.
const HALF: usize = 8192;

/// By the digest of the token; of the tokens themselves none is kept.
pub(super) struct Kept {
    at_most: Duration,
    halves: Mutex<Halves>,
}

/// The younger half takes what is new. When it is full it becomes the older one, and what was the older one is
/// forgotten: nothing is searched for what to drop.
#[derive(Default)]
struct Halves {
    younger: HashMap<[u8; 32], Answer>,
    older: HashMap<[u8; 32], Answer>,
}

#[derive(Clone)]
struct Answer {
    told: Arc<Told>,
    until: Timestamp,
}

impl Kept {
    pub(super) fn new(at_most: Duration) -> Self {
        Self { at_most, halves: Mutex::default() }
    }

    pub(super) fn get(&self, digest: &[u8; 32], now: Timestamp) -> Option<Arc<Told>> {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = halves.younger.get(digest).or_else(|| halves.older.get(digest))?;
        (!answer.until.has_come(now)).then(|| Arc::clone(&answer.told))
    }

    pub(super) fn keep(&self, digest: [u8; 32], told: &Arc<Told>, now: Timestamp) {
        let until = told.expires_at.min(now.after(self.at_most));
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.younger.len() >= HALF {
            halves.older = std::mem::take(&mut halves.younger);
        }
        halves.younger.insert(digest, Answer { told: Arc::clone(told), until });
    }
}
