//! Where the API is mounted, and who decides.

use std::sync::Arc;

use super::openapi;
use super::operation::{self, Matched};
use crate::access::Access;
use crate::config::ConfigError;
use crate::secret::SecretBytes;
use crate::store::KeySpace;
use crate::store::keyspace::derive;
use crate::wire::uri::Issuer;

/// The management API, to be given to [`Builder::management_api`](crate::Builder::management_api).
#[derive(Clone)]
#[must_use = "give it to the builder"]
pub struct ManagementApi {
    path: String,
    access: Option<Arc<dyn Access>>,
}

impl Default for ManagementApi {
    fn default() -> Self {
        Self::new()
    }
}

impl ManagementApi {
    /// At `/manage/v1` below the issuer. A token that a client holds for itself may do what its scope says; one that
    /// speaks for a user may do that with what is their own.
    pub fn new() -> Self {
        Self { path: "/manage/v1".to_owned(), access: None }
    }

    /// Below this path, which begins with a slash and does not end with one, and is below the issuer's.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// Whom to ask what a user may do, beyond the scope of the token that speaks for them. Only
    /// [`Access::may`] is asked: who the user is, the token says.
    pub fn access(self, access: impl Access) -> Self {
        Self { access: Some(Arc::new(access)), ..self }
    }

    pub(crate) fn mount(self, issuer: &Issuer, keys: &KeySpace, secret: &SecretBytes) -> Result<Mounted, ConfigError> {
        let segments = |path: &str| path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain));
        if !segments(&self.path) {
            return Err(ConfigError::ManagementPath(self.path));
        }
        let base = issuer.endpoint(&self.path);
        Ok(Mounted {
            path: [issuer.path(), &self.path].concat(),
            document: openapi::document(&base, issuer),
            base,
            access: self.access,
            idempotency: SecretBytes::new(derive(secret, &keys.tenant(), b"creations that are sent again")),
        })
    }
}

fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(plain)
}

/// The API of a server.
pub(crate) struct Mounted {
    path: String,
    /// The URL that it is mounted at.
    pub(super) base: String,
    pub(super) document: String,
    pub(super) access: Option<Arc<dyn Access>>,
    /// What creations that can be sent again are drawn from.
    pub(super) idempotency: SecretBytes,
}

impl Mounted {
    /// What a path is here; `None` if it lies elsewhere.
    pub(crate) fn route(&self, whole: &str) -> Option<Matched> {
        let rest = whole.strip_prefix(self.path.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| operation::route(rest))
    }
}

impl std::fmt::Debug for ManagementApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManagementApi").field("path", &self.path).finish_non_exhaustive()
    }
}
