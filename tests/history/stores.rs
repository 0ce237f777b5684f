//! The databases that processes can share, by URL.

use std::sync::Arc;

use grantor::store::Store;

use crate::custom_store::FileStore;

/// A handle on the database that `url` names. It is made if it is not there.
///
/// A backend has its line here; `sqlite:FILE`, `postgres://…` and `redis://…` are for those that have one.
#[expect(clippy::unused_async, reason = "a database behind a network is opened by waiting for it")]
pub async fn open(url: &str) -> Arc<dyn Store> {
    match url.split_once(':') {
        Some(("file", path)) => Arc::new(FileStore::open(path).unwrap()),
        _ => panic!("nobody knows how to open {url}"),
    }
}
