//! The endpoints without HTTP: what was parsed goes in, and what is answered comes out. Without promise, for `benches/`, which
//! compares it with libraries that are called so; a host calls [`AuthorizationServer::handle`].

use http::HeaderMap;

use crate::AuthorizationServer;
use crate::context::Context;
use crate::endpoint::{Approval, ClientRequest, ErrorAnswer, approve, authorize, introspect, revoke, token};
use crate::interaction::{AuthorizationResponse, PendingAuthorization};
use crate::refusal::TokenError;
use crate::wire::error::ErrorCode;
use crate::wire::form::Form;

/// A server that is called with what was parsed.
#[derive(Debug, Clone, Copy)]
pub struct Engine<'s>(&'s Context);

/// A request of a client: its parameters, and what it presents to say who it is.
#[derive(Debug)]
pub struct Parsed<'a>(ClientRequest<'a>);

impl AuthorizationServer {
    /// The server without HTTP.
    pub fn engine(&self) -> Engine<'_> {
        Engine(&self.inner.context)
    }
}

impl Engine<'_> {
    /// Parses a request, and authenticates nobody yet.
    pub async fn parse<'a>(self, headers: &HeaderMap, body: &'a [u8]) -> Result<Parsed<'a>, ErrorCode> {
        let read = ClientRequest::read::<TokenError>(self.0, headers, None, body).await;
        read.map(Parsed).map_err(|refused| ErrorAnswer::from(refused.error).code)
    }

    /// The body of the answer of the token endpoint (RFC 6749 §3.2).
    pub async fn token(self, request: &Parsed<'_>) -> Result<String, ErrorCode> {
        token::issue(self.0, &request.0).await.map_err(|error| ErrorAnswer::from(error).code)
    }

    /// The body of the answer of the introspection endpoint (RFC 7662).
    pub async fn introspect(self, request: &Parsed<'_>) -> Result<String, ErrorCode> {
        introspect::describe_to_caller(self.0, &request.0).await.map_err(|error| ErrorAnswer::from(error).code)
    }

    /// Ends a token (RFC 7009).
    pub async fn revoke(self, request: &Parsed<'_>) -> Result<(), ErrorCode> {
        revoke::end(self.0, &request.0).await.map_err(|error| ErrorAnswer::from(error).code)
    }

    /// Validates an authorization request (RFC 6749 §3.1); `None` for one that is refused.
    pub async fn authorize(self, form: &Form<'_>) -> Option<PendingAuthorization> {
        authorize::authorize(self.0, form).await.ok()
    }

    /// Where the browser goes with the authorization code; `None` where none is issued.
    pub async fn approve(self, pending: &PendingAuthorization, approval: &Approval) -> Option<String> {
        match approve::approve(self.0, pending, approval).await {
            Ok(AuthorizationResponse::Redirect { location }) => Some(location),
            _ => None,
        }
    }
}
