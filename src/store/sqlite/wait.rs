//! A value that another thread will give: a future that needs no runtime.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Who gives the value.
pub(super) struct Answer<T>(Arc<Mutex<State<T>>>);

/// Who waits for it. Ends in `None` if the other end was dropped without giving it.
pub(super) struct Waiting<T>(Arc<Mutex<State<T>>>);

enum State<T> {
    Pending(Option<Waker>),
    Given(T),
    Over,
}

pub(super) fn channel<T>() -> (Answer<T>, Waiting<T>) {
    let shared = Arc::new(Mutex::new(State::Pending(None)));
    (Answer(Arc::clone(&shared)), Waiting(shared))
}

fn lock<T>(shared: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Answer<T> {
    pub(super) fn give(self, value: T) {
        self.end(State::Given(value));
    }

    /// Whether anybody still waits.
    pub(super) fn is_wanted(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn end(&self, state: State<T>) {
        let mut shared = lock(&self.0);
        let State::Pending(waker) = &mut *shared else { return };
        let waker = waker.take();
        *shared = state;
        // Whoever is woken may run on another core at once, and wants the lock.
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.end(State::Over);
    }
}

impl<T> Future for Waiting<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = lock(&self.0);
        if let State::Pending(waker) = &mut *shared {
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                *waker = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut *shared, State::Over) {
            State::Given(value) => Poll::Ready(Some(value)),
            State::Pending(_) | State::Over => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn poll<T>(waiting: Pin<&mut Waiting<T>>) -> Poll<Option<T>> {
        waiting.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_given_arrives_and_what_is_dropped_is_told() {
        let (answer, waiting) = channel();
        let mut waiting = pin!(waiting);
        assert!(poll(waiting.as_mut()).is_pending() && answer.is_wanted());
        answer.give(7);
        assert_eq!(poll(waiting), Poll::Ready(Some(7)));

        let (answer, waiting) = channel::<u8>();
        drop(answer);
        assert_eq!(poll(pin!(waiting)), Poll::Ready(None));

        let (answer, waiting) = channel::<u8>();
        drop(waiting);
        assert!(!answer.is_wanted());
    }

    #[test]
    fn the_last_waker_is_woken() {
        let (answer, mut waiting) = channel();
        assert!(poll(Pin::new(&mut waiting)).is_pending());
        let thread = std::thread::spawn(move || {
            struct Unpark(std::thread::Thread);
            impl std::task::Wake for Unpark {
                fn wake(self: Arc<Self>) {
                    self.0.unpark();
                }
            }
            let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
            loop {
                match Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(value) => return value,
                    Poll::Pending => std::thread::park(),
                }
            }
        });
        answer.give("done");
        assert_eq!(thread.join().unwrap(), Some("done"));
    }
}
