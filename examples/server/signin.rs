//! What the library leaves to its host: signing in and out. `/login`, `/logout`, and a home page.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use grantor::secret::Secret;
use grantor::wire::form::Form;
use grantor::wire::html::escape;
use grantor::wire::uri::{Issuer, append_query};
use grantor::{AuthorizationServer, Host, SignIn, SignedIn, async_trait};

use crate::pages::{page, wrong};
use crate::session::{Sessions, Ticket};
use crate::throttle::{Throttle, TooMany};
use crate::users::Users;

/// The longest form that is read, in bytes: a handle in `return_to` may be some 20 KiB, and percent-encoding may triple
/// it.
const MAX_FORM: usize = 64 * 1024;

/// Everything around the authorization server.
pub(crate) struct App {
    pub(crate) server: AuthorizationServer,
    pub(crate) issuer: Issuer,
    pub(crate) users: Users,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
}

/// What the library asks of its host.
pub(crate) struct Visitors(pub(crate) Arc<App>);

#[async_trait]
impl Host for Visitors {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        self.0.sessions.user(&request.headers, self.0.server.now())
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        let page = self.0.issuer.endpoint("/login");
        // Where the client asks for a choice, whoever is signed in may also stay who they are.
        let choose = sign_in.choose_account && !sign_in.again;
        sign_in.at(&if choose { append_query(&page, &[("choose", "yes")]) } else { page })
    }
}

/// The routes, below the path of the issuer.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home))
        .route("/login", get(show_form).post(sign_in))
        .route("/logout", post(sign_out))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// What this is, and who is signed in.
async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut body =
        String::from("<p>This is an OAuth 2 authorization server, the example that comes with grantor.</p>\n");
    let user = app.sessions.user(&headers, app.server.now()).zip(app.sessions.ticket(&headers));
    if let Some((user, ticket)) = user {
        let _ = write!(
            body,
            "<p>Signed in as <strong>{}</strong>.</p>\n<form method=\"post\" action=\"{}\">\n\
             <input type=\"hidden\" name=\"csrf\" value=\"{}\">\n<p><button class=\"go\" type=\"submit\">Sign out</button></p>\n</form>\n",
            escape(&user.name),
            escape(&app.issuer.endpoint("/logout")),
            app.sessions.csrf(&ticket),
        );
    } else {
        let login = app.issuer.endpoint("/login");
        let _ = writeln!(body, "<p>Nobody is signed in here. <a href=\"{}\">Sign in</a></p>", escape(&login));
    }
    let metadata = app.issuer.well_known("oauth-authorization-server");
    let _ = writeln!(
        body,
        "<p class=\"soft\">For programs: <a href=\"{}\">the metadata</a> names all endpoints, and <code>{}</code> tells \
         whoever brings an access token what it is good for.</p>",
        escape(&metadata),
        escape(&app.issuer.endpoint("/api/me")),
    );
    page(StatusCode::OK, "grantor", &body)
}

/// The sign-in form.
async fn show_form(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let Ok(form) = Form::parse(query.as_bytes()) else {
        return wrong(StatusCode::BAD_REQUEST, "The address of this page is not valid.");
    };
    match app.return_to(&form) {
        Ok(Some(return_to)) if form.has("choose") => match app.sessions.user(&headers, app.server.now()) {
            Some(user) => app.choice(&user, return_to),
            None => app.form(&headers, Some(return_to), StatusCode::OK, None),
        },
        Ok(return_to) => app.form(&headers, return_to, StatusCode::OK, None),
        Err(NotOurs) => wrong(StatusCode::BAD_REQUEST, "The address of this page leads to another site."),
    }
}

/// A sign-in.
async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(form) = read_form(&headers, &body) else {
        return wrong(StatusCode::BAD_REQUEST, "The form cannot be read.");
    };
    let Ok(return_to) = app.return_to(&form) else {
        return wrong(StatusCode::BAD_REQUEST, "The form leads to another site.");
    };
    let Some(ticket) = app.own_form(&headers, &form) else {
        return app.form(&headers, return_to, StatusCode::FORBIDDEN, Some("That page was no longer good. Try again."));
    };
    let username = form.get("username").unwrap_or_default();
    let password = Secret::new(form.get("password").unwrap_or_default());
    let attempt = match app.throttle.attempt(username, address.ip(), app.server.now()).await {
        Ok(attempt) => attempt,
        Err(TooMany { until }) => {
            let message = "There were too many failed attempts. Try again later.";
            let mut response = app.form(&headers, return_to, StatusCode::TOO_MANY_REQUESTS, Some(message));
            let seconds = until.seconds_from(app.server.now()).saturating_add(1);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            return response;
        }
    };
    let Ok(known) = app.users.check(username, password).await else { return broken() };
    let Some(known) = known else {
        let message = "The user name or the password is wrong.";
        return app.form(&headers, return_to, StatusCode::FORBIDDEN, Some(message));
    };
    attempt.succeeded();
    let user = SignedIn { subject: known.subject, name: known.name, authenticated_at: app.server.now() };
    let Ok(ticket) = app.sessions.sign_in(Some(&ticket), user) else { return broken() };
    app.go_on(return_to, Some(&ticket))
}

/// A sign-out.
async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let ticket = read_form(&headers, &body).and_then(|form| app.own_form(&headers, &form));
    let Some(ticket) = ticket else {
        return wrong(StatusCode::FORBIDDEN, "This did not come from a page of this site. Go back and try again.");
    };
    app.sessions.sign_out(&ticket);
    app.go_on(None, None)
}

fn broken() -> Response {
    wrong(StatusCode::INTERNAL_SERVER_ERROR, "The server met an unexpected condition.")
}

fn read_form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<Form<'a>> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let form = Form::parse(body).ok().filter(|_| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))?;
    form.repeated().is_none().then_some(form)
}

/// An address that does not lead back to this server.
struct NotOurs;

impl App {
    /// Where to go after the sign-in.
    fn return_to<'f>(&self, form: &'f Form<'_>) -> Result<Option<&'f str>, NotOurs> {
        match form.get("return_to") {
            None => Ok(None),
            Some(url) if self.server.is_own_url(url) => Ok(Some(url)),
            Some(_) => Err(NotOurs),
        }
    }

    /// The ticket of a browser, if the form it sends is from a page that we gave to it.
    fn own_form(&self, headers: &HeaderMap, form: &Form<'_>) -> Option<Ticket> {
        let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let from_here = said("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"))
            // "null" is what pages say that send no referrer.
            && said("origin").is_none_or(|origin| origin == self.issuer.origin() || origin == "null");
        let ticket = self.sessions.ticket(headers).filter(|_| from_here)?;
        self.sessions.is_csrf_of(&ticket, form.get("csrf")?).then_some(ticket)
    }

    /// Lets somebody who is signed in go on, or sign in as somebody else.
    fn choice(&self, user: &SignedIn, return_to: &str) -> Response {
        let other = append_query(&self.issuer.endpoint("/login"), &[("return_to", return_to)]);
        let body = format!(
            "<p>You are signed in as <strong>{name}</strong>.</p>\n<div class=\"acts\">\n\
             <a class=\"button go\" href=\"{}\">Continue as {name}</a>\n\
             <a class=\"button\" href=\"{}\">Use another account</a>\n</div>\n",
            escape(return_to),
            escape(&other),
            name = escape(&user.name),
        );
        page(StatusCode::OK, "Choose an account", &body)
    }

    fn form(
        &self,
        headers: &HeaderMap,
        return_to: Option<&str>,
        status: StatusCode,
        warning: Option<&str>,
    ) -> Response {
        let (ticket, new) = match self.sessions.ticket(headers) {
            Some(ticket) => (ticket, false),
            None => match Sessions::fresh() {
                Ok(ticket) => (ticket, true),
                Err(_) => return broken(),
            },
        };
        let mut body = String::new();
        if let Some(warning) = warning {
            let _ = writeln!(body, "<p class=\"bad\" role=\"alert\">{}</p>", escape(warning));
        }
        let action = self.issuer.endpoint("/login");
        let _ = writeln!(body, "<form method=\"post\" action=\"{}\">", escape(&action));
        let _ = writeln!(body, "<input type=\"hidden\" name=\"csrf\" value=\"{}\">", self.sessions.csrf(&ticket));
        if let Some(return_to) = return_to {
            let _ = writeln!(body, "<input type=\"hidden\" name=\"return_to\" value=\"{}\">", escape(return_to));
        }
        body.push_str(
            "<label>User name<input name=\"username\" autocomplete=\"username\" autocapitalize=\"none\" required autofocus></label>\n\
             <label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\n\
             <button class=\"go\" type=\"submit\">Sign in</button>\n</form>\n",
        );
        let mut response = page(status, "Sign in", &body);
        if new {
            response.headers_mut().append(SET_COOKIE, self.sessions.set_cookie(Some(&ticket)));
        }
        response
    }

    /// On to another page, with another ticket or none.
    fn go_on(&self, to: Option<&str>, ticket: Option<&Ticket>) -> Response {
        let home = self.issuer.endpoint("/");
        let Ok(location) = HeaderValue::from_str(to.unwrap_or(&home)) else { return broken() };
        let headers = [
            (LOCATION, location),
            (SET_COOKIE, self.sessions.set_cookie(ticket)),
            (axum::http::header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (axum::http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        (StatusCode::SEE_OTHER, headers).into_response()
    }
}
