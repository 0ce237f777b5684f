//! What arrives at all endpoints (ids IN).
