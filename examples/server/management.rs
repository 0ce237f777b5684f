//! The management API.

use grantor::Builder;
use grantor::api::ManagementApi;
use serde::Deserialize;

/// The table `[management]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Management {
    enabled: bool,
}

impl Management {
    /// The server, with what the table turns on: a client that the file gives a `grantor:…` scope may use it for itself,
    /// and for its users as far as what is their own.
    pub(crate) fn apply(&self, builder: Builder) -> Builder {
        if self.enabled { builder.management_api(ManagementApi::new()) } else { builder }
    }

    /// Whether a scope is one that comes with the API, and its words too.
    pub(crate) fn describes(&self, scope: &str) -> bool {
        self.enabled && scope.starts_with("grantor:")
    }
}
