//! The scripted user, and the pages.

use grantor::clock::Clock as _;
use grantor::testing::{TestServer, hours};
use http::{Request, Response};

use crate::client::{authorization, code, encode, exchange, get, introspect, json, led};

#[tokio::test]
async fn the_user_agrees_by_default_and_the_code_is_good() {
    let server = TestServer::in_process();
    server.sign_in("carol");
    let tokens = json(&exchange(&server, &code(&server).await).await.unwrap());
    let told = introspect(&server, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((told["sub"].as_str(), told["scope"].as_str()), (Some("carol"), Some("read write")));
}

#[tokio::test]
async fn the_user_allows_a_part_or_refuses() {
    let server = TestServer::in_process();
    server.approve_only("read");
    let tokens = json(&exchange(&server, &code(&server).await).await.unwrap());
    assert_eq!(tokens["scope"], "read");

    server.deny();
    let answer = get(&server, &authorization(&[])).await.unwrap();
    assert_eq!(led(&answer, "error").as_deref(), Some("access_denied"));
    assert_eq!(led(&answer, "state").as_deref(), Some("xyz"));

    server.approve();
    assert!(led(&get(&server, &authorization(&[])).await.unwrap(), "code").is_some());
}

#[tokio::test]
async fn when_the_user_signed_in_is_what_the_test_says() {
    let server = TestServer::in_process();
    let earlier = server.clock().now();
    server.clock().advance(hours(5));
    server.sign_in_at("alice", earlier);
    let tokens = json(&exchange(&server, &code(&server).await).await.unwrap());
    let token = tokens["access_token"].as_str().unwrap();
    let verified = server.oauth().verify(token, grantor::Require::any()).await.unwrap();
    assert_eq!(verified.authenticated_at(), Some(earlier));
}

#[tokio::test]
async fn a_client_that_forbids_pages_is_told_that_nobody_is_signed_in() {
    let server = TestServer::in_process();
    server.sign_out();
    let answer = get(&server, &authorization(&[("prompt", "none")])).await.unwrap();
    assert_eq!(led(&answer, "error").as_deref(), Some("login_required"));
}

fn cookies(response: &Response<String>, jar: &mut Vec<String>) {
    for cookie in response.headers().get_all("set-cookie") {
        jar.push(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
    }
}

/// The value of a hidden field on a page.
fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let field = page.split("<input").find(|field| field.contains(&format!("name=\"{name}\""))).unwrap();
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn a_browser_signs_in_by_any_name_and_consents_on_the_pages() {
    let server = TestServer::in_process();
    server.sign_out();
    server.ask();
    let mut jar = Vec::new();
    let go = async |url: &str, body: Option<String>, jar: &[String]| {
        let request = Request::builder().uri(url).header("cookie", jar.join("; "));
        let request = match body {
            Some(body) => request.method("POST").header("content-type", "application/x-www-form-urlencoded").body(body),
            None => request.body(String::new()),
        };
        server.send(request.unwrap()).await.unwrap()
    };
    let away = go(&server.url(&authorization(&[("scope", "read")])), None, &jar).await;
    cookies(&away, &mut jar);
    let login = away.headers()["location"].to_str().unwrap().to_owned();
    let page = go(&login, None, &jar).await;
    assert!(page.body().contains("give any name"), "{}", page.body());
    let return_to = hidden(page.body(), "return_to").replace("&amp;", "&");
    let back = go(&login, Some(encode(&[("username", "dave"), ("return_to", &return_to)])), &jar).await;
    assert_eq!(back.status(), 303);
    cookies(&back, &mut jar);

    let consent = go(back.headers()["location"].to_str().unwrap(), None, &jar).await;
    assert!(consent.body().contains("The application under test"), "{}", consent.body());
    cookies(&consent, &mut jar);
    let decision = encode(&[
        ("handle", hidden(consent.body(), "handle")),
        ("csrf", hidden(consent.body(), "csrf")),
        ("scope", "read"),
        ("decision", "allow"),
    ]);
    let decided = go(&server.url("/interaction"), Some(decision), &jar).await;
    let tokens = json(&exchange(&server, &led(&decided, "code").unwrap()).await.unwrap());
    assert_eq!(introspect(&server, tokens["access_token"].as_str().unwrap()).await["sub"], "dave");
}

#[tokio::test]
async fn the_sign_in_page_sends_nobody_elsewhere() {
    let server = TestServer::in_process();
    for target in ["https://evil.example/", "//evil.example", ""] {
        let body = encode(&[("username", "dave"), ("return_to", target)]);
        let request = Request::post(server.url("/_testing/login")).body(body).unwrap();
        assert_eq!(server.send(request).await.unwrap().status(), 400, "{target}");
    }
}
