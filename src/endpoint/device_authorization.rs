//! The device authorization endpoint (RFC 8628 §3.1, §3.2): a device asks to be let in, and gets two codes.

use http::HeaderMap;

use super::authorize::{resources, scope};
use super::metadata::path;
use super::{ClientRequest, ErrorAnswer, Refused};
use crate::client::{AuthenticatedClient, authenticate};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::device::DeviceAuthorization;
use crate::error::Failure;
use crate::event::{Event, What};
use crate::grant::device::{self, Device};
use crate::grant::device_code::GRANT_TYPE;
use crate::grant::terms::Granted;
use crate::limit::Limited;
use crate::refusal::{AuthorizeError, DeviceAuthorizationError};
use crate::secret::{Secret, SecretBytes};
use crate::store::{Commit, Committed, Owner, Write};
use crate::token::mint::mint;
use crate::wire::error::ErrorCode;
use crate::wire::json::JsonObject;
use crate::wire::token::TokenKind;
use crate::wire::user_code::UserCode;

/// How often another user code is drawn where one is taken. With a million codes out, two in a row are taken once in
/// 650 million requests.
const DRAWS: usize = 8;

/// What a device is told (RFC 8628 §3.2).
#[derive(Debug)]
pub(crate) struct DeviceAnswer {
    device_code: Secret,
    user_code: UserCode,
    verification_uri: String,
    expires_in: u64,
    interval: u64,
}

impl DeviceAnswer {
    /// The body of the response.
    pub(crate) fn to_json(&self) -> String {
        let user_code = self.user_code.to_string();
        let mut json = JsonObject::with_capacity(384);
        json.text("device_code", self.device_code.expose());
        json.text("user_code", &user_code);
        json.text("verification_uri", &self.verification_uri);
        json.text("verification_uri_complete", &format!("{}?user_code={user_code}", self.verification_uri));
        json.number("expires_in", self.expires_in);
        json.number("interval", self.interval);
        json.finish()
    }
}

/// Lets a device wait for its user.
pub(crate) async fn device_authorization(
    context: &Context,
    settings: &DeviceAuthorization,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
) -> Result<DeviceAnswer, Refused<DeviceAuthorizationError>> {
    let request = ClientRequest::read(context, headers, query, body).await?;
    begin(context, settings, &request).await.map_err(|error| request.refused(error))
}

async fn begin(
    context: &Context,
    settings: &DeviceAuthorization,
    request: &ClientRequest<'_>,
) -> Result<DeviceAnswer, DeviceAuthorizationError> {
    let now = context.now();
    let loaded = context.load_one(context.keys.client(&request.presented.client_id)).await?;
    let client = authenticate(&request.presented, loaded.as_ref(), &context.keys, now)?;
    context.limiter.admit_client(Limited::DeviceAuthorization, &request.presented, &client, now).await?;
    if !client.client().metadata().allows(GRANT_TYPE) {
        return Err(DeviceAuthorizationError::GrantTypeNotAllowed);
    }
    let asked = Granted {
        scope: scope(context, client.client(), &request.form).map_err(narrowed)?,
        resources: resources(context, &request.form).map_err(narrowed)?,
    };
    for _ in 0..DRAWS {
        let user_code = UserCode::from_random(context.draw()?);
        let random = SecretBytes::new(context.draw()?);
        let grant = context.draw()?;
        let device = Device { asked: asked.clone(), grant, interval: settings.interval_seconds(), polled_at: None };
        let (commit, device_code) = decide(context, settings, &client, &device, &user_code, &random, now);
        if context.commit(&commit).await? == Committed::Applied {
            context.note_secret_use(&client, now).await;
            return Ok(DeviceAnswer {
                device_code,
                user_code,
                verification_uri: context.issuer.endpoint(path::DEVICE),
                expires_in: settings.lifetime.as_secs(),
                interval: settings.interval.as_secs(),
            });
        }
        // Another device has this user code, or had it a moment ago.
    }
    Err(Failure::Contended.into())
}

fn decide(
    context: &Context,
    settings: &DeviceAuthorization,
    client: &AuthenticatedClient,
    device: &Device,
    user_code: &UserCode,
    random: &SecretBytes,
    now: Timestamp,
) -> (Commit, Secret) {
    let keys = &context.keys;
    let partition = keys.user_code(user_code.letters()).partition;
    let ends = now.after(settings.lifetime);
    let owner = Owner { client: client.client().link(), subject: None };
    let terms = device::terms(owner, device, ends, ends.after(context.policy.lifetimes.clock_skew), now);
    let (device_code, record) = mint(keys, TokenKind::DeviceCode, partition, random.expose(), terms);
    let named = device::user_code_record(keys, user_code, &record);
    let event = Event::new(now, What::DeviceStarted { scope: device.asked.scope.clone() }).client(client.id());
    let commit = Commit {
        writes: vec![Write::Insert(named), Write::Insert(record)],
        events: vec![event],
        ..keys.commit(partition, now)
    };
    (commit, device_code)
}

/// Scope and resources are read as at the authorization endpoint; what is wrong with them has other names here.
fn narrowed(error: AuthorizeError) -> DeviceAuthorizationError {
    if error == AuthorizeError::Target { DeviceAuthorizationError::Target } else { DeviceAuthorizationError::Scope }
}

impl From<DeviceAuthorizationError> for ErrorAnswer {
    fn from(error: DeviceAuthorizationError) -> Self {
        match error {
            DeviceAuthorizationError::Request(error) => error.into(),
            DeviceAuthorizationError::Client(error) => error.into(),
            DeviceAuthorizationError::Failure(failure) => failure.into(),
            DeviceAuthorizationError::GrantTypeNotAllowed => {
                Self::bad_request(ErrorCode::UnauthorizedClient, "the client may not use this grant type")
            }
            DeviceAuthorizationError::Scope => {
                Self::bad_request(ErrorCode::InvalidScope, "the scope is malformed or more than the client may have")
            }
            DeviceAuthorizationError::Target => {
                Self::bad_request(ErrorCode::InvalidTarget, "a resource is malformed or unknown")
            }
        }
    }
}
