//! Client metadata as a client writes it of itself: by request (RFC 7591 §2), or in a document of its own.

use serde_json::{Map, Value};

use super::{ApplicationType, AuthMethod, ClientMetadata, redirect};
use crate::wire::scope::Scope;

/// The members of a description that mean something here; what else it has is ignored (RFC 7591 §2).
///
/// A member that is `null` is one that is not there (RFC 7592 §2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    redirect_uris: Vec<String>,
    client_name: String,
    pub(crate) auth_method: Option<String>,
    pub(crate) grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    pub(crate) scope: Option<Scope>,
    application_type: Option<ApplicationType>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    contacts: Vec<String>,
    pub(crate) software: Software,
}

/// What a client says of the software it is an instance of (RFC 7591 §2).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Software {
    #[serde(rename = "software_id", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(rename = "software_version", skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(rename = "software_statement", skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<String>,
}

/// A description that cannot be meant, or not by this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DescriptionError {
    /// A member of the wrong type, or whose text is too long or has control characters.
    #[error("{0} is not what it must be, or too long")]
    Member(&'static str),
    #[error("keys of clients are not supported: leave out jwks and jwks_uri")]
    Keys,
    #[error("the server has no such token_endpoint_auth_method")]
    AuthMethod,
    #[error("grant_types and response_types do not fit together")]
    ResponseTypes,
    #[error("a web application has redirect URIs of https alone")]
    WebRedirect,
    #[error("{0} must be https")]
    PlainHttp(&'static str),
}

/// The longest text of a description, in bytes, but for a software statement.
const MAX_TEXT: usize = 2_048;
/// The longest software statement, in bytes.
const MAX_STATEMENT: usize = 16_384;
/// The most elements of a list.
const MAX_LIST: usize = 100;

impl Described {
    /// Reads the members, each for itself.
    pub(crate) fn read(members: &Map<String, Value>) -> Result<Self, DescriptionError> {
        let member = |name| members.get(name).filter(|value| !value.is_null());
        if member("jwks").is_some() || member("jwks_uri").is_some() {
            return Err(DescriptionError::Keys);
        }
        let text =
            |name| member(name).map(|value| short(value, MAX_TEXT).ok_or(DescriptionError::Member(name))).transpose();
        let texts = |name| member(name).map(|value| list(value).ok_or(DescriptionError::Member(name))).transpose();
        let scope = text("scope")?.map(|scope| Scope::parse(&scope).map_err(|_| DescriptionError::Member("scope")));
        let application_type = match text("application_type")?.as_deref() {
            None => None,
            Some("web") => Some(ApplicationType::Web),
            Some("native") => Some(ApplicationType::Native),
            Some(_) => return Err(DescriptionError::Member("application_type")),
        };
        let statement = member("software_statement")
            .map(|value| short(value, MAX_STATEMENT).ok_or(DescriptionError::Member("software_statement")))
            .transpose()?;
        Ok(Self {
            redirect_uris: texts("redirect_uris")?.unwrap_or_default(),
            client_name: text("client_name")?.unwrap_or_default(),
            auth_method: text("token_endpoint_auth_method")?,
            grant_types: texts("grant_types")?,
            response_types: texts("response_types")?,
            scope: scope.transpose()?,
            application_type,
            client_uri: text("client_uri")?,
            logo_uri: text("logo_uri")?,
            tos_uri: text("tos_uri")?,
            policy_uri: text("policy_uri")?,
            contacts: texts("contacts")?.unwrap_or_default(),
            software: Software { id: text("software_id")?, version: text("software_version")?, statement },
        })
    }

    /// Leaves this response type alone, for a server that has no other; refused where it is not among them.
    pub(crate) fn keep_response_type(&mut self, kept: &str) -> Result<(), DescriptionError> {
        let Some(response_types) = &mut self.response_types else { return Ok(()) };
        response_types.retain(|name| name == kept);
        response_types.dedup();
        if response_types.is_empty() { Err(DescriptionError::ResponseTypes) } else { Ok(()) }
    }

    /// What it comes to, with all defaults filled in: `auth_method` and `scope` where it names none, `base` for what is
    /// no client's to say. Still to be checked by the rules for all metadata.
    pub(crate) fn metadata(
        &self,
        auth_method: AuthMethod,
        scope: &Scope,
        base: ClientMetadata,
    ) -> Result<ClientMetadata, DescriptionError> {
        let auth_method = match self.auth_method.as_deref() {
            None => auth_method,
            Some(name) => {
                AuthMethod::ALL.into_iter().find(|known| known.as_str() == name).ok_or(DescriptionError::AuthMethod)?
            }
        };
        let grant_types = self.grant_types.clone().unwrap_or_else(|| vec!["authorization_code".into()]);
        let code = grant_types.iter().any(|name| name == "authorization_code");
        let fitting: Vec<String> = if code { vec!["code".into()] } else { Vec::new() };
        // The pairs of RFC 7591 §2.1: one without the other is a client that cannot work.
        if self.response_types.as_ref().is_some_and(|asked| *asked != fitting) {
            return Err(DescriptionError::ResponseTypes);
        }
        for (name, url) in [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
        ] {
            if url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
                return Err(DescriptionError::PlainHttp(name));
            }
        }
        let on_device = self.redirect_uris.iter().any(|uri| redirect::is_on_device(uri));
        if self.application_type == Some(ApplicationType::Web) && on_device {
            return Err(DescriptionError::WebRedirect);
        }
        // Who says nothing and is answered on the user's device is native, whatever OpenID Connect has for a default:
        // programs written before MCP 2026-07-28 say nothing.
        let inferred = if on_device { ApplicationType::Native } else { ApplicationType::Web };
        Ok(ClientMetadata {
            client_name: self.client_name.clone(),
            redirect_uris: self.redirect_uris.clone(),
            token_endpoint_auth_method: auth_method,
            grant_types,
            response_types: fitting,
            scope: self.scope.as_ref().unwrap_or(scope).clone(),
            application_type: Some(self.application_type.unwrap_or(inferred)),
            client_uri: self.client_uri.clone(),
            logo_uri: self.logo_uri.clone(),
            tos_uri: self.tos_uri.clone(),
            policy_uri: self.policy_uri.clone(),
            contacts: self.contacts.clone(),
            ..base
        })
    }
}

fn short(value: &Value, most: usize) -> Option<String> {
    let text = value.as_str()?;
    (text.len() <= most && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn list(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array().filter(|items| items.len() <= MAX_LIST)?;
    items.iter().map(|item| short(item, MAX_TEXT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<ClientMetadata, DescriptionError> {
        let Value::Object(members) = json else { panic!("not an object") };
        let scope = Scope::parse("read").unwrap();
        Described::read(&members)?.metadata(AuthMethod::ClientSecretBasic, &scope, ClientMetadata::default())
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_rfc() {
        let metadata = read(serde_json::json!({ "redirect_uris": ["https://a.example/cb"], "scope": null })).unwrap();
        assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
        assert_eq!(metadata.grant_types, ["authorization_code"]);
        assert_eq!(metadata.response_types, ["code"]);
        assert_eq!(metadata.application_type, Some(ApplicationType::Web));
        assert_eq!(metadata.scope.as_str(), "read");
    }

    #[test]
    fn who_is_answered_on_the_device_is_native_unless_it_says_web() {
        for uri in ["http://localhost:3000/cb", "http://127.0.0.1/cb", "com.example.app:/cb"] {
            let metadata = read(serde_json::json!({ "redirect_uris": [uri] })).unwrap();
            assert_eq!(metadata.application_type, Some(ApplicationType::Native), "{uri}");
            let web = read(serde_json::json!({ "redirect_uris": [uri], "application_type": "web" }));
            assert_eq!(web, Err(DescriptionError::WebRedirect), "{uri}");
        }
    }

    #[test]
    fn members_of_the_wrong_type_are_refused_by_name() {
        for (name, value) in [
            ("client_name", serde_json::json!(1)),
            ("client_name", serde_json::json!("a\nb")),
            ("redirect_uris", serde_json::json!("https://a.example/cb")),
            ("redirect_uris", serde_json::json!([null])),
            ("contacts", serde_json::json!([["a"]])),
            ("scope", serde_json::json!(["read"])),
            ("scope", serde_json::json!("a\"b")),
            ("application_type", serde_json::json!("desktop")),
        ] {
            assert_eq!(read(serde_json::json!({ name: value })), Err(DescriptionError::Member(name)));
        }
    }
}
