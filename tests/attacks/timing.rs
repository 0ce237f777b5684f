//! What time tells (ids T).
