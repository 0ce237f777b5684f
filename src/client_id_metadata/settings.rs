//! What a host decides about clients that are described by a document.

use std::sync::Arc;
use std::time::Duration;

use super::shelf::Shelf;
use crate::config::ConfigError;
use crate::fetch::Fetch;
use crate::registration::{RegistrationPolicy, most_scope};
use crate::wire::scope::Scope;

/// Clients whose identifier is the URL of a document that describes them; see
/// [`Builder::client_id_metadata`](crate::Builder::client_id_metadata).
#[derive(Clone)]
pub struct ClientIdMetadata {
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) policy: Option<Arc<dyn RegistrationPolicy>>,
    scope: Option<Vec<String>>,
    pub(super) cached: (Duration, Duration),
    pub(super) per_host: u32,
    pub(super) in_all: u32,
    pub(super) loopback: bool,
}

impl ClientIdMetadata {
    /// Documents come by this; with the feature `fetch`, [`HttpsFetch`](crate::fetch::HttpsFetch) is one.
    pub fn new(fetch: impl Fetch) -> Self {
        Self {
            fetch: Arc::new(fetch),
            policy: None,
            scope: None,
            cached: (Duration::from_secs(300), Duration::from_secs(24 * 3600)),
            per_host: 20,
            in_all: 600,
            loopback: false,
        }
    }

    /// Who is asked about each document, after all that the server itself checks: the place for a list of hosts.
    #[must_use]
    pub fn policy(self, policy: impl RegistrationPolicy) -> Self {
        Self { policy: Some(Arc::new(policy)), ..self }
    }

    /// The most scope that such a client may have, and what it has where its document names none. By default all that
    /// the server has but its own (`grantor:…`), since a user is asked about each word of it.
    #[must_use]
    pub fn scope<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { scope: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// For how long a document is kept, at least and at most, whatever its `Cache-Control` says; 1 minute to 7 days.
    /// Default 5 minutes to 24 hours.
    #[must_use]
    pub fn cached_for(self, least: Duration, most: Duration) -> Self {
        Self { cached: (least, most), ..self }
    }

    /// How many documents are fetched in a minute: from one host, and in all. Default 20 and 600. What is beyond is
    /// refused for the moment (429), so that nobody can make the server a weapon.
    #[must_use]
    pub fn fetches_per_minute(self, per_host: u32, in_all: u32) -> Self {
        Self { per_host, in_all, ..self }
    }

    /// Lets `http` URLs of this machine be identifiers too, for tests and development: any program on it, and any page
    /// that a browser on it shows, can then be a client.
    #[must_use]
    pub fn danger_allow_loopback_http(self) -> Self {
        Self { loopback: true, ..self }
    }

    pub(crate) fn check(self, every_scope: &Scope) -> Result<Documents, ConfigError> {
        let (least, most) = (60, 7 * 24 * 3600);
        let bounds = least..=most;
        let (shortest, longest) = self.cached;
        if shortest > longest || !bounds.contains(&shortest.as_secs()) || !bounds.contains(&longest.as_secs()) {
            return Err(ConfigError::Lifetime { name: "cached_for", least, most });
        }
        if self.per_host == 0 || self.in_all == 0 {
            return Err(ConfigError::Limit { name: "fetches_per_minute", least: 1, most: u32::MAX });
        }
        let scope = most_scope(self.scope.as_deref(), every_scope)?;
        Ok(Documents { scope, shelf: Shelf::default(), settings: self })
    }
}

impl std::fmt::Debug for ClientIdMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientIdMetadata")
            .field("scope", &self.scope)
            .field("cached", &self.cached)
            .field("per_host", &self.per_host)
            .field("in_all", &self.in_all)
            .field("loopback", &self.loopback)
            .finish_non_exhaustive()
    }
}

/// The same, checked, with what is kept in memory.
pub(crate) struct Documents {
    pub(super) scope: Scope,
    pub(super) shelf: Shelf,
    pub(super) settings: ClientIdMetadata,
}
