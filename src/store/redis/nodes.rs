//! Sends a call to the node that holds its bucket.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use redis::Value;

use super::bucket::Bucket;
use super::cluster::Cluster;
use super::fault::{Elsewhere, Fault};
use super::node::{Node, Told};
use super::script::Call;

/// How often a call is made that did nothing, at most.
const ATTEMPTS: u32 = 8;

/// How long to wait for a slot that is on its way, the first time; each time longer.
const MOVING: Duration = Duration::from_millis(10);

/// Where the buckets are.
#[derive(Debug)]
pub(super) enum Nodes {
    /// All on one server.
    One(Arc<Node>),
    /// Spread.
    Cluster(Cluster),
}

/// What to do about a call of which it is not known whether it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// It may be made twice: once more, then.
    SendAgain,
    LeaveIt,
}

/// What to do about a call that did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Again,
    GiveUp,
}

impl Nodes {
    /// Whether one server holds all buckets, so that a script may go from one to the other.
    pub(super) const fn is_one(&self) -> bool {
        matches!(self, Self::One(_))
    }

    /// The servers that commits go to.
    pub(super) fn owners(&self) -> Vec<Arc<Node>> {
        match self {
            Self::One(node) => vec![Arc::clone(node)],
            Self::Cluster(cluster) => cluster.owners(),
        }
    }

    /// All servers that are known, replicas too.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        match self {
            Self::One(node) => vec![Arc::clone(node)],
            Self::Cluster(cluster) => cluster.all(),
        }
    }

    fn owner(&self, bucket: Bucket) -> Option<Arc<Node>> {
        match self {
            Self::One(node) => Some(Arc::clone(node)),
            Self::Cluster(cluster) => cluster.owner(bucket),
        }
    }

    /// Calls that may be made twice, in one round trip for each node; the answers in the order of the calls.
    pub(super) async fn ask(&self, calls: &[Call]) -> Vec<Result<Value, Fault>> {
        self.gather(calls, Lost::SendAgain).await
    }

    /// Calls that must not be made twice, otherwise alike.
    pub(super) async fn ask_once(&self, calls: &[Call]) -> Vec<Result<Value, Fault>> {
        self.gather(calls, Lost::LeaveIt).await
    }

    async fn gather(&self, calls: &[Call], lost: Lost) -> Vec<Result<Value, Fault>> {
        let mut answers: Vec<Result<Value, Fault>> = calls.iter().map(|_| Err(nobody())).collect();
        let mut open: Vec<usize> = (0..calls.len()).collect();
        for attempt in 1..=ATTEMPTS {
            let groups = self.by_owner(calls, &open);
            open.clear();
            let sent = groups.iter().map(|(node, members)| send(node.as_deref(), calls, members)).collect();
            for ((node, members), results) in groups.iter().zip(join_all(sent).await) {
                // What befalls one call befalls the others that went to the same node: it is seen to once.
                let mut seen = None;
                for (member, result) in members.iter().zip(results) {
                    let (Some(call), Some(answer)) = (calls.get(*member), answers.get_mut(*member)) else { continue };
                    let next = match &result {
                        Ok(_) => Next::GiveUp,
                        Err(Fault::Lost(_)) if lost == Lost::SendAgain && attempt == 1 => Next::Again,
                        Err(fault @ Fault::NotHere(Elsewhere::At(..), _)) => {
                            self.see_to(fault, node.as_deref(), call, attempt).await
                        }
                        Err(fault) => match seen {
                            Some(next) => next,
                            None => *seen.insert(self.see_to(fault, node.as_deref(), call, attempt).await),
                        },
                    };
                    *answer = result;
                    if next == Next::Again {
                        open.push(*member);
                    }
                }
            }
            if open.is_empty() {
                break;
            }
        }
        answers
    }

    /// A commit: sent once, and again only where it is known that it did nothing.
    pub(super) async fn tell(&self, call: &Call) -> Result<Told, Fault> {
        let mut attempt = 1;
        loop {
            let node = self.owner(call.bucket);
            let result = match &node {
                Some(node) => node.tell(call).await,
                None => Err(nobody()),
            };
            let Err(fault) = result else { return result };
            if attempt == ATTEMPTS {
                return Err(fault);
            }
            if self.see_to(&fault, node.as_deref(), call, attempt).await == Next::GiveUp {
                return Err(fault);
            }
            attempt = attempt.saturating_add(1);
        }
    }

    /// Removes what stood in the way of a call that did nothing, if that can be done.
    async fn see_to(&self, fault: &Fault, node: Option<&Node>, call: &Call, attempt: u32) -> Next {
        match fault {
            Fault::NoScript => match (node, call.script) {
                (Some(node), Some(script)) if node.teach(script).await.is_ok() => Next::Again,
                _ => Next::GiveUp,
            },
            Fault::NotHere(Elsewhere::Moving, _) => {
                tokio::time::sleep(MOVING.saturating_mul(attempt)).await;
                Next::Again
            }
            Fault::NotHere(Elsewhere::At(host, port), _) => match (self, node) {
                (Self::Cluster(cluster), Some(node)) => {
                    cluster.moved(call.bucket, node, host, *port);
                    // Where one slot has gone others may have: but this call need not wait for what can be learned of
                    // them.
                    if attempt > 2 {
                        let _ = cluster.learn().await;
                    }
                    Next::Again
                }
                _ => Next::GiveUp,
            },
            Fault::Unreached(_) | Fault::NotHere(Elsewhere::Unknown, _) => match self {
                Self::Cluster(cluster) => {
                    let learned = cluster.learn().await.is_ok();
                    let owner = cluster.owner(call.bucket);
                    let same = match (&owner, node) {
                        (Some(owner), Some(node)) => std::ptr::eq(&raw const **owner, node),
                        (None, _) => true,
                        (Some(_), None) => false,
                    };
                    if learned && !same { Next::Again } else { Next::GiveUp }
                }
                Self::One(node) => {
                    // A server that was demoted, behind a name that leads to another by now: the next call connects
                    // anew.
                    if matches!(fault, Fault::NotHere(..)) {
                        node.hang_up();
                    }
                    Next::GiveUp
                }
            },
            Fault::Refused(_) | Fault::Corrupt(_) | Fault::Lost(_) => Next::GiveUp,
        }
    }

    fn by_owner(&self, calls: &[Call], open: &[usize]) -> Vec<(Option<Arc<Node>>, Vec<usize>)> {
        let mut groups: Vec<(Option<Arc<Node>>, Vec<usize>)> = Vec::new();
        for member in open {
            let Some(call) = calls.get(*member) else { continue };
            let owner = self.owner(call.bucket);
            let same = |other: &Option<Arc<Node>>| match (&owner, other) {
                (Some(owner), Some(other)) => Arc::ptr_eq(owner, other),
                (None, None) => true,
                _ => false,
            };
            match groups.iter_mut().find(|(other, _)| same(other)) {
                Some((_, members)) => members.push(*member),
                None => groups.push((owner, vec![*member])),
            }
        }
        groups
    }
}

fn nobody() -> Fault {
    Fault::NotHere(Elsewhere::Unknown, "no node holds the slot".into())
}

async fn send(node: Option<&Node>, calls: &[Call], members: &[usize]) -> Vec<Result<Value, Fault>> {
    let same = |fault: Fault| members.iter().map(|_| Err(fault.clone())).collect();
    let Some(node) = node else { return same(nobody()) };
    let commands: Vec<_> = members.iter().filter_map(|member| calls.get(*member)).map(|call| &call.command).collect();
    if let [command] = commands.as_slice() {
        return vec![node.ask(command).await];
    }
    match node.ask_all(commands).await {
        Ok(answers) => answers,
        Err(fault) => same(fault),
    }
}

/// A future, or what it ended with.
enum Running<F: Future> {
    Still(Pin<Box<F>>),
    Ended(F::Output),
}

/// Drives all to their end, side by side.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures.into_iter().map(|future| Running::Still(Box::pin(future))).collect();
    std::future::poll_fn(move |context| {
        let mut pending = false;
        for one in &mut running {
            if let Running::Still(future) = one {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *one = Running::Ended(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            return Poll::Pending;
        }
        let ended = |one| match one {
            Running::Ended(value) => Some(value),
            Running::Still(_) => None,
        };
        Poll::Ready(std::mem::take(&mut running).into_iter().filter_map(ended).collect())
    })
    .await
}
