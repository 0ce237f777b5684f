//! Grant types of the host (RFC 6749 §4.5): the host decides who is granted what, the server issues it.

use async_trait::async_trait;

use super::authorization::Authorization;
use super::family::{self, Drawn, NewFamily};
use super::terms::{Asked, Granted, narrow};
use super::{ATTEMPTS, TokenAnswer};
use crate::Subject;
use crate::client::{AuthenticatedClient, Client, Presented};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::endpoint::TokenError;
use crate::secret::SecretBytes;
use crate::store::{Committed, Link, Owner, State};
use crate::wire::form::Form;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// A grant type that the server does not know by itself; see [`Builder::grant_type`](crate::Builder::grant_type).
///
/// # Contract
///
/// It is asked after the client has authenticated and was found to be registered for this grant type, possibly more than once for one
/// request. It validates what was presented and changes nothing that cannot be repeated.
#[async_trait]
pub trait ExtensionGrant: Send + Sync + 'static {
    /// Who is granted what, or why nobody is granted anything.
    async fn decide(&self, request: ExtensionRequest<'_>) -> Result<Issue, ExtensionRefusal>;
}

/// A token request with a grant type of the host.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ExtensionRequest<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The parameters of the request.
    pub parameters: &'a Form<'a>,
    /// The scope it asks for, where it names one.
    pub scope: Option<&'a Scope>,
    /// The resources it asks for.
    pub resources: &'a [Resource],
    /// The present moment.
    pub now: Timestamp,
}

/// What an extension grant gives. The server still narrows it to what the client may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// For whom.
    pub subject: Subject,
    /// Which scope.
    pub scope: Scope,
    /// For which resources; empty for any.
    pub resources: Vec<Resource>,
    /// Whether a refresh token comes with it, if the client is registered for that.
    pub refresh_token: bool,
}

/// Why an extension grant gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExtensionRefusal {
    /// A parameter is missing or malformed: `invalid_request`.
    #[error("a parameter is missing or malformed")]
    InvalidRequest,
    /// What was presented is not valid: `invalid_grant`.
    #[error("what was presented is not valid")]
    InvalidGrant,
    /// The scope is not to be had: `invalid_scope`.
    #[error("the scope is not to be had")]
    InvalidScope,
    /// This client may not: `unauthorized_client`.
    #[error("this client may not use the grant")]
    UnauthorizedClient,
    /// The host cannot tell now: 503.
    #[error("the host cannot tell now")]
    Unavailable,
}

pub(crate) async fn issue(
    context: &Context,
    presented: &Presented,
    grant_type: &str,
    extension: &dyn ExtensionGrant,
    form: &Form<'_>,
) -> Result<TokenAnswer, TokenError> {
    let asked = Asked::read(form)?;
    let now = context.now();
    let drawn = Drawn { access: SecretBytes::new(context.draw()?), refresh: SecretBytes::new(context.draw()?) };
    let name = context.draw()?;
    for _ in 0..ATTEMPTS {
        let (client, _) = super::load_for(context, presented, grant_type, None, now).await?;
        let request = ExtensionRequest {
            client: client.client(),
            parameters: form,
            scope: asked.scope.as_ref(),
            resources: &asked.resources,
            now,
        };
        let issue = extension.decide(request).await.map_err(TokenError::Extension)?;
        let keys = [context.keys.authorization(&issue.subject, client.id()), context.keys.subject(&issue.subject)];
        let mut found = context.load(&keys).await?;
        let (subject, present) = (found.pop().flatten(), found.pop().flatten());
        let present = present.as_ref().map(|loaded| &*loaded.record);
        let subject_record = subject.as_ref().map(|loaded| &*loaded.record);
        if subject_record.is_some_and(|record| record.state != State::Live) {
            return Err(TokenError::Extension(ExtensionRefusal::InvalidGrant));
        }
        let authorization = match present.map(Authorization::read) {
            Some(read) => read.map_err(|_| TokenError::from(crate::error::Failure::Corrupt))?,
            None => Authorization::new(&issue.subject, client.id()),
        };
        // Always anew: what was found under an older list says nothing of this one.
        let siblings = if family::is_full(&context.policy, &authorization) {
            let partition = context.keys.partition_of(&issue.subject);
            context.load(&authorization.keys_of_grants(&context.keys, partition)).await?
        } else {
            Vec::new()
        };
        let with_refresh = issue.refresh_token && client.client().metadata().allows(super::refresh_token::GRANT_TYPE);
        let epoch = subject_record.map_or(0, |record| record.epoch);
        let new = NewFamily {
            client: &client,
            owner: Owner {
                client: client.client().link(),
                subject: Some(Link { key: context.keys.subject(&issue.subject), epoch }),
            },
            name,
            granted: &granted(context, &client, issue, &asked)?,
            first: &Granted { scope: Scope::empty(), resources: Vec::new() },
            authenticated_at: now,
            grant_type,
            with_refresh,
            authorization,
            present,
            siblings: &siblings,
        };
        let new = NewFamily { first: new.granted, ..new };
        let (commit, answer) = family::found(&context.policy, &context.keys, new, &drawn, now);
        if context.commit(&commit).await? == Committed::Applied {
            context.note_secret_use(&client, now).await;
            return Ok(answer);
        }
    }
    Err(crate::error::Failure::Contended.into())
}

fn granted(
    context: &Context,
    client: &AuthenticatedClient,
    issue: Issue,
    asked: &Asked,
) -> Result<Granted, TokenError> {
    let allowed = context.policy.scope_of_client(client.client().metadata());
    narrow(&context.policy, &Granted { scope: issue.scope, resources: issue.resources }, &allowed, asked)
}
