//! The endpoints and pages in an application of actix-web (feature `actix`), and
//! [`Bearer`](crate::resource::Bearer) as an extractor.
//!
//! actix-web has types of its own for requests and responses, and `http` in an older version: what crosses over is
//! copied, part by part. A [`SignedIn`] that a middleware has put among the extensions of the request crosses too.
//!
//! ```
//! use actix_web::{App, web};
//! use grantor::resource::{Bearer, Needs};
//! use grantor::{Require, Site};
//!
//! struct Read;
//! impl Needs for Read {
//!     const REQUIRE: Require<'static> = Require::scope("read");
//! }
//!
//! async fn hello(token: Bearer<Read>) -> String {
//!     format!("Hello, {}!", token.subject().unwrap_or("machine"))
//! }
//!
//! fn configure(site: Site) -> impl FnOnce(&mut web::ServiceConfig) {
//!     |config| {
//!         config.route("/hello", web::get().to(hello)).configure(grantor::actix::site(site));
//!     }
//! }
//! ```

use std::future::Future;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, ServiceConfig};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError, web};
use http::{Request, Response};

use super::limits::MAX_BODY;
use super::{Host, SignedIn, Site, WholeBody};
use crate::resource::verifier::Check;
use crate::resource::{Bearer, Challenge, Needs, Verifier};
use crate::server::AuthorizationServer;

/// All that a browser and a client need, as the default service of an application: for its `configure`. The
/// application's own routes come first, and extract [`Bearer`].
pub fn service(server: AuthorizationServer, host: impl Host) -> impl FnOnce(&mut ServiceConfig) {
    site(Site::new(server, host))
}

/// The same, for a site that is used elsewhere too: by every worker.
pub fn site(site: Site) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.app_data(Data::new(site.server().clone()));
        config.default_service(web::to(move |request: HttpRequest, payload: Payload| {
            let site = site.clone();
            async move { serve(&site, &request, payload).await }
        }));
    }
}

async fn serve(site: &Site, request: &HttpRequest, payload: Payload) -> HttpResponse {
    // One byte more than the server reads, so that it refuses what is too long in its own words.
    let body = match payload.to_bytes_limited(MAX_BODY).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return HttpResponse::BadRequest().finish(),
        Err(_) => vec![0; MAX_BODY.saturating_add(1)].into(),
    };
    let Some(request) = translated(request, WholeBody::new(body)) else {
        return HttpResponse::BadRequest().finish();
    };
    match site.handle(request).await {
        Ok(answer) => response(answer),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

/// The request in the types of the `http` crate; `None` if it is none that they can hold.
fn translated<B>(request: &HttpRequest, body: B) -> Option<Request<B>> {
    let mut translated = Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        translated = translated.header(name.as_str(), value.as_bytes());
    }
    if let Some(user) = request.extensions().get::<SignedIn>() {
        translated = translated.extension(user.clone());
    }
    translated.body(body).ok()
}

/// A response of the `http` crate as one of actix-web.
pub fn response(response: Response<String>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.body(body)
}

impl ResponseError for Challenge {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        response(self.clone().into_response())
    }
}

/// In an application that was configured by [`service`] or [`site`].
impl<N: Needs, V: Verifier> FromRequest for Bearer<N, V> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut actix_web::dev::Payload) -> Self::Future {
        let server = request.app_data::<Data<V>>().cloned();
        let translated = translated(request, ());
        Box::pin(async move {
            let missing =
                || actix_web::error::ErrorInternalServerError("the application has nothing that verifies tokens");
            let server = server.ok_or_else(missing)?;
            let request = translated.ok_or_else(|| actix_web::error::ErrorBadRequest("the request cannot be read"))?;
            let checked = Check::check(&**server, request.headers(), request.uri(), N::REQUIRE).await;
            Ok(checked.map(Self::new)?)
        })
    }
}
