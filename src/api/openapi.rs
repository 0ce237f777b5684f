//! The document (`OpenAPI` 3.1), made from the operations.

use serde_json::{Map, Value, json};

use super::operation::{Described, Header, OPERATIONS, SCOPES};
use crate::client::{AuthMethod, ClientMetadata};
use crate::endpoint::metadata::path;
use crate::wire::uri::Issuer;

/// The document of an API mounted at `base`.
pub(super) fn document(base: &str, issuer: &Issuer) -> String {
    let (authorize, token) = (issuer.endpoint(path::AUTHORIZE), issuer.endpoint(path::TOKEN));
    let mut paths: Map<String, Value> = Map::new();
    for described in &OPERATIONS {
        let path = paths.entry(described.path).or_insert_with(|| parameters_of(described.path));
        if let Some(path) = path.as_object_mut() {
            path.insert(described.method.to_ascii_lowercase(), operation(described));
        }
    }
    let scopes: Map<String, Value> = SCOPES.iter().map(|(name, about)| ((*name).to_owned(), json!(about))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Management of an authorization server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Clients, what was granted to them, and personal tokens. Moments are seconds since 1970; null is never.",
        },
        "servers": [{ "url": base }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "oauth2": {
                "type": "oauth2",
                "description": "A token of the server itself, in the Authorization header.",
                "flows": {
                    "clientCredentials": { "tokenUrl": token, "scopes": scopes },
                    "authorizationCode": {
                        "authorizationUrl": authorize,
                        "tokenUrl": token,
                        "scopes": scopes,
                    },
                },
            }},
        },
    })
    .to_string()
}

/// The parameters in a path, which all its methods share.
fn parameters_of(path: &str) -> Value {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if parameters.is_empty() { json!({}) } else { json!({ "parameters": parameters }) }
}

fn operation(described: &Described) -> Value {
    let mut operation = json!({
        "operationId": name_of(described),
        "summary": described.summary,
        "security": if described.scope.is_empty() { json!([]) } else { json!([{ "oauth2": [described.scope] }]) },
        "responses": responses(described),
    });
    let parameters = parameters(described);
    if let Some(fields) = operation.as_object_mut() {
        if !parameters.is_empty() {
            fields.insert("parameters".to_owned(), parameters.into());
        }
        if !described.takes.is_empty() {
            let content = json!({ "application/json": { "schema": reference(described.takes) } });
            fields.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        }
    }
    operation
}

/// The operation's name in the manner of programs: `listClients`.
fn name_of(described: &Described) -> String {
    let name = format!("{:?}", described.operation);
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn parameters(described: &Described) -> Vec<Value> {
    let query = |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let mut parameters = Vec::new();
    if described.answers.1 == "ClientPage" {
        let methods: Vec<&str> = AuthMethod::ALL.into_iter().map(AuthMethod::as_str).collect();
        let about = "Part of the name, or the beginning of the client_id, without regard to ASCII case.";
        parameters.extend([
            query("search", json!({ "type": "string", "description": about })),
            query("state", json!({ "enum": ["active", "inactive", "deleted"] })),
            query("auth_method", json!({ "enum": methods })),
            query("order", json!({ "enum": ["newest", "oldest", "name"], "default": "newest" })),
        ]);
    }
    if described.is_list() {
        parameters.extend([
            query("cursor", json!({ "type": "string", "description": "From `next` of the page before." })),
            query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 50 })),
        ]);
    }
    let header = |name: &str, required: bool, about: &str| json!({ "name": name, "in": "header", "required": required, "description": about, "schema": { "type": "string" } });
    match described.header {
        Header::None => {}
        Header::IdempotencyKey => {
            let about = "Sent again within a day, with the same body, it answers the same and creates nothing.";
            parameters.push(header("Idempotency-Key", false, about));
        }
        Header::IfMatch => parameters.push(header("If-Match", true, "The ETag that was read, or `*`.")),
    }
    parameters
}

fn responses(described: &Described) -> Value {
    let mut responses = Map::new();
    let (status, schema) = described.answers;
    let mut success = json!({ "description": "Done." });
    if let Some(fields) = success.as_object_mut().filter(|_| !schema.is_empty()) {
        let schema = if schema == "Document" { json!({ "type": "object" }) } else { reference(schema) };
        fields.insert("content".to_owned(), json!({ "application/json": { "schema": schema } }));
    }
    responses.insert(status.to_string(), success);
    let problem = json!({ "application/problem+json": { "schema": reference("Problem") } });
    let mut refused = |status: &str, about: &str| {
        responses.insert(status.to_owned(), json!({ "description": about, "content": problem }));
    };
    if !described.scope.is_empty() {
        refused("401", "There is no token, or none that counts.");
        refused("403", "The token, or whoever it speaks for, may not do that.");
    }
    if described.path.contains('{') {
        refused("404", "There is no such thing.");
    }
    if !described.takes.is_empty() {
        refused("415", "The body is not JSON.");
        refused("422", "The body cannot be carried out; `code` and `detail` say why.");
    }
    if matches!(described.header, Header::IfMatch) {
        refused("412", "Somebody changed it meanwhile.");
        refused("428", "If-Match is missing.");
    }
    refused("default", "Something else is wrong; `code` says what.");
    responses.into()
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

const TEXT: &str = "string";
const NUMBER: &str = "integer";
const YES_NO: &str = "boolean";

/// An object with these fields, all of them there.
fn object(fields: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// The same, of which only `needed` must be there.
fn partial(fields: &[(&str, Value)], needed: &[&str]) -> Value {
    let mut schema = object(fields);
    if let Some(object) = schema.as_object_mut() {
        object.insert("required".to_owned(), json!(needed));
    }
    schema
}

fn schemas() -> Value {
    let of = |kind: &str| json!({ "type": kind });
    let or_null = |kind: &str| json!({ "type": [kind, "null"] });
    let all = |schema: &str| json!({ "type": "array", "items": reference(schema) });
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let page = |schema: &str| object(&[("items", all(schema)), ("next", or_null(TEXT))]);
    let client = [
        ("client_id", of(TEXT)),
        ("state", json!({ "enum": ["active", "inactive", "deleted"] })),
        ("created_at", of(NUMBER)),
        ("metadata", reference("ClientMetadata")),
    ];
    let grant = [
        ("id", of(TEXT)),
        ("subject", of(TEXT)),
        ("client_id", of(TEXT)),
        ("name", of(TEXT)),
        ("device", of(TEXT)),
        ("scope", of(TEXT)),
        ("created_at", of(NUMBER)),
        ("expires_at", or_null(NUMBER)),
        ("last_used_at", or_null(NUMBER)),
        ("live", of(YES_NO)),
        ("revoked", of(YES_NO)),
    ];
    let secret = [
        ("id", of(NUMBER)),
        ("label", of(TEXT)),
        ("created_at", of(NUMBER)),
        ("expires_at", or_null(NUMBER)),
        ("last_used_at", or_null(NUMBER)),
    ];
    let consent = [("scope", of(TEXT)), ("resources", texts()), ("until", of(NUMBER))];
    let app = [
        ("client_id", of(TEXT)),
        ("client_name", of(TEXT)),
        ("client_uri", or_null(TEXT)),
        ("scope", of(TEXT)),
        ("consent", json!({ "anyOf": [reference("Consent"), { "type": "null" }] })),
        ("created_at", of(NUMBER)),
        ("last_used_at", or_null(NUMBER)),
        ("sessions", all("Grant")),
    ];
    let counted = [("tokens_issued", of(NUMBER)), ("requests_refused", of(NUMBER)), ("days", all("Day"))];
    let live = [("live_grants", of(NUMBER)), ("more", of(YES_NO)), ("last_used_at", or_null(NUMBER))];
    let usage = [live.as_slice(), &counted].concat();
    let busy = [("client_id", of(TEXT)), ("client_name", of(TEXT)), ("issued", of(NUMBER)), ("refused", of(NUMBER))];
    let initial = [
        ("id", of(TEXT)),
        ("label", of(TEXT)),
        ("uses", of(NUMBER)),
        ("used", of(NUMBER)),
        ("created_at", of(NUMBER)),
        ("expires_at", or_null(NUMBER)),
    ];
    let new_initial = [("label", of(TEXT)), ("uses", of(NUMBER)), ("expires_at", of(NUMBER))];
    let new_token = [("name", of(TEXT)), ("scope", of(TEXT)), ("lifetime", of(NUMBER)), ("resources", texts())];
    let new_secret = [("label", of(TEXT)), ("expires_at", or_null(NUMBER)), ("others_end_after", or_null(NUMBER))];
    let problem =
        [("type", of(TEXT)), ("title", of(TEXT)), ("status", of(NUMBER)), ("code", of(TEXT)), ("detail", of(TEXT))];
    json!({
        "Client": object(&client),
        "CreatedClient": object(&[client.as_slice(), &[("client_secret", or_null(TEXT))]].concat()),
        "ClientMetadata": metadata(),
        "ClientPage": page("Client"),
        "Usage": object(&usage),
        "Day": object(&[("day", of(NUMBER)), ("issued", of(NUMBER)), ("refused", of(NUMBER))]),
        "Activity": object(&[counted.as_slice(), &[("busiest", all("BusyClient"))]].concat()),
        "BusyClient": object(&busy),
        "Secret": object(&secret),
        "SecretList": object(&[("items", all("Secret"))]),
        "NewSecret": partial(&new_secret, &[]),
        "CreatedSecret": object(&[("id", of(NUMBER)), ("client_secret", of(TEXT))]),
        "Grant": object(&grant),
        "GrantPage": page("Grant"),
        "Consent": object(&consent),
        "App": object(&app),
        "AppPage": page("App"),
        "Subject": object(&[("subject", of(TEXT)), ("active", of(YES_NO))]),
        "SweepFrom": partial(&[("next", or_null(TEXT))], &[]),
        "Sweep": object(&[("clients", of(NUMBER)), ("next", or_null(TEXT))]),
        "InitialAccessToken": object(&initial),
        "InitialAccessTokenPage": page("InitialAccessToken"),
        "NewInitialAccessToken": partial(&new_initial, &["label", "expires_at"]),
        "CreatedInitialAccessToken": object(&[initial.as_slice(), &[("token", of(TEXT))]].concat()),
        "TokenChoices": object(&[("scope", of(TEXT)), ("lifetimes", json!({ "type": "array", "items": of(NUMBER) }))]),
        "TokenList": object(&[("items", all("Grant"))]),
        "NewToken": partial(&new_token, &["name", "scope", "lifetime"]),
        "TokenScope": object(&[("scope", of(TEXT))]),
        "CreatedToken": object(&[grant.as_slice(), &[("token", of(TEXT))]].concat()),
        "Problem": object(&problem),
    })
}

/// What is registered of a client, read off a value that has all of it: a field that is added to the type is in the
/// document too.
fn metadata() -> Value {
    let web = || Some("https://app.example".to_owned());
    let full = ClientMetadata {
        description: "x".to_owned(),
        application_type: Some(crate::client::ApplicationType::Web),
        client_uri: web(),
        logo_uri: web(),
        tos_uri: web(),
        policy_uri: web(),
        contacts: web().into_iter().collect(),
        access_token_lifetime: Some(1),
        refresh_token_lifetime: Some(1),
        resources: crate::wire::uri::Resource::parse("https://api.example").into_iter().collect(),
        ..ClientMetadata::default()
    };
    let sample = serde_json::to_value(full).unwrap_or_default();
    let properties: Map<String, Value> = sample
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let schema = match value {
                Value::Bool(_) => json!({ "type": YES_NO }),
                Value::Number(_) => json!({ "type": NUMBER }),
                Value::Array(_) => json!({ "type": "array", "items": { "type": TEXT } }),
                Value::Null | Value::String(_) | Value::Object(_) => json!({ "type": TEXT }),
            };
            (name.clone(), schema)
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
