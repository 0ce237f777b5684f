//! What the specifications put on the wire: parsing and printing; no I/O, no decisions.
//!
//! Every parser is strict, bounded and total: it says what it takes, checks the size first, and answers every input.
//!
//! | file | subject | specification |
//! |---|---|---|
//! | [`form`] | parameters of a request, and their encoding | RFC 6749 §3.1, §3.2, App. B |
//! | [`scope`] | sets of scope tokens | RFC 6749 §3.3 |
//! | [`uri`] | the issuer, a resource, an answer appended to a redirect URI | RFC 8414 §2, RFC 8707 §2, RFC 6749 §4.1.2 |
//! | [`pkce`] | code challenge and verifier, `S256` only | RFC 7636 §4 |
//! | [`scheme`] | the scheme of an `Authorization` header | RFC 9110 §11.4 |
//! | [`basic`] | client credentials in a header | RFC 6749 §2.3.1, RFC 7617 §2 |
//! | [`bearer`] | an access token in a header, and the challenge for one | RFC 6750 §2.1, §3 |
//! | [`token`] | the text of a token: prefix, random part, masked partition, checksum | – |
//! | [`user_code`] | what a person types to let a device in | RFC 8628 §6.1 |
//! | [`error`] | error codes, and the characters of their descriptions | RFC 6749 §4.1.2.1, §5.2, and extensions |
//! | [`json`] | JSON objects of hot answers | RFC 8259 |
//! | [`document`] | JSON objects that others wrote | RFC 8259 |
//! | [`html`] | text inside pages | – |
//! | [`charset`] | the character sets that the others share | RFC 6749 App. A, RFC 3986 §2.3 |

pub mod basic;
pub mod bearer;
pub mod charset;
pub mod document;
pub mod error;
pub mod form;
pub mod html;
pub mod json;
pub mod pkce;
pub mod scheme;
pub mod scope;
pub mod token;
pub mod uri;
pub mod user_code;
