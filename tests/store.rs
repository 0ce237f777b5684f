//! The contract of a store: the kit, the reference store, and stores that are wrong on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

#[path = "store/broken.rs"]
mod broken;
#[path = "store/cached.rs"]
mod cached;
#[path = "store/caught.rs"]
mod caught;
#[path = "store/chained.rs"]
mod chained;
#[path = "store/conformance.rs"]
mod conformance;
#[path = "store/encrypted.rs"]
mod encrypted;
#[path = "store/fixture.rs"]
mod fixture;
#[path = "store/memory.rs"]
mod memory;
#[path = "store/model.rs"]
mod model;
#[path = "store/sample.rs"]
mod sample;
#[path = "store/transferred.rs"]
mod transferred;
