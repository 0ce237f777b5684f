//! Which applications hold access to one's own account.

use askama::Template;
use http::{Response, StatusCode};

use super::client::ZoneRow;
use super::{Act, place};
use crate::access::Action;
use crate::console::page::{Choice, Frame, Page};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::{Section, Visit};
use crate::console::{Moment, Text};
use crate::id::Subject;
use crate::manage::ConnectedApp;
use crate::wire::html::truncate_display;
use crate::wire::scope::Scope;

/// Which applications hold access to somebody's account.
#[derive(Debug, Template)]
#[template(path = "apps.html")]
#[non_exhaustive]
pub struct AppsPage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// What the page is called.
    pub title: String,
    /// What it shows.
    pub lead: &'a str,
    /// The applications on this page.
    pub apps: Vec<AppCard>,
    /// The first page, if this is another.
    pub first: Option<String>,
    /// The page after this.
    pub next: Option<String>,
    /// Ending all of it, for an administrator who looks at somebody's account.
    pub revoke_all: Option<ZoneRow>,
}

/// An application.
#[derive(Debug)]
#[non_exhaustive]
pub struct AppCard {
    /// Its name, made safe to show.
    pub name: String,
    /// Its home page: http or https.
    pub uri: Option<String>,
    /// What it may do.
    pub scopes: Vec<Choice>,
    /// That it was agreed to, and until when that is remembered.
    pub remembered: Option<String>,
    /// Where it is signed in.
    pub sessions: Vec<SessionRow>,
    /// Where its access is removed, for whoever may.
    pub remove_href: Option<String>,
}

/// A session of an application.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionRow {
    /// On which device, as far as is known.
    pub label: String,
    /// Since when.
    pub created: Moment,
    /// When it was last used.
    pub used: Option<Moment>,
    /// Where it is ended, for whoever may.
    pub href: Option<String>,
}

/// Whose applications are shown.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    /// One's own.
    Own,
    /// Somebody's, to be seen.
    Seen,
    /// Somebody's, to be ended.
    Ended(&'a Subject),
}

const PAGE: u32 = 20;

/// One's own.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response<String>, Stop> {
    visit.allow(Action::OwnGrants).await?;
    let after = place::read(visit.query.text("after"));
    let found = visit.server().grants().apps(visit.subject(), after.clone(), PAGE).await?;
    let frame = visit.frame(Some(Section::Apps)).await;
    let page = AppsPage {
        t: visit.t,
        frame: &frame,
        title: visit.t.apps.to_string(),
        lead: &visit.t.apps_lead,
        apps: found.items.iter().map(|app| card(visit, app, Whose::Own)).collect(),
        first: after.map(|_| visit.href("/apps", &[])),
        next: found.next.map(|next| visit.href("/apps", &[("after", &place::print(&next))])),
        revoke_all: None,
    };
    Ok(visit.show(StatusCode::OK, &Page::Apps(page)))
}

/// An application that holds access.
pub(super) fn card(visit: &Visit<'_>, app: &ConnectedApp, whose: Whose<'_>) -> AppCard {
    let t = visit.t;
    let id = app.client_id.as_str();
    let scope = match &app.consent {
        Some(consent) => consent.scope.union(&app.scope),
        None => app.scope.clone(),
    };
    let until = app.consent.as_ref().and_then(|consent| visit.end(consent.until));
    let sessions = app.sessions.iter().map(|session| SessionRow {
        label: device(&session.device, t),
        created: visit.moment(session.created_at),
        used: session.last_used_at.map(|at| visit.moment(at)),
        href: match whose {
            Whose::Own => Some(visit.href(Act::EndSession.path(), &[("grant", session.id.as_str())])),
            Whose::Ended(_) => {
                Some(visit.href(Act::EndGrant.path(), &[("client", id), ("grant", session.id.as_str())]))
            }
            Whose::Seen => None,
        },
    });
    AppCard {
        name: truncate_display(&app.client_name, 80),
        uri: app.client_uri.clone(),
        scopes: described(visit, &scope),
        remembered: until.map(|until| fill(&t.app_kept, &[("day", &until.day)])),
        sessions: sessions.collect(),
        remove_href: match whose {
            Whose::Own => Some(visit.href(Act::RemoveApp.path(), &[("client", id)])),
            Whose::Ended(person) => {
                Some(visit.href(Act::RemovePersonsApp.path(), &[("subject", person.as_str()), ("client", id)]))
            }
            Whose::Seen => None,
        },
    }
}

/// The words of a scope, as the consent page explained them.
pub(super) fn described(visit: &Visit<'_>, scope: &Scope) -> Vec<Choice> {
    let known = &visit.context().policy.scopes;
    let words = scope.tokens().map(|token| {
        let definition = known.iter().find(|definition| definition.name == token);
        let label = definition.map_or("", |definition| definition.description.as_str());
        Choice::new(token, if label.is_empty() { token } else { label }, "", true)
    });
    words.collect()
}

/// A device in a few words, from what its browser said of itself; that itself, where it is none that most people use.
pub(super) fn device(user_agent: &str, t: &Text) -> String {
    // Most name others whom they resemble: the order matters.
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    let browser = find(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => fill(&t.device, &[("browser", browser), ("system", system)]),
        _ if user_agent.is_empty() => t.session.to_string(),
        _ => truncate_display(user_agent, 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_what_it_says_of_itself() {
        let t = Text::english();
        for (said, shown) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox on macOS",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "Unknown device"),
            ("<script>\u{202e}", "<script>\u{fffd}"),
        ] {
            assert_eq!(device(said, &t), shown);
        }
    }
}
