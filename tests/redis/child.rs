//! Other processes: this test binary once more, in another role.

use std::process::{Child, Command, Stdio};

const ROLE: &str = "GRANTOR_REDIS_TEST_ROLE";
const URL: &str = "GRANTOR_REDIS_TEST_URL";
const WORD: &str = "GRANTOR_REDIS_TEST_WORD";

/// Starts a process that plays `role` on this server; what it prints can be read.
pub(crate) fn start(role: &str, url: &str, word: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::plays_its_role", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(URL, url)
        .env(WORD, word)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Expects a child to end well.
pub(crate) fn join(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stdout));
}

/// Nothing, unless another test has started this binary to play a role.
#[test]
fn plays_its_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (url, word) = (std::env::var(URL).unwrap(), std::env::var(WORD).unwrap());
    match role.as_str() {
        "race" => super::conformance::take_part(url, &word),
        "write" => super::crash::write(&url, &word),
        other => panic!("there is no role {other}"),
    }
}
