//! The consent page and what it decides (ids U, R-21).

use grantor::client::{ClientMetadata, Consent as Asked};
use grantor::event::Refusal;
use grantor::manage::ManageError;
use grantor::refusal::{ApproveError, ResumeError};
use http::{Method, StatusCode};

use crate::browser::{Browser, Consent, asks, code, stopped, with};
use crate::harness::*;

#[tokio::test]
async fn u_01_a_decision_needs_the_token_of_its_own_form() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let request = world.valid_request(WEB);
    let page = browser.consent(&request).await;
    let other = browser.consent(&request).await;
    let elsewhere = Browser::of(&world, "alice").consent(&request).await;
    let (own, of_another_flow, of_another_browser) =
        (page.hidden("csrf"), other.hidden("csrf"), elsewhere.hidden("csrf"));
    assert!(own != of_another_flow && own != of_another_browser && own.len() >= 22);
    world.take_events();

    let longer = format!("{own}A");
    for decision in ["allow", "deny"] {
        let fields = with(&page.allow(), &[("decision", decision)]);
        let mut wrong: Vec<Vec<(String, String)>> = [
            "",
            "x",
            &own[1..],
            &longer,
            &own.to_lowercase(),
            &of_another_flow,
            &of_another_browser,
            &page.hidden("handle"),
        ]
        .map(|csrf| with(&fields, &[("csrf", csrf)]))
        .to_vec();
        wrong.push(fields.iter().filter(|(name, _)| name != "csrf").cloned().collect());
        for fields in wrong {
            world.take_events();
            stopped(&browser.submit(&page, &fields).await, StatusCode::FORBIDDEN);
            assert_eq!(world.take_refusals(), [Refusal::Resume(ResumeError::Forged)]);
        }
        // A right one beside a wrong one, in either order, is not looked for.
        for twice in [[&own, &of_another_flow], [&of_another_flow, &own]] {
            let fields = with(&fields, &[("csrf", twice[0]), ("csrf", twice[1])]);
            stopped(&browser.submit(&page, &fields).await, StatusCode::BAD_REQUEST);
        }
        // From another site, even with everything that the page holds.
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "https://auth.example.com.evil.example"),
            ("origin", "https://auth.example.com:8443"),
            ("origin", "http://auth.example.com"),
            ("origin", "https://AUTH.example.com"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("sec-fetch-site", "same-origin, cross-site"),
        ] {
            stopped(&browser.post(&fields, &[header]).await, StatusCode::FORBIDDEN);
        }
        let mixed = [("origin", "https://auth.example.com"), ("sec-fetch-site", "cross-site")];
        stopped(&browser.post(&fields, &mixed).await, StatusCode::FORBIDDEN);
        // What only a script or a plain-text form can send is no decision.
        let body: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut request = post("/interaction", &body);
        request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        stopped(&browser.send(request).await, StatusCode::BAD_REQUEST);
    }
    // None of this has spent the form, and each of the two has its own.
    code(&browser.press(&page, "allow").await);
    code(&browser.press(&other, "allow").await);
}

#[tokio::test]
async fn u_01_the_forms_of_all_browsers_are_accepted() {
    let world = World::new().await;
    for headers in [
        &[][..],
        &[("origin", "https://auth.example.com")],
        &[("origin", "null")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ] {
        let mut browser = Browser::of(&world, "alice");
        let page = browser.consent(&changed(&world.valid_request(WEB), &[("prompt", "consent")])).await;
        code(&browser.post(&page.allow(), headers).await);
    }
}

#[tokio::test]
async fn u_01_a_decision_by_get_is_refused() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&world.valid_request(WEB)).await;
    let own = |fields: &[(String, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        format!("https://auth.example.com/interaction?{}", encode(&fields))
    };
    for decision in ["allow", "deny", ""] {
        let url = own(&with(&page.allow(), &[("decision", decision)]));
        stopped(&browser.open(&url).await, StatusCode::FORBIDDEN);
    }
    let without_token: Vec<_> = page.allow().into_iter().filter(|(name, _)| name != "csrf").collect();
    stopped(&browser.open(&own(&without_token)).await, StatusCode::FORBIDDEN);
    // The fields in the query of a POST are none of the form's.
    let mut request = post("/interaction", &[]);
    *request.uri_mut() = own(&page.allow()).strip_prefix("https://auth.example.com").unwrap().parse().unwrap();
    stopped(&browser.send(request).await, StatusCode::BAD_REQUEST);
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let fields = page.allow();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = browser.send(with_method(post("/interaction", &fields), method)).await;
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, POST")));
    }
    code(&browser.press(&page, "allow").await);
}

#[tokio::test]
async fn r_21_the_consent_form_cannot_change_the_request() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&world.valid_request(WEB)).await;
    // More scope than was asked for is refused, and so is whatever is no scope.
    for scope in ["admin", "profile", "read write admin", "read write", "READ", "unknown", "a\"b", " ", "\u{e9}"] {
        let mut fields = page.allow();
        fields.push(("scope".into(), scope.into()));
        stopped(&browser.submit(&page, &fields).await, StatusCode::BAD_REQUEST);
    }
    for twice in [["allow", "deny"], ["deny", "allow"]] {
        let fields = with(&page.allow(), &[("decision", twice[0]), ("decision", twice[1])]);
        stopped(&browser.submit(&page, &fields).await, StatusCode::BAD_REQUEST);
    }
    for decision in ["", "Allow", "allow ", "yes", "true"] {
        let fields = with(&page.allow(), &[("decision", decision)]);
        stopped(&browser.submit(&page, &fields).await, StatusCode::BAD_REQUEST);
    }
    // What else a form could say of the request has no meaning: the sealed request counts.
    let tampered = with(
        &page.allow(),
        &[
            ("client_id", "cli"),
            ("redirect_uri", "https://evil.example/cb"),
            ("state", "other"),
            ("resource", RESOURCE),
            ("code_challenge", "M5qdSPrq2Ydrk4QYpRfPHKG9UUBzXbCTqWAwpBdjYs8"),
            ("response_mode", "form_post"),
            ("subject", "mallory"),
        ],
    );
    let answer = browser.submit(&page, &tampered).await;
    let redirect = answer.redirect().unwrap();
    assert_eq!(redirect.base, CALLBACK);
    assert_eq!(redirect.parameters["state"], "a b&c=d/é");
    world.redeem(CLI, &code(&answer)).await.refused("invalid_grant");
    let (access, _) = world.redeem(WEB, &code(&answer)).await.tokens();
    let told = world.introspect(WEB, &access).await;
    assert_eq!(
        (&told["client_id"], &told["sub"], &told["scope"], told.get("aud")),
        (&"web".into(), &"alice".into(), &"read write".into(), None)
    );
}

#[tokio::test]
async fn u_04_a_client_that_cannot_prove_its_identity_is_asked_about_every_time() {
    let world = World::new().await;
    let device = [
        "http://127.0.0.1/cb",
        "http://[::1]:8080/cb",
        "http://localhost/cb",
        "https://localhost/cb",
        "https://127.0.0.1:8443/cb",
        "com.example.app:/cb",
    ];
    let confidential = Known { id: "device", secret: Some("device-secret-device-secret-devi"), ..WEB };
    let redirect_uris = device.map(str::to_owned).to_vec();
    world.register(confidential, ClientMetadata { redirect_uris, ..metadata(confidential) }).await;
    let mut browser = Browser::of(&world, "alice");
    let mut cases = vec![(CLI, CALLBACK), (CLI, "http://127.0.0.1:49152/cb"), (CLI, "com.example.app:/cb")];
    cases.extend(device.map(|uri| (confidential, uri)));
    for (client, uri) in cases {
        let request = changed(&world.valid_request(client), &[("redirect_uri", uri)]);
        for round in 0..3 {
            let page = browser.consent(&request).await;
            code(&browser.press(&page, "allow").await);
            let answer = browser.authorize(&changed(&request, &[("prompt", "none")])).await;
            let error = answer.redirect().unwrap().parameters["error"].clone();
            assert_eq!(error, "consent_required", "{uri} in round {round}");
        }
    }
}

#[tokio::test]
async fn u_04_a_confidential_client_is_asked_about_once() {
    let world = World::new().await;
    let request = world.valid_request(WEB);
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&request).await;
    code(&browser.press(&page, "allow").await);
    assert!(!asks(&browser.authorize(&request).await));
    assert!(!asks(&browser.authorize(&changed(&request, &[("prompt", "none")])).await));
    // In another browser too, but for nobody else and for no other client.
    assert!(!asks(&Browser::of(&world, "alice").authorize(&request).await));
    assert!(asks(&Browser::of(&world, "bob").authorize(&request).await));
    assert!(asks(&browser.authorize(&world.valid_request(POSTER)).await));
    // A refusal is not consent.
    let page = browser.consent(&world.valid_request(LEGACY)).await;
    assert_eq!(browser.press(&page, "deny").await.redirect().unwrap().parameters["error"], "access_denied");
    assert!(asks(&browser.authorize(&world.valid_request(LEGACY)).await));
    // Clients for which the host answers, or wants to be asked each time.
    for (consent, expected) in [(Asked::Implied, false), (Asked::Always, true)] {
        let client = Known { id: if expected { "always" } else { "implied" }, ..WEB };
        world.register(client, ClientMetadata { consent, ..metadata(client) }).await;
        let request = world.valid_request(client);
        for _ in 0..2 {
            let answer = browser.authorize(&request).await;
            assert_eq!(asks(&answer), expected);
            if expected {
                code(&browser.press(&Consent::read(&answer), "allow").await);
            }
        }
        assert!(asks(&browser.authorize(&changed(&request, &[("prompt", "consent")])).await));
    }
    // What the host has answered for, the user has not agreed to.
    let implied = world.server.clients().get(&"implied".into()).await.unwrap().unwrap();
    let remembered = ClientMetadata { consent: Asked::Remembered, ..implied.metadata().clone() };
    world.server.clients().update(implied.id(), implied.revision(), remembered).await.unwrap();
    let implied = Known { id: "implied", ..WEB };
    assert!(asks(&browser.authorize(&world.valid_request(implied)).await));
}

#[tokio::test]
async fn u_05_a_wider_request_asks_again() {
    /// Scope and resources.
    type Wish = (&'static str, &'static [&'static str]);
    const BOTH: &[&str] = &[RESOURCE, OTHER_RESOURCE];
    // What was agreed to, in this order; then what needs no question, and what does.
    type Case = (&'static [Wish], &'static [Wish], &'static [Wish]);
    let cases: &[Case] = &[
        (&[("read", &[])], &[("read", &[]), ("read", &[RESOURCE])], &[("read write", &[]), ("write", &[])]),
        (
            &[("read", &[]), ("write", &[])],
            &[("read write", &[]), ("read", &[RESOURCE]), ("write", BOTH)],
            &[("admin", &[]), ("read admin", &[])],
        ),
        // At one resource is not at another, nor everywhere.
        (
            &[("read", &[RESOURCE])],
            &[("read", &[RESOURCE])],
            &[("read", &[OTHER_RESOURCE]), ("read", BOTH), ("read", &[]), ("write", &[RESOURCE])],
        ),
        (&[("read", &[RESOURCE]), ("read", &[OTHER_RESOURCE])], &[("read", BOTH)], &[("read", &[]), ("write", BOTH)]),
        // Reading here and writing there is not writing here.
        (
            &[("read", &[RESOURCE]), ("write", &[OTHER_RESOURCE])],
            &[("write", &[OTHER_RESOURCE])],
            &[("write", &[RESOURCE]), ("read write", &[RESOURCE]), ("write", BOTH), ("write", &[])],
        ),
        (&[("read write", &[RESOURCE]), ("read", &[])], &[("read", &[])], &[("write", &[]), ("read write", &[])]),
        (&[("read", &[]), ("read", &[RESOURCE])], &[("read", &[]), ("read", &[OTHER_RESOURCE])], &[("write", &[])]),
    ];
    for (agreed, silent, asked) in cases {
        let world = World::new().await;
        let mut browser = Browser::of(&world, "alice");
        let request = |(scope, resources): Wish| {
            let mut request = changed(&world.valid_request(WEB), &[("scope", scope)]);
            request.extend(resources.iter().map(|resource| ("resource", *resource)));
            request
        };
        for wish in *agreed {
            let page = browser.consent(&changed(&request(*wish), &[("prompt", "consent")])).await;
            code(&browser.press(&page, "allow").await);
        }
        for wish in *silent {
            assert!(!asks(&browser.authorize(&request(*wish)).await), "asked for {wish:?} after {agreed:?}");
        }
        for wish in *asked {
            assert!(asks(&browser.authorize(&request(*wish)).await), "not asked for {wish:?} after {agreed:?}");
        }
    }
}

#[tokio::test]
async fn u_05_consent_ends_with_its_time_its_removal_and_its_client() {
    let year = 365 * 24 * 3600;
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let request = world.valid_request(WEB);
    let page = browser.consent(&request).await;
    code(&browser.press(&page, "allow").await);
    world.advance(year - 1);
    assert!(!asks(&browser.authorize(&request).await));
    world.advance(1);
    let page = browser.consent(&changed(&request, &[("scope", "read")])).await;
    code(&browser.press(&page, "allow").await);
    // What was forgotten does not come back with the new consent.
    assert!(asks(&browser.authorize(&request).await));

    world.server.grants().remove_app(&"alice".into(), &"web".into()).await.unwrap();
    let page = browser.consent(&changed(&request, &[("scope", "read")])).await;
    code(&browser.press(&page, "allow").await);

    // A client of the same name, later, is another client.
    world.server.clients().delete(&"web".into()).await.unwrap();
    world.advance(100 * 24 * 3600);
    while world.server.purge(1_000).await.unwrap().more {}
    world.register(WEB, metadata(WEB)).await;
    assert!(asks(&browser.authorize(&changed(&request, &[("scope", "read")])).await));
}

#[tokio::test]
async fn u_06_a_flow_begun_elsewhere_cannot_be_approved_here() {
    let world = World::new().await;
    let request = world.valid_request(CLI);
    let mut attacker = Browser::new(&world);
    let sent = attacker.authorize(&request).await;
    let mut victim = Browser::of(&world, "alice");
    // The victim follows the address that the attacker was to come back to.
    stopped(&victim.come_back(&sent).await, StatusCode::FORBIDDEN);
    // The attacker gets as far as the page as themselves, and has the victim send its form.
    attacker.sign_in("mallory");
    let page = Consent::read(&attacker.come_back(&sent).await);
    stopped(&victim.submit(&page, &page.allow()).await, StatusCode::FORBIDDEN);
    // The other way round: the victim's form in the attacker's browser.
    let theirs = victim.consent(&request).await;
    stopped(&attacker.submit(&theirs, &theirs.allow()).await, StatusCode::FORBIDDEN);
    // A cookie of another flow is no help, whatever it is called.
    let foreign = victim.flows()[0].value.clone();
    for cookie in &mut attacker.jar {
        if cookie.name.contains("grantor") {
            cookie.value.clone_from(&foreign);
        }
    }
    stopped(&attacker.submit(&theirs, &theirs.allow()).await, StatusCode::FORBIDDEN);
    code(&victim.press(&theirs, "allow").await);
}

#[tokio::test]
async fn u_07_only_checked_scopes_are_granted_and_the_answer_says_so() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let request = changed(&world.valid_request(WEB), &[("scope", "read write admin")]);
    let page = browser.consent(&request).await;
    assert_eq!(sorted(&page.scope().join(" ")), ["admin", "read", "write"]);
    let fields: Vec<_> = page.allow().into_iter().filter(|(_, value)| value != "write").collect();
    let answer = world.redeem(WEB, &code(&browser.submit(&page, &fields).await)).await;
    let granted = answer.field("scope");
    assert_eq!(sorted(&granted), ["admin", "read"]);
    let (access, refresh) = answer.tokens();
    assert_eq!(sorted(world.introspect(WEB, &access).await["scope"].as_str().unwrap()), ["admin", "read"]);
    assert!(world.server.verify(&access, grantor::Require::scope("write")).await.is_err());
    // Refreshing does not get it back.
    let wider = [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("scope", "read write")];
    world.token(WEB, &wider).await.refused("invalid_scope");
    assert_eq!(sorted(&world.refresh(WEB, &refresh).await.field("scope")), ["admin", "read"]);
    // Nor is it remembered.
    assert!(asks(&browser.authorize(&request).await));
    assert!(!asks(&browser.authorize(&changed(&request, &[("scope", "read admin")])).await));

    // With nothing left checked there is nothing to allow.
    let page = browser.consent(&request).await;
    let fields: Vec<_> = page.allow().into_iter().filter(|(name, _)| name != "scope").collect();
    let answer = browser.submit(&page, &fields).await;
    assert_eq!(answer.redirect().unwrap().parameters["error"], "access_denied");
}

fn sorted(scope: &str) -> Vec<&str> {
    let mut names: Vec<&str> = scope.split(' ').collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn u_07_a_decision_cannot_add_a_scope() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&changed(&world.valid_request(WEB), &[("scope", "read")])).await;
    for added in [&["write"][..], &["read", "write"], &["admin"], &["profile"], &["read write"], &["nothing"]] {
        let scopes: Vec<(&str, &str)> = added.iter().map(|scope| ("scope", *scope)).collect();
        world.take_events();
        stopped(&browser.submit(&page, &with(&page.allow(), &scopes)).await, StatusCode::BAD_REQUEST);
    }
    // The same one twice is the same one.
    let fields = with(&page.allow(), &[("scope", "read"), ("scope", "read")]);
    let answer = world.redeem(WEB, &code(&browser.submit(&page, &fields).await)).await;
    assert_eq!(answer.tokens().0.len(), 55);
    assert_eq!(answer.json().unwrap()["scope"], "read");
}

#[tokio::test]
async fn u_09_the_cookie_has_every_attribute_and_holds_no_parameter() {
    for (issuer, prefix, secure) in [
        ("https://auth.example.com", "__Host-grantor-", true),
        ("https://auth.example.com/tenant/one", "__Host-grantor-", true),
        ("https://auth.example.com:8443/", "__Host-grantor-", true),
        ("http://127.0.0.1:8080", "grantor-", false),
        ("http://localhost:8080/tenant", "grantor-", false),
        ("http://[::1]:8080", "grantor-", false),
    ] {
        let world = World::at(issuer, |builder| builder).await;
        let mut browser = Browser::new(&world);
        let request = world.valid_request(WEB);
        // Once from the way to the sign-in, once from the consent page.
        let sent = browser.authorize(&request).await;
        let mut signed_in = Browser::of(&world, "alice");
        signed_in.authorize(&request).await;
        for kept in [&browser, &signed_in] {
            let [cookie] = kept.flows()[..] else { panic!("{issuer}: {:?}", kept.flows()) };
            let expected: Vec<&str> = ["path=/", "max-age=1800", "httponly", "samesite=lax"]
                .into_iter()
                .chain(secure.then_some("secure"))
                .collect();
            assert_eq!(cookie.attributes, expected, "{issuer}");
            assert!(cookie.name.starts_with(prefix), "{}", cookie.name);
            assert_eq!(cookie.value.len(), 43, "256 random bits");
            assert!(cookie.name.len() + cookie.value.len() < 128);
            let text = format!("{}{}", cookie.name, cookie.value);
            for (_, value) in &request {
                assert!(!text.contains(value), "{value} is in the cookie");
            }
        }
        assert_ne!(browser.flows()[0].value, signed_in.flows()[0].value);
        // It serves: through the sign-in, to the page, to the code; and it goes when the flow is over.
        browser.sign_in("alice");
        let page = Consent::read(&browser.come_back(&sent).await);
        assert_eq!(browser.flows().len(), 1, "{issuer}: a second cookie");
        assert_eq!(page.form.action, browser.url("/interaction"));
        let answer = browser.press(&page, "allow").await;
        code(&answer);
        assert_eq!(answer.redirect().unwrap().parameters["iss"], issuer);
        assert!(browser.flows().is_empty(), "{issuer}: a cookie is left");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    }
}

#[tokio::test]
async fn u_07_the_user_can_be_gone_before_the_decision() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "alice");
    let page = browser.consent(&world.valid_request(WEB)).await;
    browser.sign_out();
    world.take_events();
    stopped(&browser.press(&page, "allow").await, StatusCode::BAD_REQUEST);
    assert_eq!(world.take_refusals(), [Refusal::Approve(ApproveError::OtherSubject)]);
    browser.sign_in("alice");
    world.server.subjects().deactivate(&"alice".into()).await.unwrap();
    let answer = browser.press(&page, "allow").await;
    assert_eq!(answer.redirect().unwrap().parameters["error"], "access_denied");
    let unknown: Result<(), ManageError> = world.server.grants().remove_app(&"alice".into(), &"web".into()).await;
    assert_eq!(unknown, Err(ManageError::NotFound), "nothing was granted");
}
