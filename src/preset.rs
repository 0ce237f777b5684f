//! Configurations that belong together, under one name.

use std::time::Duration;

use crate::client_id_metadata::ClientIdMetadata;
use crate::config::ConfigError;
use crate::fetch::Fetch;
use crate::registration::DynamicRegistration;
use crate::resource::ProtectedResource;

/// What a kind of client or resource expects of an authorization server, in one line of the builder.
///
/// What the builder is told otherwise prevails.
#[derive(Debug, Clone)]
pub struct Preset {
    mcp: String,
    pub(crate) registration: Option<DynamicRegistration>,
    pub(crate) documents: Option<ClientIdMetadata>,
}

/// How long access tokens live under [`Preset::mcp`]: the protocol asks for short-lived ones.
pub(crate) const MCP_ACCESS_TOKEN: Duration = Duration::from_secs(3600);

impl Preset {
    /// The authorization server of an MCP server (Model Context Protocol, revisions 2025-03-26, 2025-06-18, 2025-11-25
    /// and 2026-07-28), which clients know by the URL `resource`.
    ///
    /// ```
    /// use grantor::store::MemoryStore;
    /// use grantor::{AuthorizationServer, Preset};
    ///
    /// let server = AuthorizationServer::builder("https://mcp.example.com")
    ///     .store(MemoryStore::new())
    ///     .default_scope("notes:read", "Read your notes")
    ///     .preset(Preset::mcp("https://mcp.example.com/mcp"))
    ///     .build()?;
    /// # Ok::<(), grantor::ConfigError>(())
    /// ```
    ///
    /// On top of what the server does anyway (PKCE, `iss`, rotation, RFC 8414 at every place where clients look):
    ///
    /// - the metadata of the resource (RFC 9728) below `/.well-known/oauth-protected-resource`, with the path of the
    ///   resource and without, for an MCP server at the same origin; [`AuthorizationServer::check`] points to it,
    /// - tokens addressed to the resource (RFC 8707), however a client writes the slash at its end, and also where it
    ///   names no resource, as clients of the oldest revision do,
    /// - dynamic registration (RFC 7591), open to anybody, for programs that have never heard of the server:
    ///   [`DynamicRegistration::open`], [`public_by_default`](DynamicRegistration::public_by_default), and
    ///   [`scope_may_grow`](DynamicRegistration::scope_may_grow), which step-up needs. The host's own
    ///   [`Builder::registration`] takes its place,
    /// - client ID metadata documents, once it is told by what to [`fetch`](Self::fetch) them, or the host has called
    ///   [`Builder::client_id_metadata`] itself,
    /// - `/authorize`, `/token`, `/register` and the metadata at the root of the origin, where clients of the oldest
    ///   revision look, whatever path the issuer has,
    /// - access tokens that live an hour.
    ///
    /// That anybody may register is safe as far as nobody has a token by it: a user must sign in and agree, and sees
    /// where the answer goes. It takes room, which [`Registrations::purge_unused`] gives back.
    ///
    /// [`AuthorizationServer::check`]: crate::AuthorizationServer::check
    /// [`Builder::registration`]: crate::Builder::registration
    /// [`Builder::client_id_metadata`]: crate::Builder::client_id_metadata
    /// [`Registrations::purge_unused`]: crate::manage::Registrations::purge_unused
    pub fn mcp(resource: impl Into<String>) -> Self {
        let registration = DynamicRegistration::open().public_by_default().scope_may_grow();
        Self { mcp: resource.into(), registration: Some(registration), documents: None }
    }

    /// Lets the URL of a client ID metadata document be a client, which the newer revisions prefer to registration:
    /// documents come by this. With the feature `fetch`, [`HttpsFetch`](crate::fetch::HttpsFetch) is one.
    #[must_use]
    pub fn fetch(self, fetch: impl Fetch) -> Self {
        Self { documents: Some(ClientIdMetadata::new(fetch)), ..self }
    }

    /// Lets nobody register, for a server whose clients are all described by a document or known beforehand. Clients of
    /// the revisions up to 2025-06-18 that it does not know are then shut out.
    #[must_use]
    pub fn without_registration(self) -> Self {
        Self { registration: None, ..self }
    }

    /// What it is for.
    pub(crate) fn protected_resource(&self) -> Result<ProtectedResource, ConfigError> {
        let identifier = self.mcp.clone();
        ProtectedResource::new(&self.mcp)
            .map_err(|error| ConfigError::Resource { identifier, reason: error.to_string() })
    }
}
