//! The contract of a store: the kit, the reference store, and stores that are wrong on purpose.

#[path = "store/memory.rs"]
mod memory;
#[path = "store/model.rs"]
mod model;
