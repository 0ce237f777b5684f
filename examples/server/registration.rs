//! Clients that nobody wrote into the file: they register themselves, or their identifier is the URL of a document.

use std::time::Duration;

use grantor::fetch::HttpsFetch;
use grantor::{AuthorizationServer, Builder, ClientIdMetadata, DynamicRegistration};
use serde::Deserialize;

use crate::mcp::Mcp;

/// How many clients are looked at in one step of cleaning.
const STEP: u32 = 100;

/// The table `[registration]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Registration {
    /// By default where `[mcp]` is there.
    enabled: Option<bool>,
    #[serde(skip)]
    mcp: bool,
    who: Who,
    /// Whether the URL of a client ID metadata document is a client, too.
    documents: bool,
    /// The most scope that such a client may have; `None`: all there is.
    scopes: Option<Vec<String>>,
    per_day: u32,
    /// After how many days a client that nobody uses goes.
    unused_days: u32,
    /// Lets documents be served by `http` on this machine.
    danger_allow_loopback_http: bool,
}

/// Who may register clients.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    Anybody,
    /// Who brings an initial access token, which the management API makes.
    InitialAccessToken,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            enabled: None,
            mcp: false,
            who: Who::Anybody,
            documents: true,
            scopes: None,
            per_day: 1_000,
            unused_days: 30,
            danger_allow_loopback_http: false,
        }
    }
}

impl Registration {
    /// The table, in a file that has `[mcp]` too, if it has.
    pub(crate) fn beside(self, mcp: Option<&Mcp>) -> Self {
        Self { mcp: mcp.is_some(), ..self }
    }

    /// Whether clients register themselves.
    pub(crate) fn is_on(&self) -> bool {
        self.enabled.unwrap_or(self.mcp)
    }

    /// The server, with what the table turns on.
    pub(crate) fn apply(&self, builder: Builder) -> Result<Builder, std::io::Error> {
        if !self.is_on() {
            return Ok(builder);
        }
        let registration = match self.who {
            Who::Anybody => DynamicRegistration::open(),
            Who::InitialAccessToken => DynamicRegistration::by_initial_access_token(),
        };
        let registration = registration.per_day(self.per_day);
        // As the preset has it.
        let registration = if self.mcp { registration.public_by_default().scope_may_grow() } else { registration };
        let builder = builder.registration(match &self.scopes {
            Some(scopes) => registration.scope(scopes.iter().cloned()),
            None => registration,
        });
        if !self.documents {
            return Ok(builder);
        }
        let fetch = HttpsFetch::new()?;
        let documents = if self.danger_allow_loopback_http {
            ClientIdMetadata::new(fetch.danger_allow_loopback_http()).danger_allow_loopback_http()
        } else {
            ClientIdMetadata::new(fetch)
        };
        Ok(builder.client_id_metadata(match &self.scopes {
            Some(scopes) => documents.scope(scopes.iter().cloned()),
            None => documents,
        }))
    }

    /// Throws away what registered itself and nobody uses.
    pub(crate) async fn clean(&self, server: &AuthorizationServer) {
        if !self.is_on() {
            return;
        }
        let unused_for = Duration::from_secs(u64::from(self.unused_days).saturating_mul(24 * 3600));
        let mut after = None;
        loop {
            let Ok(purged) = server.registrations().purge_unused(unused_for, after, STEP).await else { return };
            after = purged.next;
            if after.is_none() {
                return;
            }
        }
    }
}
