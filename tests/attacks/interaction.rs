//! From the request to the decision: what brings a flow back, to whom, how often and for how long (ids AU-03, AU-05,
//! AU-18, AU-19, AU-21).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::event::{Refusal, What};
use grantor::refusal::{ApproveError, ResumeError};
use grantor::{Approval, AuthorizationServer};
use http::{HeaderMap, StatusCode};

use crate::browser::{Browser, Consent, asks, code, return_to, stopped, with};
use crate::harness::*;
use crate::intercept::Intercept;

#[tokio::test]
async fn au_18_a_flow_resumes_only_in_the_browser_that_began_it() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    for user in ["alice", "bob"] {
        let mut browser = Browser::new(&world);
        let sent = browser.authorize(&request).await;
        let page = Browser::of(&world, user).consent(&request).await;
        // Signed in as the same user or another, without a cookie or with those of other flows.
        let mut another = Browser::of(&world, "alice");
        for _ in 0..2 {
            world.take_events();
            stopped(&another.come_back(&sent).await, StatusCode::FORBIDDEN);
            assert_eq!(world.take_refusals(), [Refusal::Resume(ResumeError::OtherBrowser)]);
            stopped(&another.submit(&page, &page.allow()).await, StatusCode::FORBIDDEN);
            stopped(&another.press(&page, "deny").await, StatusCode::FORBIDDEN);
            another.consent(&request).await;
        }
        // A cookie of the right name with a wrong value, or none.
        for value in ["", "x", "A".repeat(43).as_str()] {
            let mut thief = Browser::of(&world, "alice");
            thief.jar.push(browser.flows()[0].clone());
            thief.jar.last_mut().unwrap().value = value.to_owned();
            stopped(&thief.come_back(&sent).await, StatusCode::FORBIDDEN);
        }
        // The own browser, once its cookies are cleared.
        let kept = std::mem::take(&mut browser.jar);
        stopped(&browser.come_back(&sent).await, StatusCode::FORBIDDEN);
        browser.jar = kept;
        browser.sign_in(user);
        assert!(asks(&browser.come_back(&sent).await));
    }
}

#[tokio::test]
async fn au_18_cookies_of_two_tabs_cannot_be_exchanged() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let first = browser.authorize(&world.valid_request(WEB)).await;
    let second = browser.authorize(&world.valid_request(POSTER)).await;
    let flows = browser.flows();
    let (one, other) = (flows[0].value.clone(), flows[1].value.clone());
    (browser.jar[0].value, browser.jar[1].value) = (other.clone(), one.clone());
    browser.sign_in("alice");
    stopped(&browser.come_back(&first).await, StatusCode::FORBIDDEN);
    stopped(&browser.come_back(&second).await, StatusCode::FORBIDDEN);
    (browser.jar[0].value, browser.jar[1].value) = (one, other);
    let first = Consent::read(&browser.come_back(&first).await);
    let second = Consent::read(&browser.come_back(&second).await);
    // Neither does the form of one tab fit the handle of the other.
    for (form, of) in [(&first, &second), (&second, &first)] {
        let fields = with(&form.allow(), &[("handle", &of.hidden("handle"))]);
        stopped(&browser.submit(form, &fields).await, StatusCode::FORBIDDEN);
    }
    code(&browser.press(&second, "allow").await);
    code(&browser.press(&first, "allow").await);
}

#[tokio::test]
async fn au_18_two_flows_in_one_browser_both_work() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let states: Vec<String> = (0..20).map(|at| format!("tab-{at}")).collect();
    let mut sent = Vec::new();
    for state in &states {
        sent.push(browser.authorize(&changed(&world.valid_request(CLI), &[("state", state)])).await);
    }
    browser.sign_in("alice");
    // The last tab first; each with its own answer.
    for (state, sent) in states.iter().zip(&sent).rev() {
        let page = Consent::read(&browser.come_back(sent).await);
        let answer = browser.press(&page, "allow").await;
        assert_eq!(&answer.redirect().unwrap().parameters["state"], state);
        let (access, _) = world.redeem(CLI, &code(&answer)).await.tokens();
        assert!(world.is_live(&access).await);
    }
    assert!(browser.flows().is_empty());
}

#[tokio::test]
async fn au_18_a_finished_flow_cannot_be_finished_again() {
    let world = World::new().await;
    let request = changed(&world.valid_request(WEB), &[("prompt", "consent")]);
    for first in ["allow", "deny"] {
        let mut browser = Browser::of(&world, "alice");
        let page = browser.consent(&request).await;
        let kept = browser.jar.clone();
        let answer = browser.press(&page, first).await;
        assert_eq!(answer.redirect().unwrap().parameters.contains_key("code"), first == "allow");
        for again in ["allow", "deny"] {
            // The cookie went with the decision.
            stopped(&browser.press(&page, again).await, StatusCode::FORBIDDEN);
            // Who kept it, or sent the form twice at once, finds the flow decided.
            let mut copy = Browser::new(&world);
            copy.jar.clone_from(&kept);
            world.take_events();
            stopped(&copy.press(&page, again).await, StatusCode::BAD_REQUEST);
            assert_eq!(world.take_refusals(), [Refusal::Approve(ApproveError::Decided)]);
        }
        // Just before the flow expires, too: the mark is kept that long.
        world.advance(1799);
        while world.server.purge(1_000).await.unwrap().more {}
        let mut copy = Browser::new(&world);
        copy.jar.clone_from(&kept);
        stopped(&copy.press(&page, "allow").await, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn au_18_a_flow_cannot_be_finished_again_without_a_page_either() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&request).await;
    code(&browser.press(&page, "allow").await);
    // Consent is remembered now: the way back from a sign-in ends in a code at once, but once.
    browser.sign_out();
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    let kept = browser.jar.clone();
    code(&browser.come_back(&sent).await);
    stopped(&browser.come_back(&sent).await, StatusCode::FORBIDDEN);
    browser.jar = kept;
    stopped(&browser.come_back(&sent).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn au_18_two_decisions_at_once_make_one() {
    for (first, second) in [("allow", "allow"), ("allow", "deny"), ("deny", "allow"), ("deny", "deny")] {
        let store = Arc::new(Intercept::new());
        let world = World::over(Arc::clone(&store) as _, store.memory(), |builder| builder).await;
        let mut browser = Browser::of(&world, "alice");
        let page = browser.consent(&world.valid_request(WEB)).await;
        let headers = {
            let cookies: Vec<String> =
                browser.jar.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
            HeaderMap::from_iter([(http::header::COOKIE, cookies.join("; ").parse().unwrap())])
        };
        // Both have read the store; the second commits before the first does.
        let decide = |decision: &'static str, server: AuthorizationServer, handle: String, headers: HeaderMap| async move {
            let pending = server.resume(&handle, &headers).await.unwrap();
            match decision {
                "allow" => server.approve(pending, Approval::new("alice".into(), START)).await,
                _ => server.deny(pending, Some(&"alice".into())).await,
            }
        };
        let handle = page.hidden("handle");
        let other = decide(second, world.server.clone(), handle.clone(), headers.clone());
        store.before_commit(async move { assert!(other.await.is_ok()) });
        let late = decide(first, world.server.clone(), handle, headers).await;
        assert_eq!(late.unwrap_err(), ApproveError::Decided, "{first} after {second}");
        let codes = world.dump().iter().filter(|record| record.key.kind == grantor::store::Kind::CODE).count();
        assert_eq!(codes, usize::from(second == "allow"));
        let authorized =
            world.take_events().iter().filter(|event| matches!(event.what, What::Authorized { .. })).count();
        assert_eq!(authorized, usize::from(second == "allow"));
    }
}

#[tokio::test]
async fn au_18_an_expired_flow_cannot_be_finished() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    let page = browser.consent(&request).await;
    let kept = browser.jar.clone();
    world.advance(1799);
    assert!(asks(&browser.come_back(&sent).await));
    world.advance(1);
    // The cookie is gone too, but its absence is not what stops it.
    for jar in [browser.jar.clone(), kept] {
        browser.jar = jar;
        browser.jar.iter_mut().for_each(crate::browser::Cookie::keep_for_ever);
        world.take_events();
        stopped(&browser.come_back(&sent).await, StatusCode::BAD_REQUEST);
        stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
        stopped(&browser.press(&page, "deny").await, StatusCode::BAD_REQUEST);
        assert_eq!(world.take_refusals(), [Refusal::Resume(ResumeError::Expired); 3]);
    }
    // Coming back does not start the time anew.
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    world.advance(1000);
    let page = Consent::read(&browser.come_back(&sent).await);
    world.advance(800);
    browser.jar.iter_mut().for_each(crate::browser::Cookie::keep_for_ever);
    stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
}

/// The handle in the address that the browser is to come back to.
fn handle_of(answer: &Answer) -> String {
    let url = return_to(answer);
    decode(url.split_once('?').unwrap().1).remove(0).1
}

#[tokio::test]
async fn au_19_a_handle_with_any_bit_changed_is_refused() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    let handle = handle_of(&sent);
    browser.sign_in("alice");
    let page = browser.consent(&request).await;
    let cookies: Vec<String> = browser.jar.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let headers = HeaderMap::from_iter([(http::header::COOKIE, cookies.join("; ").parse().unwrap())]);
    let resume = async |handle: &str| world.server.resume(handle, &headers).await.map(|_| ());
    let before = world.dump();
    for handle in [handle, page.hidden("handle")] {
        assert_eq!(resume(&handle).await, Ok(()));
        let bytes = URL_SAFE_NO_PAD.decode(&handle).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(resume(&changed).await, Err(ResumeError::Invalid), "bit {bit}");
        }
        // Cut off or drawn out, at either end; bytes moved; half of one and half of another.
        for length in 0..handle.len() {
            assert_eq!(resume(&handle[..length]).await, Err(ResumeError::Invalid), "the first {length}");
            assert_eq!(resume(&handle[length + 1..]).await, Err(ResumeError::Invalid), "all behind {length}");
        }
        let other = page.hidden("handle");
        for spelling in [
            format!("{handle}A"),
            format!("{handle}="),
            format!("{handle}=="),
            format!("A{handle}"),
            format!(" {handle}"),
            format!("{handle}\n"),
            format!("{handle}{handle}"),
            handle.replace(['-', '_'], "+"),
            format!("{}{}", &handle[..40], &other[44..]),
            "A".repeat(1 << 20),
            String::new(),
        ] {
            assert_eq!(resume(&spelling).await, Err(ResumeError::Invalid), "{spelling:.60}");
        }
        // The bits that the last character has to spare must be zero: a handle has one spelling.
        let (head, last) = handle.split_at(handle.len() - 1);
        for letter in ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']) {
            let spelling = format!("{head}{letter}");
            assert_eq!(resume(&spelling).await.is_ok(), letter.to_string() == last, "{letter}");
        }
    }
    assert_eq!(world.dump(), before);
    // Through the pages it is an error page; the token of the form is no handle, and the reverse.
    for handle in ["", "x", &page.hidden("csrf"), &page.hidden("handle")[1..]] {
        let url = browser.url(&format!("/interaction?handle={}", encode_value(handle)));
        stopped(&browser.open(&url).await, StatusCode::BAD_REQUEST);
        stopped(&browser.submit(&page, &with(&page.allow(), &[("handle", handle)])).await, StatusCode::BAD_REQUEST);
    }
    let url = browser.url(&format!("/interaction?handle={0}&handle={0}", page.hidden("handle")));
    stopped(&browser.open(&url).await, StatusCode::BAD_REQUEST);
    // A handle of the way to the sign-in is not one of a decision: nobody was asked yet.
    let fields = with(&page.allow(), &[("handle", &handle_of(&sent))]);
    stopped(&browser.submit(&page, &fields).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn au_19_a_handle_of_another_server_is_none() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&world.valid_request(WEB)).await;
    let cookies: Vec<String> = browser.jar.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let headers = HeaderMap::from_iter([(http::header::COOKIE, cookies.join("; ").parse().unwrap())]);
    let server = |issuer: &str, secret: u8| {
        AuthorizationServer::builder(issuer)
            .shared_store(Arc::clone(&world.store) as _)
            .clock(Arc::clone(&world.clock) as _)
            .secret([secret; 32])
            .build()
            .unwrap()
    };
    let handle = page.hidden("handle");
    // Another node of the same server can go on where this one began.
    let node = server(ISSUER, 7);
    let pending = node.resume(&handle, &headers).await.unwrap();
    node.check_csrf(&pending, &page.hidden("csrf")).unwrap();
    // With another secret, or another name, it is another server.
    for other in [server(ISSUER, 8), server("https://auth.example.org", 7), server("https://auth.example.com/", 7)] {
        assert_eq!(other.resume(&handle, &headers).await.unwrap_err(), ResumeError::Invalid);
    }
}

#[tokio::test]
async fn au_18_a_flow_does_not_survive_a_change_of_its_client() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    let page = browser.consent(&request).await;
    // The redirect URI is taken away while the user thinks.
    let client = world.server.clients().get(&"web".into()).await.unwrap().unwrap();
    let moved = grantor::client::ClientMetadata {
        redirect_uris: vec!["https://other.example/cb".into()],
        ..client.metadata().clone()
    };
    let moved = world.server.clients().update(client.id(), client.revision(), moved).await.unwrap().client;
    stopped(&browser.come_back(&sent).await, StatusCode::BAD_REQUEST);
    stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
    stopped(&browser.press(&page, "deny").await, StatusCode::BAD_REQUEST);
    let back = client.metadata().clone();
    world.server.clients().update(client.id(), moved.revision(), back).await.unwrap();
    // Nor while the client is away, or once it is gone.
    world.server.clients().deactivate(client.id()).await.unwrap();
    stopped(&browser.come_back(&sent).await, StatusCode::BAD_REQUEST);
    stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
    world.server.clients().delete(client.id()).await.unwrap();
    stopped(&browser.press(&page, "deny").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn au_21_a_code_speaks_for_the_user_who_consented() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&request).await;
    assert!(page.page.text().contains("Signed in as alice."));
    // Another account, in the same browser, before the decision.
    browser.sign_in("bob");
    for decision in ["allow", "deny"] {
        world.take_events();
        stopped(&browser.press(&page, decision).await, StatusCode::BAD_REQUEST);
        assert_eq!(world.take_refusals(), [Refusal::Approve(ApproveError::OtherSubject)]);
    }
    // Bob is asked himself, in the same flow; alice's page is still alice's.
    let url = browser.url(&format!("/interaction?handle={}", encode_value(&page.hidden("handle"))));
    let own = Consent::read(&browser.open(&url).await);
    assert!(own.page.text().contains("Signed in as bob."));
    assert_eq!(own.hidden("csrf"), page.hidden("csrf"), "the token is the flow's");
    stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
    browser.sign_in("alice");
    stopped(&browser.press(&own, "allow").await, StatusCode::BAD_REQUEST);
    browser.sign_in("bob");
    let (access, _) = world.redeem(WEB, &code(&browser.press(&own, "allow").await)).await.tokens();
    assert_eq!(world.introspect(WEB, &access).await["sub"], "bob");
    // Alice was not made to agree to anything.
    assert!(asks(&Browser::of(&world, "alice").authorize(&request).await));

    // A change of account between the request and the return from the sign-in: whoever comes back is asked.
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    let page = Consent::read(&browser.come_back(&sent).await);
    assert!(page.page.text().contains("Signed in as alice."));
    browser.sign_in("carol");
    let page = Consent::read(&browser.come_back(&sent).await);
    let answer = browser.press(&page, "allow").await;
    let (access, _) = world.redeem(WEB, &code(&answer)).await.tokens();
    assert_eq!(world.introspect(WEB, &access).await["sub"], "carol");

    // A host with pages of its own cannot mix them up either.
    let pending = world.authorize(&request).await.pending();
    let suspended = world.server.suspend(*pending, Some(&"alice".into())).unwrap();
    let cookie = suspended.set_cookie.unwrap();
    let cookie = cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap();
    let headers = HeaderMap::from_iter([(http::header::COOKIE, cookie)]);
    let pending = world.server.resume(&suspended.handle, &headers).await.unwrap();
    assert_eq!(pending.subject(), Some(&"alice".into()));
    let before = world.dump();
    let refused = world.server.approve(pending, Approval::new("bob".into(), world.now())).await;
    assert_eq!(refused.unwrap_err(), ApproveError::OtherSubject);
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn au_03_prompt_none_never_shows_a_page() {
    let world = World::new().await;
    let request = changed(&world.valid_request(WEB), &[("prompt", "none")]);
    let redirected = |answer: &Answer, error: &str| {
        let redirect = answer.redirect().unwrap();
        assert!(redirect.parameters.contains_key("error"), "{redirect:?}");
        assert_eq!((redirect.base.as_str(), redirect.parameters["error"].as_str()), (CALLBACK, error));
        assert_eq!(redirect.parameters["state"], "a b&c=d/é");
        assert_eq!(answer.headers.get("set-cookie"), None);
    };
    redirected(&Browser::new(&world).authorize(&request).await, "login_required");
    let mut browser = Browser::of(&world, "alice");
    redirected(&browser.authorize(&request).await, "consent_required");
    let page = browser.consent(&world.valid_request(WEB)).await;
    code(&browser.press(&page, "allow").await);
    code(&browser.authorize(&request).await);
    world.advance(100);
    redirected(&browser.authorize(&changed(&request, &[("max_age", "100")])).await, "login_required");
    code(&browser.authorize(&changed(&request, &[("max_age", "101")])).await);
    for prompt in ["none login", "login none", "none consent", "select_account none", "NONE", "nothing", "none,login"] {
        redirected(&browser.authorize(&changed(&request, &[("prompt", prompt)])).await, "invalid_request");
    }
}

#[tokio::test]
async fn au_05_a_sign_in_must_be_as_fresh_as_was_asked() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::of(&world, "alice");
    world.advance(100);
    // Signed in, but not as the client wants it: off to the sign-in, and back again until it was done anew.
    for wish in [("prompt", "login"), ("prompt", "consent login"), ("max_age", "100"), ("max_age", "0")] {
        let sent = browser.authorize(&changed(&request, &[wish])).await;
        assert_eq!(sent.redirect().unwrap().parameters["again"], "yes", "{wish:?}");
        return_to(&browser.come_back(&sent).await);
        let mut signed_in = Browser::new(&world);
        signed_in.jar.clone_from(&browser.jar);
        signed_in.sign_in("alice");
        world.advance(1);
        assert!(asks(&signed_in.come_back(&sent).await), "{wish:?}");
    }
    for wish in [("max_age", "200"), ("max_age", "18446744073709551615"), ("prompt", "consent"), ("max_age", "")] {
        assert!(asks(&browser.authorize(&changed(&request, &[wish])).await), "{wish:?}");
    }
    for age in ["-1", "+5", "1.5", "1e3", "0x10", " 5", "5 ", "18446744073709551616", "five", "٥"] {
        let answer = browser.authorize(&changed(&request, &[("max_age", age)])).await;
        assert_eq!(answer.redirect().unwrap().parameters["error"], "invalid_request", "{age}");
    }
}

#[tokio::test]
async fn au_23_an_account_is_chosen_where_the_client_asks_for_it() {
    let world = World::new().await;
    let request = changed(&world.valid_request(WEB), &[("prompt", "select_account")]);
    // Signed in, and fresh enough: the host's page is shown all the same, and whoever is chosen there goes on.
    for chosen in ["alice", "bob"] {
        let mut browser = Browser::of(&world, "alice");
        world.advance(100);
        let sent = browser.authorize(&request).await;
        let parameters = sent.redirect().unwrap().parameters;
        assert_eq!((parameters["choose"].as_str(), parameters["again"].as_str()), ("yes", "no"));
        if chosen != "alice" {
            browser.sign_in(chosen);
        }
        let page = browser.come_back(&sent).await;
        assert!(asks(&page));
        assert!(page.body.contains(&format!("Signed in as <strong>{chosen}</strong>")), "{chosen}");
    }
    // Nobody asked, or nobody is signed in: there is nothing to choose from, or all there is.
    let mut browser = Browser::new(&world);
    let plain = browser.authorize(&world.valid_request(WEB)).await;
    assert_eq!(plain.redirect().unwrap().parameters["choose"], "no");
    let sent = browser.authorize(&request).await;
    assert_eq!(sent.redirect().unwrap().parameters["choose"], "yes");
    // Coming back without having signed in leads to the sign-in again, now with nothing to choose.
    let sent_again = browser.come_back(&sent).await;
    assert_eq!(sent_again.redirect().unwrap().parameters["choose"], "no");
    // With a sign-in that must be new, both are told.
    let mut browser = Browser::of(&world, "alice");
    world.advance(100);
    let both = changed(&request, &[("prompt", "login select_account")]);
    let parameters = browser.authorize(&both).await.redirect().unwrap().parameters;
    assert_eq!((parameters["choose"].as_str(), parameters["again"].as_str()), ("yes", "yes"));
}

#[tokio::test]
async fn rfc9700_4_11_only_the_servers_own_addresses_are_returned_to() {
    for issuer in ["https://auth.example.com", "https://auth.example.com/tenant/", "http://127.0.0.1:8080/tenant"] {
        let world = World::at(issuer, |builder| builder).await;
        let sent = Browser::new(&world).authorize(&world.valid_request(WEB)).await;
        let own = return_to(&sent);
        assert!(world.server.is_own_url(&own), "{own}");
        let base = issuer.trim_end_matches('/');
        assert!(world.server.is_own_url(&format!("{base}/interaction?handle=%2F..%2F#x")));
        let rest = own.strip_prefix(base).unwrap();
        for foreign in [
            format!("https://evil.example{rest}"),
            format!("{base}.evil.example{rest}"),
            format!("{base}@evil.example{rest}"),
            format!("{base}:1@evil.example{rest}"),
            format!("{base}:8443{rest}"),
            format!("{base}2{rest}"),
            format!("{base}\\@evil.example{rest}"),
            format!("{base}/../{rest}"),
            format!("{base}/x/../..{rest}"),
            format!("{base}/%2e%2e{rest}"),
            format!("{base}/.\t./{rest}"),
            format!("{base}/\\..\\..\\x"),
            format!(" {own}"),
            format!("{own}\n"),
            own.to_uppercase(),
            own.replace("//", "/"),
            own.replacen("http", "javascript:http", 1),
            format!("//auth.example.com{rest}"),
            rest.to_owned(),
            base.to_owned(),
            String::new(),
        ] {
            assert!(!world.server.is_own_url(&foreign), "{foreign:?} is taken for below {issuer}");
        }
    }
}
