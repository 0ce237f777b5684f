//! One more secret of an API client.

use std::time::Duration;

use askama::Template;
use http::{Response, StatusCode};

use super::client_form::id_value;
use super::client_list::name_of;
use super::{ShownOncePage, client};
use crate::access::Action;
use crate::clock::Timestamp;
use crate::console::Text;
use crate::console::page::{Choice, Frame, Link, Page, Problem};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::manage::ManageError;
use crate::secret::Secret;

/// A new secret of an API client.
#[derive(Debug, Template)]
#[template(path = "secret_form.html")]
#[non_exhaustive]
pub struct SecretFormPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Where one came from.
    pub back: Link,
    /// Where the form goes.
    pub action: String,
    /// For the hidden field `csrf`.
    pub csrf: Secret,
    /// What is wrong with what was typed.
    pub problems: Vec<Problem>,
    /// The field `label`.
    pub label: &'a str,
    /// The options of `expires`.
    pub expiries: Vec<Choice>,
}

/// Ends to choose from: what the form sends, and after how many days; the first is chosen to begin with.
const EXPIRIES: [(&str, Option<u64>); 4] = [("never", None), ("30", Some(30)), ("90", Some(90)), ("365", Some(365))];

pub(super) async fn add(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    let client = client::asked_for(visit).await?;
    visit.allow(Action::EditClient(client.id())).await?;
    if !client.metadata().token_endpoint_auth_method.takes_secret() {
        return Err(Stop::NotFound);
    }
    let t = visit.t;
    let query = [("client", client.id().as_str())];
    let (action, back) = (visit.href("/client/secret/new", &query), visit.link(&name_of(&client), "/client", &query));
    let (mut label, mut problems) = (String::new(), Vec::new());
    let mut expiry = "never";
    if let Some(form) = &visit.form {
        let once = visit.check_once(&action, form).await?;
        label = form.line("label");
        let sent = form.line("expires");
        let (word, days) = EXPIRIES.into_iter().find(|(word, _)| *word == sent).ok_or(Stop::Malformed)?;
        expiry = word;
        let end =
            days.map_or(Timestamp::NEVER, |days| visit.now().after(Duration::from_secs(days.saturating_mul(86_400))));
        // What could be refused is refused before the form is spent; a race for the tenth secret is left to the registry.
        if label.chars().count() > 200 {
            problems.push(Problem::new("label", &*t.bad_label));
        } else {
            visit.spend(&once).await?;
            match visit.server().clients().add_secret(client.id(), &label, end).await {
                Ok(made) => {
                    let frame = visit.frame(Some(Section::Clients)).await;
                    let page = ShownOncePage {
                        t,
                        frame: &frame,
                        title: fill(&t.client_secret_made, &[("name", &name_of(&client))]),
                        values: vec![id_value(&client, t)],
                        secret_label: &t.client_secret,
                        secret: Some(made.secret),
                        caution: &t.secret_caution,
                        next: Link::new(&*t.client_open, back.href),
                    };
                    return Ok(visit.show(StatusCode::OK, &Page::ShownOnce(page)));
                }
                Err(ManageError::TooManySecrets) => problems.push(Problem::new("", &*t.bad_secrets)),
                Err(error) => return Err(error.into()),
            }
        }
    }
    let words = [&t.never, &t.after_month, &t.after_quarter, &t.after_year];
    let expiries =
        EXPIRIES.into_iter().zip(words).map(|((word, _), label)| Choice::new(word, label, "", word == expiry));
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = visit.frame(Some(Section::Clients)).await;
    let page = SecretFormPage {
        t,
        frame: &frame,
        back,
        csrf: visit.token(&action)?,
        action,
        problems,
        label: &label,
        expiries: expiries.collect(),
    };
    Ok(visit.show(status, &Page::SecretForm(page)))
}
