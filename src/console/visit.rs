//! One request: who, in which browser and language, with which fields.

use http::{Response, StatusCode};

use super::answer;
use super::csrf::{Once, Session};
use super::form::Fields;
use super::page::{Frame, NavItem, Page};
use super::pages::{MessagePage, Said};
use super::site::Console;
use super::stop::Stop;
use super::text::Text;
use super::{Link, Moment};
use crate::access::{Action, Actor};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::id::Subject;
use crate::secret::Secret;
use crate::server::AuthorizationServer;
use crate::wire::uri::append_query;

/// A part of the console that the navigation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Clients,
    Activity,
    People,
    Apps,
    Tokens,
}

impl Section {
    const ALL: [Self; 5] = [Self::Clients, Self::Activity, Self::People, Self::Apps, Self::Tokens];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Clients => "/clients",
            Self::Activity => "/activity",
            Self::People => "/people",
            Self::Apps => "/apps",
            Self::Tokens => "/tokens",
        }
    }

    /// What whoever opens it must be allowed.
    pub(super) const fn action(self) -> Action<'static> {
        match self {
            Self::Clients => Action::ListClients,
            Self::Activity | Self::People => Action::ReadGrants,
            Self::Apps => Action::OwnGrants,
            Self::Tokens => Action::OwnTokens,
        }
    }

    fn label(self, t: &Text) -> &str {
        match self {
            Self::Clients => &t.clients,
            Self::Activity => &t.activity,
            Self::People => &t.people,
            Self::Apps => &t.apps,
            Self::Tokens => &t.tokens,
        }
    }
}

/// One request of somebody who is signed in.
pub(super) struct Visit<'c> {
    pub(super) console: &'c Console,
    pub(super) t: &'c Text,
    pub(super) actor: Actor,
    pub(super) session: Session,
    /// Of the address.
    pub(super) query: Fields,
    /// Of the body; `None` for a request that only asks to see.
    pub(super) form: Option<Fields>,
    /// What was done just before.
    pub(super) said: Option<Said>,
}

impl<'c> Visit<'c> {
    pub(super) fn server(&self) -> &'c AuthorizationServer {
        &self.console.server
    }

    pub(super) fn context(&self) -> &'c Context {
        &self.console.server.inner.context
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context().now()
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.actor.subject
    }

    pub(super) async fn may(&self, action: Action<'_>) -> bool {
        self.console.access.may(&self.actor, action).await
    }

    /// Goes no further if they may not.
    pub(super) async fn allow(&self, action: Action<'_>) -> Result<(), Stop> {
        if self.may(action).await { Ok(()) } else { Err(Stop::NotAllowed) }
    }

    /// The address of a page of the console.
    pub(super) fn href(&self, path: &str, query: &[(&str, &str)]) -> String {
        let path = [&*self.console.prefix, path].concat();
        if query.is_empty() { path } else { append_query(&path, query) }
    }

    pub(super) fn link(&self, label: &str, path: &str, query: &[(&str, &str)]) -> Link {
        Link::new(label, self.href(path, query))
    }

    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        Moment::new(at, self.t)
    }

    /// The same, but nothing for what never comes.
    pub(super) fn end(&self, at: Timestamp) -> Option<Moment> {
        (at != Timestamp::NEVER).then(|| self.moment(at))
    }

    /// The token of a form that posts to `address`, which names what is done and to what.
    pub(super) fn token(&self, address: &str) -> Result<Secret, Stop> {
        Ok(self.session.token(self.context(), self.subject(), address)?)
    }

    /// Checks the token of the form that was posted to `address`.
    pub(super) fn check(&self, address: &str, form: &Fields) -> Result<Once, Stop> {
        Ok(self.session.check(self.context(), self.subject(), address, form.text("csrf"))?)
    }

    /// The same, of a form that is good for once: what was sent before is not looked at again.
    pub(super) async fn check_once(&self, address: &str, form: &Fields) -> Result<Once, Stop> {
        let once = self.check(address, form)?;
        if once.is_spent(self.context(), self.subject()).await? { Err(Stop::Spent) } else { Ok(once) }
    }

    /// A field of the form; empty where there is none.
    pub(super) fn form_line(&self, name: &str) -> String {
        self.form.as_ref().map(|form| form.line(name)).unwrap_or_default()
    }

    /// Goes no further if the form was sent before.
    pub(super) async fn spend(&self, once: &Once) -> Result<(), Stop> {
        if once.spend(self.context(), self.subject()).await? { Ok(()) } else { Err(Stop::Spent) }
    }

    /// What surrounds a page of `section`.
    pub(super) async fn frame(&self, section: Option<Section>) -> Frame<'_> {
        let mut nav = Vec::new();
        for item in Section::ALL {
            if self.may(item.action()).await {
                let here = section == Some(item);
                nav.push(NavItem { label: item.label(self.t), href: self.href(item.path(), &[]), here });
            }
        }
        let said = self.said.map(|said| said.words(self.t));
        Frame { nav, who: Some(&self.actor.name), said, ..self.console.frame() }
    }

    /// Answers with a page.
    pub(super) fn show(&self, status: StatusCode, page: &Page<'_>) -> Response<String> {
        let mut response = self.console.draw(status, page, self.t);
        if let Some(cookie) = self.session.set_cookie() {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        if let Some(cookie) = self.said.and_then(|_| Said::forget()) {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        response
    }

    /// Goes on to another page, which says what was done.
    pub(super) fn go(href: &str, said: Said) -> Response<String> {
        let mut response = answer::see_other(href);
        if let Some(cookie) = said.remember() {
            response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        response
    }

    /// Says why it goes no further.
    pub(super) async fn stopped(&self, stop: Stop) -> Response<String> {
        let frame = self.frame(None).await;
        let (title, text) = stop.words(self.t);
        let link = frame.nav.first().map(|item| Link::new(item.label, item.href.as_str()));
        let page = MessagePage { t: self.t, frame: &frame, title, text, link };
        self.show(stop.status(), &Page::Message(page))
    }

    /// The first page that they may see.
    pub(super) async fn home(&self) -> Result<Response<String>, Stop> {
        for section in Section::ALL {
            if self.may(section.action()).await {
                return Ok(answer::see_other(&self.href(section.path(), &[])));
            }
        }
        Err(Stop::NotAllowed)
    }
}
