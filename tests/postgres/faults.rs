//! Unavailable, in doubt and corrupt are told apart.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use grantor::store::{
    Committed, Key, Kind, Labels, Link, Order, Page, Partition, PostgresOptions, PostgresStore, Query, Record,
    Store as _, StoreError, Write,
};
use tokio_postgres::NoTls;

use super::proxy::{Mode, Proxy};
use super::records::{NOW, TENANT, apply, commit, find, grant, insert, key, record, token};
use super::server::Server;

const OPTIONS: PostgresOptions = PostgresOptions::new().wait(Duration::from_secs(5));

/// A database, a store beside a proxy and one behind it.
struct Bench {
    server: &'static Server,
    database: String,
    proxy: Proxy,
    direct: PostgresStore,
    store: PostgresStore,
}

impl Bench {
    async fn new(options: PostgresOptions) -> Self {
        let server = Server::shared();
        let database = server.tables().await;
        let direct = PostgresStore::connect(&server.url(&database), options).unwrap();
        let proxy = Proxy::before(server.port).await;
        let store = PostgresStore::connect(&Server::url_over_tcp(&database, proxy.port), options).unwrap();
        store.load(&[token(0).key]).await.unwrap();
        Self { server, database, proxy, direct, store }
    }
}

/// Two records that come together or not at all.
fn pair(number: u64) -> grantor::store::Commit {
    commit(Vec::new(), vec![Write::Insert(grant(number).into()), Write::Insert(token(number).into())])
}

/// Whether both are there; never one.
async fn landed(store: &PostgresStore, number: u64) -> bool {
    let found = store.load(&[grant(number).key, token(number).key]).await.unwrap();
    assert_eq!(found[0].is_some(), found[1].is_some(), "half a commit is there");
    found[0].is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_in_doubt_and_has_happened() {
    for options in [OPTIONS, OPTIONS.prepared_statements()] {
        let bench = Bench::new(options).await;
        apply(&bench.store, &pair(1)).await;
        bench.proxy.set(Mode::CutAtAnswer);
        let answer = bench.store.commit(&pair(2)).await;
        assert!(matches!(answer, Err(StoreError::InDoubt(_))), "{answer:?}");
        assert!(landed(&bench.direct, 2).await);
        // The next is answered: the connection that died was not lent again.
        apply(&bench.store, &pair(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_cut_off_on_its_way_is_in_doubt_and_whole_or_nothing() {
    let bench = Bench::new(OPTIONS).await;
    bench.proxy.set(Mode::CutAtRequest);
    let answer = bench.store.commit(&pair(1)).await;
    // Whoever sent it cannot know that it did not arrive.
    assert!(matches!(answer, Err(StoreError::InDoubt(_))), "{answer:?}");
    assert!(!landed(&bench.direct, 1).await);
    for number in 2..12 {
        // So that there is a connection, and the next request on it is the commit.
        bench.store.load(&[token(1).key]).await.unwrap();
        bench.proxy.set(Mode::CutBehindRequest);
        let answer = bench.store.commit(&pair(number)).await;
        assert!(matches!(answer, Err(StoreError::InDoubt(_))), "{answer:?}");
        landed(&bench.direct, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_is_cut_off_is_unavailable() {
    let bench = Bench::new(OPTIONS).await;
    for mode in [Mode::CutAtRequest, Mode::CutBehindRequest, Mode::CutAtAnswer] {
        bench.store.load(&[token(1).key]).await.unwrap();
        bench.proxy.set(mode);
        let answer = bench.store.load(&[token(1).key]).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{mode:?}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_unavailable_and_is_used_again_when_it_is_back() {
    let bench = Bench::new(OPTIONS).await;
    bench.proxy.set(Mode::Down);
    // Until the driver has heard of it, a request is sent into the void.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..20 {
        let answer = bench.store.commit(&pair(1)).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert!(matches!(bench.store.load(&[token(1).key]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(bench.store.purge(NOW, 1).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(
        bench.store.list(&Query::new(TENANT, Kind::GRANT), &Page { after: None, limit: 1 }).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(!landed(&bench.direct, 1).await);
    bench.proxy.set(Mode::Pass);
    apply(&bench.store, &pair(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let bench = Bench::new(OPTIONS.answer_within(Duration::from_millis(300)).connections(1)).await;
    for _ in 0..3 {
        bench.proxy.set(Mode::Silent);
        let answer = tokio::time::timeout(Duration::from_secs(3), bench.store.load(&[token(1).key])).await.unwrap();
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        bench.proxy.set(Mode::Pass);
        // The only connection was given up, and another took its place.
        bench.store.load(&[token(1).key]).await.unwrap();
        bench.proxy.set(Mode::Silent);
        let answer = tokio::time::timeout(Duration::from_secs(3), bench.store.commit(&pair(1))).await.unwrap();
        assert!(matches!(answer, Err(StoreError::InDoubt(_))), "{answer:?}");
        bench.proxy.set(Mode::Pass);
        bench.store.load(&[token(1).key]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhausted_pool_is_unavailable_within_the_configured_wait() {
    let server = Server::shared();
    let database = server.tables().await;
    let config = server.url(&database).parse().unwrap();
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, recycling)).max_size(1).build().unwrap();
    let store = PostgresStore::on_pool(pool.clone(), PostgresOptions::new().wait(Duration::from_millis(200)));
    let held = pool.get().await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(2), store.commit(&pair(1))).await.unwrap();
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(matches!(store.load(&[token(1).key]).await, Err(StoreError::Unavailable(_))));
    drop(held);
    assert!(!landed(&store, 1).await);
    apply(&store, &pair(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_requests_leave_the_pool_whole() {
    let bench = Bench::new(OPTIONS.connections(2)).await;
    for number in 0..50 {
        let commit = pair(number);
        let dropped = tokio::time::timeout(Duration::from_micros(number * 20), bench.store.commit(&commit)).await;
        drop(dropped);
    }
    for number in 100..104 {
        apply(&bench.store, &pair(number)).await;
    }
    for number in 0..50 {
        landed(&bench.direct, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_only_reads_is_unavailable_for_commits() {
    let bench = Bench::new(OPTIONS).await;
    apply(&bench.direct, &pair(1)).await;
    let read_only = format!("ALTER DATABASE {} SET default_transaction_read_only = on", bench.database);
    bench.server.sql("postgres", &read_only).await;
    let url = format!("{} target_session_attrs=any", bench.server.url(&bench.database));
    let store = PostgresStore::connect(&url, OPTIONS).unwrap();
    let answer = store.commit(&pair(2)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(landed(&store, 1).await && !landed(&store, 2).await);
    // Where the URL does not allow it, such a server is not even spoken to: it may trail.
    let store = PostgresStore::connect(&bench.server.url(&bench.database), OPTIONS).unwrap();
    assert!(matches!(store.load(&[token(1).key]).await, Err(StoreError::Unavailable(_))));
}

/// Starts a commit that waits for a row which somebody else has locked, lets `act` on the process that serves it, and returns the answer.
async fn waiting(bench: &Bench, number: u64, act: &str) -> Result<Committed, StoreError> {
    apply(&bench.direct, &insert(grant(number))).await;
    let (blocker, connection) = tokio_postgres::connect(&bench.server.url(&bench.database), NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute("BEGIN; SELECT FROM grantor.record FOR UPDATE").await.unwrap();
    let store = bench.store.clone();
    let writes = vec![Write::Insert(token(number).into()), Write::Delete(grant(number).key)];
    let commit = tokio::spawn(async move { store.commit(&commit(Vec::new(), writes)).await });
    let waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    loop {
        let row = bench.server.sql(&bench.database, waits).await;
        if let Some(pid) = row.and_then(|row| row[0].clone()) {
            bench.server.sql(&bench.database, &format!("SELECT {act}({pid})")).await;
            break;
        }
    }
    let answer = commit.await.unwrap();
    blocker.batch_execute("COMMIT").await.unwrap();
    assert!(find(&bench.direct, token(number).key).await.is_none());
    assert!(find(&bench.direct, grant(number).key).await.is_some());
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_cancelled_is_unavailable_and_one_whose_session_was_ended_is_in_doubt() {
    let bench = Bench::new(OPTIONS).await;
    let answer = waiting(&bench, 1, "pg_cancel_backend").await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let answer = waiting(&bench, 2, "pg_terminate_backend").await;
    assert!(matches!(answer, Err(StoreError::InDoubt(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_the_tables_is_unavailable_and_the_reason_says_so() {
    let server = Server::shared();
    let store = PostgresStore::connect(&server.url(&server.database().await), OPTIONS).unwrap();
    let answer = store.load(&[token(1).key]).await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("migrate")), "{answer:?}");
    let answer = store.commit(&pair(1)).await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("migrate")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_makes_no_sense_is_corrupt() {
    let bench = Bench::new(OPTIONS).await;
    let whole = Record { parent: Some(Link { key: grant(1).key, epoch: 1 }), ..token(1) };
    for damage in [
        "state = 9",
        "kind = 300",
        "partition = 70000",
        "id = '\\x00'",
        "tenant = '\\x00'",
        "parent_epoch = NULL",
        "client_id = '\\x00'",
        "name = 'x'",
        "used_answer = ''",
    ] {
        bench.server.sql(&bench.database, "TRUNCATE grantor.record").await;
        apply(&bench.direct, &insert(whole.clone())).await;
        let mut seen = find(&bench.direct, whole.key).await.unwrap();
        let damaged = format!("UPDATE grantor.record SET {damage}");
        bench.server.sql(&bench.database, &damaged).await;
        // Where the name itself is damaged the record is not found, and that is right; a list meets it all the same.
        if !["kind", "partition", "id"].contains(&damage.split(' ').next().unwrap()) {
            let answer = bench.direct.load(&[whole.key]).await;
            assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{damage}: {answer:?}");
        }
        if !["kind", "tenant"].contains(&damage.split(' ').next().unwrap()) {
            let page = Page { after: None, limit: 10 };
            let answer = bench.direct.list(&Query::new(TENANT, Kind::ACCESS_TOKEN), &page).await;
            assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{damage}: {answer:?}");
        }
        Arc::make_mut(&mut seen).revision = 1;
        assert_eq!(*seen, whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_is_corrupt_and_leaves_nothing() {
    let bench = Bench::new(OPTIONS).await;
    let labelled = |name: &str| {
        let labels = Labels { name: name.into(), public_id: "id".into(), class: "class".into() };
        Record { labels: Some(Box::new(labels)), ..token(1) }
    };
    let elsewhere = Key { partition: Partition(1), ..key(Kind::GRANT, 1) };
    let astray = Record { parent: Some(Link { key: elsewhere, epoch: 0 }), ..token(1) };
    for odd in [labelled("nul\0"), astray] {
        let writes = vec![Write::Insert(grant(1).into()), Write::Insert(odd.into())];
        let answer = bench.direct.commit(&commit(Vec::new(), writes)).await;
        assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
    }
    assert!(find(&bench.direct, grant(1).key).await.is_none());
    // Nothing has such a label, so nothing is found by it.
    apply(&bench.direct, &insert(labelled("nul"))).await;
    let query = Query { search: Some("nul\0".into()), ..Query::new(TENANT, Kind::ACCESS_TOKEN) };
    let listing = bench.direct.list(&query, &Page { after: None, limit: 10 }).await.unwrap();
    assert!(listing.records.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_any_length_is_listed_in_order() {
    let bench = Bench::new(OPTIONS).await;
    // No entry of an index may be as long, and the first hundred characters of all are the same.
    let noise = |seed: u32| {
        let step = |word: &u32| Some(word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), step)
            .take(6_000)
            .map(|word| char::from(b'a' + (word >> 24) as u8 % 26))
            .collect::<String>()
    };
    let mut names: Vec<String> = (1..8).map(|seed| format!("{}{}", "n".repeat(120), noise(seed))).collect();
    for (number, name) in (1..).zip(&names) {
        let labels = Labels { name: name.clone(), public_id: String::new(), class: String::new() };
        apply(&bench.direct, &insert(Record { labels: Some(Box::new(labels)), ..record(key(Kind::CLIENT, number)) }))
            .await;
    }
    names.sort();
    let query = Query { order: Order::Name, ..Query::new(TENANT, Kind::CLIENT) };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listing = bench.direct.list(&query, &Page { after, limit: 3 }).await.unwrap();
        found.extend(listing.records.iter().map(|record| record.labels.as_ref().unwrap().name.clone()));
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_flush_is_refused_unless_loss_is_accepted() {
    let server = Server::start(&["fsync=off"]);
    let url = server.url("postgres");
    let answer = PostgresStore::open(&url, OPTIONS).await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("fsync")), "{answer:?}");
    let store = PostgresStore::open(&url, OPTIONS.danger_accept_loss()).await.unwrap();
    assert_eq!(store.durability(), grantor::store::Durability::Weak);
    apply(&store, &pair(1)).await;
}

#[tokio::test]
async fn a_url_that_asks_for_tls_is_refused_and_the_password_is_not_shown() {
    let answer = PostgresStore::connect("postgres://a:secret-word@db.example/x?sslmode=require", OPTIONS);
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("TLS")), "{answer:?}");
    let store = PostgresStore::connect("postgres://a:secret-word@db.example/x", OPTIONS).unwrap();
    assert!(!format!("{store:?}").contains("secret-word"));
}
