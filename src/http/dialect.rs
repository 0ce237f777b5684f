//! Clients that speak differently: a host's own translation, in front of the endpoints.

use async_trait::async_trait;
use http::{Request, Response};

use super::Site;

/// How clients speak that were made for another server: scopes separated by commas, a token in another parameter, an
/// answer of another shape.
///
/// The endpoints understand what the specifications say, and nothing else. A dialect stands before them: it is given a
/// request as it came, makes of it one that is strict, and of the answer what its clients expect. What it lets through
/// is checked as any request is; the core becomes no softer for it.
///
/// ```
/// use grantor::{Dialect, Site};
/// use http::{Request, Response};
///
/// /// Clients that separate scopes by commas at the token endpoint.
/// struct Commas;
///
/// #[grantor::async_trait]
/// impl Dialect for Commas {
///     fn speaks(&self, path: &str) -> bool {
///         path == "/token"
///     }
///
///     async fn answer(&self, core: &Site, request: Request<String>) -> Response<String> {
///         // A comma is `%2C` in a form, or stands for itself; a space is a plus.
///         let request = request.map(|body| body.replace("%2C", "+").replace(',', "+"));
///         core.handle(request).await.unwrap_or_else(|_| Response::new(String::new()))
///     }
/// }
/// ```
#[async_trait]
pub trait Dialect: Send + Sync + 'static {
    /// Whether requests to this path are spoken in it; all others go to the endpoints as they are.
    fn speaks(&self, path: &str) -> bool;

    /// Answers a request. `core` is the site without the dialect: [`Site::handle`] is there for what was made strict,
    /// and [`Site::server`] for what no specification has an endpoint for.
    async fn answer(&self, core: &Site, request: Request<String>) -> Response<String>;
}
