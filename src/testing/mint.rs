//! Tokens without the way there: the records are those that a flow would have written, and so is everything that
//! follows.

use std::sync::Arc;
use std::time::Duration;

use super::handle::Inner;
use super::personal;
use crate::client::{AuthenticatedClient, Client};
use crate::clock::{Clock as _, Timestamp};
use crate::context::Context;
use crate::event::{Event, What};
use crate::extension::Parameters;
use crate::grant::authorization::{Authorization, Place};
use crate::grant::family::{self, Drawn, NewFamily};
use crate::grant::terms::Granted;
use crate::grant::{ATTEMPTS, TokenAnswer, Under, client_credentials};
use crate::id::{ClientId, Subject};
use crate::secret::SecretBytes;
use crate::store::{Commit, Committed, Key, Kind, Link, Owner, Record, State, Write};
use crate::token::fields::{Writer, tag};
use crate::token::mint;
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;
use crate::wire::uri::Resource;

/// A token to be minted: see [`TestServer::mint`](super::TestServer::mint).
///
/// What is not said is as it is by default: the client `app`, the server's default scope, addressed to all, and the
/// lifetimes that the server is configured with. Scope and audience need not be known to the server.
#[derive(Debug, Clone)]
#[must_use = "nothing is minted before `access`, `refresh`, `tokens` or `personal`"]
pub struct Mint<'a> {
    server: &'a super::TestServer,
    terms: MintTerms,
}

/// The tokens of a grant that was minted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token; `None` for a client that acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// For how many seconds the access token lives.
    pub expires_in: u64,
    /// Which scope it has.
    pub scope: String,
}

/// What is to be minted.
#[derive(Debug, Clone)]
pub(super) struct MintTerms {
    pub(super) subject: Option<Subject>,
    pub(super) client: ClientId,
    pub(super) scope: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) begins_in: Duration,
}

/// Why nothing could be minted.
#[derive(Debug, thiserror::Error)]
pub(super) enum MintError {
    #[error("the client {0:?} is not registered, or not active")]
    Client(ClientId),
    #[error("{0:?} is not a scope: {1}")]
    Scope(String, crate::wire::scope::ScopeError),
    #[error("{0:?} is not a resource that a token can be addressed to: {1}")]
    Audience(String, crate::wire::uri::UriError),
    #[error("the subject must have 1 to 255 bytes, and be active")]
    Subject,
    #[error("{0}")]
    Failure(#[from] crate::error::Failure),
}

impl<'a> Mint<'a> {
    pub(super) fn new(server: &'a super::TestServer, client: ClientId, subject: Option<Subject>) -> Self {
        Self { server, terms: MintTerms::new(client, subject) }
    }

    /// Issued to this client, which must be registered.
    pub fn client(mut self, client: impl Into<ClientId>) -> Self {
        self.terms.client = client.into();
        self
    }

    /// With this scope: tokens separated by one space. `""` for none.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.terms.scope = Some(scope.into());
        self
    }

    /// Addressed to this resource (RFC 8707); once more for another.
    pub fn audience(mut self, resource: impl Into<String>) -> Self {
        self.terms.audience.push(resource.into());
        self
    }

    /// An access token that lives so long.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.terms.lifetime = Some(lifetime);
        self
    }

    /// An access token that has expired.
    pub fn expired(self) -> Self {
        self.expires_in(Duration::ZERO)
    }

    /// An access token that counts only so much later.
    pub fn valid_in(mut self, wait: Duration) -> Self {
        self.terms.begins_in = wait;
        self
    }

    /// An access token.
    ///
    /// # Panics
    ///
    /// If the client is not registered, or scope, audience or subject are none.
    pub async fn access(self) -> String {
        self.tokens().await.access_token
    }

    /// A refresh token, of a grant that has an access token too.
    ///
    /// # Panics
    ///
    /// As [`access`](Self::access), and for a client that acts for itself, which never has one.
    pub async fn refresh(self) -> String {
        match self.tokens().await.refresh_token {
            Some(token) => token,
            None => panic!("a client that acts for itself has no refresh token (RFC 6749 section 4.4.3)"),
        }
    }

    /// A personal token: what the user makes for a script of their own. It has a grant of its own, no client, and a
    /// name that the server makes up.
    ///
    /// # Panics
    ///
    /// If scope, audience or subject are none, or there is no subject.
    pub async fn personal(self) -> String {
        self.personal_named(None).await
    }

    /// The same, with this name.
    ///
    /// # Panics
    ///
    /// As [`personal`](Self::personal).
    pub async fn personal_called(self, name: impl Into<String>) -> String {
        self.personal_named(Some(name.into())).await
    }

    async fn personal_named(self, name: Option<String>) -> String {
        match personal::token(&self.server.inner, &self.terms, name).await {
            Ok(token) => token,
            Err(error) => panic!("no personal token could be minted: {error}"),
        }
    }

    /// Both, of one grant.
    ///
    /// # Panics
    ///
    /// As [`access`](Self::access).
    pub async fn tokens(self) -> Tokens {
        match tokens(&self.server.inner, self.terms).await {
            Ok(tokens) => tokens,
            Err(error) => panic!("no token could be minted: {error}"),
        }
    }
}

impl MintTerms {
    pub(super) fn new(client: ClientId, subject: Option<Subject>) -> Self {
        Self { subject, client, scope: None, audience: Vec::new(), lifetime: None, begins_in: Duration::ZERO }
    }

    pub(super) fn granted(&self, context: &Context) -> Result<Granted, MintError> {
        let scope = match self.scope.as_deref() {
            None => context.policy.default_scope.clone(),
            Some("") => Scope::empty(),
            Some(text) => Scope::parse(text).map_err(|error| MintError::Scope(text.to_owned(), error))?,
        };
        let audience = self.audience.iter();
        let resources =
            audience.map(|text| Resource::parse(text).map_err(|error| MintError::Audience(text.clone(), error)));
        Ok(Granted { scope, resources: resources.collect::<Result<_, _>>()? })
    }
}

/// Mints what the terms say.
pub(super) async fn tokens(inner: &Inner, terms: MintTerms) -> Result<Tokens, MintError> {
    let context = &inner.server.inner.context;
    let granted = terms.granted(context)?;
    let client = inner.server.clients().get(&terms.client).await?;
    let client = client.filter(|client| client.state() == State::Live);
    let client = client.ok_or_else(|| MintError::Client(terms.client.clone()))?;
    let mut attempts = ATTEMPTS;
    let (access, answer) = loop {
        let (commit, answer) = match &terms.subject {
            Some(subject) => for_subject(context, &client, subject, &granted, &terms).await?,
            None => for_client(context, &client, &granted, &terms)?,
        };
        let answer = answer.in_format(context).await?;
        if context.commit(&commit).await? == Committed::Applied {
            break (access_key(&commit), answer);
        }
        // Somebody else has got something for the same subject and client.
        attempts = attempts.checked_sub(1).ok_or(crate::error::Failure::Contended)?;
    };
    if let Some(key) = access.filter(|_| !terms.begins_in.is_zero()) {
        inner.store.hide(key, inner.clock.now().after(terms.begins_in));
    }
    Ok(Tokens {
        access_token: answer.access_token.expose().to_owned(),
        refresh_token: answer.refresh_token.map(|token| token.expose().to_owned()),
        expires_in: answer.expires_in,
        scope: answer.scope.as_str().to_owned(),
    })
}

/// A grant as an approval and an exchange would have made it.
async fn for_subject(
    context: &Context,
    client: &Arc<Client>,
    subject: &Subject,
    granted: &Granted,
    terms: &MintTerms,
) -> Result<(Commit, TokenAnswer), MintError> {
    if !subject.is_sound() {
        return Err(MintError::Subject);
    }
    let now = context.now();
    let drawn = Drawn { access: SecretBytes::new(context.draw()?), refresh: SecretBytes::new(context.draw()?) };
    let place = Place::of(&context.keys, subject, client.id());
    let [present, owner] = context.load_few([place.authorization, place.subject]).await?;
    if owner.as_ref().is_some_and(|owner| owner.record.state != State::Live) {
        return Err(MintError::Subject);
    }
    let authorization = match &present {
        Some(present) => Authorization::read(&present.record).map_err(|_| crate::error::Failure::Corrupt)?,
        None => Authorization::new(subject, client.id()),
    };
    // A test may mint as many as it likes: the server's limit on live grants is for what is earned.
    let mut policy = context.policy.clone();
    policy.limits.grants_per_subject_and_client = u32::MAX;
    let siblings = Vec::new();
    let authenticated = AuthenticatedClient::vouched_for(Arc::clone(client));
    let new = NewFamily {
        client: &authenticated,
        owner: Arc::new(Owner {
            client: client.link(),
            subject: Some(Link {
                key: context.keys.subject(subject),
                epoch: owner.map_or(0, |owner| owner.record.epoch),
            }),
        }),
        name: context.draw()?,
        granted,
        first: granted,
        authenticated_at: now,
        device: "",
        parameters: &Parameters::default(),
        grant_type: "authorization_code".into(),
        with_refresh: true,
        authorization,
        place,
        present: present.as_ref().map(|loaded| &*loaded.record),
        siblings: &siblings,
    };
    let (mut commit, mut answer) = family::found(&policy, &context.keys, new, &drawn, now);
    if let Some(lifetime) = terms.lifetime {
        answer.expires_in = lifetime.as_secs();
        let (ends, skew) = (now.after(lifetime), policy.lifetimes.clock_skew);
        for write in &mut commit.writes {
            let Write::Insert(record) = write else { continue };
            match record.key.kind {
                Kind::ACCESS_TOKEN => {
                    end_at(Arc::make_mut(record), ends, skew);
                    answer.record = Arc::clone(record);
                }
                // Nothing outlives its grant.
                Kind::GRANT if record.expires_at < ends => {
                    end_at(Arc::make_mut(record), ends, skew);
                    answer.under = Under::Grant(Arc::clone(record));
                }
                _ => {}
            }
        }
    }
    Ok((commit, answer))
}

fn end_at(record: &mut Record, ends: Timestamp, skew: Duration) {
    record.expires_at = ends;
    record.purge_after = ends.after(skew);
}

/// A token as `client_credentials` would have made it.
fn for_client(
    context: &Context,
    client: &Arc<Client>,
    granted: &Granted,
    terms: &MintTerms,
) -> Result<(Commit, TokenAnswer), MintError> {
    let (now, link) = (context.now(), client.link());
    let expires_at = match terms.lifetime {
        Some(lifetime) => now.after(lifetime),
        None => family::ClientLifetimes::of(&context.policy.lifetimes, client.metadata()).access_until(now),
    };
    let payload = Writer::new()
        .text(tag::SCOPE, granted.scope.as_str())
        .texts(tag::RESOURCE, granted.resources.iter().map(Resource::as_str))
        .payload();
    let record_terms = mint::Terms {
        parent: Some(link),
        owner: None,
        created_at: now,
        expires_at,
        purge_after: expires_at.after(context.policy.lifetimes.clock_skew),
        payload,
    };
    let random = SecretBytes::new(context.draw()?);
    let (access_token, record) =
        mint::mint(&context.keys, TokenKind::Access, link.key.partition, random.expose(), record_terms);
    let issued = What::Issued { grant_type: client_credentials::GRANT_TYPE.into(), scope: granted.scope.clone() };
    let commit = Commit {
        writes: vec![Write::Insert(Arc::clone(&record))],
        events: vec![Event::new(now, issued).client(client.id())],
        ..context.keys.commit(link.key.partition, now)
    };
    let answer = TokenAnswer {
        access_token,
        record,
        under: Under::Client(Arc::clone(client)),
        refresh_token: None,
        expires_in: expires_at.seconds_from(now),
        scope: granted.scope.clone(),
    };
    Ok((commit, answer))
}

fn access_key(commit: &Commit) -> Option<Key> {
    commit.writes.iter().find_map(|write| match write {
        Write::Insert(record) if record.key.kind == Kind::ACCESS_TOKEN => Some(record.key),
        _ => None,
    })
}
