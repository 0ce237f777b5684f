//! One round trip for each load and each commit.

use grantor::clock::Timestamp;
use grantor::store::{
    Condition, Kind, Outbox as _, Page, PostgresOptions, PostgresStore, Query, State, Store as _, Write,
};

use super::proxy::Proxy;
use super::records::{NOW, TENANT, apply, commit, event, grant, insert, spend, token};
use super::server::Server;

async fn behind_a_proxy(options: PostgresOptions) -> (Proxy, PostgresStore) {
    let server = Server::shared();
    let database = server.tables().await;
    let proxy = Proxy::before(server.port).await;
    let url = Server::url_over_tcp(&database, proxy.port);
    (proxy, PostgresStore::connect(&url, options).unwrap())
}

/// Every operation, and how many round trips each took.
async fn counted(options: PostgresOptions) -> Vec<(&'static str, u32)> {
    let (proxy, store) = behind_a_proxy(options).await;
    let mut trips = Vec::new();
    apply(&store, &insert(grant(1))).await;
    proxy.take_trips();

    let keys: Vec<_> = (0..20).map(|number| token(number).key).collect();
    store.load(&keys).await.unwrap();
    trips.push(("load of 20", proxy.take_trips()));
    store.load(&[]).await.unwrap();
    trips.push(("load of none", proxy.take_trips()));
    let live = Condition::Live { key: grant(1).key, epoch: 0 };
    let mut many = commit(vec![live], (0..10).map(|number| Write::Insert(token(number).into())).collect());
    many.writes.push(spend(grant(1).key));
    many.events = vec![event(1).await, event(2).await];
    apply(&store, &many).await;
    trips.push(("commit of 11 writes and 2 events", proxy.take_trips()));
    let _ = store.commit(&many).await.unwrap();
    trips.push(("refused commit", proxy.take_trips()));
    let set = Write::SetState { key: grant(1).key, state: State::Revoked };
    let _ = store.commit(&commit(Vec::new(), vec![set, Write::Insert(token(3).into())])).await.unwrap();
    trips.push(("commit refused at its second write", proxy.take_trips()));
    let page = Page { after: None, limit: 10 };
    store.list(&Query::new(TENANT, Kind::ACCESS_TOKEN), &page).await.unwrap();
    trips.push(("list", proxy.take_trips()));
    store.purge(NOW, 100).await.unwrap();
    trips.push(("purge", proxy.take_trips()));
    store.events_after(TENANT, None, 10).await.unwrap();
    trips.push(("events", proxy.take_trips()));
    trips
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_and_a_commit_take_one_round_trip_each() {
    let expected = [
        ("load of 20", 1),
        ("load of none", 0),
        ("commit of 11 writes and 2 events", 1),
        ("refused commit", 1),
        ("commit refused at its second write", 1),
        ("list", 1),
        ("purge", 1),
        ("events", 2),
    ];
    assert_eq!(counted(PostgresOptions::new().keep_events().connections(1)).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_takes_one_more_on_the_first_use_of_a_connection_and_one_after() {
    let (proxy, store) = behind_a_proxy(PostgresOptions::new().prepared_statements().connections(1)).await;
    apply(&store, &insert(grant(1))).await;
    store.load(&[grant(1).key]).await.unwrap();
    proxy.take_trips();
    for number in 2..5 {
        apply(&store, &insert(grant(number))).await;
        assert_eq!(proxy.take_trips(), 1);
        store.load(&[grant(number).key]).await.unwrap();
        assert_eq!(proxy.take_trips(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_of_many_goes_in_pieces() {
    let (proxy, store) = behind_a_proxy(PostgresOptions::new().connections(1)).await;
    let mut many = commit(Vec::new(), Vec::new());
    for number in 0..1_200 {
        let due = grantor::store::Record { purge_after: Timestamp::from_secs(number), ..token(number.unsigned_abs()) };
        many.writes.push(Write::Insert(due.into()));
    }
    apply(&store, &many).await;
    proxy.take_trips();
    let purged = store.purge(NOW, 1_100).await.unwrap();
    assert_eq!((purged.removed, purged.more), (1_100, true));
    assert_eq!(proxy.take_trips(), 3, "500, 500 and 100");
    let purged = store.purge(NOW, 1_100).await.unwrap();
    assert_eq!((purged.removed, purged.more), (100, false));
}
