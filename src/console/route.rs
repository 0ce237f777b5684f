//! Which page a path names.

use super::pages::Act;

/// A page of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Home,
    Clients,
    NewClient,
    Client,
    EditClient,
    NewSecret,
    Activity,
    People,
    Person,
    Apps,
    Tokens,
    NewToken,
    EditToken,
    Everything,
    /// A question, and what is done when it is answered with yes.
    Confirm(Act),
}

impl Route {
    /// The page at `path`, which is what follows the prefix.
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "" | "/" => Self::Home,
            "/clients" => Self::Clients,
            "/clients/new" => Self::NewClient,
            "/client" => Self::Client,
            "/client/edit" => Self::EditClient,
            "/client/secret/new" => Self::NewSecret,
            "/activity" => Self::Activity,
            "/people" => Self::People,
            "/person" => Self::Person,
            "/apps" => Self::Apps,
            "/tokens" => Self::Tokens,
            "/tokens/new" => Self::NewToken,
            "/token/edit" => Self::EditToken,
            "/everything" => Self::Everything,
            other => Self::Confirm(Act::ALL.into_iter().find(|act| act.path() == other)?),
        })
    }

    /// Whether it has a form of its own to answer.
    pub(super) const fn takes_forms(self) -> bool {
        match self {
            Self::Home
            | Self::Clients
            | Self::Client
            | Self::Activity
            | Self::People
            | Self::Person
            | Self::Apps
            | Self::Tokens => false,
            Self::NewClient
            | Self::EditClient
            | Self::NewSecret
            | Self::NewToken
            | Self::EditToken
            | Self::Everything
            | Self::Confirm(_) => true,
        }
    }
}
