//! What is wrong.

use askama::Template;

use crate::console::{Frame, Link, Text};

/// Says what is wrong.
#[derive(Debug, Template)]
#[template(path = "message.html")]
#[non_exhaustive]
pub struct MessagePage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// What it is about.
    pub title: &'a str,
    /// What is wrong, in a sentence or two.
    pub text: &'a str,
    /// Where to go from here.
    pub link: Option<Link>,
}
