//! A client ID metadata document, and fetching it.

/// A client's document could not be taken as its registration, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentError {
    /// The identifier is a URL, and none that a document may have: `https`, a host name, a path, and nothing else.
    #[error("the client identifier is not a URL that a document may have")]
    Url,
    /// More documents are wanted from this host, or from all together, than the server fetches. Temporary.
    #[error("too many documents are being fetched")]
    Budget,
    /// It could not be fetched.
    #[error("the document could not be fetched: {0}")]
    Fetch(#[from] FetchError),
    /// It is not declared as JSON.
    #[error("the document is not declared as JSON")]
    ContentType,
    /// It is not one JSON object that can be read in one way only.
    #[error("the document is not one JSON object, with each member once")]
    Unreadable,
    /// Its `client_id` is not, byte for byte, the URL it was fetched from.
    #[error("the document is of another client_id")]
    ClientId,
    /// It holds a secret, or a key that is not public: everybody can read it.
    #[error("the document holds a secret")]
    Secret,
    /// The client would authenticate by a shared secret, or by a method that the server does not have.
    #[error("the document names an authentication method that is not for it, or not supported")]
    AuthMethod,
    /// `client_name` or `redirect_uris` is missing.
    #[error("the document lacks client_name or redirect_uris")]
    Incomplete,
    /// What it says could not be registered either.
    #[error("the document has metadata that cannot be registered")]
    Metadata,
    /// The host's policy refused the client.
    #[error("the policy refused the client")]
    Policy,
}

/// Why something could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FetchError {
    /// The host cannot be resolved or reached, its certificate does not hold, or it does not speak HTTP.
    #[error("the host cannot be reached")]
    Unreachable,
    /// One of the host's addresses is for special use: nothing was sent.
    #[error("the address of the host is not one to fetch from")]
    Blocked,
    /// The status is not 200; redirects are not followed.
    #[error("the status is {0}")]
    Status(u16),
    /// More than was asked for.
    #[error("it is too large")]
    TooLarge,
    /// It did not come in time.
    #[error("it took too long")]
    TimedOut,
    /// It is encoded, or its headers cannot be read.
    #[error("it cannot be read")]
    Malformed,
}
