//! What the specifications put on the wire: parsing and printing; no I/O, no decisions.
