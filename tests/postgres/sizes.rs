//! What a grant takes, for `docs/stores/postgres.md`. `GRANTOR_GRANTS` says of how many it is measured: CONTRIBUTING.md.

use super::flow::{nodes, tokens};
use super::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_takes_no_more_room_than_its_page_says() {
    let grants: i64 = std::env::var("GRANTOR_GRANTS").map_or(200, |grants| grants.parse().unwrap());
    let server = Server::shared();
    let (database, nodes) = nodes(server).await;
    let asked = async |what: &str| {
        let asked = format!("SELECT {what} FROM grantor.record");
        server.sql(&database, &asked).await.unwrap()[0].clone().unwrap().parse::<i64>().unwrap()
    };
    // Rows and bytes for each grant, beyond what a client takes.
    let taken = async |name: &str| {
        server.sql(&database, "VACUUM ANALYZE grantor.record").await;
        let rows = asked("count(*) FILTER (WHERE kind NOT IN (1, 9))").await;
        let bytes = [
            asked("max(pg_table_size('grantor.record'))").await,
            asked("max(pg_indexes_size('grantor.record'))").await,
        ];
        println!(
            "{name}: {rows} rows of {grants} grants, {} bytes of table and {} of indexes for each",
            bytes[0] / grants,
            bytes[1] / grants
        );
        let kinds = "SELECT string_agg(format('kind %s: %s rows of %s bytes', kind, count, size), '; ' ORDER BY kind) FROM \
            (SELECT kind, count(*), avg(pg_column_size(r.*))::int AS size FROM grantor.record r GROUP BY kind) AS k";
        println!("{}", server.sql(&database, kinds).await.unwrap()[0].clone().unwrap());
        (rows, (bytes[0] + bytes[1]) / grants)
    };
    let mut refreshes = Vec::new();
    for number in 0..grants {
        let code = nodes[0].code(&format!("user{number}")).await;
        refreshes.push(tokens(&nodes[0].redeem(&code).await).1);
    }
    let (rows, bytes) = taken("signed in").await;
    // This host decides at once, so there is no mark of a sign-in.
    assert_eq!(rows, 5 * grants);
    // Few grants do not fill the pages that the table and its indexes begin with.
    assert!(bytes < 3_000 + 16 * 8_192 / grants, "{bytes} bytes for a grant");
    for refresh in &mut refreshes {
        *refresh = tokens(&nodes[0].refresh(refresh).await).1;
    }
    let (rows, after) = taken("refreshed once").await;
    assert_eq!(rows, 7 * grants);
    assert!(after < bytes + 1_000, "{after} bytes for a grant that was refreshed");
    for _ in 0..grants {
        assert_eq!(nodes[0].own().await.0, http::StatusCode::OK);
    }
    let (rows, all) = taken("and a token of the client itself for each").await;
    assert_eq!(rows, 8 * grants);
    assert!(all < after + 600, "{all} bytes with a token of the client itself");
}
