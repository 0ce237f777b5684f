//! Grant types of the host (RFC 6749 §4.5): the host decides who is granted what, the server issues it.

use std::sync::Arc;

use super::authorization::{Authorization, Place};
use super::family::{self, Drawn, NewFamily};
use super::terms::{Asked, Granted, narrow};
use super::{ATTEMPTS, TokenAnswer};
use crate::client::{AuthenticatedClient, Presented};
use crate::context::Context;
use crate::extension::{ExtensionGrant, ExtensionRequest, Issue, Parameters};
use crate::refusal::{ExtensionRefusal, TokenError};
use crate::secret::SecretBytes;
use crate::store::{Committed, Link, Owner, State};
use crate::wire::form::Form;
use crate::wire::scope::Scope;

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
        if !issue.subject.is_sound() {
            // A mistake of the host, as with an approval.
            return Err(crate::error::Failure::Corrupt.into());
        }
        let issue = Issue { scope: context.within_rights(&issue.subject, &issue.scope).await?, ..issue };
        let place = Place::of(&context.keys, &issue.subject, client.id());
        let [present, subject] = context.load_few([place.authorization, place.subject]).await?;
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
            context.load(&authorization.keys_of_grants(&context.keys, place.subject.partition)).await?
        } else {
            Vec::new()
        };
        let with_refresh = issue.refresh_token && client.client().metadata().allows(super::refresh_token::GRANT_TYPE);
        let epoch = subject_record.map_or(0, |record| record.epoch);
        let new = NewFamily {
            client: &client,
            owner: Arc::new(Owner {
                client: client.client().link(),
                subject: Some(Link { key: place.subject, epoch }),
            }),
            name,
            granted: &granted(context, &client, issue, &asked)?,
            first: &Granted { scope: Scope::empty(), resources: Vec::new() },
            authenticated_at: now,
            device: "",
            parameters: &Parameters::default(),
            grant_type: grant_type.to_owned().into(),
            with_refresh,
            authorization,
            place,
            present,
            siblings: &siblings,
        };
        let new = NewFamily { first: new.granted, ..new };
        let (commit, answer) = family::found(&context.policy, &context.keys, new, &drawn, now);
        let answer = answer.in_format(context).await?;
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
