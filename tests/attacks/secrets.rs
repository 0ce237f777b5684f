//! Secrets at rest and in sight (ids K).
