//! What the author of a store gives the kit.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::Thread;

use crate::store::Store;

/// Something to be driven to its end on the thread that calls [`Fixture::drive`].
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A database to try a store on.
///
/// A method that cannot do its work panics: the kit reports the check as failed with what the panic said, and goes on.
pub trait Fixture: Sync {
    /// Makes the database empty. Handles opened before are gone by then, and not used again.
    fn reset(&self);

    /// A handle on the database; each call gives another, as another node of a cluster would have it: with connections
    /// and caches of its own.
    fn open(&self) -> Arc<dyn Store>;

    /// Drives a future to its end on the calling thread. Races call this from many threads at once.
    ///
    /// A store on tokio overrides this with `self.runtime.block_on(task)`; what is here needs no runtime.
    fn drive(&self, task: Task<'_>) {
        block_on(task);
    }

    /// Returns once lists have caught up with what was committed. A store whose lists never trail leaves this as it is.
    fn settle(&self) {}
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(task: Task<'_>) {
    let mut task = pin!(task);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    while task.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}
