//! The example server on databases that have a server of their own: `scripts/test.sh databases`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may fail, and how long a server takes is told by the clock of the machine"
)]
#![allow(dead_code, reason = "what is shared with other tests has more than is needed here")]

mod browser;
mod http;
#[path = "../postgres/server.rs"]
mod postgres;
mod process;
#[path = "../redis/server.rs"]
mod redis;
mod tokens;

use std::sync::Arc;

use crate::process::{Example, Home};
use crate::tokens::{ISSUER, SECRET, Tokens, ask, strict};

const ON_A_FREE_PORT: &[&str] = &["--listen", "127.0.0.1:0"];

/// The URL of a database, as one writes it into a configuration.
fn url(server: &postgres::Server) -> String {
    format!("postgres://postgres:7777777@127.0.0.1:{}/postgres", server.port)
}

/// Moves all that is in one store to the store of another configuration, which is given the same secret.
fn moved(from: &Home, configuration: &str) -> Arc<Home> {
    let to = Home::with(configuration);
    let dump = from.path("dump");
    let (well, told) = from.run(&["export", dump.to_str().unwrap()]);
    assert!(well, "{told}");
    std::fs::copy(from.path("grantor.secret"), to.path("grantor.secret")).unwrap();
    if !configuration.contains("memory:") {
        let (well, told) = to.run(&["import", dump.to_str().unwrap()]);
        assert!(well, "{told}");
    }
    to
}

/// All that was issued so far counts, and the last of it buys the next.
fn next(server: &Example, tokens: &mut Vec<Tokens>) {
    assert!(tokens.iter().all(|tokens| tokens.are_live(server)));
    tokens.push(tokens.last().unwrap().refreshed(server));
    assert!(!server.printed.contains("7777777"), "{}", server.printed);
}

#[test]
fn tokens_go_on_from_a_file_to_postgresql_to_redis_to_memory() {
    let (postgres, redis) = (postgres::Server::start(&[]), redis::Server::start(redis::ALWAYS));
    let file = Home::with(&strict("sqlite:grantor.db"));
    let server = file.start(ON_A_FREE_PORT);
    let mut tokens = vec![Tokens::of_alice(&server, ISSUER)];
    let ended = Tokens::of_alice(&server, ISSUER);
    assert_eq!(
        server
            .post("/revoke", &[], &[("client_id", "web"), ("client_secret", SECRET), ("token", &ended.refresh)])
            .status,
        200
    );
    next(&server, &mut tokens);
    drop(server);

    let in_postgres = moved(&file, &strict(&url(&postgres)));
    let server = in_postgres.start(ON_A_FREE_PORT);
    next(&server, &mut tokens);
    drop(server);

    let in_redis = moved(&in_postgres, &strict(&redis.url()));
    let server = in_redis.start(ON_A_FREE_PORT);
    next(&server, &mut tokens);
    drop(server);

    let in_memory = moved(&in_redis, &strict("memory:\"\nsecret_file = \"grantor.secret"));
    let dump = in_redis.path("dump");
    let server = in_memory.start(&["--listen", "127.0.0.1:0", "--import", dump.to_str().unwrap()]);
    next(&server, &mut tokens);
    assert!(!ended.are_live(&server), "what was ended at the beginning is ended");
    let spent = [("grant_type", "refresh_token"), ("refresh_token", &*tokens[0].refresh)];
    assert_eq!(ask(&server, SECRET, &spent).json()["error"], "invalid_grant");
    assert!(!tokens.iter().any(|tokens| tokens.are_live(&server)), "a thief was noticed four stores later");
}

#[test]
fn two_servers_over_one_database_are_one() {
    let (postgres, redis) = (postgres::Server::start(&[]), redis::Server::start(redis::ALWAYS));
    for store in [url(&postgres), redis.url()] {
        let home = Home::with(&strict(&store));
        let (one, two) = (home.start(ON_A_FREE_PORT), home.start(ON_A_FREE_PORT));
        let tokens = Tokens::of_alice(&one, ISSUER);
        assert!(tokens.are_live(&two));
        let next = tokens.refreshed(&two);
        assert!(next.are_live(&one));
        drop(one);
        let again = home.start(ON_A_FREE_PORT);
        assert!(next.are_live(&again), "{store}");
    }
}

#[test]
fn a_redis_that_may_lose_what_it_acknowledged_is_refused_until_that_is_accepted_by_name() {
    let redis = redis::Server::start(redis::NO_FILE);
    let configuration = strict(&redis.url());
    let told = Home::with(&configuration).failure(ON_A_FREE_PORT);
    assert!(told.starts_with("error: FILE, line 2, store: "), "{told}");
    let accepting =
        |loss: &str| configuration.replacen("[lifetimes]", &format!("danger_accept_loss = \"{loss}\"\n[lifetimes]"), 1);
    Home::with(&accepting("recent")).failure(ON_A_FREE_PORT);
    let server = Home::with(&accepting("everything")).start(ON_A_FREE_PORT);
    assert!(Tokens::of_alice(&server, ISSUER).are_live(&server));
}

#[test]
fn who_watches_is_told_when_the_database_is_away() {
    let redis = redis::Server::start(redis::ALWAYS);
    let server = Home::with(&strict(&redis.url())).start(ON_A_FREE_PORT);
    assert_eq!(server.get("/readyz", &[]).status, 200);
    drop(redis);
    assert_eq!(server.get("/readyz", &[]).status, 503);
    assert_eq!(server.get("/healthz", &[]).status, 200, "a restart would not help");
}
