//! What a user is asked, and what comes of the answer.

use crate::browser::Browser;
use crate::process::Example;

const CONFIG: &str = r#"
issuer = "http://127.0.0.1:8080"
[[scopes]]
name = "read"
description = "Read your data"
default = true
[[scopes]]
name = "write"
description = "Change your data"
[[users]]
username = "alice"
password = "wonderland"
claims = { name = "Alice <Liddell>" }
[[users]]
username = "bob"
password = "builder"
[[clients]]
client_id = "site"
client_name = "Site <script>"
client_secret = "site-secret-site-secret"
redirect_uris = ["https://app.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "read write"
[[clients]]
client_id = "local"
client_secret = "local-secret-local-secret"
redirect_uris = ["http://127.0.0.1:9999/cb"]
grant_types = ["authorization_code"]
scope = "read write"
[[clients]]
client_id = "cli"
redirect_uris = ["http://127.0.0.1/cb", "https://cli.example/cb"]
grant_types = ["authorization_code"]
scope = "read write"
token_endpoint_auth_method = "none"
"#;

const SITE: &str = "https://app.example/cb";

fn start() -> (Example, Browser) {
    let server = Example::configured(CONFIG);
    let browser = server.browser_at("http://127.0.0.1:8080");
    (server, browser)
}

fn url(client: &str, redirect_uri: &str, scope: &str, more: &str) -> String {
    format!(
        "http://127.0.0.1:8080/authorize?response_type=code&client_id={client}&redirect_uri={redirect_uri}\
         &scope={scope}&state=s%20%26%C3%A9&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256{more}"
    )
}

/// The scope of the token that a code buys.
fn redeem(server: &Example, code: &str) -> String {
    let basic = [("authorization", "Basic c2l0ZTpzaXRlLXNlY3JldC1zaXRlLXNlY3JldA==")];
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let fields =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", SITE), ("code_verifier", verifier)];
    let answer = server.post("/token", &basic, &fields).json();
    answer["scope"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn the_page_shows_who_asks_for_what_and_where_it_goes() {
    let (_server, mut browser) = start();
    let page = browser.authorize(&url("site", SITE, "read%20write", ""));
    assert!(page.is_consent());
    for shown in ["Site &lt;script&gt;", "Alice &lt;Liddell&gt;", "Read your data", "Change your data", "app.example"] {
        assert!(page.answer.body.contains(shown), "{shown}");
    }
    assert_eq!(page.form().values("scope"), ["read", "write"]);
}

#[test]
fn what_was_allowed_is_not_asked_again_and_the_sign_in_leads_straight_to_the_client() {
    let (server, mut browser) = start();
    let asked = url("site", SITE, "read", "");
    browser.allow(&asked);
    let back = browser.open(&asked);
    assert_eq!(back.parameters()["state"], "s &\u{e9}");
    assert_eq!(redeem(&server, &back.code()), "read");

    // Another browser: the form that signs in is followed by redirects as far as the client, and its page must not
    // forbid that.
    let mut other = server.browser_at("http://127.0.0.1:8080");
    let sign_in = other.open(&asked);
    assert!(!sign_in.answer.header("content-security-policy").contains("form-action"), "{sign_in:?}");
    let back = other.sign_in(&sign_in, "alice", "wonderland");
    assert!(!back.code().is_empty());
    assert!(browser.authorize(&url("site", SITE, "read", "&prompt=consent")).is_consent());
}

#[test]
fn u_04_a_client_that_anyone_could_be_is_asked_for_each_time() {
    let (_server, mut browser) = start();
    for (client, redirect_uri) in
        [("cli", "http://127.0.0.1:5000/cb"), ("cli", "https://cli.example/cb"), ("local", "http://127.0.0.1:9999/cb")]
    {
        let asked = url(client, redirect_uri, "read", "");
        browser.allow(&asked);
        assert!(browser.open(&asked).is_consent(), "{client} {redirect_uri}");
    }
}

#[test]
fn u_05_a_larger_scope_is_asked_for() {
    let (_server, mut browser) = start();
    browser.allow(&url("site", SITE, "read", ""));
    assert!(browser.open(&url("site", SITE, "read%20write", "")).is_consent());
    let none = browser.open(&url("site", SITE, "read%20write", "&prompt=none"));
    assert_eq!(none.parameters()["error"], "consent_required");
}

#[test]
fn u_07_what_is_unchecked_is_not_granted() {
    let (server, mut browser) = start();
    let page = browser.authorize(&url("site", SITE, "read%20write", ""));
    let code = browser.submit(&page.form().with("scope", "write").with("decision", "allow")).code();
    assert_eq!(redeem(&server, &code), "write");

    let page = browser.open(&url("site", SITE, "read%20write", ""));
    let nothing = browser.submit(&page.form().without("scope").with("decision", "allow"));
    assert_eq!(nothing.parameters()["error"], "access_denied");
    let page = browser.open(&url("site", SITE, "read", "&prompt=consent"));
    let more = browser.submit(&page.form().with("scope", "write").with("decision", "allow"));
    assert_eq!(more.answer.status, 400, "more than was asked for");
}

#[test]
fn who_denies_is_asked_again_the_next_time() {
    let (_server, mut browser) = start();
    let asked = url("site", SITE, "read", "");
    let page = browser.authorize(&asked);
    let form = page.form();
    let denied = browser.submit(&form.with("decision", "deny"));
    assert!(denied.answer.header("location").starts_with(SITE));
    assert_eq!(denied.parameters()["error"], "access_denied");
    assert_eq!(denied.parameters()["state"], "s &\u{e9}");
    let again = browser.submit(&form.with("decision", "allow"));
    assert!(matches!(again.answer.status, 400 | 403), "a denial is final");
    assert!(browser.open(&asked).is_consent());
}

#[test]
fn nobody_is_shown_a_page_where_the_client_forbids_it() {
    let (_server, mut browser) = start();
    let back = browser.open(&url("site", SITE, "read", "&prompt=none"));
    assert_eq!(back.parameters()["error"], "login_required");
}

#[test]
fn who_must_sign_in_again_does() {
    let (_server, mut browser) = start();
    browser.allow(&url("site", SITE, "read", ""));
    let asked = url("site", SITE, "read", "&prompt=login");
    let page = browser.open(&asked);
    assert!(page.is_sign_in());
    assert!(!browser.sign_in(&page, "alice", "wonderland").code().is_empty());
}

#[test]
fn u_01_a_decision_that_comes_from_elsewhere_is_refused() {
    let (server, mut browser) = start();
    let page = browser.authorize(&url("site", SITE, "read", ""));
    let form = page.form().with("decision", "allow");
    let mut other = server.browser_at("http://127.0.0.1:8080");
    let other_page = other.authorize(&url("site", SITE, "read", ""));
    for forged in [form.without("csrf"), form.with("csrf", "x"), form.with("csrf", other_page.form().value("csrf"))] {
        assert_eq!(browser.submit(&forged).answer.status, 403);
    }
    assert_eq!(other.submit(&form).answer.status, 403, "another browser");
    let mut across = browser.clone();
    across.adds.push(("sec-fetch-site", "cross-site".into()));
    assert_eq!(across.submit(&form).answer.status, 403);
    assert!(!browser.submit(&form).code().is_empty(), "after all that the page still works");
}

#[test]
fn au_21_who_signs_in_as_another_meanwhile_decides_nothing() {
    let (_server, mut browser) = start();
    let page = browser.authorize(&url("site", SITE, "read", ""));
    let login = browser.open("http://127.0.0.1:8080/login");
    browser.sign_in(&login, "bob", "builder");
    let refused = browser.submit(&page.form().with("decision", "allow"));
    assert_eq!(refused.answer.status, 400);
}
