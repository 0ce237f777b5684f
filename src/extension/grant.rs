//! A grant type of the host (RFC 6749 §4.5).

use async_trait::async_trait;

use crate::client::Client;
use crate::clock::Timestamp;
use crate::id::Subject;
use crate::refusal::ExtensionRefusal;
use crate::wire::form::Form;
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;

/// A grant type that the server does not know by itself; see [`Builder::grant_type`](crate::Builder::grant_type).
///
/// # Contract
///
/// It is asked after the client has authenticated and was found to be registered for this grant type, possibly more
/// than once for one request. It validates what was presented and changes nothing that cannot be repeated.
#[async_trait]
pub trait ExtensionGrant: Send + Sync + 'static {
    /// Who is granted what, or why nobody is granted anything.
    async fn decide(&self, request: ExtensionRequest<'_>) -> Result<Issue, ExtensionRefusal>;
}

/// A token request with a grant type of the host.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ExtensionRequest<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The parameters of the request.
    pub parameters: &'a Form<'a>,
    /// The scope it asks for, where it names one.
    pub scope: Option<&'a Scope>,
    /// The resources it asks for.
    pub resources: &'a [Resource],
    /// The present moment.
    pub now: Timestamp,
}

/// What an extension grant gives. The server still narrows it to what the client may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// For whom.
    pub subject: Subject,
    /// Which scope.
    pub scope: Scope,
    /// For which resources; empty for any.
    pub resources: Vec<Resource>,
    /// Whether a refresh token comes with it, if the client is registered for that.
    pub refresh_token: bool,
}
