//! What the SQLite store does in a second, beside what SQLite itself does in the same run.
//!
//! ```sh
//! cargo run --release --features sqlite --example sqlite_figures -- [grants] [directory] [what]
//! ```
//!
//! The floor is a table with a key of 32 bytes and a value of 200, written and read without anything around it: in WAL mode with
//! `synchronous = FULL`, statements prepared, one connection that 16 threads take in turns for writing, one for each thread for reading.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "an example that measures, and stops where it cannot"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Key, Kind, Link, Owner, Partition, Payload, Record, SqliteOptions, SqliteReads,
    SqliteStore, State, Store, Tenant, Write,
};
use rusqlite::{Connection, params};

const TENANT: Tenant = Tenant([7; 16]);
const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
/// How long each is measured, and how often.
const LONG: Duration = Duration::from_millis(150);
const TURNS: usize = 11;

/// Operations a second and microseconds of processor for each: ours, and the floor.
type Turn = ((f64, f64), (f64, f64));

fn main() {
    let mut arguments = std::env::args().skip(1);
    let grants: u64 = arguments.next().map_or(100_000, |text| text.parse().unwrap());
    let root = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = root.join(format!("grantor-figures-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    println!("SQLite {}, {grants} grants of 3 records each, in {}", rusqlite::version(), root.display());
    let floor = Floor::new(&directory.join("floor.db"), grants * 3);
    let mut ours = Ours::new(&directory.join("auth.db"), grants);
    println!(
        "{:36} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6}",
        "operations per second, by callers", 1, "floor", "", 16, "floor", ""
    );
    row("insert an access token", &floor.insert(), &ours.insert());
    row("set the state of a grant", &floor.update(), &ours.set_state());
    row("rotate: condition, use, 2 inserts", &floor.rotate(), &ours.rotate());
    row("load one record", &floor.select(1), &ours.load(client));
    row("load a token, grant, client", &floor.select(4), &ours.load(|number| key(Kind::ACCESS_TOKEN, number)));
    ours.reopen(SqliteStore::options().reads(SqliteReads::OnThreads));
    row("load one record, on threads", &floor.select(1), &ours.load(client));
    row("load a token …, on threads", &floor.select(4), &ours.load(|number| key(Kind::ACCESS_TOKEN, number)));
    ours.purge();
    drop((floor, ours));
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Something that so many callers do at once, for a while; told is how often in a second.
type Work<'a> = Box<dyn Fn(usize) -> f64 + 'a>;

/// Measures both in turns, since the machine has other things to do as well, and prints medians of how often in a second, and means of the time of a processor for each.
fn row(name: &str, floor: &Work<'_>, ours: &Work<'_>) {
    if std::env::args().nth(3).is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    print!("{name:34}");
    for callers in [1, 16] {
        let measured = |work: &Work<'_>| {
            let before = processor();
            let figure = work(callers);
            (figure, (processor() - before) / (figure * LONG.as_secs_f64()) * 1e6)
        };
        let turns: Vec<_> = (0..TURNS).map(|_| (measured(ours), measured(floor))).collect();
        let median = |of: fn(&Turn) -> f64| {
            let mut all: Vec<f64> = turns.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let mean = |of: fn(&Turn) -> f64| turns.iter().map(of).sum::<f64>() / turns.len() as f64;
        print!(" {:>8.0} {:>8.0} {:>5.2}×", median(|it| it.0.0), median(|it| it.1.0), median(|it| it.0.0 / it.1.0));
        print!(" {:>6.1} {:>6.1}", mean(|it| it.0.1), mean(|it| it.1.1));
    }
    println!();
}

/// Seconds of processor time that this process has used, where the system tells (Linux, in hundredths).
fn processor() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return f64::NAN };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

/// A digest, as every id is: `SplitMix64`, four times.
fn id(kind: u8, number: u64) -> [u8; 32] {
    let mut id = [0; 32];
    let mut seed = number ^ (u64::from(kind) << 56);
    for chunk in id.chunks_exact_mut(8) {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    id
}

// --- the floor -----------------------------------------------------------------------------------------------------

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection
}

const INSERT: &str = "INSERT INTO t VALUES (?1, NULL, ?2)";
const UPDATE: &str = "UPDATE t SET used = ?2 WHERE id = ?1";
const SELECT: &str = "SELECT used, value FROM t WHERE id = ?1";

/// Threads at once, for a while; operations per second.
fn threads(count: usize, work: impl Fn(usize, u64) + Sync) -> f64 {
    let done = AtomicU64::new(0);
    let (done, work) = (&done, &work);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for me in 0..count {
            scope.spawn(move || {
                while begun.elapsed() < LONG {
                    work(me, done.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

struct Floor {
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    rows: u64,
    next: AtomicU64,
}

impl Floor {
    fn new(path: &Path, rows: u64) -> Self {
        let writer = connect(path);
        let table = "CREATE TABLE t (id BLOB NOT NULL PRIMARY KEY, used INTEGER, value BLOB NOT NULL) WITHOUT ROWID";
        writer.execute_batch(table).unwrap();
        writer.execute_batch("BEGIN").unwrap();
        for number in 0..rows {
            writer.prepare_cached(INSERT).unwrap().execute(params![id(0, number), [0_u8; 200]]).unwrap();
        }
        writer.execute_batch("COMMIT").unwrap();
        let readers = (0..16).map(|_| Mutex::new(connect(path))).collect();
        Self { writer: Mutex::new(writer), readers, rows, next: AtomicU64::new(rows) }
    }

    fn some(&self, number: u64) -> [u8; 32] {
        id(0, number.wrapping_mul(7919) % self.rows)
    }

    fn insert_one(&self, connection: &Connection) {
        let new = id(0, self.next.fetch_add(1, Ordering::Relaxed));
        connection.prepare_cached(INSERT).unwrap().execute(params![new, [0_u8; 200]]).unwrap();
    }

    fn insert(&self) -> Work<'_> {
        Box::new(|callers| threads(callers, |_, _| self.insert_one(&self.writer.lock().unwrap())))
    }

    fn update(&self) -> Work<'_> {
        Box::new(|callers| {
            threads(callers, |_, number| {
                let connection = self.writer.lock().unwrap();
                connection.prepare_cached(UPDATE).unwrap().execute(params![self.some(number), 1]).unwrap();
            })
        })
    }

    fn rotate(&self) -> Work<'_> {
        Box::new(|callers| {
            threads(callers, |_, number| {
                let connection = self.writer.lock().unwrap();
                connection.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
                connection.prepare_cached(UPDATE).unwrap().execute(params![self.some(number), 1]).unwrap();
                self.insert_one(&connection);
                self.insert_one(&connection);
                connection.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
            })
        })
    }

    /// So many look-ups, in one transaction if there are several.
    fn select(&self, count: u64) -> Work<'_> {
        Box::new(move |callers| {
            threads(callers, |me, number| {
                let connection = self.readers[me].lock().unwrap();
                if count > 1 {
                    connection.prepare_cached("BEGIN").unwrap().execute([]).unwrap();
                }
                for more in 0..count {
                    let mut select = connection.prepare_cached(SELECT).unwrap();
                    let found = [self.some(number.wrapping_add(more))];
                    let value: Vec<u8> = select.query_row(found, |row| row.get(1)).unwrap();
                    assert_eq!(value.len(), 200);
                }
                if count > 1 {
                    connection.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
                }
            })
        })
    }
}

// --- the store -----------------------------------------------------------------------------------------------------

fn key(kind: Kind, number: u64) -> Key {
    let owner = id(0, number);
    Key { partition: Partition(u16::from_le_bytes([owner[0], owner[1]])), kind, id: id(kind.0, number) }
}

/// Clients live in partitions of their own; here are ten.
fn client(number: u64) -> Key {
    key(Kind::CLIENT, u64::MAX - number % 10)
}

fn record(key: Key, parent: Option<Key>, payload: usize) -> Record {
    let lifetime = Duration::from_secs(12 * 3600);
    Record {
        key,
        tenant: TENANT,
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: parent.map(|key| Link { key, epoch: 0 }),
        owner: None,
        labels: None,
        created_at: NOW,
        expires_at: NOW.after(lifetime),
        purge_after: NOW.after(lifetime * 2),
        used: None,
        payload: Payload::new(vec![7; payload]),
    }
}

fn grant(number: u64) -> Record {
    let partition = key(Kind::GRANT, number).partition;
    let subject = Key { partition, kind: Kind::SUBJECT, id: id(Kind::SUBJECT.0, number) };
    let link = |key| Link { key, epoch: 0 };
    let owner = Owner { client: link(client(number)), subject: Some(link(subject)) };
    Record { owner: Some(Arc::new(owner)), ..record(key(Kind::GRANT, number), None, 120) }
}

fn token(kind: Kind, number: u64, grant: u64) -> Record {
    let parent = key(Kind::GRANT, grant);
    let key = Key { partition: parent.partition, ..key(kind, number) };
    record(key, Some(parent), 40)
}

fn commit(partition: Partition, conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
    Commit { tenant: TENANT, partition, at: NOW, conditions, writes, events: Vec::new() }
}

async fn apply(store: &SqliteStore, commit: &Commit) {
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Applied);
}

/// Tasks at once on the runtime, for a while; operations per second.
fn tasks<F: Future<Output = ()> + Send>(
    runtime: &tokio::runtime::Runtime,
    count: usize,
    work: impl Fn(u64) -> F + Send + Sync + 'static,
) -> f64 {
    let (done, work) = (Arc::new(AtomicU64::new(0)), Arc::new(work));
    let begun = Instant::now();
    let running: Vec<_> = (0..count)
        .map(|_| {
            let (done, work) = (Arc::clone(&done), Arc::clone(&work));
            runtime.spawn(async move {
                while begun.elapsed() < LONG {
                    work(done.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in running {
            task.await.unwrap();
        }
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

struct Ours {
    runtime: tokio::runtime::Runtime,
    store: Option<Arc<SqliteStore>>,
    path: PathBuf,
    grants: u64,
    /// The number of what is new: after those that are there, and never twice.
    next: Arc<AtomicU64>,
    /// How many refresh tokens were spent.
    spent: Arc<AtomicU64>,
}

impl Ours {
    fn new(path: &Path, grants: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let next = Arc::new(AtomicU64::new(1 << 40));
        let mut ours = Self { runtime, store: None, path: path.to_owned(), grants, next, spent: Arc::default() };
        // It is only to be filled: what would be lost with the machine is of no use without it.
        ours.reopen(SqliteStore::options().danger_synchronous_normal());
        ours.runtime.block_on(fill(ours.store.as_ref().unwrap(), grants));
        // The log stays, as long as it grows to: writing over what is there is cheaper than writing behind the end of a file.
        ours.reopen(SqliteStore::options());
        let bytes = std::fs::metadata(path).unwrap().len();
        println!("{bytes} bytes, {} for each grant with an access and a refresh token", bytes / grants);
        ours
    }

    fn reopen(&mut self, options: SqliteOptions) {
        let opened = self.runtime.block_on(options.open(&self.path)).unwrap();
        // The older one goes when the newer is there, so that the log stays.
        self.store = Some(Arc::new(opened));
    }

    fn many<F: Future<Output = ()> + Send>(
        &self,
        work: impl Fn(Arc<SqliteStore>, u64) -> F + Send + Sync + Clone + 'static,
    ) -> Work<'_> {
        Box::new(move |callers| {
            let (store, work) = (Arc::clone(self.store.as_ref().unwrap()), work.clone());
            tasks(&self.runtime, callers, move |number| work(Arc::clone(&store), number))
        })
    }

    fn insert(&self) -> Work<'_> {
        let (grants, next) = (self.grants, Arc::clone(&self.next));
        self.many(move |store, number| {
            let token = token(Kind::ACCESS_TOKEN, next.fetch_add(1, Ordering::Relaxed), some(number, grants));
            async move {
                let live = Condition::Live { key: token.parent.unwrap().key, epoch: 0 };
                apply(&store, &commit(token.key.partition, vec![live], vec![Write::Insert(token.into())])).await;
            }
        })
    }

    fn set_state(&self) -> Work<'_> {
        let grants = self.grants;
        self.many(move |store, number| {
            let key = key(Kind::GRANT, some(number, grants));
            async move {
                let write = Write::SetState { key, state: State::Live };
                apply(&store, &commit(key.partition, Vec::new(), vec![write])).await;
            }
        })
    }

    fn rotate(&self) -> Work<'_> {
        let (grants, next, spent) = (self.grants, Arc::clone(&self.next), Arc::clone(&self.spent));
        self.many(move |store, _| {
            let grant = spent.fetch_add(1, Ordering::Relaxed);
            assert!(grant < grants, "too few grants for a machine that is this fast");
            let new = next.fetch_add(1, Ordering::Relaxed);
            async move {
                let old = token(Kind::REFRESH_TOKEN, grant, grant);
                let new = [Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN].map(|kind| token(kind, new, grant));
                let live = Condition::Live { key: old.parent.unwrap().key, epoch: 0 };
                let mut writes: Vec<Write> = new.into_iter().map(|new| Write::Insert(new.into())).collect();
                let purge_after = old.purge_after;
                writes.push(Write::Use { key: old.key, at: NOW, answer: Box::new([9; 64]), purge_after });
                apply(&store, &commit(old.key.partition, vec![live], writes)).await;
            }
        })
    }

    fn load(&self, find: fn(u64) -> Key) -> Work<'_> {
        let grants = self.grants;
        self.many(move |store, number| async move {
            let found = store.load(&[find(some(number, grants))]).await.unwrap();
            assert!(found[0].is_some());
        })
    }

    fn purge(&self) {
        let store = self.store.as_ref().unwrap();
        let (begun, end, mut removed) = (Instant::now(), NOW.after(Duration::from_secs(30 * 3600)), 0);
        while begun.elapsed() < LONG * 10 {
            removed += self.runtime.block_on(store.purge(end, 1_000)).unwrap().removed;
        }
        println!("{:34} {:>8.0}", "purge, records", f64::from(removed) / begun.elapsed().as_secs_f64());
    }
}

fn some(number: u64, grants: u64) -> u64 {
    number.wrapping_mul(7919) % grants
}

async fn fill(store: &SqliteStore, grants: u64) {
    for number in 0..10 {
        let client = record(client(number), None, 600);
        apply(store, &commit(client.key.partition, Vec::new(), vec![Write::Insert(client.into())])).await;
    }
    for number in 0..grants {
        let tokens = [Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN].map(|kind| token(kind, number, number));
        let writes: Vec<Write> =
            [grant(number)].into_iter().chain(tokens).map(|record| Write::Insert(record.into())).collect();
        apply(store, &commit(writes[0].key().partition, Vec::new(), writes)).await;
    }
}
