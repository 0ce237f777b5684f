//! A standby that is promoted under load has lost nothing. `GRANTOR_POSTGRES_ROUNDS` says how often it is tried: CONTRIBUTING.md.

use std::time::Duration;

use grantor::store::{PostgresOptions, PostgresStore, Store as _, StoreError};

use super::crash::Load;
use super::records::{apply, insert, token};
use super::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_not_spoken_to_and_takes_no_commit_where_the_host_insists() {
    let primary = Server::start(&[]);
    let written = PostgresStore::open(&primary.url("postgres"), PostgresOptions::new()).await.unwrap();
    apply(&written, &insert(token(1))).await;
    let standby = tokio::task::block_in_place(|| primary.standby());
    let options = PostgresOptions::new().wait(Duration::from_secs(5));
    // It may trail: a token that was revoked would be live on it.
    let careful = PostgresStore::connect(&standby.url("postgres"), options).unwrap();
    let answer = careful.load(&[token(1).key]).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let url = format!("{} target_session_attrs=any", standby.url("postgres"));
    let insisting = PostgresStore::connect(&url, options).unwrap();
    assert!(insisting.load(&[token(1).key]).await.unwrap()[0].is_some());
    let answer = insisting.commit(&insert(token(2))).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    apply(&written, &insert(token(2))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_promoted_under_load_has_lost_nothing_that_was_acknowledged() {
    let rounds = std::env::var("GRANTOR_POSTGRES_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let mut primary = Server::start(&[]);
        let standby = primary.standby();
        let synchronous = "ALTER SYSTEM SET synchronous_standby_names = '*'";
        primary.sql("postgres", synchronous).await;
        primary.sql("postgres", "SELECT pg_reload_conf()").await;
        let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while primary.sql("postgres", state).await.unwrap()[0] != Some("1".into()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The store finds the one of the two that takes writes.
        let url = format!(
            "host={},{} port={},{} user=postgres dbname=postgres",
            primary.dir.display(),
            standby.dir.display(),
            primary.port,
            standby.port
        );
        let options = PostgresOptions::new().keep_events().wait(Duration::from_secs(5));
        let store = PostgresStore::open(&url, options).await.unwrap();
        let load = Load::on(store.clone());
        let writers = load.run();
        load.reaches(500).await;
        tokio::task::block_in_place(|| primary.kill());
        let before = load.applied();
        standby.sql("postgres", "SELECT pg_promote()").await;
        load.reaches(before + 300).await;
        load.end();
        for writer in writers {
            writer.await.unwrap();
        }
        let doubtful = load.check(&store).await;
        println!("round {round}: {before} acknowledged before, {} in all, {doubtful} in doubt", load.applied());
    }
}
