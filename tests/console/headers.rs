//! Headers, methods, paths, files, languages: what surrounds the pages.

use grantor::console::{Page as Drawn, Templates, Text};
use http::{Request, StatusCode};

use crate::world::{Answer, World};

/// Every page, with its answers to forms.
async fn every_answer(world: &World) -> Vec<(String, Answer)> {
    let client = world.client("Wall").await;
    world.grant(&client, "admin", "curl/8").await;
    let (_, token) = world.token("admin", "Script").await;
    let grant = world.server.grants().to(client.client.id(), None, 1).await.unwrap().items.remove(0);
    let id = client.client.id();
    let mut paths: Vec<String> = [
        "/",
        "/clients",
        "/clients?q=%3C",
        "/clients/new",
        "/activity",
        "/people",
        "/person?subject=admin",
        "/apps",
        "/tokens",
        "/tokens/new",
        "/everything",
        "/none",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/client/secret/end?client={id}&secret=1"));
    paths.push(format!("/client/session/end?client={id}&grant={}", grant.id));
    paths.push(format!("/app/session/end?grant={}", grant.id));
    paths.push(format!("/app/remove?client={id}"));
    paths.push(format!("/person/app/remove?subject=admin&client={id}"));
    paths.push("/person/revoke?subject=admin".to_owned());
    paths.push(format!("/token/edit?token={token}"));
    paths.push(format!("/token/delete?token={token}"));
    paths.extend(World::client_paths(&client.client));
    let mut answers = Vec::new();
    let mut admin = world.browser("admin");
    for path in paths {
        let seen = admin.open(&path).await;
        let form = if seen.status.is_success() { seen.page().form() } else { None };
        answers.push((path.clone(), seen));
        if let Some(form) = form {
            answers.push((format!("wrong {path}"), admin.submit(&form.clone().without("csrf")).await));
            answers.push((format!("post {path}"), admin.submit(&form).await));
        }
    }
    answers
}

#[tokio::test]
async fn every_answer_is_kept_from_frames_caches_sniffers_and_foreign_scripts() {
    let world = World::new();
    let answers = every_answer(&world).await;
    assert!(answers.len() > 50, "{}", answers.len());
    for (path, answer) in &answers {
        for (header, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), value, "{path}");
            assert_eq!(answer.headers.get_all(header).iter().count(), 1, "{path}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        if answer.status == StatusCode::SEE_OTHER {
            assert!(answer.header("location").starts_with("/console/"), "{path}: {}", answer.header("location"));
            assert_eq!(answer.body, "");
            continue;
        }
        let policy = answer.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.split("; ").any(|own| own == directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
        // What the policy would block is not there, and every page is well-formed.
        let page = answer.page();
        assert_eq!(page.all("style").count(), 0);
        for script in page.all("script") {
            assert!(script.attributes["src"].starts_with("/console/assets/") && script.text.is_empty(), "{path}");
        }
        for element in &page.elements {
            let inline = element.attributes.keys().find(|name| name.starts_with("on") || *name == "style");
            assert_eq!(inline, None, "{path}");
        }
        assert_eq!(page.all("h1").count(), 1, "{path}");
        assert_eq!(page.only("html").attributes["lang"], "en");
    }
    let status = |path: &str| answers.iter().find(|(own, _)| own == path).unwrap().1.status;
    assert_eq!(status("/none"), StatusCode::NOT_FOUND);
    assert_eq!(status("wrong /everything"), StatusCode::FORBIDDEN);
    assert_eq!(status("post /everything"), StatusCode::OK);
}

#[tokio::test]
async fn the_cookie_is_held_to_the_host_and_kept_from_scripts() {
    for (issuer, name) in
        [("https://auth.example.com", "__Host-grantor-console"), ("http://127.0.0.1:1", "grantor-console")]
    {
        let world = World::at(issuer, |console| console);
        let mut browser = world.browser("admin");
        let answer = browser.open("/clients/new").await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), issuer.starts_with("https"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
        // It is given once, and one that is none of ours is replaced.
        assert_eq!(browser.open("/clients").await.header("set-cookie"), "");
        browser.jar.insert(name.into(), "short".into());
        assert_ne!(browser.open("/clients").await.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn files_may_be_kept_since_their_address_names_their_content() {
    let world = World::at("https://auth.example.com", |console| console.stylesheet(":root{--accent:#086}"));
    let mut browser = world.browser("");
    let page = world.browser("admin").open("/clients").await.page();
    let mut files: Vec<&str> = page.all("link").map(|link| link.attributes["href"].as_str()).collect();
    files.push(&page.only("script").attributes["src"]);
    assert_eq!(files.len(), 4);
    for file in &files {
        let answer = browser.send("GET", file, String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.body.is_empty());
        assert_eq!(browser.send("HEAD", file, String::new()).await.body, "");
        assert_eq!(browser.send("POST", file, String::new()).await.status, StatusCode::NOT_FOUND);
    }
    let theme = browser.send("GET", files[2], String::new()).await;
    assert_eq!(theme.body, ":root{--accent:#086}");
    assert_eq!(browser.open("/assets/console-00000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn it_lives_below_any_prefix_and_leaves_the_rest_to_others() {
    for (issuer, set, prefix) in [
        ("https://auth.example.com", None, "/console"),
        ("https://auth.example.com/tenant", None, "/tenant/console"),
        ("https://auth.example.com", Some("/settings/api/"), "/settings/api"),
        ("https://auth.example.com", Some("admin"), "/admin"),
        ("https://auth.example.com", Some(""), ""),
    ] {
        let world = World::at(issuer, |console| match set {
            Some(prefix) => console.mounted_at(prefix).stylesheet("p{}"),
            None => console,
        });
        world.client("Wall").await;
        let mut admin = world.browser("admin");
        for path in ["/clients", "/clients/new"] {
            let page = admin.open(path).await.page();
            let mut addresses = page.links();
            addresses.retain(|address| *address != "#main");
            addresses.extend(page.all("link").map(|link| link.attributes["href"].as_str()));
            addresses.extend(page.all("form").map(|form| form.attributes["action"].as_str()));
            assert!(addresses.iter().all(|address| address.starts_with(&format!("{prefix}/"))), "{addresses:?}");
        }
        for other in ["/", "/token", "/consoles", "/console/../token"] {
            let request = Request::get(other).body(String::new()).unwrap();
            let mine = world.console.handle(request).await.is_ok();
            assert_eq!(mine, prefix.is_empty() || other.starts_with(&format!("{prefix}/")), "{other} below {prefix:?}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused_and_head_has_no_body() {
    let world = World::new();
    let mut admin = world.browser("admin");
    for (method, path, allow) in [
        ("DELETE", "/console/clients", "GET, HEAD"),
        ("POST", "/console/clients", "GET, HEAD"),
        ("PUT", "/console/clients/new", "GET, HEAD, POST"),
        ("OPTIONS", "/console/clients/new", "GET, HEAD, POST"),
    ] {
        let answer = admin.send(method, path, String::new()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.header("allow"), allow);
    }
    let head = admin.send("HEAD", "/console/clients", String::new()).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    let long = admin.send("POST", "/console/clients/new", "x".repeat(70_000)).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(admin.open(&format!("/clients?q={}", "x".repeat(40_000))).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for bad in ["/clients?q=%00", "/clients?q=%", "/clients?q=%FF"] {
        assert_eq!(admin.open(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_sign_in_and_back() {
    let world =
        World::at("https://auth.example.com", |console| console.sign_in_at("https://auth.example.com/login?x=1"));
    let mut nobody = world.browser("");
    let answer = nobody.open("/clients?q=a%26b&sort=name").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.header("location"),
        "https://auth.example.com/login?x=1&return_to=https%3A%2F%2Fauth.example.com%2Fconsole%2Fclients%3Fq%3Da%2526b%26sort%3Dname"
    );
    // A form is not carried over a sign-in: it is said that nothing was done.
    let form = world.browser("admin").open("/clients/new").await.form();
    let answer = nobody.submit(&form).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.page().text().contains("Nothing was changed"));
    assert!(answer.page().links().iter().any(|link| link.starts_with("https://auth.example.com/login")));
    // Where the host names no page to sign in at, it says so.
    assert_eq!(World::new().browser("").open("/clients").await.status, StatusCode::UNAUTHORIZED);
}

struct Loud;

impl Templates for Loud {
    fn page(&self, page: &Drawn<'_>) -> Option<String> {
        match page {
            Drawn::ClientList(list) => Some(format!("<!doctype html><main>{} clients</main>", list.rows.len())),
            _ => None,
        }
    }
}

#[tokio::test]
async fn the_host_puts_its_words_and_pages_in_place() {
    let french = Text { tag: "fr".into(), clients: "Clients de l’API".into(), ..Text::english() };
    let world = World::at("https://auth.example.com", |console| console.language(french.clone()).name("Nuage <3"));
    let mut admin = world.browser("admin");
    for (asked, tag, title) in
        [("fr-CH, en;q=0.5", "fr", french.clients.as_ref()), ("de", "de", "API-Clients"), ("", "en", "API clients")]
    {
        admin.extra = vec![("accept-language", asked.to_owned())];
        let page = admin.open("/clients").await.page();
        assert_eq!(page.only("html").attributes["lang"], tag);
        assert_eq!(page.only("h1").text, title);
        assert_eq!(page.only("title").text, format!("{title} – Nuage <3"));
    }
    let world = World::at("https://auth.example.com", |console| console.templates(Loud));
    world.client("Wall").await;
    let mut admin = world.browser("admin");
    let answer = admin.open("/clients").await;
    assert_eq!(answer.page().text(), "1 clients");
    assert_eq!(answer.header("x-frame-options"), "DENY", "protected as the console's own");
    assert!(admin.open("/clients/new").await.page().form().is_some());
}
