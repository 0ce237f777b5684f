//! Events appear with their commit, in an order that is settled.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grantor::store::{
    Commit, Committed, Condition, EventCursor, Outbox as _, PostgresOptions, PostgresStore, Record, State, Store as _,
    StoreError, StoredEvent, Tenant, Write,
};
use tokio_postgres::NoTls;

use super::records::{HOME, TENANT, apply, commit, event, find, grant, insert, token};
use super::server::Server;

const OPTIONS: PostgresOptions = PostgresOptions::new().keep_events();

async fn opened(isolation: &str) -> (String, PostgresStore) {
    let server = Server::shared();
    let database = server.database().await;
    let level = format!("ALTER DATABASE {database} SET default_transaction_isolation = '{isolation}'");
    server.sql("postgres", &level).await;
    server.migrate(&database).await;
    let store = PostgresStore::connect(&server.url(&database), OPTIONS).unwrap();
    (database, store)
}

/// The number that [`event`] was made with.
fn number(event: &StoredEvent) -> i64 {
    serde_json::from_str::<serde_json::Value>(&event.json).unwrap()["at"].as_i64().unwrap()
}

async fn numbers(store: &PostgresStore) -> Vec<i64> {
    store.events_after(TENANT, None, 10_000).await.unwrap().iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_there_with_their_commit_and_not_without() {
    let (_, store) = opened("read committed").await;
    let told = |number, events| Commit { events, ..insert(token(number)) };
    let first = vec![event(1).await, event(2).await];
    apply(&store, &told(1, first.clone())).await;
    // Refused at the first write, at a later one, and by a condition.
    let mut late = told(2, vec![event(3).await]);
    late.writes.push(Write::Insert(token(1).into()));
    let mut conditional = told(2, vec![event(4).await]);
    conditional.conditions.push(Condition::Unused(grant(1).key));
    for refused in [told(1, vec![event(5).await]), late, conditional] {
        assert!(matches!(store.commit(&refused).await.unwrap(), Committed::Refused(_)));
    }
    apply(&store, &told(3, vec![event(6).await])).await;
    let events = store.events_after(TENANT, None, 10).await.unwrap();
    assert_eq!(events.iter().map(number).collect::<Vec<_>>(), [1, 2, 6]);
    let expected: Vec<String> = first.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert_eq!(events[..2].iter().map(|event| event.json.clone()).collect::<Vec<_>>(), expected);
    // From any cursor on; and only of the server that asks.
    for (position, event) in (1..).zip(&events) {
        let rest = store.events_after(TENANT, Some(&event.cursor), 10).await.unwrap();
        assert_eq!(rest, events[position..]);
    }
    assert_eq!(store.events_after(TENANT, None, 2).await.unwrap(), events[..2]);
    assert!(store.events_after(Tenant([9; 16]), None, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_forgotten_up_to_a_cursor_and_no_further() {
    let (_, store) = opened("read committed").await;
    let other = Tenant([9; 16]);
    for number in 0..5_u64 {
        let events = vec![event(i64::try_from(number).unwrap()).await];
        apply(&store, &Commit { events: events.clone(), ..insert(token(number)) }).await;
        apply(&store, &Commit { events, tenant: other, ..insert(grant(number)) }).await;
    }
    let events = store.events_after(TENANT, None, 10).await.unwrap();
    let purged = store.forget_events(TENANT, &events[3].cursor, 2).await.unwrap();
    assert_eq!((purged.removed, purged.more), (2, true));
    let purged = store.forget_events(TENANT, &events[3].cursor, 10).await.unwrap();
    assert_eq!((purged.removed, purged.more), (2, false));
    assert_eq!(store.events_after(TENANT, None, 10).await.unwrap(), events[4..]);
    assert_eq!(store.events_after(TENANT, Some(&events[1].cursor), 10).await.unwrap(), events[4..]);
    assert_eq!(store.events_after(other, None, 10).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_make_and_a_store_without_events_say_so() {
    let (database, store) = opened("read committed").await;
    for odd in ["", "1", "x.1", "1.x", "1-1"] {
        let answer = store.events_after(TENANT, Some(&EventCursor(odd.into())), 1).await;
        assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{odd}: {answer:?}");
    }
    let silent = PostgresStore::connect(&Server::shared().url(&database), PostgresOptions::new()).unwrap();
    apply(&silent, &Commit { events: vec![event(1).await], ..insert(token(1)) }).await;
    assert!(matches!(silent.events_after(TENANT, None, 1).await, Err(StoreError::Corrupt(_))));
    assert!(numbers(&store).await.is_empty());
}

/// A commit that has drawn its place and is slow to end, as one that waits for a standby is: events of those behind it must not be
/// handed out before its own can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_behind_a_commit_under_way_waits_for_it() {
    // The lock has room for 31 bits of the number: once in the middle, and once where they begin anew.
    for (isolation, start) in [
        ("read committed", 1_i64),
        ("repeatable read", 1),
        ("serializable", 1),
        ("read committed", (1 << 31) - 7),
        ("read committed", (1 << 31) - 4),
        ("read committed", (1 << 33) - 5),
    ] {
        let (database, store) = opened(isolation).await;
        let server = Server::shared();
        let set = format!("SELECT setval('grantor.event_position', {start})");
        server.sql(&database, &set).await;
        apply(&store, &Commit { events: vec![event(1).await], ..insert(token(1)) }).await;
        let (slow, connection) = tokio_postgres::connect(&server.url(&database), NoTls).await.unwrap();
        tokio::spawn(connection);
        let tenant = "\\xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5";
        let under_way = format!(
            "BEGIN; \
             SELECT pg_advisory_xact_lock_shared(1735552628, (nextval('grantor.event_position') & 2147483647)::integer); \
             INSERT INTO grantor.event \
             VALUES (nextval('grantor.event_position'), 1, {}, '{tenant}', '{{\"at\":2}}')",
            HOME.0
        );
        slow.batch_execute(&under_way).await.unwrap();
        for number in 3..6_u64 {
            let events = vec![event(i64::try_from(number).unwrap()).await];
            apply(&store, &Commit { events, ..insert(token(number)) }).await;
        }
        assert_eq!(numbers(&store).await, [1], "{isolation} from {start}");
        slow.batch_execute("COMMIT").await.unwrap();
        assert_eq!(numbers(&store).await, [1, 2, 3, 4, 5], "{isolation} from {start}");
    }
}

/// Writers in each other's way, and a reader who goes on from the last cursor he saw.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_misses_nothing_and_sees_each_partition_in_the_order_of_its_commits() {
    for isolation in ["read committed", "repeatable read", "serializable"] {
        let (_, store) = opened(isolation).await;
        apply(&store, &insert(grant(1))).await;
        let over = Arc::new(AtomicBool::new(false));
        let reader = {
            let (store, over) = (store.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let (mut seen, mut after) = (Vec::new(), None::<EventCursor>);
                loop {
                    let last = over.load(Ordering::SeqCst);
                    let events = store.events_after(TENANT, after.as_ref(), 7).await.unwrap();
                    if let Some(event) = events.last() {
                        after = Some(event.cursor.clone());
                    } else if last {
                        return seen;
                    }
                    seen.extend(events.iter().map(number));
                }
            })
        };
        let writers: Vec<_> = (0..8_i64)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for round in 0..25_i64 {
                        // One chain through a record that all change: the event says which revision it made.
                        loop {
                            let found = find(&store, grant(1).key).await.unwrap();
                            let revision = found.revision;
                            let unchanged = Condition::Unchanged { key: found.key, revision };
                            let mut step = commit(vec![unchanged], vec![Write::Replace(found)]);
                            step.events = vec![event(i64::try_from(revision + 1).unwrap()).await];
                            if store.commit(&step).await.unwrap() == Committed::Applied {
                                break;
                            }
                        }
                        // And others that only share a lock.
                        let own = token(u64::try_from(writer * 1_000 + round).unwrap());
                        let mut step = insert(Record { state: State::Inactive, ..own });
                        step.conditions = vec![Condition::Live { key: grant(1).key, epoch: 0 }];
                        step.events = vec![event(-(writer * 1_000 + round + 1)).await];
                        apply(&store, &step).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        over.store(true, Ordering::SeqCst);
        let seen = reader.await.unwrap();
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 400, "{isolation}");
        assert_eq!(seen.len(), 400, "{isolation}");
        let chain: Vec<i64> = seen.iter().copied().filter(|number| *number > 0).collect();
        assert_eq!(chain, (2..=201).collect::<Vec<_>>(), "{isolation}");
        for writer in 0..8 {
            let own: Vec<i64> = seen.iter().copied().filter(|it| *it < 0 && -(it + 1) / 1_000 == writer).collect();
            assert!(own.is_sorted_by(|a, b| a > b) && own.len() == 25, "{isolation}: {own:?}");
        }
    }
}
