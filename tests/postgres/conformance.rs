//! The kit passes, at every level of isolation.

use std::time::Duration;

use grantor::store::kit;
use grantor::store::{PostgresOptions, PostgresStore};

use super::fixture::Database;
use super::server::{Pooler, Server};

/// Sixty-four callers of one connection may wait long, and it is not how long that is looked at here.
const SIXTEEN: PostgresOptions = PostgresOptions::new().wait(Duration::from_secs(60)).connections(16);
const ONE: PostgresOptions = SIXTEEN.connections(1);

fn conforms(isolation: &str, options: PostgresOptions) {
    kit::run(&Database::new(isolation, options)).assert();
}

#[test]
fn at_read_committed_with_sixteen_connections() {
    conforms("read committed", SIXTEEN);
}

#[test]
fn at_read_committed_with_one_connection() {
    conforms("read committed", ONE);
}

#[test]
fn at_repeatable_read_with_sixteen_connections() {
    conforms("repeatable read", SIXTEEN);
}

#[test]
fn at_repeatable_read_with_one_connection() {
    conforms("repeatable read", ONE);
}

#[test]
fn at_serializable_with_sixteen_connections() {
    conforms("serializable", SIXTEEN);
}

#[test]
fn at_serializable_with_one_connection() {
    conforms("serializable", ONE);
}

#[test]
fn with_prepared_statements() {
    conforms("read committed", SIXTEEN.prepared_statements());
}

#[test]
fn with_the_table_in_pieces() {
    kit::run(&Database::prepared("read committed", SIXTEEN, PostgresStore::hash_partitioned())).assert();
}

#[test]
fn behind_a_pooler_in_transaction_mode() {
    let mut database = Database::new("read committed", SIXTEEN);
    let pooler = Pooler::before(database.server);
    database.url = Server::url_over_tcp(&database.name, pooler.port);
    kit::run(&database).assert();
}
