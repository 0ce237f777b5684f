//! What is the caller's own: connected apps and personal tokens of the user that the token speaks for.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::grants::apps_of;
use super::idempotency::{self, Draw};
use super::input::encode_segment;
use super::output::{self, Answer};
use super::problem::Problem;
use crate::access::Action;
use crate::id::{ClientId, GrantId};
use crate::manage::{Grant, NewPersonalToken};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

pub(super) async fn apps(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::OwnGrants).await?;
    apps_of(call, subject).await
}

pub(super) async fn remove_app(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::OwnGrants).await?;
    call.server.grants().remove_app(subject, &ClientId::from(call.input.parameter(0))).await?;
    Ok(Answer::nothing())
}

pub(super) async fn revoke_grant(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::OwnGrants).await?;
    call.server.grants().revoke_own(subject, &GrantId::from(call.input.parameter(0))).await?;
    Ok(Answer::nothing())
}

pub(super) async fn choices(call: &Call<'_>) -> Result<Answer, Problem> {
    call.subject()?;
    call.may(Action::OwnTokens).await?;
    let tokens = call.server.personal_tokens();
    let lifetimes: Vec<u64> = tokens.lifetimes().iter().map(Duration::as_secs).collect();
    Ok(Answer::ok(&json!({ "scope": tokens.allowed_scope(), "lifetimes": lifetimes })))
}

pub(super) async fn tokens(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::OwnTokens).await?;
    call.input.knows(&[])?;
    let tokens = call.server.personal_tokens().of(subject).await?;
    Ok(Answer::ok(&json!({ "items": tokens.iter().map(output::grant).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    scope: Scope,
    /// In seconds.
    lifetime: u64,
    #[serde(default)]
    resources: Vec<Resource>,
}

pub(super) async fn create_token(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::CreateOwnToken).await?;
    let NewToken { name, scope, lifetime, resources } = call.input.json()?;
    let draw = idempotency::draw(call).await?;
    let new = NewPersonalToken { name, scope, lifetime: Duration::from_secs(lifetime), resources };
    let tokens = call.server.personal_tokens();
    let made = match &draw {
        Draw::Anew => tokens.create(subject, new).await?,
        Draw::Again(drawn) => tokens.create_from(subject, new, drawn.name(), drawn.random("token")).await?,
    };
    let body = output::with_secret(output::grant(&made.grant), "token", Some(&made.token));
    let location = [&call.api.base, "/me/tokens/", &encode_segment(made.grant.id.as_str())].concat();
    Ok(Answer::created(location, &body).at_revision(made.grant.revision))
}

async fn own(call: &Call<'_>) -> Result<Grant, Problem> {
    let (subject, id) = (call.subject()?, call.input.parameter(0));
    let found = call.server.personal_tokens().get(subject, &GrantId::from(id)).await?;
    found.ok_or_else(Problem::not_found)
}

pub(super) async fn token(call: &Call<'_>) -> Result<Answer, Problem> {
    call.subject()?;
    call.may(Action::OwnTokens).await?;
    let grant = own(call).await?;
    Ok(Answer::ok(&output::grant(&grant)).at_revision(grant.revision))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenScope {
    scope: Scope,
}

pub(super) async fn update_token(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::CreateOwnToken).await?;
    let TokenScope { scope } = call.input.json()?;
    let revision = call.input.if_match()?;
    let id = GrantId::from(call.input.parameter(0));
    let grant = call.server.personal_tokens().set_scope_at(subject, &id, revision, scope).await?;
    Ok(Answer::ok(&output::grant(&grant)).at_revision(grant.revision))
}

pub(super) async fn delete_token(call: &Call<'_>) -> Result<Answer, Problem> {
    let subject = call.subject()?;
    call.may(Action::OwnTokens).await?;
    call.server.personal_tokens().delete(subject, &GrantId::from(call.input.parameter(0))).await?;
    Ok(Answer::nothing())
}
