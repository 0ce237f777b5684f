//! Which node holds which bucket.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redis::Value;
use tokio::sync::Mutex;

use super::bucket::{BUCKETS, Bucket, slot_of};
use super::fault::Fault;
use super::node::{Manner, Node};

/// The nodes of a Cluster, as far as they are known.
#[derive(Debug)]
pub(super) struct Cluster {
    manner: Manner,
    map: RwLock<Arc<Map>>,
    learning: Mutex<()>,
    /// How often the map was drawn.
    drawn: AtomicU64,
    turn: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Map {
    /// Who holds each bucket.
    owners: Vec<Option<Arc<Node>>>,
    /// Everyone who can be asked for the way.
    all: Vec<Arc<Node>>,
}

impl Cluster {
    /// A Cluster of which only this is known: some nodes to ask for the others.
    pub(super) fn new(seeds: Vec<Arc<Node>>, manner: Manner) -> Self {
        let map = Map { owners: vec![None; usize::from(BUCKETS)], all: seeds };
        Self {
            manner,
            map: RwLock::new(Arc::new(map)),
            learning: Mutex::default(),
            drawn: AtomicU64::new(0),
            turn: AtomicUsize::new(0),
        }
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, map: Map) {
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
    }

    pub(super) fn owner(&self, bucket: Bucket) -> Option<Arc<Node>> {
        self.map().owners.get(bucket.index()).cloned().flatten()
    }

    /// Everyone who is known.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        self.map().all.clone()
    }

    /// Everyone who holds something.
    pub(super) fn owners(&self) -> Vec<Arc<Node>> {
        let mut owners: Vec<Arc<Node>> = Vec::new();
        for owner in self.map().owners.iter().flatten() {
            if !owners.iter().any(|known| Arc::ptr_eq(known, owner)) {
                owners.push(Arc::clone(owner));
            }
        }
        owners
    }

    /// Takes the word of a node that another holds a bucket.
    pub(super) fn moved(&self, bucket: Bucket, by: &Node, host: &str, port: u16) {
        let mut map = Map::clone(&self.map());
        if let Ok(node) = self.node(&mut map, by, host, port)
            && let Some(owner) = map.owners.get_mut(bucket.index())
        {
            *owner = Some(node);
            self.put(map);
        }
    }

    /// Asks the nodes who holds what. Those who come while one asks share what it finds.
    pub(super) async fn learn(&self) -> Result<(), Fault> {
        let before = self.drawn.load(Ordering::Acquire);
        let _turn = self.learning.lock().await;
        if self.drawn.load(Ordering::Acquire) != before {
            return Ok(());
        }
        let mut failed = None;
        let all = self.all();
        // Not always the same one first: it may be cut off, and think that nothing has changed.
        let first = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(all.len()).unwrap_or_default();
        for node in all.iter().cycle().skip(first).take(all.len()) {
            match self.learn_from(node).await {
                Ok(map) => {
                    self.put(map);
                    self.drawn.fetch_add(1, Ordering::Release);
                    return Ok(());
                }
                Err(fault) => failed = Some(fault),
            }
        }
        Err(failed.unwrap_or_else(|| Fault::Unreached("no node is known".into())))
    }

    async fn learn_from(&self, node: &Arc<Node>) -> Result<Map, Fault> {
        let answer = node.ask(redis::cmd("CLUSTER").arg("SLOTS")).await?;
        let ranges = ranges(&answer).ok_or_else(|| Fault::Lost("CLUSTER SLOTS cannot be understood".into()))?;
        let mut map = Map { owners: vec![None; usize::from(BUCKETS)], all: self.all() };
        for Range { first, last, nodes } in ranges {
            for (rank, (host, port)) in nodes.into_iter().enumerate() {
                // A node that does not know its own name is where it was asked.
                let Some(host) = host.as_deref().or_else(|| node.host()) else { continue };
                let held = self.node(&mut map, node, host, port).map_err(Fault::Unreached)?;
                if rank == 0 {
                    for (owner, bucket) in map.owners.iter_mut().zip(Bucket::all()) {
                        if (first..=last).contains(&slot_of(bucket)) {
                            *owner = Some(Arc::clone(&held));
                        }
                    }
                }
            }
        }
        Ok(map)
    }

    fn node(&self, map: &mut Map, like: &Node, host: &str, port: u16) -> Result<Arc<Node>, String> {
        let info = like.sibling(host, port);
        if let Some(known) = map.all.iter().find(|node| node.is_at(info.addr())) {
            return Ok(Arc::clone(known));
        }
        let node = Arc::new(Node::new(&info, &self.manner)?);
        map.all.push(Arc::clone(&node));
        Ok(node)
    }
}

/// Slots that belong together, and who has them: the master first.
struct Range {
    first: u16,
    last: u16,
    nodes: Vec<(Option<String>, u16)>,
}

fn ranges(answer: &Value) -> Option<Vec<Range>> {
    let Value::Array(ranges) = answer else { return None };
    ranges.iter().map(range).collect()
}

fn range(value: &Value) -> Option<Range> {
    let Value::Array(parts) = value else { return None };
    let [Value::Int(first), Value::Int(last), nodes @ ..] = parts.as_slice() else { return None };
    let nodes = nodes.iter().map(node).collect::<Option<Vec<_>>>()?;
    Some(Range { first: u16::try_from(*first).ok()?, last: u16::try_from(*last).ok()?, nodes })
}

fn node(value: &Value) -> Option<(Option<String>, u16)> {
    let Value::Array(parts) = value else { return None };
    let [host, Value::Int(port), ..] = parts.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => {
            Some(String::from_utf8(host.clone()).ok()?).filter(|host| !host.is_empty() && host != "?")
        }
        Value::SimpleString(host) => Some(host.clone()).filter(|host| !host.is_empty() && host != "?"),
        Value::Nil => None,
        _ => return None,
    };
    Some((host, u16::try_from(*port).ok()?))
}
