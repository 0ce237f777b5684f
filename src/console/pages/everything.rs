//! Ending everything of everybody, a piece at a time.
//!
//! Each form that is sent does as much as a request may take, and answers with how far it is and a form for the rest.
//! Where there are scripts, that one sends itself; without, somebody presses the button.

use askama::Template;
use http::{Response, StatusCode};

use super::{ConfirmPage, MessagePage, place};
use crate::access::Action;
use crate::console::Text;
use crate::console::page::{Frame, Link, Page};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::secret::Secret;

/// Shows how far something is.
#[derive(Debug, Template)]
#[template(path = "progress.html")]
#[non_exhaustive]
pub struct ProgressPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// How far it is, in a sentence.
    pub so_far: String,
    /// Where the form goes.
    pub action: String,
    /// For the hidden field `csrf`.
    pub csrf: Secret,
    /// For the hidden field `done`: how many clients are done.
    pub done: u64,
    /// For the hidden field `after`: where it goes on.
    pub after: String,
}

/// How many clients one request goes through.
const PIECE: u32 = 200;

pub(super) async fn end(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::RevokeEverything).await?;
    let t = visit.t;
    let action = visit.href("/everything", &[]);
    let back = Link::new(&*t.activity, visit.href(Section::Activity.path(), &[]));
    let frame = visit.frame(Some(Section::Activity)).await;
    let Some(form) = &visit.form else {
        let page = ConfirmPage {
            t,
            frame: &frame,
            title: t.everything_question.to_string(),
            text: t.everything_more.to_string(),
            back,
            csrf: visit.token(&action)?,
            action,
            choices: Vec::new(),
            choices_label: "",
            yes: t.everything_yes.to_string(),
            destructive: true,
        };
        return Ok(visit.show(StatusCode::OK, &Page::Confirm(page)));
    };
    visit.check(&action, form)?;
    let before: u64 = form.line("done").parse().unwrap_or(0);
    let after = form.line("after");
    let from = if after.is_empty() { None } else { Some(place::read(&after).ok_or(Stop::Malformed)?) };
    let sweep = visit.server().clients().revoke_everything(from, PIECE).await?;
    let done = before.saturating_add(sweep.clients.into());
    let count = done.to_string();
    let Some(next) = sweep.next else {
        let text = fill(&t.everything_done_text, &[("count", &count)]);
        let page = MessagePage { t, frame: &frame, title: &t.everything_done, text: &text, link: Some(back) };
        return Ok(visit.show(StatusCode::OK, &Page::Message(page)));
    };
    let page = ProgressPage {
        t,
        frame: &frame,
        so_far: fill(&t.everything_so_far, &[("count", &count)]),
        csrf: visit.token(&action)?,
        action,
        done,
        after: place::print(&next),
    };
    Ok(visit.show(StatusCode::OK, &Page::Progress(page)))
}
