//! Other processes: this test binary once more, in another role.

use std::path::Path;
use std::process::{Child, Command, Stdio};

const ROLE: &str = "GRANTOR_SQLITE_TEST_ROLE";
const FILE: &str = "GRANTOR_SQLITE_TEST_FILE";
const NUMBER: &str = "GRANTOR_SQLITE_TEST_NUMBER";

/// The command that plays `role` on this file.
pub(crate) fn command(role: &str, file: &Path, number: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child::plays_its_role", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(FILE, file)
        .env(NUMBER, number.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

pub(crate) fn start(role: &str, file: &Path, number: u32) -> Child {
    command(role, file, number).spawn().unwrap()
}

/// Expects a child to end well.
pub(crate) fn join(child: Child) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("played "), "{}: {told}", output.status);
}

/// Nothing, unless another test has started this binary to play a role.
#[test]
fn plays_its_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let file = std::path::PathBuf::from(std::env::var_os(FILE).unwrap());
    let number = std::env::var(NUMBER).unwrap().parse().unwrap();
    match role.as_str() {
        "race" => super::conformance::take_part(file, number),
        "start" => super::start::start(&file, number),
        "write" => super::killed::write(&file, number),
        "crowd" => super::crowd::take_part(&file, number),
        "fill" => super::full::fill(&file),
        "read" => super::read_only::read(&file),
        other => panic!("there is no role {other}"),
    }
    println!("played {role}");
}
