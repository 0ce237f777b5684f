//! Clocks, lifetimes, deletion and growth (ids Q).
