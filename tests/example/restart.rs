//! What outlives the process: tokens and clients, in a file that needs no set-up.

use crate::process::{Example, Home};
use crate::tokens::{ISSUER, SECRET, Tokens, ask, configuration, is_known};

const ON_A_FREE_PORT: &[&str] = &["--listen", "127.0.0.1:0"];

/// Ends a server, and starts another in its place: same files, same port.
fn again(home: &std::sync::Arc<Home>, server: Example, signal: &str) -> Example {
    let address = server.address.clone();
    server.interrupt(signal);
    home.start(&["--listen", &address])
}

/// What the client `cli` of the demo, which has no secret, gets for alice.
fn of_the_demo(server: &Example) -> Tokens {
    let url = server.printed.lines().map(str::trim).find(|line| line.contains("response_type=code")).unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "cli"),
        ("redirect_uri", "http://127.0.0.1:9999/callback"),
        ("code", &server.browser().allow(url).code()),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let json = server.post("/token", &[], &fields).json();
    let token = |name: &str| json[name].as_str().unwrap().to_owned();
    Tokens { access: token("access_token"), refresh: token("refresh_token") }
}

#[test]
fn the_tokens_of_the_demo_outlive_ctrl_c_and_a_kill() {
    let home = Home::empty();
    let server = home.start(ON_A_FREE_PORT);
    let tokens = of_the_demo(&server);
    let server = again(&home, server, "INT");
    assert!(tokens.are_live(&server));
    let server = again(&home, server, "KILL");
    assert!(tokens.are_live(&server));
    let fields = [("grant_type", "refresh_token"), ("client_id", "cli"), ("refresh_token", &*tokens.refresh)];
    let next = server.post("/token", &[], &fields).json();
    assert!(next["access_token"].is_string(), "{next}");
    // A revocation outlives it too.
    let fields = [("client_id", "cli"), ("token", next["refresh_token"].as_str().unwrap())];
    assert_eq!(server.post("/revoke", &[], &fields).status, 200);
    let server = again(&home, server, "KILL");
    assert!(!tokens.are_live(&server));
}

#[cfg(unix)]
#[test]
fn the_secret_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::empty();
    let _server = home.start(ON_A_FREE_PORT);
    let secret = home.path("grantor.secret");
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&secret).unwrap().trim().len(), 64);
    let names = std::fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    let others: Vec<_> = names.filter(|name| !name.to_str().unwrap().starts_with("grantor.")).collect();
    assert!(others.is_empty(), "{others:?}");
    // Whoever loosened it is told.
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut loose = home.start(ON_A_FREE_PORT);
    assert!(loose.end().1.contains("others than its owner may read"));
}

#[test]
fn files_are_beside_the_configuration_wherever_the_server_works() {
    let home =
        Home::with(&configuration("sqlite:auth.db").replace("[[scopes]]", "secret_file = \"the.secret\"\n[[scopes]]"));
    let server = home.start(ON_A_FREE_PORT);
    assert!(server.printed.contains(&format!("sqlite:{}", home.path("auth.db").display())), "{}", server.printed);
    assert!(home.path("auth.db").exists() && home.path("the.secret").exists());
    assert_eq!(std::fs::read_dir(home.path("elsewhere")).unwrap().count(), 0);
    let tokens = Tokens::of_alice(&server, ISSUER);
    drop(server);
    assert!(tokens.are_live(&home.start(ON_A_FREE_PORT)));
}

#[test]
fn a_store_in_memory_writes_no_file() {
    let home = Home::with(&configuration("memory:"));
    let server = home.start(ON_A_FREE_PORT);
    let tokens = Tokens::of_alice(&server, ISSUER);
    drop(server);
    assert_eq!(std::fs::read_dir(home.path("")).unwrap().count(), 2, "the configuration, and where it works");
    assert!(!tokens.are_live(&home.start(ON_A_FREE_PORT)));
}

#[test]
fn without_its_secret_a_store_is_not_served_and_none_is_made() {
    let home = Home::with(&configuration("sqlite:grantor.db"));
    let server = home.start(ON_A_FREE_PORT);
    let tokens = Tokens::of_alice(&server, ISSUER);
    drop(server);
    let secret = home.path("grantor.secret");
    let content = std::fs::read_to_string(&secret).unwrap();
    std::fs::remove_file(&secret).unwrap();
    for _ in 0..2 {
        let told = home.failure(ON_A_FREE_PORT);
        assert!(told.contains("grantor.secret") && told.contains("put it back"), "{told}");
    }
    assert!(!secret.exists());
    for wrong in ["", "0123", &"g".repeat(64), &content.trim()[..63]] {
        std::fs::write(&secret, wrong).unwrap();
        let told = home.failure(ON_A_FREE_PORT);
        assert!(told.contains("must be 64 hexadecimal digits"), "{told}");
    }
    std::fs::write(&secret, &content).unwrap();
    assert!(tokens.are_live(&home.start(ON_A_FREE_PORT)));
}

#[test]
fn the_file_is_the_truth_for_the_clients_that_it_names_and_for_no_others() {
    const OTHER: &str = "other-secret-other-secret";
    let other = format!(
        "[[clients]]\nclient_id = \"other\"\nclient_secret = \"{OTHER}\"\ngrant_types = [\"client_credentials\"]\n\
         scope = \"read\"\ntoken_endpoint_auth_method = \"client_secret_post\"\n"
    );
    let others_token = |server: &Example| {
        let fields = [("grant_type", "client_credentials"), ("client_id", "other"), ("client_secret", OTHER)];
        server.post("/token", &[], &fields).status
    };
    let first = configuration("sqlite:grantor.db");
    let home = Home::with(&(first.clone() + &other));
    let server = home.start(ON_A_FREE_PORT);
    let tokens = Tokens::of_alice(&server, ISSUER);
    assert_eq!(others_token(&server), 200);
    drop(server);

    // A mistake in the second client changes nothing of the first.
    let changed = first.replace(SECRET, "a-new-secret-of-the-client");
    home.configure(&(changed.clone() + &other.replace(OTHER, "short")));
    assert!(home.failure(ON_A_FREE_PORT).contains("clients[1].client_secret"));
    home.configure(&(first.clone() + &other));
    let mut server = home.start(ON_A_FREE_PORT);
    assert!(is_known(&server, SECRET));
    assert!(!server.end().1.contains("note:"), "nothing was changed, and nothing is said");

    // Another secret and other metadata for the one, and not a word of the other.
    home.configure(&changed.replace(", \"client_credentials\"", ""));
    let mut server = home.start(ON_A_FREE_PORT);
    assert!(!is_known(&server, SECRET), "the old secret has ended");
    let refused = ask(&server, "a-new-secret-of-the-client", &[("grant_type", "client_credentials")]).json();
    assert_eq!(refused["error"], "unauthorized_client");
    assert!(tokens.are_live(&server), "what was issued before goes on");
    assert_eq!(others_token(&server), 200, "a client that the file does not name is left alone");
    assert!(server.end().1.contains("the client \"web\" was changed"));
}

#[test]
fn servers_that_start_at_once_agree_on_their_secret_and_their_clients() {
    let home = Home::with(&configuration("sqlite:grantor.db"));
    let servers: Vec<Example> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| home.start(ON_A_FREE_PORT))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let tokens = Tokens::of_alice(&servers[0], ISSUER);
    for server in &servers {
        assert!(tokens.are_live(server) && is_known(server, SECRET));
    }
}
