//! What is kept of an initial access token (RFC 7591 §3): for whom it was made, and how often it was used.

use serde::{Deserialize, Serialize};

use crate::store::{Payload, Record};

/// The payload of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InitialAccess {
    pub(crate) label: String,
    /// How many clients it may register.
    pub(crate) uses: u32,
    /// How many it has registered.
    pub(crate) used: u32,
}

impl InitialAccess {
    pub(crate) fn read(record: &Record) -> Option<Self> {
        serde_json::from_slice(record.payload.as_bytes()).ok()
    }

    pub(crate) fn payload(&self) -> Option<Payload> {
        serde_json::to_vec(self).ok().map(Payload::new)
    }

    /// The same after one more use; `None` if it is used up.
    pub(crate) fn spend(&self) -> Option<Self> {
        let used = self.used.checked_add(1).filter(|used| *used <= self.uses)?;
        Some(Self { used, ..self.clone() })
    }
}
