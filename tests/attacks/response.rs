//! The response on its way to the client (ids R).

use grantor::Approval;
use grantor::client::ApplicationType;
use grantor::event::Refusal;
use grantor::refusal::AuthorizeError;
use http::{HeaderMap, Method, Request, StatusCode};
use proptest::prelude::*;

use crate::harness::*;
use crate::redirect::{OTHER, STATE, register};

#[tokio::test]
async fn r_22_the_registered_query_is_kept_and_our_parameters_stay_unique() {
    let world = World::new().await;
    let kept = "keep=a%20b+c&Code=1&xstate=2&flag&codes=%C3%A9";
    let ours =
        "code=old&state=old&iss=https://evil.example&error=old&error_description=old&error_uri=old&c%6Fde=old&st%61te";
    let uri = format!("https://app.example/cb?{ours}&{kept}");
    register(&world, OTHER, &[&uri], None).await;
    let request = changed(&world.valid_request(OTHER), &[("redirect_uri", uri.as_str())]);
    let wrong = changed(&request, &[("scope", "unknown")]);
    for with_state in [true, false] {
        let state = with_state.then_some(STATE);
        let (request, wrong) = if with_state {
            (request.clone(), wrong.clone())
        } else {
            (without(&request, "state"), without(&wrong, "state"))
        };
        // An error: nothing of an older success is beside it.
        let redirect = world.authorize(&wrong).await.redirected(CALLBACK, "invalid_scope", state);
        assert_eq!(redirect.parameters["error_description"], "the scope is malformed or more than the client may have");
        assert!(!redirect.parameters.contains_key("error_uri"));
        assert_eq!(redirect.parameters["keep"], "a b c");
        // A success: nothing of an older error is beside it.
        let pending = world.authorize(&request).await.pending();
        assert_eq!(pending.redirect_uri(), uri);
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let answer = Answer::of(response);
        assert!(answer.header("location").unwrap().starts_with(&format!("https://app.example/cb?{kept}&code=gac_")));
        let parameters = answer.redirect().unwrap().parameters;
        assert_eq!(parameters.get("state").map(String::as_str), state);
        assert_eq!(parameters["iss"], ISSUER);
        assert!(parameters.keys().all(|name| !name.starts_with("error")));
        // The code is bound to the URI as it was registered and requested.
        let exchange = [
            ("grant_type", "authorization_code"),
            ("code", &parameters["code"]),
            ("redirect_uri", uri.as_str()),
            ("code_verifier", VERIFIER),
        ];
        world.token(OTHER, &exchange).await.tokens();
    }
    // Nor beside the fields of a posted response.
    for parameters in [request, wrong] {
        let posted = changed(&parameters, &[("response_mode", "form_post")]);
        let page = match world.authorize(&posted).await {
            Sent::Answer(answer) => answer,
            Sent::Pending(pending) => Answer::of(world.server.deny(*pending, None).await.unwrap()),
            Sent::NotMine => panic!(),
        };
        assert_eq!(Posted::of(&page).action, format!("https://app.example/cb?{kept}"));
    }
}

#[tokio::test]
async fn r_23_no_old_fragment_is_carried_to_the_client() {
    let world = World::new().await;
    for uri in ["https://app.example/cb", "https://app.example/cb?x=1", "http://127.0.0.1:9/cb", "com.example.app:/cb"]
    {
        let request = changed(&world.valid_request(CLI), &[("redirect_uri", uri)]);
        let wrong = world.authorize(&changed(&request, &[("scope", "unknown")])).await.answer();
        let pending = world.authorize(&request).await.pending();
        let denied = Answer::of(world.server.deny(*pending, None).await.unwrap());
        let pending = world.authorize(&request).await.pending();
        let approval = Approval::new("alice".into(), world.now());
        let approved = Answer::of(world.server.approve(*pending, approval).await.unwrap());
        // Also where the state looks like a fragment.
        let hash = world.authorize(&changed(&request, &[("scope", "unknown"), ("state", "#x#")])).await.answer();
        for answer in [wrong, denied, approved, hash] {
            assert_eq!(answer.redirect().unwrap().fragment.as_deref(), Some("_"), "{:?}", answer.header("location"));
            assert_eq!(answer.header("location").unwrap().matches('#').count(), 1);
        }
    }
}

#[tokio::test]
async fn r_25_state_comes_back_byte_for_byte() {
    let world = World::new().await;
    let ascii: String = (0x20..0x7f_u8).map(char::from).collect();
    let states = [
        "x".repeat(4096),
        ascii.clone(),
        ascii.repeat(40),
        "\"'`<>&".into(),
        "%".into(),
        "%41%2B%00%zz".into(),
        "+ +".into(),
        " ".into(),
        "=&=&;".into(),
        "#?/\\:@".into(),
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}".repeat(100),
        "\u{e9} e\u{301}".into(),
        "\u{202e}\u{200b}\u{feff}\u{2028}\u{85}".into(),
        "null".into(),
        "{\"a\":[1,\"\u{fffd}\"]}".into(),
        "https://evil.example/?code=x&state=y#z".into(),
    ];
    for state in &states {
        let request = changed(&world.valid_request(WEB), &[("state", state)]);
        let wrong = changed(&request, &[("scope", "unknown")]);
        world.authorize(&wrong).await.redirected(CALLBACK, "invalid_scope", Some(state));
        world.send(post("/authorize", &wrong)).await.redirected(CALLBACK, "invalid_scope", Some(state));
        for allow in [true, false] {
            // By way of the browser that keeps the request meanwhile.
            let pending = kept_by_browser(&world, &request).await;
            let response = if allow {
                world.server.approve(pending, Approval::new("alice".into(), world.now())).await
            } else {
                world.server.deny(pending, Some(&"alice".into())).await
            };
            let parameters = Answer::of(response.unwrap()).redirect().unwrap().parameters;
            assert_eq!(&parameters["state"], state);
        }
        let posted = changed(&wrong, &[("response_mode", "form_post")]);
        let fields = Posted::of(&world.authorize(&posted).await.answer()).fields;
        assert_eq!(fields.iter().filter(|(name, value)| name == "state" && value == state).count(), 1);
    }
}

/// A pending authorization that the browser kept in between.
async fn kept_by_browser(world: &World, request: &[(&str, &str)]) -> grantor::PendingAuthorization {
    let pending = world.authorize(request).await.pending();
    let suspended = world.server.suspend(*pending, Some(&"alice".into())).unwrap();
    let cookie = suspended.set_cookie.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("cookie", cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap());
    world.server.resume(&suspended.handle, &headers).await.unwrap()
}

#[tokio::test]
async fn r_25_an_empty_or_absent_state_is_not_sent_back() {
    let world = World::new().await;
    let absent = without(&world.valid_request(WEB), "state");
    for request in [absent.clone(), changed(&absent, &[("state", "")])] {
        world.authorize(&changed(&request, &[("scope", "unknown")])).await.redirected(CALLBACK, "invalid_scope", None);
        let pending = kept_by_browser(&world, &request).await;
        let response = world.server.approve(pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let parameters = Answer::of(response).redirect().unwrap().parameters;
        assert!(parameters.contains_key("code") && !parameters.contains_key("state"));
        let posted = changed(&request, &[("scope", "unknown"), ("response_mode", "form_post")]);
        let fields = Posted::of(&world.authorize(&posted).await.answer()).fields;
        assert!(fields.iter().all(|(name, _)| name != "state"));
    }
}

/// A page that posts a response to the client, read as a browser would.
pub struct Posted {
    pub action: String,
    pub fields: Vec<(String, String)>,
    policy: String,
}

impl Posted {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(!answer.headers.contains_key("location"));
        let form = answer.body.split_once("<form method=\"post\" action=\"").unwrap().1;
        let (action, form) = form.split_once("\">").unwrap();
        let form = form.split_once("</form>").unwrap().0;
        let mut fields = Vec::new();
        for tag in form.split("<input").skip(1) {
            let tag = tag.strip_prefix(" type=\"hidden\" name=\"").unwrap();
            let (name, tag) = tag.split_once("\" value=\"").unwrap();
            let (value, _) = tag.split_once("\">").unwrap();
            for raw in [name, value] {
                assert!(!raw.contains(['"', '<', '>', '\'']), "not escaped: {raw}");
            }
            fields.push((unescape(name), unescape(value)));
        }
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        Self { action: unescape(action), fields, policy }
    }

    fn directive(&self, name: &str) -> &str {
        let mut found = self.policy.split("; ").filter_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '));
        let only = found.next().unwrap();
        assert_eq!(found.next(), None, "{name} occurs twice in {}", self.policy);
        only
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[tokio::test]
async fn r_26_form_post_escapes_its_values_and_may_post_only_to_the_client() {
    let world = World::new().await;
    let tricky = "https://app.example:8443/cb?a=1&b='x'";
    register(&world, OTHER, &[tricky, "http://[::1]/cb"], Some(ApplicationType::Native)).await;
    let state = "\"><script>alert(1)</script><input name='code' value='&quot;&amp;'>";
    for (client, uri, source) in [
        (WEB, CALLBACK, "https://app.example"),
        (OTHER, tricky, "https://app.example:8443"),
        (CLI, "http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
        (CLI, "com.example.app:/cb", "com.example.app:"),
        // A content security policy has no word for an IPv6 address.
        (OTHER, "http://[::1]:9/cb", "http:"),
    ] {
        let request = world.valid_request(client);
        let request = changed(&request, &[("redirect_uri", uri), ("state", state), ("response_mode", "form_post")]);
        let pending = world.authorize(&request).await.pending();
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let approved = Answer::of(response);
        let pending = world.authorize(&request).await.pending();
        let denied = Answer::of(world.server.deny(*pending, None).await.unwrap());
        let wrong = world.authorize(&changed(&request, &[("scope", "unknown")])).await.answer();
        for (answer, error) in [(approved, None), (denied, Some("access_denied")), (wrong, Some("invalid_scope"))] {
            let posted = Posted::of(&answer);
            assert_eq!(posted.action, uri);
            let names: Vec<_> = posted.fields.iter().map(|(name, _)| name.as_str()).collect();
            let value = |wanted: &str| &posted.fields.iter().find(|(name, _)| name == wanted).unwrap().1;
            match error {
                None => assert_eq!(names, ["code", "state", "iss"]),
                Some(error) => {
                    assert_eq!(names, ["error", "error_description", "state", "iss"]);
                    assert_eq!(value("error"), error);
                }
            }
            assert_eq!((value("state").as_str(), value("iss").as_str()), (state, ISSUER));
            assert!(!answer.body.contains("<script>alert"));
            assert_eq!(posted.directive("form-action"), source);
            assert_eq!(posted.directive("default-src"), "'none'");
            assert_eq!(posted.directive("frame-ancestors"), "'none'");
            assert_eq!(posted.directive("base-uri"), "'none'");
            assert!(posted.directive("script-src").starts_with("'sha256-"));
            for (name, value) in [
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(answer.header(name), Some(value));
            }
            if error.is_none() {
                let code = value("code").clone();
                world.guard(&code);
                let exchange = [
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", uri),
                    ("code_verifier", VERIFIER),
                ];
                world.token(client, &exchange).await.tokens();
            }
        }
    }
}

#[tokio::test]
async fn r_26_an_unknown_response_mode_is_refused() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let modes = [
        "fragment",
        "query.jwt",
        "jwt",
        "form_post.jwt",
        "fragment.jwt",
        "web_message",
        "QUERY",
        "Form_Post",
        "form_post ",
        " query",
        "query form_post",
        "form-post",
        "none",
        "\"",
    ];
    for mode in modes {
        let request = changed(&valid, &[("response_mode", mode)]);
        world.authorize(&request).await.redirected(CALLBACK, "invalid_request", Some(STATE));
        assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ResponseMode)]);
    }
    let twice = [valid.clone(), vec![("response_mode", "query"), ("response_mode", "query")]].concat();
    world.authorize(&twice).await.redirected(CALLBACK, "invalid_request", Some(STATE));
    let _ = world.authorize(&changed(&valid, &[("response_mode", "query")])).await.pending();
}

#[tokio::test]
async fn r_27_iss_is_in_every_response_once() {
    let world = World::new().await;
    let valid = changed(&world.valid_request(WEB), &[("iss", "https://evil.example")]);
    let broken = [
        ("scope", "unknown"),
        ("response_type", "token"),
        ("response_type", ""),
        ("code_challenge", "x"),
        ("code_challenge_method", "plain"),
        ("request", "x"),
        ("request_uri", "https://evil.example"),
        ("resource", "https://unknown.example"),
        ("prompt", "none login"),
        ("max_age", "-1"),
        ("response_mode", "fragment"),
    ];
    for mode in ["query", "form_post"] {
        let valid = changed(&valid, &[("response_mode", mode)]);
        let mut answers = Vec::new();
        for (name, value) in broken {
            answers.push(world.authorize(&changed(&valid, &[(name, value)])).await.answer());
        }
        answers.push(world.authorize(&[valid.clone(), vec![("scope", "read")]].concat()).await.answer());
        let pending = world.authorize(&valid).await.pending();
        answers.push(Answer::of(world.server.deny(*pending, None).await.unwrap()));
        let pending = world.authorize(&valid).await.pending();
        let approval = Approval::new("alice".into(), world.now());
        answers.push(Answer::of(world.server.approve(*pending, approval).await.unwrap()));
        for answer in answers {
            let fields: Vec<(String, String)> = match answer.redirect() {
                Some(redirect) => redirect.parameters.into_iter().collect(),
                None => Posted::of(&answer).fields,
            };
            let issuers: Vec<_> = fields.iter().filter(|(name, _)| name == "iss").map(|(_, value)| value).collect();
            assert_eq!(issuers, [ISSUER]);
        }
    }
}

/// What else a request may have, right or wrong, once, twice or empty.
fn other_parameters() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let values = |name: &'static str, values: &'static [&'static str]| {
        prop_oneof![
            3 => prop::sample::select(values).prop_map(move |value| vec![(name, value.to_owned())]),
            1 => Just(Vec::new()),
            1 => prop::sample::select(values).prop_map(move |value| vec![(name, value.to_owned()), (name, value.to_owned())]),
            1 => "[ -~\u{e9}\u{1f600}]{0,20}".prop_map(move |value| vec![(name, value)]),
        ]
    };
    let parts = (
        values("response_type", &["code", "token", "code token", "", "CODE"]),
        values("response_mode", &["query", "form_post", "fragment", "query.jwt", ""]),
        values("scope", &["read", "read write", "unknown", "\"", ""]),
        values("state", &["x", "", "https://evil.example/cb"]),
        values("code_challenge", &[CHALLENGE, "short", ""]),
        values("code_challenge_method", &["S256", "plain", ""]),
        values("prompt", &["none", "login", "none login", "bogus", ""]),
        values("max_age", &["0", "-1", "99999999999999999999", ""]),
        (
            values("request", &["x", "eyJhbGciOiJub25lIn0.e30.", ""]),
            values("request_uri", &["https://evil.example/r", "urn:ietf:params:oauth:request_uri:x"]),
            values("resource", &[RESOURCE, "https://unknown.example", "not a uri", ""]),
        ),
    );
    parts.prop_map(|(a, b, c, d, e, f, g, h, (i, j, k))| [a, b, c, d, e, f, g, h, i, j, k].concat()).prop_shuffle()
}

/// Redirect URIs that are not the client's; `None`: left out.
fn invalid_redirect_uri() -> impl Strategy<Value = Vec<String>> {
    let listed = prop::sample::select(
        &[
            "https://evil.example/cb",
            "https://app.example/cb/",
            "https://app.example/cb?",
            "https://app.example/cb#",
            "https://app.example:443/cb",
            "https://app.example@evil.example/cb",
            "http://127.0.0.1:0/cb",
            "//evil.example",
            "javascript:alert(1)",
            "urn:ietf:wg:oauth:2.0:oob",
            "",
            "\u{1f600}",
        ][..],
    );
    prop_oneof![
        listed.prop_map(|uri| vec![uri.to_owned()]),
        "[ -~]{0,40}".prop_map(|uri| vec![uri]),
        "https://app[.]example/cb[ -~]{1,10}".prop_map(|uri| vec![uri]),
        "https://[a-z.@:]{1,20}/cb".prop_map(|uri| vec![uri]),
        "http://127[.]0[.]0[.]1:[0-9]{1,6}/[a-z]{0,3}".prop_map(|uri| vec![uri]),
        Just(Vec::new()),
        // Twice, though it be right.
        Just(vec![CALLBACK.to_owned(), CALLBACK.to_owned()]),
        Just(vec![CALLBACK.to_owned(), "https://evil.example/cb".to_owned()]),
    ]
}

fn with_redirect_uris(
    client: Known,
    redirect_uris: &[String],
    others: &[(&'static str, String)],
    method: &Method,
) -> Request<String> {
    let mut parameters: Vec<(&str, &str)> = vec![("client_id", client.id)];
    parameters.extend(others.iter().map(|(name, value)| (*name, value.as_str())));
    parameters.extend(redirect_uris.iter().map(|uri| ("redirect_uri", uri.as_str())));
    if *method == Method::POST {
        return post("/authorize", &parameters);
    }
    Request::get(format!("/authorize?{}", encode(&parameters))).body(String::new()).unwrap()
}

/// A world for a property, and what runs it.
fn laboratory() -> (tokio::runtime::Runtime, World) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = runtime.block_on(World::new());
    (runtime, world)
}

/// Whether this redirect URI is the client's after all: random text may hit upon a free loopback port.
fn is_registered(client: Known, redirect_uris: &[String]) -> bool {
    let [uri] = redirect_uris else { return false };
    let port = uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/cb"));
    let sound = port.is_some_and(|port| !port.starts_with('0') && port.parse::<u16>().is_ok());
    metadata(client).redirect_uris.contains(uri) || (client == CLI && sound)
}

#[test]
fn r_20_an_invalid_redirect_uri_is_never_redirected_to_whatever_else_is_wrong() {
    let (runtime, world) = laboratory();
    let clients = prop::sample::select(&[WEB, POSTER, CLI, LEGACY, API][..]);
    let methods = prop::sample::select(&[Method::GET, Method::POST][..]);
    let input = (clients, invalid_redirect_uri(), other_parameters(), methods);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1_500));
    let outcome = runner.run(&input, |(client, redirect_uris, others, method)| {
        prop_assume!(!is_registered(client, &redirect_uris));
        let request = with_redirect_uris(client, &redirect_uris, &others, &method);
        let answer = runtime.block_on(world.send(request)).local();
        prop_assert!(!answer.body.contains("evil"));
        let told = world.take_refusals();
        let local = [AuthorizeError::RedirectUriMissing, AuthorizeError::RedirectUriUnregistered];
        prop_assert!(told.len() == 1 && local.iter().any(|error| told[0] == Refusal::Authorize(*error)), "{told:?}");
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn r_20_whatever_is_wrong_the_answer_goes_to_the_registered_uri() {
    let (runtime, world) = laboratory();
    let clients = prop::sample::select(&[WEB, CLI, LEGACY][..]);
    let methods = prop::sample::select(&[Method::GET, Method::POST][..]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1_500));
    let outcome = runner.run(&(clients, other_parameters(), methods), |(client, others, method)| {
        let request = with_redirect_uris(client, &[CALLBACK.to_owned()], &others, &method);
        let states: Vec<_> = others.iter().filter(|(name, _)| *name == "state").map(|(_, value)| value).collect();
        let state = match states.as_slice() {
            [only] if !only.is_empty() => Some(*only),
            _ => None,
        };
        let fields: Vec<(String, String)> = match runtime.block_on(world.send(request)) {
            Sent::Pending(pending) => {
                prop_assert_eq!(pending.redirect_uri(), CALLBACK);
                return Ok(());
            }
            Sent::NotMine => panic!(),
            Sent::Answer(answer) => {
                if let Some(redirect) = answer.redirect() {
                    prop_assert_eq!(redirect.base, CALLBACK);
                    redirect.parameters.into_iter().collect()
                } else {
                    let posted = Posted::of(&answer);
                    prop_assert_eq!(posted.action, CALLBACK);
                    posted.fields
                }
            }
        };
        let value = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        prop_assert_eq!(value("state"), state);
        prop_assert_eq!(value("iss").map(String::as_str), Some(ISSUER));
        prop_assert!(value("error").is_some() && value("code").is_none());
        prop_assert_eq!(fields.len(), 3 + usize::from(state.is_some()));
        world.take_events();
        Ok(())
    });
    outcome.unwrap();
}
