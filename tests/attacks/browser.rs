//! A browser: it keeps cookies by the rules of RFC 6265bis, reads pages, sends the forms that are on them, and holds
//! them to their content security policy. It runs no scripts.

use async_trait::async_trait;
use base64::Engine as _;
use grantor::clock::Timestamp;
use grantor::{Host, SignIn, SignedIn, Site};
use http::request::Parts;
use http::{Request, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::harness::*;
use crate::html::{Form, Page};

/// Where users of the tests sign in: somewhere else.
pub const SIGN_IN: &str = "https://login.example/";
/// The cookie by which [`Users`] knows who is signed in.
const SESSION: &str = "session";

/// The host: its session cookie holds who is signed in, and since when in milliseconds.
#[derive(Debug)]
pub struct Users;

#[async_trait]
impl Host for Users {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        let cookies = request.headers.get("cookie")?.to_str().ok()?;
        let session = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
        let (name, at) = session.split_once('@')?;
        let authenticated_at = Timestamp::from_millis(at.parse().ok()?);
        Some(SignedIn { subject: name.into(), name: decode(name).remove(0).0, authenticated_at })
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        let word = |yes| if yes { "yes" } else { "no" };
        let parameters = [
            ("return_to", sign_in.return_to),
            ("client", sign_in.client_name),
            ("again", word(sign_in.again)),
            ("choose", word(sign_in.choose_account)),
        ];
        format!("{SIGN_IN}?{}", encode(&parameters))
    }
}

/// A cookie as `Set-Cookie` gave it.
#[derive(Debug, Clone)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// The attributes, in lower case, as they came.
    pub attributes: Vec<String>,
    expires: Timestamp,
}

impl Cookie {
    /// As a browser would that ignores `Max-Age`.
    pub fn keep_for_ever(&mut self) {
        self.expires = Timestamp::NEVER;
    }

    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own == attribute)
    }
}

/// A browser of one person.
pub struct Browser<'w> {
    world: &'w World,
    site: Site,
    pub jar: Vec<Cookie>,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Self {
        Self { world, site: Site::new(world.server.clone(), Users), jar: Vec::new() }
    }

    /// A browser in which this user has signed in just now.
    pub fn of(world: &'w World, user: &str) -> Self {
        let mut browser = Self::new(world);
        browser.sign_in(user);
        browser
    }

    pub fn sign_in(&mut self, user: &str) {
        self.sign_out();
        let value = format!("{user}@{}", self.world.now().as_millis());
        self.jar.push(Cookie { name: SESSION.into(), value, attributes: Vec::new(), expires: Timestamp::NEVER });
    }

    pub fn sign_out(&mut self) {
        self.jar.retain(|cookie| cookie.name != SESSION);
    }

    /// The cookies of flows.
    pub fn flows(&self) -> Vec<&Cookie> {
        self.jar.iter().filter(|cookie| cookie.name != SESSION).collect()
    }

    fn is_https(&self) -> bool {
        self.world.server.issuer().starts_with("https:")
    }

    fn origin(&self) -> String {
        let issuer = self.world.server.issuer();
        let path = issuer[8..].find('/').map_or(issuer.len(), |at| at + 8);
        issuer[..path].to_owned()
    }

    /// The URL of an endpoint.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.world.server.issuer().trim_end_matches('/'))
    }

    /// Sends a request to the server, with the cookies that belong to it, and keeps those of the answer.
    pub async fn send(&mut self, mut request: Request<String>) -> Answer {
        let now = self.world.now();
        self.jar.retain(|cookie| !cookie.expires.has_come(now));
        let cookies: Vec<String> = self.jar.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert("cookie", cookies.join("; ").parse().unwrap());
        }
        let path = request.uri().path().to_owned();
        let before = self.world.dump();
        let answer = Answer::of(self.site.handle(request).await.expect("the path is the site's"));
        self.world.check(&path, &answer, &before);
        for value in answer.headers.get_all("set-cookie") {
            self.keep(value.to_str().unwrap());
        }
        answer
    }

    /// Goes to an address of the server, typed or by a link.
    pub async fn open(&mut self, url: &str) -> Answer {
        let path = url.strip_prefix(&self.origin()).unwrap_or_else(|| panic!("{url} is elsewhere")).to_owned();
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    /// An authorization request by a link.
    pub async fn authorize(&mut self, parameters: &[(&str, &str)]) -> Answer {
        let url = self.url(&format!("/authorize?{}", encode(parameters)));
        self.open(&url).await
    }

    /// The consent page for this request.
    #[track_caller]
    pub fn consent(&mut self, parameters: &[(&str, &str)]) -> impl Future<Output = Consent> {
        let at = std::panic::Location::caller();
        async move { Consent::of(&self.authorize(parameters).await, at) }
    }

    /// What the browser keeps of a `Set-Cookie` header; what breaks a rule is dropped (RFC 6265bis §5.7).
    fn keep(&mut self, header: &str) {
        let mut pieces = header.split("; ");
        let (name, value) = pieces.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<String> = pieces.map(str::to_ascii_lowercase).collect();
        let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("max-age="));
        let age: Option<u64> = age.map(|age| age.parse().unwrap());
        let expires = age.map_or(Timestamp::NEVER, |age| self.world.now().after(std::time::Duration::from_secs(age)));
        let cookie = Cookie { name: name.into(), value: value.into(), attributes, expires };
        let host_only = !cookie.attributes.iter().any(|attribute| attribute.starts_with("domain="));
        if cookie.has("secure") && !self.is_https() {
            return;
        }
        if name.starts_with("__Host-") && !(cookie.has("secure") && cookie.has("path=/") && host_only) {
            return;
        }
        if name.starts_with("__Secure-") && !cookie.has("secure") {
            return;
        }
        if !value.is_empty() {
            self.world.guard(value);
        }
        self.jar.retain(|kept| kept.name != name);
        if !cookie.expires.has_come(self.world.now()) {
            self.jar.push(cookie);
        }
    }

    /// Presses a button of a form. A browser would send `Origin: null` here, for the page forbids referrers (Fetch
    /// §3.2).
    pub async fn press(&mut self, page: &Consent, button: &str) -> Answer {
        let fields = page.form.filled(Some(button));
        self.submit(page, &fields).await
    }

    /// Sends the form with other fields than it has.
    pub async fn submit(&mut self, page: &Consent, fields: &[(String, String)]) -> Answer {
        assert_eq!(page.form.method, "post");
        assert!(page.policy.lets_form_go_to(&page.form.action, &self.origin()), "{:?}", page.policy);
        let answer = self.post(fields, &[("origin", "null"), ("sec-fetch-site", "same-origin")]).await;
        if let Some(location) = answer.header("location") {
            let to = location.to_owned();
            assert!(page.policy.lets_form_go_to(&to, &self.origin()), "{to} is blocked by {:?}", page.policy);
        }
        answer
    }

    /// A POST to where decisions go, with these headers.
    pub async fn post(&mut self, fields: &[(String, String)], headers: &[(&str, &str)]) -> Answer {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let url = self.url("/interaction");
        let mut request = post(url.strip_prefix(&self.origin()).unwrap(), &fields);
        for (name, value) in headers {
            request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        self.send(request).await
    }

    /// Comes back from the sign-in that this answer sent the browser to.
    pub async fn come_back(&mut self, answer: &Answer) -> Answer {
        let url = return_to(answer);
        self.open(&url).await
    }
}

/// Where the browser is to come back to, after the sign-in that this answer sends it to.
#[track_caller]
pub fn return_to(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let redirect = answer.redirect().unwrap();
    assert_eq!(redirect.base, SIGN_IN);
    redirect.parameters["return_to"].clone()
}

/// A consent page, with its form and its policy.
#[derive(Debug)]
pub struct Consent {
    pub page: Page,
    pub form: Form,
    pub policy: Policy,
}

impl Consent {
    fn of(answer: &Answer, at: &std::panic::Location<'_>) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "at {at}: no page: {:?} {}", answer.headers, answer.body);
        let page = Page::read(&answer.body);
        let form = page.form();
        assert_eq!(form.buttons, [("decision".into(), "deny".into()), ("decision".into(), "allow".into())], "at {at}");
        Self { page, form, policy: Policy::of(answer) }
    }

    #[track_caller]
    pub fn read(answer: &Answer) -> Self {
        Self::of(answer, std::panic::Location::caller())
    }

    /// The fields that the button `allow` sends.
    pub fn allow(&self) -> Vec<(String, String)> {
        self.form.filled(Some("allow"))
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        self.form.inputs.iter().find(|input| input.name == name && input.kind == "hidden").unwrap().value.clone()
    }

    /// The scope that is on the page, all of it checked.
    pub fn scope(&self) -> Vec<&str> {
        let boxes = self.form.inputs.iter().filter(|input| input.kind == "checkbox");
        boxes.inspect(|input| assert!(input.checked && input.name == "scope")).map(|input| &*input.value).collect()
    }
}

/// The code in an answer that sends the browser back to its client.
#[track_caller]
pub fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let redirect = answer.redirect().unwrap();
    redirect.parameters.get("code").unwrap_or_else(|| panic!("no code: {redirect:?}")).clone()
}

/// Whether this answer asks for consent; else it must be a code.
#[track_caller]
pub fn asks(answer: &Answer) -> bool {
    if answer.status == StatusCode::OK {
        Consent::read(answer);
        return true;
    }
    code(answer);
    false
}

/// The decision was refused: by an error page of the server, with nothing changed (which the world checks).
#[track_caller]
pub fn stopped(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(!answer.headers.contains_key("location"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

/// The fields, with those of these names replaced.
pub fn with(fields: &[(String, String)], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let replaced = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let kept = fields.iter().filter(|(name, _)| !replaced(name)).cloned();
    kept.chain(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

/// A content security policy, read as CSP Level 3 has it.
#[derive(Debug)]
pub struct Policy(Vec<(String, Vec<String>)>);

impl Policy {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let mut headers = answer.headers.get_all("content-security-policy").iter();
        let text = headers.next().expect("a policy").to_str().unwrap();
        assert!(headers.next().is_none() && !text.contains(','), "one policy: {text}");
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace().map(str::to_owned);
            let name = words.next().unwrap_or_else(|| panic!("an empty directive: {text}"));
            assert!(directives.iter().all(|(other, _)| *other != name), "{name} occurs twice: {text}");
            directives.push((name, words.collect()));
        }
        Self(directives)
    }

    pub fn directive(&self, name: &str) -> Vec<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.iter().map(String::as_str).collect()
    }

    /// The names of the directives.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether an inline style or script with this text is let be.
    pub fn lets_inline(&self, directive: &str, text: &str) -> bool {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        self.directive(directive).contains(&&*format!("'sha256-{digest}'"))
    }

    /// Whether `form-action` lets a form of a page at `own` go to this address (CSP Level 3 §6.7.2).
    pub fn lets_form_go_to(&self, url: &str, own: &str) -> bool {
        self.directive("form-action").into_iter().any(|source| source_matches(source, url, own))
    }
}

fn source_matches(source: &str, url: &str, own: &str) -> bool {
    let origin = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        Some(format!("{scheme}://{}", rest.split(['/', '?', '#']).next()?))
    };
    if source == "'none'" {
        return false;
    }
    if source == "'self'" {
        return origin(url).as_deref() == Some(own);
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return url.starts_with(&format!("{scheme}:"));
    }
    // scheme-source host-part port-part: letters, digits, hyphens and dots, no address but 127.0.0.1.
    let (scheme, rest) = source.split_once("://").expect("a host source");
    let (host, port) = rest.split_once(':').unwrap_or((rest, ""));
    let readable = host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    assert!(readable && port.bytes().all(|byte| byte.is_ascii_digit()), "no source of a policy: {source}");
    let is_address = host.parse::<std::net::IpAddr>().is_ok() && host != "127.0.0.1";
    !is_address && origin(url) == origin(&format!("{scheme}://{rest}"))
}
