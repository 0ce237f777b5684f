//! Every page of every list is one walk along one index, however much there is. `GRANTOR_POPULATION` says how much:
//! CONTRIBUTING.md.

use std::path::Path;

use async_trait::async_trait;
use grantor::store::{Order, Page, Query, SqliteStore, State};
use rusqlite::{Connection, params};

use super::database::Directory;
use super::planned::{Asked, Explained, World, population};

#[async_trait]
impl Explained for SqliteStore {
    async fn explain(&self, query: &Query, page: &Page) -> Vec<String> {
        self.plan(query, page).await.unwrap()
    }
}

/// Grants of many users with many clients, beside those of alice and of `web`, which have far more than others. The
/// records are copies of what the server has written; the indexes are made afterwards, which is quicker.
fn populate(file: &Path, grants: u32) {
    let mut connection = Connection::open(file).unwrap();
    connection
        .execute_batch("PRAGMA cache_size = -200000; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY")
        .unwrap();
    let clients = grants / 10;
    let transaction = connection.transaction().unwrap();
    let indexes: Vec<(String, String)> = {
        let made =
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'record' AND sql IS NOT NULL";
        let mut made = transaction.prepare(made).unwrap();
        made.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    for (name, _) in &indexes {
        transaction.execute(&format!("DROP INDEX {name}"), []).unwrap();
    }
    // Random bytes are drawn once for each row, and kept: what shares a partition must agree about it.
    let draw = "WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ?1) \
        SELECT i, randomblob(2) AS home, randomblob(32) AS id FROM number";
    transaction.execute(&format!("CREATE TEMP TABLE client AS {draw}"), [clients]).unwrap();
    transaction.execute(&format!("CREATE TEMP TABLE granted AS {draw}"), [grants]).unwrap();
    transaction
        .execute_batch(
            "CREATE UNIQUE INDEX temp.client_number ON client (i);
             CREATE TEMP TABLE web AS SELECT * FROM record WHERE kind = 1 AND public_id = 'web';
             CREATE TEMP TABLE seldom AS SELECT * FROM record WHERE kind = 1 AND public_id = 'seldom';
             CREATE TEMP TABLE one AS SELECT * FROM record WHERE kind IN (3, 4) AND client = (SELECT key FROM web);
             CREATE TEMP TABLE personal AS SELECT * FROM record WHERE kind = 4 AND class = 'personal_token';",
        )
        .unwrap();
    let insert = "INSERT INTO record (key, kind, tenant, revision, state, epoch, client, client_epoch, subject, \
        subject_epoch, name, public_id, class, created_at, expires_at, purge_after, payload)";
    // What `||` joins is text to SQLite, whatever it was.
    let key = |of: &str, kind: &str| format!("CAST({of}.home || {kind} || {of}.id AS BLOB)");
    let (client_key, owner) = (key("client", "x'01'"), key("granted", "x'02'"));
    let kind_of = |table: &str| {
        format!("CASE {table}.kind WHEN 3 THEN x'03' WHEN 4 THEN x'04' WHEN 41 THEN x'29' ELSE x'2a' END")
    };
    let client = format!(
        "SELECT {client_key}, 1, tenant, 1, CASE WHEN i % 1000 = 7 THEN 2 ELSE 1 END, i, NULL, NULL, NULL, NULL, \
         'Client ' || (i * 7919 % 100003), 'made' || i, class, created_at + i, expires_at, purge_after, payload \
         FROM client, web ORDER BY 1"
    );
    let other = format!(
        "SELECT {grant}, one.kind, one.tenant, 1, CASE WHEN granted.i % 5 = 4 THEN 3 ELSE 1 END, one.epoch, \
         CASE WHEN granted.i <= 10 THEN seldom.key WHEN granted.i % 4 = 0 THEN one.client ELSE {client_key} END, \
         CASE WHEN granted.i <= 10 THEN seldom.epoch WHEN granted.i % 4 = 0 THEN one.client_epoch ELSE client.i END, \
         {owner}, 0, NULL, NULL, NULL, one.created_at + granted.i, one.expires_at, one.purge_after, one.payload \
         FROM granted JOIN client ON client.i = granted.i % ?1 + 1, one, seldom ORDER BY 1",
        grant = key("granted", &kind_of("one"))
    );
    let alices = "SELECT CAST(substr(key, 1, 3) || id AS BLOB), kind, tenant, 1, 1, epoch, client, client_epoch, subject, 0, \
        NULL, NULL, NULL, created_at + i, expires_at, purge_after, payload FROM granted, one WHERE i <= 300";
    let personal = format!(
        "SELECT {grant}, 4, tenant, 1, 1, epoch, client, client_epoch, {owner}, 0, \
         printf('%020d', expires_at + i), public_id, class, created_at + i, expires_at + i, purge_after, payload \
         FROM granted, personal WHERE i % 10 = 0",
        grant = key("granted", "x'04'")
    )
    // One more of the owner, beside what they have let in.
    .replacen("granted.id", "substr(granted.id, 2) || x'07'", 1);
    let registered = format!(
        "SELECT {key}, kinds.kind, tenant, 1, 1, 0, {client_key}, i, NULL, NULL, NULL, NULL, NULL, created_at + i, \
         expires_at, expires_at, x'' FROM client, web, (SELECT 41 AS kind UNION SELECT 42) AS kinds WHERE i % 4 = 0",
        key = key("client", &kind_of("kinds"))
    );
    transaction.execute(&[insert, &client].concat(), []).unwrap();
    transaction.execute(&[insert, &other].concat(), params![clients]).unwrap();
    for rows in [alices, &personal, &registered] {
        transaction.execute(&[insert, rows].concat(), []).unwrap();
    }
    for (_, sql) in &indexes {
        transaction.execute(sql, []).unwrap();
    }
    transaction.commit().unwrap();
}

/// One walk along one index, which gives the order too, but among what was made at one moment. What is filtered by names is found in the index
/// alone, and only the page is read and sorted; what a partition narrows is what one user has, and is sorted as a whole.
fn judge(asked: &Asked) -> Result<(), String> {
    let Query { partition, client, order, state, search, class, .. } = &asked.query;
    let named = *order == Order::Name || search.is_some() || class.is_some();
    let usual = matches!(state, None | Some(State::Live));
    let (index, sorts): (_, &[&str]) = match (partition, client, named, order, usual) {
        (Some(_), _, _, _, _) => ("SEARCH record USING PRIMARY KEY (key>? AND key<?)", &["all"]),
        (None, Some(_), _, _, _) => {
            ("SEARCH record USING INDEX record_by_client (client=? AND kind=?", &["among equals"])
        }
        (None, None, true, Order::Name, _) => {
            ("SEARCH record USING COVERING INDEX record_by_name (tenant=? AND kind=?", &["all"])
        }
        (None, None, true, _, _) => {
            ("SEARCH record USING COVERING INDEX record_named_by_time (tenant=? AND kind=?", &["among equals", "all"])
        }
        (None, None, false, _, true) => {
            ("SEARCH record USING INDEX record_by_time (tenant=? AND kind=?", &["among equals"])
        }
        (None, None, false, _, false) => {
            ("SEARCH record USING INDEX record_by_state (tenant=? AND kind=? AND state=?", &["among equals"])
        }
    };
    let mut sorts = sorts.iter();
    let mut walks = 0;
    for step in &asked.plan {
        let sort = match step.strip_prefix("USE TEMP B-TREE FOR ") {
            Some("ORDER BY") => Some("all"),
            // Its words differ with the number of terms, and with the version.
            Some(part) if part.ends_with(" OF ORDER BY") => Some("among equals"),
            Some(_) => return Err(format!("{step}: sorts something else")),
            None => None,
        };
        match (step.as_str(), sort) {
            // In the order in which they may come; those of one walk from the oldest on need none.
            (_, Some(sort)) if sorts.any(|may| *may == sort) => {}
            (_, Some(_)) => return Err(format!("{step}: it sorts more than it shows")),
            (step, None) if step.starts_with(index) => walks += 1,
            // The page of a list by name.
            ("SEARCH record USING PRIMARY KEY (key=?)" | "LIST SUBQUERY 1", None) if named => {}
            (step, None) => return Err(format!("{step}: expected {index}")),
        }
    }
    if walks == 1 { Ok(()) } else { Err(format!("{walks} walks")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_every_list_is_one_walk_along_an_index() {
    let directory = Directory::new();
    let file = directory.file();
    let world = World::over(SqliteStore::open(&file).await.unwrap()).await;
    let began = std::time::Instant::now();
    populate(&file, population());
    println!("{} grants in {:.1} s, {} MB", population(), began.elapsed().as_secs_f64(), size(&file) / 1_000_000);
    world.explain(judge).await;
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}
