//! The guard: what a request costs in instructions, hashes and allocations, against `baseline.toml`.
//!
//! Instructions are counted by callgrind, where there is valgrind; time would say nothing on a machine that others use. Valgrind has no
//! SHA instructions, so that a hash, which takes some 100 instructions, takes 3,400 there: hashes are counted on their own.
//!
//! Another compiler makes other instructions of the same program: where it is not the one of the baseline, they are shown and decide nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use crate::home;
use crate::hot::{Hot, PATHS};
use crate::measure::watch;

/// How often a path is run to be counted.
pub const OPERATIONS: usize = 640;
/// What `sha2` takes for a block without SHA instructions.
const HASH: f64 = 3_372.0;
/// How much more than the baseline is too much.
const TOLERANCE: f64 = 1.05;

type Counts = BTreeMap<String, BTreeMap<String, f64>>;

/// Counts, compares, and says whether nothing has grown too much; or writes the baseline.
///
/// `made` is told when to count allocations and when not; `sum` says how many there were.
pub fn run(write: bool, made: fn(bool), sum: &dyn Fn() -> u64) -> bool {
    let counted = count(made, sum);
    let file = home().join("baseline.toml");
    if write {
        std::fs::write(&file, print(&counted)).expect("baseline.toml");
        println!("written: {}", file.display());
        return true;
    }
    let text = std::fs::read_to_string(&file).expect("baseline.toml: write it with --write");
    let baseline = parse(&text);
    let same_compiler = text.lines().any(|line| line == compiler());
    if !same_compiler {
        println!("another compiler than the baseline's: its instructions are shown, and decide nothing");
    }
    let mut good = true;
    println!("{:<20} {:<14} {:>10} {:>10}", "path", "count", "baseline", "now");
    for (path, counts) in &counted {
        for (name, now) in counts {
            let Some(before) = baseline.get(path).and_then(|counts| counts.get(name)) else {
                println!("{path:<20} {name:<14} {:>10} {now:>10.1}  NEW: write the baseline", "-");
                good = false;
                continue;
            };
            let verdict = if name == "instructions" && !same_compiler {
                "another compiler"
            } else if *now > before * TOLERANCE + 0.05 {
                good = false;
                "TOO MUCH"
            } else if *now < before / TOLERANCE - 0.05 {
                "less: write the baseline"
            } else {
                ""
            };
            println!("{path:<20} {name:<14} {before:>10.1} {now:>10.1}  {verdict}");
        }
    }
    good
}

fn count(made: fn(bool), sum: &dyn Fn() -> u64) -> Counts {
    let valgrind = Command::new("valgrind").arg("--version").output().is_ok();
    if !valgrind {
        println!("there is no valgrind: only allocations are counted");
    }
    let mut all = Counts::new();
    for path in PATHS {
        let mut counts = BTreeMap::new();
        counts.insert("allocations".to_owned(), allocations(path, made, sum));
        if valgrind {
            let (instructions, hashes) = callgrind(path);
            counts.insert("instructions".to_owned(), instructions);
            counts.insert("hashes".to_owned(), hashes);
        }
        all.insert(path.to_owned(), counts);
    }
    all
}

fn allocations(path: &str, made: fn(bool), sum: &dyn Fn() -> u64) -> f64 {
    let mut hot = Hot::new(path, OPERATIONS);
    let before = sum();
    watch(Some(made));
    hot.run(OPERATIONS);
    watch(None);
    rounded((sum() - before) as f64 / OPERATIONS as f64)
}

/// Instructions without those of hashes, and hashes, of one operation.
fn callgrind(path: &str) -> (f64, f64) {
    let out = std::env::temp_dir().join(format!("grantor-guard.{}.{path}", std::process::id()));
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*measure::counted*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("this program"))
        .args(["hot", path])
        .output()
        .expect("valgrind");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = std::fs::read_to_string(&out).expect("what callgrind wrote");
    let _ = std::fs::remove_file(&out);
    let (all, hashing) = costs(&text);
    let operations = OPERATIONS as f64;
    ((((all - hashing) / operations) / 10.0).round() * 10.0, rounded(hashing / HASH / operations))
}

/// The line of the baseline that names the compiler.
fn compiler() -> String {
    let version = crate::said("rustc", &["--version"]);
    format!("# {}", version.split(" (").next().unwrap_or_default())
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// All instructions of a profile, and those of compressing blocks.
fn costs(profile: &str) -> (f64, f64) {
    let (mut all, mut hashing) = (0.0, 0.0);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let (mut compressing, mut called) = (false, false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            // A name is told once, and a number for it from then on.
            let (number, told) = name.split_once(' ').unwrap_or((name, ""));
            if !told.is_empty() {
                names.insert(number.to_owned(), told.to_owned());
            }
            if line.starts_with("fn=") {
                compressing =
                    names.get(number).is_some_and(|name| name.contains("sha256") && name.contains("compress"));
            }
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // The line after `calls=` repeats what the callee's own lines say.
            if std::mem::take(&mut called) {
                continue;
            }
            let cost: f64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0.0);
            all += cost;
            hashing += if compressing { cost } else { 0.0 };
        }
    }
    (all, hashing)
}

fn print(counts: &Counts) -> String {
    let mut out = String::from("# What a request costs, for benches/guard: written by `benches/guard --write`.\n");
    let _ = writeln!(out, "{}", compiler());
    for (path, counts) in counts {
        let _ = writeln!(out, "\n[{path}]");
        for (name, count) in counts {
            let _ = writeln!(out, "{name} = {count}");
        }
    }
    out
}

fn parse(text: &str) -> Counts {
    let mut counts = Counts::new();
    let mut path = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut path);
        } else if let Some((name, count)) = line.split_once(" = ") {
            let count = count.parse().expect("a number in baseline.toml");
            counts.entry(path.clone()).or_default().insert(name.to_owned(), count);
        }
    }
    counts
}
