//! Measuring by CPU time, in rounds that every contender takes part in.
//!
//! The machine may be shared, so wall time says little, and an absolute figure says little about another machine. What counts is
//! the ratio between two contenders in the same round; a table shows its median over all rounds, and how far rounds differ.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Nanoseconds of CPU that this thread has used.
pub fn thread_cpu() -> u64 {
    nanos(ClockId::ThreadCPUTime)
}

/// Nanoseconds of CPU that this process has used, all threads together.
pub fn process_cpu() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

/// Nanoseconds on the wall.
pub fn wall() -> u64 {
    nanos(ClockId::Monotonic)
}

fn nanos(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// What a batch cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub nanos: u64,
    pub operations: u64,
}

impl Cost {
    fn per_operation(self) -> f64 {
        self.nanos as f64 / self.operations as f64
    }
}

/// Whether what is measured passes through [`counted`].
pub static COUNTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Who is told before and after what is measured.
    static WATCH: RefCell<Option<fn(bool)>> = const { RefCell::new(None) };
}

/// From now on `watch` is told when what is measured begins and ends.
pub fn watch(watch: Option<fn(bool)>) {
    WATCH.set(watch);
}

fn tell(begins: bool) {
    WATCH.with_borrow(|watch| {
        if let Some(watch) = watch {
            watch(begins);
        }
    });
}

/// Work that shares nothing with anybody.
pub fn hash(times: usize) {
    let mut digest = [7_u8; 32];
    for _ in 0..times {
        digest = Sha256::digest(digest).into();
    }
    std::hint::black_box(digest);
}

/// Runs `work`, which does so many operations, and says what it cost this thread.
pub fn cost<T>(operations: usize, work: impl FnOnce() -> T) -> (Cost, T) {
    let counting = COUNTED.load(Ordering::Relaxed);
    tell(true);
    let begun = thread_cpu();
    let result = if counting { counted(work) } else { work() };
    let nanos = thread_cpu() - begun;
    tell(false);
    (Cost { nanos, operations: operations as u64 }, result)
}

/// Nothing but `work`, under a name that callgrind can be told to count (`--toggle-collect`).
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// How many requests are made before the clock starts: few enough that they, and the answers, are still in the cache when they are
/// needed, as they are in a server; enough that the reading of the clock does not count.
pub const SLICE: usize = 64;

/// Does so many operations a slice at a time.
pub fn sliced(times: usize, mut slice: impl FnMut(usize) -> Cost) -> Cost {
    let mut sum = Cost { nanos: 0, operations: 0 };
    while sum.operations < times as u64 {
        let one = slice(SLICE.min(times - sum.operations as usize));
        sum = Cost { nanos: sum.nanos + one.nanos, operations: sum.operations + one.operations };
    }
    sum
}

/// The result of a future that is ready when first polled, as everything over a store in memory is.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a store in memory made somebody wait"),
    }
}

/// Somebody who can do the work of a row.
pub struct Contender<'a> {
    pub name: &'static str,
    pub sample: Box<dyn FnMut() -> Cost + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, sample: impl FnMut() -> Cost + 'a) -> Self {
        Self { name, sample: Box::new(sample) }
    }
}

/// What is asked of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// At least so many times as fast as the fastest of these.
    Faster(f64, &'static [&'static str]),
    /// At most so many times the cost of this one.
    Within(f64, &'static str),
    /// At most so many nanoseconds.
    Nanos(f64),
}

/// One contender, measured: nanoseconds of CPU per operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    pub name: String,
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

/// Whether a target was met.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    pub target: String,
    pub found: String,
    pub met: bool,
}

/// One row of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub work: String,
    pub unit: String,
    pub measured: Vec<Measured>,
    pub judged: Vec<Judged>,
    #[serde(default)]
    pub note: String,
}

pub const OURS: &str = "ours";
pub const FLOOR: &str = "floor";
/// The unit of what is better when there is more of it.
pub const PER_SECOND: &str = "per s";

/// Measures one row: `rounds` rounds, in each of which every contender does one batch, in turn forwards and backwards.
pub fn row(work: &str, rounds: usize, mut contenders: Vec<Contender<'_>>, targets: &[Target]) -> Row {
    let count = contenders.len();
    let mut samples: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); count];
    for contender in &mut contenders {
        // Once to warm up.
        (contender.sample)();
    }
    for round in 0..rounds {
        for step in 0..count {
            let at = if round % 2 == 0 { step } else { count - 1 - step };
            samples[at].push((contenders[at].sample)().per_operation());
        }
    }
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name).collect();
    let measured = names.iter().zip(&samples).map(|(name, samples)| summary(name, samples)).collect();
    let of = |name: &str| names.iter().position(|other| *other == name).map(|at| &samples[at]);
    let ours = of(OURS).expect("ours takes part");
    let judged = targets.iter().filter_map(|target| judge(target, ours, &of)).collect();
    let row = Row { work: work.to_owned(), unit: "ns".to_owned(), measured, judged, note: String::new() };
    eprintln!("  {}", brief(&row));
    row
}

impl Row {
    /// A row of single figures, each beside its target if it has one.
    pub fn figures(work: &str, unit: &str, figures: &[(&str, f64)], target: Option<f64>) -> Self {
        let one = |(name, figure): &(&str, f64)| Measured {
            name: (*name).to_owned(),
            median: *figure,
            low: *figure,
            high: *figure,
        };
        let ours = figures.iter().find(|(name, _)| *name == OURS).map_or(0.0, |(_, figure)| *figure);
        let judged = target.map(|most| Judged {
            target: format!("≤ {} {unit}", thousands(most)),
            found: format!("{} {unit}", thousands(ours)),
            met: ours <= most,
        });
        let row = Self {
            work: work.to_owned(),
            unit: unit.to_owned(),
            measured: figures.iter().map(one).collect(),
            judged: judged.into_iter().collect(),
            note: String::new(),
        };
        eprintln!("  {}", brief(&row));
        row
    }
}

fn judge<'s>(target: &Target, ours: &[f64], of: &dyn Fn(&str) -> Option<&'s Vec<f64>>) -> Option<Judged> {
    let paired =
        |others: &[f64]| median(&ours.iter().zip(others).map(|(ours, other)| other / ours).collect::<Vec<_>>());
    Some(match target {
        Target::Faster(times, names) => {
            let best = names
                .iter()
                .filter_map(|name| Some((*name, of(name)?)))
                .min_by(|a, b| median(a.1).total_cmp(&median(b.1)))?;
            let ratio = paired(best.1);
            Judged { target: format!("≥ {times}× {}", best.0), found: format!("{ratio:.2}×"), met: ratio >= *times }
        }
        Target::Within(times, name) => {
            let ratio = 1.0 / paired(of(name)?);
            Judged { target: format!("≤ {times}× {name}"), found: format!("{ratio:.2}×"), met: ratio <= *times }
        }
        Target::Nanos(most) => {
            let ours = median(ours);
            Judged {
                target: format!("≤ {} ns", thousands(*most)),
                found: format!("{} ns", thousands(ours)),
                met: ours <= *most,
            }
        }
    })
}

pub fn summary(name: &str, samples: &[f64]) -> Measured {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize];
    Measured { name: name.to_owned(), median: median(samples), low: at(0.1), high: at(0.9) }
}

/// The median.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// A number with separators, at most one decimal where it is small.
pub fn thousands(number: f64) -> String {
    if number < 10.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn brief(row: &Row) -> String {
    let measured: Vec<String> =
        row.measured.iter().map(|one| format!("{} {}", one.name, thousands(one.median))).collect();
    let judged: Vec<String> = row
        .judged
        .iter()
        .map(|one| format!("{}: {} {}", one.target, one.found, if one.met { "met" } else { "NOT MET" }))
        .collect();
    format!("{}: {} [{}]", row.work, measured.join(", "), judged.join("; "))
}

/// The table of a question, in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for one in rows.iter().flat_map(|row| &row.measured) {
        if !names.contains(&one.name.as_str()) {
            names.push(&one.name);
        }
    }
    let mut out = format!("| work | unit | {} | target | found | met |\n|---|---|", names.join(" | "));
    out.push_str(&"--:|".repeat(names.len()));
    out.push_str("---|---|---|\n");
    for row in rows {
        let cells: Vec<String> = names
            .iter()
            .map(|name| {
                let one = row.measured.iter().find(|one| one.name == *name);
                one.map_or("–".to_owned(), |one| {
                    let spread = (one.high - one.low) / 2.0 / one.median * 100.0;
                    format!("{} ±{spread:.0} %", thousands(one.median))
                })
            })
            .collect();
        let join = |part: &dyn Fn(&Judged) -> String| row.judged.iter().map(part).collect::<Vec<_>>().join("<br>");
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.work,
            row.unit,
            cells.join(" | "),
            join(&|one| one.target.clone()),
            join(&|one| one.found.clone()),
            join(&|one| if one.met { "yes".into() } else { "**no**".into() }),
        );
    }
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        let _ = writeln!(out, "\n{}: {}", row.work, row.note);
    }
    out
}
