//! Which applications hold access to somebody's account: for administrators.

use askama::Template;
use http::{Response, StatusCode};

use super::apps::{AppsPage, Whose, card};
use super::client::ZoneRow;
use super::{Act, place};
use crate::access::Action;
use crate::console::Text;
use crate::console::page::{Frame, Page};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::id::Subject;
use crate::wire::html::truncate_display;

/// Asks whose access to show.
#[derive(Debug, Template)]
#[template(path = "find_person.html")]
#[non_exhaustive]
pub struct FindPersonPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Where the form goes, by GET, with the field `subject`.
    pub action: String,
}

const PAGE: u32 = 20;

/// Asks whose.
pub(super) async fn find(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::ReadGrants).await?;
    let frame = visit.frame(Some(Section::People)).await;
    let page = FindPersonPage { t: visit.t, frame: &frame, action: visit.href("/person", &[]) };
    Ok(visit.show(StatusCode::OK, &Page::FindPerson(page)))
}

/// Somebody's. The server does not know which accounts there are: one that holds nothing looks like one that is not.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::ReadGrants).await?;
    let t = visit.t;
    let subject = Subject::from(visit.query.line("subject"));
    if !subject.is_sound() {
        return Err(Stop::NotFound);
    }
    let query = [("subject", subject.as_str())];
    let after = place::read(visit.query.text("after"));
    let found = visit.server().grants().apps(&subject, after.clone(), PAGE).await?;
    let may_revoke = visit.may(Action::RevokeGrants).await;
    let whose = if may_revoke { Whose::Ended(&subject) } else { Whose::Seen };
    let revoke_all = may_revoke.then(|| ZoneRow {
        label: t.person_revoke.to_string(),
        text: t.person_revoke_text.to_string(),
        href: visit.href(Act::RevokePerson.path(), &query),
        destructive: true,
    });
    let frame = visit.frame(Some(Section::People)).await;
    let page = AppsPage {
        t,
        frame: &frame,
        title: fill(&t.person_title, &[("name", &truncate_display(subject.as_str(), 60))]),
        lead: &t.person_lead,
        apps: found.items.iter().map(|app| card(visit, app, whose)).collect(),
        first: after.map(|_| visit.href("/person", &query)),
        next: found
            .next
            .map(|next| visit.href("/person", &[("subject", subject.as_str()), ("after", &place::print(&next))])),
        revoke_all,
    };
    Ok(visit.show(StatusCode::OK, &Page::Apps(page)))
}
