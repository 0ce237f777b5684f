//! The authorization request (ids AU).
