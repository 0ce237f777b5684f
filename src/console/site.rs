//! What a host sets, and from a request to a response.

use std::sync::Arc;

use http::header::ACCEPT_LANGUAGE;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use sha2::{Digest as _, Sha256};

use super::csrf::{self, Session};
use super::form::Fields;
use super::page::{Frame, Page, Templates};
use super::pages::{self, MessagePage, Said};
use super::route::Route;
use super::stop::Stop;
use super::text::{Text, choose};
use super::visit::Visit;
use super::{Link, answer};
use crate::access::Access;
use crate::http::limits;
use crate::server::AuthorizationServer;
use crate::wire::uri::append_query;

/// The console: pages for administrators and users. See [the module](super). Cloning it is cheap.
#[derive(Clone)]
pub struct Console {
    pub(super) server: AuthorizationServer,
    pub(super) access: Arc<dyn Access>,
    pub(super) prefix: Arc<str>,
    name: Arc<str>,
    sign_in: Option<Arc<str>>,
    account: Option<Arc<str>>,
    templates: Option<Arc<dyn Templates>>,
    texts: Arc<Vec<Text>>,
    files: Arc<Files>,
}

/// What the console serves beside its pages. Addresses hold a digest of the content, so that browsers may keep them.
struct Files {
    stylesheet: File,
    theme: Option<File>,
    script: File,
    icon: File,
}

struct File {
    name: String,
    href: String,
    kind: &'static str,
    content: String,
}

const STYLE: &str = concat!(include_str!("../pages/look.css"), include_str!("assets/console.css"));
const SCRIPT: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/icon.svg");

impl Console {
    /// The console of a server, for those whom `access` lets in; below `/console` of the issuer.
    pub fn new(server: AuthorizationServer, access: impl Access) -> Self {
        let prefix = [server.inner.context.issuer.path(), "/console"].concat();
        Self {
            server,
            access: Arc::new(access),
            name: Arc::from("grantor"),
            sign_in: None,
            account: None,
            templates: None,
            texts: Arc::new(vec![Text::english(), Text::german()]),
            files: Arc::new(Files::new(&prefix, None)),
            prefix: prefix.into(),
        }
    }

    /// Another path for it to be below: as browsers see it, and as requests have it when they come to
    /// [`handle`](Self::handle). Empty: all of the host.
    #[must_use]
    pub fn mounted_at(self, prefix: &str) -> Self {
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            path => ["/", path].concat(),
        };
        let theme = self.files.theme.as_ref().map(|theme| theme.content.clone());
        Self { files: Arc::new(Files::new(&prefix, theme)), prefix: prefix.into(), ..self }
    }

    /// What the host calls it: shown at the head of every page.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The page at which one signs in: who is not signed in is sent there, with the address to come back to in the
    /// parameter `return_to` of the query. It has the issuer's origin, and
    /// [`is_own_url`](AuthorizationServer::is_own_url) holds of it unless the console was mounted outside of the issuer's
    /// path.
    #[must_use]
    pub fn sign_in_at(self, url: &str) -> Self {
        Self { sign_in: Some(url.into()), ..self }
    }

    /// A page of the host's about the account, where one can sign out: the name at the head of every page leads there.
    #[must_use]
    pub fn account_at(self, url: &str) -> Self {
        Self { account: Some(url.into()), ..self }
    }

    /// CSS that comes after the console's own: other values for its variables, at the least.
    #[must_use]
    pub fn stylesheet(self, css: impl Into<String>) -> Self {
        Self { files: Arc::new(Files::new(&self.prefix, Some(css.into()))), ..self }
    }

    /// Pages of the host's in place of the console's.
    #[must_use]
    pub fn templates(self, templates: impl Templates) -> Self {
        Self { templates: Some(Arc::new(templates)), ..self }
    }

    /// One more language. English and German are there; a text with the tag of one of them takes its place.
    #[must_use]
    pub fn language(mut self, text: Text) -> Self {
        let texts = Arc::make_mut(&mut self.texts);
        match texts.iter_mut().find(|known| known.tag == text.tag) {
            Some(known) => *known = text,
            None => texts.push(text),
        }
        self
    }

    /// The path that all of it is below.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Answers a request, or gives it back if its path is not below the prefix.
    pub async fn handle<B: Body>(&self, request: Request<B>) -> Result<Response<String>, Request<B>> {
        let path = match request.uri().path().strip_prefix(&*self.prefix) {
            Some(path) if path.is_empty() || path.starts_with('/') => path.to_owned(),
            _ => return Err(request),
        };
        let (parts, body) = request.into_parts();
        let head = parts.method == Method::HEAD;
        let mut response = self.answer(parts, body, &path).await;
        if head {
            response.body_mut().clear();
        }
        Ok(response)
    }

    async fn answer<B: Body>(&self, parts: Parts, body: B, path: &str) -> Response<String> {
        let seen = matches!(parts.method, Method::GET | Method::HEAD);
        if let Some(name) = path.strip_prefix("/assets/") {
            let file = self.files.find(name).filter(|_| seen);
            return file
                .map_or_else(|| self.stopped(Stop::NotFound, &parts), |file| answer::file(file.kind, &file.content));
        }
        let Some(route) = Route::of(path) else {
            return match self.visit(&parts, &[]).await {
                Ok(visit) => visit.stopped(Stop::NotFound).await,
                Err(_) => self.stopped(Stop::NotFound, &parts),
            };
        };
        if !seen && (parts.method != Method::POST || !route.takes_forms()) {
            return answer::method_not_allowed(if route.takes_forms() { "GET, HEAD, POST" } else { "GET, HEAD" });
        }
        if limits::check(&parts).is_err() {
            return self.stopped(Stop::TooLong, &parts);
        }
        let Ok(body) = limits::collect(body).await else { return self.stopped(Stop::TooLong, &parts) };
        match self.visit(&parts, &body).await {
            Err(Stop::SignedOut) if seen => self.sign_in(&parts),
            Err(stop) => self.stopped(stop, &parts),
            Ok(visit) => match pages::answer(&visit, route).await {
                Ok(response) => response,
                Err(stop) => visit.stopped(stop).await,
            },
        }
    }

    /// Finds out who it is, and reads what they sent.
    async fn visit(&self, parts: &Parts, body: &[u8]) -> Result<Visit<'_>, Stop> {
        let actor = self.access.actor(parts).await.ok_or(Stop::SignedOut)?;
        let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()).map_err(|_| Stop::Malformed)?;
        let form = if parts.method == Method::POST {
            let authority = parts.uri.authority().map(http::uri::Authority::as_str);
            if csrf::comes_from_elsewhere(&parts.headers, authority) {
                return Err(Stop::Forged);
            }
            if !crate::endpoint::declares_form(&parts.headers) {
                return Err(Stop::Malformed);
            }
            Some(Fields::parse(body).map_err(|_| Stop::Malformed)?)
        } else {
            None
        };
        let session = Session::of(&self.server.inner.context, &parts.headers)?;
        let said = Said::of(&parts.headers).filter(|_| form.is_none());
        Ok(Visit { console: self, t: self.text(parts), actor, session, query, form, said })
    }

    fn sign_in(&self, parts: &Parts) -> Response<String> {
        let Some(sign_in) = &self.sign_in else { return self.stopped(Stop::SignedOut, parts) };
        answer::see_other(&append_query(sign_in, &[("return_to", &self.address_of(parts))]))
    }

    /// Where to come back to after a sign-in.
    fn address_of(&self, parts: &Parts) -> String {
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let target = if parts.method == Method::POST { parts.uri.path() } else { target };
        [self.server.inner.context.issuer.origin(), target].concat()
    }

    /// Says why it goes no further, to somebody of whom nothing is known.
    fn stopped(&self, stop: Stop, parts: &Parts) -> Response<String> {
        let t = self.text(parts);
        let (title, text) = stop.words(t);
        let sign_in = self.sign_in.as_ref().filter(|_| stop == Stop::SignedOut);
        let link =
            sign_in.map(|url| Link::new(&*t.sign_in, append_query(url, &[("return_to", &self.address_of(parts))])));
        let frame = self.frame();
        self.draw(stop.status(), &Page::Message(MessagePage { t, frame: &frame, title, text, link }), t)
    }

    fn text(&self, parts: &Parts) -> &Text {
        // There always is one; the static is for the compiler's peace.
        static ENGLISH: Text = Text::english();
        let asked = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        choose(&self.texts, asked).unwrap_or(&ENGLISH)
    }

    /// What surrounds a page for somebody who is not signed in.
    pub(super) fn frame(&self) -> Frame<'_> {
        let files = &*self.files;
        Frame {
            name: &self.name,
            base: &self.prefix,
            stylesheet: &files.stylesheet.href,
            theme: files.theme.as_ref().map(|theme| theme.href.as_str()),
            script: &files.script.href,
            icon: &files.icon.href,
            nav: Vec::new(),
            who: None,
            account: self.account.as_deref(),
            said: None,
        }
    }

    /// A page, drawn by the host or by the console.
    pub(super) fn draw(&self, status: StatusCode, page: &Page<'_>, t: &Text) -> Response<String> {
        let own = self.templates.as_ref().and_then(|templates| templates.page(page));
        match own.map_or_else(|| page.draw(), Ok) {
            Ok(html) => answer::page(status, html),
            // Writing to a string does not fail, and our templates do nothing else that could.
            Err(_) => answer::page(StatusCode::INTERNAL_SERVER_ERROR, t.wrong_server.to_string()),
        }
    }
}

impl Files {
    fn new(prefix: &str, theme: Option<String>) -> Self {
        const CSS: &str = "text/css; charset=utf-8";
        Self {
            stylesheet: File::new(prefix, "console", "css", CSS, STYLE.to_owned()),
            theme: theme.map(|css| File::new(prefix, "theme", "css", CSS, css)),
            script: File::new(prefix, "console", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()),
            icon: File::new(prefix, "icon", "svg", "image/svg+xml", ICON.to_owned()),
        }
    }

    fn find(&self, name: &str) -> Option<&File> {
        let all = [Some(&self.stylesheet), self.theme.as_ref(), Some(&self.script), Some(&self.icon)];
        all.into_iter().flatten().find(|file| file.name == name)
    }
}

impl File {
    fn new(prefix: &str, name: &str, extension: &str, kind: &'static str, content: String) -> Self {
        let digest: [u8; 32] = Sha256::digest(&content).into();
        let [a, b, c, d, ..] = digest;
        let digest = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
        let name = format!("{name}-{digest}.{extension}");
        Self { href: format!("{prefix}/assets/{name}"), name, kind, content }
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("server", &self.server).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
