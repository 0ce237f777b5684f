//! A commit as the arguments of a script, and its answer.

use std::time::Duration;

use redis::Value;

use super::bucket::{Bucket, Roots, tail};
use super::fault::garbled;
use super::row::{encode, moment};
use super::script::{Call, SCRIPTS};
use crate::store::{Commit, Committed, Condition, Failed, StoreError, Write};

/// How long before the moment of a commit a record must have been due to be forgotten on the way.
const SLACK: Duration = Duration::from_secs(60);

/// The call that makes a commit; its events go to `stream`, if there is one.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if it is not to be made.
pub(super) fn call(
    commit: &Commit,
    roots: &Roots,
    stream: Option<&[u8]>,
    margin: Option<Duration>,
) -> Result<Call, StoreError> {
    if !commit.is_local() {
        return Err(StoreError::Corrupt("a commit names keys of several partitions".into()));
    }
    let mut arguments: Vec<Vec<u8>> = vec![
        commit.conditions.len().to_string().into(),
        commit.writes.len().to_string().into(),
        moment(commit.at.before(SLACK)).into(),
        margin.map(|margin| margin.as_millis().to_string()).unwrap_or_default().into(),
        stream.unwrap_or_default().into(),
    ];
    arguments.extend(commit.conditions.iter().map(condition));
    for write in &commit.writes {
        let (what, body) = body(write)?;
        arguments.push([&[what], tail(&write.key()).as_slice()].concat());
        arguments.push(body);
    }
    if stream.is_some() {
        for event in &commit.events {
            let json = serde_json::to_vec(event);
            arguments
                .push(json.map_err(|error| StoreError::Corrupt(format!("an event cannot be written down: {error}")))?);
        }
    }
    // Memory that is full must keep nobody from revoking: what adds no record is let through.
    let grows = commit.writes.iter().any(|write| matches!(write, Write::Insert(_)));
    let script = if grows { &SCRIPTS.commit } else { &SCRIPTS.commit_when_full };
    Ok(Call::script(script, roots, Bucket::of(commit.partition), arguments))
}

fn condition(condition: &Condition) -> Vec<u8> {
    let (what, value) = match condition {
        Condition::Unused(_) => (b'U', None),
        Condition::Live { epoch, .. } => (b'L', Some(*epoch)),
        Condition::Unchanged { revision, .. } => (b'R', Some(*revision)),
    };
    let mut argument = vec![what];
    argument.extend(tail(&condition.key()));
    argument.extend(value.into_iter().flat_map(u64::to_be_bytes));
    argument
}

fn body(write: &Write) -> Result<(u8, Vec<u8>), StoreError> {
    Ok(match write {
        Write::Insert(record) => (b'I', encode(record, 1)?),
        // The script puts the revision in.
        Write::Replace(record) => (b'P', encode(record, 0)?),
        Write::Use { at, answer, purge_after, .. } => {
            (b'U', [moment(*purge_after).as_slice(), &moment(*at), answer].concat())
        }
        Write::SetState { state, .. } => (b'S', vec![*state as u8]),
        Write::Delete(_) => (b'D', Vec::new()),
    })
}

/// What the script answered.
pub(super) fn answer(value: &Value) -> Result<Committed, StoreError> {
    let Value::Array(parts) = value else { return Err(garbled()) };
    let position = |position: i64| usize::try_from(position).map_err(|_| garbled());
    match parts.as_slice() {
        [Value::Int(0)] => Ok(Committed::Applied),
        [Value::Int(1), Value::Int(at)] => Ok(Committed::Refused(Failed::Condition(position(*at)?))),
        [Value::Int(2), Value::Int(at)] => Ok(Committed::Refused(Failed::Write(position(*at)?))),
        _ => Err(garbled()),
    }
}
