//! What grantor costs, beside its floor and beside the peers that can do the same work. See `benches/README.md`.

#[cfg(feature = "edge")]
pub mod edge;
#[cfg(feature = "peers")]
pub mod engine;
pub mod guard;
pub mod hot;
pub mod measure;
pub mod memory;
pub mod party;
pub mod report;
#[cfg(feature = "peers")]
pub mod sweep;
#[cfg(feature = "peers")]
pub mod threads;
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

/// Where this package is.
pub fn home() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Keeps the rows of a question for the report, and shows them.
pub fn keep(question: &str, rows: &[measure::Row]) {
    println!("{}", measure::table(rows));
    let directory = home().join("results");
    std::fs::create_dir_all(&directory).expect("a place for results");
    let json = serde_json::to_string_pretty(rows).expect("rows are JSON");
    std::fs::write(directory.join(format!("{question}.json")), json).expect("a place for results");
}
