//! Creations that are sent again (draft-ietf-httpapi-idempotency-key-header).
//!
//! What a creation with an `Idempotency-Key` makes is not random but drawn, under a key of the server's, from the
//! caller, their key and a number that the first request wrote down. So sending it again makes the same identifier and
//! the same secret: where the first did its work, the store refuses the second as taken, and the same answer can be
//! given. Nothing secret is kept for it, and a crash between the two leaves nothing half done. The record also holds a
//! digest of the body: a key serves one.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::input::only;
use super::problem::Problem;
use crate::error::Failure;
use crate::id::ClientId;
use crate::secret::{Secret, SecretBytes};
use crate::store::keyspace::keyed_hash;
use crate::store::{Condition, Kind, Payload, Record, State, Write};
use crate::wire::token;

/// How long a key is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// Where what a creation makes comes from.
pub(super) enum Draw {
    /// From randomness: the request has no key.
    Anew,
    /// From the key.
    Again(Drawn),
}

/// What is drawn from one key.
pub(super) struct Drawn(SecretBytes);

impl Drawn {
    /// 256 bits for one purpose.
    pub(super) fn random(&self, purpose: &str) -> SecretBytes {
        SecretBytes::new(keyed_hash(&self.0, &[purpose.as_bytes()]))
    }

    fn half(&self, purpose: &str) -> [u8; 16] {
        let random = self.random(purpose);
        let (half, _) = random.expose().split_first_chunk().unwrap_or((&[0; 16], &[]));
        *half
    }

    pub(super) fn client_id(&self) -> ClientId {
        ClientId::from(URL_SAFE_NO_PAD.encode(self.half("client")))
    }

    /// The name of a grant.
    pub(super) fn name(&self) -> [u8; 16] {
        self.half("grant")
    }

    pub(super) fn secret(&self) -> Secret {
        token::print(token::CLIENT_SECRET, self.random("secret").expose(), 0)
    }
}

/// Reads the key of a creation, and binds it to the caller, the path and the body.
pub(super) async fn draw(call: &Call<'_>) -> Result<Draw, Problem> {
    let Some(key) = only(&call.input.parts.headers, "idempotency-key")? else { return Ok(Draw::Anew) };
    if !(1..=MAX_KEY).contains(&key.len()) || !key.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(Problem::invalid("Idempotency-Key must be 1 to 255 printable ASCII characters"));
    }
    let context = &call.server.inner.context;
    let name = named(call, key);
    // With what belongs to the client that calls.
    let partition = context.keys.client(&call.caller.client_id).partition;
    let record_key = context.keys.drawn(Kind::IDEMPOTENCY_KEY, partition, &name);
    let body: [u8; 32] = Sha256::digest(call.input.body).into();
    for _ in 0..crate::grant::ATTEMPTS {
        let now = context.now();
        let present = context.load_one(record_key).await?;
        if let Some(present) = present.as_ref().filter(|present| !present.record.expires_at.has_come(now)) {
            let (bound, number) = present.record.payload.as_bytes().split_at_checked(32).ok_or(Failure::Corrupt)?;
            if bound != body {
                let detail = "this Idempotency-Key was used with another body";
                return Err(Problem::unprocessable("idempotency_key_reused", detail));
            }
            return Ok(Draw::Again(Drawn(SecretBytes::new(keyed_hash(&call.api.idempotency, &[&name, number])))));
        }
        let record = Record {
            key: record_key,
            tenant: context.keys.tenant(),
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at: now,
            expires_at: now.after(REMEMBERED),
            purge_after: now.after(REMEMBERED),
            used: None,
            payload: Payload::new([body.as_slice(), &context.draw::<16>()?].concat()),
        };
        let mut commit = context.keys.commit(partition, now);
        match present {
            Some(old) => {
                commit.conditions.push(Condition::Unchanged { key: record_key, revision: old.record.revision });
                commit.writes.push(Write::Replace(Arc::new(record)));
            }
            None => commit.writes.push(Write::Insert(Arc::new(record))),
        }
        // Applied or not, the record that is there now counts.
        let _ = context.commit(&commit).await?;
    }
    Err(Failure::Contended.into())
}

/// A key as its caller's: of nobody else, and for nothing else.
fn named(call: &Call<'_>, key: &str) -> [u8; 32] {
    let subject = call.caller.subject.as_ref().map_or("", |subject| subject.as_str());
    let parts = [call.caller.client_id.as_str(), subject, call.input.parts.uri.path(), key];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
