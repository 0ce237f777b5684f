//! What a grant takes, and what an operation takes beside the floor (slow): for `docs/stores/postgres.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor::store::{Condition, Key, PostgresOptions, PostgresStore, Record, Store as _, Write};
use tokio_postgres::NoTls;

use super::flow::{nodes, tokens};
use super::records::{commit, event, grant, key, spend, token};
use super::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow"]
async fn what_a_grant_takes() {
    const GRANTS: i64 = 2_000;
    let server = Server::shared();
    let (database, nodes) = nodes(server).await;
    let size = async |what: &str| {
        let size = format!("SELECT {what} FROM grantor.record");
        server.sql(&database, &size).await.unwrap()[0].clone().unwrap().parse::<i64>().unwrap()
    };
    let report = async |name: &str| {
        server.sql(&database, "VACUUM ANALYZE grantor.record").await;
        println!(
            "{name}: {} rows for 100 grants, {} bytes of table and {} bytes of indexes for each grant",
            size("count(*)").await * 100 / GRANTS,
            size("max(pg_table_size('grantor.record'))").await / GRANTS,
            size("max(pg_indexes_size('grantor.record'))").await / GRANTS,
        );
    };
    let mut refreshes = Vec::new();
    for number in 0..GRANTS {
        let code = nodes[0].code(&format!("user{number}")).await;
        refreshes.push(tokens(&nodes[0].redeem(&code).await).1);
    }
    report("signed in").await;
    for refresh in &mut refreshes {
        *refresh = tokens(&nodes[0].refresh(refresh).await).1;
    }
    report("refreshed once").await;
    let kinds = "SELECT string_agg(format('kind %s: %s rows of %s bytes', kind, count, size), '; ' ORDER BY kind) FROM \
        (SELECT kind, count(*), avg(pg_column_size(r.*))::int AS size FROM grantor.record r GROUP BY kind) AS k";
    println!("{}", server.sql(&database, kinds).await.unwrap()[0].clone().unwrap());
}

/// Runs `act` again and again from this many tasks, and returns how often in a second.
async fn rate<F>(tasks: u64, act: impl Fn(u64) -> F + Clone + Send + Sync + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    const LASTS: Duration = Duration::from_secs(3);
    #[expect(clippy::disallowed_methods, reason = "it is time that is measured")]
    let began = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let act = act.clone();
            tokio::spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < LASTS {
                    act(task).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in running {
        done += task.await.unwrap();
    }
    f64::from(done) / began.elapsed().as_secs_f64()
}

/// A load of a token and a rotation, beside the same number of round trips and commits on the bare driver.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow"]
async fn what_an_operation_takes_beside_the_floor() {
    const FAMILIES: u64 = 40_000;
    let server = Server::shared();
    let event = event(1).await;
    let link = |key: Key| Some(grantor::store::Link { key, epoch: 0 });
    for tasks in [1, 16] {
        for (name, options) in [
            ("unnamed", PostgresOptions::new()),
            ("prepared", PostgresOptions::new().prepared_statements()),
            ("prepared, with events", PostgresOptions::new().prepared_statements().keep_events()),
        ] {
            let database = server.database().await;
            let store = PostgresStore::open(&server.url(&database), options).await.unwrap();
            let owned = |number| {
                let client = grantor::store::Link { key: key(grantor::store::Kind::CLIENT, 1), epoch: 0 };
                let owner = Some(Box::new(grantor::store::Owner { client, subject: None }));
                Record { owner, payload: grantor::store::Payload::new(vec![b'x'; 120]), ..grant(number) }
            };
            let hung = move |number| Record { parent: link(grant(number % FAMILIES).key), ..token(number) };
            for some in (0..FAMILIES).collect::<Vec<_>>().chunks(200) {
                let mut all: Vec<Write> = some.iter().map(|number| Write::Insert(owned(*number).into())).collect();
                all.extend(some.iter().map(|number| Write::Insert(hung(*number).into())));
                let _ = store.commit(&commit(Vec::new(), all)).await.unwrap();
            }
            server.sql(&database, "VACUUM ANALYZE grantor.record").await;
            let next = Arc::new(std::sync::atomic::AtomicU64::new(0));
            let draw = move || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let drawn = draw.clone();
            let loading = store.clone();
            let loads = rate(tasks, move |_| {
                let (store, key) = (loading.clone(), token(drawn() * 7_919 % FAMILIES).key);
                async move { assert!(store.load(&[key]).await.unwrap()[0].is_some()) }
            })
            .await;
            let (rotating, told) = (store.clone(), event.clone());
            let round = Arc::new(std::sync::atomic::AtomicU64::new(0));
            let rotations = rate(tasks, move |_| {
                let number = round.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let live = Condition::Live { key: grant(number % FAMILIES).key, epoch: 0 };
                let inserts = [1, 2].map(|which| Write::Insert(hung(number + which * FAMILIES * 100).into()));
                let mut rotation = commit(vec![live], vec![spend(token(number).key)]);
                rotation.writes.extend(inserts);
                rotation.events = vec![told.clone()];
                let store = rotating.clone();
                // Beyond the families that there are it is refused; so many are not reached.
                async move { assert!(store.commit(&rotation).await.is_ok()) }
            })
            .await;
            println!("{name}, {tasks} tasks: {loads:.0} loads and {rotations:.0} rotations a second");
        }
        let [select, rotate] = floor(server, tasks).await;
        println!("bare, {tasks} tasks: {select:.0} selects by primary key and {rotate:.0} rotations a second");
    }
}

/// A table of the plainest kind, prepared statements, and one function for the rotation: one round trip and one commit each.
async fn floor(server: &Server, tasks: u64) -> [f64; 2] {
    let database = server.database().await;
    let table = "CREATE TABLE t (id bytea PRIMARY KEY, parent bytea, used_at bigint, expires bigint, payload bytea); \
        INSERT INTO t SELECT sha256(n::text::bytea), sha256((-n)::text::bytea), NULL, 1, decode(repeat('78', 120), 'hex') \
        FROM generate_series(1, 40000) AS n; \
        CREATE FUNCTION rotate(old bytea, a bytea, b bytea) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
        UPDATE t SET used_at = 1 WHERE id = old AND used_at IS NULL; IF NOT FOUND THEN RETURN false; END IF; \
        INSERT INTO t VALUES (a, old, NULL, 1, ''); INSERT INTO t VALUES (b, old, NULL, 1, ''); RETURN true; END $$";
    server.sql(&database, table).await;
    server.sql(&database, "VACUUM ANALYZE t").await;
    let mut clients = Vec::new();
    for _ in 0..tasks {
        let (client, connection) = tokio_postgres::connect(&server.url(&database), NoTls).await.unwrap();
        tokio::spawn(connection);
        let select = client.prepare("SELECT * FROM t WHERE id = $1").await.unwrap();
        let rotate = client.prepare("SELECT rotate($1, $2, $3)").await.unwrap();
        clients.push(Arc::new((client, select, rotate)));
    }
    let id = |number: u64| -> Vec<u8> {
        use sha2::Digest as _;
        sha2::Sha256::digest(number.to_string()).to_vec()
    };
    let numbers = Arc::new(std::sync::atomic::AtomicU64::new(1));
    let (selecting, drawn) = (clients.clone(), Arc::clone(&numbers));
    let selects = rate(tasks, move |task| {
        let client = Arc::clone(&selecting[usize::try_from(task).unwrap()]);
        let id = id(drawn.fetch_add(7_919, std::sync::atomic::Ordering::Relaxed) % 40_000 + 1);
        async move { drop(client.0.query_one(&client.1, &[&id]).await.unwrap()) }
    })
    .await;
    numbers.store(1, std::sync::atomic::Ordering::Relaxed);
    let rotations = rate(tasks, move |task| {
        let client = Arc::clone(&clients[usize::try_from(task).unwrap()]);
        let number = numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let ids = [number, number + 1_000_000, number + 2_000_000].map(id);
        async move { drop(client.0.query_one(&client.2, &[&ids[0], &ids[1], &ids[2]]).await.unwrap()) }
    })
    .await;
    [selects, rotations]
}
