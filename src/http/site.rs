//! The server with its pages: the host only says who is signed in, and where one signs in.

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;

use super::Outcome;
use super::answer;
use super::dialect::Dialect;
use super::limits;
use crate::client::{Client, Origin};
use crate::client_id_metadata;
use crate::clock::Timestamp;
use crate::endpoint::metadata::path;
use crate::endpoint::{Approval, ConsentNeed, ErrorAnswer};
use crate::error::Failure;
use crate::event::Refusal;
use crate::extension::Parameters;
use crate::id::Subject;
use crate::interaction::PendingAuthorization;
use crate::observe::{Came, Watch};
use crate::pages::ConsentView;
use crate::refusal::{ApproveError, AuthorizeError, ResumeError};
use crate::server::AuthorizationServer;
use crate::wire::form::{Form, encode_component};
use crate::wire::html::truncate_display;
use crate::wire::scope::Scope;
use crate::wire::uri::{append_query, is_loopback_host};

/// What only the host knows.
///
/// A function of the request will do, where that is enough to tell who is signed in; one signs in at `/login` then:
///
/// ```
/// use grantor::{Host, SignedIn};
///
/// fn host() -> impl Host {
///     // Whatever middleware has found out before.
///     |request: &http::request::Parts| request.extensions.get::<SignedIn>().cloned()
/// }
/// ```
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Who is signed in, in the browser that sent this request.
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn>;

    /// The URL at which one signs in. From there the browser must come back, by GET, to `sign_in.return_to`.
    ///
    /// By default that is [`/login`](SignIn::at), and `return_to` is a parameter of its query. That page must check
    /// that `return_to` is the server's own; see [`AuthorizationServer::is_own_url`].
    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        sign_in.at("/login")
    }
}

#[async_trait]
impl<F: Fn(&Parts) -> Option<SignedIn> + Send + Sync + 'static> Host for F {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        self(request)
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who, as tokens will say.
    pub subject: Subject,
    /// Who, as the consent page says.
    pub name: String,
    /// When they signed in.
    pub authenticated_at: Timestamp,
}

impl SignedIn {
    /// Somebody whom the consent page calls as tokens do.
    pub fn new(subject: impl Into<Subject>, authenticated_at: Timestamp) -> Self {
        let subject = subject.into();
        Self { name: subject.as_str().to_owned(), subject, authenticated_at }
    }
}

/// What the sign-in is for.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignIn<'a> {
    /// Where the browser must come back to.
    pub return_to: &'a str,
    /// The name of the client, made safe to show.
    pub client_name: &'a str,
    /// Whether whoever is signed in must sign in again.
    pub again: bool,
    /// Whether the client asks that the user choose an account (`prompt=select_account`): whoever is signed in must be
    /// let go on as they are, or as somebody else.
    pub choose_account: bool,
    pub(super) parameters: &'a Parameters,
}

impl SignIn<'_> {
    /// What the authorization request says in a parameter of the host; see
    /// [`Builder::authorization_parameter`](crate::Builder::authorization_parameter).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// `page`, with `return_to` added to its query.
    pub fn at(&self, page: &str) -> String {
        append_query(page, &[("return_to", self.return_to)])
    }
}

/// An authorization server with its pages: all that a browser and a client need, in one place.
#[derive(Clone)]
pub struct Site {
    pub(super) server: AuthorizationServer,
    pub(super) host: std::sync::Arc<dyn Host>,
    dialect: Option<std::sync::Arc<dyn Dialect>>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Why the interaction cannot go on; told to the person at the browser.
pub(super) enum Stopped {
    Resume(ResumeError),
    Approve(ApproveError),
    Failure(Failure),
    Message(StatusCode, &'static str),
    TooMany { retry_after: u64 },
}

/// Whether the account is still to be chosen, where the client asked for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccountChoice {
    /// The host's page is to ask.
    Due,
    /// It has been made, or nobody asked for it.
    Made,
}

impl AccountChoice {
    /// That of a request which has just come.
    fn of(pending: &PendingAuthorization) -> Self {
        if pending.prompt().demands_account_choice() { Self::Due } else { Self::Made }
    }
}

impl From<ResumeError> for Stopped {
    fn from(error: ResumeError) -> Self {
        Self::Resume(error)
    }
}

impl From<ApproveError> for Stopped {
    fn from(error: ApproveError) -> Self {
        Self::Approve(error)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Site {
    /// The server, with a host that knows who is signed in.
    pub fn new(server: AuthorizationServer, host: impl Host) -> Self {
        Self { server, host: std::sync::Arc::new(host), dialect: None }
    }

    /// The same, for clients that speak differently.
    #[must_use]
    pub fn dialect(self, dialect: impl Dialect) -> Self {
        Self { dialect: Some(std::sync::Arc::new(dialect)), ..self }
    }

    /// The server.
    pub const fn server(&self) -> &AuthorizationServer {
        &self.server
    }

    /// Answers a request, or gives it back if it is for something else of the host's.
    pub async fn handle<B: Body>(&self, request: Request<B>) -> Result<Response<String>, Request<B>> {
        if let Some(dialect) = self.dialect.as_ref().filter(|dialect| dialect.speaks(request.uri().path())) {
            return Ok(self.translated(&**dialect, request).await);
        }
        let issuer = self.server.inner.context.issuer.path();
        if request.uri().path().strip_prefix(issuer) == Some(path::INTERACTION) {
            let (parts, body) = request.into_parts();
            let watch = Watch::begin("interaction");
            let response = watch.during(Box::pin(self.interaction(parts, body))).await;
            watch.end(Came::to(response.status()));
            return Ok(response);
        }
        let devices = self.server.inner.context.policy.device.is_some();
        if devices && request.uri().path().strip_prefix(issuer) == Some(path::DEVICE) {
            let (parts, body) = request.into_parts();
            let watch = Watch::begin("device");
            let response = watch.during(Box::pin(self.device(parts, body))).await;
            watch.end(Came::to(response.status()));
            return Ok(response);
        }
        match self.server.handle(request).await {
            Outcome::Respond(response) => Ok(response),
            Outcome::NotMine(request) => Err(request),
            Outcome::Interact { pending, request } => {
                let choice = AccountChoice::of(&pending);
                let went = self.proceed(*pending, &request, choice).await;
                Ok(went.unwrap_or_else(|stopped| self.stopped(&stopped)))
            }
        }
    }

    /// Lets a dialect answer, with the request read as far as any request is.
    async fn translated<B: Body>(&self, dialect: &dyn Dialect, request: Request<B>) -> Response<String> {
        let (parts, body) = request.into_parts();
        let body = match limits::check(&parts) {
            Ok(()) => limits::collect(body).await,
            Err(error) => Err(error),
        };
        match body.map(|body| String::from_utf8(body.into())) {
            Ok(Ok(body)) => {
                let core = Self { dialect: None, ..self.clone() };
                dialect.answer(&core, Request::from_parts(parts, body)).await
            }
            Ok(Err(_)) => self.stopped(&Stopped::Message(StatusCode::BAD_REQUEST, "The request cannot be read.")),
            Err(error) => self.stopped(&Stopped::Message(error.status(), "The request is too long.")),
        }
    }

    /// The interaction goes on: by GET after a sign-in, by POST with a decision.
    async fn interaction<B: Body>(&self, parts: Parts, body: B) -> Response<String> {
        if parts.method != Method::GET && parts.method != Method::POST {
            return answer::method_not_allowed("GET, POST");
        }
        let went = match sent(&parts, body).await {
            Ok(None) => self.come_back(&parts).await,
            Ok(Some(body)) => self.decide(&parts, &body).await,
            Err(too_long) => Err(too_long),
        };
        went.unwrap_or_else(|stopped| self.stopped(&stopped))
    }

    /// After a sign-in.
    async fn come_back(&self, parts: &Parts) -> Result<Response<String>, Stopped> {
        let query = parts.uri.query().unwrap_or_default();
        let form = Form::parse(query.as_bytes()).map_err(|_| ResumeError::Invalid)?;
        // A decision comes by POST alone: a link must not be able to make one, nor a log to keep its token.
        if form.has("decision") || form.has("csrf") {
            return Err(self.forged());
        }
        let handle = once(&form, "handle")?.ok_or(ResumeError::Invalid)?;
        let pending = self.server.resume(handle, &parts.headers).await?;
        // Whoever comes back has seen the host's page, and chosen there.
        self.proceed(pending, parts, AccountChoice::Made).await
    }

    /// Goes as far as can be gone without asking: to the sign-in, to the consent page, or to the client.
    async fn proceed(
        &self,
        pending: PendingAuthorization,
        request: &Parts,
        choice: AccountChoice,
    ) -> Result<Response<String>, Stopped> {
        let signed_in = self.host.signed_in(request).await;
        let recent =
            signed_in.as_ref().filter(|user| pending.accepts_sign_in(user.authenticated_at, self.server.now()));
        let chosen = recent.filter(|_| choice == AccountChoice::Made);
        let Some(user) = chosen else {
            if pending.prompt().forbids_pages() {
                return Ok(self.server.refuse(pending, None, AuthorizeError::LoginRequired).await?);
            }
            let again = signed_in.is_some() && recent.is_none();
            return Ok(self.hand_over(pending, again, choice)?);
        };
        match self.server.consent_need(&pending, &user.subject).await? {
            ConsentNeed::Remembered | ConsentNeed::Implied => {
                let approval =
                    Approval::new(user.subject.clone(), user.authenticated_at).on_device(user_agent(&request.headers));
                Ok(self.server.approve(pending, approval).await?)
            }
            ConsentNeed::Ask if pending.prompt().forbids_pages() => {
                Ok(self.server.refuse(pending, None, AuthorizeError::ConsentRequired).await?)
            }
            ConsentNeed::Ask => {
                let scope = self.server.inner.context.within_rights(&user.subject, pending.scope()).await?;
                if scope.is_empty() {
                    return Ok(self.server.refuse(pending, Some(&user.subject), AuthorizeError::AccessDenied).await?);
                }
                Ok(self.ask(pending, user, &scope)?)
            }
        }
    }

    /// Sends the browser to the host's sign-in.
    fn hand_over(
        &self,
        pending: PendingAuthorization,
        again: bool,
        choice: AccountChoice,
    ) -> Result<Response<String>, Failure> {
        let client_name = truncate_display(pending.client().display_name(), MAX_NAME);
        let parameters = pending.asked().parameters.clone();
        let suspended = self.server.suspend(pending, None)?;
        let mut return_to = self.server.inner.context.issuer.endpoint(path::INTERACTION);
        return_to.push_str("?handle=");
        encode_component(&mut return_to, &suspended.handle);
        let choose_account = choice == AccountChoice::Due;
        let sign_in =
            SignIn { return_to: &return_to, client_name: &client_name, again, choose_account, parameters: &parameters };
        let url = self.host.sign_in_url(&sign_in);
        let mut response = answer::see_other(&url);
        if let Some(cookie) = suspended.set_cookie {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Shows the consent page.
    fn ask(&self, pending: PendingAuthorization, user: &SignedIn, scope: &Scope) -> Result<Response<String>, Failure> {
        let inner = &self.server.inner;
        let client = std::sync::Arc::new(pending.client().clone());
        let redirect_uri = pending.redirect_uri().to_owned();
        let resources = pending.resources().to_vec();
        let suspended = self.server.suspend(pending, Some(&user.subject))?;
        let described = |name| (name, inner.context.policy.description(name));
        let (redirect_host, redirects_to_device) = destination(&redirect_uri);
        let action = inner.context.issuer.endpoint(path::INTERACTION);
        let html = inner.pages.consent(&ConsentView {
            client_name: truncate_display(client.display_name(), MAX_NAME),
            client_uri: client
                .metadata()
                .client_uri
                .as_deref()
                .filter(|uri| is_believable(&client, uri, &redirect_uri)),
            client_origin: client.origin(),
            client_host: document_host(&client),
            redirect_host,
            redirects_to_device,
            user_name: &user.name,
            scopes: scope.tokens().map(described).collect(),
            resources: resources.iter().map(crate::wire::uri::Resource::as_str).collect(),
            action: &action,
            handle: &suspended.handle,
            csrf: &suspended.csrf,
        });
        // A browser holds the redirect that follows the form to the policy of the form's page.
        let form_action = format!("'self' {}", answer::form_target(&redirect_uri));
        let mut response = answer::page(&*inner.pages, StatusCode::OK, html, &form_action);
        if let Some(cookie) = suspended.set_cookie {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// A decision, from the consent page.
    async fn decide(&self, parts: &Parts, body: &[u8]) -> Result<Response<String>, Stopped> {
        let form = self.form_of_page(parts, body)?;
        let handle = once(&form, "handle")?.ok_or(ResumeError::Invalid)?;
        let csrf = once(&form, "csrf")?.unwrap_or_default();
        let decision = once(&form, "decision")?;
        let pending = self.server.resume(handle, &parts.headers).await?;
        self.server.check_csrf(&pending, csrf)?;
        let asked = pending.subject().cloned().ok_or(ResumeError::Invalid)?;
        let Some(user) = self.host.signed_in(parts).await.filter(|user| user.subject == asked) else {
            let error = ApproveError::OtherSubject;
            self.server.inner.refused_interaction(Refusal::Approve(error), Some(pending.client().id()));
            return Err(error.into());
        };
        match decision {
            Some("allow") => {
                let scope = allowed(&form, pending.scope())?;
                let approval =
                    Approval::new(asked, user.authenticated_at).with_scope(scope).on_device(user_agent(&parts.headers));
                Ok(self.server.approve(pending, approval).await?)
            }
            Some("deny") => Ok(self.server.deny(pending, Some(&asked)).await?),
            _ => Err(Stopped::Message(StatusCode::BAD_REQUEST, "The form did not say what was decided.")),
        }
    }

    /// The form of one of our pages.
    pub(super) fn form_of_page<'b>(&self, parts: &Parts, body: &'b [u8]) -> Result<Form<'b>, Stopped> {
        if comes_from_elsewhere(&parts.headers, self.server.inner.context.issuer.origin()) {
            return Err(self.forged());
        }
        if !crate::endpoint::declares_form(&parts.headers) {
            return Err(ResumeError::Invalid.into());
        }
        Ok(Form::parse(body).map_err(|_| ResumeError::Invalid)?)
    }

    /// The form was not sent from our page.
    pub(super) fn forged(&self) -> Stopped {
        let error = ResumeError::Forged;
        self.server.inner.refused_interaction(Refusal::Resume(error), None);
        error.into()
    }

    pub(super) fn stopped(&self, stopped: &Stopped) -> Response<String> {
        let (status, message) = match stopped {
            Stopped::TooMany { retry_after } => {
                return answer::too_many_page(&*self.server.inner.pages, *retry_after);
            }
            Stopped::Message(status, message) => (*status, *message),
            Stopped::Resume(ResumeError::OtherBrowser | ResumeError::Forged) => {
                (StatusCode::FORBIDDEN, "This page does not belong to this browser, or was not opened from here.")
            }
            Stopped::Resume(ResumeError::Expired) | Stopped::Approve(ApproveError::Expired) => {
                (StatusCode::BAD_REQUEST, "This took too long, and is no longer valid.")
            }
            Stopped::Resume(ResumeError::Invalid) => {
                (StatusCode::BAD_REQUEST, "The address of this page is not valid.")
            }
            Stopped::Resume(ResumeError::ClientChanged) | Stopped::Approve(ApproveError::ClientChanged) => {
                (StatusCode::BAD_REQUEST, "The application has been changed meanwhile.")
            }
            Stopped::Approve(ApproveError::Decided) => (StatusCode::BAD_REQUEST, "This has been decided already."),
            Stopped::Approve(ApproveError::OtherSubject) => {
                (StatusCode::BAD_REQUEST, "Somebody else was asked. Sign in as them, or start again.")
            }
            Stopped::Approve(ApproveError::ScopeExceeded) => {
                (StatusCode::BAD_REQUEST, "More was allowed than was asked for.")
            }
            Stopped::Approve(ApproveError::Subject) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "The server met an unexpected condition.")
            }
            Stopped::Failure(failure)
            | Stopped::Resume(ResumeError::Failure(failure))
            | Stopped::Approve(ApproveError::Failure(failure)) => {
                let message = "The server cannot answer now. Try again in a moment.";
                (ErrorAnswer::from(*failure).status, message)
            }
        };
        answer::error_page(&*self.server.inner.pages, status, message)
    }
}

/// The longest name of a client that is shown, in characters.
pub(super) const MAX_NAME: usize = 80;

/// The body of a POST to a page; `None` for a GET.
pub(super) async fn sent<B: Body>(parts: &Parts, body: B) -> Result<Option<Bytes>, Stopped> {
    let too_long = |_| Stopped::Message(StatusCode::PAYLOAD_TOO_LARGE, "The request is too long.");
    limits::check(parts).map_err(too_long)?;
    if parts.method == Method::GET {
        return Ok(None);
    }
    limits::collect(body).await.map(Some).map_err(too_long)
}

/// A parameter that may not be repeated; `None` where it is absent.
pub(super) fn once<'f>(form: &'f Form<'_>, name: &str) -> Result<Option<&'f str>, ResumeError> {
    if form.count(name) > 1 { Err(ResumeError::Invalid) } else { Ok(form.get(name)) }
}

/// The part of the scope that was left checked. A name that was not asked for is an error, not a wish.
pub(super) fn allowed(form: &Form<'_>, asked: &Scope) -> Result<Scope, Stopped> {
    let mut names = form.all("scope").peekable();
    if names.peek().is_none() {
        return Ok(Scope::empty());
    }
    let scope = Scope::from_tokens(names).map_err(|_| ApproveError::ScopeExceeded)?;
    if scope.is_subset_of(asked) { Ok(scope) } else { Err(ApproveError::ScopeExceeded.into()) }
}

/// What the browser calls itself.
fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether the browser says that the form was sent from another site. Browsers that say nothing are judged by the
/// `csrf` field alone.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let fetched_across = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let other_origin = text("origin").is_some_and(|from| from != origin && from != "null");
    fetched_across || other_origin
}

/// Whether a home page may be shown as the client's: of one that describes itself, only a page where the answer goes
/// too, or where its document lies (RFC 7591 §5).
fn is_believable(client: &Client, uri: &str, redirect_uri: &str) -> bool {
    let host = |uri: &str| fluent_uri::Uri::parse(uri).ok()?.authority().map(|authority| authority.as_str().to_owned());
    let shown = host(uri);
    client.origin() == Origin::Host
        || (shown.is_some() && (shown == host(redirect_uri) || shown.as_deref() == document_host(client)))
}

/// The host that answers for a client that is described by a document.
fn document_host(client: &Client) -> Option<&str> {
    if client.origin() == Origin::Document { client_id_metadata::host(client.id().as_str()) } else { None }
}

/// How the consent page names the place that the answer goes to, and whether that is the user's device.
fn destination(redirect_uri: &str) -> (String, bool) {
    let Ok(parsed) = fluent_uri::Uri::parse(redirect_uri) else { return (String::new(), false) };
    match (parsed.scheme().as_str(), parsed.authority()) {
        ("https" | "http", Some(authority)) => (authority.as_str().to_owned(), is_loopback_host(authority.host())),
        (scheme, _) => (scheme.to_owned(), true),
    }
}
