//! Configurations that belong together, under one name.

use std::time::Duration;

/// What a kind of client or resource expects of an authorization server, in one line of the builder.
///
/// What the builder is told afterwards prevails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    pub(crate) mcp: String,
}

/// How long access tokens live under [`Preset::mcp`]: the protocol asks for short-lived ones.
pub(crate) const MCP_ACCESS_TOKEN: Duration = Duration::from_secs(3600);

impl Preset {
    /// The authorization server of an MCP server (Model Context Protocol, revisions 2025-03-26, 2025-06-18, 2025-11-25
    /// and 2026-07-28), which clients know by the URL `resource`.
    ///
    /// On top of what the server does anyway (PKCE, `iss`, rotation, RFC 8414 at every place where clients look):
    ///
    /// - the metadata of the resource (RFC 9728) below `/.well-known/oauth-protected-resource`, with the path of the
    ///   resource and without, for an MCP server at the same origin; [`AuthorizationServer::check`] points to it,
    /// - tokens addressed to the resource (RFC 8707), however a client writes the slash at its end,
    /// - `/authorize`, `/token` and the metadata at the root of the origin, where clients of the oldest
    ///   revision look, whatever path the issuer has,
    /// - access tokens that live an hour.
    ///
    /// [`AuthorizationServer::check`]: crate::AuthorizationServer::check
    pub fn mcp(resource: impl Into<String>) -> Self {
        Self { mcp: resource.into() }
    }
}
