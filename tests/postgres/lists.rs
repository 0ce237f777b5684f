//! A page of a long list is found by an index.

use grantor::store::{
    Cursor, Kind, Order, Page, Partition, PostgresOptions, PostgresStore, Query, State, Store as _, Write,
};

use super::records::{TENANT, apply, commit, grant, insert, key, token};
use super::server::Server;

/// 60,000 records of two kinds and two servers, a third with labels, in many partitions.
const MANY: &str = r"INSERT INTO grantor.record (
        created_at, expires_at, purge_after, revision, epoch, partition, kind, state, id, tenant, payload,
        client_partition, client_kind, client_id, client_epoch, name, public_id, class)
    SELECT n / 3, 1, n, 1, 0, n % 5000, 4 + n % 2, 1, sha256(n::text::bytea), decode(repeat(CASE n % 7 WHEN 0 THEN '5a' ELSE 'a5' END, 16), 'hex'),
        '', 9, 1, sha256((n % 50)::text::bytea), 0,
        CASE WHEN n % 3 = 0 THEN 'name ' || n % 1000 END, CASE WHEN n % 3 = 0 THEN 'id' || n END, CASE WHEN n % 3 = 0 THEN 'basic' END
    FROM generate_series(1, 60000) AS n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_a_list_and_no_purge_reads_the_whole_table() {
    let server = Server::shared();
    let database = server.tables().await;
    let options = PostgresOptions::new().connections(1);
    server.sql(&database, MANY).await;
    server.sql(&database, "VACUUM ANALYZE grantor.record").await;
    let before = scans(server, &database).await;
    let store = PostgresStore::connect(&server.url(&database), options).unwrap();
    let queries = [
        Query::new(TENANT, Kind::GRANT),
        Query { state: Some(State::Live), ..Query::new(TENANT, Kind::GRANT) },
        Query { class: Some("basic".into()), ..Query::new(TENANT, Kind::GRANT) },
        Query { client: Some(key(Kind::CLIENT, 1)), ..Query::new(TENANT, Kind::GRANT) },
        Query { partition: Some(Partition(7)), ..Query::new(TENANT, Kind::GRANT) },
    ];
    for query in queries {
        for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
            let query = Query { order, ..query.clone() };
            let first = store.list(&query, &Page { after: None, limit: 20 }).await.unwrap();
            let middle = Cursor {
                created_at: grantor::clock::Timestamp::from_millis(10_000),
                name: "name 5".into(),
                key: key(Kind::GRANT, 1),
            };
            for after in first.next.into_iter().chain([middle]) {
                store.list(&query, &Page { after: Some(after), limit: 20 }).await.unwrap();
            }
        }
    }
    let search = Query { search: Some("77".into()), order: Order::Name, ..Query::new(TENANT, Kind::GRANT) };
    store.list(&search, &Page { after: None, limit: 20 }).await.unwrap();
    store.purge(grantor::clock::Timestamp::from_millis(2_000), 500).await.unwrap();
    drop(store);
    assert_eq!(scans(server, &database).await, before);
}

/// A plan that was made while the table was new is kept until somebody looks at what is in it now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_reads_only_what_it_asks_for_also_by_a_plan_from_when_the_table_was_empty() {
    let server = Server::shared();
    let database = server.tables().await;
    let store = PostgresStore::connect(&server.url(&database), PostgresOptions::new().connections(1)).unwrap();
    let client = grant(1);
    for _ in 0..10 {
        assert!(store.load(&[client.key]).await.unwrap()[0].is_none());
    }
    apply(&store, &insert(client.clone())).await;
    let tokens = (0..1_000).map(|number| Write::Insert(token(number).into())).collect();
    apply(&store, &commit(Vec::new(), tokens)).await;
    for _ in 0..10 {
        assert!(store.load(&[client.key]).await.unwrap()[0].is_some());
    }
    drop(store);
    scans(server, &database).await;
    let read =
        "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE schemaname = 'grantor' AND indexrelname = 'record_pkey'";
    let read: u64 = server.sql(&database, read).await.unwrap()[0].as_ref().unwrap().parse().unwrap();
    assert!(read < 100, "ten loads of one record have read {read} entries of the index");
}

/// How often the table was read as a whole. A session tells what it did when it ends.
async fn scans(server: &Server, database: &str) -> Option<String> {
    let busy =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'grantor'";
    while server.sql(database, busy).await.unwrap()[0] != Some("0".into()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = 'grantor' AND relname = 'record'";
    server.sql(database, scans).await.unwrap()[0].clone()
}
