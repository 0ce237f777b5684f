//! The same over HTTP, for tests in other languages: what [`TestServer`](super::TestServer) has as methods, below
//! `/_testing`.

use std::sync::PoisonError;
use std::time::Duration;

use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::handle::Inner;
use super::mint::{self, MintTerms};
use super::script::Decision;
use super::{Fault, Injection, RecordedRequest, TestServer, end, personal};
use crate::client::ClientMetadata;
use crate::clock::{Clock as _, Timestamp};
use crate::manage::Registration;
use crate::secret::Secret;
use crate::wire::error::ErrorCode;
use crate::wire::scope::Scope;

/// What was asked cannot be done; told as it is, since a developer reads it.
type Refused = String;

/// The answer to a request for one of the control endpoints; `None` for any other.
pub(super) async fn answer(inner: &Inner, request: &RecordedRequest) -> Option<Response<String>> {
    let path = request.path.strip_prefix("/_testing/")?;
    let (get, post, delete) =
        (request.method == Method::GET, request.method == Method::POST, request.method == Method::DELETE);
    let answered = match path {
        "tokens" if post => tokens(inner, request).await,
        "clients" if post => clients(inner, request).await,
        "user" if post => user(inner, request),
        "clock" if get => Ok(clock_shows(inner)),
        "clock" if post => clock(inner, request),
        "revoke" if post => revoke(inner, request).await,
        "requests" if get => Ok(inner.log.all().iter().map(told).collect()),
        "requests" if delete => Ok(inner.log.take().iter().map(told).collect()),
        "events" if get => Ok(json!(&*inner.events.lock().unwrap_or_else(PoisonError::into_inner))),
        "events" if delete => {
            Ok(json!(std::mem::take(&mut *inner.events.lock().unwrap_or_else(PoisonError::into_inner))))
        }
        "faults" if post => fault(inner, request),
        "faults" if delete => {
            inner.faults.clear();
            Ok(json!({}))
        }
        "tokens" | "clients" | "user" | "clock" | "revoke" | "requests" | "events" | "faults" => {
            return Some(crate::http::json(StatusCode::METHOD_NOT_ALLOWED, String::new()));
        }
        _ => return Some(crate::http::json(StatusCode::NOT_FOUND, json!({"error": "no such endpoint"}).to_string())),
    };
    Some(match answered {
        Ok(body) => crate::http::json(StatusCode::OK, body.to_string()),
        Err(why) => crate::http::json(StatusCode::BAD_REQUEST, json!({ "error": why }).to_string()),
    })
}

fn read<T: for<'d> Deserialize<'d>>(request: &RecordedRequest) -> Result<T, Refused> {
    serde_json::from_slice(&request.body).map_err(|error| format!("the body is not what this endpoint takes: {error}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensAsked {
    subject: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    audience: Vec<String>,
    expires_in: Option<u64>,
    #[serde(default)]
    valid_in: u64,
    /// A personal token of this name.
    personal: Option<String>,
}

async fn tokens(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    let asked: TokensAsked = read(request)?;
    let client = asked.client_id.unwrap_or_else(|| TestServer::CLIENT_ID.into());
    let terms = MintTerms {
        scope: asked.scope,
        audience: asked.audience,
        lifetime: asked.expires_in.map(Duration::from_secs),
        begins_in: Duration::from_secs(asked.valid_in),
        ..MintTerms::new(client.into(), asked.subject.map(Into::into))
    };
    if let Some(name) = asked.personal {
        let token = personal::token(inner, &terms, Some(name)).await.map_err(|error| error.to_string())?;
        return Ok(json!({ "token": token }));
    }
    mint::tokens(inner, terms).await.map(|tokens| json!(tokens)).map_err(|error| error.to_string())
}

async fn clients(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    let mut members: serde_json::Map<String, Value> = read(request)?;
    let mut own = |name: &str| members.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (client_id, client_secret) = (own("client_id"), own("client_secret"));
    let metadata: ClientMetadata = serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
    let registration =
        Registration { metadata, client_id: client_id.map(Into::into), client_secret: client_secret.map(Secret::from) };
    let made = inner.server.clients().register(registration).await.map_err(|error| error.to_string())?;
    let mut answer = json!({ "client_id": made.client.id() });
    if let (Some(secret), Some(members)) = (&made.secret, answer.as_object_mut()) {
        members.insert("client_secret".into(), secret.expose().into());
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserAsked {
    /// Absent: as before; null: nobody.
    #[expect(clippy::option_option, reason = "absent, null and a name are three")]
    #[serde(default, deserialize_with = "present")]
    subject: Option<Option<String>>,
    decision: Option<String>,
    scope: Option<String>,
}

#[expect(clippy::option_option, reason = "absent, null and a name are three")]
fn present<'d, D: serde::Deserializer<'d>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn user(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    let asked: UserAsked = read(request)?;
    let scope = asked.scope.map(|scope| Scope::parse(&scope)).transpose().map_err(|error| error.to_string())?;
    let decision = match asked.decision.as_deref() {
        Some("approve") => Some(Decision::Approve(scope)),
        Some("deny") => Some(Decision::Deny),
        Some("ask") => Some(Decision::Ask),
        Some(other) => return Err(format!("the user can approve, deny or ask, but not {other:?}")),
        None => scope.map(|scope| Decision::Approve(Some(scope))),
    };
    inner.script.change(|script| {
        if let Some(subject) = asked.subject {
            (script.user, script.authenticated_at) = (subject.map(Into::into), None);
        }
        if let Some(decision) = decision {
            script.decision = decision;
        }
    });
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockAsked {
    /// By so many seconds.
    Advance(u64),
    /// To so many seconds after the epoch.
    Set(i64),
}

fn clock_shows(inner: &Inner) -> Value {
    json!({ "now": inner.clock.now().as_secs(), "running": inner.clock.is_running() })
}

fn clock(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    match read(request)? {
        ClockAsked::Advance(seconds) => inner.clock.advance(Duration::from_secs(seconds)),
        ClockAsked::Set(seconds) => inner.clock.set(Timestamp::from_secs(seconds)),
    }
    Ok(clock_shows(inner))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RevokeAsked {
    Token(String),
    Subject(String),
}

async fn revoke(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    match read(request)? {
        RevokeAsked::Token(token) => match end::revoke(inner, &token).await {
            Ok(true) => Ok(json!({})),
            Ok(false) => Err("there is no such token".into()),
            Err(error) => Err(error.to_string()),
        },
        RevokeAsked::Subject(subject) => {
            let ended = inner.server.subjects().revoke_all(&subject.into()).await;
            ended.map(|()| json!({})).map_err(|error| error.to_string())
        }
    }
}

/// A request as it is told: what is not text in its body is not.
fn told(request: &RecordedRequest) -> Value {
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
    json!({
        "at": request.at.as_secs(),
        "method": request.method.as_str(),
        "path": request.path,
        "query": request.query,
        "headers": headers.collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(&request.body),
        "fault": request.fault.as_ref().map(|fault| format!("{fault:?}")),
        "status": request.status.map(|status| status.as_u16()),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultAsked {
    fault: String,
    /// For `error`.
    error: Option<String>,
    /// For `answer`.
    status: Option<u16>,
    body: Option<String>,
    /// For `slow`.
    milliseconds: Option<u64>,
    times: Option<usize>,
    path: Option<String>,
    /// Parameters that the request must have, with these values.
    #[serde(default, rename = "where")]
    parameters: std::collections::BTreeMap<String, String>,
}

fn fault(inner: &Inner, request: &RecordedRequest) -> Result<Value, Refused> {
    let asked: FaultAsked = read(request)?;
    let mut injection = Injection::from(what(&asked)?).times(asked.times.unwrap_or(1));
    if let Some(path) = &asked.path {
        injection = injection.on(path);
    }
    if !asked.parameters.is_empty() {
        let wanted = asked.parameters;
        injection = injection
            .when(move |request| wanted.iter().all(|(name, value)| request.parameter(name).as_ref() == Some(value)));
    }
    inner.faults.add(injection);
    Ok(json!({}))
}

fn what(asked: &FaultAsked) -> Result<Fault, Refused> {
    Ok(match asked.fault.as_str() {
        "error" => {
            let name = asked.error.as_deref().ok_or("the fault `error` needs an `error`")?;
            let code = ErrorCode::ALL.iter().find(|code| code.as_str() == name);
            Fault::Error(*code.ok_or_else(|| format!("{name:?} is not an error code of OAuth"))?)
        }
        "answer" => {
            let status = asked.status.unwrap_or(200);
            let status = StatusCode::from_u16(status).map_err(|_| format!("{status} is not a status"))?;
            Fault::Answer(status, asked.body.clone().unwrap_or_default())
        }
        "slow" => {
            Fault::Slow(Duration::from_millis(asked.milliseconds.ok_or("the fault `slow` needs `milliseconds`")?))
        }
        "server_error" => Fault::ServerError,
        "unavailable" => Fault::Unavailable,
        "unavailable_after" => Fault::UnavailableAfter,
        "silence" => Fault::Silence,
        "reset_before" => Fault::ResetBefore,
        "reset_after" => Fault::ResetAfter,
        "wrong_issuer" => Fault::WrongIssuer,
        "wrong_audience" => Fault::WrongAudience,
        "expired_token" => Fault::ExpiredToken,
        "not_yet_valid_token" => Fault::NotYetValidToken,
        other => return Err(format!("there is no fault {other:?}")),
    })
}
