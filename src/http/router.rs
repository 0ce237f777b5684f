//! Which endpoint a request is for, and what it answers.

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

use super::answer;
use super::limits::{self, TooLarge};
use crate::endpoint::authorize::AuthorizeRefusal;
use crate::endpoint::metadata::path;
use crate::endpoint::{ErrorAnswer, authorize, device_authorization, introspect, registration, revoke, token};
use crate::event::{Event, Refusal, What};
use crate::id::ClientId;
use crate::interaction::PendingAuthorization;
use crate::limit::Limited;
use crate::observe::{Came, Watch};
use crate::refusal::{AuthorizeError, DocumentError, RegistrationError, RequestError};
use crate::server::AuthorizationServer;
use crate::wire::form::Form;

/// What became of a request. Its `Debug` output holds nothing of request or response: cookies, codes and tokens are in
/// them.
#[must_use = "a request must be answered"]
pub enum Outcome<B> {
    /// This is the answer.
    Respond(Response<String>),
    /// The host must say who is signed in and whether they agree. `request` is what the browser sent, for its cookies.
    Interact {
        /// What is asked for.
        pending: Box<PendingAuthorization>,
        /// The request, without its body.
        request: Parts,
    },
    /// It is for none of the server's endpoints.
    NotMine(Request<B>),
}

impl<B> std::fmt::Debug for Outcome<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Respond(response) => f.debug_tuple("Respond").field(&response.status()).finish(),
            Self::Interact { pending, request: _ } => {
                f.debug_struct("Interact").field("pending", pending).finish_non_exhaustive()
            }
            Self::NotMine(request) => f.debug_tuple("NotMine").field(request.method()).finish(),
        }
    }
}

impl<B> Outcome<B> {
    fn came(&self) -> Came {
        match self {
            Self::Respond(response) => Came::to(response.status()),
            Self::Interact { .. } => Came::Interact,
            Self::NotMine(_) => Came::Done,
        }
    }
}

/// The endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Introspect,
    DeviceAuthorization,
    Register,
    Registration,
    Metadata,
}

impl Endpoint {
    /// The methods that it has, as `Allow` names them.
    const fn methods(self) -> &'static str {
        match self {
            Self::Authorize => "GET, POST",
            Self::Token | Self::Revoke | Self::DeviceAuthorization | Self::Register => "POST, OPTIONS",
            Self::Introspect => "POST",
            Self::Registration => "GET, PUT, DELETE, OPTIONS",
            Self::Metadata => "GET, HEAD, OPTIONS",
        }
    }

    /// As spans and metrics call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::DeviceAuthorization => "device_authorization",
            Self::Register => "register",
            Self::Registration => "registration",
            Self::Metadata => "metadata",
        }
    }

    /// What of it is limited.
    const fn limited(self) -> Option<Limited> {
        match self {
            Self::Authorize => Some(Limited::Authorize),
            Self::Token => Some(Limited::Token),
            Self::Revoke => Some(Limited::Revoke),
            Self::Introspect => Some(Limited::Introspect),
            Self::DeviceAuthorization => Some(Limited::DeviceAuthorization),
            Self::Register | Self::Registration => Some(Limited::Register),
            Self::Metadata => None,
        }
    }

    /// The answer as scripts of other origins may see it, where they may.
    fn opened(self, response: Response<String>) -> Response<String> {
        match self {
            Self::Introspect | Self::Authorize => response,
            Self::Token
            | Self::Revoke
            | Self::DeviceAuthorization
            | Self::Register
            | Self::Registration
            | Self::Metadata => answer::open_to_any_origin(response),
        }
    }
}

impl AuthorizationServer {
    /// Answers a request, if it is for one of the server's endpoints.
    ///
    /// A path counts byte by byte: `/token/`, `//token` and `/%74oken` are not `/token`. The path of the issuer belongs
    /// to it.
    pub async fn handle<B: Body>(&self, request: Request<B>) -> Outcome<B> {
        let Some(endpoint) = self.route(request.uri().path()) else {
            return match self.resource_metadata(&request) {
                Some(response) => Outcome::Respond(response),
                #[cfg(feature = "api")]
                None => Box::pin(self.manage(request)).await,
                #[cfg(not(feature = "api"))]
                None => Outcome::NotMine(request),
            };
        };
        let watch = Watch::begin(endpoint.name());
        let outcome = watch.during(self.answer(endpoint, request)).await;
        watch.end(outcome.came());
        outcome
    }

    async fn answer<B: Body>(&self, endpoint: Endpoint, request: Request<B>) -> Outcome<B> {
        let (parts, body) = request.into_parts();
        let allowed = endpoint.methods();
        if !allowed.split(',').any(|method| method.trim_start() == parts.method.as_str()) {
            self.tell_unread(endpoint, RequestError::Method);
            return Outcome::Respond(answer::method_not_allowed(allowed));
        }
        if let Err(error) = limits::check(&parts) {
            return Outcome::Respond(self.too_large(endpoint, error));
        }
        if parts.method == Method::OPTIONS {
            let methods = match endpoint {
                Endpoint::Metadata => "GET",
                Endpoint::Registration => "GET, PUT, DELETE",
                Endpoint::Authorize
                | Endpoint::Token
                | Endpoint::Revoke
                | Endpoint::Introspect
                | Endpoint::DeviceAuthorization
                | Endpoint::Register => "POST",
            };
            return Outcome::Respond(answer::open_to_any_origin(answer::preflight(methods)));
        }
        if endpoint == Endpoint::Metadata {
            let body = if parts.method == Method::HEAD { "" } else { &self.inner.metadata };
            return Outcome::Respond(answer::open_to_any_origin(answer::metadata(body)));
        }
        if let Err(error) = self.admit(endpoint, &parts).await {
            return Outcome::Respond(self.not_admitted(endpoint, error));
        }
        let body = match limits::collect(body).await {
            Ok(body) => body,
            Err(error) => return Outcome::Respond(self.too_large(endpoint, error)),
        };
        // What is asked for now and then is put elsewhere, so that the others need not carry its room along.
        match endpoint {
            Endpoint::Authorize => self.authorize(parts, &body).await,
            Endpoint::Token => Outcome::Respond(self.token(&parts, &body).await),
            Endpoint::Revoke => Outcome::Respond(self.revoke(&parts, &body).await),
            Endpoint::Introspect => Outcome::Respond(self.introspect(&parts, &body).await),
            Endpoint::DeviceAuthorization => Outcome::Respond(Box::pin(self.device_authorization(&parts, &body)).await),
            Endpoint::Register => {
                Outcome::Respond(answer::open_to_any_origin(Box::pin(self.register(&parts, &body)).await))
            }
            Endpoint::Registration => {
                Outcome::Respond(answer::open_to_any_origin(Box::pin(self.manage_registration(&parts, &body)).await))
            }
            Endpoint::Metadata => Outcome::Respond(answer::metadata(&self.inner.metadata)),
        }
    }

    /// Whether one more request from there may be read.
    async fn admit(&self, endpoint: Endpoint, parts: &Parts) -> Result<(), RequestError> {
        let Some(what) = endpoint.limited() else { return Ok(()) };
        let context = &self.inner.context;
        context.limiter.admit(what, parts.extensions.get().copied(), &*context.clock).await
    }

    fn not_admitted(&self, endpoint: Endpoint, error: RequestError) -> Response<String> {
        self.tell_unread(endpoint, error);
        let answer = ErrorAnswer::from(error);
        if endpoint == Endpoint::Authorize {
            return answer::too_many_page(&*self.inner.pages, answer.retry_after.unwrap_or(1));
        }
        endpoint.opened(answer::json_error(&answer, self.issuer()))
    }

    /// What a resource at this origin publishes of itself (RFC 9728 §3).
    fn resource_metadata<B>(&self, request: &Request<B>) -> Option<Response<String>> {
        let published = &self.inner.published;
        let at_root = published.resources.first().filter(|_| published.at_root);
        let found = published.resources.iter().find_map(|resource| resource.answer(request));
        found.or_else(|| at_root.and_then(|resource| resource.answer_at_root(request)))
    }

    /// Answers a request to the management API, if it is one.
    #[cfg(feature = "api")]
    async fn manage<B: Body>(&self, request: Request<B>) -> Outcome<B> {
        let api = self.inner.api.as_ref();
        let Some((api, matched)) = api.and_then(|api| Some((api, api.route(request.uri().path())?))) else {
            return Outcome::NotMine(request);
        };
        let (parts, body) = request.into_parts();
        let body = match limits::check(&parts) {
            Ok(()) => limits::collect(body).await,
            Err(error) => Err(error),
        };
        Outcome::Respond(match body {
            Ok(body) => crate::api::serve(self, api, &matched, &parts, &body).await,
            Err(error) => crate::api::too_large(error.status()),
        })
    }

    fn route(&self, whole: &str) -> Option<Endpoint> {
        let issuer = self.inner.context.issuer.path();
        let at_root = self.inner.published.at_root;
        if let Some(document) = whole.strip_prefix("/.well-known/") {
            let names = ["oauth-authorization-server", "openid-configuration"];
            let inserted = |name: &str| {
                document.strip_prefix(name).is_some_and(|rest| rest == issuer || (at_root && rest.is_empty()))
            };
            return names.into_iter().any(inserted).then_some(Endpoint::Metadata);
        }
        let below = whole.strip_prefix(issuer).and_then(|path| self.below(path));
        below.or_else(|| self.below(whole).filter(|_| at_root))
    }

    /// Which endpoint has this path, below the issuer.
    fn below(&self, path: &str) -> Option<Endpoint> {
        match path {
            path::AUTHORIZE => Some(Endpoint::Authorize),
            path::TOKEN => Some(Endpoint::Token),
            path::REVOKE => Some(Endpoint::Revoke),
            path::INTROSPECT => Some(Endpoint::Introspect),
            // OpenID Connect Discovery §4 appends where RFC 8414 §3 inserts.
            "/.well-known/openid-configuration" => Some(Endpoint::Metadata),
            path::DEVICE_AUTHORIZATION => self.inner.context.policy.device.map(|_| Endpoint::DeviceAuthorization),
            path::REGISTER => self.inner.context.registration.as_ref().map(|_| Endpoint::Register),
            other => self.registered(other).map(|_| Endpoint::Registration),
        }
    }

    /// The client whose registration this path is, if clients register themselves.
    fn registered<'p>(&self, path: &'p str) -> Option<&'p str> {
        let id = path.strip_prefix(path::REGISTER)?.strip_prefix('/')?;
        let sound =
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        self.inner.context.registration.as_ref().filter(|_| sound).map(|_| id)
    }

    async fn authorize<B>(&self, parts: Parts, body: &[u8]) -> Outcome<B> {
        let context = &self.inner.context;
        let pending = match parameters(&parts, body) {
            Ok(form) => authorize::authorize(context, &form).await,
            Err(error) => Err(AuthorizeRefusal::from(error)),
        };
        match pending {
            Ok(pending) => Outcome::Interact { pending: Box::new(pending), request: parts },
            Err(refusal) => Outcome::Respond(self.refused(&refusal)),
        }
    }

    fn refused(&self, refusal: &AuthorizeRefusal) -> Response<String> {
        let context = &self.inner.context;
        if let Some(response) = refusal.tell(context, context.now()) {
            return answer::authorization_response(&*self.inner.pages, response);
        }
        let (status, message) = match refusal.error {
            AuthorizeError::Failure(failure) if failure.is_temporary() => {
                (StatusCode::SERVICE_UNAVAILABLE, "The server cannot answer now. Try again in a moment.")
            }
            AuthorizeError::Failure(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "The server met an unexpected condition.")
            }
            AuthorizeError::ClientDocument(DocumentError::Budget) => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many applications ask at the moment. Try again in a minute.")
            }
            AuthorizeError::ClientDocument(_) => (
                StatusCode::BAD_REQUEST,
                "The application that sent you here is not described where it says, or not as it must be.",
            ),
            AuthorizeError::Request(_) => {
                (StatusCode::BAD_REQUEST, "The application sent a request that cannot be read.")
            }
            AuthorizeError::RedirectUriMissing | AuthorizeError::RedirectUriUnregistered => (
                StatusCode::BAD_REQUEST,
                "The application named an address to return to that is not registered for it.",
            ),
            _ => (StatusCode::BAD_REQUEST, "The application that sent you here is not known, or is not active."),
        };
        answer::error_page(&*self.inner.pages, status, message)
    }

    async fn token(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        match token::token(&self.inner.context, &parts.headers, parts.uri.query(), body).await {
            Ok(granted) => answer::open_json(StatusCode::OK, granted),
            Err(refused) => answer::open_to_any_origin(self.json_refusal(
                Refusal::Token(refused.error),
                refused.client_id,
                refused.error.into(),
            )),
        }
    }

    async fn revoke(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        match revoke::revoke(&self.inner.context, &parts.headers, parts.uri.query(), body).await {
            Ok(()) => answer::open_json(StatusCode::OK, "{}".to_owned()),
            Err(refused) => answer::open_to_any_origin(self.json_refusal(
                Refusal::Revoke(refused.error),
                refused.client_id,
                refused.error.into(),
            )),
        }
    }

    async fn introspect(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        match introspect::introspect(&self.inner.context, &parts.headers, parts.uri.query(), body).await {
            Ok(described) => answer::json(StatusCode::OK, described),
            Err(refused) => {
                self.json_refusal(Refusal::Introspect(refused.error), refused.client_id, refused.error.into())
            }
        }
    }

    async fn device_authorization(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        let context = &self.inner.context;
        let settings = context.policy.device.unwrap_or_default();
        let query = parts.uri.query();
        match device_authorization::device_authorization(context, &settings, &parts.headers, query, body).await {
            Ok(waiting) => answer::open_json(StatusCode::OK, waiting.to_json()),
            Err(refused) => answer::open_to_any_origin(self.json_refusal(
                Refusal::DeviceAuthorization(refused.error),
                refused.client_id,
                refused.error.into(),
            )),
        }
    }

    async fn register(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        let context = &self.inner.context;
        let Some(rules) = &context.registration else { return answer::method_not_allowed("") };
        match registration::create(context, rules, &parts.headers, body).await {
            Ok(registered) => answer::json(StatusCode::CREATED, registered),
            Err(refused) => self.registration_refusal(refused),
        }
    }

    async fn manage_registration(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        let context = &self.inner.context;
        let whole = parts.uri.path();
        let below = whole.strip_prefix(context.issuer.path()).and_then(|path| self.registered(path));
        // Where the router let it in without the path of the issuer, the whole is it.
        let (Some(rules), Some(id)) = (&context.registration, below.or_else(|| self.registered(whole))) else {
            return answer::method_not_allowed("");
        };
        let managed = match parts.method {
            Method::PUT => registration::update(context, rules, &parts.headers, id, body).await,
            Method::DELETE => registration::delete(context, &parts.headers, id).await.map(|()| String::new()),
            _ => registration::read(context, &parts.headers, id).await,
        };
        match managed {
            Ok(none) if none.is_empty() => answer::no_content(),
            Ok(registered) => answer::json(StatusCode::OK, registered),
            Err(refused) => self.registration_refusal(refused),
        }
    }

    fn registration_refusal(&self, refused: registration::Refused) -> Response<String> {
        let context = &self.inner.context;
        let now = context.now();
        let (status, _) = refused.wire();
        let mut response = match refused.error {
            RegistrationError::TokenMissing | RegistrationError::TokenInvalid => {
                let missing = refused.error == RegistrationError::TokenMissing;
                answer::bearer_challenge(status, refused.body(), self.issuer(), missing)
            }
            _ => answer::json(status, refused.body()),
        };
        let wait = match status {
            StatusCode::TOO_MANY_REQUESTS => Some(registration::seconds_left(now)),
            StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(http::header::RETRY_AFTER, wait.into());
        }
        let what = What::Refused(Refusal::Register(refused.error));
        context.tell(&Event { client_id: refused.client_id, ..Event::new(now, what) });
        response
    }

    fn json_refusal(&self, refusal: Refusal, client_id: Option<ClientId>, error: ErrorAnswer) -> Response<String> {
        let context = &self.inner.context;
        let event = Event { client_id, ..Event::new(context.now(), What::Refused(refusal)) };
        context.tell(&event);
        answer::json_error(&error, context.issuer.as_str())
    }

    /// Tells of a request that was refused before anybody read its parameters.
    fn tell_unread(&self, endpoint: Endpoint, error: RequestError) {
        let refusal = match endpoint {
            Endpoint::Authorize => Refusal::Authorize(error.into()),
            Endpoint::Token => Refusal::Token(error.into()),
            Endpoint::Revoke => Refusal::Revoke(error.into()),
            Endpoint::Introspect => Refusal::Introspect(error.into()),
            Endpoint::DeviceAuthorization => Refusal::DeviceAuthorization(error.into()),
            Endpoint::Register | Endpoint::Registration => Refusal::Register(error.into()),
            // Public, the same for all, and nothing that anybody is refused.
            Endpoint::Metadata => return,
        };
        let context = &self.inner.context;
        context.tell(&Event::new(context.now(), What::Refused(refusal)));
    }

    fn too_large(&self, endpoint: Endpoint, error: TooLarge) -> Response<String> {
        let status = error.status();
        self.tell_unread(endpoint, RequestError::TooLong);
        if endpoint == Endpoint::Authorize {
            let message = "The application sent a request that is too long.";
            return answer::error_page(&*self.inner.pages, status, message);
        }
        let error = ErrorAnswer { status, ..ErrorAnswer::from(RequestError::TooLong) };
        endpoint.opened(answer::json_error(&error, self.issuer()))
    }
}

/// The parameters of an authorization request: of the query for GET, of the body for POST, never of both.
fn parameters<'a>(parts: &'a Parts, body: &'a [u8]) -> Result<Form<'a>, RequestError> {
    let query = parts.uri.query().unwrap_or_default();
    if parts.method == Method::GET {
        if !body.is_empty() {
            return Err(RequestError::TwoSources);
        }
        return Ok(Form::parse(query.as_bytes())?);
    }
    if !query.is_empty() {
        return Err(RequestError::TwoSources);
    }
    if !crate::endpoint::declares_form(&parts.headers) {
        return Err(RequestError::NotAForm);
    }
    Ok(Form::parse(body)?)
}
