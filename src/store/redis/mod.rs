//! The store in Redis or Valkey, on one server or in a Cluster (feature `redis`).
//!
//! A commit is one script, in which Redis runs nothing else: it reads what the conditions and guards ask for, answers
//! if one fails, and only then writes. Every key of a commit lies in one slot, so that it works in a Cluster as well.
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`RedisStore`] |
//! | `options.rs` | [`RedisOptions`]: what can be set |
//! | `inspect.rs` | what a server keeps when something breaks, as far as it tells |
//! | `bucket.rs` | from a partition to the keys of Redis |
//! | `row.rs` | from a record to the value of a key, and back |
//! | `commit.rs` | a commit as the arguments of a script |
//! | `load.rs` | records by key, with what they hang on |
//! | `list.rs` | lists: which index answers a query |
//! | `merge.rs` | lists that are kept in order, put together from all buckets |
//! | `walk.rs` | lists that are not |
//! | `forget.rs` | purging, a little from each bucket |
//! | `events.rs` | the outbox |
//! | `scan.rs` | everything, a bucket after another |
//! | `script.rs` | the scripts, which are in `lua/` |
//! | `nodes.rs` | sends a call to the node that holds its bucket |
//! | `cluster.rs` | which node that is |
//! | `node.rs` | one server |
//! | `link.rs` | one connection to it |
//! | `fault.rs` | what went wrong, and what may be said of it |

mod bucket;
mod cluster;
mod commit;
mod events;
mod fault;
mod forget;
mod inspect;
mod link;
mod list;
mod load;
mod merge;
mod node;
mod nodes;
mod options;
mod row;
mod scan;
mod script;
mod store;
mod walk;

pub use options::{RedisFsync, RedisLoss, RedisOptions};
pub use store::RedisStore;
