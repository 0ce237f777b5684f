//! The databases that processes can share, by URL.

use std::sync::Arc;
use std::time::Duration;

use grantor::store::{PostgresOptions, PostgresStore, RedisStore, SqliteStore, Store, StoreError};

use crate::custom_store::FileStore;

/// How often a database that does not answer is tried again, and how long after: it may be on its way up.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// A handle on the database that `url` names. It is made if it is not there.
///
/// A backend has its line in `try_open`.
pub async fn open(url: &str) -> Arc<dyn Store> {
    for _ in 0..ATTEMPTS {
        match try_open(url).await {
            Ok(store) => return store,
            Err(StoreError::Corrupt(why)) => panic!("{url}: {why}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("{url} cannot be opened");
}

async fn try_open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match url.split_once(':') {
        Some(("file", path)) => Arc::new(FileStore::open(path).unwrap()),
        Some(("sqlite", path)) => Arc::new(SqliteStore::open(path).await?),
        Some(("postgres", _)) => Arc::new(PostgresStore::open(url, PostgresOptions::new()).await?),
        Some(("redis", _)) => Arc::new(RedisStore::open(url).await?),
        _ => panic!("nobody knows how to open {url}"),
    })
}
