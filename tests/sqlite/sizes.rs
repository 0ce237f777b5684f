//! What a grant takes, for `docs/stores/sqlite.md`. `GRANTOR_GRANTS` says of how many it is measured: CONTRIBUTING.md.

use std::path::Path;

use rusqlite::Connection;

use super::database::Directory;
use super::flow::{World, text};

/// How many records there are of what hangs on a user, and how many bytes all of it takes.
fn taken(file: &Path) -> (u64, u64) {
    let connection = Connection::open(file).unwrap();
    let ask = |what: &str| connection.query_row(what, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    // Not the log, which does not grow with what there is.
    let pages = ask("PRAGMA page_count") - ask("PRAGMA freelist_count");
    (ask("SELECT count(*) FROM record WHERE kind NOT IN (1, 9)"), pages * ask("PRAGMA page_size"))
}

#[tokio::test]
async fn a_grant_takes_no_more_room_than_its_page_says() {
    let grants: u64 = std::env::var("GRANTOR_GRANTS").map_or(200, |grants| grants.parse().unwrap());
    let directory = Directory::new();
    let file = directory.file();
    let world = World::new(&file).await;
    let (_, empty) = taken(&file);
    let mut refreshes = Vec::new();
    for number in 0..grants {
        let code = world.code_of(&format!("user{number}")).await;
        refreshes.push(text(&world.redeem(&code).await.1, "refresh_token"));
    }
    let (rows, bytes) = taken(&file);
    let grant = (bytes - empty) / grants;
    println!("signed in: {rows} rows of {grants} grants, {grant} bytes for each");
    // This host decides at once, so there is no mark of a sign-in.
    assert_eq!(rows, 5 * grants);
    assert!(grant < 3_000, "{grant} bytes for a grant");
    for refresh in &mut refreshes {
        *refresh = text(&world.refresh(refresh).await.1, "refresh_token");
    }
    let (rows, after) = taken(&file);
    let refresh = (after - bytes) / grants;
    println!("refreshed once: {rows} rows, {refresh} bytes for each more");
    assert_eq!(rows, 7 * grants);
    assert!(refresh < 1_000, "{refresh} bytes for a refresh");
    for _ in 0..grants {
        text(&world.own().await.1, "access_token");
    }
    let (rows, all) = taken(&file);
    let own = (all - after) / grants;
    println!("and a token of a client itself for each: {rows} rows, {own} bytes");
    assert_eq!(rows, 8 * grants);
    assert!(own < 600, "{own} bytes for a token of a client itself");
}
