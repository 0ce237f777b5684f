//! What is said when something breaks, and that the store recovers alone.

use std::time::{Duration, Instant};

use grantor::store::{Committed, Kind, Page, Query, RedisStore, State, Store, StoreError};

use super::proxy::{Proxy, Trouble};
use super::sample::*;
use super::server::{ALWAYS, NO_FILE, Server, open, options, said, wait};

/// Waits until a load succeeds, which must need nobody's help.
pub(crate) fn recovers(store: &RedisStore) {
    let begun = Instant::now();
    while let Err(error) = find(store, token(1, 1).key) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not recover: {error}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_answer_that_is_cut_off_leaves_a_commit_in_doubt_and_applied() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    put(&store, &insert(&token(1, 1)));
    proxy.make(Trouble::CutAnswers);
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), InDoubt);
    assert_fails!(wait(store.load(&[token(1, 2).key])), Unavailable);
    proxy.make(Trouble::None);
    assert_eq!(*find(&store, token(1, 2).key).unwrap().unwrap(), token(1, 2));
    // Sent once: a commit that was sent again would have been refused, and the one who won told that it lost.
    assert_eq!(
        wait(store.commit(&insert(&token(1, 2)))).unwrap(),
        Committed::Refused(grantor::store::Failed::Write(0))
    );
}

#[test]
fn a_request_that_is_cut_off_leaves_a_commit_in_doubt_and_not_applied() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    proxy.make(Trouble::CutRequests);
    assert_fails!(wait(store.commit(&insert(&token(1, 1)))), InDoubt);
    proxy.make(Trouble::None);
    assert_eq!(find(&store, token(1, 1).key).unwrap(), None);
    put(&store, &insert(&token(1, 1)));
}

#[test]
fn a_load_is_tried_once_more_over_another_connection() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    put(&store, &insert(&token(1, 1)));
    let before = proxy.connections();
    proxy.make(Trouble::CutOneAnswer);
    assert_eq!(*find(&store, token(1, 1).key).unwrap().unwrap(), token(1, 1));
    assert_eq!(proxy.connections(), before + 1);
    // A commit is not.
    proxy.make(Trouble::CutOneAnswer);
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), InDoubt);
}

#[test]
fn a_connection_that_was_closed_while_idle_is_noticed_before_a_commit_is_sent() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for number in 1..=20 {
        assert!(server.said(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).parse::<u32>().unwrap() >= 1);
        // As soon as the system has told us.
        std::thread::sleep(Duration::from_millis(20));
        put(&store, &insert(&token(1, number)));
    }
}

#[test]
fn a_server_that_is_silent_leaves_commits_in_doubt_and_loads_unavailable() {
    let server = Server::start(NO_FILE);
    let store = wait(options().answer_timeout(Duration::from_millis(300)).open(server.url())).unwrap();
    put(&store, &insert(&token(1, 1)));
    server.signal("STOP");
    let begun = Instant::now();
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), InDoubt);
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_fails!(find(&store, token(1, 1).key), Unavailable);
    server.signal("CONT");
    recovers(&store);
    // What was sent is done when the server wakes up: it was in doubt, and was not lost.
    assert!(find(&store, token(1, 2).key).unwrap().is_some());
}

#[test]
fn many_who_wait_for_a_server_that_does_not_answer_wait_together() {
    let server = Server::start(NO_FILE);
    let connect = Duration::from_millis(400);
    let store = wait(options().connect_timeout(connect).answer_timeout(connect).open(server.url())).unwrap();
    server.signal("STOP");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..32 {
            let store = &store;
            scope.spawn(move || wait(store.commit(&insert(&token(1, number)))).unwrap_err());
        }
    });
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| find(&store, token(1, 1).key).unwrap_err());
            }
        });
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.signal("CONT");
    recovers(&store);
}

#[test]
fn a_server_that_is_gone_is_unavailable_and_nothing_is_in_doubt() {
    let mut server = Server::start(ALWAYS);
    let store = open(&server.url());
    put(&store, &insert(&token(1, 1)));
    server.kill();
    // The first one may find a connection that is about to be closed.
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..3 {
        assert_fails!(wait(store.commit(&insert(&token(1, 2)))), Unavailable);
        assert_fails!(find(&store, token(1, 1).key), Unavailable);
        assert_fails!(wait(store.purge(NOW, 10)), Unavailable);
        let page = Page { after: None, limit: 10 };
        assert_fails!(wait(store.list(&Query::new(TENANT, Kind::CLIENT), &page)), Unavailable);
    }
    server.run();
    assert!(server.comes_up());
    recovers(&store);
    assert_eq!(*find(&store, token(1, 1).key).unwrap().unwrap(), token(1, 1));
    put(&store, &insert(&token(1, 2)));
}

#[test]
fn a_server_that_lost_its_scripts_is_taught_them_again() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    server.said(&["SCRIPT", "FLUSH"]);
    put(&store, &insert(&token(1, 1)));
    server.said(&["SCRIPT", "FLUSH"]);
    assert!(find(&store, token(1, 1).key).unwrap().is_some());
    server.said(&["SCRIPT", "FLUSH"]);
    assert_eq!(wait(store.purge(NOW, 10)).unwrap().removed, 0);
}

#[test]
fn memory_that_is_full_takes_nothing_in_and_still_lets_revoke_read_and_forget() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    put(&store, &insert(&grantor::store::Record { purge_after: NOW, ..token(1, 1) }));
    put(&store, &insert(&token(1, 2)));
    assert_eq!(server.said(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    assert_fails!(wait(store.commit(&insert(&token(1, 3)))), Unavailable);
    assert_eq!(find(&store, token(1, 3).key).unwrap(), None);
    put(&store, &revoke(token(1, 2).key));
    assert_eq!(find(&store, token(1, 2).key).unwrap().unwrap().state, State::Revoked);
    assert_eq!(wait(store.purge(NOW.after(Duration::from_secs(1)), 10)).unwrap().removed, 1);
    // Nor does it keep a node from starting.
    drop(open(&server.url()));
    assert_eq!(server.said(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
    put(&store, &insert(&token(1, 3)));
}

#[test]
fn a_replica_is_neither_written_to_nor_read_from() {
    let [server, other] = [Server::start(NO_FILE), Server::start(NO_FILE)];
    let store = open(&server.url());
    put(&store, &insert(&token(1, 1)));
    let port = other.port.to_string();
    assert_eq!(server.said(&["REPLICAOF", "127.0.0.1", &port]), "OK");
    // It may have the record still, and would not know that it was revoked.
    assert_fails!(find(&store, token(1, 1).key), Unavailable);
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), Unavailable);
    assert_eq!(server.said(&["REPLICAOF", "NO", "ONE"]), "OK");
    recovers(&store);
    put(&store, &insert(&token(1, 2)));
}

#[test]
fn a_server_that_lacks_replicas_or_cannot_save_is_unavailable() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    assert_eq!(server.said(&["CONFIG", "SET", "min-replicas-to-write", "1"]), "OK");
    assert_fails!(wait(store.commit(&insert(&token(1, 1)))), Unavailable);
    assert_eq!(server.said(&["CONFIG", "SET", "min-replicas-to-write", "0"]), "OK");
    put(&store, &insert(&token(1, 1)));

    // A snapshot that cannot be put in place, as on a disk that is full.
    std::fs::create_dir(server.path().join("dump.rdb")).unwrap();
    assert_eq!(server.said(&["CONFIG", "SET", "save", "3600 1"]), "OK");
    server.said(&["BGSAVE"]);
    let begun = Instant::now();
    while !server.said(&["INFO", "persistence"]).contains("rdb_last_bgsave_status:err") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_fails!(wait(store.commit(&insert(&token(1, 2)))), Unavailable);
    std::fs::remove_dir(server.path().join("dump.rdb")).unwrap();
    assert_eq!(server.said(&["CONFIG", "SET", "save", ""]), "OK");
    recovers(&store);
    put(&store, &insert(&token(1, 2)));
}

#[test]
fn a_server_that_is_busy_is_unavailable() {
    let server = Server::start(&["--appendonly", "no", "--busy-reply-threshold", "50"]);
    let store = open(&server.url());
    let port = server.port;
    let busy = std::thread::spawn(move || said(port, &["EVAL", "while true do end", "0"]));
    let begun = Instant::now();
    while !server.said(&["PING"]).contains("BUSY") {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    assert_fails!(wait(store.commit(&insert(&token(1, 1)))), Unavailable);
    assert_fails!(find(&store, token(1, 1).key), Unavailable);
    assert_eq!(server.said(&["SCRIPT", "KILL"]), "OK");
    busy.join().unwrap();
    recovers(&store);
    put(&store, &insert(&token(1, 1)));
}

#[test]
fn a_server_that_is_loading_is_unavailable_until_it_has_loaded() {
    let mut server = Server::start(&["--appendonly", "yes", "--loading-process-events-interval-bytes", "1024"]);
    let store = open(&server.url());
    for number in 1..=300 {
        put(&store, &insert(&token(1, number)));
    }
    // Slowed down, so that there is time to look; the more so where the machine has so much to do that we did not get to it.
    let mut loading = 0;
    for (delay, number) in ["2000", "8000", "32000"].into_iter().zip(1_000..) {
        server.argue(&["--key-load-delay", delay]);
        server.kill();
        server.run();
        let begun = Instant::now();
        loop {
            match wait(store.commit(&insert(&token(1, number)))) {
                Ok(committed) => {
                    assert_eq!(committed, Committed::Applied);
                    break;
                }
                Err(StoreError::Unavailable(why)) => loading += u32::from(why.contains("LOADING")),
                // The connection that the old process had.
                Err(StoreError::InDoubt(_)) if loading == 0 => {}
                Err(error) => panic!("{error}"),
            }
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
        if loading > 0 {
            break;
        }
    }
    assert!(loading > 0, "it was not seen loading");
    assert!((1..=300).all(|number| find(&store, token(1, number).key).unwrap().is_some()));
}

#[test]
fn a_slow_client_that_gives_up_does_no_half_commit() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    proxy.make(Trouble::Silence);
    let commit = insert(&token(1, 1));
    let gave_up = wait(async { tokio::time::timeout(Duration::from_millis(100), store.commit(&commit)).await });
    assert!(gave_up.is_err());
    proxy.make(Trouble::None);
    drop(store);
    assert_eq!(*find(&open(&server.url()), token(1, 1).key).unwrap().unwrap(), token(1, 1));
}
