//! Authorization server metadata (RFC 8414), made once from the configuration that the endpoints go by.

use serde::Serialize;

use crate::client::AuthMethod;
use crate::extension::Methods;
use crate::grant::device_code;
use crate::interaction::ResponseMode;
use crate::wire::scope::Scope;
use crate::wire::uri::Issuer;

/// Paths of the endpoints below the issuer.
pub(crate) mod path {
    pub(crate) const AUTHORIZE: &str = "/authorize";
    pub(crate) const DEVICE: &str = "/device";
    pub(crate) const DEVICE_AUTHORIZATION: &str = "/device_authorization";
    pub(crate) const INTERACTION: &str = "/interaction";
    pub(crate) const TOKEN: &str = "/token";
    pub(crate) const REVOKE: &str = "/revoke";
    pub(crate) const INTROSPECT: &str = "/introspect";
    pub(crate) const REGISTER: &str = "/register";
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "RFC 8414 has it so")]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: Vec<&'a str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
}

/// What a host may leave off.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Offered {
    pub(crate) registration: bool,
    pub(crate) client_documents: bool,
}

/// The document.
pub(crate) fn document(
    issuer: &Issuer,
    scopes: &Scope,
    own_grants: &[&str],
    extension_grants: &[&str],
    offered: Offered,
    client_authentication: &Methods,
) -> Result<String, serde_json::Error> {
    let methods = || AuthMethod::ALL.into_iter().map(AuthMethod::as_str).chain(client_authentication.names());
    let device = own_grants.contains(&device_code::GRANT_TYPE);
    serde_json::to_string(&Metadata {
        issuer: issuer.as_str(),
        authorization_endpoint: issuer.endpoint(path::AUTHORIZE),
        token_endpoint: issuer.endpoint(path::TOKEN),
        revocation_endpoint: issuer.endpoint(path::REVOKE),
        introspection_endpoint: issuer.endpoint(path::INTROSPECT),
        device_authorization_endpoint: device.then(|| issuer.endpoint(path::DEVICE_AUTHORIZATION)),
        registration_endpoint: offered.registration.then(|| issuer.endpoint(path::REGISTER)),
        scopes_supported: scopes.tokens().collect(),
        response_types_supported: ["code"],
        response_modes_supported: [ResponseMode::Query.as_str(), ResponseMode::FormPost.as_str()],
        grant_types_supported: own_grants.iter().chain(extension_grants).copied().collect(),
        token_endpoint_auth_methods_supported: methods().collect(),
        revocation_endpoint_auth_methods_supported: methods().collect(),
        introspection_endpoint_auth_methods_supported: methods()
            .filter(|method| *method != AuthMethod::None.as_str())
            .collect(),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        client_id_metadata_document_supported: offered.client_documents,
    })
}
