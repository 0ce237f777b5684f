//! Token revocation (ids V).
