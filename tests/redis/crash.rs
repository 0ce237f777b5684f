//! Crashes under load, and what must be true afterwards.

use std::collections::HashMap;
use std::io::BufRead as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grantor::store::{
    Commit, Committed, Condition, Kind, Payload, Record, RedisOptions, RedisStore, Store, StoreError, Write,
};

use super::child;
use super::cluster::Cluster;
use super::sample::*;
use super::server::{ALWAYS, EVERY_SECOND, NO_FILE, RUNTIME, Server, open, options, wait};

/// A prime, so that all buckets have some.
fn partition(number: u64) -> u16 {
    u16::try_from(number * 4_099 % 65_521).unwrap()
}

fn grant_of(number: u64) -> Record {
    grant(partition(number), number, client(3, 1).key)
}

fn code_of(number: u64) -> Record {
    record(key(Kind::CODE, partition(number), number))
}

/// What a task buys with the code of that number.
fn bought_by(number: u64, task: u64) -> Record {
    record(key(Kind::ACCESS_TOKEN, partition(number), number * 100 + task))
}

/// Makes a code and its grant.
fn issue(number: u64, task: u64) -> Commit {
    let code = Record { payload: Payload::new(task.to_be_bytes()), ..code_of(number) };
    let writes = vec![Write::Insert(code.into()), Write::Insert(grant_of(number).into())];
    commit(partition(number), Vec::new(), writes)
}

/// Redeems it, once.
fn redeem(number: u64, task: u64) -> Commit {
    let code = code_of(number).key;
    let conditions = vec![Condition::Live { key: grant_of(number).key, epoch: 0 }, Condition::Unused(code)];
    let answer = task.to_be_bytes().into();
    let used = Write::Use { key: code, at: NOW, answer, purge_after: code_of(number).purge_after };
    commit(partition(number), conditions, vec![Write::Insert(bought_by(number, task).into()), used])
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Applied,
    Refused,
    Nothing,
    Doubt,
}

fn end(result: Result<Committed, StoreError>) -> End {
    match result {
        Ok(Committed::Applied) => End::Applied,
        Ok(Committed::Refused(_)) => End::Refused,
        Err(StoreError::Unavailable(_)) => End::Nothing,
        Err(StoreError::InDoubt(_)) => End::Doubt,
        Err(other) => panic!("{other}"),
    }
}

/// What each task was told about each number: of the issue, and of the redemption.
type Log = HashMap<u64, Vec<(u64, End, End)>>;

/// Tasks that issue and redeem, two of them always the same codes.
struct Storm {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    log: Arc<Mutex<Log>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Storm {
    fn begin(stores: &[Arc<RedisStore>], tasks: u64) -> Self {
        let mut all = Self { stop: Arc::default(), done: Arc::default(), log: Arc::default(), tasks: Vec::new() };
        for task in 0..tasks {
            let store = Arc::clone(&stores[usize::try_from(task).unwrap() % stores.len()]);
            let (stop, done, log) = (Arc::clone(&all.stop), Arc::clone(&all.done), Arc::clone(&all.log));
            all.tasks.push(RUNTIME.spawn(async move {
                let mut number = task / 2;
                while !stop.load(Ordering::SeqCst) {
                    let issued = end(store.commit(&issue(number, task)).await);
                    let redeemed = end(store.commit(&redeem(number, task)).await);
                    log.lock().unwrap().entry(number).or_default().push((task, issued, redeemed));
                    done.fetch_add(1, Ordering::SeqCst);
                    if matches!(redeemed, End::Nothing | End::Doubt) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    number += tasks / 2;
                }
            }));
        }
        all
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits for so many more steps.
    fn go_on(&self, steps: u64) {
        let (from, begun) = (self.done(), Instant::now());
        while self.done() < from + steps {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing goes on: {} steps", self.done() - from);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the storm.
    fn end(self) -> Log {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.into_iter().for_each(|task| wait(task).unwrap());
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// What was found to be wrong, where that may be.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lost {
    acknowledged: usize,
    in_doubt: usize,
}

/// Compares what was told with what is there. What may be lost is counted; all else must be right.
fn check(store: &RedisStore, log: &Log) -> Lost {
    let mut lost = Lost::default();
    for (number, told) in log {
        let found = |record: Record| find(store, record.key).unwrap();
        let (code, grant) = (found(code_of(*number)), found(grant_of(*number)));
        // Both or neither.
        assert_eq!(code.is_some(), grant.is_some(), "half an issue of {number}: {told:?}");
        // Where two were told that they won, one of them is not there: it counts as lost, which only some may.
        let (winner, buyer) = (
            code.as_ref().map(|code| u64::from_be_bytes(code.payload.as_bytes().try_into().unwrap())),
            code.as_ref().and_then(|code| Some(u64::from_be_bytes((*code.used.as_ref()?.answer).try_into().unwrap()))),
        );
        for (task, issue, redemption) in told {
            let is_winner = winner == Some(*task);
            assert!(
                !is_winner || matches!(issue, End::Applied | End::Doubt),
                "'{issue:?}' was applied: {number} {told:?}"
            );
            let is_buyer = buyer == Some(*task);
            assert!(
                !is_buyer || matches!(redemption, End::Applied | End::Doubt),
                "'{redemption:?}' was applied: {told:?}"
            );
            let bought = found(bought_by(*number, *task)).is_some();
            assert_eq!(bought, is_buyer, "half a redemption of {number}: {told:?}");
            lost.acknowledged += usize::from(*issue == End::Applied && !is_winner);
            lost.acknowledged += usize::from(*redemption == End::Applied && !is_buyer);
            lost.in_doubt += usize::from(*issue == End::Doubt && !is_winner);
            lost.in_doubt += usize::from(*redemption == End::Doubt && !is_buyer);
        }
    }
    lost
}

fn count(log: &Log, end: End) -> usize {
    log.values()
        .flatten()
        .map(|(_, issue, redemption)| usize::from(*issue == end) + usize::from(*redemption == end))
        .sum()
}

fn two(url: &str, options: &RedisOptions) -> Vec<Arc<RedisStore>> {
    (0..2).map(|_| Arc::new(wait(options.clone().open(url)).unwrap())).collect()
}

/// Kills the server a few times in the middle of everything.
fn storm_over(arguments: &[&str]) -> (Lost, Log) {
    let mut server = Server::start(arguments);
    let storm = Storm::begin(&two(&server.url(), &options()), 16);
    for _ in 0..4 {
        storm.go_on(800);
        server.kill();
        // Until everybody has noticed.
        storm.go_on(16);
        server.restart();
    }
    storm.go_on(200);
    let log = storm.end();
    (check(&open(&server.url()), &log), log)
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_written_through() {
    let (lost, log) = storm_over(ALWAYS);
    assert_eq!(lost.acknowledged, 0);
    assert!(count(&log, End::Applied) > 3_000 && count(&log, End::Doubt) > 0);
    println!(
        "applied {}, in doubt {} of which {} were not",
        count(&log, End::Applied),
        count(&log, End::Doubt),
        lost.in_doubt
    );
}

#[test]
fn a_server_that_is_killed_between_two_writes_through_keeps_every_commit_whole() {
    // The process dies and the machine lives: what was handed to the system is written. Rarely Redis holds it back for
    // up to two seconds.
    let (lost, log) = storm_over(EVERY_SECOND);
    println!("applied {}, of which {} were lost", count(&log, End::Applied), lost.acknowledged);
}

#[test]
fn a_killed_writer_leaves_whole_commits() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for round in 0..3_u64 {
        let mut child = child::start("write", &server.url(), &(round * 1_000_000).to_string());
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut written = Vec::new();
        while written.len() < 200 {
            let line = lines.next().unwrap().unwrap();
            written.extend(line.strip_prefix("wrote ").map(|number| number.parse::<u64>().unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        written.extend(lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("wrote ")?.parse::<u64>().ok()));
        let last = *written.last().unwrap();
        for number in round * 1_000_000..last + 50 {
            let there = [code_of(number), grant_of(number)].map(|record| find(&store, record.key).unwrap().is_some());
            assert_eq!(there[0], there[1], "half of {number}");
            assert!(there[0] || !written.contains(&number), "{number} was acknowledged");
        }
    }
}

/// Writes until it is killed.
pub(crate) fn write(url: &str, from: &str) {
    let store = open(url);
    for number in from.parse::<u64>().unwrap().. {
        put(&store, &issue(number, 0));
        println!("wrote {number}");
    }
}

/// Kills a master in the middle of everything, and goes on with the replica that takes over.
fn failover(options: &RedisOptions) -> (Lost, Log) {
    let mut cluster = Cluster::start(ALWAYS);
    let storm = Storm::begin(&two(&cluster.url(), options), 16);
    storm.go_on(600);
    let victim = cluster.masters().next().unwrap().port;
    let victim = cluster.nodes.iter().position(|node| node.port == victim).unwrap();
    cluster.nodes[victim].kill();
    let begun = Instant::now();
    while cluster.masters().count() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody takes over");
        std::thread::sleep(Duration::from_millis(50));
    }
    cluster.settle();
    // Slower where replicas are waited for: one of the masters has none any more.
    storm.go_on(300);
    let log = storm.end();
    let seed = (victim + 1) % 6;
    (check(&open(&cluster.nodes[seed].url()), &log), log)
}

#[test]
fn a_master_that_is_killed_loses_nothing_that_its_replica_was_waited_for() {
    let (lost, log) = failover(&options().wait(1, Duration::from_millis(250)));
    assert_eq!(lost.acknowledged, 0);
    println!(
        "applied {}, in doubt {} of which {} were not, unavailable {}",
        count(&log, End::Applied),
        count(&log, End::Doubt),
        lost.in_doubt,
        count(&log, End::Nothing)
    );
}

#[test]
fn a_master_that_is_killed_may_lose_what_its_replica_was_not_waited_for_and_no_half_of_it() {
    let (lost, log) = failover(&options());
    println!("applied {}, of which {} were lost", count(&log, End::Applied), lost.acknowledged);
}

#[test]
fn a_commit_that_replicas_do_not_have_is_in_doubt() {
    let [server, replica] = [Server::start(NO_FILE), Server::start(NO_FILE)];
    replica.follow(&server);
    let [patient, store] = [20_000, 100]
        .map(|wait_for| wait(options().wait(1, Duration::from_millis(wait_for)).open(server.url())).unwrap());
    put(&patient, &insert(&token(1, 1)));
    replica.signal("STOP");
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), InDoubt);
    // It was applied, and is seen; a refusal needs nobody's word.
    assert!(find(&store, token(1, 2).key).unwrap().is_some());
    assert!(matches!(wait(store.commit(&insert(&token(1, 2)))), Ok(Committed::Refused(_))));
    replica.signal("CONT");
    put(&patient, &insert(&token(1, 3)));
}
