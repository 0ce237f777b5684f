//! What a grant takes, for `docs/stores/redis.md`. `GRANTOR_GRANTS` says of how many it is measured: CONTRIBUTING.md.

use std::sync::Arc;

use grantor::clock::ManualClock;

use super::flow::{Node, START};
use super::server::{NO_FILE, Server, options, wait};

/// How much memory the data takes, in bytes, as Redis itself counts it.
fn taken(server: &Server) -> u64 {
    let told = server.said(&["INFO", "memory"]);
    let line = told.lines().find_map(|line| line.trim_end().strip_prefix("used_memory_dataset:")).unwrap();
    line.parse().unwrap()
}

#[test]
fn a_grant_takes_no_more_memory_than_its_page_says() {
    let grants: u64 = std::env::var("GRANTOR_GRANTS").map_or(300, |grants| grants.parse().unwrap());
    let server = Server::start(NO_FILE);
    let node = Node::over(&options(), &server.url(), &Arc::new(ManualClock::new(START)));
    node.register("web");
    let sign_in = |number: u64| {
        let code = node.code("web", &format!("user{number}"));
        wait(node.redeem(&code)).token("refresh_token")
    };
    let empty = taken(&server);
    let mut refreshes: Vec<String> = (0..grants).map(sign_in).collect();
    let signed_in = taken(&server);
    let grant = (signed_in - empty) / grants;
    println!("signed in: {grant} bytes for each of {grants} grants");
    // With few of them, what each of the 256 buckets begins with weighs heavily.
    assert!(grant < 4_000 + 256 * 3_000 / grants, "{grant} bytes for a grant");
    for refresh in &mut refreshes {
        *refresh = wait(node.refresh(refresh)).token("refresh_token");
    }
    let later = taken(&server);
    let refresh = (later - signed_in) / grants;
    println!("refreshed once: {refresh} bytes for each more");
    assert!(refresh < 1_500, "{refresh} bytes for a refresh");
    for _ in 0..grants {
        wait(node.own()).token("access_token");
    }
    let own = (taken(&server) - later) / grants;
    println!("{own} bytes for a token of the client itself");
    assert!(own < 1_000, "{own} bytes for a token of the client itself");
}
