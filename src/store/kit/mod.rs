//! The conformance kit: tells the author of a store when it is wrong.
//!
//! A store that passes may be trusted with codes and tokens; one that fails redeems a code twice one day. Implement
//! [`Fixture`], which says how to get an empty database and a handle on it, and run every check in a test:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use grantor::store::kit::{self, Fixture};
//! use grantor::store::{MemoryStore, Store};
//!
//! struct InMemory(Mutex<Arc<MemoryStore>>);
//!
//! impl Fixture for InMemory {
//!     fn reset(&self) {
//!         *self.0.lock().unwrap() = Arc::new(MemoryStore::new());
//!     }
//!     fn open(&self) -> Arc<dyn Store> {
//!         self.0.lock().unwrap().clone()
//!     }
//! }
//!
//! let fixture = InMemory(Mutex::new(Arc::new(MemoryStore::new())));
//! # let quick = |check: &kit::Check| check.name().starts_with("insert");
//! # kit::run_some(&fixture, quick).assert();
//! # if false {
//! kit::run(&fixture).assert();
//! # }
//! ```
//!
//! A store on an asynchronous runtime overrides [`Fixture::drive`] with that of its runtime. Checks run one after
//! another, each on an empty database; races run on threads of the operating system, through one handle and through
//! two. What only shows between processes is left to [`ProcessRace`], in which children of the test take part.
//!
//! | file | holds |
//! |---|---|
//! | `fixture.rs` | [`Fixture`]: what an author gives |
//! | `report.rs` | [`Report`]: what an author gets |
//! | `check.rs` | [`Check`], [`Rule`], and the list of all checks |
//! | `bed.rs` | what a check works with: short names for the operations |
//! | `sample.rs` | records, keys and commits to try |
//! | `round_trip.rs` | every column comes back |
//! | `related.rs` | what a load brings along |
//! | `conditions.rs` | each condition, true and false |
//! | `guards.rs` | each write, and when it fails |
//! | `atomic.rs` | all or nothing, in order, within a partition |
//! | `forgetting.rs` | purge, expiry, and what a store may forget on its own |
//! | `lists.rs` | filters, orders, pages |
//! | `scans.rs` | everything, a piece at a time |
//! | `races.rs` | many callers at once |
//! | `processes.rs` | [`ProcessRace`]: many processes at once |

mod atomic;
mod bed;
mod check;
mod conditions;
mod fixture;
mod forgetting;
mod guards;
mod lists;
mod processes;
mod races;
mod related;
mod report;
mod round_trip;
mod sample;
mod scans;

pub use check::{Check, Rule, checks};
pub use fixture::{Fixture, Task};
pub use processes::ProcessRace;
pub use report::{Outcome, Report, run, run_some};
