//! grantor in an application of poem: the endpoints and pages as an endpoint, and a token as an extractor.

use std::marker::PhantomData;
use std::ops::Deref;

use grantor::resource::{Needs, Verified};
use grantor::{AuthorizationServer, Site, WholeBody};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Endpoint, FromRequest, Request, RequestBody, Response, Result};

/// The most of a body that is read: one byte more than the server reads, so that it refuses what is too long itself.
const MOST: usize = 64 * 1024 + 1;

/// All that a browser and a client need: for `Route::at("/*rest", ..)`, and before it for `Route::at("/", ..)`.
pub struct Provider(pub Site);

impl Endpoint for Provider {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let body = read(request.take_body()).await?;
        match self.0.handle(head_of(&request).map(|()| WholeBody::new(body))).await {
            Ok(response) => Ok(response_of(response)),
            Err(_) => Err(StatusCode::NOT_FOUND.into()),
        }
    }
}

/// The body, as far as it is worth reading.
async fn read(body: Body) -> Result<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let mut bytes = Vec::new();
    let read = body.into_async_read().take(MOST as u64).read_to_end(&mut bytes).await;
    read.map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(bytes)
}

/// The request without its body, as it was sent.
fn head_of(request: &Request) -> http::Request<()> {
    let mut head = http::Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.original_uri().clone();
    head.headers_mut().clone_from(request.headers());
    *head.extensions_mut() = request.extensions().clone();
    head
}

/// An answer, as poem has it.
pub fn response_of(response: http::Response<String>) -> Response {
    let (parts, body) = response.into_parts();
    let mut response = Response::builder().status(parts.status).body(body);
    *response.headers_mut() = parts.headers;
    response
}

/// A token that is enough for `N`. The application must have the server among its data.
pub struct Bearer<N>(Verified, PhantomData<fn() -> N>);

impl<N> Deref for Bearer<N> {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.0
    }
}

impl<'a, N: Needs> FromRequest<'a> for Bearer<N> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        let server = Data::<&AuthorizationServer>::from_request(request, body).await?;
        let head = head_of(request);
        match server.check(&head, N::REQUIRE).await {
            Ok(verified) => Ok(Self(verified, PhantomData)),
            Err(challenge) => Err(poem::Error::from_response(response_of(challenge.into_response()))),
        }
    }
}
