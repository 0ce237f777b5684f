//! A code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6).

use std::sync::Arc;

use super::authorization::{Authorization, GrantName, Place, grant_key, read_resources};
use super::family::{self, Drawn, NewFamily};
use super::record;
use super::terms::{Asked, Granted, narrow, still_allowed};
use super::{ATTEMPTS, TokenAnswer};
use crate::client::{AuthenticatedClient, ClientMetadata, Presented};
use crate::clock::Timestamp;
use crate::config::RedirectUriAtTokenEndpoint;
use crate::context::Context;
use crate::event::{What, Why};
use crate::extension::Parameters;
use crate::refusal::{Dead, TokenError};
use crate::secret::SecretBytes;
use crate::store::{Commit, Committed, Condition, Key, Kind, Loaded, Record, State, Write};
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::token::{liveness, mint};
use crate::wire::form::Form;
use crate::wire::pkce::CodeChallenge;
use crate::wire::scope::Scope;
use crate::wire::token::TokenKind;
use crate::wire::uri::Resource;

pub(crate) const GRANT_TYPE: &str = "authorization_code";

/// The payload of a code's record: what the tokens it buys are bound to.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) redirect_uri: String,
    /// Whether the authorization request left the redirect URI out.
    pub(crate) redirect_uri_omitted: bool,
    pub(crate) challenge: Option<CodeChallenge>,
    pub(crate) granted: Granted,
    /// The grant it buys, named in advance, so that a second use finds what the first one bought.
    pub(crate) grant: GrantName,
    pub(crate) authenticated_at: Timestamp,
    /// What the user called the device, or its browser itself; empty where nobody said.
    pub(crate) device: String,
    pub(crate) parameters: Parameters,
}

impl Code {
    pub(crate) fn payload(&self) -> crate::store::Payload {
        Writer::new()
            .text(tag::REDIRECT_URI, &self.redirect_uri)
            .optional(self.redirect_uri_omitted.then_some(()), |writer, ()| {
                writer.bytes(tag::REDIRECT_URI_OMITTED, &[])
            })
            .optional(self.challenge.as_ref(), |writer, challenge| {
                writer.bytes(tag::CODE_CHALLENGE, challenge.as_bytes())
            })
            .text(tag::SCOPE, self.granted.scope.as_str())
            .texts(tag::RESOURCE, self.granted.resources.iter().map(Resource::as_str))
            .bytes(tag::GRANT, &self.grant)
            .number(tag::AUTHENTICATED_AT, self.authenticated_at.as_millis())
            .optional((!self.device.is_empty()).then_some(&*self.device), |writer, device| {
                writer.text(tag::DEVICE, device)
            })
            .texts(tag::PARAMETER, self.parameters.texts())
            .payload()
    }

    fn read(record: &Record) -> Result<Self, Unreadable> {
        let fields = Fields::read(record.payload.as_bytes())?;
        Ok(Self {
            redirect_uri: fields.text(tag::REDIRECT_URI)?.ok_or(Unreadable)?.to_owned(),
            redirect_uri_omitted: fields.bytes(tag::REDIRECT_URI_OMITTED).is_some(),
            challenge: fields.array(tag::CODE_CHALLENGE)?.map(CodeChallenge::from_bytes),
            granted: Granted {
                scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
                resources: read_resources(fields)?,
            },
            grant: fields.array(tag::GRANT)?.ok_or(Unreadable)?,
            authenticated_at: Timestamp::from_millis(fields.number(tag::AUTHENTICATED_AT)?.ok_or(Unreadable)?),
            device: fields.text(tag::DEVICE)?.unwrap_or_default().to_owned(),
            parameters: Parameters::read(fields)?,
        })
    }
}

/// The parameters of the request.
struct Request<'a> {
    code: &'a str,
    redirect_uri: Option<&'a str>,
    verifier: Option<&'a str>,
    asked: Asked,
}

impl<'a> Request<'a> {
    fn read(form: &'a Form<'_>) -> Result<Self, TokenError> {
        Ok(Self {
            code: form.get("code").ok_or(TokenError::ParameterMissing("code"))?,
            redirect_uri: form.get("redirect_uri"),
            verifier: form.get("code_verifier"),
            // The scope of a code was settled with the resource owner: `scope` has no meaning here.
            asked: Asked { scope: None, ..Asked::read(form)? },
        })
    }
}

/// What is to be done.
enum Decision {
    Issue(Commit, TokenAnswer),
    /// The list of grants is full: look at what is in it first.
    Survey(Vec<Key>),
    /// The code was spent before, by somebody who had all that it takes: what it bought ends.
    Revoke(GrantName),
}

pub(crate) async fn exchange(
    context: &Context,
    presented: &Presented,
    form: &Form<'_>,
) -> Result<TokenAnswer, TokenError> {
    let request = Request::read(form)?;
    let now = context.now();
    let located = mint::locate(&context.keys, TokenKind::Code, request.code);
    let drawn = Drawn { access: SecretBytes::new(context.draw()?), refresh: SecretBytes::new(context.draw()?) };
    for _ in 0..ATTEMPTS {
        let (client, loaded) = super::load_for(context, presented, GRANT_TYPE, located.as_ref(), now).await?;
        let rights = context.rights_left(loaded.as_ref()).await?;
        let allowed = still_allowed(&context.policy, &client, rights.as_ref());
        let decide =
            |siblings: &[_]| decide(context, &client, &allowed, loaded.as_ref(), &request, siblings, &drawn, now);
        let mut decision = decide(&[])?;
        if let Decision::Survey(keys) = decision {
            // Found under the list as it was read above: if that changes meanwhile, the commit is refused.
            decision = decide(&context.load(&keys).await?)?;
        }
        match decision {
            Decision::Issue(commit, answer) => {
                let answer = answer.in_format(context).await?;
                if context.commit(&commit).await? == Committed::Applied {
                    context.note_secret_use(&client, now).await;
                    return Ok(answer);
                }
                // Somebody was quicker: with this code, or with another grant of the same subject and client.
            }
            Decision::Survey(_) => {}
            Decision::Revoke(grant) => {
                revoke(context, loaded.as_ref(), grant, now).await?;
                return Err(TokenError::CodeReplayed);
            }
        }
    }
    Err(crate::error::Failure::Contended.into())
}

#[expect(clippy::too_many_arguments, reason = "a decision is a function of all that it depends on")]
fn decide(
    context: &Context,
    client: &AuthenticatedClient,
    allowed: &Scope,
    loaded: Option<&Loaded>,
    request: &Request<'_>,
    siblings: &[Option<Loaded>],
    drawn: &Drawn,
    now: Timestamp,
) -> Result<Decision, TokenError> {
    let (policy, keys) = (&context.policy, &context.keys);
    let loaded = loaded.ok_or(TokenError::CodeDead(Dead::Unknown))?;
    let unreadable = |_: Unreadable| TokenError::CodeDead(Dead::Unreadable);
    let owner = loaded.owner().ok_or(TokenError::CodeDead(Dead::Unreadable))?;
    if owner.client.key != client.client().link().key {
        return Err(TokenError::CodeOfAnotherClient);
    }
    let code = Code::read(&loaded.record).map_err(unreadable)?;
    let metadata = client.client().metadata();
    check_binding(&code, request, policy.redirect_uri_at_token_endpoint, metadata)?;
    if let Some(used) = &loaded.record.used {
        let in_doubt = context.doubts.excuse(&loaded.record.key, used.at, now);
        return if in_doubt { Err(TokenError::CodeInDoubt) } else { Ok(Decision::Revoke(code.grant)) };
    }
    // Issued before the client had to send a challenge, or damaged since.
    if metadata.require_pkce && code.challenge.is_none() {
        return Err(TokenError::ChallengeMissing);
    }
    liveness::check(loaded, now).map_err(TokenError::CodeDead)?;
    let first = narrow(policy, &code.granted, allowed, &request.asked)?;

    let parent = loaded.parent.as_deref().ok_or(TokenError::CodeDead(Dead::Unreadable))?;
    let authorization = Authorization::read(parent).map_err(unreadable)?;
    let subject = owner.subject.ok_or(TokenError::CodeDead(Dead::Unreadable))?;
    if family::is_full(policy, &authorization) && siblings.is_empty() {
        let partition = loaded.record.key.partition;
        return Ok(Decision::Survey(authorization.keys_of_grants(keys, partition)));
    }
    let new = NewFamily {
        client,
        owner: Arc::clone(owner),
        name: code.grant,
        granted: &code.granted,
        first: &first,
        authenticated_at: code.authenticated_at,
        device: &code.device,
        parameters: &code.parameters,
        grant_type: GRANT_TYPE.into(),
        with_refresh: client.client().metadata().allows(super::refresh_token::GRANT_TYPE),
        authorization,
        place: Place { authorization: parent.key, subject: subject.key },
        present: Some(parent),
        siblings,
    };
    let (mut commit, answer) = family::found(policy, keys, new, drawn, now);
    // The spent code is remembered for as long as anything it bought can live.
    let purge_after = commit.writes.iter().filter_map(inserted_grant).map(|grant| grant.purge_after).max();
    let spend = Write::Use {
        key: loaded.record.key,
        at: now,
        answer: Box::default(),
        purge_after: purge_after.unwrap_or(loaded.record.purge_after).max(loaded.record.purge_after),
    };
    commit.writes.insert(0, spend);
    commit.conditions.insert(0, Condition::Live { key: parent.key, epoch: parent.epoch });
    Ok(Decision::Issue(commit, answer))
}

fn inserted_grant(write: &Write) -> Option<&Arc<Record>> {
    match write {
        Write::Insert(record) if record.key.kind == Kind::GRANT => Some(record),
        _ => None,
    }
}

/// Checks what binds the code to the authorization request: redirect URI and code challenge.
fn check_binding(
    code: &Code,
    request: &Request<'_>,
    policy: RedirectUriAtTokenEndpoint,
    metadata: &ClientMetadata,
) -> Result<(), TokenError> {
    match request.redirect_uri {
        Some(uri) if code.redirect_uri_omitted || uri != code.redirect_uri => {
            return Err(TokenError::RedirectUriMismatch);
        }
        Some(_) => {}
        None => {
            let excused = code.challenge.is_some() && policy == RedirectUriAtTokenEndpoint::UnlessPkce;
            if !code.redirect_uri_omitted && !excused {
                return Err(TokenError::RedirectUriMissing);
            }
        }
    }
    match (&code.challenge, request.verifier) {
        (Some(challenge), Some(verifier)) => challenge.verify(verifier).map_err(|_| TokenError::VerifierWrong),
        (Some(_), None) => Err(TokenError::VerifierMissing),
        (None, Some(_)) if metadata.require_pkce => Err(TokenError::ChallengeMissing),
        // Somebody took the challenge out of the authorization request (RFC 9700 §4.8.2).
        (None, Some(_)) => Err(TokenError::VerifierUnexpected),
        (None, None) => Ok(()),
    }
}

/// Ends what a replayed code bought (RFC 6749 §4.1.2; OAuth 2.1 §7.5.2: only if the replay is otherwise valid).
async fn revoke(context: &Context, code: Option<&Loaded>, name: GrantName, now: Timestamp) -> Result<(), TokenError> {
    let Some(code) = code else { return Ok(()) };
    let partition = code.record.key.partition;
    let key = grant_key(&context.keys, partition, &name);
    let Some(grant) = context.load_one(key).await? else { return Ok(()) };
    if grant.record.state != State::Live {
        return Ok(());
    }
    let mut commit = record::end(&context.keys, &grant.record, Why::CodeReplayed, now);
    commit.events.insert(0, record::event(&grant.record, What::Replayed { kind: TokenKind::Code }, now));
    // A refusal means that the grant has been forgotten meanwhile, and everything under it with it.
    let _ = context.commit(&commit).await?;
    Ok(())
}
