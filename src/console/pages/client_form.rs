//! A new API client, or changes to one.

use askama::Template;
use http::{Response, StatusCode};

use super::client_entries::{self, Entries};
use super::client_list::name_of;
use super::metadata_problem::problem;
use super::{Said, ShownOncePage, client};
use crate::access::Action;
use crate::client::{AuthMethod, Client, ClientMetadata};
use crate::console::Text;
use crate::console::page::{Choice, Frame, Link, Page, Problem, Value};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::grant::{authorization_code, device_code, refresh_token};
use crate::manage::{ManageError, Registered};
use crate::secret::Secret;

/// A new API client, or changes to one.
#[derive(Debug, Template)]
#[template(path = "client_form.html")]
#[non_exhaustive]
pub struct ClientFormPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// What the page is called.
    pub title: String,
    /// Where one came from.
    pub back: Link,
    /// Where the form goes.
    pub action: String,
    /// For the hidden field `csrf`.
    pub csrf: Secret,
    /// For the hidden field `revision`: that of the client as it was read.
    pub revision: Option<u64>,
    /// What is wrong with what was typed.
    pub problems: Vec<Problem>,
    /// The field `name`.
    pub name: &'a str,
    /// The field `description`.
    pub description: &'a str,
    /// The check boxes `grant`.
    pub grants: Vec<Choice>,
    /// The field `redirect_uris`, one a line.
    pub redirect_uris: &'a str,
    /// The radio buttons `type`.
    pub types: Vec<Choice>,
    /// The options of `method`.
    pub methods: Vec<Choice>,
    /// The check box `pkce`.
    pub pkce: bool,
    /// The check boxes `scope`.
    pub scopes: Vec<Choice>,
    /// What the button says.
    pub submit: &'a str,
}

impl ClientFormPage<'_> {
    fn wrong(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
    }
}

/// What a form is about.
struct About<'a> {
    title: String,
    back: Link,
    action: String,
    revision: Option<u64>,
    submit: &'a str,
    /// Whether the type of the client may be left open, as what was registered elsewhere may have it.
    type_open: bool,
}

/// A new one.
pub(super) async fn create(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::CreateClient).await?;
    let t = visit.t;
    let about = About {
        title: t.client_new.to_string(),
        back: visit.link(&t.clients, "/clients", &[]),
        action: visit.href("/clients/new", &[]),
        revision: None,
        submit: &t.client_create,
        type_open: false,
    };
    let Some(form) = &visit.form else { return draw(visit, &about, &Entries::usual(), Vec::new()).await };
    let once = visit.check_once(&about.action, form).await?;
    let entries = Entries::sent(form);
    let metadata = entries.metadata(visit, &ClientMetadata::default()).ok_or(Stop::Malformed)?;
    let mut problems = typed_problems(&entries, t);
    // Said before the form is spent: what is refused can be mended and sent again.
    if let Err(error) = visit.server().clients().check(&metadata) {
        problems.push(metadata_problem(visit, error)?);
    }
    if !problems.is_empty() {
        return draw(visit, &about, &entries, problems).await;
    }
    visit.spend(&once).await?;
    let made = visit.server().clients().register(metadata).await?;
    let title = fill(&t.client_made, &[("name", &name_of(&made.client))]);
    shown_once(visit, made, title).await
}

/// Changes to one that there is.
pub(super) async fn edit(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    let client = client::asked_for(visit).await?;
    visit.allow(Action::EditClient(client.id())).await?;
    let t = visit.t;
    let name = name_of(&client);
    let query = [("client", client.id().as_str())];
    let about = About {
        title: fill(&t.client_edit, &[("name", &name)]),
        back: visit.link(&name, "/client", &query),
        action: visit.href("/client/edit", &query),
        revision: Some(client.revision()),
        submit: &t.save,
        type_open: client.metadata().application_type.is_none(),
    };
    let Some(form) = &visit.form else {
        return draw(visit, &about, &Entries::of(client.metadata()), Vec::new()).await;
    };
    let once = visit.check_once(&about.action, form).await?;
    let entries = Entries::sent(form);
    let metadata = entries.metadata(visit, client.metadata()).ok_or(Stop::Malformed)?;
    let revision = form.text("revision").parse().map_err(|_| Stop::Malformed)?;
    let mut problems = typed_problems(&entries, t);
    if let Err(error) = visit.server().clients().check(&metadata) {
        problems.push(metadata_problem(visit, error)?);
    }
    if !problems.is_empty() {
        return draw(visit, &about, &entries, problems).await;
    }
    // Once, too: a client that becomes confidential is given a secret, which a second sending could not show.
    visit.spend(&once).await?;
    match visit.server().clients().update(client.id(), revision, metadata).await {
        Ok(changed) if changed.secret.is_some() => {
            let title = fill(&t.client_secret_made, &[("name", &name_of(&changed.client))]);
            shown_once(visit, changed, title).await
        }
        Ok(_) => Ok(Visit::go(&about.back.href, Said::Saved)),
        Err(ManageError::Changed) => draw(visit, &about, &entries, vec![Problem::new("", &*t.bad_changed)]).await,
        Err(error) => Err(error.into()),
    }
}

fn metadata_problem(visit: &Visit<'_>, error: ManageError) -> Result<Problem, Stop> {
    match error {
        ManageError::Metadata(error) => Ok(problem(&error, visit.t)),
        other => Err(other.into()),
    }
}

/// What the form demands beyond the rules of the registry.
fn typed_problems(entries: &Entries, t: &Text) -> Vec<Problem> {
    let mut problems = Vec::new();
    if entries.name.is_empty() {
        problems.push(Problem::new("name", &*t.bad_name));
    }
    if entries.grants.is_empty() {
        problems.push(Problem::new("grants", &*t.bad_grants));
    }
    problems
}

async fn draw(
    visit: &Visit<'_>,
    about: &About<'_>,
    entries: &Entries,
    problems: Vec<Problem>,
) -> Result<Response<String>, Stop> {
    let t = visit.t;
    let chosen = |grant: &str| entries.grants.iter().any(|chosen| chosen == grant);
    let grants = client_entries::grants(visit).into_iter().map(|grant| {
        let (label, hint) = match grant {
            authorization_code::GRANT_TYPE => (&t.grant_code, &t.grant_code_hint),
            refresh_token::GRANT_TYPE => (&t.grant_refresh, &t.grant_refresh_hint),
            device_code::GRANT_TYPE => (&t.grant_device, &t.grant_device_hint),
            _ => (&t.grant_own, &t.grant_own_hint),
        };
        Choice::new(grant, label, hint, chosen(grant))
    });
    let type_of = |value: &str, label: &str, hint: &str| Choice::new(value, label, hint, entries.kind == value);
    let mut types =
        vec![type_of("web", &t.type_web, &t.type_web_hint), type_of("native", &t.type_native, &t.type_native_hint)];
    if about.type_open {
        types.push(type_of("", &t.type_auto, ""));
    }
    let methods = client_entries::methods(visit).into_iter().map(|method| {
        let label = method_label(method, t);
        Choice::new(method.as_str(), label, "", entries.method == method.as_str())
    });
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = visit.frame(Some(Section::Clients)).await;
    let page = ClientFormPage {
        t,
        frame: &frame,
        title: about.title.clone(),
        back: about.back.clone(),
        action: about.action.clone(),
        csrf: visit.token(&about.action)?,
        revision: about.revision,
        problems,
        name: &entries.name,
        description: &entries.description,
        grants: grants.collect(),
        redirect_uris: &entries.redirect_uris,
        types,
        methods: methods.collect(),
        pkce: entries.pkce,
        scopes: scope_choices(visit, &|name| entries.scopes.iter().any(|scope| scope == name), &|_| true),
        submit: about.submit,
    };
    Ok(visit.show(status, &Page::ClientForm(page)))
}

/// The scopes of the server that are `offered`, in its order.
pub(super) fn scope_choices(
    visit: &Visit<'_>,
    chosen: &dyn Fn(&str) -> bool,
    offered: &dyn Fn(&str) -> bool,
) -> Vec<Choice> {
    let known = visit.context().policy.scopes.iter().filter(|scope| offered(&scope.name));
    let choices = known.map(|scope| {
        let label = if scope.description.is_empty() { &scope.name } else { &scope.description };
        Choice::new(&scope.name, label, "", chosen(&scope.name))
    });
    choices.collect()
}

/// What a method is called on a page.
pub(super) fn method_label(method: AuthMethod, t: &Text) -> &str {
    match method {
        AuthMethod::ClientSecretBasic => &t.method_basic,
        AuthMethod::ClientSecretPost => &t.method_post,
        AuthMethod::None => &t.method_none,
        // A method of the host has no words but its name.
        AuthMethod::Extension(name) => name,
    }
}

async fn shown_once(visit: &Visit<'_>, made: Registered, title: String) -> Result<Response<String>, Stop> {
    let t = visit.t;
    let id = made.client.id().as_str();
    let frame = visit.frame(Some(Section::Clients)).await;
    let page = ShownOncePage {
        t,
        frame: &frame,
        title,
        values: vec![id_value(&made.client, t)],
        secret_label: &t.client_secret,
        secret: made.secret,
        caution: &t.secret_caution,
        next: visit.link(&t.client_open, "/client", &[("client", id)]),
    };
    Ok(visit.show(StatusCode::OK, &Page::ShownOnce(page)))
}

/// The identifier of a client, to be copied.
pub(super) fn id_value(client: &Client, t: &Text) -> Value {
    Value { id: "client-id", label: t.client_id.to_string(), text: client.id().as_str().to_owned() }
}
