//! What HTTP itself brings to all endpoints: types of bodies, sizes, methods, paths (ids IN).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, MemoryStore, Page, Purged, Query, ScanCursor, Scanned, Store,
    StoreError,
};
use http::{Method, Request, StatusCode};

use crate::harness::*;
use crate::input::{FORM_ENDPOINTS, borrowed, get, good_forms, raw_as_web};

/// Counts what the store is asked.
struct Counting {
    inner: Arc<MemoryStore>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Counting {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.load(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.commit(commit).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

/// A world, and how often its store was asked since one last looked.
async fn counted() -> (World, impl Fn() -> usize) {
    let memory = Arc::new(MemoryStore::new());
    let asked: Arc<AtomicUsize> = Arc::default();
    let store = Counting { inner: Arc::clone(&memory), asked: Arc::clone(&asked) };
    let world = World::over(Arc::new(store), memory, |builder| builder).await;
    asked.store(0, Ordering::SeqCst);
    (world, move || asked.swap(0, Ordering::SeqCst))
}

#[tokio::test]
async fn in_07_a_body_that_is_no_form_is_refused() {
    let world = World::new().await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--b--\r\n";
    for (path, form) in good_forms(&world).await {
        let body = encode(&borrowed(&form));
        let cases = [
            (None, body.as_str()),
            (Some(""), body.as_str()),
            (Some("text/plain"), body.as_str()),
            (Some("application/json"), body.as_str()),
            (Some("application/json"), r#"{"grant_type":"client_credentials"}"#),
            (Some("application/json"), "{"),
            (Some("application/json, application/x-www-form-urlencoded"), body.as_str()),
            (Some("application/x-www-form-urlencoded, application/json"), body.as_str()),
            (Some("multipart/form-data; boundary=b"), multipart),
            (Some("multipart/form-data"), ""),
            (Some("application/x-www-form-urlencoded2"), body.as_str()),
            (Some("application/x-www-form-urlencoded/x"), body.as_str()),
            (Some("xapplication/x-www-form-urlencoded"), body.as_str()),
            (Some("application /x-www-form-urlencoded"), body.as_str()),
            (Some("text/plain; application/x-www-form-urlencoded"), body.as_str()),
            (Some(";application/x-www-form-urlencoded"), body.as_str()),
            (Some("*/*"), body.as_str()),
            (Some("application/x-www-form-urlencoded"), multipart),
        ];
        for (content_type, body) in cases {
            let mut request = raw_as_web(path, body);
            request.headers_mut().remove("content-type");
            if let Some(content_type) = content_type {
                request.headers_mut().insert("content-type", content_type.parse().unwrap());
            }
            world.send(request).await.answer().refused("invalid_request");
        }
        // Not two of them either, be they equal, nor bytes that are no text.
        for second in [&b"application/x-www-form-urlencoded"[..], b"text/plain", b"\xff"] {
            let mut request = raw_as_web(path, body.as_str());
            let second = http::HeaderValue::from_bytes(second).unwrap();
            request.headers_mut().append("content-type", second);
            world.send(request).await.answer().refused("invalid_request");
        }
        // Bytes that are no UTF-8, and escapes that are none.
        for more in ["&x=%FF", "&x=%C3", "&x=%", "&x=%2", "&x=%zz", "&%ED%A0%80=x", "&x=%C0%AF"] {
            world.send(raw_as_web(path, format!("{body}{more}"))).await.answer().refused("invalid_request");
        }
        let answer = world.send(raw_as_web(path, body)).await.answer();
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.body);
    }
    let mut request = post("/authorize", &world.valid_request(WEB));
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    world.send(request).await.local();
    let mut request = post("/authorize", &world.valid_request(WEB));
    request.headers_mut().remove("content-type");
    world.send(request).await.local();
}

#[tokio::test]
async fn in_08_a_form_with_a_charset_or_odd_case_is_read() {
    let world = World::new().await;
    let types = [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded ; charset=\"utf-8\"",
        "application/x-www-form-urlencoded;",
        "Application/X-WWW-Form-URLEncoded",
        "APPLICATION/X-WWW-FORM-URLENCODED; CHARSET=UTF-8",
    ];
    for content_type in types {
        let mut request = raw_as_web("/token", "grant_type=client_credentials&scope=read");
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let answer = world.send(request).await.answer();
        assert_eq!(answer.status, StatusCode::OK, "{content_type}: {}", answer.body);
        let mut request = post("/authorize", &world.valid_request(WEB));
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let _ = world.send(request).await.pending();
    }
}

#[tokio::test]
async fn in_13_too_much_input_is_refused_before_any_work() {
    let (world, asked) = counted().await;
    let many = "a=1&".repeat(10_000);
    let distinct = (0..10_000).map(|at| format!("&p{at}=")).collect::<Vec<_>>().concat();
    let resources = format!("&resource={}", encode_value(RESOURCE)).repeat(1_000);
    let scopes = (0..1_000).map(|at| format!("+s{at}")).collect::<Vec<_>>().concat();
    let long = "x".repeat(60 * 1024);
    let mut cases: Vec<(&str, String, StatusCode)> = Vec::new();
    for path in FORM_ENDPOINTS {
        let start = "grant_type=client_credentials&token=x";
        for (more, status) in [
            (format!("&{many}"), StatusCode::BAD_REQUEST),
            (distinct[..60_000].to_owned(), StatusCode::BAD_REQUEST),
            (resources.clone(), StatusCode::BAD_REQUEST),
            (format!("&code={long}"), StatusCode::BAD_REQUEST),
            (format!("&{long}=1"), StatusCode::BAD_REQUEST),
            (format!("&{}=1", "n".repeat(257)), StatusCode::BAD_REQUEST),
            (format!("&x={}", "%41".repeat(16 * 1024 + 1)), StatusCode::BAD_REQUEST),
            (distinct.clone(), StatusCode::PAYLOAD_TOO_LARGE),
            (format!("&x={}", "y".repeat(1 << 20)), StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            cases.push((path, format!("{start}{more}"), status));
        }
    }
    cases.push(("/token", format!("grant_type=client_credentials&scope=read{scopes}"), StatusCode::BAD_REQUEST));
    cases.push((
        "/token",
        format!("grant_type=refresh_token&refresh_token=x&scope=read{scopes}"),
        StatusCode::BAD_REQUEST,
    ));
    let twenty_one = (0..21).map(|at| format!("&resource=https://r{at}.example")).collect::<Vec<_>>().concat();
    cases.push(("/token", format!("grant_type=client_credentials{twenty_one}"), StatusCode::BAD_REQUEST));
    for (path, body, status) in cases {
        let start: String = body.chars().take(80).collect();
        let answer = world.send(raw_as_web(path, body)).await.answer();
        assert_eq!(answer.status, status, "{path} {start}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(matches!(answer.field("error").as_str(), "invalid_request" | "invalid_scope" | "invalid_target"));
        assert_eq!(asked(), 0, "{path} {start}: the store was asked");
    }
    // At the authorization endpoint the person at the browser is told.
    let valid = encode(&world.valid_request(WEB));
    let posts = [&many, &distinct[..60_000], &resources, &format!("state2={long}"), &format!("{long}=1")];
    for body in posts {
        world.send(raw_post("/authorize", format!("{valid}&{body}"))).await.local();
        assert_eq!(asked(), 0);
    }
    for query in [many.as_str(), &distinct[..60_000], &resources, &format!("x={long}")] {
        let answer = world.send(get(format!("/authorize?{valid}&{query}"))).await.answer();
        assert_eq!((answer.status, answer.header("location")), (StatusCode::URI_TOO_LONG, None));
        assert_eq!(asked(), 0);
    }
    let answer = world.send(raw_post("/authorize", format!("{valid}&x={}", "y".repeat(1 << 20)))).await.answer();
    assert_eq!((answer.status, answer.header("location")), (StatusCode::PAYLOAD_TOO_LARGE, None));
    assert_eq!(asked(), 0);
    // Too many scopes are a matter between the client and us: it is asked for, and nothing else is.
    let request = encode(&without(&world.valid_request(WEB), "scope"));
    let sent = world.send(get(format!("/authorize?{request}&scope=read{scopes}"))).await;
    sent.redirected(CALLBACK, "invalid_scope", Some("a b&c=d/é"));
    assert_eq!(asked(), 1);
    // What reaches the limits passes.
    let filling = (0..98).map(|at| format!("&x{at}={}", "y".repeat(500))).collect::<Vec<_>>().concat();
    let answer = world.send(raw_as_web("/token", format!("grant_type=client_credentials&scope=read{filling}"))).await;
    assert_eq!(answer.answer().status, StatusCode::OK);
}

#[tokio::test]
async fn in_14_oversized_headers_are_refused_before_any_work() {
    let name = |at: usize| http::HeaderName::try_from(format!("x-{at}")).unwrap();
    let (world, asked) = counted().await;
    let too_large = |mut request: Request<String>, which: usize| {
        let headers = request.headers_mut();
        let long = [
            ("authorization", format!("Basic {}", "A".repeat(1 << 20))),
            ("authorization", format!("Bearer {}", "A".repeat(16 * 1024))),
            ("cookie", "x".repeat(16 * 1024 + 1)),
            ("x-forwarded-for", "1".repeat(17 * 1024)),
        ];
        if let Some((name, value)) = long.get(which) {
            headers.insert(*name, value.parse().unwrap());
        }
        for at in 0..200 {
            match which {
                4 => assert!(headers.append("x", "y".parse().unwrap()) == (at > 0)),
                5 => assert!(headers.insert(name(at), "y".parse().unwrap()).is_none()),
                _ => {}
            }
        }
        request
    };
    for which in 0..6 {
        for path in FORM_ENDPOINTS {
            let request = raw_as_web(path, "grant_type=client_credentials&token=x");
            let answer = world.send(too_large(request, which)).await.answer();
            assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{path} {which}");
            assert_eq!(answer.field("error"), "invalid_request");
        }
        let valid = world.valid_request(WEB);
        for request in [get(format!("/authorize?{}", encode(&valid))), post("/authorize", &valid)] {
            let answer = world.send(too_large(request, which)).await.answer();
            assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{which}");
            assert!(!answer.headers.contains_key("location"));
        }
        let answer = world.send(too_large(get("/.well-known/oauth-authorization-server"), which)).await.answer();
        assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{which}");
        assert_eq!(asked(), 0, "{which}");
    }
    // What reaches the limits passes.
    let mut request = raw_as_web("/token", "grant_type=client_credentials&scope=read");
    request.headers_mut().insert("cookie", "x".repeat(16 * 1024).parse().unwrap());
    while request.headers().len() < 100 {
        request.headers_mut().append("x", "y".parse().unwrap());
    }
    assert_eq!(world.send(request).await.answer().status, StatusCode::OK);
}

#[tokio::test]
async fn in_15_a_wrong_method_answers_405_with_allow() {
    let world = World::new().await;
    let endpoints = [
        ("/authorize", "GET, POST"),
        ("/token", "POST, OPTIONS"),
        ("/revoke", "POST, OPTIONS"),
        ("/introspect", "POST"),
        ("/.well-known/oauth-authorization-server", "GET, HEAD, OPTIONS"),
        ("/.well-known/openid-configuration", "GET, HEAD, OPTIONS"),
    ];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Post", "X",
    ];
    for (path, allow) in endpoints {
        for method in methods {
            let method: Method = method.parse().unwrap();
            let request = with_method(raw_as_web(path, "grant_type=client_credentials"), method.clone());
            let allowed = allow.split(", ").any(|name| name == method.as_str());
            world.take_events();
            match world.send(request).await {
                Sent::Answer(answer) if allowed => assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED),
                Sent::Answer(answer) => {
                    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                    assert_eq!(answer.header("allow"), Some(allow));
                    assert_eq!(answer.body, "");
                    assert!(!answer.headers.contains_key("location"));
                    // Metadata is nobody's: nobody was refused.
                    let told = usize::from(!path.contains("well-known"));
                    assert_eq!(world.take_refusals().len(), told, "{method} {path}");
                }
                other => panic!("{method} {path}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn in_15_a_get_at_the_token_endpoint_issues_nothing() {
    let world = World::new().await;
    for (path, form) in good_forms(&world).await {
        let good = borrowed(&form);
        for method in ["GET", "HEAD", "PUT", "get"] {
            for body in [String::new(), encode(&good)] {
                let uri = format!("{path}?{}", encode(&good));
                let mut request = with_method(raw_as_web(&uri, body), method.parse().unwrap());
                request.headers_mut().insert("x-http-method-override", "POST".parse().unwrap());
                let answer = world.send(request).await.answer();
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
                assert!(!answer.body.contains("access_token") && !answer.body.contains("active"));
            }
        }
        world.take_events();
        assert_eq!(world.post_as(WEB, path, &good).await.status, StatusCode::OK, "nothing was spent: {path}");
    }
}

#[tokio::test]
async fn in_16_a_variant_of_a_path_is_not_an_endpoint() {
    let world = World::new().await;
    for name in ["token", "authorize", "revoke", "introspect", ".well-known/oauth-authorization-server"] {
        let (first, rest) = name.split_at(1);
        let escaped = format!("%{:02X}{rest}", name.as_bytes()[0]);
        let variants = [
            format!("//{name}"),
            format!("/{name}/"),
            format!("/{name}//"),
            format!("/{name};x"),
            format!("/{name};"),
            format!("/{escaped}"),
            format!("/./{name}"),
            format!("/x/../{name}"),
            format!("/../{name}"),
            format!("/{name}/."),
            format!("/{name}/.."),
            format!("/{}", name.to_uppercase()),
            format!("/{}{rest}", first.to_uppercase()).replace("/.", "/.."),
            format!("/{name}%20"),
            format!("/{name}%00"),
            format!("/{name}%2F"),
            format!("/%2F{name}"),
            format!("/{name}%3Fx"),
            format!("/{name}."),
            format!("/{name}x"),
            format!("/{}", &name[..name.len() - 1]),
            format!("/tenant/{name}"),
        ];
        for path in variants.iter().filter(|path| **path != format!("/{name}")) {
            for request in [raw_as_web(path, "grant_type=client_credentials"), get(path)] {
                assert!(matches!(world.send(request).await, Sent::NotMine), "{path} was answered");
            }
        }
    }
    for path in
        ["/", "*", "/.well-known/", "/.well-known/oauth-authorization-server/x", "/.well-known//openid-configuration"]
    {
        assert!(matches!(world.send(get(path)).await, Sent::NotMine), "{path} was answered");
    }
    assert!(world.take_events().is_empty());
}
