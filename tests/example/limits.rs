//! `[rate_limits]` of the configuration.

use crate::http::Answer;
use crate::process::Example;

const CONFIG: &str = r#"
issuer = "http://127.0.0.1:8080"
store = "memory:"
[[scopes]]
name = "read"
[[users]]
username = "alice"
password = "wonderland"
"#;

/// The burst that an address is granted at the authorization endpoint.
const BURST: usize = 120;

/// Asks for something that is not there, this often, or until it is too often.
fn ask(server: &Example, times: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.len() < times && answers.last().is_none_or(|answer: &Answer| answer.status != 429) {
        answers.push(server.get("/authorize?client_id=nobody", &[]));
    }
    answers
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_back() {
    let server = Example::configured(&format!("{CONFIG}[rate_limits]\nenabled = true\n"));
    // Two a second come back while we ask, however slowly: thirty times the burst takes no machine half an hour.
    let mut answers = ask(&server, 30 * BURST);
    let last = answers.pop().unwrap();
    assert_eq!(last.status, 429, "{last:?}");
    assert!(answers.len() >= BURST && answers.iter().all(|answer| answer.status == 400), "{}", answers.len());
    assert_eq!(last.header("retry-after"), "1");
    // What is limited is that endpoint.
    assert_eq!(server.metadata()["issuer"], "http://127.0.0.1:8080");
}

#[test]
fn without_the_table_nobody_is_limited() {
    let server = Example::configured(CONFIG);
    assert!(ask(&server, 3 * BURST).iter().all(|answer| answer.status == 400));
}
