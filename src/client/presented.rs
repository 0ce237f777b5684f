//! A claim to be a client, before anybody has looked at it.

use super::AuthMethod;
use crate::id::ClientId;
use crate::secret::Secret;

/// A claim to be a client, with what is to prove it.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) client_id: ClientId,
    pub(crate) proof: Proof,
}

/// What is to prove it.
#[derive(Debug)]
pub(crate) enum Proof {
    /// Nothing: a public client, or one that forgot.
    None,
    /// A secret, and another where the header can be read in two ways; one of them must be right.
    Secret { method: AuthMethod, secret: Secret, other: Option<Secret> },
}
