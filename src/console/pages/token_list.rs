//! One's own access tokens.

use askama::Template;
use http::{Response, StatusCode};

use super::Act;
use crate::access::Action;
use crate::console::page::{Frame, Page};
use crate::console::stop::Stop;
use crate::console::visit::{Section, Visit};
use crate::console::{Moment, Text};
use crate::manage::Grant;
use crate::wire::html::truncate_display;

/// Somebody's own access tokens.
#[derive(Debug, Template)]
#[template(path = "token_list.html")]
#[non_exhaustive]
pub struct TokenListPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Whether they may make one, and change its scope.
    pub may_create: bool,
    /// Where one is made.
    pub new_href: String,
    /// The tokens.
    pub rows: Vec<TokenRow>,
}

/// A token, without the token.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenRow {
    /// What its owner calls it, made safe to show.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// When it ends.
    pub expires: Moment,
    /// Whether it counts.
    pub live: bool,
    /// When it was last used.
    pub used: Option<Moment>,
    /// Where its scope is changed.
    pub edit_href: String,
    /// Where it is deleted.
    pub delete_href: String,
}

pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::OwnTokens).await?;
    let tokens = visit.server().personal_tokens().of(visit.subject()).await?;
    let rows = tokens.iter().map(|token| {
        let query = [("token", token.id.as_str())];
        TokenRow {
            name: truncate_display(&token.name, 80),
            scopes: token.scope.tokens().map(str::to_owned).collect(),
            created: visit.moment(token.created_at),
            expires: visit.moment(token.expires_at),
            live: token.live,
            used: token.last_used_at.map(|at| visit.moment(at)),
            edit_href: visit.href("/token/edit", &query),
            delete_href: visit.href(Act::DeleteToken.path(), &query),
        }
    });
    let frame = visit.frame(Some(Section::Tokens)).await;
    let page = TokenListPage {
        t: visit.t,
        frame: &frame,
        may_create: visit.may(Action::CreateOwnToken).await,
        new_href: visit.href("/tokens/new", &[]),
        rows: rows.collect(),
    };
    Ok(visit.show(StatusCode::OK, &Page::TokenList(page)))
}

/// The token that the address names, if it is their own.
pub(super) async fn own(visit: &Visit<'_>) -> Result<Grant, Stop> {
    let wanted = visit.query.text("token");
    let tokens = visit.server().personal_tokens().of(visit.subject()).await?;
    tokens.into_iter().find(|token| token.id.as_str() == wanted).ok_or(Stop::NotFound)
}
