//! What is handed out: its form on the wire, its record, and whether it still counts.
//!
//! | file | holds |
//! |---|---|
//! | `fields.rs` | the payload of a record: tagged fields |
//! | `mint.rs` | a new token: its text and its record |
//! | `liveness.rs` | whether a token, and all it hangs on, still counts |
//! | `seal.rs` | what browsers keep for us |
//! | `view.rs` | what a live token says |
//! | `doubt.rs` | which tokens were being spent when the store did not say whether they were |
//! | `retry.rs` | the sealed answer to a refresh that is sent twice |

pub(crate) mod doubt;
pub(crate) mod fields;
pub(crate) mod liveness;
pub(crate) mod mint;
pub(crate) mod retry;
pub(crate) mod seal;
pub(crate) mod view;
