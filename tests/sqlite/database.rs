//! A file of its own for each test, and stores on it.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use grantor::store::kit::Fixture;
use grantor::store::{SqliteOptions, SqliteStore, Store};

/// A directory that goes with the value.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("grantor-sqlite-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The database in it.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("auth.db")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Drives a future on this thread, without a runtime.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    wait(SqliteStore::open(path)).unwrap()
}

/// The kit's view: each database in a new directory.
pub(crate) struct Files {
    options: SqliteOptions,
    directory: Mutex<Directory>,
}

impl Files {
    pub(crate) fn new(options: SqliteOptions) -> Self {
        Self { options, directory: Mutex::new(Directory::new()) }
    }
}

impl Fixture for Files {
    fn reset(&self) {
        *self.directory.lock().unwrap() = Directory::new();
    }

    fn open(&self) -> Arc<dyn Store> {
        let file = self.directory.lock().unwrap().file();
        Arc::new(wait(self.options.clone().open(file)).unwrap())
    }
}

/// One database that others use too.
pub(crate) struct Shared(pub(crate) PathBuf);

impl Fixture for Shared {
    fn reset(&self) {
        panic!("the database is shared");
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.0))
    }
}
