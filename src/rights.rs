//! What a resource owner may do at all: the host's answer, beyond which no token of theirs goes.

use async_trait::async_trait;

use crate::error::Failure;
use crate::id::Subject;
use crate::wire::scope::Scope;

/// The rights of resource owners, as far as they show in a scope. See
/// [`Builder::rights`](crate::Builder::rights).
///
/// Asked when a scope is granted, when a token is issued, and each time that one is verified or introspected: what was
/// taken from somebody is taken from the tokens they gave away, at once, and comes back to them when it is given back.
/// So it is asked often; let it answer from memory where it can.
#[async_trait]
pub trait Rights: Send + Sync + 'static {
    /// The part of `scope` that `subject` may have now. What else is in the answer is ignored.
    ///
    /// # Errors
    ///
    /// A [`Failure`] when it cannot be told now: the request is answered by 503 (or 500), and nothing is allowed.
    async fn narrow(&self, subject: &Subject, scope: &Scope) -> Result<Scope, Failure>;
}
