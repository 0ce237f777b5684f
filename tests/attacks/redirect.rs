//! Redirect URIs (ids R).

use grantor::client::{ApplicationType, AuthMethod, ClientMetadata, MetadataError, RedirectUriError};
use grantor::event::Refusal;
use grantor::manage::{ManageError, Registration};
use grantor::refusal::AuthorizeError;
use grantor::{Approval, OmittedRedirectUri};
use http::Request;

use crate::harness::*;

pub const STATE: &str = "a b&c=d/é";
const NATIVE: Known = Known { id: "native", secret: None, method: AuthMethod::None };
pub const OTHER: Known =
    Known { id: "other", secret: Some("other-secret-other-secret-other-"), method: AuthMethod::ClientSecretBasic };

/// A valid request of this client but for its redirect URI.
fn request_to(world: &World, client: Known, redirect_uri: &str) -> Request<String> {
    let uri =
        format!("/authorize?{}", encode(&changed(&world.valid_request(client), &[("redirect_uri", redirect_uri)])));
    Request::get(uri).body(String::new()).unwrap()
}

/// None of these is a redirect URI of the client: each gets an error page, by GET and by POST, that repeats nothing of
/// it.
async fn refuse_all(world: &World, client: Known, uris: &[&str]) {
    world.take_events();
    for uri in uris {
        let answer = world.send(request_to(world, client, uri)).await.local();
        let parameters = changed(&world.valid_request(client), &[("redirect_uri", *uri)]);
        world.send(post("/authorize", &parameters)).await.local().same_as(&answer);
        assert!(!answer.body.contains("evil") && !answer.body.contains("/cb"), "{uri} is in the page");
        let unregistered = Refusal::Authorize(AuthorizeError::RedirectUriUnregistered);
        assert_eq!(world.take_refusals(), [unregistered, unregistered], "{uri}");
    }
}

/// Each of these is a redirect URI of the client: the answer, good or bad, goes exactly there.
async fn accept_all(world: &World, client: Known, uris: &[&str]) {
    for uri in uris {
        let pending = world.send(request_to(world, client, uri)).await.pending();
        assert_eq!(pending.redirect_uri(), *uri);
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let answer = Answer::of(response);
        let separator = if uri.contains('?') { '&' } else { '?' };
        let location = answer.header("location").unwrap();
        assert!(location.starts_with(&format!("{uri}{separator}code=")), "{location}");
    }
}

/// Registers a client with these redirect URIs.
pub async fn register(world: &World, client: Known, uris: &[&str], kind: Option<ApplicationType>) {
    let grant_types = metadata(CLI).grant_types;
    let redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    let metadata = ClientMetadata { redirect_uris, grant_types, application_type: kind, ..metadata(client) };
    world.register(client, metadata).await;
}

/// Why this cannot be registered as a redirect URI, for a native and for a web client.
async fn cannot_register(world: &World, uri: &str) -> RedirectUriError {
    let before = world.dump();
    let mut reasons = Vec::new();
    for client in [WEB, CLI] {
        let redirect_uris = vec![CALLBACK.to_owned(), uri.to_owned()];
        let metadata = ClientMetadata { redirect_uris, ..metadata(client) };
        let registration = Registration { metadata, client_id: Some("new".into()), client_secret: None };
        match world.server.clients().register(registration).await {
            Err(ManageError::Metadata(MetadataError::RedirectUri { index: 1, reason })) => reasons.push(reason),
            other => panic!("{uri}: {other:?}"),
        }
    }
    assert_eq!(world.dump(), before);
    assert_eq!(reasons[0], reasons[1]);
    reasons[0]
}

#[tokio::test]
async fn r_02_an_unregistered_redirect_uri_gets_an_error_page() {
    let world = World::new().await;
    let uris = [
        "https://evil.example/cb",
        "https://evil.example/?https://app.example/cb",
        "https://evil.example/#https://app.example/cb",
        "http://app.example/cb",
        "https://poster.example/cb",
        "https://app.example",
        "https://app.example/",
        "https://app.example/c",
        "https://app.example/cbx",
        "https://app.example/other",
        "/cb",
        "cb",
        "javascript:alert(1)",
        "data:text/html,evil",
        "about:blank",
        "https://auth.example.com/authorize",
        "null",
        " ",
    ];
    refuse_all(&world, CLI, &uris).await;
    refuse_all(&world, WEB, &uris).await;
    // What another client registered is not this one's.
    refuse_all(&world, WEB, &["https://app.example/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb"]).await;
    refuse_all(&world, POSTER, &[CALLBACK]).await;
    let registered = ["https://app.example/cb", "https://app.example/cb?x=1", "http://127.0.0.1/cb", "http://[::1]/cb"];
    accept_all(&world, CLI, &registered).await;
    accept_all(&world, CLI, &["com.example.app:/cb"]).await;
}

#[tokio::test]
async fn r_04_a_trailing_slash_query_or_fragment_mark_is_another_uri() {
    let world = World::new().await;
    for client in [CLI, WEB] {
        let uris =
            ["/cb/", "/cb//", "/cb?", "/cb#", "/cb?#", "/cb&", "/cb;", "/cb/.", "//cb", "/./cb", "/x/../cb", "/cb#_"]
                .map(|end| format!("https://app.example{end}"));
        refuse_all(&world, client, &uris.each_ref().map(String::as_str)).await;
        refuse_all(&world, client, &["https://app.example/CB", "https://app.example/%63b", "https://app.example/c%62"])
            .await;
        refuse_all(&world, client, &["HTTPS://app.example/cb", "https://APP.example/cb", "https://app.example./cb"])
            .await;
    }
}

#[tokio::test]
async fn r_05_another_query_is_another_uri() {
    let world = World::new().await;
    let queries = [
        "bar=foo", "x=1&y=2", "x=2", "x=", "x", "x=1&", "&x=1", "x=1&x=1", "X=1", "x=%31", "%78=1", "x=1#", "x=1?",
        "x=01", "x=1;y=2",
    ];
    let uris = queries.map(|query| format!("https://app.example/cb?{query}"));
    refuse_all(&world, CLI, &uris.each_ref().map(String::as_str)).await;
    let loopback = ["http://127.0.0.1/cb?x=1", "com.example.app:/cb?x=1", "http://[::1]:1/cb?"];
    refuse_all(&world, CLI, &loopback).await;
}

#[tokio::test]
async fn r_07_user_information_makes_another_uri() {
    let world = World::new().await;
    let uris = [
        "https://app.example@evil.example/cb",
        "https://user:pw@app.example/cb",
        "https://user@app.example/cb",
        "https://@app.example/cb",
        "https://:@app.example/cb",
        "https://app.example%40evil.example/cb",
        "https://app.example:443@evil.example/cb",
        "https://app.example%2F@evil.example/cb",
        "https://evil.example\\@app.example/cb",
        "https://app.example/cb@evil.example",
        "https://app.example\u{ff20}evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://user@127.0.0.1/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "com.example.app://user@evil/cb",
    ];
    refuse_all(&world, CLI, &uris).await;
    for uri in ["https://user:pw@app.example/cb", "https://@app.example/cb", "http://user@127.0.0.1/cb"] {
        assert_eq!(cannot_register(&world, uri).await, RedirectUriError::UserInfo, "{uri}");
    }
}

#[tokio::test]
async fn r_08_a_host_that_resembles_the_registered_one_is_refused() {
    let world = World::new().await;
    let uris = [
        "https://app.example.evil.example/cb",
        "https://app-example/cb",
        "https://appXexample/cb",
        "https://evilapp.example/cb",
        "https://evil.app.example/cb",
        "https://www.app.example/cb",
        "https://example/cb",
        "https://app.exampl/cb",
        "https://app.examples/cb",
        "https://app.example,evil.example/cb",
        "https://app.example;evil.example/cb",
        "https://app%2Eexample/cb",
        "https://app.example%00.evil.example/cb",
        "https://app.example%2Fcb.evil.example/cb",
        "https://\u{430}pp.example/cb",
        "https://app\u{3002}example/cb",
        "https://app.ex\u{ad}ample/cb",
        "https://xn--pp-6kc.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://[app.example]/cb",
    ];
    // A NUL is refused before anybody compares: an error page too.
    for uri in uris {
        world.send(request_to(&world, CLI, uri)).await.local();
        world.send(request_to(&world, WEB, uri)).await.local();
    }
    let nul = ["https://app.example\0.evil.example/cb", "https://app.example/cb\0"];
    for uri in nul {
        world.send(request_to(&world, CLI, uri)).await.local();
    }
}

#[tokio::test]
async fn r_09_a_port_makes_another_uri() {
    let world = World::new().await;
    for client in [CLI, WEB] {
        let ports = [
            ":443", ":8443", ":0443", ":", ":0", ":00", ":65536", ":99999", ":-1", ":+443", ":4 43", ":443:443",
            "%3A443",
        ];
        let uris = ports.map(|port| format!("https://app.example{port}/cb"));
        refuse_all(&world, client, &uris.each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn r_10_a_malformed_uri_is_not_repaired() {
    let world = World::new().await;
    let uris = [
        "https://app.example\\evil",
        "https://app.example\\cb",
        "https:\\\\app.example\\cb",
        "https:/app.example/cb",
        "https:app.example/cb",
        "https:///app.example/cb",
        "///app.example/cb",
        "//app.example/cb",
        "/\\app.example/cb",
        "app.example/cb",
        "https//app.example/cb",
        "https : //app.example/cb",
        "ttps://app.example/cb",
        "xhttps://app.example/cb",
        " https://app.example/cb",
        "https://app.example/cb ",
        "https://app.example/ cb",
        "https:// app.example/cb",
        "\u{feff}https://app.example/cb",
        "\u{a0}https://app.example/cb",
        "https://app.example/cb\u{200b}",
        "https://app.example/cb\u{2028}",
        "<https://app.example/cb>",
        "\"https://app.example/cb\"",
        "https://app.example/cb,https://evil.example/cb",
        "https://app.example/cb https://evil.example/cb",
        "https://app.example/cb\"onload=evil",
        "https%3A%2F%2Fapp.example%2Fcb",
        "https://app.example%2Fcb",
        "https://app.example/%cb",
        "view-source:https://app.example/cb",
        "javascript:https://app.example/cb",
    ];
    refuse_all(&world, CLI, &uris).await;
    refuse_all(&world, WEB, &uris).await;
    for control in ["\t", "\n", "\r", "\r\n", "\0", "\u{b}", "\u{c}", "\u{7f}"] {
        for uri in
            ["https://app.exa*mple/cb", "*https://app.example/cb", "https://app.example/cb*", "ht*tps://app.example/cb"]
        {
            world.send(request_to(&world, CLI, &uri.replace('*', control))).await.local();
        }
    }
}

#[tokio::test]
async fn r_10_what_a_browser_would_repair_cannot_be_registered() {
    let world = World::new().await;
    for (uri, reason) in [
        ("https:/app.example/cb", RedirectUriError::NotAbsolute),
        ("https:app.example/cb", RedirectUriError::NotAbsolute),
        ("https:///cb", RedirectUriError::NotAbsolute),
        ("//app.example/cb", RedirectUriError::NotAbsolute),
        ("/cb", RedirectUriError::NotAbsolute),
        ("", RedirectUriError::NotAbsolute),
        (" https://app.example/cb", RedirectUriError::NotAbsolute),
        ("https://app.example/c b", RedirectUriError::NotAbsolute),
        ("https://app.example/cb\n", RedirectUriError::NotAbsolute),
        ("https://app.example\\cb", RedirectUriError::NotAbsolute),
        ("https://app.example/\u{e9}", RedirectUriError::NotAbsolute),
        ("https://app.example/%", RedirectUriError::NotAbsolute),
        ("https://app.example:99999/cb", RedirectUriError::NotAbsolute),
        ("https://app.example:/cb", RedirectUriError::NotAbsolute),
        ("https://app.example/../cb", RedirectUriError::Path),
        ("https://app.example/.%2E/cb", RedirectUriError::Path),
        // A host that would mean more to a content security policy than it does to a browser.
        ("https://*.example/cb", RedirectUriError::NotAbsolute),
        ("https://app.example;sandbox/cb", RedirectUriError::NotAbsolute),
        ("https://app.example,evil.example/cb", RedirectUriError::NotAbsolute),
        ("https://app%2Eexample/cb", RedirectUriError::NotAbsolute),
        ("https://'self'/cb", RedirectUriError::NotAbsolute),
        // Another spelling of a scheme that rules go by.
        ("HTTPS://app.example/cb", RedirectUriError::Scheme),
        ("Http://127.0.0.1/cb", RedirectUriError::Scheme),
        ("javascript:alert(1)", RedirectUriError::Scheme),
        ("JavaScript://app.example/%0aalert(1)", RedirectUriError::Scheme),
        ("data:text/html,x", RedirectUriError::Scheme),
        ("file:///etc/passwd", RedirectUriError::Scheme),
        ("vbscript:x", RedirectUriError::Scheme),
        ("about:blank", RedirectUriError::Scheme),
        ("blob:https://app.example/x", RedirectUriError::Scheme),
        ("http://app.example/cb", RedirectUriError::PlainHttp),
        ("http://127.0.0.2/cb", RedirectUriError::PlainHttp),
        ("http://127.0.0.1.evil.example/cb", RedirectUriError::PlainHttp),
        ("http://localhost.evil.example/cb", RedirectUriError::PlainHttp),
        ("http://[::2]/cb", RedirectUriError::PlainHttp),
        ("http://10.0.0.1/cb", RedirectUriError::PlainHttp),
        ("myapp:/cb", RedirectUriError::SchemeWithoutDot),
        ("ftp://app.example/cb", RedirectUriError::SchemeWithoutDot),
        ("intent://app.example/cb", RedirectUriError::SchemeWithoutDot),
    ] {
        assert_eq!(cannot_register(&world, uri).await, reason, "{uri:?}");
    }
    let long = format!("https://app.example/{}", "x".repeat(2048));
    assert_eq!(cannot_register(&world, &long).await, RedirectUriError::NotAbsolute);
}

#[tokio::test]
async fn r_13_a_native_client_may_use_any_loopback_port() {
    let world = World::new().await;
    let uris = [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:80/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:61023/cb",
        "http://[::1]/cb",
    ];
    accept_all(&world, CLI, &uris).await;
    // Errors go to that port as well, and the code is bound to it.
    let uri = "http://127.0.0.1:49152/cb";
    let request = changed(&world.valid_request(CLI), &[("redirect_uri", uri), ("scope", "unknown")]);
    world.authorize(&request).await.redirected(uri, "invalid_scope", Some(STATE));
    let code = world.code(&changed(&world.valid_request(CLI), &[("redirect_uri", uri)]), "alice").await;
    let exchange = |redirect_uri| {
        let parameters = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
        [parameters.to_vec(), vec![("redirect_uri", redirect_uri)]].concat()
    };
    world.token(CLI, &exchange("http://127.0.0.1/cb")).await.refused("invalid_grant");
    world.token(CLI, &exchange(uri)).await.tokens();
    // A port in the registration is no more than an example.
    register(&world, NATIVE, &["http://localhost:8080/cb?x=1", "http://127.0.0.1"], None).await;
    let uris =
        ["http://localhost:8080/cb?x=1", "http://localhost/cb?x=1", "http://localhost:2/cb?x=1", "http://127.0.0.1:7"];
    accept_all(&world, NATIVE, &uris).await;
}

#[tokio::test]
async fn r_14_the_loopback_rule_frees_the_port_and_nothing_else() {
    let world = World::new().await;
    register(&world, NATIVE, &["http://127.0.0.1/cb"], Some(ApplicationType::Native)).await;
    let elsewhere = [
        "http://127.0.0.1:1/other",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/c",
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:1/cb/..",
        "http://127.0.0.1:1//cb",
        "http://127.0.0.1:1/./cb",
        "http://127.0.0.1:1/CB",
        "http://127.0.0.1:1/%63b",
        "http://127.0.0.1:1/cb?",
        "http://127.0.0.1:1/cb?x",
        "http://127.0.0.1:1/cb#",
        "http://127.0.0.1:1/cb#f",
        "http://127.0.0.1:1?/cb",
        "http://127.0.0.1:1#/cb",
        "http://127.0.0.1:1\\cb",
        "http://127.0.0.1:1;/cb",
        "http://127.0.0.2/cb",
        "http://127.0.0.2:1/cb",
        "http://127.1.1.1:1/cb",
        "http://0.0.0.0:1/cb",
        "http://localhost/cb",
        "http://localhost:1/cb",
        "http://LOCALHOST:1/cb",
        "http://[::1]/cb",
        "http://[::1]:1/cb",
        "http://[0:0:0:0:0:0:0:1]:1/cb",
        "http://[::ffff:127.0.0.1]:1/cb",
        "http://[::1%25lo]:1/cb",
        "https://127.0.0.1/cb",
        "https://127.0.0.1:1/cb",
        "HTTP://127.0.0.1:1/cb",
        "http:127.0.0.1:1/cb",
        "http:/127.0.0.1:1/cb",
        "http:///127.0.0.1:1/cb",
        "//127.0.0.1:1/cb",
        "ws://127.0.0.1:1/cb",
        "http://x@127.0.0.1/cb",
        "http://x:y@127.0.0.1:1/cb",
        "http://@127.0.0.1:1/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1:1\\@evil.example/cb",
        "http://0x7f000001/cb",
        "http://0x7f.1:1/cb",
        "http://2130706433/cb",
        "http://2130706433:1/cb",
        "http://0177.0.0.1:1/cb",
        "http://127.1/cb",
        "http://127.0.1:1/cb",
        "http://127.0.0.1.:1/cb",
        "http://127.000.000.001:1/cb",
        "http://127%2E0.0.1:1/cb",
        "http://\u{ff11}27.0.0.1:1/cb",
        "http://127\u{3002}0\u{3002}0\u{3002}1:1/cb",
        "http://localhost.evil/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1.evil.example:1/cb",
        "http://127.0.0.1evil.example:1/cb",
        "http://evil.example/127.0.0.1:1/cb",
    ];
    refuse_all(&world, NATIVE, &elsewhere).await;
    let ports = [
        "",
        "0",
        "00",
        "080",
        "00080",
        "65536",
        "99999",
        "4294967376",
        "18446744073709551617",
        "-1",
        "+80",
        "8 0",
        " 80",
        "80 ",
        "80a",
        "0x50",
        "1e3",
        "8.0",
        "\u{ff18}\u{ff10}",
        "%38%30",
        "80:80",
        "80,81",
        "*",
        "80%00",
    ];
    let uris = ports.map(|port| format!("http://127.0.0.1:{port}/cb"));
    refuse_all(&world, NATIVE, &uris.each_ref().map(String::as_str)).await;
    // The rule is for loopback alone.
    register(&world, OTHER, &["https://app.example/cb", "com.example.app://cb/x"], Some(ApplicationType::Native)).await;
    refuse_all(&world, OTHER, &["https://app.example:1/cb", "com.example.app://cb:1/x"]).await;
}

#[tokio::test]
async fn r_15_a_web_client_gets_no_freedom_of_port() {
    let world = World::new().await;
    let refused =
        ["http://127.0.0.1:49152/cb", "http://127.0.0.1:80/cb", "http://localhost/cb", "http://localhost:8081/cb"];
    let registered = ["http://127.0.0.1/cb", "http://localhost:8080/cb"];
    for (client, kind) in [(OTHER, None), (NATIVE, Some(ApplicationType::Web))] {
        register(&world, client, &registered, kind).await;
        refuse_all(&world, client, &refused).await;
        accept_all(&world, client, &registered).await;
    }
}

#[tokio::test]
async fn r_16_a_private_use_scheme_matches_exactly() {
    let world = World::new().await;
    let uris = [
        "COM.example.app:/cb",
        "Com.Example.App:/cb",
        "com.example.app://cb",
        "com.example.app:///cb",
        "com.example.app:cb",
        "com.example.app:/cb/x",
        "com.example.app:/cb/",
        "com.example.app:/cb?",
        "com.example.app:/cb#",
        "com.example.app:/CB",
        "com.example.app:/%63b",
        "com.example.app:/",
        "com.example.app:",
        "com.example.app",
        "com.example.app:/cb:1",
        "com.example.app.evil:/cb",
        "com.example:/cb",
        "com.example.app.:/cb",
        "xcom.example.app:/cb",
        "com-example-app:/cb",
        "com.example.app\u{200b}:/cb",
        "com.example.app%3A/cb",
    ];
    refuse_all(&world, CLI, &uris).await;
    accept_all(&world, CLI, &["com.example.app:/cb"]).await;
}

#[tokio::test]
async fn r_17_the_out_of_band_urn_is_refused_and_cannot_be_registered() {
    let world = World::new().await;
    let urns = ["urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob:auto", "URN:ietf:wg:oauth:2.0:oob", "oob"];
    for client in [CLI, WEB] {
        refuse_all(&world, client, &urns).await;
    }
    for urn in &urns[..3] {
        assert_eq!(cannot_register(&world, urn).await, RedirectUriError::Scheme, "{urn}");
    }
    assert_eq!(cannot_register(&world, urns[3]).await, RedirectUriError::NotAbsolute);
}

#[tokio::test]
async fn r_18_a_uri_with_a_fragment_is_refused_and_cannot_be_registered() {
    let world = World::new().await;
    for uri in ["https://app.example/cb", "https://app.example/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb"] {
        for fragment in ["#", "#f", "#/route", "#access_token=x", "#_", "##"] {
            let uri = format!("{uri}{fragment}");
            refuse_all(&world, CLI, &[&uri]).await;
            let reason = cannot_register(&world, &uri).await;
            let expected = if fragment == "##" { RedirectUriError::NotAbsolute } else { RedirectUriError::Fragment };
            assert_eq!(reason, expected, "{uri}");
        }
    }
    // Escaped, it is part of the path: another URI.
    refuse_all(&world, CLI, &["https://app.example/cb%23", "https://app.example/cb%23f"]).await;
}

#[tokio::test]
async fn r_19_an_absent_redirect_uri_is_filled_in_only_by_option_and_only_when_one_is_registered() {
    let strict = World::new().await;
    let request = without(&strict.valid_request(WEB), "redirect_uri");
    let missing = [Refusal::Authorize(AuthorizeError::RedirectUriMissing)];
    for parameters in [request.clone(), changed(&request, &[("redirect_uri", "")])] {
        strict.authorize(&parameters).await.local();
        assert_eq!(strict.take_refusals(), missing);
    }

    let world = World::with(|builder| builder.omitted_redirect_uri(OmittedRedirectUri::MeansTheOnlyOne)).await;
    for parameters in [request.clone(), changed(&request, &[("redirect_uri", "")])] {
        let pending = world.authorize(&parameters).await.pending();
        assert_eq!(pending.redirect_uri(), CALLBACK);
        let code = world.code(&parameters, "alice").await;
        let exchange = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
        // What was left out there cannot be brought in here.
        let named = [exchange.to_vec(), vec![("redirect_uri", CALLBACK)]].concat();
        world.token(WEB, &named).await.refused("invalid_grant");
        world.token(WEB, &exchange).await.tokens();
        let wrong = changed(&parameters, &[("scope", "unknown")]);
        world.authorize(&wrong).await.redirected(CALLBACK, "invalid_scope", Some(STATE));
    }
    // The option is about absence: a wrong one stays wrong.
    refuse_all(&world, WEB, &["https://evil.example/cb", "https://app.example/cb/"]).await;
}

#[tokio::test]
async fn r_19_an_absent_redirect_uri_with_two_or_none_registered_gets_an_error_page() {
    for option in [OmittedRedirectUri::Refused, OmittedRedirectUri::MeansTheOnlyOne] {
        let world = World::with(|builder| builder.omitted_redirect_uri(option)).await;
        register(&world, OTHER, &["https://one.example/cb", "https://two.example/cb"], None).await;
        world.take_events();
        for client in [OTHER, CLI, API] {
            world.authorize(&without(&world.valid_request(client), "redirect_uri")).await.local();
            world.authorize(&changed(&world.valid_request(client), &[("redirect_uri", "")])).await.local();
            assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::RedirectUriMissing); 2]);
        }
    }
}
