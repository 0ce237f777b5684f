//! What a protected resource publishes of itself (RFC 9728), so that a client that knows nothing but its address finds
//! the way to a token.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::wire::json::JsonObject;
use crate::wire::uri::{Resource, UriError};

/// Where a resource's metadata is, before its own path (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A protected resource, as the world may know it.
///
/// ```
/// use grantor::resource::ProtectedResource;
///
/// let api = ProtectedResource::new("https://api.example.com/v1")?
///     .authorization_server("https://auth.example.com")
///     .scope("read")
///     .name("Camera wall");
/// assert_eq!(api.metadata_url(), "https://api.example.com/.well-known/oauth-protected-resource/v1");
///
/// let request = http::Request::get("/.well-known/oauth-protected-resource/v1").body(()).unwrap();
/// let answer = api.answer(&request).unwrap();
/// assert!(answer.body().contains(r#""authorization_servers":["https://auth.example.com"]"#));
/// # Ok::<(), grantor::wire::uri::UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    identifier: Resource,
    metadata_url: String,
    /// Where the path begins in `metadata_url`.
    path_at: usize,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
}

impl ProtectedResource {
    /// A resource with this identifier (RFC 9728 §1.2): an http or https URL without fragment.
    pub fn new(identifier: &str) -> Result<Self, UriError> {
        let identifier = Resource::parse(identifier)?;
        let text = identifier.as_str();
        let parsed = fluent_uri::Uri::parse(text).map_err(|_| UriError::Malformed)?;
        let authority = parsed.authority().ok_or(UriError::Host)?.as_str();
        let scheme = parsed.scheme().as_str();
        if !matches!(scheme, "https" | "http") {
            return Err(UriError::Scheme);
        }
        let origin = format!("{scheme}://{authority}");
        let rest = text.get(origin.len()..).ok_or(UriError::Malformed)?;
        // A slash that follows the host and nothing else is dropped before the insertion (§3.1).
        let rest = if rest == "/" { "" } else { rest };
        let path_at = origin.len();
        let metadata_url = format!("{origin}{WELL_KNOWN}{rest}");
        Ok(Self {
            identifier,
            metadata_url,
            path_at,
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
            name: None,
            documentation: None,
        })
    }

    /// An authorization server whose tokens count here: its issuer.
    #[must_use]
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// A scope token that is of use here. None: the document does not speak of scope.
    #[must_use]
    pub fn scope(mut self, token: impl Into<String>) -> Self {
        self.scopes.push(token.into());
        self
    }

    /// What people call it.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Where developers read about it.
    #[must_use]
    pub fn documentation(self, url: impl Into<String>) -> Self {
        Self { documentation: Some(url.into()), ..self }
    }

    /// The same, where it was not said before where its tokens come from and which scope is of use.
    pub(crate) fn with_defaults(mut self, issuer: &str, scopes: &crate::wire::scope::Scope) -> Self {
        if self.authorization_servers.is_empty() {
            self.authorization_servers.push(issuer.to_owned());
        }
        if self.scopes.is_empty() {
            self.scopes = scopes.tokens().map(str::to_owned).collect();
        }
        self
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    pub(crate) const fn named(&self) -> &Resource {
        &self.identifier
    }

    /// What tokens for it name as their audience (RFC 8707): give it to [`Require::at`](super::Require::at).
    pub fn identifier(&self) -> &str {
        self.identifier.as_str()
    }

    /// Where the metadata is (RFC 9728 §3.1).
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// The metadata (RFC 9728 §2), as JSON.
    pub fn metadata(&self) -> String {
        let mut json = JsonObject::new();
        json.text("resource", self.identifier());
        if !self.authorization_servers.is_empty() {
            json.texts("authorization_servers", self.authorization_servers.iter().map(String::as_str));
        }
        if !self.scopes.is_empty() {
            json.texts("scopes_supported", self.scopes.iter().map(String::as_str));
        }
        json.texts("bearer_methods_supported", ["header"]);
        if let Some(name) = &self.name {
            json.text("resource_name", name);
        }
        if let Some(url) = &self.documentation {
            json.text("resource_documentation", url);
        }
        json.finish()
    }

    /// The answer to a request for the metadata; `None` for any other request.
    ///
    /// Scripts of any origin may read it. A path counts byte by byte, query included where the identifier has one.
    pub fn answer<B>(&self, request: &Request<B>) -> Option<Response<String>> {
        let asked = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        (Some(asked) == self.metadata_url.get(self.path_at..)).then(|| self.published(request.method()))
    }

    /// The same at the place without a path, where some clients look second.
    pub(crate) fn answer_at_root<B>(&self, request: &Request<B>) -> Option<Response<String>> {
        (request.uri().path() == WELL_KNOWN).then(|| self.published(request.method()))
    }

    fn published(&self, method: &Method) -> Response<String> {
        let mut response = Response::new(String::new());
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        match *method {
            Method::GET | Method::HEAD => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
                if method == Method::GET {
                    *response.body_mut() = self.metadata();
                }
            }
            Method::OPTIONS => {
                headers.insert(http::header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
                // The revision of the protocol that a client of the Model Context Protocol speaks comes in a header.
                let allowed = HeaderValue::from_static("authorization, content-type, mcp-protocol-version");
                headers.insert(http::header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            _ => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_goes_between_host_and_path() {
        for (identifier, url) in [
            ("https://h.example", "https://h.example/.well-known/oauth-protected-resource"),
            ("https://h.example/", "https://h.example/.well-known/oauth-protected-resource"),
            ("https://h.example/mcp", "https://h.example/.well-known/oauth-protected-resource/mcp"),
            ("https://h.example/mcp/", "https://h.example/.well-known/oauth-protected-resource/mcp/"),
            ("http://[::1]:8080/a?b=c", "http://[::1]:8080/.well-known/oauth-protected-resource/a?b=c"),
        ] {
            assert_eq!(ProtectedResource::new(identifier).unwrap().metadata_url(), url);
        }
        assert!(ProtectedResource::new("urn:example:cooperation").is_err());
        assert!(ProtectedResource::new("https://h.example/#part").is_err());
    }
}
