//! What the host's instruments are told: spans (feature `tracing`) and metrics (feature `metrics`).
//!
//! | file | holds |
//! |---|---|
//! | `label.rs` | the few words that a label may have |
//! | `request.rs` | what one request came to, and how long it took |
//! | `metered.rs` | a store whose calls are counted |
//! | `metrics.rs` | the names of the metrics, and what is counted of an event (feature `metrics`) |
//!
//! A label has one of a few values, whoever asks for what: an endpoint, a grant type that the server has, a reason. No
//! client, no subject and no text of a request is in one; those are in events.

#[cfg(any(feature = "metrics", feature = "tracing"))]
mod label;
#[cfg(any(feature = "metrics", feature = "tracing"))]
mod metered;
#[cfg(feature = "metrics")]
mod metrics;
mod request;

use std::sync::Arc;

use crate::event::Event;
use crate::store::Store;

pub(crate) use request::{Came, Watch, grant_type};

/// Tells the instruments of an event.
pub(crate) fn event(event: &Event) {
    #[cfg(feature = "tracing")]
    request::reason(event);
    #[cfg(feature = "metrics")]
    metrics::event(event);
    #[cfg(not(any(feature = "metrics", feature = "tracing")))]
    let _ = event;
}

/// The store, with its calls counted where there is an instrument to tell.
pub(crate) fn store(store: Arc<dyn Store>) -> Arc<dyn Store> {
    #[cfg(feature = "metrics")]
    metrics::describe();
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    let store = Arc::new(metered::Metered::new(store));
    store
}
