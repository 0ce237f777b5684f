//! Who manages, and what they may: the host's answer, for the management API and the console.

use async_trait::async_trait;
use http::request::Parts;

use crate::id::{ClientId, Subject};

/// A person who manages: an administrator, or a user with what is their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who, as tokens name them.
    pub subject: Subject,
    /// What to call them on a page.
    pub name: String,
}

/// What somebody wants to do. What a person does with their own grants and personal tokens is asked by the actions that
/// begin with `Own`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action<'a> {
    /// See which clients there are.
    ListClients,
    /// Register a client.
    CreateClient,
    /// See everything of a client but its secrets, which nobody can.
    ReadClient(&'a ClientId),
    /// Change a client: its metadata, its secrets, whether it is active.
    EditClient(&'a ClientId),
    /// Delete a client for good.
    DeleteClient(&'a ClientId),
    /// See what other people have granted.
    ReadGrants,
    /// End what other people have granted.
    RevokeGrants,
    /// End everything of everyone.
    RevokeEverything,
    /// See, make and end the initial access tokens with which others register clients.
    InitialAccess,
    /// See which applications hold access to one's own account, and end it.
    OwnGrants,
    /// See and end one's own personal tokens.
    OwnTokens,
    /// Create a personal token, or change its scope.
    CreateOwnToken,
}

/// Who may do what. The host knows; nothing is allowed that it did not allow.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Who sent this request; `None` for somebody who is not signed in.
    async fn actor(&self, request: &Parts) -> Option<Actor>;

    /// Whether they may. Asked at every request anew: what was taken from somebody is in force at once.
    async fn may(&self, actor: &Actor, action: Action<'_>) -> bool;
}
