//! What is shown this once: credentials.

use askama::Template;

use crate::console::{Frame, Link, Text, Value};
use crate::secret::Secret;

/// Shows a secret, this once: it is the answer to the form that made it, and is kept nowhere.
#[derive(Debug, Template)]
#[template(path = "shown_once.html")]
#[non_exhaustive]
pub struct ShownOncePage<'a> {
    /// The words.
    pub t: &'a Text,
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// What was made.
    pub title: String,
    /// What belongs to the secret and is not secret.
    pub values: Vec<Value>,
    /// What the secret is called.
    pub secret_label: &'a str,
    /// The secret; `None` for a public client, which has none.
    pub secret: Option<Secret>,
    /// That it must be copied now.
    pub caution: &'a str,
    /// Where to go from here.
    pub next: Link,
}
