//! Sign-in, consent, tokens, and the API that they open.

use crate::host::on_each;

#[test]
fn a_user_signs_in_and_consents_and_the_client_calls_the_api_until_it_gives_the_token_back() {
    on_each(|host| {
        let mut browser = host.browser();
        let url = host.authorization(&[("scope", "read write"), ("state", "a b&c=d%20\u{e9}")]);
        let consent = browser.authorize(&url);
        assert!(consent.is_consent(), "{consent:?}");
        let allowed = browser.submit(&consent.form().with("decision", "allow"));
        assert_eq!(allowed.parameters()["state"], "a b&c=d%20\u{e9}");
        assert_eq!(allowed.parameters()["iss"], host.issuer());

        let tokens = host.exchange_code(&allowed.code()).json();
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(host.with_token("GET", "/hello", token, "").body, "Hello, alice!\n");
        let noted = host.with_token("POST", "/notes", token, "milk, \u{e9}clairs");
        assert_eq!((noted.status, noted.body.as_str()), (200, "Noted: milk, \u{e9}clairs\n"));

        let refresh = tokens["refresh_token"].as_str().unwrap();
        let next = host.form("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).json();
        let next = next["access_token"].as_str().unwrap();
        assert_eq!(host.with_token("GET", "/hello", next, "").status, 200);
        assert_eq!(host.form("/revoke", &[("token", next)]).status, 200);
        assert_eq!(host.with_token("GET", "/hello", next, "").status, 401);
    });
}

#[test]
fn a_user_refuses() {
    on_each(|host| {
        let mut browser = host.browser();
        let consent = browser.authorize(&host.authorization(&[("scope", "read")]));
        let refused = browser.submit(&consent.form().with("decision", "deny"));
        assert_eq!(refused.parameters()["error"], "access_denied");
    });
}

#[test]
fn a_stranger_with_somebody_elses_consent_page_decides_nothing() {
    on_each(|host| {
        let consent = host.browser().authorize(&host.authorization(&[("scope", "read")]));
        let stranger = host.browser().submit(&consent.form().with("decision", "allow"));
        assert_eq!(stranger.answer.status, 403, "{stranger:?}");
    });
}

#[test]
fn a_route_is_entered_with_a_token_that_is_enough_and_not_otherwise() {
    on_each(|host| {
        let (read, write) = (host.token("read"), host.token("read write"));
        assert_eq!(host.with_token("GET", "/hello", &read, "").body, "Hello, web!\n");
        assert_eq!(host.with_token("POST", "/notes", &write, "x").body, "Noted: x\n");

        let none = host.send("GET", "/hello", &[], "");
        assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer scope=\"read\""), "{}", host.name);
        let unknown = host.with_token("GET", "/hello", "gat_nothing", "");
        assert_eq!(unknown.status, 401);
        assert!(unknown.header("www-authenticate").contains("error=\"invalid_token\""), "{unknown:?}");
        let less = host.with_token("POST", "/notes", &read, "x");
        assert_eq!(less.status, 403);
        assert!(less.header("www-authenticate").contains("error=\"insufficient_scope\""), "{less:?}");
        assert!(less.header("www-authenticate").contains("scope=\"write\""), "{less:?}");
        let in_query = host.send("GET", &format!("/hello?access_token={read}"), &[], "");
        assert_eq!((in_query.status, in_query.header("cache-control")), (400, "no-store"));
        let bearer = format!("Bearer {read}");
        let twice = host.send("GET", "/hello", &[("authorization", &bearer), ("authorization", &bearer)], "");
        assert_eq!(twice.status, 400, "{twice:?}");
    });
}

#[test]
fn one_code_presented_by_many_at_once_is_redeemed_once() {
    on_each(|host| {
        let mut browser = host.browser();
        let code = browser.allow(&host.authorization(&[("scope", "read")])).code();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..16).map(|_| scope.spawn(|| host.exchange_code(&code).status)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{}: {statuses:?}", host.name);
    });
}
