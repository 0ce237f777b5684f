//! What follows an authorization request: the resource owner allows or denies.

use std::sync::Arc;

use super::ErrorAnswer;
use super::authorize::wire;
use crate::client::{Client, Consent};
use crate::client_id_metadata;
use crate::clock::Timestamp;
use crate::config::OmittedRedirectUri;
use crate::context::Context;
use crate::error::Failure;
use crate::event::{Event, Refusal, What};
use crate::grant::authorization::{Authorization, Place};
use crate::grant::authorization_code::Code;
use crate::grant::terms::Granted;
use crate::grant::{ATTEMPTS, record};
use crate::id::Subject;
use crate::interaction::{AuthorizationResponse, PendingAuthorization};
use crate::refusal::{ApproveError, AuthorizeError};
use crate::secret::{Secret, SecretBytes};
use crate::store::{
    Commit, Committed, Condition, Failed, Key, Kind, Link, Loaded, Owner, Partition, Payload, Record, State, Write,
};
use crate::token::mint::{Terms, mint};
use crate::wire::error::ErrorCode;
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;
use crate::wire::uri::is_loopback_host;

/// What the resource owner allows.
#[derive(Debug, Clone)]
pub struct Approval {
    subject: Subject,
    authenticated_at: Timestamp,
    scope: Option<Scope>,
    device: String,
}

impl Approval {
    /// `subject`, who signed in at `authenticated_at`, allows all that was asked for.
    pub fn new(subject: Subject, authenticated_at: Timestamp) -> Self {
        Self { subject, authenticated_at, scope: None, device: String::new() }
    }

    /// Only this part of the scope. Empty, or more than was asked for: the answer is `access_denied` or an error.
    #[must_use]
    pub fn with_scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// On which device: its name, or what its browser calls itself (`User-Agent`). Shown to the resource owner beside
    /// the grant, and proves nothing. The first 200 characters are kept, without control characters.
    #[must_use]
    pub fn on_device(self, device: &str) -> Self {
        Self { device: device.chars().filter(|character| !character.is_control()).take(MAX_DEVICE).collect(), ..self }
    }

    pub(super) const fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(super) const fn authenticated_at(&self) -> Timestamp {
        self.authenticated_at
    }

    pub(super) const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}

/// The longest name of a device that is kept, in characters.
const MAX_DEVICE: usize = 200;

/// Whether the resource owner has to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentNeed {
    /// They must be asked.
    Ask,
    /// They agreed before, to all of this.
    Remembered,
    /// The host answers for this client.
    Implied,
}

/// Whether `subject` has to be asked (RFC 6749 §10.2, RFC 8252 §8.6).
pub(crate) async fn consent_need(
    context: &Context,
    pending: &PendingAuthorization,
    subject: &Subject,
) -> Result<ConsentNeed, Failure> {
    let client = pending.client();
    let consent = client.metadata().consent;
    if consent == Consent::Implied && !pending.prompt().demands_consent() {
        return Ok(ConsentNeed::Implied);
    }
    if consent != Consent::Remembered || pending.prompt().demands_consent() || could_be_anyone(client, pending) {
        return Ok(ConsentNeed::Ask);
    }
    let key = context.keys.authorization(subject, client.id());
    let Some(loaded) = context.load_one(key).await? else { return Ok(ConsentNeed::Ask) };
    let scope = context.within_rights(subject, pending.scope()).await?;
    // What cannot be read is not remembered.
    let remembered = Authorization::read(&loaded.record).is_ok_and(|authorization| {
        Authorization::is_of(&loaded.record, client.link())
            && authorization.remembers(&scope, pending.resources(), context.now())
    });
    Ok(if remembered { ConsentNeed::Remembered } else { ConsentNeed::Ask })
}

/// Whether the answer may reach somebody other than the registered client: nothing proves a public client, nor who
/// listens on the user's device.
fn could_be_anyone(client: &Client, pending: &PendingAuthorization) -> bool {
    !client.metadata().is_confidential() || leads_to_device(pending.redirect_uri())
}

fn leads_to_device(uri: &str) -> bool {
    fluent_uri::Uri::parse(uri).is_ok_and(|parsed| match parsed.scheme().as_str() {
        "https" | "http" => parsed.authority().is_some_and(|authority| is_loopback_host(authority.host())),
        _ => true,
    })
}

/// Issues the code that the approval buys.
pub(crate) async fn approve(
    context: &Context,
    pending: &PendingAuthorization,
    approval: &Approval,
) -> Result<AuthorizationResponse, ApproveError> {
    let now = context.now();
    if pending.expires_at().has_come(now) {
        return Err(ApproveError::Expired);
    }
    let subject = &approval.subject;
    if !subject.is_sound() {
        return Err(ApproveError::Subject);
    }
    if pending.subject().is_some_and(|asked| asked != subject) {
        return Err(ApproveError::OtherSubject);
    }
    let scope = approval.scope.as_ref().unwrap_or_else(|| pending.scope());
    if !scope.is_subset_of(pending.scope()) {
        return Err(ApproveError::ScopeExceeded);
    }
    // What the resource owner may not do themselves, they cannot allow.
    let scope = &context.within_rights(subject, scope).await?;
    if scope.is_empty() {
        return deny(context, pending, Some(subject), AuthorizeError::AccessDenied).await;
    }
    client_id_metadata::keep(context, pending.client()).await?;
    let drawn = Drawn { code: SecretBytes::new(context.draw()?), grant: context.draw()? };
    let place = Place::of(&context.keys, subject, pending.client().id());
    // Where there is no handle, nobody can come back with this authorization: it needs no mark.
    let marker = pending.is_bound().then(|| marker_key(context, pending, place.subject.partition));
    let keys = [pending.client().key(), place.authorization, place.subject];
    for _ in 0..ATTEMPTS {
        let ([client, authorization, owner], decided) = match marker {
            None => (context.load_few(keys).await?, None),
            Some(marker) => {
                let [first, second, third] = keys;
                let [client, authorization, owner, decided] = context.load_few([first, second, third, marker]).await?;
                ([client, authorization, owner], decided)
            }
        };
        if decided.is_some() {
            return Err(ApproveError::Decided);
        }
        let client = still_valid(client.as_ref(), pending).ok_or(ApproveError::ClientChanged)?;
        if owner.as_ref().is_some_and(|owner| owner.record.state != State::Live) {
            return deny(context, pending, Some(subject), AuthorizeError::AccessDenied).await;
        }
        let present = authorization.as_ref().map(|loaded| &*loaded.record);
        let approved = Approved {
            client: &client,
            subject,
            place,
            marker,
            epoch: owner.as_ref().map_or(0, |owner| owner.record.epoch),
            scope,
            authenticated_at: approval.authenticated_at,
            device: &approval.device,
        };
        let (commit, code) = decide(context, pending, &approved, present, &drawn, now)?;
        match context.commit(&commit).await? {
            Committed::Applied => return Ok(pending.target().code(context, &code)),
            Committed::Refused(Failed::Write(0)) if marker.is_some() => return Err(ApproveError::Decided),
            // The record of what this subject allows this client was changed meanwhile.
            Committed::Refused(_) => {}
        }
    }
    Err(Failure::Contended.into())
}

/// Randomness for a code.
struct Drawn {
    code: SecretBytes,
    grant: [u8; 16],
}

struct Approved<'a> {
    client: &'a Client,
    subject: &'a Subject,
    place: Place,
    marker: Option<Key>,
    epoch: u64,
    scope: &'a Scope,
    authenticated_at: Timestamp,
    device: &'a str,
}

fn decide(
    context: &Context,
    pending: &PendingAuthorization,
    approved: &Approved<'_>,
    present: Option<&Record>,
    drawn: &Drawn,
    now: Timestamp,
) -> Result<(Commit, Secret), Failure> {
    let (policy, keys) = (&context.policy, &context.keys);
    let lifetimes = &policy.lifetimes;
    let (client, subject, scope) = (approved.client, approved.subject, approved.scope);
    let partition = approved.place.subject.partition;
    let asked = pending.asked();
    let code_ends = now.after(lifetimes.authorization_code);

    let mut authorization = match present {
        Some(record) => Authorization::read(record).map_err(|_| Failure::Corrupt)?,
        None => Authorization::new(subject, client.id()),
    };
    authorization.keep_consent_to(present, client.link());
    // Where the host answers for the client, nobody was asked: that is not the user's consent.
    if client.metadata().consent != Consent::Implied || pending.prompt().demands_consent() {
        authorization.remember(scope, &asked.resources, now, now.after(lifetimes.consent));
    }
    // As long as the code can be redeemed, and what it buys can live, the record is needed.
    let needed_until = code_ends.after(lifetimes.grant).after(lifetimes.clock_skew);
    let subject_link = Link { key: approved.place.subject, epoch: approved.epoch };
    let owner = Arc::new(Owner { client: client.link(), subject: Some(subject_link) });
    let record = authorization.to_record(keys.tenant(), approved.place, present, &owner, needed_until, now);
    let parent = Link { key: record.key, epoch: record.epoch };

    let payload = Code {
        redirect_uri: pending.redirect_uri().to_owned(),
        redirect_uri_omitted: pending.redirect_uri_omitted(),
        challenge: asked.challenge,
        granted: Granted { scope: scope.clone(), resources: asked.resources.clone() },
        grant: drawn.grant,
        authenticated_at: approved.authenticated_at,
        device: approved.device.to_owned(),
        parameters: asked.parameters.clone(),
    }
    .payload();
    let terms = Terms {
        parent: Some(parent),
        owner: Some(owner),
        created_at: now,
        expires_at: code_ends,
        purge_after: code_ends.after(lifetimes.clock_skew),
        payload,
    };
    let (text, code) = mint(keys, TokenKind::Code, partition, drawn.code.expose(), terms);

    let (conditions, write) = match present {
        Some(present) => (
            vec![Condition::Unchanged { key: present.key, revision: present.revision }],
            Write::Replace(Arc::new(record)),
        ),
        None => (Vec::new(), Write::Insert(Arc::new(record))),
    };
    let event = Event::new(now, What::Authorized { scope: scope.clone() })
        .client(client.id())
        .subject(Some(subject))
        .grant(Some(record::grant_id(partition, &drawn.grant)));
    // The mark comes first: its failure tells that this very authorization was decided before.
    let mut writes = Vec::with_capacity(3);
    writes.extend(approved.marker.map(|marker| Write::Insert(mark(context, pending, marker, now))));
    writes.extend([write, Write::Insert(code)]);
    Ok((Commit { conditions, writes, events: vec![event], ..keys.commit(partition, now) }, text))
}

/// The client as it is now, if the request would still be valid.
fn still_valid(loaded: Option<&Loaded>, pending: &PendingAuthorization) -> Option<Arc<Client>> {
    let client = Client::loaded(loaded)?;
    let same = client.state() == State::Live
        && client.link() == pending.client().link()
        && crate::client::verify_redirect_uri(&client, Some(pending.redirect_uri()), OmittedRedirectUri::Refused)
            .is_ok()
        && (pending.asked().challenge.is_some() || !client.metadata().require_pkce);
    same.then_some(client)
}

/// Tells the client that it gets nothing. With a known subject the denial is final, as an approval would be.
pub(crate) async fn deny(
    context: &Context,
    pending: &PendingAuthorization,
    subject: Option<&Subject>,
    error: AuthorizeError,
) -> Result<AuthorizationResponse, ApproveError> {
    let now = context.now();
    let what = match error {
        AuthorizeError::AccessDenied => What::Denied,
        error => What::Refused(Refusal::Authorize(error)),
    };
    let event = Event::new(now, what).client(pending.client().id()).subject(subject);
    match subject.or(pending.subject()) {
        // A handle exists: without a mark it could be approved after all.
        Some(subject) if pending.is_bound() => {
            let marker = marker_key(context, pending, context.keys.partition_of(subject));
            let commit = Commit {
                writes: vec![Write::Insert(mark(context, pending, marker, now))],
                events: vec![event],
                ..context.keys.commit(marker.partition, now)
            };
            if context.commit(&commit).await? != Committed::Applied {
                return Err(ApproveError::Decided);
            }
        }
        _ => context.tell(&event),
    }
    let (code, description) = wire(error).unwrap_or((ErrorCode::AccessDenied, "the user refused"));
    Ok(pending.target().error(context, code, description))
}

fn marker_key(context: &Context, pending: &PendingAuthorization, partition: Partition) -> Key {
    context.keys.drawn(Kind::MARKER, partition, pending.flow())
}

/// The mark that this authorization was decided.
fn mark(context: &Context, pending: &PendingAuthorization, marker: Key, now: Timestamp) -> Arc<Record> {
    let expires_at = pending.expires_at();
    Arc::new(Record {
        key: marker,
        tenant: context.keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: now,
        expires_at,
        purge_after: expires_at.after(context.policy.lifetimes.clock_skew),
        used: None,
        payload: Payload::default(),
    })
}

impl From<ApproveError> for ErrorAnswer {
    fn from(error: ApproveError) -> Self {
        let answer = |description| Self::bad_request(ErrorCode::InvalidRequest, description);
        match error {
            ApproveError::Decided => answer("the authorization was decided before"),
            ApproveError::OtherSubject => answer("consent was asked of another user"),
            ApproveError::ScopeExceeded => answer("the scope is more than was asked for"),
            ApproveError::Expired => answer("the authorization has expired"),
            ApproveError::ClientChanged => answer("the client has changed"),
            ApproveError::Subject => Failure::Corrupt.into(),
            ApproveError::Failure(failure) => failure.into(),
        }
    }
}
