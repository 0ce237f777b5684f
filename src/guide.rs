//! Guides, each for one question. There is nothing in these modules but text; the programs in it are compiled with the
//! tests.
//!
//! | you want to | read |
//! |---|---|
//! | let other programs act for your users | [`ten_minutes`] |
//! | verify tokens | [`protect`] |
//! | keep records | [`stores`], [`custom_store`] |
//! | let in devices without a browser | [`devices`] |
//! | let users make tokens for scripts of their own | [`personal_tokens`] |
//! | put sign-in in front of an MCP server | [`mcp`] |
//! | use a framework that is not among ours | [`adapters`] |
//! | test what uses it | [`testing`] |
//! | run it | [`operating`], [`observability`], [`threat_model`] |
//! | come from another crate | [`from_oxide_auth`], [`from_oauth_as`] |

#[doc = include_str!("../docs/adapters.md")]
pub mod adapters {}

#[doc = include_str!("../docs/custom-store.md")]
pub mod custom_store {}

#[doc = include_str!("../docs/guides/devices.md")]
pub mod devices {}

#[doc = include_str!("../docs/guides/from-oauth-as.md")]
pub mod from_oauth_as {}

#[doc = include_str!("../docs/guides/from-oxide-auth.md")]
pub mod from_oxide_auth {}

#[doc = include_str!("../docs/guides/mcp.md")]
pub mod mcp {}

#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

#[doc = include_str!("../docs/guides/operating.md")]
pub mod operating {}

#[doc = include_str!("../docs/guides/personal-tokens.md")]
pub mod personal_tokens {}

#[doc = include_str!("../docs/guides/protect.md")]
pub mod protect {}

#[doc = include_str!("../docs/stores.md")]
pub mod stores {}

#[doc = include_str!("../docs/guides/ten-minutes.md")]
pub mod ten_minutes {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/threat-model.md")]
pub mod threat_model {}
