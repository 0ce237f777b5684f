//! A store of one's own, written from `docs/custom-store.md` alone. `cargo run --example custom_store`
//!
//! One file, a line of JSON for each commit, on the disk before anybody is told; and an index in memory, made from the file when it is
//! opened. What was acknowledged outlives the process and the power. It is meant to be read: it does one thing at a time, blocks the
//! thread that commits for as long as the disk takes, and lists by looking at everything. It needs Rust 1.89, for the lock on the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use grantor::client::ClientMetadata;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Cursor, Durability, Failed, Key, Kind, Labels, Link, Listing, Loaded, Order, Owner,
    Page, Partition, Payload, Purged, Query, Record, ScanCursor, Scanned, State, Store, StoreError, Tenant, Used,
    Write,
};
use grantor::{AuthorizationServer, Require, async_trait};
use serde::{Deserialize, Serialize};

// --- the row: every column, as text ---------------------------------------------------------------------------------

/// A record as it is written down.
#[derive(Serialize, Deserialize)]
struct Row {
    key: String,
    tenant: String,
    revision: u64,
    state: u8,
    epoch: u64,
    parent: Option<(String, u64)>,
    client: Option<(String, u64)>,
    subject: Option<(String, u64)>,
    labels: Option<[String; 3]>,
    created_at: Timestamp,
    expires_at: Timestamp,
    purge_after: Timestamp,
    used: Option<(Timestamp, String)>,
    payload: String,
}

/// A commit as it is written down: what the records are after it, so that reading it again decides nothing.
#[derive(Serialize, Deserialize)]
struct Line {
    put: Vec<Row>,
    gone: Vec<String>,
}

fn key_text(key: &Key) -> String {
    let mut bytes = key.partition.0.to_be_bytes().to_vec();
    bytes.push(key.kind.0);
    bytes.extend(key.id);
    BASE64.encode(bytes)
}

fn link_text(link: Link) -> (String, u64) {
    (key_text(&link.key), link.epoch)
}

fn row_of(record: &Record) -> Row {
    let owner = record.owner.as_deref();
    Row {
        key: key_text(&record.key),
        tenant: BASE64.encode(record.tenant.0),
        revision: record.revision,
        state: record.state as u8,
        epoch: record.epoch,
        parent: record.parent.map(link_text),
        client: owner.map(|owner| link_text(owner.client)),
        subject: owner.and_then(|owner| owner.subject).map(link_text),
        labels: record.labels.as_deref().map(|it| [it.name.clone(), it.public_id.clone(), it.class.clone()]),
        created_at: record.created_at,
        expires_at: record.expires_at,
        purge_after: record.purge_after,
        used: record.used.as_deref().map(|used| (used.at, BASE64.encode(&used.answer))),
        payload: BASE64.encode(record.payload.as_bytes()),
    }
}

/// What is in the file cannot be read.
struct Damaged;

fn read_bytes(text: &str) -> Result<Vec<u8>, Damaged> {
    BASE64.decode(text).map_err(|_| Damaged)
}

fn read_key(text: &str) -> Result<Key, Damaged> {
    let bytes = read_bytes(text)?;
    let (partition, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
    let (kind, id) = rest.split_first().ok_or(Damaged)?;
    let id = id.try_into().map_err(|_| Damaged)?;
    Ok(Key { partition: Partition(u16::from_be_bytes(*partition)), kind: Kind(*kind), id })
}

fn read_link((key, epoch): &(String, u64)) -> Result<Link, Damaged> {
    Ok(Link { key: read_key(key)?, epoch: *epoch })
}

fn record_of(row: Row) -> Result<Record, Damaged> {
    let client = row.client.as_ref().map(read_link).transpose()?;
    let subject = row.subject.as_ref().map(read_link).transpose()?;
    let used = match row.used {
        Some((at, answer)) => Some(Box::new(Used { at, answer: read_bytes(&answer)?.into() })),
        None => None,
    };
    Ok(Record {
        key: read_key(&row.key)?,
        tenant: Tenant(read_bytes(&row.tenant)?.try_into().map_err(|_| Damaged)?),
        revision: row.revision,
        state: State::from_number(row.state).ok_or(Damaged)?,
        epoch: row.epoch,
        parent: row.parent.as_ref().map(read_link).transpose()?,
        owner: client.map(|client| Arc::new(Owner { client, subject })),
        labels: row.labels.map(|[name, public_id, class]| Box::new(Labels { name, public_id, class })),
        created_at: row.created_at,
        expires_at: row.expires_at,
        purge_after: row.purge_after,
        used,
        payload: Payload::new(read_bytes(&row.payload)?),
    })
}

// --- the index: what is in the file, by key -------------------------------------------------------------------------

/// What a commit makes of a record; `None` where it is removed.
type Change = (Key, Option<Arc<Record>>);

#[derive(Default)]
struct Index {
    records: BTreeMap<Key, Arc<Record>>,
    /// What may be forgotten one day, soonest first.
    due: BTreeSet<(Timestamp, Key)>,
}

impl Index {
    fn apply(&mut self, changes: Vec<Change>) {
        for (key, record) in changes {
            let old = match &record {
                Some(record) => self.records.insert(key, Arc::clone(record)),
                None => self.records.remove(&key),
            };
            if let Some(old) = old {
                self.due.remove(&(old.purge_after, key));
            }
            if let Some(record) = record {
                self.due.insert((record.purge_after, key));
            }
        }
    }

    fn holds(&self, condition: &Condition) -> bool {
        let found = self.records.get(&condition.key());
        found.is_some_and(|record| match condition {
            Condition::Unused(_) => record.used.is_none(),
            Condition::Live { epoch, .. } => record.state == State::Live && record.epoch == *epoch,
            Condition::Unchanged { revision, .. } => record.revision == *revision,
        })
    }

    /// Looks at every condition and guard, and tells what would change. Nothing does yet.
    fn decide(&self, commit: &Commit) -> Result<Result<Vec<Change>, Failed>, StoreError> {
        if let Some(failed) = commit.conditions.iter().position(|condition| !self.holds(condition)) {
            return Ok(Err(Failed::Condition(failed)));
        }
        let mut changes: Vec<Change> = Vec::new();
        for (position, write) in commit.writes.iter().enumerate() {
            let key = write.key();
            // What the writes before this one left comes before what was there.
            let found = match changes.iter().rev().find(|(changed, _)| *changed == key) {
                Some((_, change)) => change.as_deref(),
                None => self.records.get(&key).map(|record| &**record),
            };
            let change = match (write, found) {
                (Write::Insert(record), None) => Some(Record { revision: 1, ..Record::clone(record) }),
                (Write::Replace(record), Some(old)) => Some(Record { revision: next(old)?, ..Record::clone(record) }),
                (Write::Use { at, answer, purge_after, .. }, Some(old)) if old.used.is_none() => {
                    let used = Some(Box::new(Used { at: *at, answer: answer.clone() }));
                    Some(Record { used, purge_after: *purge_after, revision: next(old)?, ..old.clone() })
                }
                (Write::SetState { state, .. }, Some(old)) => {
                    Some(Record { state: *state, revision: next(old)?, ..old.clone() })
                }
                (Write::Delete(_), Some(_)) => None,
                (Write::Insert(_) | Write::Use { .. }, Some(_))
                | (Write::Replace(_) | Write::Use { .. } | Write::SetState { .. } | Write::Delete(_), None) => {
                    return Ok(Err(Failed::Write(position)));
                }
            };
            changes.push((key, change.map(Arc::new)));
        }
        Ok(Ok(changes))
    }

    fn load(&self, key: &Key) -> Option<Loaded> {
        let get = |key: &Key| self.records.get(key).cloned();
        let record = get(key)?;
        let parent = record.parent.and_then(|link| get(&link.key));
        let owner = record.owner.as_deref().or_else(|| parent.as_ref()?.owner.as_deref()).copied();
        let client = match owner {
            Some(owner) => get(&owner.client.key),
            // What hangs on a client directly need not name it twice.
            None => parent.clone(),
        };
        let subject = owner.and_then(|owner| owner.subject).and_then(|link| get(&link.key));
        Some(Loaded { record, parent, client, subject })
    }
}

fn next(old: &Record) -> Result<u64, StoreError> {
    old.revision.checked_add(1).ok_or_else(|| StoreError::Corrupt("a revision has come to its end".into()))
}

// --- the log: what is on the disk -----------------------------------------------------------------------------------

struct Log {
    file: File,
    length: u64,
    /// Why nobody can tell what is in the file, once that is so.
    lost: Option<String>,
}

impl Log {
    fn is_sound(&self) -> Result<(), StoreError> {
        self.lost.as_ref().map_or(Ok(()), |why| Err(StoreError::Unavailable(format!("open the file anew: {why}"))))
    }

    /// Puts changes on the disk; when this returns they are there.
    fn append(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let line = line_of(changes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if let Err(error) = self.file.write_all(&line) {
            // Half a line may be there, of a disk that is full. Without it, nothing has happened.
            let cut = self.file.set_len(self.length).and_then(|()| self.file.sync_data());
            return Err(cut.map_or_else(
                |_| self.give_up(&error),
                |()| StoreError::Unavailable(format!("nothing was written: {error}")),
            ));
        }
        // The system may have dropped what it could not write, so that a second try would succeed and prove nothing.
        self.file.sync_data().map_err(|error| self.give_up(&error))?;
        self.length = self.length.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn give_up(&mut self, error: &io::Error) -> StoreError {
        self.lost = Some(error.to_string());
        StoreError::InDoubt(error.to_string())
    }
}

/// A checksum and JSON.
fn line_of(changes: &[Change]) -> io::Result<Vec<u8>> {
    // The last word on each record: a commit may touch one twice.
    let last: BTreeMap<&Key, Option<&Record>> = changes.iter().map(|(key, record)| (key, record.as_deref())).collect();
    let put = last.values().flatten().map(|record| row_of(record)).collect();
    let gone = last.iter().filter(|(_, record)| record.is_none()).map(|(key, _)| key_text(key)).collect();
    let json = serde_json::to_string(&Line { put, gone })?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes())
}

fn read_line(line: &[u8]) -> Result<Vec<Change>, Damaged> {
    let text = std::str::from_utf8(line).map_err(|_| Damaged)?;
    let (checksum, json) = text.strip_suffix('\n').and_then(|line| line.split_once(' ')).ok_or(Damaged)?;
    if u32::from_str_radix(checksum, 16) != Ok(crc32fast::hash(json.as_bytes())) {
        return Err(Damaged);
    }
    let Line { put, gone } = serde_json::from_str(json).map_err(|_| Damaged)?;
    let gone = gone.iter().map(|key| Ok((read_key(key)?, None)));
    let put = put.into_iter().map(|row| record_of(row).map(|record| (record.key, Some(Arc::new(record)))));
    gone.chain(put).collect()
}

// --- the store ------------------------------------------------------------------------------------------------------

/// A store in one file.
pub(crate) struct FileStore {
    state: Mutex<(Log, Index)>,
    /// Held for as long as the store lives: two processes with an index each would not know of each other.
    _lock: File,
}

impl FileStore {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let beside = |suffix: &str| PathBuf::from(format!("{}.{suffix}", path.display()));
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(beside("lock"))?;
        #[expect(clippy::incompatible_msrv, reason = "an example may need a later compiler than the library")]
        lock.try_lock().map_err(|error| io::Error::other(format!("{} is in use: {error}", path.display())))?;

        let index = read(path)?;
        // What is left, in a file without a past, which then takes the place of the old one all at once.
        let (fresh, name) = (beside("new"), path);
        let mut lines = Vec::new();
        for record in index.records.values() {
            lines.extend(line_of(&[(record.key, Some(Arc::clone(record)))])?);
        }
        let mut file = File::create(&fresh)?;
        file.write_all(&lines)?;
        file.sync_all()?;
        fs::rename(&fresh, name)?;
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;

        let file = OpenOptions::new().append(true).open(path)?;
        let log = Log { length: file.metadata()?.len(), file, lost: None };
        Ok(Self { state: Mutex::new((log, index)), _lock: lock })
    }

    /// Never held across an await: what is begun under it is ended under it, also when the caller hangs up.
    fn lock(&self) -> MutexGuard<'_, (Log, Index)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<Index> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut index = Index::default();
    let mut lines = (1_usize..).zip(bytes.split_inclusive(|byte| *byte == b'\n')).peekable();
    while let Some((number, line)) = lines.next() {
        match read_line(line) {
            Ok(changes) => index.apply(changes),
            // Each line was on the disk before the next was begun, so only the last can be torn; and nobody was told of that one.
            Err(Damaged) if lines.peek().is_none() => {}
            Err(Damaged) => return Err(io::Error::other(format!("line {number} of {} is damaged", path.display()))),
        }
    }
    Ok(index)
}

/// How many records a purge forgets before others get the lock.
const PURGED_AT_ONCE: usize = 256;

#[async_trait]
impl Store for FileStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        let (log, index) = &*self.lock();
        log.is_sound()?;
        Ok(keys.iter().map(|key| index.load(key)).collect())
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if !commit.is_local() {
            return Err(StoreError::Corrupt("a commit names keys of several partitions".into()));
        }
        let (log, index) = &mut *self.lock();
        log.is_sound()?;
        let changes = match index.decide(commit)? {
            Ok(changes) => changes,
            Err(failed) => return Ok(Committed::Refused(failed)),
        };
        if !changes.is_empty() {
            log.append(&changes)?;
        }
        // Visible only now: nobody acts on what a power cut could take back.
        index.apply(changes);
        Ok(Committed::Applied)
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        let (log, index) = &*self.lock();
        log.is_sound()?;
        let after = |record: &Record| page.after.as_ref().is_none_or(|after| is_after(query.order, record, after));
        let all = index.records.values().filter(|record| matches(query, record) && after(record));
        let mut records: Vec<Arc<Record>> = all.cloned().collect();
        records.sort_unstable_by(|a, b| compare(query.order, &Cursor::of(a), &Cursor::of(b)));
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| Cursor::of(record));
        Ok(Listing { records, next })
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        let (log, index) = &*self.lock();
        log.is_sound()?;
        // The cursor is the last key, as it stands in the file.
        let foreign = |_| StoreError::Corrupt("a cursor that no store like this made".into());
        let begin = match after {
            Some(after) => Bound::Excluded(read_key(&after.0).map_err(foreign)?),
            None => Bound::Unbounded,
        };
        let limit = usize::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000);
        let rest = index.records.range((begin, Bound::Unbounded));
        let records: Vec<Arc<Record>> = rest.take(limit).map(|(_, record)| Arc::clone(record)).collect();
        let last = records.last().filter(|_| records.len() == limit);
        let next = last.map(|record| ScanCursor(key_text(&record.key)));
        Ok(Scanned { records, next })
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        let mut removed = 0_u32;
        loop {
            let (log, index) = &mut *self.lock();
            log.is_sound()?;
            let left = usize::try_from(limit.saturating_sub(removed)).unwrap_or(usize::MAX);
            let due = index.due.iter().take_while(|(purge_after, _)| *purge_after < before);
            let gone: Vec<Change> = due.take(left.min(PURGED_AT_ONCE)).map(|(_, key)| (*key, None)).collect();
            if gone.is_empty() {
                return Ok(Purged { removed, more: left == 0 });
            }
            log.append(&gone)?;
            removed = removed.saturating_add(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            index.apply(gone);
        }
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

fn matches(query: &Query, record: &Record) -> bool {
    let (owner, labels) = (record.owner.as_deref(), record.labels.as_deref());
    let found = |search: &String| {
        let search = search.to_ascii_lowercase();
        labels.is_some_and(|labels| {
            labels.name.to_ascii_lowercase().contains(&search)
                || labels.public_id.to_ascii_lowercase().starts_with(&search)
        })
    };
    record.tenant == query.tenant
        && record.key.kind == query.kind
        && query.partition.is_none_or(|partition| record.key.partition == partition)
        && query.parent.is_none_or(|parent| record.parent.is_some_and(|link| link.key == parent))
        && query.client.is_none_or(|client| owner.is_some_and(|owner| owner.client.key == client))
        && query.subject.is_none_or(|key| owner.and_then(|owner| owner.subject).is_some_and(|link| link.key == key))
        && query.state.is_none_or(|state| record.state == state)
        && query.class.as_ref().is_none_or(|class| labels.is_some_and(|labels| labels.class == *class))
        && query.search.as_ref().is_none_or(found)
        && (query.order != Order::Name || labels.is_some())
}

fn compare(order: Order, a: &Cursor, b: &Cursor) -> std::cmp::Ordering {
    let first = match order {
        Order::NewestFirst => b.created_at.cmp(&a.created_at),
        Order::OldestFirst => a.created_at.cmp(&b.created_at),
        Order::Name => a.name.cmp(&b.name),
    };
    first.then_with(|| a.key.cmp(&b.key))
}

fn is_after(order: Order, record: &Record, cursor: &Cursor) -> bool {
    compare(order, &Cursor::of(record), cursor).is_gt()
}

// --- a server on it -------------------------------------------------------------------------------------------------

fn server(path: &Path) -> Result<AuthorizationServer, Box<dyn std::error::Error>> {
    let builder = AuthorizationServer::builder("https://auth.example.com").store(FileStore::open(path)?);
    // Of a real host: 32 random bytes, kept where its other secrets are.
    Ok(builder.secret([7; 32]).default_scope("read", "Read your data").build()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("grantor-custom-store-{}.jsonl", std::process::id()));
    let first = server(&path)?;
    let metadata = ClientMetadata {
        client_name: "Robot".into(),
        grant_types: vec!["client_credentials".into()],
        ..ClientMetadata::default()
    };
    let made = first.clients().register(metadata).await?;
    let secret = made.secret.ok_or("a public client has no secret")?;
    let credentials = BASE64.encode(format!("{}:{}", made.client.id(), secret.expose()));
    let request = http::Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {credentials}"))
        .body("grant_type=client_credentials".to_owned())?;
    let grantor::Outcome::Respond(response) = first.handle(request).await else { return Err("no answer".into()) };
    let answer: serde_json::Value = serde_json::from_str(response.body())?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str).ok_or("no token")?;
    println!("issued a token to {}", made.client.id());

    // As after a restart: another server over the same file.
    drop(first);
    let second = server(&path)?;
    println!("after a restart it is still that of {}", second.verify(token, Require::scope("read")).await?.client_id());
    drop(second);
    for name in [path.clone(), PathBuf::from(format!("{}.lock", path.display()))] {
        fs::remove_file(name)?;
    }
    Ok(())
}
