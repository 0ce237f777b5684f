//! How often the store waits for the server.

use std::time::Duration;

use grantor::store::{Kind, Link, Order, Page, Query, Record, Store};

use super::cluster::Cluster;
use super::proxy::Proxy;
use super::sample::*;
use super::server::{NO_FILE, Server, open, options, wait};

/// A token of a grant of a client, whose partitions differ, and what is to be loaded of it.
fn family(client_partition: u16) -> [Record; 3] {
    let client = client(client_partition, 1);
    let grant = grant(1, 1, client.key);
    let token = Record { parent: Some(Link { key: grant.key, epoch: 0 }), ..token(1, 1) };
    [client, grant, token]
}

#[test]
fn a_load_is_one_round_trip_and_so_is_a_commit() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    let [client, grant, token] = family(2);
    proxy.trips();
    for record in [&client, &grant, &token] {
        put(&store, &insert(record));
        assert_eq!(proxy.trips(), 1);
    }
    let loaded = wait(store.load(&[token.key])).unwrap().pop().unwrap().unwrap();
    assert_eq!(proxy.trips(), 1);
    assert_eq!(loaded.client.unwrap().key, client.key);
    assert_eq!(loaded.parent.unwrap().key, grant.key);
    // Whatever the number of keys, and wherever they live.
    let keys: Vec<_> = (0..500).map(|number| super::sample::token(number, 1).key).collect();
    wait(store.load(&keys)).unwrap();
    assert_eq!(proxy.trips(), 1);
}

#[test]
fn to_wait_for_replicas_is_no_round_trip_of_its_own() {
    let [server, replica] = [Server::start(NO_FILE), Server::start(NO_FILE)];
    replica.follow(&server);
    let proxy = Proxy::to(server.port);
    let store = wait(options().wait(1, Duration::from_secs(5)).open(proxy.url())).unwrap();
    // Each of the connections that wait is made when it is first needed.
    (1..=20).for_each(|number| put(&store, &insert(&token(1, number))));
    proxy.trips();
    (21..=30).for_each(|number| put(&store, &insert(&token(1, number))));
    assert_eq!(proxy.trips(), 10);
}

#[test]
fn a_page_of_a_list_is_a_few_round_trips() {
    let server = Server::start(NO_FILE);
    let proxy = Proxy::to(server.port);
    let store = open(&proxy.url());
    for number in 0..300_u16 {
        put(&store, &insert(&client(number.wrapping_mul(97), u64::from(number))));
        put(&store, &insert(&grant(5, u64::from(number), client(3, 1).key)));
    }
    proxy.trips();
    let trips = |query: &Query, limit| {
        let listing = wait(store.list(query, &Page { after: None, limit })).unwrap();
        assert!(!listing.records.is_empty());
        proxy.trips()
    };
    let clients = Query::new(TENANT, Kind::CLIENT);
    let grants = Query::new(TENANT, Kind::GRANT);
    let subject = key(Kind::SUBJECT, 5, 1);
    // Places, and records; the answers of many buckets come in more than one piece, which is not another trip.
    for query in [clients.clone(), Query { order: Order::Name, ..clients }] {
        assert!(trips(&query, 50) <= 4);
    }
    assert_eq!(trips(&Query { subject: Some(subject), partition: Some(subject.partition), ..grants.clone() }, 50), 2);
    assert!(trips(&Query { client: Some(client(3, 1).key), ..grants }, 20) <= 8);
}

/// How many calls of scripts there were in all, since this was last asked.
fn calls(cluster: &Cluster) -> u32 {
    let count = |said: String| {
        let line = said.lines().find(|line| line.starts_with("cmdstat_evalsha:"))?.to_owned();
        line.split("calls=").nth(1)?.split(',').next()?.parse::<u32>().ok()
    };
    let all = cluster.nodes.iter().filter_map(|node| count(node.said(&["INFO", "commandstats"]))).sum();
    cluster.nodes.iter().for_each(|node| assert_eq!(node.said(&["CONFIG", "RESETSTAT"]), "OK"));
    all
}

#[test]
fn in_a_cluster_a_load_is_one_call_for_each_bucket_that_it_needs() {
    let cluster = Cluster::start(NO_FILE);
    let store = open(&cluster.url());
    let [client, grant, token] = family(2);
    let [near, its_grant, its_token] = family(0x0301).map(|record| Record { tenant: TENANT, ..record });
    let its_grant = Record { key: key(Kind::GRANT, 1, 9), ..its_grant };
    let link = Link { key: its_grant.key, epoch: 0 };
    let its_token = Record { key: key(Kind::ACCESS_TOKEN, 1, 9), parent: Some(link), ..its_token };
    calls(&cluster);
    for record in [&client, &grant, &token, &near, &its_grant, &its_token] {
        put(&store, &insert(record));
        assert_eq!(calls(&cluster), 1);
    }
    // The client lives in another bucket: a second call, when the first has told so.
    let loaded = wait(store.load(&[token.key])).unwrap().pop().unwrap().unwrap();
    assert_eq!(loaded.client.unwrap().key, client.key);
    assert_eq!(calls(&cluster), 2);
    // It lives in the same: one.
    let loaded = wait(store.load(&[its_token.key])).unwrap().pop().unwrap().unwrap();
    assert_eq!(loaded.client.unwrap().key, near.key);
    assert_eq!(calls(&cluster), 1);
}
