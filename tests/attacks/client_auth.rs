//! Client authentication (ids A).
