//! Rounds in which ours and the floor take part in turn.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use grantor::store::{MemoryStore, PostgresOptions, PostgresStore, RedisStore, SqliteStore, Store};

use super::floor::{CLIENT_CREDENTIALS, EXCHANGE, INTROSPECTION, REFRESH, Work, Worker};
use super::ours::Ours;
use super::together::rate;
use super::{bare_postgres, bare_redis, bare_sqlite, postgres, redis_server};
use crate::Options;
use crate::measure::{FLOOR, Judged, OURS, PER_SECOND, Row, brief, median, summary, wall};

/// At least so much of the floor.
const LEAST: f64 = 0.7;
/// In this order the figures of a round come.
const WORKS: [Work; 4] = [EXCHANGE, REFRESH, CLIENT_CREDENTIALS, INTROSPECTION];

/// In how many pieces a round is done.
const PIECES: usize = 4;

/// The floor, by some clients at once.
struct Floor {
    workers: Vec<Worker>,
}

impl Floor {
    async fn prepare(&mut self, work: Work, each: usize) {
        for worker in &mut self.workers {
            worker.prepare(work, each).await;
        }
    }

    async fn work(&mut self, work: Work, each: usize) -> f64 {
        let tasks = self.workers.drain(..).map(|mut worker| async move {
            worker.work(work, each).await;
            worker
        });
        let (rate, workers) = rate(tasks, |_| each).await;
        self.workers = workers;
        rate
    }
}

/// A database for one question, which ends with the value.
enum Database {
    Memory,
    Sqlite(PathBuf),
    Postgres(Box<postgres::Server>),
    Redis(redis_server::Server),
}

impl Database {
    fn start(name: &str) -> Option<Self> {
        let there = |command: &str| {
            let found = Command::new("sh").args(["-c", command]).status().is_ok_and(|status| status.success());
            if !found {
                eprintln!("  {name}: not installed");
            }
            found
        };
        match name {
            "memory" => Some(Self::Memory),
            "sqlite" => {
                let directory = std::env::temp_dir().join(format!("grantor-benches-{}", std::process::id()));
                std::fs::create_dir_all(&directory).unwrap();
                Some(Self::Sqlite(directory))
            }
            "postgres" => {
                let command =
                    "test -n \"$GRANTOR_POSTGRES_BIN\" || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1";
                there(command).then(|| Self::Postgres(Box::new(postgres::Server::start(&[]))))
            }
            "redis" => there("command -v redis-server redis-cli >/dev/null")
                .then(|| Self::Redis(redis_server::Server::start(redis_server::ALWAYS))),
            other => panic!("there is no store {other}"),
        }
    }

    async fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory => Arc::new(MemoryStore::with_capacity_limit(1 << 26)),
            Self::Sqlite(directory) => {
                let path = directory.join(format!("ours-{}.db", wall()));
                Arc::new(SqliteStore::open(path).await.unwrap())
            }
            Self::Postgres(server) => {
                let url = server.url(&server.database().await);
                // On connections of its own, which the floor has too.
                Arc::new(PostgresStore::open(&url, PostgresOptions::new().prepared_statements()).await.unwrap())
            }
            Self::Redis(server) => {
                let options = RedisStore::options().prefix(format!("ours{}", wall()));
                Arc::new(options.open(server.url()).await.unwrap())
            }
        }
    }

    /// `None` for the memory, whose floor is that of the question `engine`.
    async fn floor(&self, clients: usize) -> Option<Floor> {
        let bare = match self {
            Self::Memory => return None,
            Self::Sqlite(directory) => bare_sqlite::clients(&directory.join(format!("floor-{}.db", wall())), clients),
            Self::Postgres(server) => bare_postgres::clients(&server.url(&server.database().await), clients).await,
            Self::Redis(server) => bare_redis::clients(&server.url(), clients).await,
        };
        Some(Floor { workers: bare.into_iter().map(Worker::new).collect() })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Sqlite(directory) = self {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

async fn rows(name: &str, database: &Database, clients: usize, rounds: usize) -> Vec<Row> {
    let each = if clients == 1 { 64 } else { 16 };
    let mut ours = Ours::new(database.store().await, clients).await;
    let mut floor = database.floor(clients).await;
    let mut samples: [[Vec<f64>; 2]; 4] = Default::default();
    // Small pieces that follow each other closely, and many of them: on a machine that others use, what is far apart cannot be compared.
    for round in 0..=rounds * PIECES {
        for (work, sample) in WORKS.into_iter().zip(&mut samples) {
            let each = if work.inserts == 0 { each * 4 } else { each };
            ours.prepare(work.name, each * clients).await;
            if let Some(floor) = &mut floor {
                floor.prepare(work, each).await;
            }
            for turn in 0..2 {
                let side = (turn + round) % 2;
                let rate = match &mut floor {
                    _ if side == 0 => ours.work().await,
                    Some(floor) => floor.work(work, each).await,
                    None => continue,
                };
                // The first round is for warming up.
                if round > 0 {
                    sample[side].push(rate);
                }
            }
        }
    }
    let who = if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
    WORKS
        .iter()
        .zip(&samples)
        .map(|(work, [ours, floor])| {
            let mut measured = vec![summary(OURS, ours)];
            let mut judged = Vec::new();
            if !floor.is_empty() {
                measured.push(summary(FLOOR, floor));
                let ratio = median(&ours.iter().zip(floor).map(|(ours, floor)| ours / floor).collect::<Vec<_>>());
                judged.push(Judged {
                    target: format!("≥ {LEAST}× {FLOOR}"),
                    found: format!("{ratio:.2}×"),
                    met: ratio >= LEAST,
                });
            }
            let row = Row {
                work: format!("{name}, {who}: {}", work.name),
                unit: PER_SECOND.to_owned(),
                measured,
                judged,
                note: String::new(),
            };
            eprintln!("  {}", brief(&row));
            row
        })
        .collect()
}

pub fn run(options: &Options) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut all = Vec::new();
    for name in ["memory", "sqlite", "postgres", "redis"].into_iter().filter(|name| options.wants(name)) {
        let Some(database) = Database::start(name) else { continue };
        for clients in [1, 16] {
            all.extend(runtime.block_on(rows(name, &database, clients, options.rounds)));
        }
    }
    all
}
