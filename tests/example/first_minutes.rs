//! What somebody does in their first five minutes: what the server prints, and what the README says.

use std::process::Command;

use crate::process::{Example, failure};

/// Runs a line in a shell, as a reader would.
fn shell(line: &str) -> String {
    let curl = Command::new("curl").arg("--version").output();
    assert!(curl.is_ok(), "there is no `curl`, which this test runs as a reader would: install it");
    let output = Command::new("sh").args(["-ec", line]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn access_token(answer: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

/// The commands in a text: from `curl` to the end of the line, or of the last one where a backslash continues it.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    text.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

#[test]
fn the_printed_lines_work_as_they_are() {
    let server = Example::demo();
    let printed = commands(&server.printed);
    let [own, redeem, me] = printed.as_slice() else { panic!("{printed:?}") };
    let token = access_token(&shell(own));
    let answer = shell(&me.replace("TOKEN", &token));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, serde_json::json!({ "sub": null, "client_id": "web", "scope": "read" }));

    let url = server.printed.lines().map(str::trim).find(|line| line.contains("response_type=code")).unwrap();
    let back = server.browser().allow(url);
    let token = access_token(&shell(&redeem.replace("CODE", &back.code())));
    assert!(shell(&me.replace("TOKEN", &token)).contains("\"alice\""));
}

#[test]
fn it_prints_what_one_needs_to_begin() {
    let server = Example::demo();
    let issuer = server.issuer();
    let metadata = format!("{issuer}/.well-known/oauth-authorization-server");
    for needed in
        [&*issuer, &metadata, "alice, password wonderland", "web, secret web-secret-web-secret-web-secret", "cli"]
    {
        assert!(server.printed.contains(needed), "{needed} is not in {}", server.printed);
    }
    assert_eq!(server.metadata()["issuer"], issuer);
}

#[test]
fn the_commands_of_the_readme_work_in_order() {
    let readme = include_str!("../../README.md");
    let from = readme.find("## The first five minutes").unwrap();
    let section = readme[from..].split_once("\n## ").unwrap().0;
    let server = Example::demo();
    let here = |text: &str| text.replace("127.0.0.1:8080", &server.address);

    let url = section.lines().find(|line| line.contains("response_type=code")).unwrap();
    assert!(server.printed.contains(&here(url)), "the README and the server print different URLs");
    let code = server.browser().allow(&here(url)).code();

    let mut token = String::new();
    let mut answers = Vec::new();
    for command in commands(section) {
        let command = here(&command).replace("$TOKEN", &token).replace("$CODE", &code);
        let answer = shell(&command);
        if answer.contains("access_token") {
            token = access_token(&answer);
        }
        answers.push(answer);
    }
    let [own, me, revoked, of_alice] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(own.contains("\"expires_in\":43200"), "{own}");
    assert!(me.contains("\"client_id\":\"web\""), "{me}");
    assert_eq!(revoked, "{}");
    assert!(of_alice.contains("refresh_token"), "{of_alice}");
    // What the README shows of an answer is what an answer looks like.
    let shown = section.lines().find(|line| line.starts_with("{\"access_token\"")).unwrap();
    let shape = |text: &str| -> Vec<String> {
        let answer: serde_json::Value = serde_json::from_str(text).unwrap();
        answer.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(shape(shown), shape(own));
}

#[test]
fn it_ends_well_when_asked_to() {
    for signal in ["INT", "TERM"] {
        assert!(Example::demo().interrupt(signal).success(), "{signal}");
    }
}

#[test]
fn what_it_cannot_do_it_says_in_a_sentence() {
    let server = Example::demo();
    let taken = failure(&["--listen", &server.address]);
    assert!(taken.contains(&server.address) && taken.contains("--listen 127.0.0.1:0"), "{taken}");
    assert!(failure(&["--config", "/nowhere/at/all.toml"]).contains("/nowhere/at/all.toml"));
    assert!(failure(&["--config"]).contains("--config needs a value"));
    assert!(failure(&["--listen", "here"]).contains("\"here\""));
    assert!(failure(&["--port", "1"]).contains("\"--port\" is not an option"));
}

#[test]
fn ga_03_no_secret_is_in_the_log_however_much_it_says() {
    let mut server = Example::verbose_demo();
    let mut browser = server.browser();
    let url =
        server.printed.lines().map(str::trim).find(|line| line.contains("response_type=code")).unwrap().to_owned();
    let sign_in = browser.open(&url);
    let wrong = browser.sign_in(&sign_in, "alice", "not-the-password");
    let consent = browser.sign_in(&wrong, "alice", "wonderland");
    let csrf = consent.form().value("csrf").to_owned();
    let code = browser.submit(&consent.form().with("decision", "allow")).code();
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "cli"),
        ("redirect_uri", "http://127.0.0.1:9999/callback"),
        ("code", &code),
        ("code_verifier", verifier),
    ];
    let tokens = server.post("/token", &[], &fields).json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let bearer = format!("Bearer {access}");
    assert_eq!(server.get("/api/me", &[("authorization", &bearer)]).status, 200);
    server.post("/token", &[("authorization", "Basic d2ViOndyb25nLXNlY3JldC13cm9uZw==")], &[("grant_type", "x")]);
    let session = browser.session().unwrap().to_owned();
    let (_, log) = server.end();
    assert!(log.contains("oauth event"), "nothing was logged at all");
    for secret in [
        "not-the-password",
        "wonderland",
        &csrf,
        &code,
        verifier,
        access,
        refresh,
        &session,
        "wrong-secret-wrong",
        "d2ViOndyb25nLXNlY3JldC13cm9uZw",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
