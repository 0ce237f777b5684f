//! What a store is told when it is opened, and when it refuses.

use std::time::Duration;

use grantor::store::{Durability, RedisFsync, RedisLoss, RedisOptions, RedisStore, Store, StoreError};

use super::sample::*;
use super::server::{ALWAYS, EVERY_SECOND, NO_FILE, Server, open, options, wait};

/// Why a store was not opened.
fn refused(options: RedisOptions, url: &str) -> String {
    match wait(options.open(url)) {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn durability(options: RedisOptions, server: &Server) -> Durability {
    wait(options.open(server.url())).unwrap().durability()
}

fn accepting(loss: RedisLoss) -> RedisOptions {
    RedisOptions::new().danger_accept_loss(loss)
}

#[test]
fn a_file_that_is_written_through_is_durable_without_a_word() {
    let server = Server::start(ALWAYS);
    assert_eq!(wait(RedisStore::open(server.url())).unwrap().durability(), Durability::Durable);
    assert_eq!(durability(accepting(RedisLoss::Everything), &server), Durability::Durable);
}

#[test]
fn a_file_that_is_written_through_now_and_then_needs_a_word() {
    let server = Server::start(EVERY_SECOND);
    let why = refused(RedisOptions::new(), &server.url());
    assert!(why.contains("once a second") && why.contains("RedisLoss::Recent"), "{why}");
    assert_eq!(durability(accepting(RedisLoss::Recent), &server), Durability::Weak);
    assert_eq!(durability(accepting(RedisLoss::Everything), &server), Durability::Weak);
    // What the host says does not count where the server can be asked.
    refused(RedisOptions::new().fsync(RedisFsync::Always), &server.url());
    assert_eq!(server.said(&["CONFIG", "SET", "appendfsync", "always"]), "OK");
    assert_eq!(durability(RedisOptions::new(), &server), Durability::Durable);
    assert_eq!(server.said(&["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"]), "OK");
    refused(RedisOptions::new(), &server.url());
}

#[test]
fn no_file_needs_a_stronger_word() {
    let server = Server::start(NO_FILE);
    for options in [RedisOptions::new(), accepting(RedisLoss::Recent)] {
        let why = refused(options, &server.url());
        assert!(why.contains("append-only") && why.contains("RedisLoss::Everything"), "{why}");
    }
    assert_eq!(durability(accepting(RedisLoss::Everything), &server), Durability::Weak);
}

#[test]
fn a_server_that_evicts_keys_needs_the_stronger_word_too() {
    let server = Server::start(ALWAYS);
    for policy in ["allkeys-lru", "allkeys-random"] {
        assert_eq!(server.said(&["CONFIG", "SET", "maxmemory-policy", policy]), "OK");
        let why = refused(accepting(RedisLoss::Recent), &server.url());
        assert!(why.contains(policy), "{why}");
        assert_eq!(durability(accepting(RedisLoss::Everything), &server), Durability::Weak);
    }
    // None of our keys expires, so these evict none, unless they are told to.
    assert_eq!(server.said(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]), "OK");
    assert_eq!(durability(RedisOptions::new(), &server), Durability::Durable);
    refused(accepting(RedisLoss::Recent).expire_after(Duration::ZERO), &server.url());
}

#[test]
fn replicas_that_are_not_waited_for_need_a_word() {
    let [server, replica] = [Server::start(ALWAYS), Server::start(ALWAYS)];
    replica.follow(&server);
    let why = refused(RedisOptions::new(), &server.url());
    assert!(why.contains("replicas"), "{why}");
    assert_eq!(durability(accepting(RedisLoss::Recent), &server), Durability::Weak);
    let waiting = RedisOptions::new().wait(1, Duration::from_secs(1));
    assert_eq!(durability(waiting, &server), Durability::Durable);
}

#[test]
fn where_the_server_may_not_be_asked_the_host_says_it() {
    let server = Server::start(ALWAYS);
    assert_eq!(server.said(&["ACL", "SETUSER", "managed", "on", ">word", "~*", "+@all", "-config"]), "OK");
    let url = format!("redis://managed:word@127.0.0.1:{}", server.port);
    let why = refused(RedisOptions::new(), &url);
    assert!(why.contains("RedisOptions::fsync"), "{why}");
    let opened = |fsync| wait(accepting(RedisLoss::Recent).fsync(fsync).open(&url)).unwrap().durability();
    assert_eq!(opened(RedisFsync::Always), Durability::Durable);
    assert_eq!(opened(RedisFsync::EverySecond), Durability::Weak);
    assert_eq!(
        wait(RedisOptions::new().fsync(RedisFsync::Always).open(&url)).unwrap().durability(),
        Durability::Durable
    );
}

#[test]
fn a_right_that_is_missing_is_found_at_the_start() {
    let server = Server::start(NO_FILE);
    for right in ["xadd", "zadd", "set", "zscan", "sadd"] {
        let rules = ["ACL", "SETUSER", "short", "on", ">word", "~*", "+@all", &format!("-{right}")];
        assert_eq!(server.said(&rules), "OK");
        let why = refused(options(), &format!("redis://short:word@127.0.0.1:{}", server.port));
        assert!(why.to_lowercase().contains(right), "{why}");
        assert_eq!(server.said(&["ACL", "DELUSER", "short"]), "1");
    }
    // The keys alone are enough, and no more than them.
    let rules = ["ACL", "SETUSER", "own", "on", ">word", "~grantor{*", "-@all", "+@read", "+@write", "+@scripting"];
    assert_eq!(server.said(&rules), "OK");
    assert_eq!(server.said(&["ACL", "SETUSER", "own", "+info", "+time", "+hello"]), "OK");
    let store = wait(options().open(format!("redis://own:word@127.0.0.1:{}", server.port))).unwrap();
    put(&store, &insert(&token(1, 1)));
    assert!(find(&store, token(1, 1).key).unwrap().is_some());
    // The try leaves nothing behind.
    let keys = server.said(&["KEYS", "*probe*"]);
    assert!(keys.is_empty(), "{keys}");
}

#[test]
fn a_password_is_shown_nowhere() {
    let server = Server::start(NO_FILE);
    assert_eq!(server.said(&["ACL", "SETUSER", "some", "on", ">hush-hush", "~*", "+@all"]), "OK");
    let url = format!("redis://some:hush-hush@127.0.0.1:{}", server.port);
    let store = open(&url);
    let shown = format!("{store:?} {:?}", options().node(&url));
    assert!(!shown.contains("hush"), "{shown}");
    for url in
        [url.replace("some", "other"), url.replace("redis://", "redus://"), url.replace("127.0.0.1:", "127.0.0.1:x")]
    {
        let why = refused(options(), &url);
        assert!(!why.contains("hush"), "{why}");
    }
}

#[test]
fn stores_with_different_prefixes_do_not_meet() {
    let server = Server::start(NO_FILE);
    let [one, other] = ["one", "other"].map(|prefix| wait(options().prefix(prefix).open(server.url())).unwrap());
    put(&one, &insert(&token(1, 1)));
    assert_eq!(find(&other, token(1, 1).key).unwrap(), None);
    put(&other, &insert(&token(1, 1)));
    for prefix in ["", "a{b", "a}b"] {
        refused(options().prefix(prefix), &server.url());
    }
}

#[test]
fn another_database_of_the_same_server_is_another_store() {
    let server = Server::start(NO_FILE);
    let [one, other] = [1, 2].map(|number| open(&format!("{}/{number}", server.url())));
    put(&one, &insert(&token(1, 1)));
    assert_eq!(find(&other, token(1, 1).key).unwrap(), None);
}

#[test]
fn records_that_a_later_version_laid_out_are_left_alone() {
    let server = Server::start(NO_FILE);
    drop(open(&server.url()));
    let key = server.said(&["--raw", "KEYS", "*v"]);
    assert_eq!(server.said(&["SET", &key, "2"]), "OK");
    assert_fails!(wait(options().open(server.url())), Corrupt);
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let mut server = Server::start(NO_FILE);
    server.kill();
    refused(options(), &server.url());
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let mut server = Server::start(ALWAYS);
    let store = open(&server.url());
    put(&store, &insert(&token(1, 1)));
    put(&store, &revoke(token(1, 1).key));
    let before = find(&store, token(1, 1).key).unwrap();
    drop(store);
    server.restart();
    assert_eq!(find(&open(&server.url()), token(1, 1).key).unwrap(), before);
}
