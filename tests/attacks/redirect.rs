//! Redirect URIs (ids R).
