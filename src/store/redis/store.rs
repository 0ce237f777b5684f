//! The store: hands work to those who do it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use redis::Value;

use super::bucket::{Bucket, Roots};
use super::cluster::Cluster;
use super::fault::{Fault, garbled};
use super::inspect::{Findings, Risk, inspect};
use super::link::Patience;
use super::node::{Manner, Node, Told};
use super::nodes::Nodes;
use super::options::{Events, RedisLoss, RedisOptions};
use super::row::moment;
use super::script::{Call, SCRIPTS};
use super::{commit, events, forget, list, load, scan};
use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Durability, EventCursor, Key, Listing, Loaded, Outbox, Page, Purged, Query, ScanCursor, Scanned,
    Store, StoreError, StoredEvent, Tenant,
};

/// How records and keys are laid out. One that reads another layout calls it by another number.
const LAYOUT: &str = "1";

/// A store in Redis or Valkey, on one server or in a Cluster.
///
/// What it keeps when something breaks is what Redis keeps: opening fails where that is less than everything, unless
/// the host has said that it accepts this ([`RedisOptions::danger_accept_loss`]). The server must run with `appendonly
/// yes`, `appendfsync always` and `maxmemory-policy noeviction` (or `volatile-…`), and all its replicas must be waited
/// for ([`RedisOptions::wait`]), for [`Durability::Durable`]; anything less is [`Durability::Weak`].
///
/// A commit and a load are one round trip each; in a Cluster a load is two, where the client of a token lives on other
/// slots than the token. While a slot is moved from one node to another, what lies in it is unavailable.
///
/// A future that is dropped has either done nothing or everything.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use grantor::AuthorizationServer;
/// use grantor::store::RedisStore;
///
/// # let secret = [7; 32];
/// let server = AuthorizationServer::builder("https://auth.example.com")
///     .store(RedisStore::open("redis://localhost").await?)
///     .secret(secret) // 32 bytes, the same at every start
///     .scope("read", "Read your data")
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore {
    nodes: Nodes,
    roots: Roots,
    options: RedisOptions,
    durability: Durability,
}

impl RedisStore {
    /// Opens the store on this server or Cluster, as [`RedisOptions::new`] has it.
    pub async fn open(url: impl Into<String>) -> Result<Self, StoreError> {
        RedisOptions::new().open(url).await
    }

    /// What can be set, to be opened afterwards.
    pub fn options() -> RedisOptions {
        RedisOptions::new()
    }

    pub(super) async fn start(options: RedisOptions, url: String) -> Result<Self, StoreError> {
        let unavailable = StoreError::Unavailable;
        if options.prefix.is_empty() || options.prefix.contains(['{', '}']) {
            return Err(unavailable("a prefix of keys is needed that has no braces".into()));
        }
        let waited = options.wait.map(|wait| wait.timeout).unwrap_or_default();
        let patience = Patience { connect: options.connect, answer: options.answer.saturating_add(waited) };
        let wait = options.wait.map(|wait| {
            redis::cmd("WAIT")
                .arg(wait.replicas)
                .arg(u64::try_from(wait.timeout.as_millis()).unwrap_or(u64::MAX))
                .to_owned()
        });
        let manner = Manner { patience, wait };
        let mut seeds = Vec::new();
        for url in std::iter::once(&url).chain(options.seeds.iter().map(|seed| &seed.0)) {
            let node = Node::info(url).and_then(|info| Node::new(&info, &manner)).map_err(unavailable)?;
            seeds.push(Arc::new(node));
        }
        let (first, found) = first_that_answers(&seeds).await?;
        let nodes = if found.in_cluster {
            let cluster = Cluster::new(seeds, manner);
            cluster.learn().await.map_err(Fault::reading)?;
            Nodes::Cluster(cluster)
        } else {
            Nodes::One(first)
        };
        let roots = Roots::new(&options.prefix);
        let durability = durability(&nodes, &options).await?;
        prepare(&nodes, &roots).await?;
        Ok(Self { nodes, roots, options, durability })
    }

    fn keeps_events(&self) -> Result<(), StoreError> {
        match self.options.events {
            Events::Kept => Ok(()),
            Events::Dropped => {
                Err(StoreError::Unavailable("events are not kept: see `RedisOptions::keep_events`".into()))
            }
        }
    }
}

async fn first_that_answers(seeds: &[Arc<Node>]) -> Result<(Arc<Node>, Findings), StoreError> {
    let mut failed = None;
    for seed in seeds {
        match inspect(seed).await {
            Ok(found) => return Ok((Arc::clone(seed), found)),
            Err(fault) => failed = Some(fault),
        }
    }
    Err(failed.map_or_else(garbled, Fault::reading))
}

/// What the servers keep, if that is enough.
async fn durability(nodes: &Nodes, options: &RedisOptions) -> Result<Durability, StoreError> {
    let mut worst: Option<Risk> = None;
    let owners = nodes.owners();
    for node in nodes.all() {
        let found = match inspect(&node).await {
            Ok(found) => found,
            // A replica that is away is no reason not to begin; one that holds something is.
            Err(_) if !owners.iter().any(|owner| Arc::ptr_eq(owner, &node)) => continue,
            Err(fault) => return Err(fault.reading()),
        };
        if let Some(why) = found.unfit() {
            return Err(StoreError::Unavailable(why));
        }
        let risk = found.risks(options).into_iter().next();
        worst = worst.into_iter().chain(risk).max_by_key(|risk| risk.loss);
    }
    let Some(Risk { loss, why }) = worst else { return Ok(Durability::Durable) };
    if options.loss >= Some(loss) {
        return Ok(Durability::Weak);
    }
    let name = match loss {
        RedisLoss::Recent => "Recent",
        RedisLoss::Everything => "Everything",
    };
    Err(StoreError::Unavailable(format!(
        "Redis may lose what it acknowledged: {why}. Change that, or accept it by `RedisOptions::danger_accept_loss(RedisLoss::{name})`"
    )))
}

/// Makes all servers know the scripts, and finds out whether these may do what they do.
async fn prepare(nodes: &Nodes, roots: &Roots) -> Result<(), StoreError> {
    for node in nodes.owners() {
        node.teach_all().await.map_err(Fault::reading)?;
    }
    let probe = |bucket| Call::script(&SCRIPTS.probe, roots, bucket, [LAYOUT]);
    let calls: Vec<Call> = if nodes.is_one() { vec![probe(Bucket(0))] } else { Bucket::all().map(probe).collect() };
    for answer in nodes.ask(&calls).await {
        match answer.map_err(Fault::reading)? {
            Value::BulkString(layout) if layout == LAYOUT.as_bytes() => {}
            Value::BulkString(layout) => {
                let layout = String::from_utf8_lossy(&layout).into_owned();
                return Err(StoreError::Corrupt(format!("the records are laid out in another way: '{layout}'")));
            }
            _ => return Err(garbled()),
        }
    }
    Ok(())
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        load::load(&self.nodes, &self.roots, keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let kept = self.options.events == Events::Kept;
        let stream = kept.then(|| events::stream_of(&self.nodes, &self.roots, commit.tenant, commit.partition));
        let call = commit::call(commit, &self.roots, stream.as_deref(), self.options.expire)?;
        let Told { value, waited } = self.nodes.tell(&call).await.map_err(Fault::writing)?;
        // An answer that cannot be understood tells nothing.
        let committed = commit::answer(&value).map_err(|error| StoreError::InDoubt(error.to_string()))?;
        let (Committed::Applied, Some(wait), Some(waited)) = (committed, self.options.wait, waited) else {
            return Ok(committed);
        };
        let in_doubt = |what: String| StoreError::InDoubt(format!("the commit was applied, but {what}"));
        match waited {
            Ok(Value::Int(replicas)) if replicas >= i64::from(wait.replicas) => Ok(committed),
            Ok(Value::Int(replicas)) => {
                Err(in_doubt(format!("{replicas} replicas have it, and {} were to", wait.replicas)))
            }
            Ok(_) => Err(in_doubt("it is not known which replicas have it".into())),
            Err(fault) => Err(in_doubt(format!("it is not known which replicas have it: {}", fault.writing()))),
        }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        list::list(&self.nodes, &self.roots, query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        scan::scan(&self.nodes, &self.roots, after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        forget::forget(&self.nodes, Bucket::all().collect(), limit, |bucket, quota| {
            let arguments = [moment(before).to_vec(), quota.to_string().into()];
            Call::script(&SCRIPTS.purge, &self.roots, bucket, arguments)
        })
        .await
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

#[async_trait]
impl Outbox for RedisStore {
    async fn events_after(
        &self,
        tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.keeps_events()?;
        events::events_after(&self.nodes, &self.roots, tenant, after, limit).await
    }

    async fn forget_events(&self, tenant: Tenant, up_to: &EventCursor, limit: u32) -> Result<Purged, StoreError> {
        events::forget_events(&self.nodes, &self.roots, tenant, up_to, limit).await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.options.prefix)
            .field("cluster", &!self.nodes.is_one())
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
