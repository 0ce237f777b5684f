//! Signing in and out: what a host must get right around the library.

use crate::browser::{Browser, Form, encode};
use crate::process::Example;

fn start() -> (Example, Browser) {
    let server = Example::demo();
    let browser = server.browser();
    (server, browser)
}

fn home_of(browser: &mut Browser, server: &Example) -> String {
    browser.open(&format!("{}/", server.issuer())).answer.body
}

fn login(server: &Example) -> String {
    format!("{}/login", server.issuer())
}

fn https_config() -> Example {
    let demo = include_str!("../../examples/server/demo.toml");
    Example::configured(&demo.replacen("http://127.0.0.1:8080", "https://auth.example.com", 1))
}

#[test]
fn u_02_every_page_is_protected() {
    let (server, mut browser) = start();
    let url =
        server.printed.lines().map(str::trim).find(|line| line.contains("response_type=code")).unwrap().to_owned();
    let login_page = browser.open(&url);
    let wrong = browser.sign_in(&login_page, "alice", "wrong");
    let consent = browser.sign_in(&wrong, "alice", "wonderland");
    let home = browser.open(&format!("{}/", server.issuer()));
    let bad_return = browser.open(&format!("{}?return_to=https://evil.example/", login(&server)));
    let error = browser.open(&format!("{}/authorize?client_id=nobody", server.issuer()));
    let logout = browser.submit(&Form { action: format!("{}/logout", server.issuer()), fields: Vec::new() });
    for page in [&login_page, &wrong, &consent, &home, &bad_return, &error, &logout] {
        let header = |name| page.answer.header(name);
        let policy = header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(directive), "{policy} at {}", page.url);
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-frame-options"), "DENY", "{}", page.url);
        assert_eq!(header("referrer-policy"), "no-referrer", "{}", page.url);
        assert_eq!(header("x-content-type-options"), "nosniff", "{}", page.url);
        assert_eq!(header("cache-control"), "no-store", "{}", page.url);
    }
}

#[test]
fn u_09_cookies_are_held_to_the_host_and_kept_from_scripts() {
    for (server, https) in [(https_config(), true), (Example::demo(), false)] {
        let issuer = if https { "https://auth.example.com".to_owned() } else { server.issuer() };
        let mut browser = server.browser_at(&issuer);
        let url = format!(
            "{issuer}/authorize?response_type=code&client_id=web&redirect_uri=http://127.0.0.1:9999/cb&state=canary\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        );
        browser.allow(&url);
        assert!(browser.set_cookies.len() >= 3, "{:?}", browser.set_cookies);
        for cookie in &browser.set_cookies {
            assert_eq!(cookie.starts_with("__Host-"), https, "{cookie}");
            assert_eq!(cookie.contains("; Secure"), https, "{cookie}");
            for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert!(!cookie.contains("Domain") && !cookie.contains("canary") && cookie.len() < 4096, "{cookie}");
        }
    }
}

#[test]
fn u_10_the_session_changes_at_sign_in_and_ends_at_sign_out() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    let before = browser.session().unwrap().to_owned();
    browser.sign_in(&page, "alice", "wonderland");
    let first = browser.session().unwrap().to_owned();
    assert_ne!(before, first);
    assert!(home_of(&mut browser, &server).contains("Alice Liddell"));

    // Whoever knew the cookie from before the sign-in has nothing of it.
    let mut fixed = server.browser();
    fixed.cookies.insert("grantor-session".into(), before);
    assert!(home_of(&mut fixed, &server).contains("Nobody is signed in"));

    let page = browser.open(&login(&server));
    browser.sign_in(&page, "alice", "wonderland");
    let second = browser.session().unwrap().to_owned();
    assert_ne!(first, second);
    let mut old = server.browser();
    old.cookies.insert("grantor-session".into(), first);
    assert!(home_of(&mut old, &server).contains("Nobody is signed in"));

    let home = browser.open(&format!("{}/", server.issuer()));
    let out = browser.submit(&home.form());
    assert!(out.answer.body.contains("Nobody is signed in"));
    assert_eq!(browser.session(), None);
    let mut old = server.browser();
    old.cookies.insert("grantor-session".into(), second);
    assert!(home_of(&mut old, &server).contains("Nobody is signed in"), "the session is gone, not only its cookie");
}

#[test]
fn whoever_is_signed_in_may_choose_to_stay_or_to_be_somebody_else() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    browser.sign_in(&page, "alice", "wonderland");
    let url = server.printed.lines().map(str::trim).find(|line| line.contains("response_type=code")).unwrap();
    let choice = browser.open(&format!("{url}&prompt=select_account"));
    assert!(choice.answer.body.contains("Continue as Alice Liddell"), "{}", choice.answer.body);
    let link = |label: &str| {
        let before = choice.answer.body.split(label).next().unwrap();
        let href = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
        href.replace("&amp;", "&")
    };
    let (stay, other) = (link(">Continue as"), link(">Use another account"));
    assert!(browser.clone().open(&stay).answer.body.contains("Signed in as <strong>Alice Liddell</strong>"));
    assert!(browser.open(&other).is_sign_in());
    // Whoever is not signed in has nothing to choose from.
    let mut stranger = server.browser();
    assert!(stranger.open(&format!("{url}&prompt=select_account")).is_sign_in());
}

#[test]
fn a_sign_in_that_no_page_of_ours_asked_for_is_refused() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    let form = page.form().with("username", "alice").with("password", "wonderland");
    let other = server.browser().open(&login(&server)).form();
    for forged in
        [form.without("csrf"), form.with("csrf", ""), form.with("csrf", "AAAA"), form.with("csrf", other.value("csrf"))]
    {
        let answer = browser.submit(&forged);
        assert_eq!(answer.answer.status, 403);
        assert!(answer.is_sign_in(), "one can try again");
    }
    let mut bare = server.browser();
    assert_eq!(bare.submit(&form).answer.status, 403, "without the cookie");
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let mut across = browser.clone();
        across.adds.push((name, value.into()));
        assert_eq!(across.submit(&form).answer.status, 403, "{name}: {value}");
    }
    assert!(home_of(&mut browser, &server).contains("Nobody is signed in"));
    browser.adds.push(("sec-fetch-site", "same-origin".into()));
    browser.adds.push(("origin", "null".into()));
    assert!(browser.submit(&form).answer.body.contains("Alice Liddell"));
}

#[test]
fn a_sign_out_that_no_page_of_ours_asked_for_is_refused() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    browser.sign_in(&page, "alice", "wonderland");
    let action = format!("{}/logout", server.issuer());
    for fields in [Vec::new(), vec![("csrf".to_owned(), page.form().value("csrf").to_owned())]] {
        let refused = browser.submit(&Form { action: action.clone(), fields });
        assert_eq!(refused.answer.status, 403);
    }
    assert_eq!(browser.open(&action).answer.status, 405);
    assert!(home_of(&mut browser, &server).contains("Alice Liddell"));
}

#[test]
fn the_sign_in_leads_back_to_this_server_and_nowhere_else() {
    let (server, mut browser) = start();
    let issuer = server.issuer();
    let port = server.address.split_once(':').unwrap().1.to_owned();
    let own = format!("{issuer}/api/me");
    let page = browser.open(&format!("{}?{}", login(&server), encode(&[("return_to", &own)])));
    let form = page.form().with("username", "alice").with("password", "wonderland");
    for elsewhere in [
        "https://evil.example/".to_owned(),
        "//evil.example/".to_owned(),
        "/api/me".to_owned(),
        "javascript:alert(1)".to_owned(),
        issuer.clone(),
        format!("{issuer}.evil.example/"),
        format!("{issuer}@evil.example/"),
        format!("{issuer}0/"),
        format!("{issuer}\\@evil.example/"),
        format!("{issuer}/\\evil.example"),
        format!("{issuer}/../x"),
        format!("{issuer}/%2e%2e/x"),
        format!("https://127.0.0.1:{port}/x"),
        format!("http://localhost:{port}/x"),
        format!("http://alice@127.0.0.1:{port}/x"),
        format!("HTTP://127.0.0.1:{port}/x"),
        format!(" {issuer}/x"),
        format!("http:/127.0.0.1:{port}/x"),
    ] {
        let shown = browser.open(&format!("{}?{}", login(&server), encode(&[("return_to", &elsewhere)])));
        assert_eq!(shown.answer.status, 400, "{elsewhere}");
        let sent = browser.submit(&form.with("return_to", &elsewhere));
        assert_eq!((sent.answer.status, sent.answer.header("location")), (400, ""), "{elsewhere}");
    }
    let body =
        encode(&[("username", "alice"), ("password", "wonderland"), ("csrf", form.value("csrf")), ("return_to", &own)]);
    let sent = browser.request("POST", &login(&server), &body);
    assert_eq!((sent.answer.status, sent.answer.header("location")), (303, own.as_str()));
}

#[test]
fn who_does_not_exist_and_who_is_wrong_are_told_the_same() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    let wrong = browser.sign_in(&page, "alice", "wrong").answer;
    let unknown = browser.sign_in(&page, "nobody", "wrong").answer;
    let empty = browser.sign_in(&page, "", "").answer;
    for other in [&unknown, &empty] {
        assert_eq!((wrong.status, &wrong.body), (other.status, &other.body));
    }
    assert_eq!(wrong.status, 403);
}

#[test]
fn in_20_a_user_name_is_compared_byte_by_byte() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    for name in ["Alice", "alice ", "\u{430}lice", "ali\u{200b}ce", "alice\u{301}"] {
        assert_eq!(browser.sign_in(&page, name, "wonderland").answer.status, 403, "{name:?}");
    }
}

#[test]
fn guessing_ends_after_ten_failures_and_signing_in_never_does() {
    let (server, mut browser) = start();
    for _ in 0..20 {
        let page = browser.open(&login(&server));
        assert!(browser.sign_in(&page, "alice", "wonderland").answer.body.contains("Alice Liddell"));
    }
    let page = browser.open(&login(&server));
    for _ in 0..10 {
        assert_eq!(browser.sign_in(&page, "alice", "wrong").answer.status, 403);
    }
    for password in ["wrong", "wonderland"] {
        let refused = browser.sign_in(&page, "alice", password).answer;
        assert_eq!(refused.status, 429, "whether it is right is no longer told");
        let seconds: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=901).contains(&seconds));
    }
    assert_eq!(browser.sign_in(&page, "nobody", "wrong").answer.status, 403, "only this account is closed");
}

#[test]
fn a_form_that_is_none_or_says_things_twice_or_is_too_long_is_refused() {
    let (server, mut browser) = start();
    let page = browser.open(&login(&server));
    let csrf = page.form().value("csrf").to_owned();
    let twice = format!("csrf={csrf}&username=alice&password=wonderland&username=bob");
    assert_eq!(browser.request("POST", &login(&server), &twice).answer.status, 400);
    let control = format!("csrf={csrf}&username=alice%00&password=wonderland");
    assert_eq!(browser.request("POST", &login(&server), &control).answer.status, 400);
    let long = format!("csrf={csrf}&username=alice&password={}", "x".repeat(70_000));
    assert_eq!(browser.request("POST", &login(&server), &long).answer.status, 413);
    assert!(home_of(&mut browser, &server).contains("Nobody is signed in"));
}
