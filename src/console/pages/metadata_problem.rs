//! What is wrong with an API client, in the reader's language and beside the field.

use crate::client::{MetadataError, RedirectUriError};
use crate::console::Text;
use crate::console::page::Problem;
use crate::console::text::fill;

/// What the field says that a rule was broken by.
pub(super) fn problem(error: &MetadataError, t: &Text) -> Problem {
    match error {
        MetadataError::RedirectUri { index, reason } => {
            let line = index.saturating_add(1).to_string();
            let text = fill(&t.bad_redirect, &[("line", &line), ("reason", redirect_uri(*reason, t))]);
            Problem::new("redirect_uris", text)
        }
        MetadataError::RedirectUris => Problem::new("redirect_uris", &*t.bad_redirect_many),
        MetadataError::RedirectUriMissing => Problem::new("redirect_uris", &*t.bad_redirect_missing),
        MetadataError::RefreshWithoutSource => Problem::new("grants", &*t.bad_grants_refresh),
        MetadataError::PublicWithoutPkce => Problem::new("pkce", &*t.bad_public_pkce),
        MetadataError::PublicWithClientCredentials => Problem::new("method", &*t.bad_public_own),
        MetadataError::PublicWithoutRotation | MetadataError::PublicResourceServer => {
            Problem::new("method", &*t.bad_public)
        }
        MetadataError::Scope => Problem::new("scopes", &*t.bad_scope),
        MetadataError::Text("client_name") => Problem::new("name", &*t.bad_name),
        MetadataError::Text("description") => Problem::new("description", &*t.bad_description),
        other => Problem::new("", fill(&t.bad_else, &[("reason", &other.to_string())])),
    }
}

fn redirect_uri(reason: RedirectUriError, t: &Text) -> &str {
    match reason {
        RedirectUriError::NotAbsolute => &t.bad_uri_absolute,
        RedirectUriError::Fragment => &t.bad_uri_fragment,
        RedirectUriError::UserInfo => &t.bad_uri_user,
        RedirectUriError::PlainHttp => &t.bad_uri_http,
        RedirectUriError::Scheme => &t.bad_uri_scheme,
        RedirectUriError::SchemeWithoutDot => &t.bad_uri_dot,
        RedirectUriError::Path => &t.bad_uri_path,
    }
}
