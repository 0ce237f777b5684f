//! The pages and what they decide (ids U).
