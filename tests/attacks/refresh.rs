//! The refresh token grant (ids F).
