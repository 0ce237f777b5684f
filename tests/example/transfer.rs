//! From one store to another with `export` and `import`.

use crate::process::Home;
use crate::tokens::{ISSUER, SECRET, Tokens, ask, strict};

const ON_A_FREE_PORT: &[&str] = &["--listen", "127.0.0.1:0"];

#[test]
fn tokens_go_on_in_another_file_and_in_memory() {
    let old = Home::with(&strict("sqlite:old.db"));
    let server = old.start(ON_A_FREE_PORT);
    let first = Tokens::of_alice(&server, ISSUER);
    let second = first.refreshed(&server);
    drop(server);
    let dump = old.path("dump");
    let dump = dump.to_str().unwrap();
    let (well, told) = old.run(&["export", dump]);
    assert!(well && told.contains("exported "), "{told}");

    // Into another file, and once more.
    let new = Home::with(&strict("sqlite:new.db"));
    let (well, told) = new.run(&["import", dump]);
    assert!(well && told.contains("; 0 were there already"), "{told}");
    let (well, told) = new.run(&["import", dump]);
    assert!(well && told.contains("imported 0 records"), "{told}");
    // It is of no use without the secret, and says so.
    assert!(new.failure(ON_A_FREE_PORT).contains("put it back"));
    std::fs::copy(old.path("grantor.secret"), new.path("grantor.secret")).unwrap();
    let server = new.start(ON_A_FREE_PORT);
    assert!(first.are_live(&server) && second.are_live(&server));
    let third = second.refreshed(&server);
    assert!(third.are_live(&server));
    drop(server);

    // And into memory, which a command cannot fill.
    let memory = "memory:\"\nsecret_file = \"grantor.secret";
    let volatile = Home::with(&strict(memory));
    assert!(volatile.failure(&["import", dump]).contains("--import"));
    std::fs::copy(old.path("grantor.secret"), volatile.path("grantor.secret")).unwrap();
    let server = volatile.start(&["--listen", "127.0.0.1:0", "--import", dump]);
    assert!(first.are_live(&server) && second.are_live(&server));
    let third = second.refreshed(&server);
    assert!(third.are_live(&server));
    // What was spent before the move is known to be spent after it, and whoever brings it is a thief.
    let answer = ask(&server, SECRET, &[("grant_type", "refresh_token"), ("refresh_token", &first.refresh)]);
    assert_eq!(answer.json()["error"], "invalid_grant");
    assert!(!third.are_live(&server));
}

#[test]
fn an_export_overwrites_nothing_and_is_its_owners_alone() {
    let home = Home::with(&strict("sqlite:grantor.db"));
    drop(home.start(ON_A_FREE_PORT));
    let dump = home.path("dump");
    std::fs::write(&dump, "precious").unwrap();
    let told = home.failure(&["export", dump.to_str().unwrap()]);
    assert!(told.contains("dump"), "{told}");
    assert_eq!(std::fs::read_to_string(&dump).unwrap(), "precious");
    std::fs::remove_file(&dump).unwrap();
    assert!(home.run(&["export", dump.to_str().unwrap()]).0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(dump.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&dump).unwrap();
    assert!(text.starts_with("{\"dump\":\"grantor\"") && text.lines().count() > 2, "{text}");
}

#[test]
fn a_dump_that_is_cut_off_or_altered_is_not_taken_for_a_whole_one() {
    let home = Home::with(&strict("sqlite:grantor.db"));
    drop(home.start(ON_A_FREE_PORT));
    let dump = home.path("dump");
    assert!(home.run(&["export", dump.to_str().unwrap()]).0);
    let whole = std::fs::read_to_string(&dump).unwrap();
    let last = whole.lines().next_back().unwrap();
    for broken in [whole.replace(last, ""), whole.replacen("\"revision\":1", "\"revision\":2", 1), "nonsense".into()] {
        assert_ne!(broken, whole);
        std::fs::write(&dump, broken).unwrap();
        let other = Home::with(&strict("sqlite:other.db"));
        let told = other.failure(&["import", dump.to_str().unwrap()]);
        assert!(told.starts_with("error: ") && told.contains("dump"), "{told}");
    }
    assert!(home.failure(&["import", "/nowhere/at/all"]).contains("/nowhere/at/all"));
    assert!(home.failure(&["export", "x", "--listen", "127.0.0.1:0"]).contains("no option but --config"));
    assert!(home.failure(&["export"]).contains("export needs a value"));
}
