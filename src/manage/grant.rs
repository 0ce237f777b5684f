//! A grant as people see it.

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Failure;
use crate::grant::{last_used, record};
use crate::id::{ClientId, GrantId, Subject};
use crate::refusal::Dead;
use crate::store::{Key, Loaded};
use crate::token::fields::{Fields, tag};
use crate::token::liveness;
use crate::wire::scope::Scope;

/// A grant: one sign-in of one resource owner with one client, and the tokens that came of it; or one personal token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// What it is called.
    pub id: GrantId,
    /// Who granted it.
    pub subject: Subject,
    /// To whom.
    pub client_id: ClientId,
    /// What its resource owner calls it: the name of a personal token; else empty.
    pub name: String,
    /// On which device it was granted, as far as anybody said; else empty. See
    /// [`Approval::on_device`](crate::Approval::on_device).
    pub device: String,
    /// Which scope.
    pub scope: Scope,
    /// When.
    pub created_at: Timestamp,
    /// Until when at the latest.
    pub expires_at: Timestamp,
    /// When one of its tokens was last used, to the hour; `None` if none was seen here. Told by verification,
    /// introspection and refreshing.
    pub last_used_at: Option<Timestamp>,
    /// Whether its tokens count: it did not expire and was not revoked, nor its client or resource owner with it.
    pub live: bool,
    /// Whether it ended before its time.
    pub revoked: bool,
    /// Raised by every change.
    pub revision: u64,
}

/// How many records are asked for at once.
const BATCH: usize = 500;

/// The grants under these keys, with when they were last used; what is gone is left out.
pub(super) async fn load_all(context: &Context, grants: &[Key]) -> Result<Vec<Grant>, Failure> {
    let now = context.now();
    let mut found = Vec::with_capacity(grants.len());
    for batch in grants.chunks(BATCH) {
        let marks = batch.iter().map(|key| last_used::mark(&context.keys, key));
        let keys: Vec<Key> = batch.iter().copied().chain(marks).collect();
        let loaded = context.load(&keys).await?;
        let (grants, marks) = loaded.split_at_checked(batch.len()).ok_or(Failure::Corrupt)?;
        for (grant, mark) in grants.iter().zip(marks) {
            let Some(grant) = grant else { continue };
            let written = mark.as_ref().map(|mark| mark.record.created_at);
            let used = written.max(context.recent_grants.last(&grant.record.key));
            found.extend(read(grant, used, now));
        }
    }
    Ok(found)
}

/// `None` for a record that cannot be read.
fn read(loaded: &Loaded, last_used_at: Option<Timestamp>, now: Timestamp) -> Option<Grant> {
    let record = &loaded.record;
    let fields = Fields::read(record.payload.as_bytes()).ok()?;
    let text = |wanted| fields.text(wanted).ok().map(Option::unwrap_or_default);
    let counts = liveness::check(loaded, now);
    Some(Grant {
        id: record::id_of(record)?,
        subject: fields.text(tag::SUBJECT).ok()??.into(),
        client_id: fields.text(tag::CLIENT).ok()??.into(),
        name: text(tag::NAME)?.to_owned(),
        device: text(tag::DEVICE)?.to_owned(),
        scope: Scope::from_canonical(text(tag::SCOPE)?),
        created_at: record.created_at,
        expires_at: record.expires_at,
        last_used_at,
        live: counts.is_ok(),
        revision: record.revision,
        revoked: !matches!(counts, Ok(()) | Err(Dead::Expired)),
    })
}
