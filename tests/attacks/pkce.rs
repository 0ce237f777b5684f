//! PKCE (ids P).
