//! The pages on which a user lets a device in (ids D and U; RFC 8628 §3.3, §5).

use grantor::event::{Refusal, What};
use grantor::refusal::{RequestError, UserCodeError};
use grantor::store::Kind;
use http::{Request, StatusCode};

use crate::browser::*;
use crate::device::{TV, Waiting, polling, register_devices, start, with_devices, world};
use crate::harness::*;
use crate::html::{Form, Page};

const SAME_ORIGIN: [(&str, &str); 2] = [("origin", "null"), ("sec-fetch-site", "same-origin")];

/// A page with a form that goes to `/device`, held to its policy.
#[track_caller]
fn form(answer: &Answer, status: StatusCode) -> Form {
    assert_eq!(answer.status, status, "{:?} {}", answer.headers, answer.body);
    let form = Page::read(&answer.body).form();
    assert_eq!((&*form.method, &*form.action), ("post", "https://auth.example.com/device"));
    assert!(Policy::of(answer).lets_form_go_to(&form.action, ISSUER));
    form
}

async fn submit(browser: &mut Browser<'_>, fields: &[(String, String)], headers: &[(&str, &str)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut request = post("/device", &fields);
    for (name, value) in headers {
        request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    browser.send(request).await
}

/// Opens the page and types a code.
async fn type_code(browser: &mut Browser<'_>, code: &str) -> Answer {
    let form = form(&browser.open("https://auth.example.com/device").await, StatusCode::OK);
    submit(browser, &with(&form.filled(None), &[("user_code", code)]), &SAME_ORIGIN).await
}

fn complete(waiting: &Waiting) -> String {
    format!("https://auth.example.com/device?user_code={}", waiting.user_code)
}

async fn denied_to(world: &World, waiting: &Waiting, error: &str) {
    world.send_waiting(polling(TV, &waiting.device_code)).await.refused(error);
}

#[tokio::test]
async fn rfc8628_3_3_a_user_types_the_code_compares_it_and_lets_the_device_in() {
    let world = world().await;
    for (button, error) in [("allow", None), ("deny", Some("access_denied"))] {
        let waiting = start(&world, TV).await;
        let mut browser = Browser::of(&world, "alice");
        let page = type_code(&mut browser, &waiting.user_code).await;
        let question = form(&page, StatusCode::OK);
        for shown in ["TV", waiting.user_code.as_str(), "alice", "Read your data", "Change your data"] {
            assert!(page.body.contains(shown), "{shown} is not on the page: {}", page.body);
        }
        let done = submit(&mut browser, &question.filled(Some(button)), &SAME_ORIGIN).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert!(browser.flows().is_empty(), "the cookie is taken back");
        let answer = world.send(polling(TV, &waiting.device_code)).await.answer();
        match error {
            None => {
                let (access, _) = answer.tokens();
                assert!(world.is_live(&access).await);
            }
            Some(error) => {
                answer.refused(error);
            }
        }
        // The form, sent again, decides nothing more. Its cookie is gone, so it is another browser's.
        let again = submit(&mut browser, &question.filled(Some("allow")), &SAME_ORIGIN).await;
        stopped(&again, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn rfc8628_3_3_whoever_is_not_signed_in_signs_in_first_and_comes_back_with_the_code() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let mut browser = Browser::new(&world);
    let away = browser.open(&complete(&waiting)).await;
    assert_eq!(return_to(&away), complete(&waiting));
    browser.sign_in("alice");
    let page = browser.come_back(&away).await;
    assert!(page.body.contains(&waiting.user_code));
    form(&page, StatusCode::OK);
    // Nothing but a code is carried there.
    browser.sign_out();
    for typed in ["x", "%22%3E%3Cscript%3E", "WDJB-MJHT%26return_to%3Dhttps://evil.example"] {
        let away = browser.open(&format!("https://auth.example.com/device?user_code={typed}")).await;
        assert_eq!(return_to(&away), "https://auth.example.com/device");
    }
    // Also in the middle: whoever signed out meanwhile decides nothing.
    browser.sign_in("alice");
    let question = form(&browser.open(&complete(&waiting)).await, StatusCode::OK);
    browser.sign_out();
    let away = submit(&mut browser, &question.filled(Some("allow")), &SAME_ORIGIN).await;
    assert_eq!(return_to(&away), "https://auth.example.com/device");
    denied_to(&world, &waiting, "authorization_pending").await;
}

#[tokio::test]
async fn d_08_a_code_is_found_however_it_is_typed_and_nothing_else_is() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let code = &waiting.user_code;
    let letters = code.replace('-', "");
    let spaced: String = letters.chars().flat_map(|letter| [letter, ' ']).collect();
    for typed in [
        code.clone(),
        code.to_lowercase(),
        letters.clone(),
        code.replace('-', " "),
        code.replace('-', "\u{2014}"),
        format!("  {spaced}"),
    ] {
        let mut browser = Browser::of(&world, "alice");
        let page = type_code(&mut browser, &typed).await;
        assert_eq!(page.status, StatusCode::OK, "{typed:?}");
        assert!(page.body.contains(&format!(">{code}<")));
        world.advance(60);
    }
    let swapped: String = letters.chars().rev().collect();
    let wrong = [
        "",
        "%",
        "________",
        "' OR 1=1 --",
        &letters[..7],
        &format!("{letters}B"),
        &letters.replace(|_| true, "\u{0412}"),
        &format!("{}%", &letters[..7]),
        &"B".repeat(10_240),
        "<script>alert(1)</script>",
        "ZZZZ-ZZZZ",
    ];
    let mut seen = Vec::new();
    for typed in wrong.into_iter().chain((swapped != letters).then_some(swapped.as_str())) {
        let mut browser = Browser::of(&world, "bob");
        let page = type_code(&mut browser, typed).await;
        let again = form(&page, StatusCode::BAD_REQUEST);
        assert!(page.body.contains("not valid") && !page.body.contains("<script>"), "{}", page.body);
        // To a guesser there is one answer: but for what was typed, and what names this browser.
        let mut plain = page.body.clone();
        for input in again.inputs.iter().filter(|input| !input.value.is_empty()) {
            plain = plain.replace(&input.value, "");
        }
        seen.push(plain.len());
        world.advance(60);
    }
    assert!(seen.iter().max().unwrap() - seen.iter().min().unwrap() < 40, "{seen:?}");
}

#[tokio::test]
async fn d_07_an_expired_a_decided_and_an_unknown_code_are_one_answer() {
    let world = world().await;
    let expired = start(&world, TV).await;
    world.advance(600);
    let decided = start(&world, TV).await;
    crate::device::allow(&world, &decided.user_code, "carol").await;
    let mut bodies = Vec::new();
    for code in [&expired.user_code, &decided.user_code, "BCDF-GHJK"] {
        let mut browser = Browser::of(&world, "alice");
        let page = type_code(&mut browser, code).await;
        let form = form(&page, StatusCode::BAD_REQUEST);
        let mut body = page.body.clone();
        for input in form.inputs.iter().filter(|input| !input.value.is_empty()) {
            body = body.replace(&input.value, "");
        }
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let reasons = world.take_refusals();
    let expected = [UserCodeError::Expired, UserCodeError::Decided, UserCodeError::Unknown].map(Refusal::UserCode);
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn d_07_guesses_are_limited_for_a_user_an_address_and_all_together() {
    let world = world().await;
    let guess = |number: u64| grantor::wire::user_code::UserCode::parse(&code(number)).unwrap().to_string();
    let find = async |number: u64, user: &str, address: Option<&str>| {
        let peer = address.map(|address| grantor::limit::PeerAddress(address.parse().unwrap()));
        world.server.find_device(&guess(number), &user.into(), peer).await.unwrap_err()
    };
    let limited = |error| matches!(error, UserCodeError::Request(RequestError::RateLimited { .. }));
    // One user, from everywhere.
    let mut tried = 0;
    for number in 0..1_000 {
        let address = format!("198.51.100.{}", number % 250);
        tried += u64::from(!limited(find(number, "mallory", Some(&address)).await));
    }
    assert_eq!(tried, 10);
    // One address, as everybody; and a household's /64 is one address.
    for (network, expected) in [("2001:db8:1:2::", 60), ("2001:db8:1:3::", 60)] {
        let mut tried = 0;
        for number in 0..200 {
            let user = format!("{network}{number}");
            let address = format!("{network}{number:x}");
            tried += u64::from(!limited(find(number, &user, Some(&address)).await));
        }
        assert_eq!(tried, expected);
    }
    // A thousand addresses, as thousands of users: what all together may, and no more.
    let mut tried = 0;
    for number in 0..10_000_u32 {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string();
        tried += u64::from(!limited(find(number.into(), &format!("user {number}"), Some(&address)).await));
    }
    assert_eq!(tried, 3_000 - 10 - 120);
    // Nothing else suffers, and time heals.
    start(&world, TV).await;
    world.tokens(WEB).await;
    world.advance(600);
    assert_eq!(find(1, "mallory", Some("198.51.100.1")).await, UserCodeError::Unknown);
}

/// One of the codes that there are.
fn code(number: u64) -> String {
    let letters: Vec<char> = "BCDFGHJKLMNPQRSTVWXZ".chars().collect();
    (0..8).map(|place| letters[usize::try_from(number / 20_u64.pow(place) % 20).unwrap()]).collect()
}

#[tokio::test]
async fn d_07_the_page_tells_whoever_guesses_too_often_to_wait() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let mut browser = Browser::of(&world, "mallory");
    for _ in 0..10 {
        assert_eq!(type_code(&mut browser, "BCDF-GHJK").await.status, StatusCode::BAD_REQUEST);
    }
    // Also with the right code now, and also by link: or the limit would tell which one it is.
    for answer in [type_code(&mut browser, &waiting.user_code).await, browser.open(&complete(&waiting)).await] {
        stopped(&answer, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
    }
    assert_eq!(Browser::of(&world, "alice").open(&complete(&waiting)).await.status, StatusCode::OK);
    world.advance(60);
    browser.sign_in("mallory");
    assert_eq!(browser.open(&complete(&waiting)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn d_10_a_link_with_the_code_shows_client_and_code_and_decides_nothing() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    for _ in 0..3 {
        let mut browser = Browser::of(&world, "alice");
        let page = browser.open(&complete(&waiting)).await;
        form(&page, StatusCode::OK);
        for shown in ["TV", &waiting.user_code, "must show this code", "Read your data"] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
    }
    // Whatever else the link says.
    for more in ["&decision=allow", "&csrf=x&decision=allow", "&handle=x"] {
        let mut browser = Browser::of(&world, "alice");
        stopped(&browser.open(&format!("{}{more}", complete(&waiting))).await, StatusCode::FORBIDDEN);
    }
    let twice = format!("{}&user_code=BCDF-GHJK", complete(&waiting));
    stopped(&Browser::of(&world, "alice").open(&twice).await, StatusCode::BAD_REQUEST);
    // A client that is otherwise remembered, or never asked for, is asked for here.
    denied_to(&world, &waiting, "authorization_pending").await;
    assert_eq!(world.records(Kind::GRANT).len(), 0);
}

#[tokio::test]
async fn d_10_a_decision_belongs_to_the_form_the_browser_and_the_user_that_were_asked() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let other = start(&world, TV).await;
    let mut alice = Browser::of(&world, "alice");
    let page = form(&alice.open(&complete(&waiting)).await, StatusCode::OK);
    let fields = page.filled(Some("allow"));
    let value = |name: &str| fields.iter().find(|(own, _)| own == name).unwrap().1.clone();
    let second = form(&alice.open(&complete(&other)).await, StatusCode::OK);
    let second: Vec<_> = second.filled(Some("allow"));
    let csrf_of_another = second.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    // From another site, without the token, with the token of another form.
    stopped(&submit(&mut alice, &fields, &[("sec-fetch-site", "cross-site")]).await, StatusCode::FORBIDDEN);
    stopped(&submit(&mut alice, &fields, &[("origin", "https://evil.example")]).await, StatusCode::FORBIDDEN);
    for csrf in ["", "x", csrf_of_another.as_str(), &value("csrf")[1..]] {
        stopped(&submit(&mut alice, &with(&fields, &[("csrf", csrf)]), &SAME_ORIGIN).await, StatusCode::FORBIDDEN);
    }
    // A handle that was changed, that is endless, or that is none.
    let mut changed = value("handle").into_bytes();
    changed[10] = if changed[10] == b'A' { b'B' } else { b'A' };
    for handle in [&*String::from_utf8(changed).unwrap(), "", "x", &"A".repeat(5_000)] {
        stopped(
            &submit(&mut alice, &with(&fields, &[("handle", handle)]), &SAME_ORIGIN).await,
            StatusCode::BAD_REQUEST,
        );
    }
    // In another browser, and as another user.
    let mut bob = Browser::of(&world, "bob");
    stopped(&submit(&mut bob, &fields, &SAME_ORIGIN).await, StatusCode::FORBIDDEN);
    alice.sign_in("bob");
    stopped(&submit(&mut alice, &fields, &SAME_ORIGIN).await, StatusCode::FORBIDDEN);
    alice.sign_in("alice");
    // With a code beside the handle of another device, or more scope than was asked for.
    let extra = with(&fields, &[("user_code", &other.user_code)]);
    stopped(&submit(&mut alice, &extra, &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    let more = [fields.clone(), vec![("scope".into(), "admin".into())]].concat();
    stopped(&submit(&mut alice, &more, &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    stopped(&submit(&mut alice, &page.filled(None), &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    // Nothing of that decided anything; the handle of an authorization request does not either, nor the other way.
    denied_to(&world, &waiting, "authorization_pending").await;
    let consent = alice.consent(&world.valid_request(CLI)).await;
    stopped(&submit(&mut alice, &consent.allow(), &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    stopped(&alice.post(&fields, &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    assert_eq!(submit(&mut alice, &fields, &SAME_ORIGIN).await.status, StatusCode::OK);
    world.send(polling(TV, &waiting.device_code)).await.answer().tokens();
}

#[tokio::test]
async fn d_10_only_what_is_left_checked_is_allowed() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let mut browser = Browser::of(&world, "alice");
    let page = form(&browser.open(&complete(&waiting)).await, StatusCode::OK);
    let fields = with(&page.filled(Some("allow")), &[("scope", "write")]);
    assert_eq!(submit(&mut browser, &fields, &SAME_ORIGIN).await.status, StatusCode::OK);
    let answer = world.send(polling(TV, &waiting.device_code)).await.answer();
    assert_eq!(answer.field("scope"), "write");
    let narrowed = world.refresh(TV, &answer.tokens().1).await;
    assert_eq!(narrowed.field("scope"), "write");

    let waiting = start(&world, TV).await;
    let mut browser = Browser::of(&world, "alice");
    let page = form(&browser.open(&complete(&waiting)).await, StatusCode::OK);
    let mut fields = page.filled(Some("allow"));
    fields.retain(|(name, _)| name != "scope");
    let done = submit(&mut browser, &fields, &SAME_ORIGIN).await;
    assert!(done.body.contains("turned away"), "{}", done.body);
    world.send(polling(TV, &waiting.device_code)).await.answer().refused("access_denied");
}

#[tokio::test]
async fn d_10_a_page_that_was_left_open_for_too_long_decides_nothing() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let mut browser = Browser::of(&world, "alice");
    let page = form(&browser.open(&complete(&waiting)).await, StatusCode::OK);
    for cookie in &mut browser.jar {
        cookie.keep_for_ever();
    }
    world.advance(600);
    stopped(&submit(&mut browser, &page.filled(Some("allow")), &SAME_ORIGIN).await, StatusCode::BAD_REQUEST);
    world.send(polling(TV, &waiting.device_code)).await.answer().refused("expired_token");
}

#[tokio::test]
async fn u_02_the_pages_for_devices_have_the_headers_that_pages_must_have() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    let mut browser = Browser::of(&world, "alice");
    let first = browser.open("https://auth.example.com/device").await;
    let wrong = type_code(&mut browser, "BCDF-GHJK").await;
    let question = browser.open(&complete(&waiting)).await;
    let fields = form(&question, StatusCode::OK).filled(Some("allow"));
    let done = submit(&mut browser, &fields, &SAME_ORIGIN).await;
    for answer in [first, wrong, question, done] {
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.body);
        }
        let policy = Policy::of(&answer);
        assert_eq!(policy.directive("frame-ancestors"), ["'none'"]);
        assert_eq!(policy.directive("default-src"), ["'none'"]);
        let page = Page::read(&answer.body);
        assert!(policy.lets_inline("style-src", &page.only("style").text));
        assert!(page.all("script").is_empty());
    }
    for method in [http::Method::PUT, http::Method::DELETE, http::Method::HEAD] {
        let request = Request::builder().method(method).uri("/device").body(String::new()).unwrap();
        assert_eq!(browser.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn u_03_what_a_client_calls_itself_is_only_text_on_the_pages_for_devices() {
    let world = World::with(with_devices).await;
    register_devices(&world).await;
    let name = "<script>alert(1)</script>\"'&\u{202e}";
    let evil = Known { id: "evil", ..TV };
    let grant_types = vec![crate::device::DEVICE_GRANT.into()];
    let metadata = grantor::client::ClientMetadata {
        client_name: name.into(),
        redirect_uris: vec![],
        grant_types,
        ..metadata(evil)
    };
    world.register(evil, metadata).await;
    let waiting = start(&world, evil).await;
    let mut browser = Browser::of(&world, "alice");
    let question = browser.open(&complete(&waiting)).await;
    let fields = form(&question, StatusCode::OK).filled(Some("allow"));
    let done = submit(&mut browser, &fields, &SAME_ORIGIN).await;
    for page in [question, done] {
        assert!(!page.body.contains("<script>") && !page.body.contains('\u{202e}'), "{}", page.body);
        assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
    }
}

#[tokio::test]
async fn rfc8628_3_3_the_page_is_there_only_where_devices_are_let_in() {
    let world = World::new().await;
    let site = grantor::Site::new(world.server.clone(), Users);
    let request = Request::get("/device").body(String::new()).unwrap();
    assert!(site.handle(request).await.is_err(), "the path is the host's own");
    let events = world.take_events();
    assert!(!events.iter().any(|event| matches!(event.what, What::Refused(_))));
}
