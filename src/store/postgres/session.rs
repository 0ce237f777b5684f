//! One statement on one connection.

use std::hash::BuildHasher as _;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::{Fault, words};
use super::options::{PostgresOptions, Statements};

/// A parameter with its type: with the types said, a statement needs no round trip to ask for them.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// How often a statement is sent that others are in the way of. They are in the way because they get ahead, so somebody
/// always does; only who never does in all these rounds is told that the store is unavailable.
const ATTEMPTS: u32 = 120;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(40);

/// A connection, for as long as one operation needs it.
pub(super) async fn connection(pool: &Pool, options: &PostgresOptions) -> Result<Object, Fault> {
    let object = match timeout(options.wait, pool.get()).await {
        Ok(Ok(object)) => object,
        Ok(Err(error)) => return Err(Fault::Unsent(words(&error))),
        Err(_) => return Err(Fault::Unsent("no connection came free in time".into())),
    };
    // A dead connection is not lent; one that died since has not been written to.
    if object.is_closed() { Err(Fault::Unsent("the connection was closed".into())) } else { Ok(object) }
}

/// Sends a statement, and once more for as long as others are in the way. All that it came to is known when this returns: the rows
/// are here, and the transaction was committed.
pub(super) async fn ask(
    pool: &Pool,
    options: &PostgresOptions,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Fault> {
    let mut attempt = 0;
    loop {
        let answer = ask_once(pool, options, statement, parameters).await;
        match answer {
            Err(fault) if fault.is_conflict() && attempt < ATTEMPTS => {}
            answer => return answer,
        }
        // Without a connection, which another may use meanwhile.
        sleep(pause(attempt)).await;
        attempt = attempt.saturating_add(1);
    }
}

async fn ask_once(
    pool: &Pool,
    options: &PostgresOptions,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Fault> {
    let connection = connection(pool, options).await?;
    let answer = match options.statements {
        Statements::Unnamed => timeout(options.answer_within, connection.query_typed(statement, parameters)).await,
        Statements::Prepared => {
            let types: Vec<Type> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
            let prepared =
                match timeout(options.answer_within, connection.prepare_typed_cached(statement, &types)).await {
                    Ok(Ok(prepared)) => prepared,
                    Ok(Err(error)) => return Err(unprepared(&error)),
                    Err(_) => return Err(Fault::Unsent(give_up(connection))),
                };
            let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
            timeout(options.answer_within, connection.query(&prepared, &values)).await
        }
    };
    match answer {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => Err(Fault::of(&error)),
        Err(_) => Err(Fault::Unknown(give_up(connection))),
    }
}

/// A statement that was not prepared was not executed either, whatever the reason.
fn unprepared(error: &tokio_postgres::Error) -> Fault {
    match Fault::of(error) {
        Fault::Unknown(why) => Fault::Unsent(why),
        known => known,
    }
}

/// Takes a connection out of the pool: whoever got it next would wait behind what was not answered.
fn give_up(connection: Object) -> String {
    drop(Object::take(connection));
    "there was no answer in time".into()
}

/// How long to wait before another attempt: not at all at first, then some random time that grows, so that those who
/// were in each other's way do not meet again.
fn pause(attempt: u32) -> Duration {
    let longest = Duration::from_millis(1).saturating_mul(1_u32.checked_shl(attempt / 4).unwrap_or(u32::MAX));
    let longest = longest.min(LONGEST_PAUSE);
    // Every state of this kind has keys of its own, which are as good as random.
    let random = std::hash::RandomState::new().hash_one(attempt);
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random.checked_rem(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_and_has_an_end() {
        for attempt in 0..ATTEMPTS {
            assert!(pause(attempt) <= LONGEST_PAUSE);
        }
        assert!(pause(0) <= Duration::from_millis(1));
        let longest = (0..200).map(|_| pause(60)).max();
        assert!(longest > Some(Duration::from_millis(10)));
    }
}
