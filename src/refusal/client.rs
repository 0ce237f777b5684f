//! A client that could not be authenticated.

/// A client could not be authenticated, and why. On the wire they are alike, but for the first three.
///
/// `header` tells whether the client used the `Authorization` header, which then has to be answered by a challenge (RFC
/// 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientError {
    /// Two methods at once, or two `Authorization` headers: `invalid_request`.
    #[error("more than one client authentication method was used")]
    SeveralMethods,
    /// The body names another client than the header: `invalid_request`.
    #[error("client_id differs from the authenticated client")]
    IdMismatch,
    /// Credentials in the query string, where logs keep them (RFC 6749 §2.3.1): `invalid_request`.
    #[error("credentials must not be sent in the query string")]
    InQuery,
    /// Neither credentials nor a `client_id`.
    #[error("no client authentication was included")]
    Missing,
    /// Credentials that cannot be read.
    #[error("the client credentials cannot be read")]
    Malformed {
        /// Whether they were in the header.
        header: bool,
    },
    /// There is no such client.
    #[error("the client is unknown")]
    Unknown {
        /// Whether it was named in the header.
        header: bool,
    },
    /// The client was deactivated or deleted.
    #[error("the client is not active")]
    Inactive {
        /// Whether it was named in the header.
        header: bool,
    },
    /// A method that the server does not have.
    #[error("the authentication method is not supported")]
    MethodUnsupported {
        /// Whether it uses the header.
        header: bool,
    },
    /// A method other than the one the client registered.
    #[error("the client registered another authentication method")]
    MethodNotRegistered {
        /// Whether the header was used.
        header: bool,
    },
    /// The secret is none of the client's, or none that is still current.
    #[error("the client secret is wrong or has expired")]
    WrongSecret {
        /// Whether it was in the header.
        header: bool,
    },
    /// What it presented to a method of the host is not valid.
    #[error("what was presented by a method of the host is not valid")]
    NotProven {
        /// Whether there was an `Authorization` header.
        header: bool,
    },
    /// What is stored of the client contradicts itself: it never authenticates.
    #[error("the record of the client is inconsistent")]
    Inconsistent {
        /// Whether the header was used.
        header: bool,
    },
}

impl ClientError {
    /// Whether the answer needs a challenge.
    pub(crate) const fn used_header(self) -> bool {
        match self {
            Self::SeveralMethods | Self::IdMismatch | Self::InQuery | Self::Missing => false,
            Self::Malformed { header }
            | Self::Unknown { header }
            | Self::Inactive { header }
            | Self::MethodUnsupported { header }
            | Self::MethodNotRegistered { header }
            | Self::WrongSecret { header }
            | Self::NotProven { header }
            | Self::Inconsistent { header } => header,
        }
    }
}
