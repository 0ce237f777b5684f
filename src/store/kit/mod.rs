//! The conformance kit: tells the author of a store when it is wrong.
