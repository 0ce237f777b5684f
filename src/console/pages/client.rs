//! One API client: what it connects with, what is registered, its secrets, its people, and what can be done to it.

use std::sync::Arc;

use askama::Template;
use http::{Response, StatusCode};

use super::Act;
use super::client_form::{id_value, method_label};
use super::client_list::name_of;
use crate::access::Action;
use crate::activity::totals;
use crate::client::{ApplicationType, Client, ClientSecret};
use crate::console::chart;
use crate::console::page::{Figure, Frame, Page, Value};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::console::{Moment, Text};
use crate::endpoint::metadata::path;
use crate::grant::{authorization_code, client_credentials, device_code, personal, refresh_token};
use crate::id::ClientId;
use crate::manage::Usage;
use crate::store::State;
use crate::wire::html::truncate_display;

/// One API client.
#[derive(Debug, Template)]
#[template(path = "client.html")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one part of the page is shown")]
pub struct ClientPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Its name, made safe to show.
    pub name: String,
    /// What it is for.
    pub description: &'a str,
    /// Whether it is active.
    pub active: bool,
    /// Whether they may change it.
    pub may_edit: bool,
    /// Where it is changed.
    pub edit_href: String,
    /// Where it is given one more secret.
    pub add_secret_href: String,
    /// Figures to be read at a glance.
    pub figures: Vec<Figure>,
    /// What an application needs to connect, to be copied.
    pub connection: Vec<Value>,
    /// Where people may come back to.
    pub redirect_uris: &'a [String],
    /// Its ways to access.
    pub grants: Vec<String>,
    /// Where it runs.
    pub kind: &'a str,
    /// How it authenticates.
    pub method: &'a str,
    /// Whether PKCE is required, in a word.
    pub pkce: &'a str,
    /// What it may ask for.
    pub scopes: Vec<&'a str>,
    /// When it was registered.
    pub created: Moment,
    /// Whether it authenticates by secrets.
    pub confidential: bool,
    /// Its secrets.
    pub secrets: Vec<SecretRow>,
    /// What was counted, drawn: **this is HTML**.
    pub activity: String,
    /// Who has let it in; `None` for somebody who may not know.
    pub people: Option<Vec<PersonRow>>,
    /// Whether there are more than are shown.
    pub more_people: bool,
    /// Whether they may end what others granted.
    pub may_revoke: bool,
    /// What can be done to it.
    pub zone: Vec<ZoneRow>,
}

/// A secret of the client, without the secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct SecretRow {
    /// What people call it.
    pub label: String,
    /// When it was made.
    pub created: Moment,
    /// When it ends, if it does.
    pub expires: Option<Moment>,
    /// Whether it has ended.
    pub ended: bool,
    /// When it was last used.
    pub used: Option<Moment>,
    /// Where it is ended.
    pub href: String,
}

/// A grant to the client.
#[derive(Debug)]
#[non_exhaustive]
pub struct PersonRow {
    /// Who.
    pub subject: String,
    /// Their page.
    pub person_href: Option<String>,
    /// What it may do in their name.
    pub scopes: Vec<String>,
    /// Since when.
    pub created: Moment,
    /// Until when at the latest.
    pub expires: Moment,
    /// Where it is ended.
    pub href: String,
}

/// Something grave that can be done, behind a question.
#[derive(Debug)]
#[non_exhaustive]
pub struct ZoneRow {
    /// What it is called.
    pub label: String,
    /// What it does.
    pub text: String,
    /// Where it is asked.
    pub href: String,
    /// Whether it ends something.
    pub destructive: bool,
}

/// How many people are shown.
const PEOPLE: usize = 20;

/// The client that the address names.
pub(super) async fn asked_for(visit: &Visit<'_>) -> Result<Arc<Client>, Stop> {
    let id = ClientId::from(visit.query.text("client"));
    // Whoever may not see it is not told whether it is there.
    visit.allow(Action::ReadClient(&id)).await?;
    // Personal tokens hang on a client of their own, which is nobody's to change.
    let client = visit.server().clients().get(&id).await?.filter(|client| *client.id() != personal::client_id());
    client.ok_or(Stop::NotFound)
}

pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    let client = asked_for(visit).await?;
    let (t, id, metadata) = (visit.t, client.id(), client.metadata());
    let query = [("client", id.as_str())];
    let usage = visit.server().clients().usage(id).await?;
    let may_edit = visit.may(Action::EditClient(id)).await;
    let may_revoke = visit.may(Action::RevokeGrants).await;
    let secrets = visit.server().clients().secrets(id).await?;
    let (people, more_people) = people(visit, id).await?;
    let kind = match metadata.application_type {
        Some(ApplicationType::Web) => &t.type_web,
        Some(ApplicationType::Native) => &t.type_native,
        None => &t.type_auto,
    };
    let frame = visit.frame(Some(Section::Clients)).await;
    let page = ClientPage {
        t,
        frame: &frame,
        name: name_of(&client),
        description: &metadata.description,
        active: client.state() == State::Live,
        may_edit,
        edit_href: visit.href("/client/edit", &query),
        add_secret_href: visit.href("/client/secret/new", &query),
        figures: figures(visit, &usage),
        connection: connection(visit, &client),
        redirect_uris: &metadata.redirect_uris,
        grants: metadata.grant_types.iter().map(|grant| grant_label(grant, t)).collect(),
        kind,
        method: method_label(metadata.token_endpoint_auth_method, t),
        pkce: if metadata.require_pkce { &t.pkce_required } else { &t.pkce_free },
        scopes: metadata.scope.tokens().collect(),
        created: visit.moment(client.created_at()),
        confidential: metadata.token_endpoint_auth_method.takes_secret(),
        secrets: secrets.iter().map(|secret| secret_row(visit, id, secret)).collect(),
        activity: chart::draw(&usage.days, t),
        people,
        more_people,
        may_revoke,
        zone: zone(visit, &client, may_edit, may_revoke).await,
    };
    Ok(visit.show(StatusCode::OK, &Page::Client(Box::new(page))))
}

fn figures(visit: &Visit<'_>, usage: &Usage) -> Vec<Figure> {
    let t = visit.t;
    let figure =
        |label: &str, value: String, unit: &str| Figure { label: label.to_owned(), value, unit: unit.to_owned() };
    let more = if usage.live_grants.more { "+" } else { "" };
    let mut figures = vec![figure(&t.live_grants, format!("{}{more}", usage.live_grants.number), "")];
    let (issued, refused) = totals(&usage.days);
    figures.push(figure(&t.issued, issued.to_string(), &t.in_month));
    figures.push(figure(&t.refused, refused.to_string(), &t.in_month));
    let used = usage.last_used_at.map_or_else(|| t.not_yet.to_string(), |at| visit.moment(at).day);
    figures.push(figure(&t.last_used, used, ""));
    figures
}

fn connection(visit: &Visit<'_>, client: &Client) -> Vec<Value> {
    let (t, issuer) = (visit.t, &visit.context().issuer);
    let value = |id, label: &str, text| Value { id, label: label.to_owned(), text };
    let mut values = vec![id_value(client, t)];
    if client.metadata().allows(authorization_code::GRANT_TYPE) {
        values.push(value("authorize-url", &t.authorization_endpoint, issuer.endpoint(path::AUTHORIZE)));
    }
    values.push(value("token-url", &t.token_endpoint, issuer.endpoint(path::TOKEN)));
    values.push(value("revoke-url", &t.revocation_endpoint, issuer.endpoint(path::REVOKE)));
    values.push(value("metadata-url", &t.metadata_url, issuer.well_known("oauth-authorization-server")));
    values
}

fn grant_label(grant: &str, t: &Text) -> String {
    let label = match grant {
        authorization_code::GRANT_TYPE => &t.grant_code,
        refresh_token::GRANT_TYPE => &t.grant_refresh,
        client_credentials::GRANT_TYPE => &t.grant_own,
        device_code::GRANT_TYPE => &t.grant_device,
        other => other,
    };
    label.to_owned()
}

fn secret_row(visit: &Visit<'_>, id: &ClientId, secret: &ClientSecret) -> SecretRow {
    SecretRow {
        label: secret_name(secret, visit.t),
        created: visit.moment(secret.created_at),
        expires: visit.end(secret.expires_at),
        ended: secret.expires_at.has_come(visit.now()),
        used: secret.last_used_at.map(|at| visit.moment(at)),
        href: visit.href(Act::EndSecret.path(), &[("client", id.as_str()), ("secret", &secret.id.to_string())]),
    }
}

/// What a secret is called on a page.
pub(super) fn secret_name(secret: &ClientSecret, t: &Text) -> String {
    if secret.label.is_empty() {
        fill(&t.secret_first, &[("number", &secret.id.to_string())])
    } else {
        truncate_display(&secret.label, 60)
    }
}

/// The newest live grants to a client, for whoever may know, and whether there are more.
async fn people(visit: &Visit<'_>, id: &ClientId) -> Result<(Option<Vec<PersonRow>>, bool), Stop> {
    if !visit.may(Action::ReadGrants).await {
        return Ok((None, false));
    }
    // Those that have ended are between them for a while.
    let found = visit.server().grants().to(id, None, 200).await?;
    let mut live = found.items.into_iter().filter(|grant| grant.live);
    let rows = live.by_ref().take(PEOPLE).map(|grant| PersonRow {
        subject: truncate_display(grant.subject.as_str(), 60),
        person_href: Some(visit.href("/person", &[("subject", grant.subject.as_str())])),
        scopes: grant.scope.tokens().map(str::to_owned).collect(),
        created: visit.moment(grant.created_at),
        expires: visit.moment(grant.expires_at),
        href: visit.href(Act::EndGrant.path(), &[("client", id.as_str()), ("grant", grant.id.as_str())]),
    });
    let rows: Vec<PersonRow> = rows.collect();
    let more = live.next().is_some() || found.next.is_some();
    Ok((Some(rows), more))
}

async fn zone(visit: &Visit<'_>, client: &Client, may_edit: bool, may_revoke: bool) -> Vec<ZoneRow> {
    let (t, id) = (visit.t, client.id());
    let row = |act: Act, label: &str, text: &str| ZoneRow {
        label: label.to_owned(),
        text: text.to_owned(),
        href: visit.href(act.path(), &[("client", id.as_str())]),
        destructive: act.is_destructive(),
    };
    let active = client.state() == State::Live;
    let mut rows = Vec::new();
    if may_revoke && active {
        rows.push(row(Act::RevokeClient, &t.revoke, &t.revoke_text));
    }
    if may_edit && active {
        rows.push(row(Act::DeactivateClient, &t.deactivate, &t.deactivate_text));
    }
    if may_edit && !active {
        rows.push(row(Act::ActivateClient, &t.activate, &t.activate_text));
    }
    if visit.may(Action::DeleteClient(id)).await {
        rows.push(row(Act::DeleteClient, &t.delete, &t.delete_text));
    }
    rows
}
