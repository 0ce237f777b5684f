//! The kit passes, at every level of isolation.

use grantor::store::PostgresOptions;
use grantor::store::kit;

use super::fixture::Database;

const SIXTEEN: PostgresOptions = PostgresOptions::new().connections(16);
const ONE: PostgresOptions = PostgresOptions::new().connections(1);

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
