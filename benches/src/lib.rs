//! What grantor costs, beside its floor and beside the peers that can do the same work. See `benches/README.md`.

pub mod engine;
pub mod measure;
pub mod party;
pub mod wire;

/// What to measure, and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often every contender takes part.
    pub rounds: usize,
    /// How many grants or tokens are live where a row does not say.
    pub live: usize,
    /// Whether the rows with a million grants are measured too.
    pub million: bool,
    /// Only rows of these names; empty: all.
    pub only: Vec<String>,
}

impl Options {
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}
