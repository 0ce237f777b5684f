//! Clients and their secrets.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::idempotency::{self, Draw};
use super::input::encode_segment;
use super::output::{self, Answer};
use super::problem::Problem;
use crate::access::Action;
use crate::client::{AuthMethod, Client, ClientMetadata};
use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::manage::{ClientFilter, ManageError, Registered, Registration};
use crate::store::Order;

fn id_of(call: &Call<'_>) -> ClientId {
    ClientId::from(call.input.parameter(0))
}

async fn found(call: &Call<'_>) -> Result<Arc<Client>, Problem> {
    call.server.clients().get(&id_of(call)).await?.ok_or_else(Problem::not_found)
}

/// A client that the caller may change: none that could do more than they.
async fn changeable(call: &Call<'_>) -> Result<Arc<Client>, Problem> {
    let client = found(call).await?;
    covered(call, client.metadata())?;
    Ok(client)
}

fn covered(call: &Call<'_>, metadata: &ClientMetadata) -> Result<(), Problem> {
    let detail = "the client would have a scope of the server's own that this token lacks";
    if call.caller.covers(&metadata.scope) { Ok(()) } else { Err(Problem::forbidden(detail)) }
}

fn answer(client: &Client) -> Result<Answer, Problem> {
    Ok(Answer::ok(&output::client(client)?).at_revision(client.revision()))
}

/// A client, with its secret where it has just been given one.
fn with_secret(registered: &Registered) -> Result<Value, Problem> {
    Ok(output::with_secret(output::client(&registered.client)?, "client_secret", registered.secret.as_ref()))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ListClients).await?;
    call.input.knows(&["search", "state", "auth_method", "order", "cursor", "limit"])?;
    let wrong = |name| Problem::invalid(format!("the parameter {name} has no such value"));
    let query = &call.input.query;
    let method = |name: &str| AuthMethod::ALL.into_iter().find(|known| known.as_str() == name);
    let filter = ClientFilter {
        state: query.get("state").map(|name| output::state_named(name).ok_or_else(|| wrong("state"))).transpose()?,
        auth_method: query
            .get("auth_method")
            .map(|name| method(name).ok_or_else(|| wrong("auth_method")))
            .transpose()?,
        search: query.get("search").map(str::to_owned),
        order: match query.get("order") {
            None | Some("newest") => Order::NewestFirst,
            Some("oldest") => Order::OldestFirst,
            Some("name") => Order::Name,
            Some(_) => return Err(wrong("order")),
        },
    };
    let (after, limit) = call.input.page()?;
    let found = call.server.clients().list(&filter, after, limit).await?;
    let items: Vec<Value> = found.items.iter().map(|client| output::client(client)).collect::<Result<_, _>>()?;
    Ok(Answer::page(&items, found.next.as_ref(), |cursor| call.page_url(cursor)))
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::CreateClient).await?;
    let metadata: ClientMetadata = call.input.json()?;
    covered(call, &metadata)?;
    let clients = call.server.clients();
    let registered = match idempotency::draw(call).await? {
        Draw::Anew => clients.register(metadata).await?,
        Draw::Again(drawn) => {
            let secret = metadata.is_confidential().then(|| drawn.secret());
            let registration =
                Registration { metadata, client_id: Some(drawn.client_id()), client_secret: secret.clone() };
            match clients.register(registration).await {
                // The same request has made it before.
                Err(ManageError::Taken) => {
                    let client = clients.get(&drawn.client_id()).await?.ok_or_else(Problem::not_found)?;
                    Registered { client, secret }
                }
                made => made?,
            }
        }
    };
    let client = &registered.client;
    let location = [&call.api.base, "/clients/", &encode_segment(client.id().as_str())].concat();
    Ok(Answer::created(location, &with_secret(&registered)?).at_revision(client.revision()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::ReadClient(&id_of(call))).await?;
    answer(&*found(call).await?)
}

pub(super) async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::EditClient(&id)).await?;
    let metadata: ClientMetadata = call.input.json()?;
    let revision = call.input.if_match()?;
    covered(call, &metadata)?;
    let client = changeable(call).await?;
    let revision = revision.unwrap_or_else(|| client.revision());
    let updated = call.server.clients().update(&id, revision, metadata).await?;
    Ok(Answer::ok(&with_secret(&updated)?).at_revision(updated.client.revision()))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::DeleteClient(&id)).await?;
    changeable(call).await?;
    call.server.clients().delete(&id).await?;
    Ok(Answer::nothing())
}

pub(super) async fn deactivate(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::EditClient(&id)).await?;
    changeable(call).await?;
    answer(&*call.server.clients().deactivate(&id).await?)
}

pub(super) async fn activate(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::EditClient(&id)).await?;
    changeable(call).await?;
    answer(&*call.server.clients().activate(&id).await?)
}

pub(super) async fn revoke(call: &Call<'_>) -> Result<Answer, Problem> {
    call.may(Action::RevokeGrants).await?;
    answer(&*call.server.clients().revoke_all(&id_of(call)).await?)
}

pub(super) async fn usage(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::ReadClient(&id)).await?;
    Ok(Answer::ok(&output::usage(&call.server.clients().usage(&id).await?)))
}

pub(super) async fn secrets(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::ReadClient(&id)).await?;
    let secrets = call.server.clients().secrets(&id).await?;
    Ok(Answer::ok(&json!({ "items": secrets.iter().map(output::secret).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    #[serde(default)]
    label: String,
    /// In seconds since 1970; absent: never.
    #[serde(default)]
    expires_at: Option<i64>,
    /// For how many seconds the others go on; absent: as they were.
    #[serde(default)]
    others_end_after: Option<u64>,
}

pub(super) async fn add_secret(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::EditClient(&id)).await?;
    let new: NewSecret = call.input.json()?;
    changeable(call).await?;
    let expires_at = new.expires_at.map_or(Timestamp::NEVER, Timestamp::from_secs);
    let overlap = new.others_end_after.map(Duration::from_secs);
    let chosen = match idempotency::draw(call).await? {
        Draw::Anew => None,
        Draw::Again(drawn) => Some(drawn.secret()),
    };
    let made = call.server.clients().add_secret_from(&id, &new.label, expires_at, overlap, chosen).await?;
    let number = made.id.to_string();
    let location = [&call.api.base, "/clients/", &encode_segment(id.as_str()), "/secrets/", &number].concat();
    Ok(Answer::created(location, &json!({ "id": made.id, "client_secret": made.secret.expose() })))
}

pub(super) async fn end_secret(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = id_of(call);
    call.may(Action::EditClient(&id)).await?;
    changeable(call).await?;
    let secret = call.input.parameter(1).parse().map_err(|_| Problem::not_found())?;
    call.server.clients().expire_secret(&id, secret, call.server.now()).await?;
    Ok(Answer::nothing())
}
