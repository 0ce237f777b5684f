//! The names of things, each a type of its own.

use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// A client identifier (RFC 6749 §2.2): public, and compared byte by byte.
    ClientId
}
name! {
    /// A resource owner, as the host calls it: opaque to the server, at most 255 bytes, never given to another person.
    Subject
}
name! {
    /// A grant, as lists and events call it: not secret, and of no use as a token.
    GrantId
}

impl Subject {
    /// Whether tokens can speak for it: 1 to 255 bytes.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=255).contains(&self.as_str().len())
    }
}
