//! A claim to be a client, before anybody has looked at it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::AuthMethod;
use crate::id::ClientId;
use crate::secret::Secret;

/// A claim to be a client, with what is to prove it.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) client_id: ClientId,
    pub(crate) proof: Proof,
    /// Whether the limits have counted this request for its client.
    counted: AtomicBool,
}

impl Presented {
    pub(crate) const fn new(client_id: ClientId, proof: Proof) -> Self {
        Self { client_id, proof, counted: AtomicBool::new(false) }
    }

    /// False the first time: a request that is decided anew is still one request.
    pub(crate) fn was_counted(&self) -> bool {
        self.counted.swap(true, Ordering::Relaxed)
    }
}

/// What is to prove it.
#[derive(Debug)]
pub(crate) enum Proof {
    /// Nothing: a public client, or one that forgot.
    None,
    /// What a method of the host has found to be right already.
    Extension { method: &'static str },
    /// A secret, and another where the header can be read in two ways; one of them must be right.
    Secret { method: AuthMethod, secret: Secret, other: Option<Secret> },
}
