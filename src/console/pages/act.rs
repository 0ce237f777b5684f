//! What has to be confirmed before it is done.

use std::time::Duration;

use super::Said;
use super::client::secret_name;
use super::client_list::name_of;
use crate::access::Action;
use crate::client::Client;
use crate::console::page::{Choice, Link};
use crate::console::stop::Stop;
use crate::console::text::fill;
use crate::console::visit::Visit;
use crate::grant::personal;
use crate::id::{ClientId, GrantId, Subject};
use crate::wire::html::truncate_display;

/// Something that is done when a question is answered with yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Act {
    ActivateClient,
    DeactivateClient,
    RevokeClient,
    DeleteClient,
    EndSecret,
    EndGrant,
    RevokePerson,
    RemovePersonsApp,
    RemoveApp,
    EndSession,
    DeleteToken,
}

/// The question, and what an answer leads to.
pub(super) struct Question {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) yes: String,
    pub(super) choices: Vec<Choice>,
    pub(super) back: Link,
    /// Where to go when it is done.
    pub(super) then: String,
    pub(super) said: Said,
}

impl Act {
    pub(in crate::console) const ALL: [Self; 11] = [
        Self::ActivateClient,
        Self::DeactivateClient,
        Self::RevokeClient,
        Self::DeleteClient,
        Self::EndSecret,
        Self::EndGrant,
        Self::RevokePerson,
        Self::RemovePersonsApp,
        Self::RemoveApp,
        Self::EndSession,
        Self::DeleteToken,
    ];

    pub(in crate::console) const fn path(self) -> &'static str {
        match self {
            Self::ActivateClient => "/client/activate",
            Self::DeactivateClient => "/client/deactivate",
            Self::RevokeClient => "/client/revoke",
            Self::DeleteClient => "/client/delete",
            Self::EndSecret => "/client/secret/end",
            Self::EndGrant => "/client/session/end",
            Self::RevokePerson => "/person/revoke",
            Self::RemovePersonsApp => "/person/app/remove",
            Self::RemoveApp => "/app/remove",
            Self::EndSession => "/app/session/end",
            Self::DeleteToken => "/token/delete",
        }
    }

    /// The parameters of the address that name what it is done to. The token of the form is bound to them.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::ActivateClient
            | Self::DeactivateClient
            | Self::RevokeClient
            | Self::DeleteClient
            | Self::RemoveApp => &["client"],
            Self::EndSecret => &["client", "secret"],
            Self::EndGrant => &["client", "grant"],
            Self::RevokePerson => &["subject"],
            Self::RemovePersonsApp => &["subject", "client"],
            Self::EndSession => &["grant"],
            Self::DeleteToken => &["token"],
        }
    }

    pub(super) const fn is_destructive(self) -> bool {
        !matches!(self, Self::ActivateClient)
    }

    pub(super) async fn allow(self, visit: &Visit<'_>) -> Result<(), Stop> {
        let id = ClientId::from(visit.query.text("client"));
        let action = match self {
            Self::ActivateClient | Self::DeactivateClient | Self::EndSecret => Action::EditClient(&id),
            Self::DeleteClient => Action::DeleteClient(&id),
            Self::RevokeClient | Self::EndGrant | Self::RevokePerson | Self::RemovePersonsApp => Action::RevokeGrants,
            Self::RemoveApp | Self::EndSession => Action::OwnGrants,
            Self::DeleteToken => Action::OwnTokens,
        };
        visit.allow(action).await
    }

    /// The question, for what the address names; [`Stop::NotFound`] if there is no such thing.
    pub(super) async fn question(self, visit: &Visit<'_>) -> Result<Question, Stop> {
        match self {
            Self::ActivateClient | Self::DeactivateClient | Self::RevokeClient | Self::DeleteClient => {
                self.about_client(visit).await
            }
            Self::EndSecret => about_secret(visit).await,
            Self::EndGrant | Self::EndSession => self.about_session(visit).await,
            Self::RevokePerson => Ok(about_person(visit)),
            Self::RemoveApp | Self::RemovePersonsApp => self.about_app(visit).await,
            Self::DeleteToken => about_token(visit).await,
        }
    }

    async fn about_client(self, visit: &Visit<'_>) -> Result<Question, Stop> {
        let t = visit.t;
        let client = client_of(visit).await?;
        let (question, text, yes, said) = match self {
            Self::ActivateClient => (&t.activate_question, &t.activate_text, &t.activate_yes, Said::Activated),
            Self::DeactivateClient => {
                (&t.deactivate_question, &t.deactivate_more, &t.deactivate_yes, Said::Deactivated)
            }
            Self::DeleteClient => (&t.delete_question, &t.delete_more, &t.delete_yes, Said::Deleted),
            _ => (&t.revoke_question, &t.revoke_more, &t.revoke_yes, Said::Revoked),
        };
        let name = name_of(&client);
        let back = client_link(visit, &client);
        let then = if self == Self::DeleteClient { visit.href("/clients", &[]) } else { back.href.clone() };
        Ok(Question {
            title: fill(question, &[("name", &name)]),
            text: text.to_string(),
            yes: yes.to_string(),
            choices: Vec::new(),
            back,
            then,
            said,
        })
    }

    /// One session, of a client's people or one's own.
    async fn about_session(self, visit: &Visit<'_>) -> Result<Question, Stop> {
        let t = visit.t;
        let grant = visit.server().grants().get(&GrantId::from(visit.query.text("grant"))).await?;
        let is_own = |subject: &Subject| self == Self::EndGrant || subject == visit.subject();
        let grant = grant.filter(|grant| is_own(&grant.subject)).ok_or(Stop::NotFound)?;
        // A personal token is no session of an application.
        let client = visit.server().clients().get(&grant.client_id).await?;
        let client = client.filter(|client| *client.id() != personal::client_id());
        let client =
            client.filter(|client| self == Self::EndSession || client.id().as_str() == visit.query.text("client"));
        let client = client.ok_or(Stop::NotFound)?;
        let (name, since) = (name_of(&client), visit.moment(grant.created_at).text);
        let back = match self {
            Self::EndGrant => client_link(visit, &client),
            _ => visit.link(&t.apps, "/apps", &[]),
        };
        let device = super::apps::device(&grant.device, t);
        let device = if self == Self::EndGrant { truncate_display(grant.subject.as_str(), 60) } else { device };
        Ok(Question {
            title: fill(&t.session_end_question, &[("name", &name)]),
            text: fill(&t.session_end_more, &[("device", &device), ("since", &since)]),
            yes: t.session_end_yes.to_string(),
            choices: Vec::new(),
            then: back.href.clone(),
            back,
            said: Said::SessionEnded,
        })
    }

    /// An application that holds access to one's own account, or to somebody's.
    async fn about_app(self, visit: &Visit<'_>) -> Result<Question, Stop> {
        let t = visit.t;
        let (subject, back) = if self == Self::RemoveApp {
            (visit.subject().clone(), visit.link(&t.apps, "/apps", &[]))
        } else {
            let subject = Subject::from(visit.query.text("subject"));
            let name = truncate_display(subject.as_str(), 60);
            let back = visit.link(&name, "/person", &[("subject", subject.as_str())]);
            (subject, back)
        };
        let id = ClientId::from(visit.query.text("client"));
        let app = visit.server().grants().app(&subject, &id).await?.ok_or(Stop::NotFound)?;
        let name = truncate_display(&app.client_name, 80);
        Ok(Question {
            title: fill(&t.app_remove_question, &[("name", &name)]),
            text: t.app_remove_more.to_string(),
            yes: t.app_remove_yes.to_string(),
            choices: Vec::new(),
            then: back.href.clone(),
            back,
            said: Said::AppRemoved,
        })
    }

    /// Does it.
    pub(super) async fn perform(self, visit: &Visit<'_>) -> Result<(), Stop> {
        let server = visit.server();
        let (clients, grants) = (server.clients(), server.grants());
        let client = ClientId::from(visit.query.text("client"));
        let grant = GrantId::from(visit.query.text("grant"));
        let subject = Subject::from(visit.query.text("subject"));
        match self {
            Self::ActivateClient => clients.activate(&client).await.map(|_| ())?,
            Self::DeactivateClient => clients.deactivate(&client).await.map(|_| ())?,
            Self::RevokeClient => clients.revoke_all(&client).await.map(|_| ())?,
            Self::DeleteClient => clients.delete(&client).await?,
            Self::EndSecret => {
                let wait =
                    ends().into_iter().find(|(word, _)| visit.form_line("when") == *word).ok_or(Stop::Malformed)?.1;
                let secret = visit.query.text("secret").parse().map_err(|_| Stop::NotFound)?;
                clients.expire_secret(&client, secret, visit.now().after(wait)).await?;
            }
            Self::EndGrant => grants.revoke(&grant).await?,
            Self::RevokePerson => server.subjects().revoke_all(&subject).await?,
            Self::RemovePersonsApp => grants.remove_app(&subject, &client).await?,
            Self::RemoveApp => grants.remove_app(visit.subject(), &client).await?,
            Self::EndSession => grants.revoke_own(visit.subject(), &grant).await?,
            Self::DeleteToken => {
                let token = GrantId::from(visit.query.text("token"));
                server.personal_tokens().delete(visit.subject(), &token).await?;
            }
        }
        Ok(())
    }
}

async fn client_of(visit: &Visit<'_>) -> Result<std::sync::Arc<Client>, Stop> {
    let id = ClientId::from(visit.query.text("client"));
    let client = visit.server().clients().get(&id).await?.filter(|client| *client.id() != personal::client_id());
    client.ok_or(Stop::NotFound)
}

fn client_link(visit: &Visit<'_>, client: &Client) -> Link {
    visit.link(&name_of(client), "/client", &[("client", client.id().as_str())])
}

/// When a secret may be made to end: what the form sends, and after how long.
fn ends() -> [(&'static str, Duration); 4] {
    const HOUR: u64 = 3600;
    [
        ("now", Duration::ZERO),
        ("hour", Duration::from_secs(HOUR)),
        ("day", Duration::from_secs(24 * HOUR)),
        ("week", Duration::from_secs(7 * 24 * HOUR)),
    ]
}

async fn about_secret(visit: &Visit<'_>) -> Result<Question, Stop> {
    let t = visit.t;
    let client = client_of(visit).await?;
    let secrets = visit.server().clients().secrets(client.id()).await?;
    let wanted = visit.query.text("secret");
    let secret = secrets.iter().find(|secret| secret.id.to_string() == wanted).ok_or(Stop::NotFound)?;
    let words = [&t.at_once, &t.in_hour, &t.in_day, &t.in_week];
    let choices = ends().into_iter().zip(words);
    let back = client_link(visit, &client);
    Ok(Question {
        title: fill(&t.secret_end_question, &[("name", &secret_name(secret, t))]),
        text: t.secret_end_text.to_string(),
        yes: t.secret_end_yes.to_string(),
        choices: choices.map(|((word, _), label)| Choice::new(word, label, "", word == "now")).collect(),
        then: back.href.clone(),
        back,
        said: Said::SecretEnded,
    })
}

fn about_person(visit: &Visit<'_>) -> Question {
    let t = visit.t;
    let subject = visit.query.text("subject");
    let name = truncate_display(subject, 60);
    let back = visit.link(&name, "/person", &[("subject", subject)]);
    Question {
        title: fill(&t.person_revoke_question, &[("name", &name)]),
        text: t.person_revoke_more.to_string(),
        yes: t.person_revoke_yes.to_string(),
        choices: Vec::new(),
        then: back.href.clone(),
        back,
        said: Said::PersonRevoked,
    }
}

async fn about_token(visit: &Visit<'_>) -> Result<Question, Stop> {
    let t = visit.t;
    let token = super::token_list::own(visit).await?;
    let back = visit.link(&t.tokens, "/tokens", &[]);
    Ok(Question {
        title: fill(&t.token_delete_question, &[("name", &truncate_display(&token.name, 80))]),
        text: t.token_delete_more.to_string(),
        yes: t.token_delete_yes.to_string(),
        choices: Vec::new(),
        then: back.href.clone(),
        back,
        said: Said::TokenDeleted,
    })
}
