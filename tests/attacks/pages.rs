//! The pages themselves: their headers, their markup, and pages of the host in their place (ids U).

use grantor::client::{ClientMetadata, Consent as Asked};
use grantor::pages::{ConsentView, ErrorView, FormPostView, Pages};
use http::{Request, StatusCode};

use crate::browser::{Browser, Consent, Policy, code};
use crate::harness::*;
use crate::html::Page;

/// Text that would be markup, or break out of an attribute, if it were not escaped.
const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></style></textarea><svg onload=alert(1)>",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "{{7*7}} ${7*7} <%= 7 %>",
    "a=\"b\" <!-- <![CDATA[ ]]> -->",
];

/// Every page that the server can show: its name, and the answer that shows it.
async fn every_page(world: &World) -> Vec<(&'static str, Answer)> {
    let request = world.valid_request(WEB);
    let form_post = changed(&request, &[("response_mode", "form_post")]);
    let mut browser = Browser::of(world, "alice");
    let mut pages = vec![
        ("error of a request", browser.authorize(&without(&request, "client_id")).await),
        ("error of a way to the client", browser.authorize(&changed(&form_post, &[("scope", "nothing")])).await),
        ("a handle that is none", browser.open(&browser.url("/interaction?handle=x")).await),
        ("consent", browser.authorize(&form_post).await),
    ];
    let page = Consent::read(&pages[3].1);
    pages.push(("a forged decision", browser.post(&[], &[("sec-fetch-site", "cross-site")]).await));
    pages.push(("response by a form", browser.press(&page, "allow").await));
    let long = "x".repeat(70_000);
    pages.push(("too long", browser.send(post("/interaction", &[("handle", &long)])).await));
    pages.push(("too long a request", browser.send(post("/authorize", &[("state", &long)])).await));
    pages
}

#[tokio::test]
async fn u_02_every_page_has_the_protective_headers() {
    let world = World::new().await;
    let pages = every_page(&world).await;
    for (name, answer) in &pages {
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
        for (header, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("pragma", "no-cache"),
        ] {
            assert_eq!(answer.header(header), Some(value), "{name}");
            assert_eq!(answer.headers.get_all(header).iter().count(), 1, "{name}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{name}");
        let policy = Policy::of(answer);
        for directive in ["default-src", "base-uri", "frame-ancestors"] {
            assert_eq!(policy.directive(directive), ["'none'"], "{name}");
        }
        let mut names = policy.names();
        names.sort_unstable();
        let expected = ["base-uri", "default-src", "form-action", "frame-ancestors", "script-src", "style-src"];
        assert_eq!(names, expected, "{name}");
        let unsafe_words = ["'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*", "data:", "https:", "http:"];
        for directive in ["script-src", "style-src"] {
            assert!(policy.directive(directive).iter().all(|source| !unsafe_words.contains(source)), "{name}");
        }
        if !matches!(*name, "consent" | "response by a form" | "error of a way to the client") {
            assert_eq!(policy.directive("form-action"), ["'none'"], "{name}");
            assert!(answer.status.is_client_error(), "{name}");
        }
    }
    // A redirect to the sign-in and one to the client leak no address either.
    let request = world.valid_request(POSTER);
    let mut browser = Browser::new(&world);
    let sent = browser.authorize(&request).await;
    browser.sign_in("alice");
    let page = Consent::read(&browser.come_back(&sent).await);
    for answer in [sent, browser.press(&page, "allow").await] {
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn u_02_the_pages_need_no_script_and_their_policy_fits_them() {
    let world = World::new().await;
    for (name, answer) in every_page(&world).await {
        let page = Page::read(&answer.body);
        let policy = Policy::of(&answer);
        for style in page.all("style") {
            assert!(policy.lets_inline("style-src", &style.text), "{name}: the style is blocked");
        }
        for script in page.all("script") {
            assert!(policy.lets_inline("script-src", &script.text), "{name}: the script is blocked");
            assert!(script.attributes.is_empty());
        }
        let mut attributes = page.elements.iter().flat_map(|element| element.attributes.keys());
        let forbidden =
            |attribute: &&String| attribute.starts_with("on") || *attribute == "style" || *attribute == "src";
        assert_eq!(attributes.find(forbidden), None, "{name}");
        // Only the page that posts to the client has a script; and a button for those who run none.
        let posts = matches!(name, "response by a form" | "error of a way to the client");
        assert_eq!(page.all("script").len(), usize::from(posts), "{name}");
        if posts {
            let form = page.form();
            assert_eq!((form.method.as_str(), form.action.as_str(), form.buttons.len()), ("post", CALLBACK, 1));
            assert!(policy.lets_form_go_to(&form.action, ISSUER));
            let sent = form.filled(None);
            let mut names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            let code = ["code", "iss", "state"];
            let error = ["error", "error_description", "iss", "state"];
            assert!(names == code || names == error, "{names:?}");
        }
    }
}

#[tokio::test]
async fn u_02_the_policy_lets_the_form_reach_the_client_and_nobody_else() {
    let world = World::new().await;
    let uris = [
        ("https://app.example/cb", "https://app.example"),
        ("https://app.example:8443/cb?x=1", "https://app.example:8443"),
        ("http://127.0.0.1/cb", "http://127.0.0.1"),
        ("http://localhost:8080/cb", "http://localhost:8080"),
        // A policy cannot name these hosts: a browser would drop the source, and block the form.
        ("http://[::1]/cb", "http:"),
        ("https://192.0.2.1/cb", "https:"),
        ("https://a_b.example/cb", "https:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app://host/cb", "com.example.app:"),
    ];
    // Nor could it name these, which would begin another directive or policy: they are not registered.
    for uri in ["https://x;script-src.example/cb", "https://x,y.example/cb", "https://%61pp.example/cb"] {
        let client = ClientMetadata { redirect_uris: vec![uri.into()], ..metadata(WEB) };
        assert!(world.server.clients().register(client).await.is_err(), "{uri}");
    }
    let client = Known { id: "many", ..WEB };
    let redirect_uris = uris.map(|(uri, _)| uri.to_owned()).to_vec();
    world.register(client, ClientMetadata { redirect_uris, consent: Asked::Always, ..metadata(client) }).await;
    for (uri, source) in uris {
        let mut browser = Browser::of(&world, "alice");
        let request = changed(&world.valid_request(client), &[("redirect_uri", uri)]);
        let page = browser.consent(&request).await;
        assert_eq!(page.policy.directive("form-action"), ["'self'", source]);
        // The browser of the tests blocks what the policy does not allow, redirects included.
        code(&browser.press(&page, "allow").await);
        // The page that posts the response to the client may post there alone.
        let page = browser.consent(&changed(&request, &[("response_mode", "form_post")])).await;
        let answer = browser.press(&page, "allow").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(Policy::of(&answer).directive("form-action"), [source]);
    }
}

#[tokio::test]
async fn u_03_client_metadata_is_escaped_and_cut_to_length() {
    let plain = {
        let world = World::new().await;
        Browser::of(&world, "alice").consent(&world.valid_request(WEB)).await.page
    };
    for hostile in HOSTILE {
        // Wherever somebody else's text can stand: the client, its page, the user, a scope, its description, a
        // resource.
        let resource = "https://api.example/'%3Cb%3E&x=';y=1";
        let world = World::with(|builder| {
            builder.scope("<b>&';=", hostile).scope("<i>'&", "").resource(resource, ["<b>&';=", "<i>'&"])
        })
        .await;
        let client = Known { id: "hostile", ..WEB };
        let client_uri = Some("https://x.example/'onclick='x'&y=%22%3E".to_owned());
        let redirect_uris = vec!["https://client.example/cb?'&x".to_owned()];
        let scope = "<b>&';= <i>'&".parse().unwrap();
        let hostile_metadata =
            ClientMetadata { client_name: hostile.into(), client_uri, redirect_uris, scope, ..metadata(client) };
        world.register(client, hostile_metadata.clone()).await;
        let mut request = changed(
            &world.valid_request(client),
            &[("scope", "<b>&';= <i>'&"), ("redirect_uri", "https://client.example/cb?'&x"), ("state", hostile)],
        );
        request.push(("resource", resource));
        let mut browser = Browser::of(&world, &encode_value(hostile));
        // The page can be read at all only if nothing opened a tag or left an attribute: the reader is that strict.
        let consent = browser.consent(&request).await;
        let page = &consent.page;
        let (mut added, mut names) = (vec!["p", "a", "p"], page.names());
        for name in plain.names() {
            let at = names.iter().position(|own| *own == name).unwrap_or_else(|| panic!("no <{name}>"));
            names.remove(at);
        }
        names.sort_unstable();
        added.sort_unstable();
        assert_eq!(names, added, "{hostile}");
        assert_eq!(page.only("h1").text, format!("Allow {hostile} access to your account?"));
        assert_eq!(page.only("title").text, format!("Allow {hostile}?"));
        for shown in [hostile, "https://x.example/'onclick='x'&y=%22%3E", resource, "client.example", "<i>'&"] {
            assert!(page.text().contains(shown), "{shown} is not on the page: {}", page.text());
        }
        assert_eq!(consent.scope(), ["<b>&';=", "<i>'&"]);
        assert!(page.text().contains(&format!("Signed in as {hostile}.")));
        // What comes back from the form is what went in.
        let answer = browser.press(&consent, "allow").await;
        let redirect = answer.redirect().unwrap();
        assert_eq!(redirect.parameters["state"], hostile);
        assert_eq!(redirect.base, "https://client.example/cb");

        // The page that posts to the client has its own places.
        let page = browser.consent(&changed(&request, &[("response_mode", "form_post"), ("prompt", "consent")])).await;
        let answer = browser.press(&page, "allow").await;
        let form = Page::read(&answer.body).form();
        assert_eq!(form.action, "https://client.example/cb?'&x");
        assert!(form.filled(None).contains(&("state".into(), hostile.into())));
    }
}

#[tokio::test]
async fn u_03_a_name_is_shown_short_and_without_tricks() {
    let world = World::new().await;
    for (at, (name, shown)) in [
        ("\u{202e}knaB ruoY", "\u{fffd}knaB ruoY"),
        ("Your\u{200b}Bank\u{2066}\u{2069}", "Your\u{fffd}Bank\u{fffd}\u{fffd}"),
        ("Two\u{2028}lines", "Two lines"),
        (&*"x".repeat(80), &*"x".repeat(80)),
        (&*"x".repeat(200), &*format!("{}\u{2026}", "x".repeat(79))),
        (&*"\u{1f600}".repeat(200), &*format!("{}\u{2026}", "\u{1f600}".repeat(79))),
        ("Müller & Söhne", "Müller & Söhne"),
    ]
    .into_iter()
    .enumerate()
    {
        let client = Known { id: ["a", "b", "c", "d", "e", "f", "g"][at], ..WEB };
        world.register(client, ClientMetadata { client_name: name.into(), ..metadata(client) }).await;
        let page = Browser::of(&world, "alice").consent(&world.valid_request(client)).await.page;
        assert_eq!(page.only("h1").text, format!("Allow {shown} access to your account?"));
        // The sign-in is told the same name.
        let sent = Browser::new(&world).authorize(&world.valid_request(client)).await;
        assert_eq!(sent.redirect().unwrap().parameters["client"], shown);
    }
    // What is longer or has control characters is not registered in the first place.
    for name in ["x".repeat(201), "x".repeat(10 * 1024), "a\nb".into(), "a\rb".into(), "a\0b".into(), "a\u{85}b".into()]
    {
        let client = ClientMetadata { client_name: name.clone(), ..metadata(WEB) };
        assert!(world.server.clients().register(client).await.is_err(), "{name:?}");
    }
    // A client without a name is called by its identifier.
    let id = "<script>\"&'".repeat(20);
    let client = ClientMetadata { client_name: String::new(), ..metadata(WEB) };
    let registration = grantor::manage::Registration { client_id: Some(id.as_str().into()), ..client.into() };
    world.server.clients().register(registration).await.unwrap();
    let request = changed(&world.valid_request(WEB), &[("client_id", &id)]);
    let page = Browser::of(&world, "alice").consent(&request).await.page;
    assert_eq!(page.only("title").text, format!("Allow {}\u{2026}?", &id[..79]));
}

#[tokio::test]
async fn u_03_only_http_links_are_shown() {
    let world = World::new().await;
    for url in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://x.example/",
        "blob:https://x.example/1",
        "//x.example/",
        "/path",
        "x.example",
        "https:",
        "https:/x.example",
        "https://",
        "https://user:pw@x.example/",
        "https://x.example/\"onclick=\"",
        "https://x.example/<b>",
        "https://x.example/ y",
        " https://x.example/",
        "https://x.example/\n",
        "java\tscript:alert(1)",
        "https\\://x.example",
    ] {
        for field in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
            let mut client = metadata(WEB);
            let value = Some(url.to_owned());
            match field {
                "client_uri" => client.client_uri = value,
                "logo_uri" => client.logo_uri = value,
                "tos_uri" => client.tos_uri = value,
                _ => client.policy_uri = value,
            }
            assert!(world.server.clients().register(client).await.is_err(), "{field} {url:?}");
        }
    }
    let client = Known { id: "linked", ..WEB };
    let url = |name: &str| Some(format!("http://x.example/{name}?a=1&b='2'"));
    let linked = ClientMetadata {
        client_uri: url("home"),
        logo_uri: url("logo"),
        tos_uri: url("tos"),
        policy_uri: url("policy"),
        ..metadata(client)
    };
    world.register(client, linked).await;
    let consent = Browser::of(&world, "alice").consent(&world.valid_request(client)).await;
    let link = consent.page.only("a");
    assert_eq!(link.attribute("href"), "http://x.example/home?a=1&b='2'");
    assert_eq!(link.attribute("rel"), "noopener noreferrer");
    // Nothing of a client's is loaded, by the server or by the browser.
    let loads = ["img", "iframe", "link", "object", "embed", "video", "audio", "svg"];
    assert!(loads.iter().all(|name| consent.page.all(name).is_empty()));
}

/// Pages of a host: other words, a style and a logo of its own, and nothing of ours.
struct HousePages;

impl Pages for HousePages {
    fn consent(&self, view: &ConsentView<'_>) -> String {
        let fields = [("handle", view.handle), ("csrf", view.csrf)]
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"))
            .concat();
        let boxes: Vec<String> = view
            .scopes
            .iter()
            .map(|(name, _)| format!("<input type=\"checkbox\" name=\"scope\" value=\"{name}\" checked>"))
            .collect();
        format!(
            "<!doctype html><html><main>House: {} at {} ({}) for {}<form method=\"post\" action=\"{}\">{fields}{}\
             <button type=\"submit\" name=\"decision\" value=\"deny\">No</button>\
             <button type=\"submit\" name=\"decision\" value=\"allow\">Yes</button></form></main></html>",
            view.client_name,
            view.redirect_host,
            view.redirects_to_device,
            view.user_name,
            view.action,
            boxes.concat()
        )
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        format!("<!doctype html><html><main>House: {} {}</main></html>", view.status.as_u16(), view.message)
    }

    fn form_post(&self, view: &FormPostView<'_>) -> String {
        let fields: Vec<String> = view
            .fields
            .iter()
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", value.expose()))
            .collect();
        format!(
            "<!doctype html><html><main>House<form method=\"post\" action=\"{}\">{}\
             <button type=\"submit\">On</button></form></main></html>",
            view.action,
            fields.concat()
        )
    }

    fn sources(&self) -> String {
        "style-src 'self' https://cdn.example; img-src 'self'".into()
    }
}

#[tokio::test]
async fn u_02_pages_of_the_host_are_used_and_protected_too() {
    let world = World::with(|builder| builder.pages(HousePages)).await;
    let mut browser = Browser::of(&world, "alice");
    let request = changed(&world.valid_request(WEB), &[("state", "s"), ("response_mode", "form_post")]);
    let shown = browser.authorize(&request).await;
    let consent = Consent::read(&shown);
    assert!(consent.page.text().contains("House: WEB at app.example (false) for alice"), "{}", consent.page.text());
    let error = browser.open(&browser.url("/interaction?handle=x")).await;
    assert!(Page::read(&error.body).text().starts_with("House: 400 "));
    let refused = browser.authorize(&without(&request, "redirect_uri")).await;
    assert!(Page::read(&refused.body).text().starts_with("House: 400 "));
    let posted = browser.press(&consent, "allow").await;
    let form = Page::read(&posted.body).form();
    let sent = form.filled(None);
    let code = &sent.iter().find(|(name, _)| name == "code").unwrap().1;
    world.redeem(WEB, code).await.tokens();
    for answer in [shown, error, refused, posted] {
        let policy = Policy::of(&answer);
        assert_eq!(policy.directive("style-src"), ["'self'", "https://cdn.example"]);
        assert_eq!(policy.directive("img-src"), ["'self'"]);
        for directive in ["default-src", "base-uri", "frame-ancestors"] {
            assert_eq!(policy.directive(directive), ["'none'"]);
        }
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let mut cli = Browser::of(&world, "alice");
    let device = changed(&world.valid_request(CLI), &[("redirect_uri", "com.example.app:/cb")]);
    let page = cli.consent(&device).await.page;
    assert!(page.text().contains("at com.example.app (true)"));
}

/// Pages whose sources would be a header of their own, or end the policy.
struct BrokenPages(&'static str);

impl Pages for BrokenPages {
    fn consent(&self, _: &ConsentView<'_>) -> String {
        String::new()
    }

    fn error(&self, _: &ErrorView<'_>) -> String {
        String::new()
    }

    fn form_post(&self, _: &FormPostView<'_>) -> String {
        String::new()
    }

    fn sources(&self) -> String {
        self.0.into()
    }
}

#[tokio::test]
async fn u_02_sources_that_fit_no_header_leave_the_page_protected() {
    for sources in ["style-src 'self'\r\nx-evil: 1", "style-src \u{7f}", ""] {
        let world = World::with(|builder| builder.pages(BrokenPages(sources))).await;
        let request = Request::get("/authorize").body(String::new()).unwrap();
        let answer = world.send(request).await.local();
        let policy = answer.header("content-security-policy").unwrap();
        assert!(!answer.headers.contains_key("x-evil"));
        for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'"] {
            assert!(policy.contains(directive), "{sources:?}: {policy}");
        }
    }
}

#[tokio::test]
async fn u_02_the_page_says_where_the_answer_goes() {
    let world = World::new().await;
    let uris = [
        ("https://app.example:8443/cb", "app.example:8443", false),
        ("http://127.0.0.1:7777/cb", "127.0.0.1:7777", true),
        ("https://localhost/cb", "localhost", true),
        ("http://[::1]/cb", "[::1]", true),
        ("com.example.app:/cb", "com.example.app", true),
    ];
    let client = Known { id: "many", ..WEB };
    let redirect_uris = uris.map(|(uri, ..)| uri.to_owned()).to_vec();
    world.register(client, ClientMetadata { redirect_uris, consent: Asked::Always, ..metadata(client) }).await;
    for (uri, host, device) in uris {
        let request = changed(&world.valid_request(client), &[("redirect_uri", uri)]);
        let page = Browser::of(&world, "alice").consent(&request).await.page;
        let place = if device {
            format!("The answer goes to a program on this device ({host}). Allow this only if")
        } else {
            format!("You will be sent to {host}.")
        };
        assert!(page.text().contains(&place), "{uri}: {}", page.text());
    }
}
