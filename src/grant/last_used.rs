//! When a grant was last used: to the hour, in a record of its own, so that no edit collides with it.
//!
//! Verifying a token writes nothing. A use is remembered in the process and written down when the host purges; what is
//! shown is the later of the two. A process that is killed forgets what it had not written.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::{Commit, DigestHasher, Key, KeySpace, Kind, Record};

/// How far the time that is kept may lag behind.
const PRECISION: Duration = Duration::from_secs(3600);

const SHARDS: usize = 16;
/// 65,536 grants in all: a crowd that is larger is seen a part at a time.
const PER_SHARD: usize = 4096;

/// A use of a grant that may have to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GrantUse {
    pub(crate) grant: Key,
    pub(crate) at: Timestamp,
    /// When the grant may be forgotten, and what is known of its use with it.
    purge_after: Timestamp,
    written: bool,
}

/// The uses that this process has seen lately.
pub(crate) struct RecentGrants([Mutex<Shard>; SHARDS]);

#[derive(Default)]
struct Shard {
    seen: HashMap<[u8; 32], GrantUse, BuildHasherDefault<DigestHasher>>,
    /// Before this moment there is nothing to make room with.
    full_until: Option<Timestamp>,
}

impl RecentGrants {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// A grant was used.
    pub(crate) fn note(&self, grant: &Record, now: Timestamp) {
        let Some(shard) = self.shard(&grant.key) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: Timestamp| now < at.after(PRECISION) && now >= at;
        if let Some(seen) = shard.seen.get_mut(&grant.key.id) {
            if !recent(seen.at) {
                (seen.at, seen.written) = (now, false);
            }
            return;
        }
        if shard.seen.len() >= PER_SHARD {
            if shard.full_until.is_some_and(|until| now < until) {
                return;
            }
            shard.seen.retain(|_, seen| !seen.written || recent(seen.at));
            if shard.seen.len() >= PER_SHARD {
                shard.full_until = Some(now.after(Duration::from_secs(60)));
                return;
            }
        }
        let seen = GrantUse { grant: grant.key, at: now, purge_after: grant.purge_after, written: false };
        shard.seen.insert(grant.key.id, seen);
    }

    /// When this process last saw a grant used.
    pub(crate) fn last(&self, grant: &Key) -> Option<Timestamp> {
        let shard = self.shard(grant)?.lock().unwrap_or_else(PoisonError::into_inner);
        shard.seen.get(&grant.id).map(|seen| seen.at)
    }

    /// At most `limit` uses that are not written down, and count as written from now on.
    pub(crate) fn take_unwritten(&self, limit: usize) -> Vec<GrantUse> {
        let mut taken = Vec::new();
        for shard in &self.0 {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let room = limit.saturating_sub(taken.len());
            for seen in shard.seen.values_mut().filter(|seen| !seen.written).take(room) {
                seen.written = true;
                taken.push(*seen);
            }
        }
        taken
    }

    fn shard(&self, grant: &Key) -> Option<&Mutex<Shard>> {
        grant.id.first().and_then(|first| self.0.get(usize::from(first % 16)))
    }
}

/// The key of the mark that a grant was used, in the grant's partition.
pub(crate) fn mark(keys: &KeySpace, grant: &Key) -> Key {
    keys.drawn(Kind::GRANT_USE, grant.partition, &grant.id)
}

/// The commit that writes the mark, given the one that is there; `None` where that is as new. If another node is
/// quicker, its mark is as good.
pub(crate) fn write_down(keys: &KeySpace, seen: &GrantUse, present: Option<&Record>, now: Timestamp) -> Option<Commit> {
    if present.is_some_and(|present| present.created_at >= seen.at) {
        return None;
    }
    Some(keys.mark_use(mark(keys, &seen.grant), present, seen.at, seen.purge_after, now))
}

impl std::fmt::Debug for RecentGrants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecentGrants(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Partition, Payload, State, Tenant};

    fn grant(number: u32) -> Record {
        let mut id = [0; 32];
        id[1..5].copy_from_slice(&number.to_be_bytes());
        Record {
            key: Key { partition: Partition(0), kind: Kind::GRANT, id },
            tenant: Tenant([0; 16]),
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at: Timestamp::from_secs(0),
            expires_at: Timestamp::NEVER,
            purge_after: Timestamp::NEVER,
            used: None,
            payload: Payload::default(),
        }
    }

    #[test]
    fn a_use_is_to_be_written_once_an_hour_and_again_when_the_clock_was_set_back() {
        let recent = RecentGrants::new();
        let start = Timestamp::from_secs(100_000);
        let unwritten = |now| {
            recent.note(&grant(1), now);
            recent.take_unwritten(10).len()
        };
        assert_eq!(unwritten(start), 1);
        assert_eq!(unwritten(start.after(Duration::from_secs(3599))), 0);
        assert_eq!(unwritten(start.after(PRECISION)), 1);
        assert_eq!(unwritten(start), 1);
        assert_eq!(recent.last(&grant(1).key), Some(start));
    }

    #[test]
    fn a_crowd_takes_no_more_room_than_there_is_and_leaves_it_again() {
        let recent = RecentGrants::new();
        let start = Timestamp::from_secs(100_000);
        let crowd = |from, now| (from..from + 10_000).for_each(|number| recent.note(&grant(number), now));
        crowd(0, start);
        assert_eq!(recent.take_unwritten(1_000).len(), 1_000, "a part at a time");
        assert_eq!(recent.take_unwritten(usize::MAX).len(), PER_SHARD - 1_000);
        crowd(20_000, start.after(PRECISION));
        assert_eq!(recent.take_unwritten(usize::MAX).len(), PER_SHARD);
    }
}
