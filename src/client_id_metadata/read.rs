//! From a document to client metadata.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Documents;
use crate::client::{AuthMethod, ClientMetadata, Described};
use crate::context::Context;
use crate::fetch::Fetched;
use crate::grant::{authorization_code, check_metadata};
use crate::refusal::DocumentError;
use crate::wire::document;

/// The longest document, in bytes, as the draft proposes.
pub(super) const LIMIT: usize = 5 * 1024;

/// What a document says, with what was not said filled in.
pub(super) fn read(
    context: &Context,
    documents: &Documents,
    id: &str,
    fetched: &Fetched,
) -> Result<(Described, ClientMetadata), DocumentError> {
    if !is_json(&fetched.content_type) {
        return Err(DocumentError::ContentType);
    }
    if fetched.body.len() > LIMIT {
        return Err(crate::refusal::FetchError::TooLarge.into());
    }
    let mut members = document::parse(&fetched.body).map_err(|_| DocumentError::Unreadable)?;
    // By simple string comparison: nothing is normalised.
    if members.get("client_id").and_then(Value::as_str) != Some(id) {
        return Err(DocumentError::ClientId);
    }
    refuse_secrets(&members)?;
    // Public keys are for a method that this server does not have; beside `none` they mean nothing.
    members.remove("jwks");
    members.remove("jwks_uri");
    if ["client_name", "redirect_uris"].iter().any(|name| members.get(*name).is_none_or(Value::is_null)) {
        return Err(DocumentError::Incomplete);
    }
    let mut described = Described::read(&members).map_err(|_| DocumentError::Metadata)?;
    // The defaults of registration would make it a client with a secret, which it cannot have.
    if described.auth_method.as_deref().is_some_and(|method| method != AuthMethod::None.as_str()) {
        return Err(DocumentError::AuthMethod);
    }
    // A document is for every server: what this one does not have is left out.
    if let Some(grant_types) = &mut described.grant_types {
        let own = [authorization_code::GRANT_TYPE, crate::grant::refresh_token::GRANT_TYPE];
        grant_types.retain(|name| own.contains(&name.as_str()));
        if !grant_types.iter().any(|name| name == authorization_code::GRANT_TYPE) {
            return Err(DocumentError::Metadata);
        }
    }
    described.keep_response_type("code").map_err(|_| DocumentError::Metadata)?;
    described.scope = described.scope.map(|scope| scope.intersection(&documents.scope));
    let metadata = described
        .metadata(AuthMethod::None, &documents.scope, ClientMetadata::default())
        .map_err(|_| DocumentError::Metadata)?;
    if metadata.scope.is_empty() && !documents.scope.is_empty() {
        return Err(DocumentError::Metadata);
    }
    check_metadata(context, &metadata).map_err(|_| DocumentError::Metadata)?;
    Ok((described, metadata))
}

/// Whatever stands in a document, everybody can read.
fn refuse_secrets(members: &Map<String, Value>) -> Result<(), DocumentError> {
    let secret = ["client_secret", "client_secret_expires_at"].iter().any(|name| members.contains_key(*name));
    let keys = members.get("jwks").and_then(|jwks| jwks.get("keys")).and_then(Value::as_array);
    // RFC 7518 §6: what a private key has and a public one has not, and what a symmetric key is.
    let private =
        |key: &Value| ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| key.get(name).is_some());
    if secret || keys.is_some_and(|keys| keys.iter().any(private)) { Err(DocumentError::Secret) } else { Ok(()) }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// How long a document is kept: as its `Cache-Control` says (RFC 9111 §5.2.2), within these bounds; an hour where it says
/// nothing.
pub(super) fn kept_for(cache_control: Option<&str>, (least, most): (Duration, Duration)) -> Duration {
    let directives =
        cache_control.unwrap_or_default().split(',').map(|directive| directive.trim().to_ascii_lowercase());
    let mut wanted = Duration::from_secs(3600);
    for directive in directives {
        if matches!(directive.split('=').next().unwrap_or_default(), "no-store" | "no-cache") {
            return least;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            wanted = Duration::from_secs(seconds.trim_matches('"').parse().unwrap_or(0));
        }
    }
    wanted.clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caching_is_as_the_host_of_the_document_says_within_bounds() {
        let bounds = (Duration::from_secs(300), Duration::from_secs(86_400));
        for (header, seconds) in [
            (None, 3_600),
            (Some(""), 3_600),
            (Some("public"), 3_600),
            (Some("max-age=600"), 600),
            (Some("Public, Max-Age=\"7200\""), 7_200),
            (Some("max-age=1"), 300),
            (Some("max-age=0, must-revalidate"), 300),
            (Some("max-age=999999999"), 86_400),
            (Some("max-age=99999999999999999999999"), 300),
            (Some("max-age=-1"), 300),
            (Some("max-age=600, no-store"), 300),
            (Some("no-cache"), 300),
            (Some("private=\"x\", no-cache=\"set-cookie\""), 300),
        ] {
            assert_eq!(kept_for(header, bounds), Duration::from_secs(seconds), "{header:?}");
        }
    }

    #[test]
    fn json_is_declared_as_json() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "text/html", "text/json", "application/jsonp", "application/json, text/html", "image/svg+json"] {
            assert!(!is_json(no), "{no}");
        }
    }
}
