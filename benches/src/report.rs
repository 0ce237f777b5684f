//! Writes `docs/performance.md`, and its charts, from what was measured last.

use std::fmt::Write as _;
use std::path::Path;

use crate::measure::{OURS, PER_SECOND, Row, table, thousands};
use crate::{Kept, home, said};

struct Part {
    question: &'static str,
    title: &'static str,
    about: &'static str,
}

const PARTS: [Part; 7] = [
    Part {
        question: "engine",
        title: "In process",
        about: "One thread; nanoseconds of CPU for one operation. All get parsed parameters and give JSON; those with `http` in their \
                name take an `http::Request` and give the response. The floor is a straight-line program of the same hashing, \
                randomness, map operations and JSON, without an engine around it. `verify` gets the token and gives what it says.",
    },
    Part {
        question: "edge",
        title: "Over HTTP",
        about: "Loopback, 32 connections, one core for the server and one for the load; nanoseconds of CPU of the server's process \
                for one request.",
    },
    Part {
        question: "stores",
        title: "On databases",
        about: "Operations per second, by the wall, of one client and of sixteen at once, in one process on two threads. The floor is the \
                same database without us: as many round trips and commits, reading and writing as many rows of the same size in one \
                table without an index beside its key. Every commit is flushed to the disk before it is answered.",
    },
    Part {
        question: "memory",
        title: "Memory",
        about: "Bytes of the heap, with the allocator's own overhead; what a table has in reserve counts.",
    },
    Part {
        question: "threads",
        title: "Two threads",
        about: "How many times as much two threads do as one, by the wall; beside it what two threads that share nothing reached in \
                the same rounds, on a machine that others may have used, too.",
    },
    Part {
        question: "sweep",
        title: "Forgetting",
        about: "The longest pause while expired records are forgotten: the 99th percentile of calls.",
    },
    Part {
        question: "build",
        title: "Cost to build",
        about: "A clean release build of a program that uses it, and what it adds to an empty one.",
    },
];

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} × {}, {}", model.trim_start_matches([' ', '\t', ':']), said("uname", &["-srm"]))
}

/// The version of a package in our lock file.
fn version(package: &str) -> String {
    let lock = std::fs::read_to_string(home().join("Cargo.lock")).unwrap_or_default();
    // Of two versions, ours is the newer: a peer may have the older.
    let entry = lock.split("[[package]]").filter(|entry| entry.contains(&format!("\nname = \"{package}\"\n"))).last();
    let version = entry.and_then(|entry| entry.split("version = \"").nth(1)).and_then(|rest| rest.split('"').next());
    format!("{package} {}", version.unwrap_or("?"))
}

pub fn write() {
    let docs = home().parent().unwrap().join("docs");
    let charts = docs.join("performance");
    std::fs::create_dir_all(&charts).expect("docs/performance");
    let versions: Vec<String> = ["oxide-auth", "oauth-as", "axum", "hyper", "sha2"].into_iter().map(version).collect();
    let mut out = String::from("# What it costs\n\n");
    let _ = writeln!(
        out,
        "Written by `benches/run report` from what was measured last; `benches/run all` measures everything.\n\n\
         - {}\n- {}, release with thin LTO\n- {}\n",
        machine(),
        said("rustc", &["--version"]),
        versions.join(", "),
    );
    out.push_str(
        "Figures are CPU time, the median of rounds in which all take part in turn; ± is half the distance between the 10th and the 90th \
         percentile. A ratio is the median of the ratios within the rounds. Absolute figures vary with the machine, ratios less.\n",
    );
    let mut unmet = String::new();
    for part in &PARTS {
        let file = home().join("results").join(format!("{}.json", part.question));
        let Ok(text) = std::fs::read_to_string(&file) else {
            eprintln!("nothing measured yet: {}", part.question);
            continue;
        };
        let Kept { date, commit, load, rows } = serde_json::from_str(&text).expect("results");
        let _ = writeln!(
            out,
            "\n## {}\n\n{} Measured on {date} at `{commit}`, under a load of {load}.\n",
            part.title, part.about
        );
        out.push_str(&table(&rows));
        if rows.iter().any(|row| row.measured.len() > 1) {
            chart(&charts.join(format!("{}.svg", part.question)), part.title, &rows);
            let _ = writeln!(out, "\n![{}](performance/{}.svg)", part.title, part.question);
        }
        for row in &rows {
            for judged in row.judged.iter().filter(|judged| !judged.met) {
                let _ = writeln!(unmet, "- {}: {}, found {}", row.work, judged.target, judged.found);
            }
        }
    }
    out.push_str("\n## What is not met\n\n");
    out.push_str(if unmet.is_empty() { "Nothing.\n" } else { &unmet });
    // Why is for people to say: what they wrote is kept.
    let why = std::fs::read_to_string(home().join("why.md")).unwrap_or_default();
    if !why.trim().is_empty() {
        let _ = write!(out, "\n## Why\n\n{}\n", why.trim());
    }
    std::fs::write(docs.join("performance.md"), out).expect("docs/performance.md");
    println!("written: docs/performance.md");
}

const COLOURS: [&str; 6] = ["#1f6feb", "#8b949e", "#d29922", "#a371f7", "#db61a2", "#3fb950"];

/// Bars, a group for each row, each as long as its figure is beside the longest of its row.
fn chart(file: &Path, title: &str, rows: &[Row]) {
    let mut names: Vec<&str> = Vec::new();
    for one in rows.iter().flat_map(|row| &row.measured) {
        if !names.contains(&one.name.as_str()) {
            names.push(&one.name);
        }
    }
    let (left, width, bar) = (20, 560, 14);
    let mut body = String::new();
    let mut y = 34;
    for (at, name) in names.iter().enumerate() {
        let x = left + at * 140;
        let _ = writeln!(
            body,
            r#"<rect x="{x}" y="{y}" width="10" height="10" fill="{}"/><text x="{}" y="{}">{name}</text>"#,
            COLOURS[at % COLOURS.len()],
            x + 14,
            y + 9
        );
    }
    y += 24;
    for row in rows {
        let longest = row.measured.iter().map(|one| one.median).fold(f64::MIN_POSITIVE, f64::max);
        let _ =
            writeln!(body, r#"<text x="{left}" y="{}" font-weight="bold">{} ({})</text>"#, y + 10, row.work, row.unit);
        y += 16;
        for one in &row.measured {
            let colour = names.iter().position(|name| *name == one.name).unwrap_or(0) % COLOURS.len();
            let long = (one.median / longest * width as f64).max(1.0);
            let _ = writeln!(
                body,
                r#"<rect x="{left}" y="{y}" width="{long:.0}" height="{}" fill="{}"/><text x="{:.0}" y="{}">{}</text>"#,
                bar - 3,
                COLOURS[colour],
                left as f64 + long + 5.0,
                y + 9,
                thousands(one.median)
            );
            y += bar;
        }
        y += 8;
    }
    let note = if rows.iter().all(|row| row.unit.starts_with('×') || row.unit == PER_SECOND) {
        "longer is better"
    } else {
        "shorter is better"
    };
    let wide = (left + width + 110).max(left + names.len() * 140);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{y}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{title}: {note}; each row to its own scale ({OURS} is blue)</text>\n{body}</svg>\n"
    );
    std::fs::write(file, svg).expect("a chart");
}
