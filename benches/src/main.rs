//! `cargo run --release --manifest-path benches/Cargo.toml -- QUESTION [ROW..] [--rounds N] [--live N] [--million]`

use grantor_benches::{Options, engine, measure};

/// The allocator gives memory back to the system between two batches, and every party pays for getting it anew: as much as a request
/// costs, and nothing that a server at work would pay. So it is told to keep what it has.
fn keep_memory() {
    use std::os::unix::process::CommandExt as _;
    const NAME: &str = "GLIBC_TUNABLES";
    const VALUE: &str =
        "glibc.malloc.trim_threshold=4294967296:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.top_pad=67108864";
    if std::env::var_os(NAME).is_none() {
        let program = std::env::current_exe().expect("this program");
        let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(NAME, VALUE).exec();
        panic!("{error}");
    }
}

fn main() {
    keep_memory();
    let mut options = Options { rounds: 15, live: 100_000, million: false, only: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    let question = arguments.next().unwrap_or_default();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number");
        match argument.as_str() {
            "--rounds" => options.rounds = number(),
            "--live" => options.live = number(),
            "--million" => options.million = true,
            row => options.only.push(row.to_owned()),
        }
    }
    let rows = match question.as_str() {
        "engine" => engine::run(&options),
        _ => {
            eprintln!("questions: engine");
            std::process::exit(2);
        }
    };
    println!("{}", measure::table(&rows));
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    std::fs::create_dir_all(&directory).expect("a place for results");
    let json = serde_json::to_string_pretty(&rows).expect("rows are JSON");
    std::fs::write(directory.join(format!("{question}.json")), json).expect("a place for results");
}
