//! What a page is given, and how a host draws it instead of the console.

use askama::Template as _;

use super::pages::{
    ActivityPage, AppsPage, ClientFormPage, ClientListPage, ClientPage, ConfirmPage, FindPersonPage, MessagePage,
    ProgressPage, SecretFormPage, ShownOncePage, TokenFormPage, TokenListPage,
};

/// Draws the pages that the host wants to look otherwise than CSS can make them.
///
/// Whatever a page is given is text, not HTML: escape it ([`wire::html::escape`](crate::wire::html::escape)). The one
/// exception, a drawn chart, says so. What a form must hold is in the console's own templates (`src/console/templates/`),
/// which are a good place to begin.
pub trait Templates: Send + Sync + 'static {
    /// The whole page, as HTML; `None` for the console's own.
    fn page(&self, page: &Page<'_>) -> Option<String>;
}

/// A page, with what it shows.
#[derive(Debug)]
#[non_exhaustive]
pub enum Page<'a> {
    /// Says what is wrong.
    Message(MessagePage<'a>),
    /// Asks before something is done.
    Confirm(ConfirmPage<'a>),
    /// Shows how far something is.
    Progress(ProgressPage<'a>),
    /// The API clients.
    ClientList(ClientListPage<'a>),
    /// A new API client, or changes to one.
    ClientForm(ClientFormPage<'a>),
    /// One API client.
    Client(Box<ClientPage<'a>>),
    /// A new secret of an API client.
    SecretForm(SecretFormPage<'a>),
    /// What is shown this once.
    ShownOnce(ShownOncePage<'a>),
    /// What was issued and refused.
    Activity(ActivityPage<'a>),
    /// Asks whose access to show.
    FindPerson(FindPersonPage<'a>),
    /// Which applications hold access to somebody's account.
    Apps(AppsPage<'a>),
    /// Somebody's own access tokens.
    TokenList(TokenListPage<'a>),
    /// A new access token, or another scope for one.
    TokenForm(TokenFormPage<'a>),
}

impl Page<'_> {
    /// The page as the console draws it.
    pub(super) fn draw(&self) -> Result<String, askama::Error> {
        match self {
            Self::Message(page) => page.render(),
            Self::Confirm(page) => page.render(),
            Self::Progress(page) => page.render(),
            Self::ClientList(page) => page.render(),
            Self::ClientForm(page) => page.render(),
            Self::Client(page) => page.render(),
            Self::SecretForm(page) => page.render(),
            Self::ShownOnce(page) => page.render(),
            Self::Activity(page) => page.render(),
            Self::FindPerson(page) => page.render(),
            Self::Apps(page) => page.render(),
            Self::TokenList(page) => page.render(),
            Self::TokenForm(page) => page.render(),
        }
    }
}

/// What surrounds every page.
#[derive(Debug)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// What the host calls this.
    pub name: &'a str,
    /// The path that all of the console's begin with, without a slash at its end.
    pub base: &'a str,
    /// The address of the console's stylesheet.
    pub stylesheet: &'a str,
    /// The address of the host's stylesheet, which comes after it.
    pub theme: Option<&'a str>,
    /// The address of the script.
    pub script: &'a str,
    /// The address of the icon.
    pub icon: &'a str,
    /// Where one may go; empty for somebody who is not signed in.
    pub nav: Vec<NavItem<'a>>,
    /// Who is signed in.
    pub who: Option<&'a str>,
    /// A page of the host's about the account.
    pub account: Option<&'a str>,
    /// What was done just before, in a sentence.
    pub said: Option<&'a str>,
}

/// One entry of the navigation.
#[derive(Debug)]
#[non_exhaustive]
pub struct NavItem<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Where it leads.
    pub href: String,
    /// Whether this is it.
    pub here: bool,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

/// A value to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// The `id` of the element that holds it.
    pub id: &'static str,
    /// What it is called.
    pub label: String,
    /// The value.
    pub text: String,
}

/// A figure to be read at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figure {
    /// What it is called.
    pub label: String,
    /// How much.
    pub value: String,
    /// Of what, or in which time; may be empty.
    pub unit: String,
}

/// One of several things to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// What else there is to say; may be empty.
    pub hint: String,
    /// Whether it is chosen.
    pub checked: bool,
}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The `id` of the field; empty where it is no single one.
    pub field: &'static str,
    /// What is wrong, in a sentence.
    pub text: String,
}

impl Link {
    pub(super) fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

impl Choice {
    pub(super) fn new(value: &str, label: &str, hint: &str, chosen: bool) -> Self {
        Self { value: value.to_owned(), label: label.to_owned(), hint: hint.to_owned(), checked: chosen }
    }
}

impl Problem {
    pub(super) fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}
