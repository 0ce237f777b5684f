//! That nothing is lost, added or mended on the way through the framework.

use std::io::{Read as _, Write as _};

use crate::browser::encode;
use crate::host::{BASIC, Host, on_each};

/// Sends bytes and reads what comes before the connection ends, however it does.
fn raw(host: &Host, request: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(&host.address).unwrap();
    // Whoever has heard enough may close before all of it was sent.
    let _ = stream.write_all(request);
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn the_metadata_is_served_with_its_headers_and_to_head_without_its_body() {
    on_each(|host| {
        let path = "/.well-known/oauth-authorization-server";
        let metadata = host.send("GET", path, &[], "");
        assert_eq!(metadata.json()["token_endpoint"], format!("{}/token", host.issuer()));
        assert_eq!(metadata.header("content-type"), "application/json");
        assert_eq!(metadata.header("access-control-allow-origin"), "*");
        let head = host.send("HEAD", path, &[], "");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    });
}

#[test]
fn headers_arrive_as_they_were_set() {
    on_each(|host| {
        let token = host.form("/token", &[("grant_type", "client_credentials")]);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("pragma", "no-cache"),
            ("content-type", "application/json"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(token.header(name), value, "{}: {name}", host.name);
        }
        let mut browser = host.browser();
        let consent = browser.authorize(&host.authorization(&[]));
        let policy = consent.answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{consent:?}");
        assert_eq!(consent.answer.header("x-frame-options"), "DENY");
        // The server's own cookie, beside that of the session.
        let own: Vec<_> = browser.set_cookies.iter().filter(|cookie| !cookie.starts_with("session=")).collect();
        assert!(own.len() == 1 && own[0].contains("HttpOnly"), "{}: {own:?}", host.name);
        let wrong = host.send(
            "POST",
            "/token",
            &[("authorization", "Basic d2ViOndyb25n"), ("content-type", "application/x-www-form-urlencoded")],
            "grant_type=client_credentials",
        );
        assert_eq!(wrong.status, 401);
        assert!(wrong.header("www-authenticate").starts_with("Basic realm="), "{wrong:?}");
    });
}

#[test]
fn a_method_that_an_endpoint_does_not_have_is_answered_by_the_server() {
    on_each(|host| {
        let got = host.send("GET", "/token", &[], "");
        assert_eq!((got.status, got.header("allow")), (405, "POST, OPTIONS"), "{}", host.name);
        let preflight = host.send("OPTIONS", "/token", &[("origin", "https://spa.example")], "");
        assert_eq!(
            (preflight.status, preflight.header("access-control-allow-methods")),
            (204, "POST"),
            "{}",
            host.name
        );
        assert_eq!(host.send("DELETE", "/authorize", &[], "").status, 405);
    });
}

#[test]
fn a_path_counts_byte_by_byte() {
    on_each(|host| {
        let headers = [BASIC, ("content-type", "application/x-www-form-urlencoded")];
        for path in ["/token/", "//token", "/%74oken", "/Token", "/./token", "/x/../token", "/token;x"] {
            let answer = host.send("POST", path, &headers, "grant_type=client_credentials");
            assert!(matches!(answer.status, 400 | 404 | 405), "{}: {path} {answer:?}", host.name);
            assert!(!answer.body.contains("access_token"), "{}: {path}", host.name);
        }
        assert_eq!(host.send("GET", "/nothing-here", &[], "").status, 404);
    });
}

#[test]
fn parameters_arrive_as_they_were_sent() {
    on_each(|host| {
        let headers = [BASIC, ("content-type", "application/x-www-form-urlencoded")];
        let error = |body: &str| {
            let answer = host.send("POST", "/token", &headers, body);
            assert_eq!(answer.status, 400, "{}: {body} {answer:?}", host.name);
            answer.json()["error"].as_str().unwrap().to_owned()
        };
        assert_eq!(error("grant_type=client_credentials&scope=read&scope=read"), "invalid_request");
        assert_eq!(error("grant_type=client_credentials&scope=read%20%20write"), "invalid_scope");
        assert_eq!(error("grant_type=client_credentials&x=%ff"), "invalid_request");
        assert_eq!(error("grant_type=client_credentials&x=%zz"), "invalid_request");
        let good = host.send("POST", "/token", &headers, "grant_type=client%5Fcredentials&scope=read+write");
        assert_eq!(good.json()["scope"], "read write", "{}", host.name);

        let json = [BASIC, ("content-type", "application/json")];
        assert_eq!(host.send("POST", "/token", &json, "grant_type=client_credentials").status, 400);
        let twice = [BASIC, BASIC, ("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(host.send("POST", "/token", &twice, "grant_type=client_credentials").status, 400);
        let in_query = host.send("POST", "/token?client_secret=x", &headers, "grant_type=client_credentials");
        assert_eq!(in_query.json()["error"], "invalid_request");
        let other = host.authorization(&[("state", "1"), ("state", "2")]);
        let path = other.strip_prefix(&host.issuer()).unwrap();
        assert_eq!(host.send("GET", path, &[], "").header("location").matches("error=invalid_request").count(), 1);
    });
}

#[test]
fn a_header_that_is_not_text_harms_nobody() {
    on_each(|host| {
        let mut request = b"POST /token HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Basic \xff\xfe\r\n\
            content-type: application/x-www-form-urlencoded\r\ncontent-length: 29\r\n\r\n"
            .to_vec();
        request.extend_from_slice(b"grant_type=client_credentials");
        let answer = raw(host, &request);
        assert!(answer.starts_with("HTTP/1.1 401") || answer.starts_with("HTTP/1.1 400"), "{}: {answer}", host.name);
    });
}

#[test]
fn a_body_in_chunks_is_read_whole() {
    on_each(|host| {
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n",
            BASIC.0, BASIC.1
        );
        let answer = raw(host, format!("{head}b\r\ngrant_type=\r\n12\r\nclient_credentials\r\n0\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("access_token"), "{}: {answer}", host.name);
    });
}

#[test]
fn a_body_that_is_too_long_is_refused_and_the_server_goes_on() {
    on_each(|host| {
        let body = encode(&[("grant_type", "client_credentials"), ("x", &"y".repeat(70_000))]);
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            BASIC.0,
            BASIC.1,
            body.len()
        );
        let answer = raw(host, format!("{head}{body}").as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("\"invalid_request\""),
            "{}: {answer}",
            host.name
        );
        assert!(!host.token("read").is_empty());
    });
}
