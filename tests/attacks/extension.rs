//! Grant types of the host (RFC 6749 §4.5).
