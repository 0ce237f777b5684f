//! How long a test waits for its server. `cargo run --release --example testing_start`

use std::time::{Duration, Instant};

use grantor::testing::TestServer;

const ROUNDS: usize = 1_000;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn main() {
    let (mut in_process, mut listening, mut token) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let server = TestServer::in_process();
        in_process.push(begun.elapsed());

        let begun = Instant::now();
        let on_a_port = TestServer::start().await;
        listening.push(begun.elapsed());
        drop(on_a_port);

        let begun = Instant::now();
        server.mint("alice").scope("read").access().await;
        token.push(begun.elapsed());
    }
    println!("{ROUNDS} rounds            median      slowest of a hundred");
    print("TestServer::in_process()", in_process);
    print("TestServer::start().await", listening);
    print("server.mint(..).access().await", token);
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |part: usize| {
        took.get(took.len().saturating_mul(part).checked_div(100).unwrap_or_default()).copied().unwrap_or_default()
    };
    println!("{what:<32} {:>9.1?} {:>12.1?}", at(50), at(99));
}
