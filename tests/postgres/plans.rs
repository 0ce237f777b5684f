//! Every page of every list is one walk along one index, however much there is. `GRANTOR_POPULATION` says how much:
//! CONTRIBUTING.md.

#![allow(clippy::disallowed_methods, reason = "a test may look at the clock")]

use async_trait::async_trait;
use grantor::store::{Order, Page, PostgresOptions, PostgresStore, Query, State};

use super::planned::{Asked, Explained, World, population};
use super::server::Server;

#[async_trait]
impl Explained for PostgresStore {
    async fn explain(&self, query: &Query, page: &Page) -> Vec<String> {
        self.plan(query, page).await.unwrap()
    }
}

/// Grants of many users with many clients, beside those of alice and of `web`, which have far more than others. The
/// records are copies of what the server has written.
fn populate(grants: u32) -> String {
    let clients = grants / 10;
    let insert = "INSERT INTO grantor.record (revision, partition, id, kind, state, tenant, epoch, client_partition, \
        client_kind, client_id, client_epoch, subject_kind, subject_id, subject_epoch, name, public_id, class, \
        created_at, expires_at, purge_after, payload)";
    let home = "(i::bigint * 40503 % 65536)::integer";
    let digest = |of: &str| format!("sha256(('{of} ' || i)::bytea)");
    let client = "(i::bigint % CLIENTS + 1)";
    let client_home = format!("({client} * 40503 % 65536)::integer").replace("CLIENTS", &clients.to_string());
    let client_id = format!("sha256(('client ' || {client})::bytea)").replace("CLIENTS", &clients.to_string());
    let client = client.replace("CLIENTS", &clients.to_string());
    let (id, owner) = (digest("grant"), digest("owner"));
    [
        "CREATE TEMP TABLE web AS SELECT * FROM grantor.record WHERE kind = 1 AND public_id = 'web'".to_owned(),
        "CREATE TEMP TABLE seldom AS SELECT * FROM grantor.record WHERE kind = 1 AND public_id = 'seldom'".to_owned(),
        "CREATE TEMP TABLE one AS SELECT r.* FROM grantor.record r, web WHERE r.kind IN (3, 4) AND r.client_id = web.id"
            .to_owned(),
        "CREATE TEMP TABLE personal AS SELECT * FROM grantor.record WHERE kind = 4 AND class = 'personal_token'".to_owned(),
        format!(
            "{insert} SELECT 1, {home}, {id}, 1, CASE WHEN i % 1000 = 7 THEN 2 ELSE 1 END, tenant, i, NULL, NULL, NULL, \
             NULL, NULL, NULL, NULL, 'Client ' || (i::bigint * 7919 % 100003), 'made' || i, class, created_at + i, \
             expires_at, purge_after, payload FROM generate_series(1, {clients}) AS i, web",
            id = digest("client")
        ),
        format!(
            "{insert} SELECT 1, {home}, {id}, one.kind, CASE WHEN i % 5 = 4 THEN 3 ELSE 1 END, one.tenant, one.epoch, \
             CASE WHEN i <= 10 THEN seldom.partition WHEN i % 4 = 0 THEN one.client_partition ELSE {client_home} END, 1, \
             CASE WHEN i <= 10 THEN seldom.id WHEN i % 4 = 0 THEN one.client_id ELSE {client_id} END, \
             CASE WHEN i <= 10 THEN seldom.epoch WHEN i % 4 = 0 THEN one.client_epoch ELSE {client} END, \
             2, {owner}, 0, NULL, NULL, NULL, one.created_at + i, one.expires_at, one.purge_after, one.payload \
             FROM generate_series(1, {grants}) AS i, one, seldom"
        ),
        format!(
            "{insert} SELECT 1, partition, {id}, kind, 1, tenant, epoch, client_partition, client_kind, client_id, \
             client_epoch, subject_kind, subject_id, 0, NULL, NULL, NULL, created_at + i, expires_at, purge_after, \
             payload FROM generate_series(1, 300) AS i, one",
            id = digest("alice")
        ),
        format!(
            "{insert} SELECT 1, {home}, {id}, kind, 1, tenant, epoch, client_partition, client_kind, client_id, \
             client_epoch, 2, {owner}, 0, lpad((expires_at + i)::text, 20, '0'), public_id, class, created_at + i, \
             expires_at + i, purge_after, payload FROM generate_series(1, {grants} / 10) AS i, personal",
            id = digest("personal")
        ),
        format!(
            "{insert} SELECT 1, {home}, {id}, kinds.kind, 1, tenant, 0, {home}, 1, {id}, i, NULL, NULL, NULL, NULL, NULL, \
             NULL, created_at + i, expires_at, expires_at, '' \
             FROM generate_series(1, {clients} / 4) AS i, web, (VALUES (41), (42)) AS kinds (kind)",
            id = digest("client")
        ),
    ]
    .join(";\n")
}

/// Where there are so many grants, the planner decides by itself. Among fewer it would rather sort a table that is small anyway, so it is told not to: then
/// a plan shows that there is a walk in order for it to take.
const MANY: u32 = 200_000;

/// A walk along one index. The rest of the order is sorted among those that were made at one moment, or bear one name;
/// and what one user has, is sorted as a whole.
fn judge(asked: &Asked) -> Result<(), String> {
    let plan = asked.plan.join("\n");
    let narrow = asked.query.partition.is_some();
    let rare = matches!(asked.query.state, Some(State::Inactive | State::Revoked | State::Deleted));
    let indexes: &[&str] = match (narrow, asked.query.client, asked.query.order) {
        (true, _, _) => &["record_pkey"],
        (false, Some(_), _) => &["record_by_client", "record_by_time"],
        (false, None, Order::Name) if rare => &["record_by_name", "record_by_state"],
        (false, None, _) if rare => &["record_by_state"],
        (false, None, Order::Name) => &["record_by_name"],
        (false, None, _) if asked.query.class.is_some() => &["record_by_name", "record_by_time"],
        (false, None, _) => &["record_by_time"],
    };
    let found = |way: &str| indexes.iter().any(|index| plan.contains(&format!("{way}{index}")));
    let walks = ["Index Scan using ", "Index Scan Backward using ", "Index Scan on "];
    if plan.matches("Scan").count() > 1 + usize::from(plan.contains("Bitmap")) || !walks.iter().any(|way| found(way)) {
        return Err(format!("is not found by one of {indexes:?}"));
    }
    // The few that are not live may be sorted by name, and so may, among many, what one client has, and what authenticates in an unusual way.
    let filtered = asked.query.client.is_some() || asked.query.class.is_some();
    let few = narrow || rare || (filtered && population() >= MANY);
    if !few && plan.lines().any(|line| line.trim_start_matches([' ', '-', '>']) == "Sort") {
        return Err("is sorted".into());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_every_list_is_one_walk_along_an_index() {
    let server = Server::shared();
    let database = server.tables().await;
    if population() < MANY {
        for way in ["bitmapscan", "seqscan", "sort"] {
            server.sql("postgres", &format!("ALTER DATABASE {database} SET enable_{way} = off")).await;
        }
    }
    let options = PostgresOptions::new().danger_accept_loss();
    let store = PostgresStore::connect(&server.url(&database), options).unwrap();
    let world = World::over(store).await;
    let began = std::time::Instant::now();
    server.sql(&database, &populate(population())).await;
    server.sql(&database, "VACUUM ANALYZE grantor.record").await;
    println!("{} grants in {:.1} s", population(), began.elapsed().as_secs_f64());
    world.explain(judge).await;
}
