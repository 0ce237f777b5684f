//! Races, each forced (ids RC).
