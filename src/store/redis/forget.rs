//! Purging, a little from each bucket.

use redis::Value;

use super::bucket::Bucket;
use super::fault::{Fault, garbled};
use super::nodes::Nodes;
use super::script::Call;
use crate::store::{Purged, StoreError};

/// How much one call may forget: a fraction of a millisecond, in which Redis does nothing else.
const PIECE: u32 = 64;

/// How much is asked for at once: Redis may do all that one connection has sent before it looks at another.
const WAVE: u32 = 512;

/// Calls a script that forgets in these buckets, at most `limit` in all: first to learn where there is anything, then
/// there, a piece at a time.
///
/// The script takes the number that it may forget last, and answers how many it forgot and whether there are more.
pub(super) async fn forget(
    nodes: &Nodes,
    buckets: Vec<Bucket>,
    limit: u32,
    call: impl Fn(Bucket, u32) -> Call,
) -> Result<Purged, StoreError> {
    let scouts: Vec<Call> = buckets.iter().map(|bucket| call(*bucket, 0)).collect();
    let (_, mut open) = keep_open(&buckets, nodes.ask(&scouts).await)?;
    let mut removed = 0_u32;
    while !open.is_empty() {
        let left = limit.saturating_sub(removed).min(WAVE);
        if left == 0 {
            break;
        }
        let buckets = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let piece = left.checked_div(buckets).unwrap_or_default().clamp(1, PIECE);
        let asked = usize::try_from(left.checked_div(piece).unwrap_or_default()).unwrap_or(usize::MAX).min(open.len());
        let (now, later) = open.split_at_checked(asked).unwrap_or_default();
        let calls: Vec<Call> = now.iter().map(|bucket| call(*bucket, piece)).collect();
        let (gone, more) = keep_open(now, nodes.ask_once(&calls).await)?;
        removed = removed.saturating_add(gone);
        // Those that were not asked come first the next time.
        open = later.iter().copied().chain(more).collect();
    }
    Ok(Purged { removed, more: !open.is_empty() })
}

/// How much was forgotten, and which buckets have more.
fn keep_open(buckets: &[Bucket], answers: Vec<Result<Value, Fault>>) -> Result<(u32, Vec<Bucket>), StoreError> {
    let (mut gone, mut open) = (0_u32, Vec::new());
    for (bucket, answer) in buckets.iter().zip(answers) {
        let Value::Array(parts) = answer.map_err(Fault::writing)? else { return Err(garbled()) };
        let [Value::Int(removed), Value::Int(more)] = parts.as_slice() else { return Err(garbled()) };
        gone = gone.saturating_add(u32::try_from(*removed).unwrap_or_default());
        if *more != 0 {
            open.push(*bucket);
        }
    }
    Ok((gone, open))
}
