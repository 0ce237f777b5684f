//! A cache in front of any store.
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`CachingStore`] and what can be set |
//! | `shelf.rs` | what is kept, what it rests on, and when it must go |

mod shelf;
mod store;

pub use store::{CacheOptions, CachingStore};
