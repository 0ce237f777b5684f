//! What was issued and refused, by day and by client.

use askama::Template;
use http::{Response, StatusCode};

use super::client::ZoneRow;
use super::client_list::name_of;
use crate::access::Action;
use crate::activity::totals;
use crate::console::page::{Figure, Frame, Page};
use crate::console::stop::Stop;
use crate::console::visit::{Section, Visit};
use crate::console::{Text, chart};
use crate::grant::personal;

/// What was issued and refused.
#[derive(Debug, Template)]
#[template(path = "activity.html")]
#[non_exhaustive]
pub struct ActivityPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Figures to be read at a glance.
    pub figures: Vec<Figure>,
    /// What was counted, drawn: **this is HTML**. `None` where nothing has happened.
    pub drawn: Option<String>,
    /// The clients of which most was heard.
    pub busiest: Vec<BusyRow>,
    /// Ending everything, for whoever may.
    pub everything: Option<ZoneRow>,
}

/// A client, with what it was issued and refused.
#[derive(Debug)]
#[non_exhaustive]
pub struct BusyRow {
    /// Its name, made safe to show; its identifier where it is not known.
    pub name: String,
    /// Its page; `None` for what personal tokens hang on.
    pub href: Option<String>,
    /// How many tokens it was issued.
    pub issued: u64,
    /// How many of its requests were refused.
    pub refused: u64,
}

pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::ReadGrants).await?;
    let t = visit.t;
    let activity = visit.server().clients().activity().await?;
    let (issued, refused) = totals(&activity.days);
    let figures = [(&t.issued, issued), (&t.refused, refused)];
    let figures = figures.map(|(label, value)| Figure {
        label: label.to_string(),
        value: value.to_string(),
        unit: t.in_month.to_string(),
    });
    let drawn = (issued.saturating_add(refused) > 0).then(|| chart::draw(&activity.days, t));
    let busiest = activity.busiest.iter().map(|busy| {
        let id = busy.client.id();
        let own = *id == personal::client_id();
        BusyRow {
            name: if own { t.tokens.to_string() } else { name_of(&busy.client) },
            href: (!own).then(|| visit.href("/client", &[("client", id.as_str())])),
            issued: busy.issued,
            refused: busy.refused,
        }
    });
    let everything = visit.may(Action::RevokeEverything).await.then(|| ZoneRow {
        label: t.everything.to_string(),
        text: t.everything_text.to_string(),
        href: visit.href("/everything", &[]),
        destructive: true,
    });
    let frame = visit.frame(Some(Section::Activity)).await;
    let (figures, busiest) = (figures.to_vec(), busiest.collect());
    let page = ActivityPage { t, frame: &frame, figures, drawn, busiest, everything };
    Ok(visit.show(StatusCode::OK, &Page::Activity(page)))
}
