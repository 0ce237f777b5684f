//! The hot paths alone: to profile them, and to count their instructions and allocations.

use std::sync::atomic::Ordering;

use crate::measure::{COUNTED, sliced};
use crate::party::{Floor, Ours, Pair, Party};

pub const PATHS: [&str; 6] = ["verify", "introspection", "client_credentials", "refresh", "authorize", "exchange"];

/// One path of one party, ready to be run so many times.
pub struct Hot {
    path: String,
    ours: Ours,
    pairs: Vec<Pair>,
    tokens: Vec<String>,
    codes: Vec<String>,
    at: usize,
}

impl Hot {
    /// Prepares `live` grants and tokens.
    pub fn new(path: &str, live: usize) -> Self {
        let mut ours = Ours::default();
        let pairs = if matches!(path, "verify" | "refresh") { ours.grants(live) } else { Vec::new() };
        let tokens = if path == "introspection" { ours.tokens(live) } else { Vec::new() };
        let codes = if path == "exchange" { ours.codes(live).1 } else { Vec::new() };
        Self { path: path.to_owned(), ours, pairs, tokens, codes, at: 0 }
    }

    /// Runs it, on other tokens each time: nanoseconds of CPU per operation.
    pub fn run(&mut self, times: usize) -> f64 {
        COUNTED.store(true, Ordering::Relaxed);
        let cost = sliced(times, |times| {
            let most = self.pairs.len().max(self.tokens.len()).max(self.codes.len()).max(times);
            if self.at + times > most {
                assert!(self.path != "exchange", "a code serves once");
                self.at = 0;
            }
            let range = self.at..self.at + times;
            self.at += times;
            match self.path.as_str() {
                "verify" => {
                    let tokens: Vec<String> = self.pairs[range].iter().map(|(access, _)| access.clone()).collect();
                    self.ours.verify(&tokens)
                }
                "introspection" => self.ours.introspect(&self.tokens[range]),
                "client_credentials" => self.ours.issue(times),
                "refresh" => {
                    let tokens: Vec<String> =
                        self.pairs[range.clone()].iter().map(|(_, refresh)| refresh.clone()).collect();
                    let (cost, pairs) = self.ours.refresh(&tokens);
                    self.pairs[range].clone_from_slice(&pairs);
                    cost
                }
                "authorize" => self.ours.codes(times).0,
                "exchange" => self.ours.exchange(&self.codes[range]).0,
                other => panic!("no path {other}"),
            }
        });
        COUNTED.store(false, Ordering::Relaxed);
        cost.nanos as f64 / cost.operations as f64
    }
}

/// The floor of a path, for a profile of its own.
pub fn floor(path: &str, times: usize) -> f64 {
    let mut floor = Floor::new();
    let cost = match path {
        "client_credentials" => sliced(times, |times| floor.issue(times)),
        "introspection" => {
            let tokens = floor.tokens(1_000);
            sliced(times, |times| floor.introspect(&tokens[..times]))
        }
        "verify" => {
            let tokens = floor.tokens(1_000);
            sliced(times, |times| floor.verify(&tokens[..times]))
        }
        "refresh" => {
            let mut tokens: Vec<String> = floor.grants(64).into_iter().map(|pair| pair.1).collect();
            sliced(times, |times| {
                let (cost, pairs) = floor.refresh(&tokens[..times]);
                tokens = pairs.into_iter().map(|pair| pair.1).collect();
                cost
            })
        }
        _ => sliced(times, |times| floor.flow(times).0),
    };
    cost.nanos as f64 / cost.operations as f64
}
