//! How often something may be asked for, and by whom.
//!
//! | file | holds |
//! |---|---|
//! | `contract.rs` | [`RateLimit`]: what a host can put in place of the one here, and what it is asked |
//! | `address.rs` | [`PeerAddress`]: where a request came from, as the host says |
//! | `memory.rs` | [`MemoryRateLimit`]: in the memory of this process, bounded |
//! | `limiter.rs` | who is asked: the host's, or for the device pages always one |
//!
//! A [`Builder`](crate::Builder) without [`rate_limit`](crate::Builder::rate_limit) limits only what a guesser could
//! win by: user codes, and the requests that make them (RFC 8628 §5.1). All else is refused by nobody, since a library
//! cannot know what is much; turn on [`MemoryRateLimit::generous`], or put a limit in front.

mod address;
mod contract;
mod limiter;
mod memory;

pub use address::PeerAddress;
pub use contract::{By, Caller, Limited, RateLimit, TooMany};
pub(crate) use limiter::Limiter;
pub use memory::{MemoryRateLimit, Rate};
