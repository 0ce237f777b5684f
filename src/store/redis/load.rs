//! Records by key, with what they hang on.
//!
//! Parent and subject live in the bucket of the record, so that one script finds them with it. The client may live in
//! another: on one server the script goes there, and a load is one round trip; in a Cluster it is asked for afterwards,
//! which makes a second, where there is one.

use std::collections::HashMap;
use std::sync::Arc;

use redis::Value;

use super::bucket::{Bucket, Roots, tail};
use super::fault::{Fault, garbled};
use super::nodes::Nodes;
use super::row::decode;
use super::script::{Call, SCRIPTS};
use crate::store::{Key, Loaded, Record, StoreError};

type Found = Option<Arc<Record>>;

/// The records of these keys, each with what it hangs on, in their order.
pub(super) async fn load(nodes: &Nodes, roots: &Roots, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut loaded: Vec<Option<Loaded>> = keys.iter().map(|_| None).collect();
    for (position, answer) in fetch(nodes, roots, keys).await? {
        if let (Some(key), Some(place)) = (keys.get(position), loaded.get_mut(position)) {
            *place = related(*key, answer)?;
        }
    }
    if !nodes.is_one() {
        fetch_clients(nodes, roots, &mut loaded).await?;
    }
    Ok(loaded)
}

/// Only the records, in their order: for lists.
pub(super) async fn records(nodes: &Nodes, roots: &Roots, keys: &[Key]) -> Result<Vec<Found>, StoreError> {
    let mut found: Vec<Found> = vec![None; keys.len()];
    if keys.is_empty() {
        return Ok(found);
    }
    for (position, answer) in fetch(nodes, roots, keys).await? {
        if let (Some(key), Some(place)) = (keys.get(position), found.get_mut(position)) {
            let [record, ..] = parts(answer)?;
            *place = one(*key, &record)?;
        }
    }
    Ok(found)
}

/// What the script answers for each key, with its position.
async fn fetch(nodes: &Nodes, roots: &Roots, keys: &[Key]) -> Result<Vec<(usize, Value)>, StoreError> {
    let everywhere = if nodes.is_one() { roots.prefix() } else { "" };
    let mut groups: Vec<(Bucket, Vec<usize>)> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let bucket = Bucket::of(key.partition);
        match groups.iter_mut().find(|(other, _)| nodes.is_one() || *other == bucket) {
            Some((_, positions)) => positions.push(position),
            None => groups.push((bucket, vec![position])),
        }
    }
    let call = |(bucket, positions): &(Bucket, Vec<usize>)| {
        let tails = positions.iter().filter_map(|position| keys.get(*position)).map(|key| tail(key).to_vec());
        Call::script(&SCRIPTS.load, roots, *bucket, std::iter::once(everywhere.as_bytes().to_vec()).chain(tails))
    };
    let calls: Vec<Call> = groups.iter().map(call).collect();
    let mut answers = Vec::with_capacity(keys.len());
    for ((_, positions), answer) in groups.iter().zip(nodes.ask(&calls).await) {
        let Value::Array(values) = answer.map_err(Fault::reading)? else { return Err(garbled()) };
        if values.len() != positions.len() {
            return Err(garbled());
        }
        answers.extend(positions.iter().copied().zip(values));
    }
    Ok(answers)
}

/// The clients that live in other buckets than what they own.
async fn fetch_clients(nodes: &Nodes, roots: &Roots, loaded: &mut [Option<Loaded>]) -> Result<(), StoreError> {
    let far = |it: &Loaded| {
        let key = it.owner()?.client.key;
        (Bucket::of(key.partition) != Bucket::of(it.record.key.partition)).then_some(key)
    };
    let mut clients: HashMap<Key, Found> = loaded.iter().flatten().filter_map(far).map(|key| (key, None)).collect();
    let keys: Vec<Key> = clients.keys().copied().collect();
    for (key, record) in keys.iter().zip(records(nodes, roots, &keys).await?) {
        clients.insert(*key, record);
    }
    for it in loaded.iter_mut().flatten() {
        if let Some(key) = far(it) {
            it.client = clients.get(&key).cloned().flatten();
        }
    }
    Ok(())
}

fn parts(value: Value) -> Result<[Value; 4], StoreError> {
    let Value::Array(parts) = value else { return Err(garbled()) };
    <[Value; 4]>::try_from(parts).map_err(|_| garbled())
}

fn one(key: Key, value: &Value) -> Result<Found, StoreError> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        Value::BulkString(value) => decode(key, value).map(Some),
        _ => Err(garbled()),
    }
}

fn related(key: Key, answer: Value) -> Result<Option<Loaded>, StoreError> {
    let [record, parent, client, subject] = parts(answer)?;
    let Some(record) = one(key, &record)? else { return Ok(None) };
    let parent = match record.parent {
        Some(link) => one(link.key, &parent)?,
        None => None,
    };
    let owner = record.owner.as_deref().or_else(|| parent.as_ref()?.owner.as_deref()).copied();
    let client = match owner {
        Some(owner) => one(owner.client.key, &client)?,
        // What hangs on a client directly need not name it twice.
        None => parent.clone(),
    };
    let subject = match owner.and_then(|owner| owner.subject) {
        Some(link) => one(link.key, &subject)?,
        None => None,
    };
    Ok(Some(Loaded { record, parent, client, subject }))
}
