//! Parameters, as they arrive at all endpoints (ids IN).

use grantor::event::Refusal;
use grantor::manage::{ManageError, Registration};
use grantor::refusal::{AuthorizeError, RequestError};
use http::{Request, StatusCode};

use crate::harness::*;

pub const FORM_ENDPOINTS: [&str; 3] = ["/token", "/revoke", "/introspect"];

/// For each form endpoint, the parameters of a request of WEB that succeeds.
pub async fn good_forms(world: &World) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let code = world.valid_code(WEB).await;
    let (access, refresh) = world.tokens(WEB).await;
    let exchange = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
        ("client_id", WEB.id.to_owned()),
    ];
    let token = |token: String| vec![("token", token), ("token_type_hint", "access_token".to_owned())];
    vec![("/token", exchange), ("/introspect", token(access)), ("/revoke", token(refresh))]
}

pub fn borrowed<'p>(parameters: &'p [(&'static str, String)]) -> Vec<(&'p str, &'p str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A request of WEB with this very body.
pub fn raw_as_web(path: &str, body: impl Into<String>) -> Request<String> {
    let mut request = raw_post(path, body);
    request.headers_mut().insert("authorization", basic(WEB.id, WEB.secret.unwrap()).parse().unwrap());
    request
}

pub fn get(uri: impl AsRef<str>) -> Request<String> {
    Request::get(uri.as_ref()).body(String::new()).unwrap()
}

/// Everything an observer is told, as text; takes it.
fn told(world: &World) -> String {
    serde_json::to_string(&world.take_events()).unwrap()
}

#[tokio::test]
async fn in_01_a_repeated_parameter_is_refused() {
    let world = World::new().await;
    let valid =
        changed(&world.valid_request(WEB), &[("response_mode", "query"), ("prompt", "login"), ("max_age", "60")]);
    let names = [
        ("response_type", "code"),
        ("response_type", "token"),
        ("scope", "read write"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge", "another-challenge-another-challenge-another"),
        ("code_challenge_method", "S256"),
        ("code_challenge_method", "plain"),
        ("prompt", "login"),
        ("prompt", "none"),
        ("max_age", "60"),
        ("max_age", ""),
    ];
    for (name, value) in names {
        let twice = [valid.clone(), vec![(name, value)]].concat();
        world.authorize(&twice).await.redirected(CALLBACK, "invalid_request", Some("a b&c=d/é"));
        let first = [vec![(name, value)], valid.clone()].concat();
        world.authorize(&first).await.redirected(CALLBACK, "invalid_request", Some("a b&c=d/é"));
        world.send(post("/authorize", &twice)).await.redirected(CALLBACK, "invalid_request", Some("a b&c=d/é"));
    }
    // One that nobody knows, one without a value, one written otherwise, and many.
    let tail = encode(&valid);
    let many = (0..30).map(|at| format!("&x{at}=1")).collect::<Vec<_>>().concat();
    for more in ["x=1&x=1", "x=&x", "x=1&%78=2", "scop%65=read", "s%63ope", &format!("x7=2{many}")] {
        let sent = world.send(get(format!("/authorize?{tail}&{more}"))).await;
        sent.redirected(CALLBACK, "invalid_request", Some("a b&c=d/é"));
    }
    let repeated = Refusal::Authorize(AuthorizeError::Repeated);
    assert!(world.take_refusals().into_iter().all(|refusal| refusal == repeated));
}

#[tokio::test]
async fn in_01_a_repeated_response_mode_is_answered_in_the_query() {
    let world = World::new().await;
    for modes in [["form_post", "form_post"], ["form_post", "query"], ["query", "form_post"], ["", "form_post"]] {
        let twice = [world.valid_request(WEB), modes.map(|mode| ("response_mode", mode)).to_vec()].concat();
        world.authorize(&twice).await.redirected(CALLBACK, "invalid_request", Some("a b&c=d/é"));
    }
}

#[tokio::test]
async fn in_01_a_repeated_client_id_or_redirect_uri_gets_an_error_page() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let repetitions = [
        ("client_id", WEB.id),
        ("client_id", CLI.id),
        ("client_id", ""),
        ("redirect_uri", CALLBACK),
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", ""),
    ];
    for (name, value) in repetitions {
        let after = [valid.clone(), vec![(name, value)]].concat();
        let before = [vec![(name, value)], valid.clone()].concat();
        for parameters in [after, before] {
            world.authorize(&parameters).await.local();
            world.send(post("/authorize", &parameters)).await.local();
        }
    }
    for more in ["client%5Fid=web", "redirect%5furi=https://app.example/cb", "client_id"] {
        world.send(get(format!("/authorize?{}&{more}", encode(&valid)))).await.local();
    }
}

#[tokio::test]
async fn in_01_a_repeated_state_is_not_sent_back() {
    let world = World::new().await;
    let valid = without(&world.valid_request(WEB), "state");
    for states in [["one", "one"], ["one", "two"], ["", "two"], ["one", ""], ["", ""]] {
        let parameters = [valid.clone(), states.map(|state| ("state", state)).to_vec()].concat();
        let redirect = world.authorize(&parameters).await.redirected(CALLBACK, "invalid_request", None);
        assert!(!redirect.parameters.values().any(|value| value == "one" || value == "two"));
    }
}

#[tokio::test]
async fn in_01_resource_may_be_repeated() {
    let world = World::new().await;
    let resources = [("resource", RESOURCE), ("resource", OTHER_RESOURCE), ("resource", RESOURCE)];
    let parameters = [world.valid_request(WEB), resources.to_vec()].concat();
    let pending = world.authorize(&parameters).await.pending();
    let asked: Vec<_> = pending.resources().iter().map(grantor::wire::uri::Resource::as_str).collect();
    assert_eq!(asked, [RESOURCE, OTHER_RESOURCE]);
}

#[tokio::test]
async fn in_02_a_repeated_parameter_of_a_form_endpoint_is_refused() {
    let world = World::new().await;
    for (path, form) in good_forms(&world).await {
        let good = borrowed(&form);
        let body = encode(&good);
        for (name, value) in &good {
            for again in [*value, "something else", ""] {
                for parameters in [[good.clone(), vec![(name, again)]], [vec![(name, again)], good.clone()]] {
                    world.post_as(WEB, path, &parameters.concat()).await.refused("invalid_request");
                }
            }
            // The same name, spelled otherwise, and without a value.
            let spelled = name.replace('_', "%5F").replace("co", "%63o").replace("to", "%74o");
            for more in [(*name).to_owned(), format!("{spelled}={value}"), format!("{spelled}=")] {
                world.send(raw_as_web(path, format!("{body}&{more}"))).await.answer().refused("invalid_request");
            }
        }
        for more in ["x=1&x=1", "x=1&x=2", "x&x", "x=&%78=1", "scope=read&scope=read", "grant%5Ftype=a&grant_type=b"] {
            world.send(raw_as_web(path, format!("{body}&{more}"))).await.answer().refused("invalid_request");
        }
        // A secret in the body, twice, right both times; and before anybody looks whether it is right.
        let secret = POSTER.secret.unwrap();
        for again in [secret, "wrong"] {
            let parameters = [good.clone(), vec![("client_secret", again)]].concat();
            let parameters = without(&parameters, "client_id");
            world.post_as(POSTER, path, &parameters).await.refused("invalid_request");
        }
        // It was the repetition: without it, all is well.
        let answer = world.send(raw_as_web(path, format!("{body}&x=1&y=2"))).await.answer();
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.body);
    }
}

#[tokio::test]
async fn in_04_credentials_in_the_query_string_are_not_accepted() {
    let world = World::new().await;
    world.guard("query-credential");
    let secret = POSTER.secret.unwrap();
    for (path, form) in good_forms(&world).await {
        let good = borrowed(&form);
        for name in ["client_secret", "client_assertion", "code", "refresh_token", "token", "code_verifier"] {
            let escaped = name.replacen('_', "%5f", 1).replacen('o', "%6F", 1);
            let queries = [
                format!("{name}=query-credential"),
                format!("a=b&{name}=query-credential&c=d"),
                format!("{name}="),
                name.to_owned(),
                format!("{escaped}=query-credential"),
            ];
            for query in queries {
                let with_query = format!("{path}?{query}");
                // Beside a good request, beside an empty one, and in place of what the body leaves out.
                world.post_as(WEB, &with_query, &good).await.refused("invalid_request");
                world.post_as(WEB, &with_query, &[]).await.refused("invalid_request");
                let missing = without(&good, name);
                world.post_as(WEB, &with_query, &missing).await.refused("invalid_request");
            }
            assert!(!told(&world).contains("query-credential"));
        }
        // A right secret in the query authenticates nobody, whatever else is in it.
        let query = encode(&[("client_id", POSTER.id), ("client_secret", secret)]);
        for body in [vec![], vec![("client_id", POSTER.id)], good.clone()] {
            world.send(post(&format!("{path}?{query}"), &body)).await.answer().refused("invalid_request");
        }
        // Nor does an identifier: parameters are those of the body.
        let query = encode(&[("client_id", CLI.id), ("grant_type", "refresh_token")]);
        world.send(post(&format!("{path}?{query}"), &[("x", "y")])).await.answer().unauthenticated(false);
        // What is no credential may be there, and counts for nothing.
        let answer = world.post_as(WEB, &format!("{path}?state=x&grant_type=password"), &good).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.body);
    }
    assert!(!told(&world).contains("query-credential"));
}

#[tokio::test]
async fn in_05_an_empty_parameter_is_an_absent_one() {
    let world = World::new().await;
    let forms = good_forms(&world).await;
    for (path, form) in &forms {
        let good = borrowed(form);
        let required: &[(&str, &str)] = match *path {
            "/token" => {
                &[("grant_type", "invalid_request"), ("code", "invalid_request"), ("code_verifier", "invalid_grant")]
            }
            _ => &[("token", "invalid_request")],
        };
        for (name, error) in required {
            let absent = world.post_as(WEB, path, &without(&good, name)).await;
            absent.refused(error);
            world.post_as(WEB, path, &changed(&good, &[(name, "")])).await.same_as(&absent);
            let bare = format!("{}&{name}", encode(&without(&good, name)));
            world.send(raw_as_web(path, bare)).await.answer().same_as(&absent);
        }
    }
    world.token(WEB, &[("grant_type", "refresh_token"), ("refresh_token", "")]).await.refused("invalid_request");
    // What may be absent may be empty.
    let empty = [("redirect_uri", ""), ("scope", ""), ("resource", ""), ("client_id", "")];
    let answer = world.token(WEB, &changed(&borrowed(&forms[0].1), &empty)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let machine = [("grant_type", "client_credentials")];
    let absent = world.token(WEB, &machine).await;
    let answer = world.token(WEB, &changed(&machine, &[("scope", ""), ("resource", "")])).await;
    assert_eq!(
        (answer.status, answer.json().unwrap().get("scope")),
        (StatusCode::OK, absent.json().unwrap().get("scope"))
    );
}

#[tokio::test]
async fn in_05_an_empty_parameter_of_an_authorization_request_is_an_absent_one() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let optional = ["response_mode", "prompt", "max_age", "resource", "request", "request_uri", "nonce", "display"];
    let empty: Vec<_> = optional.iter().map(|name| (*name, "")).collect();
    let pending = world.authorize(&changed(&valid, &empty)).await.pending();
    assert!(pending.resources().is_empty());
    assert_eq!(pending.prompt(), grantor::Prompt::default());
    for name in ["client_id", "redirect_uri"] {
        let absent = world.authorize(&without(&valid, name)).await.local();
        world.authorize(&changed(&valid, &[(name, "")])).await.local().same_as(&absent);
    }
    let absent = world.authorize(&without(&valid, "response_type")).await.answer();
    world.authorize(&changed(&valid, &[("response_type", "")])).await.answer().same_as(&absent);
}

#[tokio::test]
async fn in_10_control_characters_are_refused_in_every_parameter() {
    let world = World::new().await;
    let controls = || (0_u8..0x20).chain([0x7f]);
    let request = world.valid_request(WEB);
    for control in controls() {
        for (at, (name, value)) in request.iter().enumerate() {
            let others: Vec<_> = request[..at].iter().chain(&request[at + 1..]).copied().collect();
            let others = encode(&others);
            let value = encode_value(value);
            for bad in [
                format!("{name}={value}%{control:02X}"),
                format!("{name}=%{control:02x}{value}"),
                format!("{name}%{control:02X}={value}"),
            ] {
                world.send(get(format!("/authorize?{others}&{bad}"))).await.local();
            }
            let raw = format!("{others}&{name}={value}{}", char::from(control));
            world.send(raw_post("/authorize", raw)).await.local();
        }
        world.send(get(format!("/authorize?{}&x=%{control:02X}", encode(&request)))).await.local();
        world.take_events();
    }
    for (path, form) in good_forms(&world).await {
        let good = borrowed(&form);
        for control in controls() {
            for (name, value) in &good {
                let others = encode(&without(&good, name));
                let value = encode_value(value);
                for bad in [
                    format!("{name}={value}%{control:02X}"),
                    format!("{name}=%{control:02x}{value}"),
                    format!("{name}%{control:02X}={value}"),
                    format!("{name}={value}{}", char::from(control)),
                ] {
                    world.send(raw_as_web(path, format!("{others}&{bad}"))).await.answer().refused("invalid_request");
                }
            }
            // The same in the header.
            for (id, secret) in [(WEB.id, WEB.secret.unwrap()), ("we", "b")] {
                let text = format!("{id}{}:{secret}{}", char::from(control), char::from(control));
                let mut request = post(path, &without(&good, "client_id"));
                let header = format!("Basic {}", base64(&text));
                request.headers_mut().insert("authorization", header.parse().unwrap());
                world.send(request).await.answer().unauthenticated(true);
            }
            world.take_events();
        }
        assert_eq!(world.post_as(WEB, path, &good).await.status, StatusCode::OK, "{path}");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn in_10_control_characters_reach_no_header_and_no_event() {
    let world = World::new().await;
    let injections =
        ["\r\nSet-Cookie: evil=1", "\nevil", "\revil", "\0evil", "\u{b}evil", "\u{1b}[2Jevil", "\u{7f}evil"];
    let others =
        ["\u{85}evil", "\u{2028}evil", "\u{9b}evil", "%0d%0aevil", "%250aevil", "\\r\\nevil", "\"}\u{202e}evil"];
    let mut answers = Vec::new();
    for text in injections.into_iter().chain(others) {
        let valid = world.valid_request(WEB);
        for (name, _) in &valid {
            answers.push(match world.authorize(&changed(&valid, &[(name, text)])).await {
                Sent::Answer(answer) => answer,
                // A `state` that is only odd is sent back, and has to be escaped.
                Sent::Pending(pending) => Answer::of(world.server.deny(*pending, None).await.unwrap()),
                Sent::NotMine => panic!(),
            });
        }
        for path in FORM_ENDPOINTS {
            for name in ["grant_type", "code", "token", "scope", "client_id", "client_secret", "resource", text] {
                let value = if name == text { "x" } else { text };
                answers.push(world.send(post(path, &[(name, value)])).await.answer());
            }
            let mut request = post(path, &[]);
            request.headers_mut().insert("authorization", basic(&format!("web{text}"), text).parse().unwrap());
            answers.push(world.send(request).await.answer());
        }
    }
    for answer in answers {
        assert!(!answer.headers.contains_key("set-cookie"));
        for (name, value) in &answer.headers {
            let text = value.to_str().unwrap();
            assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{name}: {text}");
            assert!(name == "location" || !text.contains("evil"), "{name}: {text}");
        }
        assert!(!answer.body.contains("evil"), "{}", answer.body);
    }
    // What an observer writes down, it may write down as it is. An identifier that is printable ASCII is named.
    for mut event in world.take_events() {
        let id = event.client_id.as_ref().map_or("", grantor::ClientId::as_str);
        assert!(id.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{id:?}");
        event.client_id = None;
        let rest = serde_json::to_string(&event).unwrap();
        assert!(!rest.contains("evil") && !rest.contains('\\'), "{rest}");
    }
}

#[tokio::test]
async fn in_11_a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
    let world = World::new().await;
    for scope in ["read+write", "read%20write", "read%20%77rite", "write+read"] {
        let body = format!("grant_type=client_credentials&scope={scope}");
        let answer = world.send(raw_as_web("/token", body)).await.answer();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let access = answer.field("access_token");
        let scope = world.introspect(WEB, &access).await["scope"].as_str().unwrap().to_owned();
        assert_eq!(scope.parse::<grantor::wire::scope::Scope>().unwrap(), "read write".parse().unwrap());
    }
    for scope in ["read%2Bwrite", "read%2bwrite", "read%252Bwrite", "read++write", "+read", "read+", "read%2520write"] {
        let body = format!("grant_type=client_credentials&scope={scope}");
        world.send(raw_as_web("/token", body)).await.answer().refused("invalid_scope");
        let request = encode(&without(&world.valid_request(WEB), "scope"));
        let sent = world.send(get(format!("/authorize?{request}&scope={scope}"))).await;
        sent.redirected(CALLBACK, "invalid_scope", Some("a b&c=d/é"));
    }
    let request = encode(&without(&world.valid_request(WEB), "scope"));
    let pending = world.send(get(format!("/authorize?{request}&scope=read+write"))).await.pending();
    assert_eq!(pending.scope().as_str(), "read write");
}

#[tokio::test]
async fn in_19_unknown_parameters_are_ignored_not_kept_and_not_echoed() {
    let world = World::new().await;
    world.guard("marker-7c1f");
    let more = [
        ("marker-7c1f-name", "marker-7c1f"),
        ("nonce", "marker-7c1f-nonce"),
        ("login_hint", "marker-7c1f@example.com"),
        ("claims", "{\"marker-7c1f\":null}"),
        ("Client_Id", "marker-7c1f"),
        ("redirect_uris", "https://marker-7c1f.example/"),
        ("code", "marker-7c1f"),
        ("iss", "https://marker-7c1f.example"),
        ("error", "marker-7c1f"),
        ("id_token_hint", "marker-7c1f"),
    ];
    let parameters = [world.valid_request(WEB), more.to_vec()].concat();
    for decision in ["allow", "deny"] {
        let pending = world.authorize(&parameters).await.pending();
        assert!(!format!("{pending:?}").contains("marker-7c1f"));
        let suspended = world.server.suspend(*pending, None).unwrap();
        assert!(suspended.handle.len() < 1024);
        let mut headers = http::HeaderMap::new();
        let cookie = suspended.set_cookie.unwrap();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        headers.insert("cookie", pair.parse().unwrap());
        let pending = world.server.resume(&suspended.handle, &headers).await.unwrap();
        let response = if decision == "allow" {
            world.server.approve(pending, grantor::Approval::new("alice".into(), world.now())).await
        } else {
            world.server.deny(pending, Some(&"alice".into())).await
        };
        let answer = Answer::of(response.unwrap());
        assert!(!answer.header("location").unwrap().contains("marker"), "{:?}", answer.header("location"));
        world.check("/authorize", &answer, &world.dump());
    }
    // Nor in an error.
    let wrong = changed(&parameters, &[("scope", "unknown")]);
    let answer = world.authorize(&wrong).await.answer();
    assert!(!answer.header("location").unwrap().contains("marker"));
    let wrong = changed(&parameters, &[("redirect_uri", "https://marker-7c1f.example/cb")]);
    assert!(!world.authorize(&wrong).await.local().body.contains("marker"));
    for (path, form) in good_forms(&world).await {
        let unknown = ["marker-7c1f-name", "state", "nonce", "username", "password"].map(|name| (name, "marker-7c1f"));
        let answer = world.post_as(WEB, path, &[borrowed(&form), unknown.to_vec()].concat()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.body);
        assert!(!answer.body.contains("marker"));
        let answer = world.post_as(WEB, path, &unknown).await;
        answer.refused("invalid_request");
        assert!(!answer.body.contains("marker"));
    }
    assert!(!told(&world).contains("marker"));
}

#[tokio::test]
async fn in_20_lookalike_text_is_other_text() {
    let world = World::new().await;
    // Identifiers of clients: printable ASCII, byte by byte.
    let unknown = world.authorize(&changed(&world.valid_request(CLI), &[("client_id", "nobody")])).await.local();
    let at_token = |id: &'static str| {
        post("/token", &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", id)])
    };
    let refused = world.send(at_token("nobody")).await.answer();
    refused.unauthenticated(false);
    let lookalikes = [
        "CLI",
        "Cli",
        "cli ",
        " cli",
        "cl",
        "clii",
        "cl1",
        "\u{441}li",
        "cl\u{456}",
        "c\u{200b}li",
        "cli\u{200d}",
        "\u{202e}cli",
        "\u{feff}cli",
        "\u{ff43}\u{ff4c}\u{ff49}",
        "cli\u{301}",
        "c\u{ad}li",
        "\u{1d41c}li",
    ];
    for id in lookalikes {
        world.authorize(&changed(&world.valid_request(CLI), &[("client_id", id)])).await.local().same_as(&unknown);
        world.send(at_token(id)).await.answer().same_as(&refused);
        if !id.is_ascii() {
            let registration =
                Registration { metadata: metadata(CLI), client_id: Some(id.into()), client_secret: None };
            assert_eq!(world.server.clients().register(registration).await.unwrap_err(), ManageError::ClientId);
        }
    }
    // Scopes are ASCII, and case counts.
    for scope in
        ["Read", "READ", "re\u{200b}ad", "re\u{430}d", "read\u{202e}", "read\u{a0}write", "r\u{e9}ad", "re\u{301}ad"]
    {
        let request = changed(&world.valid_request(CLI), &[("scope", scope)]);
        world.authorize(&request).await.redirected(CALLBACK, "invalid_scope", Some("a b&c=d/é"));
        let machine = [("grant_type", "client_credentials"), ("scope", scope)];
        world.token(WEB, &machine).await.refused("invalid_scope");
    }
    // Names of parameters and values of protocol words, too.
    for (name, value) in [("response_type", "c\u{43e}de"), ("response_type", "code\u{200b}"), ("response_type", "CODE")]
    {
        let request = changed(&world.valid_request(CLI), &[(name, value)]);
        world.authorize(&request).await.redirected(CALLBACK, "unsupported_response_type", Some("a b&c=d/é"));
    }
    world.token(WEB, &[("grant_type", "client_credent\u{456}als")]).await.refused("unsupported_grant_type");
    world.token(WEB, &[("grant_typ\u{435}", "client_credentials")]).await.refused("invalid_request");
    // Resource owners are who the host says they are, byte by byte: composed and decomposed are two people.
    let mut grants = Vec::new();
    for name in ["ren\u{e9}", "rene\u{301}", "rene", "ren\u{e9}\u{200b}", "Ren\u{e9}", "r\u{435}n\u{e9}"] {
        let code = world.code(&world.valid_request(WEB), name).await;
        let (access, _) = world.redeem(WEB, &code).await.tokens();
        assert_eq!(world.introspect(WEB, &access).await["sub"], name);
        grants.push((name, access));
    }
    world.server.subjects().deactivate(&"ren\u{e9}".into()).await.unwrap();
    for (name, access) in grants {
        assert_eq!(world.is_live(&access).await, name != "ren\u{e9}", "{name:?}");
    }
}

#[tokio::test]
async fn rfc6749_app_b_the_published_example_decodes() {
    let world = World::new().await;
    let published = "+%25%26%2B%C2%A3%E2%82%AC";
    let text = " %&+\u{a3}\u{20ac}";
    let request = encode(&without(&world.valid_request(WEB), "state"));
    let requests = [
        get(format!("/authorize?{request}&state={published}")),
        raw_post("/authorize", format!("state={published}&{request}")),
        raw_post("/authorize", format!("st%61te={}&{request}", published.to_lowercase())),
    ];
    for request in requests {
        let pending = world.send(request).await.pending();
        let answer = Answer::of(world.server.deny(*pending, None).await.unwrap());
        assert_eq!(answer.redirect().unwrap().parameters["state"], text);
    }
    // What cannot be decoded is refused, and not repaired.
    for bad in ["%", "%2", "%G0", "%u20AC", "%C2", "%A3", "\u{fffd}%80"] {
        let request = raw_post("/authorize", format!("{request}&state={bad}"));
        world.send(request).await.local();
        assert_eq!(
            world.take_refusals().pop(),
            Some(Refusal::Authorize(AuthorizeError::Request(RequestError::Undecodable)))
        );
    }
}
