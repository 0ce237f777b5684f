//! What the reference store promises beyond the contract: never to wait, to stay within bounds, and to forget on its own.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What a future of the reference store yields: it never waits, so it is asked once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the reference store waited"),
    }
}
