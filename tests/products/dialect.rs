//! How the clients of an older product speak, in front of a core that stays strict: scopes separated by commas,
//! `POST /revoke?access_token=…`, and an answer of its own shape. This is the whole of what a host writes for it.

use async_trait::async_trait;
use grantor::wire::form::{Form, encode_component};
use grantor::{Dialect, Site};
use http::{HeaderValue, Request, Response, Uri};
use serde_json::json;

pub struct Commas;

#[async_trait]
impl Dialect for Commas {
    fn speaks(&self, path: &str) -> bool {
        matches!(path, "/authorize" | "/token" | "/revoke")
    }

    async fn answer(&self, core: &Site, request: Request<String>) -> Response<String> {
        if request.uri().path() == "/revoke" {
            return revoke(core, &request).await;
        }
        let token = request.uri().path() == "/token";
        let answer = strictly(core, with_spaces(request)).await;
        if token { answer.map(|body| with_commas(&body)) } else { answer }
    }
}

async fn strictly(core: &Site, request: Request<String>) -> Response<String> {
    core.handle(request).await.unwrap_or_else(|_| Response::new(String::new()))
}

/// The token comes in the query, from whoever has it, and ends with its refresh token. What has ended has ended: that
/// is no error (RFC 7009 §2.2).
async fn revoke(core: &Site, request: &Request<String>) -> Response<String> {
    let query = request.uri().query().unwrap_or_default();
    let token = Form::parse(query.as_bytes()).ok().and_then(|form| form.get("access_token").map(str::to_owned));
    let (success, message) = match token {
        _ if request.method() != http::Method::POST => (false, "Send a POST request."),
        None => (false, "The parameter access_token is missing."),
        Some(token) => match core.server().grants().revoke_token(&token).await {
            Ok(()) | Err(grantor::manage::ManageError::NotFound) => (true, "The token was revoked."),
            Err(_) => (false, "Try again in a moment."),
        },
    };
    let mut response = Response::new(json!({ "success": success, "message": message }).to_string());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Commas in the parameter `scope` become spaces, wherever the request has its parameters.
fn with_spaces(request: Request<String>) -> Request<String> {
    let (mut parts, body) = request.into_parts();
    let query = parts.uri.query().map(rewrite);
    if let Some(uri) = query.and_then(|query| format!("{}?{query}", parts.uri.path()).parse::<Uri>().ok()) {
        parts.uri = uri;
    }
    Request::from_parts(parts, rewrite(&body))
}

/// What cannot be read is left as it is, for the core to refuse.
fn rewrite(form: &str) -> String {
    let Ok(parsed) = Form::parse(form.as_bytes()) else { return form.to_owned() };
    let mut out = String::new();
    for (name, value) in parsed.pairs() {
        if !out.is_empty() {
            out.push('&');
        }
        encode_component(&mut out, name);
        out.push('=');
        let value = if name == "scope" { value.replace(',', " ") } else { value.to_owned() };
        encode_component(&mut out, &value);
    }
    out
}

fn with_commas(body: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    if let Some(scope) = json.get("scope").and_then(|scope| scope.as_str()).map(|scope| scope.replace(' ', ",")) {
        json["scope"] = scope.into();
    }
    json.to_string()
}
