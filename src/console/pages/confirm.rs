//! The page that asks before something is done.

use askama::Template;
use http::{Response, StatusCode};

use super::Act;
use crate::console::Text;
use crate::console::page::{Choice, Frame, Link, Page};
use crate::console::stop::Stop;
use crate::console::visit::Visit;
use crate::secret::Secret;

/// Asks before something is done.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
#[non_exhaustive]
pub struct ConfirmPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// The question.
    pub title: String,
    /// What it would mean.
    pub text: String,
    /// Where one came from, and goes if the answer is no.
    pub back: Link,
    /// Where the form goes.
    pub action: String,
    /// For the hidden field `csrf`.
    pub csrf: Secret,
    /// The radio buttons `when`; mostly none.
    pub choices: Vec<Choice>,
    /// What they are about.
    pub choices_label: &'a str,
    /// What the button says.
    pub yes: String,
    /// Whether something ends by it.
    pub destructive: bool,
}

/// Asks, or does it.
pub(super) async fn ask(visit: &Visit<'_>, act: Act) -> Result<Response<String>, Stop> {
    act.allow(visit).await?;
    let named: Vec<(&str, &str)> = act.names().iter().map(|name| (*name, visit.query.text(name))).collect();
    let action = visit.href(act.path(), &named);
    if let Some(form) = &visit.form {
        visit.check(&action, form)?;
        let question = act.question(visit).await?;
        act.perform(visit).await?;
        return Ok(Visit::go(&question.then, question.said));
    }
    let question = act.question(visit).await?;
    let frame = visit.frame(None).await;
    let page = ConfirmPage {
        t: visit.t,
        frame: &frame,
        title: question.title,
        text: question.text,
        back: question.back,
        csrf: visit.token(&action)?,
        action,
        choices: question.choices,
        choices_label: &visit.t.secret_end_when,
        yes: question.yes,
        destructive: act.is_destructive(),
    };
    Ok(visit.show(StatusCode::OK, &Page::Confirm(page)))
}
