//! What answers hold. Each view has its fields here, and the same list, in `openapi.rs`, describes it.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::client::{Client, ClientSecret};
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::manage::{Activity, BusyClient, ConnectedApp, DayCount, Grant, InitialAccessToken, Usage};
use crate::secret::Secret;
use crate::store::{Cursor, State};

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: String,
    headers: Vec<(HeaderName, String)>,
}

impl Answer {
    pub(super) fn ok(body: &Value) -> Self {
        Self { status: StatusCode::OK, body: body.to_string(), headers: Vec::new() }
    }

    pub(super) fn created(location: String, body: &Value) -> Self {
        Self { status: StatusCode::CREATED, body: body.to_string(), headers: vec![(LOCATION, location)] }
    }

    pub(super) const fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: String::new(), headers: Vec::new() }
    }

    /// With the revision that `If-Match` takes.
    pub(super) fn at_revision(mut self, revision: u64) -> Self {
        self.headers.push((ETAG, format!("\"{revision}\"")));
        self
    }

    /// With the next page.
    pub(super) fn page(items: &[Value], next: Option<&Cursor>, url: impl FnOnce(&str) -> String) -> Self {
        let next = next.map(|next| url(&next.to_text()));
        let mut answer = Self::ok(&json!({ "items": items, "next": next }));
        answer.headers.extend(next.map(|next| (LINK, format!("<{next}>; rel=\"next\""))));
        answer
    }

    pub(super) fn into_response(self) -> Response<String> {
        let mut response = if self.status == StatusCode::NO_CONTENT {
            let mut response = json(self.status, String::new());
            response.headers_mut().remove(CONTENT_TYPE);
            response
        } else {
            json(self.status, self.body)
        };
        for (name, value) in self.headers {
            match HeaderValue::from_str(&value) {
                Ok(value) => response.headers_mut().insert(name, value),
                Err(_) => return Problem::from(Failure::Corrupt).into_response(),
            };
        }
        response
    }
}

/// JSON that nobody may keep.
pub(super) fn json(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A view with a secret that is shown once, where there is one to show.
pub(super) fn with_secret(mut view: Value, name: &str, secret: Option<&Secret>) -> Value {
    if let Some(fields) = view.as_object_mut() {
        fields.insert(name.to_owned(), secret.map(Secret::expose).into());
    }
    view
}

/// A moment in seconds, or nothing for never.
fn moment(moment: Timestamp) -> Value {
    if moment == Timestamp::NEVER { Value::Null } else { moment.as_secs().into() }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Live => "active",
        State::Inactive => "inactive",
        State::Revoked => "revoked",
        State::Deleted => "deleted",
    }
}

/// The state that a filter names.
pub(super) fn state_named(name: &str) -> Option<State> {
    [State::Live, State::Inactive, State::Deleted].into_iter().find(|known| state(*known) == name)
}

pub(super) fn client(client: &Client) -> Result<Value, Failure> {
    let metadata = serde_json::to_value(client.metadata()).map_err(|_| Failure::Corrupt)?;
    Ok(json!({
        "client_id": client.id(),
        "state": state(client.state()),
        "created_at": moment(client.created_at()),
        "metadata": metadata,
    }))
}

pub(super) fn secret(secret: &ClientSecret) -> Value {
    json!({
        "id": secret.id,
        "label": secret.label,
        "created_at": moment(secret.created_at),
        "expires_at": moment(secret.expires_at),
        "last_used_at": secret.last_used_at.map(moment),
    })
}

pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "live_grants": usage.live_grants.number,
        "more": usage.live_grants.more,
        "last_used_at": usage.last_used_at.map(moment),
        "tokens_issued": usage.tokens_issued,
        "requests_refused": usage.requests_refused,
        "days": days(&usage.days),
    })
}

pub(super) fn activity(activity: &Activity) -> Value {
    let busy = |busy: &BusyClient| {
        json!({
            "client_id": busy.client.id(),
            "client_name": busy.client.metadata().client_name,
            "issued": busy.issued,
            "refused": busy.refused,
        })
    };
    json!({
        "tokens_issued": activity.tokens_issued,
        "requests_refused": activity.requests_refused,
        "days": days(&activity.days),
        "busiest": activity.busiest.iter().map(busy).collect::<Vec<_>>(),
    })
}

/// Days by the moment at which they begin.
fn days(days: &[DayCount]) -> Value {
    let day = |count: &DayCount| json!({ "day": moment(count.begins_at()), "issued": count.issued, "refused": count.refused });
    days.iter().map(day).collect()
}

pub(super) fn initial_access_token(token: &InitialAccessToken) -> Value {
    json!({
        "id": token.id,
        "label": token.label,
        "uses": token.uses,
        "used": token.used,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
    })
}

pub(super) fn grant(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "subject": grant.subject,
        "client_id": grant.client_id,
        "name": grant.name,
        "device": grant.device,
        "scope": grant.scope,
        "created_at": moment(grant.created_at),
        "expires_at": moment(grant.expires_at),
        "last_used_at": grant.last_used_at.map(moment),
        "live": grant.live,
        "revoked": grant.revoked,
    })
}

pub(super) fn app(app: &ConnectedApp) -> Value {
    let consent = app.consent.as_ref().map(|consent| {
        let resources: Vec<&str> = consent.resources.iter().map(crate::wire::uri::Resource::as_str).collect();
        json!({ "scope": consent.scope, "resources": resources, "until": moment(consent.until) })
    });
    json!({
        "client_id": app.client_id,
        "client_name": app.client_name,
        "client_uri": app.client_uri,
        "scope": app.scope,
        "consent": consent,
        "created_at": moment(app.created_at),
        "last_used_at": app.last_used_at.map(moment),
        "sessions": app.sessions.iter().map(grant).collect::<Vec<_>>(),
    })
}
