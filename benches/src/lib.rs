//! What grantor costs, beside its floor and beside the peers that can do the same work. See `benches/README.md`.

#[cfg(feature = "peers")]
pub mod beside;
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
#[cfg(feature = "stores")]
pub mod stores;
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

/// What was measured of a question, and when, and of what.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    pub date: String,
    /// The commit, and whether the tree differed from it.
    pub commit: String,
    /// How many programs wanted to run, on average over the last minute: more than there are cores, and others disturbed.
    pub load: String,
    pub rows: Vec<measure::Row>,
}

/// What a program says.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program).args(arguments).current_dir(home()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Keeps the rows of a question for the report, and shows them. What was measured in part only is not kept.
pub fn keep(question: &str, options: &Options, rows: Vec<measure::Row>) {
    println!("{}", measure::table(&rows));
    if !options.only.is_empty() {
        return;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let kept = Kept {
        date: said("date", &["-u", "+%Y-%m-%d"]),
        commit: said("git", &["describe", "--always", "--dirty"]),
        load: load.split(' ').next().unwrap_or_default().to_owned(),
        rows,
    };
    let directory = home().join("results");
    std::fs::create_dir_all(&directory).expect("a place for results");
    let json = serde_json::to_string_pretty(&kept).expect("rows are JSON");
    std::fs::write(directory.join(format!("{question}.json")), json).expect("a place for results");
}
