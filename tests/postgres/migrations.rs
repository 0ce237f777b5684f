//! Many nodes start at once, with one schema.

use grantor::store::{PostgresOptions, PostgresStore};

use super::records::{apply, insert, token};
use super::server::Server;

// The shared server does not flush, and would be refused.
const OPTIONS: PostgresOptions = PostgresOptions::new().danger_accept_loss();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_nodes_that_start_together_make_one_schema() {
    let server = Server::shared();
    for isolation in ["read committed", "repeatable read", "serializable"] {
        let database = server.database().await;
        let level = format!("ALTER DATABASE {database} SET default_transaction_isolation = '{isolation}'");
        server.sql("postgres", &level).await;
        let nodes: Vec<_> = (0..16)
            .map(|number| {
                let url = server.url(&database);
                tokio::spawn(async move {
                    let store = PostgresStore::open(&url, OPTIONS.connections(1)).await.unwrap();
                    apply(&store, &insert(token(number))).await;
                })
            })
            .collect();
        for node in nodes {
            node.await.unwrap();
        }
        let applied =
            server.sql(&database, "SELECT string_agg(number::text, ',' ORDER BY number) FROM grantor.migration");
        let all: Vec<String> = PostgresStore::migrations().iter().map(|it| it.number.to_string()).collect();
        assert_eq!(applied.await.unwrap()[0], Some(all.join(",")));
        assert_eq!(server.sql(&database, "SELECT count(*) FROM grantor.record").await.unwrap()[0], Some("16".into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_may_apply_the_steps_itself_and_the_nodes_then_need_no_right_to() {
    let server = Server::shared();
    let database = server.database().await;
    for migration in PostgresStore::migrations() {
        server.sql(&database, &format!("BEGIN; {}; COMMIT", migration.sql)).await;
    }
    let grants = format!(
        "CREATE ROLE {database}_node LOGIN; GRANT USAGE ON SCHEMA grantor TO {database}_node; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON grantor.record, grantor.event TO {database}_node; \
         GRANT SELECT ON grantor.migration TO {database}_node; \
         GRANT USAGE, SELECT ON SEQUENCE grantor.event_position TO {database}_node"
    );
    server.sql(&database, &grants).await;
    let url = server.url(&database).replace("user=postgres", &format!("user={database}_node"));
    let store = PostgresStore::open(&url, OPTIONS.keep_events()).await.unwrap();
    apply(&store, &insert(token(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_fails_leaves_nothing() {
    let server = Server::shared();
    let database = server.database().await;
    // In the way of the second step.
    server.sql(&database, "CREATE SCHEMA grantor; CREATE FUNCTION grantor.event_horizon_v1() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'").await;
    PostgresStore::open(&server.url(&database), OPTIONS).await.unwrap_err();
    let there = server.sql(&database, "SELECT to_regclass('grantor.record') IS NOT NULL").await;
    assert_eq!(there.unwrap()[0], Some("f".into()));
    server.sql(&database, "DROP FUNCTION grantor.event_horizon_v1()").await;
    PostgresStore::open(&server.url(&database), OPTIONS).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_in_pieces_has_the_same_columns() {
    let server = Server::shared();
    let (plain, pieces) = (server.database().await, server.database().await);
    server.sql(&pieces, PostgresStore::hash_partitioned()).await;
    let mut columns = Vec::new();
    for database in [plain, pieces] {
        PostgresStore::open(&server.url(&database), OPTIONS).await.unwrap();
        let all = "SELECT string_agg(concat_ws(' ', column_name, data_type, is_nullable, collation_name), ',' ORDER BY ordinal_position) \
            FROM information_schema.columns WHERE table_schema = 'grantor' AND table_name = 'record'";
        columns.push(server.sql(&database, all).await.unwrap());
    }
    assert_eq!(columns[0], columns[1]);
}
