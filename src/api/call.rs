//! What an operation is given: the request, and who calls.

use super::config::Mounted;
use super::input::Input;
use super::problem::Problem;
use crate::access::{Action, Actor};
use crate::id::{ClientId, Subject};
use crate::server::AuthorizationServer;
use crate::wire::scope::Scope;

/// An operation on its way: what it is given.
pub(super) struct Call<'a> {
    pub(super) server: &'a AuthorizationServer,
    pub(super) api: &'a Mounted,
    pub(super) caller: &'a Caller,
    pub(super) input: Input<'a>,
}

/// Who calls: the client that holds the token, for itself or for a user.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) client_id: ClientId,
    pub(super) subject: Option<Subject>,
    pub(super) scope: String,
}

impl Caller {
    /// Whether nothing of the server's own scope in `scope` exceeds that of the token: who may edit clients must not
    /// become more by making one that is.
    pub(super) fn covers(&self, scope: &Scope) -> bool {
        let held = |token: &str| self.scope.split(' ').any(|held| held == token);
        scope.tokens().filter(|token| token.starts_with("grantor:")).all(held)
    }
}

impl Call<'_> {
    /// Whether the caller may. A client on its own may what its scope says; a user may what the host allows them, and
    /// without a word of the host what is their own.
    pub(super) async fn may(&self, action: Action<'_>) -> Result<(), Problem> {
        let own = matches!(action, Action::OwnGrants | Action::OwnTokens | Action::CreateOwnToken);
        let allowed = match (&self.caller.subject, &self.api.access) {
            (None, _) => !own,
            (Some(_), None) => own,
            (Some(subject), Some(access)) => {
                let actor = Actor { subject: subject.clone(), name: subject.as_str().to_owned() };
                access.may(&actor, action).await
            }
        };
        if allowed { Ok(()) } else { Err(Problem::forbidden("whoever this token speaks for may not do that")) }
    }

    /// The user whose own things are meant.
    pub(super) fn subject(&self) -> Result<&Subject, Problem> {
        let missing = || Problem::forbidden("this token speaks for no user, who could have something of their own");
        self.caller.subject.as_ref().ok_or_else(missing)
    }

    /// The URL of the page of this list that begins at a cursor.
    pub(super) fn page_url(&self, cursor: &str) -> String {
        let path = self.input.parts.uri.path();
        let mut url = self.server.inner.context.issuer.origin().to_owned();
        url.push_str(path);
        let others = self.input.query.pairs().filter(|(name, _)| *name != "cursor");
        for (index, (name, value)) in others.chain(std::iter::once(("cursor", cursor))).enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            crate::wire::form::encode_query_component(&mut url, name);
            url.push('=');
            crate::wire::form::encode_query_component(&mut url, value);
        }
        url
    }
}
