//! The pages in a real browser: Chromium, driven by its `WebDriver`.
//!
//! Needs `chromium` and `chromedriver`, and axe-core in this folder: `scripts/test.sh browser` installs all three. The
//! host is the example `console`, in this process. Pictures of every page go to `screenshots/` here: look at them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::needless_pass_by_value,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking, and its name says what it is about"
)]

mod apps;
mod clients;
mod pages;
mod tokens;
mod webdriver;
mod world;

#[allow(dead_code, reason = "its `main` is not called here")]
#[path = "../../examples/console.rs"]
mod example;
