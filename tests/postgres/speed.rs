//! Loads and rotations as fast as they go, beside the bare driver. `GRANTOR_POSTGRES_MILLISECONDS` says how long each is done, to measure it:
//! CONTRIBUTING.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use grantor::store::{Committed, Condition, Failed, Key, PostgresOptions, PostgresStore, Record, Store as _, Write};
use tokio_postgres::NoTls;

use super::records::{commit, event, grant, key, spend, token};
use super::server::Server;

/// How long each is done.
fn lasts() -> Duration {
    Duration::from_millis(std::env::var("GRANTOR_POSTGRES_MILLISECONDS").map_or(50, |text| text.parse().unwrap()))
}

/// Runs `act` again and again from this many tasks, and returns how often in a second.
async fn rate<F>(tasks: u64, act: impl Fn(u64) -> F + Clone + Send + Sync + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let lasts = lasts();
    #[expect(clippy::disallowed_methods, reason = "it is time that is measured")]
    let began = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let act = act.clone();
            tokio::spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < lasts {
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
async fn what_is_done_as_fast_as_it_goes_is_found_and_rotated_once() {
    // About as many as are rotated meanwhile at 4,000 in a second.
    let families = u64::try_from(lasts().as_millis()).unwrap() * 4 + 200;
    // It is measured with flushing, as everywhere but on the server that most tests share.
    let server = &Server::start(&[]);
    let event = event(1).await;
    let link = |key: Key| Some(grantor::store::Link { key, epoch: 0 });
    for tasks in [1, 16] {
        for (name, options) in [
            ("unnamed", PostgresOptions::new()),
            ("prepared", PostgresOptions::new().prepared_statements()),
            ("prepared, with events", PostgresOptions::new().prepared_statements().keep_events()),
        ] {
            let database = server.tables().await;
            let store = PostgresStore::connect(&server.url(&database), options).unwrap();
            let owned = |number| {
                let client = grantor::store::Link { key: key(grantor::store::Kind::CLIENT, 1), epoch: 0 };
                let owner = Some(Arc::new(grantor::store::Owner { client, subject: None }));
                Record { owner, payload: grantor::store::Payload::new(vec![b'x'; 120]), ..grant(number) }
            };
            let hung = move |number: u64| Record { parent: link(grant(number % families).key), ..token(number) };
            for some in (0..families).collect::<Vec<_>>().chunks(200) {
                let mut all: Vec<Write> = some.iter().map(|number| Write::Insert(owned(*number).into())).collect();
                all.extend(some.iter().map(|number| Write::Insert(hung(*number).into())));
                let _ = store.commit(&commit(Vec::new(), all)).await.unwrap();
            }
            server.sql(&database, "VACUUM ANALYZE grantor.record").await;
            let next = Arc::new(AtomicU64::new(0));
            let draw = move || next.fetch_add(1, Ordering::Relaxed);
            let drawn = draw.clone();
            let loading = store.clone();
            let loads = rate(tasks, move |_| {
                let (store, key) = (loading.clone(), token(drawn() * 7_919 % families).key);
                async move { assert!(store.load(&[key]).await.unwrap()[0].is_some()) }
            })
            .await;
            let (rotating, told) = (store.clone(), event.clone());
            let round = Arc::new(AtomicU64::new(0));
            let rotations = rate(tasks, move |_| {
                let number = round.fetch_add(1, Ordering::Relaxed);
                let live = Condition::Live { key: grant(number % families).key, epoch: 0 };
                let inserts = [1, 2].map(|which| Write::Insert(hung(number + which * families * 100).into()));
                let mut rotation = commit(vec![live], vec![spend(token(number).key)]);
                rotation.writes.extend(inserts);
                rotation.events = vec![told.clone()];
                let store = rotating.clone();
                // Where there is no more family it is refused, and names what was missing.
                let wanted = if number < families { Committed::Applied } else { Committed::Refused(Failed::Write(0)) };
                async move { assert_eq!(store.commit(&rotation).await.unwrap(), wanted) }
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
    let numbers = Arc::new(AtomicU64::new(1));
    let (selecting, drawn) = (clients.clone(), Arc::clone(&numbers));
    let selects = rate(tasks, move |task| {
        let client = Arc::clone(&selecting[usize::try_from(task).unwrap()]);
        let id = id(drawn.fetch_add(7_919, Ordering::Relaxed) % 40_000 + 1);
        async move { drop(client.0.query_one(&client.1, &[&id]).await.unwrap()) }
    })
    .await;
    numbers.store(1, Ordering::Relaxed);
    let rotations = rate(tasks, move |task| {
        let client = Arc::clone(&clients[usize::try_from(task).unwrap()]);
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let ids = [number, number + 1_000_000, number + 2_000_000].map(id);
        async move { drop(client.0.query_one(&client.2, &[&ids[0], &ids[1], &ids[2]]).await.unwrap()) }
    })
    .await;
    [selects, rotations]
}
