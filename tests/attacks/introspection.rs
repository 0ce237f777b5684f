//! Token introspection and bearer tokens (ids N).
