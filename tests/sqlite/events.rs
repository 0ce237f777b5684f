//! The outbox.

use std::sync::Arc;

use grantor::AuthorizationServer;
use grantor::client::ClientMetadata;
use grantor::manage::Registration;
use grantor::store::{EventCursor, Outbox, SqliteOptions, SqliteStore, Store, StoreError, Tenant};
use sha2::{Digest as _, Sha256};

use super::database::{Directory, open, wait};

fn keeping(directory: &Directory) -> Arc<SqliteStore> {
    Arc::new(wait(SqliteOptions::new().keep_events().open(directory.file())).unwrap())
}

fn server(issuer: &str, store: Arc<dyn Store>) -> AuthorizationServer {
    AuthorizationServer::builder(issuer).shared_store(store).secret([7; 32]).scope("read", "Read").build().unwrap()
}

/// What a server of this issuer calls itself in a store.
fn tenant(issuer: &str) -> Tenant {
    Tenant(Sha256::digest(issuer)[..16].try_into().unwrap())
}

fn register(server: &AuthorizationServer, client: &str) {
    let metadata = ClientMetadata {
        client_name: client.to_uppercase(),
        grant_types: vec!["client_credentials".into()],
        scope: "read".parse().unwrap(),
        ..ClientMetadata::default()
    };
    let registration = Registration { metadata, client_id: Some(client.into()), client_secret: None };
    wait(server.clients().register(registration)).unwrap();
}

/// Which clients the events are about, in order.
fn told(store: &SqliteStore, tenant: Tenant, after: Option<&EventCursor>) -> (Vec<String>, Option<EventCursor>) {
    let events = wait(store.events_after(tenant, after, 100)).unwrap();
    let client = |json: &str| {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert!(json["at"].is_i64() && json["event"].is_string(), "{json}");
        json["client_id"].as_str().unwrap().to_owned()
    };
    (events.iter().map(|event| client(&event.json)).collect(), events.last().map(|event| event.cursor.clone()))
}

const ISSUERS: [&str; 2] = ["https://a.example", "https://b.example"];

#[test]
fn events_are_read_in_the_order_of_their_commits_each_server_its_own() {
    let directory = Directory::new();
    // As two processes would: each with a handle of its own.
    let stores = [keeping(&directory), keeping(&directory)];
    let servers = ISSUERS.map(|issuer| stores.each_ref().map(|store| server(issuer, Arc::clone(store) as _)));
    let tenants = ISSUERS.map(tenant);
    assert_eq!(told(&stores[0], tenants[0], None), (Vec::new(), None));
    for number in 0..10 {
        register(&servers[number % 2][number / 2 % 2], &format!("client{number}"));
    }
    let (mine, last) = told(&stores[1], tenants[0], None);
    assert_eq!(mine, ["client0", "client2", "client4", "client6", "client8"]);
    let (theirs, _) = told(&stores[0], tenants[1], None);
    assert_eq!(theirs, ["client1", "client3", "client5", "client7", "client9"]);
    // A refused commit tells nothing: the name is taken.
    let taken = Registration {
        metadata: ClientMetadata {
            client_name: "Again".into(),
            grant_types: vec!["client_credentials".into()],
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        },
        client_id: Some("client0".into()),
        client_secret: None,
    };
    assert!(wait(servers[0][0].clients().register(taken)).is_err());
    assert_eq!(told(&stores[0], tenants[0], last.as_ref()), (Vec::new(), None));
    // From any cursor on, a few at a time.
    let first = wait(stores[0].events_after(tenants[0], None, 2)).unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!(told(&stores[0], tenants[0], Some(&first[1].cursor)).0, ["client4", "client6", "client8"]);
}

#[test]
fn what_is_forgotten_is_gone_and_no_cursor_is_given_twice() {
    let directory = Directory::new();
    let tenants = ISSUERS.map(tenant);
    let last = {
        let store = keeping(&directory);
        let servers = ISSUERS.map(|issuer| server(issuer, Arc::clone(&store) as _));
        for number in 0..9 {
            register(&servers[0], &format!("client{number}"));
        }
        register(&servers[1], "other");
        let (_, last) = told(&store, tenants[0], None);
        let last = last.unwrap();
        let purged = wait(store.forget_events(tenants[0], &last, 4)).unwrap();
        assert_eq!((purged.removed, purged.more), (4, true));
        assert_eq!(told(&store, tenants[0], None).0, ["client4", "client5", "client6", "client7", "client8"]);
        let purged = wait(store.forget_events(tenants[0], &last, 1_000)).unwrap();
        assert_eq!((purged.removed, purged.more), (5, false));
        assert_eq!(told(&store, tenants[1], None).0, ["other"]);
        last
    };
    // Opened again, with nothing of this server left: what comes now still comes after the cursor that was handed out.
    let store = keeping(&directory);
    register(&server(ISSUERS[0], Arc::clone(&store) as _), "later");
    assert_eq!(told(&store, tenants[0], Some(&last)).0, ["later"]);
    let made_up = EventCursor("elsewhere".into());
    assert!(matches!(wait(store.events_after(tenants[0], Some(&made_up), 1)), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_store_that_keeps_no_events_says_so() {
    let directory = Directory::new();
    let store = Arc::new(open(&directory.file()));
    register(&server(ISSUERS[0], Arc::clone(&store) as _), "client");
    let answer = wait(store.events_after(tenant(ISSUERS[0]), None, 10));
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    // Nor are there any when it is asked to keep them later on.
    drop(store);
    assert_eq!(told(&keeping(&directory), tenant(ISSUERS[0]), None).0, Vec::<String>::new());
}
