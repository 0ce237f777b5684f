//! `cargo run --release --manifest-path benches/Cargo.toml -- QUESTION [ROW..] [--rounds N] [--live N] [--million]`

use grantor_benches::{Options, edge, engine, hot, keep, report, stores, sweep, threads};

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
        "edge" => edge::run(&options),
        "stores" => stores::run(&options),
        "threads" => threads::run(&options),
        "sweep" => sweep::run(&options),
        "report" => {
            report::write();
            return;
        }
        // The two servers of a comparison over HTTP run in processes of their own.
        "serve" => return edge::serve(&options.only[0]),
        "hot" => {
            for path in &options.only {
                let mut hot = hot::Hot::new(path, options.live);
                println!("{path}: {:.0} ns", hot.run(options.rounds * 1_000));
            }
            return;
        }
        "hot-floor" => {
            for path in &options.only {
                println!("{path}: {:.0} ns", hot::floor(path, options.rounds * 1_000));
            }
            return;
        }
        _ => {
            eprintln!("questions: engine edge stores threads sweep; memory is asked of `count`; report");
            std::process::exit(2);
        }
    };
    keep(&question, &options, rows);
}
