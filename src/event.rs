//! What happened, as values: every issue, refusal, revocation and replay, with its reason.

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Event {}
