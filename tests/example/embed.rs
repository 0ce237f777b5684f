//! The smallest useful host.

use crate::process::Example;

#[test]
fn it_is_at_most_thirty_lines() {
    let source = include_str!("../../examples/embed.rs");
    let code = &source[source.find("\nuse ").unwrap()..];
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    assert!(lines.clone().count() <= 30, "{} lines", lines.count());
}

#[test]
fn it_works_for_a_client_and_for_a_user() {
    let host = Example::embed();
    let credentials = host.printed.split(' ').nth(2).unwrap();
    let (id, secret) = credentials.split_once(':').unwrap();
    let basic = {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
    };
    let answer = host.post("/token", &[("authorization", &basic)], &[("grant_type", "client_credentials")]).json();
    let hello = |token: &str| host.get("/hello", &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(hello(answer["access_token"].as_str().unwrap()).body, format!("Hello, {id}!\n"));
    assert_eq!(host.get("/hello", &[]).header("www-authenticate"), "Bearer scope=\"hello\"");
    assert!(!secret.is_empty());

    // The code verifier and the challenge of RFC 7636, Appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let url = format!(
        "{}/authorize?response_type=code&client_id={id}&code_challenge={challenge}&code_challenge_method=S256\
         &redirect_uri=http://127.0.0.1:9999/cb",
        host.issuer()
    );
    let mut stranger = host.browser();
    let login = stranger.request("GET", &url, "");
    assert!(login.answer.header("location").starts_with("/login?return_to=http%3A%2F%2F127.0.0.1"), "{login:?}");

    let mut browser = host.browser();
    browser.adds.push(("remote-user", "alice".into()));
    let code = browser.allow(&url).code();
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", verifier)];
    let answer = host.post("/token", &[("authorization", &basic)], &fields).json();
    assert_eq!(hello(answer["access_token"].as_str().unwrap()).body, "Hello, alice!\n");
}
