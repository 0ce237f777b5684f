//! Metadata (ids M).
