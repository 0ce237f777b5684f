//! A new access token, or another scope for one.

use std::time::Duration;

use askama::Template;
use http::{Response, StatusCode};

use super::client_form::scope_choices;
use super::{Said, ShownOncePage, token_list};
use crate::access::Action;
use crate::console::Text;
use crate::console::form::Fields;
use crate::console::page::{Choice, Frame, Link, Page, Problem};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::manage::{ManageError, NewPersonalToken};
use crate::secret::Secret;
use crate::wire::html::truncate_display;
use crate::wire::scope::Scope;

/// A new access token, or another scope for one.
#[derive(Debug, Template)]
#[template(path = "token_form.html")]
#[non_exhaustive]
pub struct TokenFormPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// What the page is called.
    pub title: String,
    /// What it does.
    pub lead: &'a str,
    /// Where one came from.
    pub back: Link,
    /// Where the form goes.
    pub action: String,
    /// For the hidden field `csrf`.
    pub csrf: Secret,
    /// What is wrong with what was typed.
    pub problems: Vec<Problem>,
    /// The field `name`; `None` where the token has its name.
    pub name: Option<&'a str>,
    /// The check boxes `scope`.
    pub scopes: Vec<Choice>,
    /// The options of `expires`; none where the token has its end.
    pub expiries: Vec<Choice>,
    /// What the button says.
    pub submit: &'a str,
}

impl TokenFormPage<'_> {
    fn wrong(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
    }
}

const DAY: u64 = 86_400;
/// What is chosen to begin with, in days.
const USUAL: u64 = 90;

/// A new one.
pub(super) async fn create(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::CreateOwnToken).await?;
    let (t, tokens) = (visit.t, visit.server().personal_tokens());
    let action = visit.href("/tokens/new", &[]);
    let (mut name, mut chosen, mut problems) = (String::new(), Vec::new(), Vec::new());
    let lifetimes = tokens.lifetimes();
    let mut expires = lifetimes.iter().find(|lifetime| **lifetime >= Duration::from_secs(USUAL * DAY)).copied();
    if let Some(form) = &visit.form {
        let once = visit.check_once(&action, form).await?;
        name = form.line("name");
        chosen = form.all("scope").map(str::to_owned).collect();
        expires = lifetimes.iter().find(|lifetime| lifetime.as_secs().to_string() == form.line("expires")).copied();
        let scope = chosen_scope(form, tokens.allowed_scope(), t, &mut problems);
        if name.is_empty() || name.chars().count() > 100 {
            problems.push(Problem::new("name", &*t.bad_token_name));
        } else if tokens.of(visit.subject()).await?.iter().any(|token| token.live && same_name(&token.name, &name)) {
            // Said before the form is spent; two at once are told apart by the registry.
            problems.push(Problem::new("name", &*t.bad_name_taken));
        }
        let lifetime = expires.unwrap_or_default();
        if expires.is_none() {
            problems.push(Problem::new("expires", &*t.bad_expiry));
        }
        if problems.is_empty() {
            visit.spend(&once).await?;
            let new = NewPersonalToken { name: name.clone(), scope, lifetime, resources: Vec::new() };
            match tokens.create(visit.subject(), new).await {
                Ok(made) => {
                    let frame = visit.frame(Some(Section::Tokens)).await;
                    let page = ShownOncePage {
                        t,
                        frame: &frame,
                        title: t.token_made.to_string(),
                        values: Vec::new(),
                        secret_label: &truncate_display(&made.grant.name, 80),
                        secret: Some(made.token),
                        caution: &t.token_caution,
                        next: visit.link(&t.token_list, "/tokens", &[]),
                    };
                    return Ok(visit.show(StatusCode::OK, &Page::ShownOnce(page)));
                }
                Err(error) => problems.push(problem(error, t)?),
            }
        }
    }
    let frame = visit.frame(Some(Section::Tokens)).await;
    let choices = lifetimes.iter().map(|lifetime| lifetime_choice(*lifetime, expires, t));
    let page = TokenFormPage {
        t,
        frame: &frame,
        title: t.token_new.to_string(),
        lead: &t.tokens_lead,
        back: visit.link(&t.tokens, "/tokens", &[]),
        csrf: visit.token(&action)?,
        action,
        scopes: choices_of(visit, &chosen),
        expiries: choices.collect(),
        name: Some(&name),
        submit: &t.token_create,
        problems,
    };
    Ok(draw(visit, page))
}

/// Another scope for one that there is.
pub(super) async fn edit(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::CreateOwnToken).await?;
    let (t, tokens) = (visit.t, visit.server().personal_tokens());
    let token = token_list::own(visit).await?;
    let action = visit.href("/token/edit", &[("token", token.id.as_str())]);
    let back = visit.link(&t.tokens, "/tokens", &[]);
    let mut chosen: Vec<String> = token.scope.tokens().map(str::to_owned).collect();
    let mut problems = Vec::new();
    if let Some(form) = &visit.form {
        visit.check(&action, form)?;
        chosen = form.all("scope").map(str::to_owned).collect();
        let scope = chosen_scope(form, tokens.allowed_scope(), t, &mut problems);
        if problems.is_empty() {
            match tokens.set_scope(visit.subject(), &token.id, scope).await {
                Ok(_) => return Ok(Visit::go(&back.href, Said::TokenSaved)),
                Err(error) => problems.push(problem(error, t)?),
            }
        }
    }
    let frame = visit.frame(Some(Section::Tokens)).await;
    let page = TokenFormPage {
        t,
        frame: &frame,
        title: fill(&t.token_edit, &[("name", &truncate_display(&token.name, 80))]),
        lead: &t.token_edit_lead,
        back,
        csrf: visit.token(&action)?,
        action,
        scopes: choices_of(visit, &chosen),
        expiries: Vec::new(),
        name: None,
        submit: &t.save,
        problems,
    };
    Ok(draw(visit, page))
}

fn draw(visit: &Visit<'_>, page: TokenFormPage<'_>) -> Response<String> {
    let status = if page.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    visit.show(status, &Page::TokenForm(page))
}

fn choices_of(visit: &Visit<'_>, chosen: &[String]) -> Vec<Choice> {
    let allowed = visit.server().personal_tokens().allowed_scope();
    scope_choices(visit, &|name| chosen.iter().any(|scope| scope == name), &|name| allowed.contains(name))
}

fn chosen_scope(form: &Fields, allowed: &Scope, t: &Text, problems: &mut Vec<Problem>) -> Scope {
    let mut names = form.all("scope").peekable();
    if names.peek().is_none() {
        problems.push(Problem::new("scopes", &*t.bad_scope_none));
        return Scope::empty();
    }
    let scope = Scope::from_tokens(names).ok().filter(|scope| scope.is_subset_of(allowed));
    scope.unwrap_or_else(|| {
        problems.push(Problem::new("scopes", &*t.bad_scope));
        Scope::empty()
    })
}

fn same_name(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

fn lifetime_choice(lifetime: Duration, chosen: Option<Duration>, t: &Text) -> Choice {
    let seconds = lifetime.as_secs();
    let label = if seconds.is_multiple_of(DAY) {
        fill(&t.days, &[("count", &(seconds / DAY).to_string())])
    } else {
        fill(&t.hours, &[("count", &seconds.div_ceil(3600).to_string())])
    };
    Choice::new(&seconds.to_string(), &label, "", chosen == Some(lifetime))
}

fn problem(error: ManageError, t: &Text) -> Result<Problem, Stop> {
    Ok(match error {
        ManageError::Name => Problem::new("name", &*t.bad_token_name),
        ManageError::NameTaken => Problem::new("name", &*t.bad_name_taken),
        ManageError::ScopeNotAllowed => Problem::new("scopes", &*t.bad_scope),
        ManageError::LifetimeNotAllowed => Problem::new("expires", &*t.bad_expiry),
        ManageError::TooManyTokens => Problem::new("", &*t.bad_tokens),
        ManageError::Inactive => return Err(Stop::NotAllowed),
        other => return Err(other.into()),
    })
}
