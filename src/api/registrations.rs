//! Initial access tokens, with which others register clients.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::idempotency::{self, Draw};
use super::output::{self, Answer};
use super::problem::Problem;
use crate::access::Action;
use crate::clock::Timestamp;
use crate::manage::NewInitialAccessToken;

pub(super) async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::InitialAccess).await?;
    call.input.knows(&["cursor", "limit"])?;
    let (after, limit) = call.input.page()?;
    let found = call.server.registrations().tokens(after, limit).await?;
    let items: Vec<Value> = found.items.iter().map(output::initial_access_token).collect();
    Ok(Answer::page(&items, found.next.as_ref(), |cursor| call.page_url(cursor)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    label: String,
    /// How many clients it may register.
    #[serde(default = "once")]
    uses: u32,
    /// In seconds since 1970.
    expires_at: i64,
}

const fn once() -> u32 {
    1
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::InitialAccess).await?;
    let NewToken { label, uses, expires_at } = call.input.json()?;
    let off = || Problem::new(StatusCode::CONFLICT, "registration_off", "clients do not register themselves here");
    let rules = call.server.inner.context.registration.as_ref().ok_or_else(off)?;
    if !call.caller.covers(&rules.scope) {
        let detail = "what it registers could have a scope of the server's own that this token lacks";
        return Err(Problem::forbidden(detail));
    }
    let new = NewInitialAccessToken { label, uses, expires_at: Timestamp::from_secs(expires_at) };
    let registrations = call.server.registrations();
    let (made, token) = match idempotency::draw(call).await? {
        Draw::Anew => registrations.issue(new).await?,
        Draw::Again(drawn) => registrations.issue_from(new, drawn.random("initial access token")).await?,
    };
    let body = output::with_secret(output::initial_access_token(&made), "token", Some(&token));
    let location = [&call.api.base, "/initial-access-tokens/", &made.id].concat();
    Ok(Answer::created(location, &body))
}

pub(super) async fn end(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::InitialAccess).await?;
    call.server.registrations().revoke(call.input.parameter(0)).await?;
    Ok(Answer::nothing())
}
