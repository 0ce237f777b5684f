//! Which endpoint a request is for, and what it answers.

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

use super::answer;
use super::limits::{self, TooLarge};
use crate::endpoint::authorize::AuthorizeRefusal;
use crate::endpoint::metadata::path;
use crate::endpoint::{ErrorAnswer, authorize, introspect, revoke, token};
use crate::event::{Event, Refusal, What};
use crate::id::ClientId;
use crate::interaction::PendingAuthorization;
use crate::refusal::{AuthorizeError, RequestError};
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

/// The endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Introspect,
    Metadata,
}

impl Endpoint {
    /// The methods that it has, as `Allow` names them.
    const fn methods(self) -> &'static str {
        match self {
            Self::Authorize => "GET, POST",
            Self::Token | Self::Revoke => "POST, OPTIONS",
            Self::Introspect => "POST",
            Self::Metadata => "GET, HEAD, OPTIONS",
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
                None => self.manage(request).await,
                #[cfg(not(feature = "api"))]
                None => Outcome::NotMine(request),
            };
        };
        let (parts, body) = request.into_parts();
        let allowed = endpoint.methods();
        if !allowed.split(", ").any(|method| method == parts.method.as_str()) {
            self.tell_unread(endpoint, RequestError::Method);
            return Outcome::Respond(answer::method_not_allowed(allowed));
        }
        if let Err(error) = limits::check(&parts) {
            return Outcome::Respond(self.too_large(endpoint, error));
        }
        if parts.method == Method::OPTIONS {
            let methods = if endpoint == Endpoint::Metadata { "GET" } else { "POST" };
            return Outcome::Respond(answer::open_to_any_origin(answer::preflight(methods)));
        }
        if endpoint == Endpoint::Metadata {
            let body = if parts.method == Method::HEAD { "" } else { &self.inner.metadata };
            return Outcome::Respond(answer::open_to_any_origin(answer::metadata(body)));
        }
        let body = match limits::collect(body).await {
            Ok(body) => body,
            Err(error) => return Outcome::Respond(self.too_large(endpoint, error)),
        };
        match endpoint {
            Endpoint::Authorize => self.authorize(parts, &body).await,
            Endpoint::Token => Outcome::Respond(answer::open_to_any_origin(self.token(&parts, &body).await)),
            Endpoint::Revoke => Outcome::Respond(answer::open_to_any_origin(self.revoke(&parts, &body).await)),
            Endpoint::Introspect => Outcome::Respond(self.introspect(&parts, &body).await),
            Endpoint::Metadata => Outcome::Respond(answer::metadata(&self.inner.metadata)),
        }
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
        let below = whole.strip_prefix(issuer).and_then(endpoint_at);
        below.or_else(|| endpoint_at(whole).filter(|_| at_root))
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
            Ok(granted) => answer::json(StatusCode::OK, granted.to_json()),
            Err(refused) => self.json_refusal(Refusal::Token(refused.error), refused.client_id, refused.error.into()),
        }
    }

    async fn revoke(&self, parts: &Parts, body: &[u8]) -> Response<String> {
        match revoke::revoke(&self.inner.context, &parts.headers, parts.uri.query(), body).await {
            Ok(()) => answer::json(StatusCode::OK, "{}".to_owned()),
            Err(refused) => self.json_refusal(Refusal::Revoke(refused.error), refused.client_id, refused.error.into()),
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
        let response = answer::json_error(&error, self.issuer());
        match endpoint {
            Endpoint::Introspect | Endpoint::Authorize => response,
            Endpoint::Token | Endpoint::Revoke | Endpoint::Metadata => answer::open_to_any_origin(response),
        }
    }
}

/// Which endpoint has this path, below the issuer.
fn endpoint_at(path: &str) -> Option<Endpoint> {
    match path {
        path::AUTHORIZE => Some(Endpoint::Authorize),
        path::TOKEN => Some(Endpoint::Token),
        path::REVOKE => Some(Endpoint::Revoke),
        path::INTROSPECT => Some(Endpoint::Introspect),
        // OpenID Connect Discovery §4 appends where RFC 8414 §3 inserts.
        "/.well-known/openid-configuration" => Some(Endpoint::Metadata),
        _ => None,
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
