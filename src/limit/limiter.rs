//! Which limit is asked, and about whom.

use std::sync::Arc;

use super::{Caller, Limited, MemoryRateLimit, PeerAddress, RateLimit, TooMany};
use crate::client::{AuthenticatedClient, Presented};
use crate::clock::{Clock, Timestamp};
use crate::id::Subject;
use crate::refusal::RequestError;

/// The limits of a server.
#[derive(Clone)]
pub(crate) struct Limiter {
    /// The host's, for everything.
    host: Option<Arc<dyn RateLimit>>,
    /// Without one: what devices need.
    devices: Arc<MemoryRateLimit>,
}

impl Limiter {
    pub(crate) fn new(host: Option<Arc<dyn RateLimit>>) -> Self {
        Self { host, devices: Arc::new(MemoryRateLimit::new()) }
    }

    fn of(&self, what: Limited) -> Option<&dyn RateLimit> {
        match (&self.host, what) {
            (Some(host), _) => Some(&**host),
            (None, Limited::DeviceAuthorization | Limited::UserCode) => Some(&*self.devices),
            (None, Limited::Authorize | Limited::Token | Limited::Revoke | Limited::Introspect | Limited::Register) => {
                None
            }
        }
    }

    /// Before anything is read.
    pub(crate) async fn admit(
        &self,
        what: Limited,
        peer: Option<PeerAddress>,
        clock: &dyn Clock,
    ) -> Result<(), RequestError> {
        // Where nothing is limited, the clock is not asked either.
        let Some(limit) = self.of(what) else { return Ok(()) };
        let now = clock.now();
        if let Some(peer) = peer {
            limit.take(what, Caller::Address(peer.network()), now).await?;
        }
        // Last, so that what is refused to one address does not use up what all have together.
        Ok(limit.take(what, Caller::Everyone, now).await?)
    }

    /// Once a client has proved who it is: one time for each request, however often that is decided anew.
    pub(crate) async fn admit_client(
        &self,
        what: Limited,
        presented: &Presented,
        client: &AuthenticatedClient,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let Some(limit) = self.of(what) else { return Ok(()) };
        if !client.client().metadata().is_confidential() || presented.was_counted() {
            return Ok(());
        }
        Ok(limit.take(what, Caller::Client(client.id()), now).await?)
    }

    /// Before a user code is looked up.
    pub(crate) async fn admit_guess(
        &self,
        subject: &Subject,
        peer: Option<PeerAddress>,
        clock: &dyn Clock,
    ) -> Result<(), RequestError> {
        if let Some(limit) = self.of(Limited::UserCode) {
            limit.take(Limited::UserCode, Caller::Subject(subject), clock.now()).await?;
        }
        self.admit(Limited::UserCode, peer, clock).await
    }
}

impl From<TooMany> for RequestError {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        let whole = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0));
        Self::RateLimited { retry_after: whole.max(1) }
    }
}
