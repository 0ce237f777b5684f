//! The API clients: searched, sorted, a page at a time.

use askama::Template;
use http::{Response, StatusCode};

use super::place;
use crate::access::Action;
use crate::client::Client;
use crate::console::page::{Choice, Frame, Page};
use crate::console::stop::Stop;
use crate::console::visit::{Section, Visit};
use crate::console::{Moment, Text};
use crate::manage::ClientFilter;
use crate::store::{Order, State};
use crate::wire::html::truncate_display;

/// The API clients.
#[derive(Debug, Template)]
#[template(path = "client_list.html")]
#[non_exhaustive]
pub struct ClientListPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Whether they may create one.
    pub may_create: bool,
    /// What is searched for.
    pub search: String,
    /// In which order, as the address has it.
    pub sort: &'static str,
    /// The states to choose from.
    pub states: Vec<Choice>,
    /// Whether something is searched for.
    pub filtered: bool,
    /// The heads of the columns.
    pub columns: Vec<Column>,
    /// The clients on this page.
    pub rows: Vec<ClientRow>,
    /// The first page, if this is another.
    pub first: Option<String>,
    /// The page after this.
    pub next: Option<String>,
}

/// The head of a column.
#[derive(Debug)]
#[non_exhaustive]
pub struct Column {
    /// What it is called.
    pub label: String,
    /// Where it is sorted by this; `None` where it cannot be.
    pub href: Option<String>,
    /// How it is sorted by this: `ascending` or `descending`, as `aria-sort` has it.
    pub sorted: Option<&'static str>,
    /// The same as a sign.
    pub mark: Option<&'static str>,
}

/// One client of the list.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientRow {
    /// Its name, made safe to show.
    pub name: String,
    /// Its identifier.
    pub id: String,
    /// Its own page.
    pub href: String,
    /// Whether it is active.
    pub active: bool,
    /// When it was registered.
    pub created: Moment,
}

const PAGE: u32 = 25;

/// The most characters of a name that a list shows.
pub(super) const MAX_NAME: usize = 80;

pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::ListClients).await?;
    let t = visit.t;
    let search = visit.query.line("q");
    let (sort, order) = match visit.query.text("sort") {
        "name" => ("name", Order::Name),
        "oldest" => ("oldest", Order::OldestFirst),
        _ => ("newest", Order::NewestFirst),
    };
    let (state_word, state) = match visit.query.text("state") {
        "active" => ("active", Some(State::Live)),
        "inactive" => ("inactive", Some(State::Inactive)),
        _ => ("", None),
    };
    let after = place::read(visit.query.text("after"));
    let filter =
        ClientFilter { state, search: (!search.is_empty()).then(|| search.clone()), order, ..ClientFilter::default() };
    let found = visit.server().clients().list(&filter, after.clone(), PAGE).await?;

    let address = |sort: &str, after: Option<&str>| {
        let all = [("q", search.as_str()), ("state", state_word), ("sort", sort), ("after", after.unwrap_or_default())];
        let given: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        visit.href("/clients", &given)
    };
    let sorted_by_name = (order == Order::Name).then_some(("ascending", "↑"));
    let sorted_by_time = match order {
        Order::NewestFirst => Some(("descending", "↓")),
        Order::OldestFirst => Some(("ascending", "↑")),
        Order::Name => None,
    };
    let column = |label: &str, href: Option<String>, sorted: Option<(&'static str, &'static str)>| Column {
        label: label.to_owned(),
        href,
        sorted: sorted.map(|(word, _)| word),
        mark: sorted.map(|(_, mark)| mark),
    };
    let by_time = if order == Order::NewestFirst { "oldest" } else { "newest" };
    let columns = vec![
        column(&t.name, Some(address("name", None)), sorted_by_name),
        column(&t.client_id, None, None),
        column(&t.state, None, None),
        column(&t.created, Some(address(by_time, None)), sorted_by_time),
    ];
    let states = [("", &t.any_state), ("active", &t.active), ("inactive", &t.inactive)];
    let rows = found.items.iter().map(|client| ClientRow {
        name: name_of(client),
        id: client.id().as_str().to_owned(),
        href: visit.href("/client", &[("client", client.id().as_str())]),
        active: client.state() == State::Live,
        created: visit.moment(client.created_at()),
    });
    let frame = visit.frame(Some(Section::Clients)).await;
    let page = ClientListPage {
        t,
        frame: &frame,
        may_create: visit.may(Action::CreateClient).await,
        states: states.map(|(value, label)| Choice::new(value, label, "", value == state_word)).into(),
        filtered: !search.is_empty() || state.is_some() || after.is_some(),
        columns,
        rows: rows.collect(),
        first: after.is_some().then(|| address(sort, None)),
        next: found.next.as_ref().map(|next| address(sort, Some(&place::print(next)))),
        search: search.clone(),
        sort,
    };
    Ok(visit.show(StatusCode::OK, &Page::ClientList(page)))
}

/// What a client is called on a page.
pub(super) fn name_of(client: &Client) -> String {
    truncate_display(client.display_name(), MAX_NAME)
}
