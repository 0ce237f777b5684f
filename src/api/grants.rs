//! What was granted, for whoever looks after it, and the resource owners.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::output::{self, Answer};
use super::problem::Problem;
use crate::access::Action;
use crate::id::{ClientId, GrantId, Subject};
use crate::store::Cursor;

/// How many clients one call of the great revocation goes through.
const SWEEP: u32 = 1_000;

fn subject_of(call: &Call<'_>) -> Result<Subject, Problem> {
    let subject = Subject::from(call.input.parameter(0));
    if subject.is_sound() { Ok(subject) } else { Err(Problem::not_found()) }
}

pub(super) async fn of_client(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    call.input.knows(&["cursor", "limit"])?;
    let (after, limit) = call.input.page()?;
    let client = ClientId::from(call.input.parameter(0));
    let found = call.server.grants().to(&client, after, limit).await?;
    let items: Vec<Value> = found.items.iter().map(output::grant).collect();
    Ok(Answer::page(&items, found.next.as_ref(), |cursor| call.page_url(cursor)))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    let grant = call.server.grants().get(&GrantId::from(call.input.parameter(0))).await?;
    Ok(Answer::ok(&output::grant(&grant.ok_or_else(Problem::not_found)?)))
}

pub(super) async fn revoke(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    call.server.grants().revoke(&GrantId::from(call.input.parameter(0))).await?;
    Ok(Answer::nothing())
}

pub(super) async fn of_subject(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    call.input.knows(&["cursor", "limit"])?;
    let (after, limit) = call.input.page()?;
    let found = call.server.grants().of(&subject_of(call)?, after, limit).await?;
    let items: Vec<Value> = found.items.iter().map(output::grant).collect();
    Ok(Answer::page(&items, found.next.as_ref(), |cursor| call.page_url(cursor)))
}

pub(super) async fn apps(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    apps_of(call, &subject_of(call)?).await
}

/// A page of the connected apps of somebody.
pub(super) async fn apps_of(call: &Call<'_>, subject: &Subject) -> Result<Answer, Problem> {
    call.input.knows(&["cursor", "limit"])?;
    let (after, limit) = call.input.page()?;
    let found = call.server.grants().apps(subject, after, limit).await?;
    let items: Vec<Value> = found.items.iter().map(output::app).collect();
    Ok(Answer::page(&items, found.next.as_ref(), |cursor| call.page_url(cursor)))
}

pub(super) async fn remove_app(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    let client = ClientId::from(call.input.parameter(1));
    call.server.grants().remove_app(&subject_of(call)?, &client).await?;
    Ok(Answer::nothing())
}

pub(super) async fn activity(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    Ok(Answer::ok(&output::activity(&call.server.clients().activity().await?)))
}

pub(super) async fn subject(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadGrants).await?;
    told(call, &subject_of(call)?).await
}

async fn told(call: &Call<'_>, subject: &Subject) -> Result<Answer, Problem> {
    let active = call.server.subjects().is_active(subject).await?;
    Ok(Answer::ok(&json!({ "subject": subject, "active": active })))
}

pub(super) async fn revoke_subject(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    let subject = subject_of(call)?;
    call.server.subjects().revoke_all(&subject).await?;
    told(call, &subject).await
}

pub(super) async fn deactivate_subject(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    let subject = subject_of(call)?;
    call.server.subjects().deactivate(&subject).await?;
    told(call, &subject).await
}

pub(super) async fn activate_subject(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    let subject = subject_of(call)?;
    call.server.subjects().activate(&subject).await?;
    told(call, &subject).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFrom {
    #[serde(default)]
    next: Option<String>,
}

pub(super) async fn revoke_everything(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeEverything).await?;
    let from: SweepFrom = call.input.json()?;
    let wrong = || Problem::invalid("next is not what an answer said");
    let after = from.next.map(|text| Cursor::from_text(&text).ok_or_else(wrong)).transpose()?;
    let sweep = call.server.clients().revoke_everything(after, SWEEP).await?;
    let next = sweep.next.as_ref().map(Cursor::to_text);
    Ok(Answer::ok(&json!({ "clients": sweep.clients, "next": next })))
}
