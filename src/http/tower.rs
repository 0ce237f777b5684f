//! A service of `tower` (feature `tower`): for hyper, and for all that is built of services.
//!
//! [`service`] answers with 404 what is for nobody; [`SiteService::before`] hands it to the application's own service.
//! [`protect`] lets only those requests through that bring a token.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::Site;
use crate::resource::Require;
use crate::server::AuthorizationServer;

/// All that a browser and a client need. Its responses have `String` as body, which is a body to hyper.
pub const fn service(site: Site) -> SiteService<NotFound> {
    SiteService { site, next: NotFound }
}

/// The endpoints and pages, in front of another service.
#[derive(Debug, Clone)]
pub struct SiteService<S> {
    site: Site,
    next: S,
}

impl<S> SiteService<S> {
    /// In front of `next`, which gets every request that is not for the server.
    pub const fn before(site: Site, next: S) -> Self {
        Self { site, next }
    }
}

type BoxedFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<B, S, R> Service<Request<B>> for SiteService<S>
where
    B: Body + Send + 'static,
    B::Data: Send,
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxedFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.next.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let site = self.site.clone();
        // The service that was found ready is the one to call; what stays here must be asked again.
        let fresh = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, fresh);
        Box::pin(async move {
            match site.handle(request).await {
                Ok(response) => Ok(response.map(R::from)),
                Err(request) => next.call(request).await,
            }
        })
    }
}

/// Answers 404.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotFound;

impl<B> Service<Request<B>> for NotFound {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        ready(Ok(response))
    }
}

/// Lets a request through to `next` if it brings a token that is enough; then
/// [`Verified`](crate::resource::Verified) is among the extensions of the request. Otherwise the answer is the
/// challenge of RFC 6750 §3.
pub const fn protect<S>(server: AuthorizationServer, require: Require<'static>, next: S) -> Protected<S> {
    Protected { server, require, next }
}

/// A service that needs a token. See [`protect`].
#[derive(Debug, Clone)]
pub struct Protected<S> {
    server: AuthorizationServer,
    require: Require<'static>,
    next: S,
}

impl<B, S, R> Service<Request<B>> for Protected<S>
where
    B: Send + 'static,
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxedFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.next.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (server, require) = (self.server.clone(), self.require);
        let fresh = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, fresh);
        Box::pin(async move {
            let checked = server.check_head(request.headers(), request.uri(), require).await;
            match checked {
                Ok(verified) => {
                    request.extensions_mut().insert(verified);
                    next.call(request).await
                }
                Err(challenge) => Ok(challenge.into_response().map(R::from)),
            }
        })
    }
}
