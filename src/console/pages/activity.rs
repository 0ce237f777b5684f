//! What was issued and refused, by day and by client.

use askama::Template;
use http::{Response, StatusCode};

use super::client::ZoneRow;
use super::client_list::name_of;
use crate::access::Action;
use crate::console::activity::totals;
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
    /// What was counted, drawn: **this is HTML**. `None` where nothing is counted.
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

/// How many clients are shown.
const BUSIEST: usize = 10;

pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::ReadGrants).await?;
    let t = visit.t;
    let (mut figures, mut drawn, mut busiest) = (Vec::new(), None, Vec::new());
    if let Some(activity) = &visit.console.activity {
        let days = activity.days(None, visit.now());
        let (issued, refused) = totals(days.iter());
        for (label, value) in [(&t.issued, issued), (&t.refused, refused)] {
            figures.push(Figure { label: label.to_string(), value: value.to_string(), unit: t.in_month.to_string() });
        }
        drawn = (issued.saturating_add(refused) > 0).then(|| chart::draw(&days, t));
        for (id, issued, refused) in activity.busiest(visit.now(), BUSIEST) {
            // A refusal may name a client that there never was.
            if let Some(client) = visit.server().clients().get(&id).await? {
                let own = id == personal::client_id();
                let name = if own { t.tokens.to_string() } else { name_of(&client) };
                let href = (!own).then(|| visit.href("/client", &[("client", id.as_str())]));
                busiest.push(BusyRow { name, href, issued, refused });
            }
        }
    }
    let everything = visit.may(Action::RevokeEverything).await.then(|| ZoneRow {
        label: t.everything.to_string(),
        text: t.everything_text.to_string(),
        href: visit.href("/everything", &[]),
        destructive: true,
    });
    let frame = visit.frame(Some(Section::Activity)).await;
    let page = ActivityPage { t, frame: &frame, figures, drawn, busiest, everything };
    Ok(visit.show(StatusCode::OK, &Page::Activity(page)))
}
