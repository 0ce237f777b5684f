//! What the specifications put on the wire: parsing and printing; no I/O, no decisions.

pub mod charset;
pub mod error;
pub mod form;
pub mod pkce;
pub mod scope;
pub mod uri;
