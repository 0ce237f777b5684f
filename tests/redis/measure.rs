//! Measurements: what the store costs beside what Redis itself costs in the same run, and how much memory it takes.
//!
//! `cargo test --release --features redis-tests --test redis measure -- --ignored --nocapture --test-threads 1`

#![allow(clippy::cast_precision_loss, reason = "no measurement is that exact")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use grantor::clock::ManualClock;
use grantor::store::{Commit, Condition, Kind, Link, Record, RedisStore, Store, Write};
use redis::aio::MultiplexedConnection;

use super::flow::{Node, START};
use super::sample::*;
use super::server::{ALWAYS, EVERY_SECOND, NO_FILE, RUNTIME, Server, open, options, wait};

const SPAN: Duration = Duration::from_secs(2);

/// How often something can be done in a second by so many at once.
fn rate<F: Future<Output = ()> + Send + 'static>(
    clients: u64,
    act: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> f64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let act = act.clone();
            RUNTIME.spawn(async move {
                let mut done = 0_u64;
                while begun.elapsed() < SPAN {
                    act(NEXT.fetch_add(1, Ordering::Relaxed)).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let done: u64 = tasks.into_iter().map(|task| wait(task).unwrap()).sum();
    done as f64 / begun.elapsed().as_secs_f64()
}

/// The bare floor: a script of one GET and three SET, with values as long as ours.
async fn floor(mut connection: MultiplexedConnection, digest: Arc<String>, number: u64) {
    let value = vec![7_u8; 180];
    let mut command = redis::cmd("EVALSHA");
    command.arg(&**digest).arg(4);
    (0..4).for_each(|part| {
        command.arg(format!("floor:{number}:{part}:0123456789abcdef0123456789abcdef"));
    });
    command.arg(&value);
    let _: () = command.query_async(&mut connection).await.unwrap();
}

async fn floor_of_reading(mut connection: MultiplexedConnection, digest: Arc<String>) {
    let mut command = redis::cmd("EVALSHA");
    command.arg(&**digest).arg(3).arg("floor:a").arg("floor:b").arg("floor:c");
    let _: redis::Value = command.query_async(&mut connection).await.unwrap();
}

fn family(partition: u16) -> [Record; 2] {
    let grant = grant(partition, 1, client(9, 1).key);
    let link = Some(Link { key: grant.key, epoch: 0 });
    let payload = grantor::store::Payload::new(vec![7; 60]);
    [grant, Record { parent: link, payload, purge_after: START.after(SPAN * 1_000_000), ..token(partition, 0) }]
}

/// What a refresh does: the old token is spent, and two come in its place.
fn rotation(number: u64) -> Commit {
    let [grant, like] = family(u16::try_from(number % 1_000).unwrap());
    let partition = like.key.partition.0;
    let named = |kind, number| Record { key: key(kind, partition, number), ..like.clone() };
    let old = key(Kind::REFRESH_TOKEN, partition, number / 1_000);
    let used = Write::Use { key: old, at: NOW, answer: vec![7; 100].into(), purge_after: like.purge_after };
    let inserts = [named(Kind::REFRESH_TOKEN, number / 1_000 + 1), named(Kind::ACCESS_TOKEN, number)];
    let mut writes: Vec<Write> = inserts.into_iter().map(|record| Write::Insert(record.into())).collect();
    writes.insert(0, used);
    commit(partition, vec![Condition::Live { key: grant.key, epoch: 0 }, Condition::Unused(old)], writes)
}

fn stocked(server: &Server) -> Arc<RedisStore> {
    let store = Arc::new(open(&server.url()));
    put(&store, &insert(&client(9, 1)));
    for partition in 0..1_000 {
        let [grant, token] = family(partition);
        let first = Record { key: key(Kind::REFRESH_TOKEN, partition, 0), ..token.clone() };
        for record in [&grant, &token, &first] {
            put(&store, &insert(record));
        }
    }
    store
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    for (name, arguments) in [("no file", NO_FILE), ("every second", EVERY_SECOND), ("always", ALWAYS)] {
        for clients in [1, 16] {
            let server = Server::start(arguments);
            let store = stocked(&server);
            let client = redis::Client::open(server.url()).unwrap();
            let mut connection = wait(client.get_multiplexed_async_connection()).unwrap();
            let load =
                |script: &str| Arc::new(wait(redis::Script::new(script).load_async(&mut connection.clone())).unwrap());
            let writing = load(
                "redis.call('GET', KEYS[1]) for i = 2, 4 do redis.call('SET', KEYS[i], ARGV[1], 'EX', 3600) end return 1",
            );
            let reading =
                load("return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}");
            for part in ["a", "b", "c"] {
                let _: () = wait(
                    redis::cmd("SET").arg(format!("floor:{part}")).arg(vec![7_u8; 180]).query_async(&mut connection),
                )
                .unwrap();
            }
            let base = connection.clone();
            let floor_w = rate(clients, move |number| floor(base.clone(), Arc::clone(&writing), number));
            let base = connection.clone();
            let floor_r = rate(clients, move |_| floor_of_reading(base.clone(), Arc::clone(&reading)));
            let shared = Arc::clone(&store);
            let loads = rate(clients, move |number| {
                let store = Arc::clone(&shared);
                async move {
                    let [_, token] = family(u16::try_from(number % 1_000).unwrap());
                    assert!(store.load(&[token.key]).await.unwrap()[0].is_some());
                }
            });
            // Each number once, in order, so that every rotation finds what the one before has left.
            let shared = Arc::clone(&store);
            let next = Arc::new(AtomicU64::new(0));
            let refused = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&refused);
            let rotations = rate(clients, move |_| {
                let (store, number, refused) =
                    (Arc::clone(&shared), next.fetch_add(1, Ordering::Relaxed), Arc::clone(&counted));
                async move {
                    let applied = store.commit(&rotation(number)).await.unwrap() == grantor::store::Committed::Applied;
                    refused.fetch_add(u64::from(!applied), Ordering::Relaxed);
                }
            });
            // Where one task stands still while others do a thousand, the next finds nothing to rotate.
            let rotations = rotations - refused.load(Ordering::Relaxed) as f64 / SPAN.as_secs_f64();
            println!(
                "{name:>12}, {clients:>2} clients: load {loads:>6.0}/s (floor {floor_r:>6.0}, {:.2}), rotation {rotations:>6.0}/s (floor {floor_w:>6.0}, {:.2})",
                loads / floor_r,
                rotations / floor_w
            );
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn size() {
    const GRANTS: usize = 3_000;
    let server = Server::start(NO_FILE);
    let clock = Arc::new(ManualClock::new(START));
    let node = Node::over(&options(), &server.url(), &clock);
    node.register("web");
    let memory = || {
        let info = server.said(&["INFO", "memory"]);
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory_dataset:")).unwrap().to_owned();
        let overhead = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:")).unwrap().to_owned();
        (line.trim().parse::<usize>().unwrap(), overhead.trim().parse::<usize>().unwrap())
    };
    let keys = || server.said(&["DBSIZE"]).parse::<usize>().unwrap();
    let (before, keys_before) = (memory(), keys());
    for number in 0..GRANTS {
        let code = node.code("web", &format!("user-{number}"));
        wait(node.redeem(&code)).token("access_token");
    }
    let (after, keys_after) = (memory(), keys());
    println!(
        "per grant with its code, access and refresh token: {} bytes of memory, {:.2} keys",
        (after.1 - before.1) / GRANTS,
        (keys_after - keys_before) as f64 / GRANTS as f64
    );
    let script = "local sums = {} \
        for _, key in ipairs(redis.call('KEYS', 'grantor*')) do \
            local what = string.match(key, '}(.)') \
            if what == 'r' then what = what .. string.byte(key, -33) end \
            local sum = sums[what] or {0, 0, 0} \
            sums[what] = {sum[1] + 1, sum[2] + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0), sum[3] + (what:sub(1, 1) == 'r' and #redis.call('GET', key) or 0)} \
        end \
        local lines = {} \
        for what, sum in pairs(sums) do lines[#lines + 1] = what .. ': ' .. sum[1] .. ' keys of ' .. math.floor(sum[2] / sum[1]) .. ' bytes, values of ' .. math.floor(sum[3] / sum[1]) end \
        return lines";
    println!("{}", server.said(&["EVAL", script, "0"]));
    // An hour later the codes are forgotten, and the access tokens have expired.
    clock.advance(Duration::from_secs(2 * 86_400));
    let mut removed = 0;
    loop {
        let purged = wait(node.server.purge(10_000)).unwrap();
        removed += purged.removed;
        if !purged.more {
            break;
        }
    }
    let kept = memory();
    println!("after two days: {removed} records went; {} bytes for each grant", (kept.1 - before.1) / GRANTS);
}

#[test]
#[ignore = "a measurement"]
fn lists() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for number in 0..20_000_u64 {
        let record = client(u16::try_from(number.wrapping_mul(4_099) % 65_521).unwrap(), number);
        let created_at = START.after(Duration::from_secs(number));
        put(&store, &insert(&Record { created_at, ..record }));
    }
    let query = grantor::store::Query::new(TENANT, Kind::CLIENT);
    let named = grantor::store::Query { order: grantor::store::Order::Name, ..query.clone() };
    let rare = grantor::store::Query { search: Some("client-19999".into()), ..query.clone() };
    let mut walked = query.clone();
    walked.parent = Some(client(1, 1).key);
    for (name, query) in [
        ("newest first", query),
        ("by name", named),
        ("a search that finds one of 20,000", rare),
        ("without an index", walked),
    ] {
        let begun = Instant::now();
        let found = wait(store.list(&query, &grantor::store::Page { after: None, limit: 50 })).unwrap().records.len();
        println!("{name}: {found} records in {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    wait(store.purge(START, 1_000)).unwrap();
    println!("a purge that finds nothing: {:?}", begun.elapsed());
}
