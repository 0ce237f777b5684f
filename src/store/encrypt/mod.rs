//! Encryption in front of any store (feature `encryption`).
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`EncryptingStore`], and moving records to the newest key |
//! | `ring.rs` | [`KeyRing`]: which key seals and which open |
//! | `seal.rs` | what is sealed, and to what it is bound |

mod ring;
mod seal;
mod store;

pub use ring::KeyRing;
pub use store::{EncryptingStore, Resealed};
