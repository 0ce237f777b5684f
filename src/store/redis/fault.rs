//! What went wrong, and what may be said of it.

use redis::ServerError;

use crate::store::StoreError;

/// A command was not answered as it should have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing was sent: there is no connection.
    Unreached(String),
    /// The server did nothing, and would do it if asked again, perhaps elsewhere: the slot is another's, it is loading,
    /// there was a failover.
    NotHere(Elsewhere, String),
    /// The server did nothing, since it does not know the script.
    NoScript,
    /// The server did nothing, and will not: it is full, read-only, or lacks replicas.
    Refused(String),
    /// Something is there that is no record of ours. The scripts find that before they write.
    Corrupt(String),
    /// The command was sent, perhaps, and what became of it is not known.
    Lost(String),
}

/// Where to ask instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// Of this node, from now on.
    At(String, u16),
    /// That must be found out.
    Unknown,
    /// Nowhere: the slot is on its way from one node to another.
    Moving,
}

impl Fault {
    /// What the server said.
    pub(super) fn said(error: &ServerError) -> Self {
        let code = error.code();
        let said = format!("{code} {}", error.details().unwrap_or_default());
        match code {
            "MOVED" => Self::NotHere(address(error.details()).unwrap_or(Elsewhere::Unknown), said),
            // A slot that is on its way holds some of a bucket's records here and some there. A script would take those
            // that are not here for missing; it names the root of the bucket as its key, which never exists, so that
            // Redis runs it on neither side.
            "ASK" | "TRYAGAIN" => Self::NotHere(Elsewhere::Moving, said),
            "READONLY" | "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" => Self::NotHere(Elsewhere::Unknown, said),
            "NOSCRIPT" => Self::NoScript,
            "OOM" | "NOREPLICAS" | "MISCONF" | "BUSY" | "NOAUTH" | "WRONGPASS" | "DENIED" => Self::Refused(said),
            "WRONGTYPE" | "CORRUPT" => Self::Corrupt(said),
            _ => Self::Lost(said),
        }
    }

    /// What a reader is told.
    pub(super) fn reading(self) -> StoreError {
        match self {
            Self::Corrupt(why) => StoreError::Corrupt(why),
            Self::Unreached(why) | Self::NotHere(_, why) | Self::Refused(why) | Self::Lost(why) => {
                StoreError::Unavailable(why)
            }
            Self::NoScript => StoreError::Unavailable("the server forgets scripts".into()),
        }
    }

    /// What is told to whoever wrote.
    pub(super) fn writing(self) -> StoreError {
        match self {
            Self::Lost(why) => StoreError::InDoubt(why),
            other => other.reading(),
        }
    }
}

/// What `MOVED` says: a slot, and a host and port. A node that does not know its own host leaves it out.
fn address(details: Option<&str>) -> Option<Elsewhere> {
    let (host, port) = details?.split_ascii_whitespace().nth(1)?.rsplit_once(':')?;
    if host.is_empty() {
        return None;
    }
    Some(Elsewhere::At(host.trim_matches(['[', ']']).into(), port.parse().ok()?))
}

/// An answer that no script of ours gives.
pub(super) fn garbled() -> StoreError {
    StoreError::Corrupt("the server answered something else than it was asked".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_tells_where() {
        assert_eq!(address(Some("3999 127.0.0.1:6381")), Some(Elsewhere::At("127.0.0.1".into(), 6381)));
        assert_eq!(address(Some("3999 [::1]:6381")), Some(Elsewhere::At("::1".into(), 6381)));
        assert_eq!(address(Some("3999 :6381")), None);
        assert_eq!(address(None), None);
    }
}
