//! Where a request came from.

use std::net::{IpAddr, Ipv6Addr};

/// The address that a request came from, among its extensions: the host puts it there, and nobody else can.
///
/// The server reads no header for it. A host behind a proxy takes it from `Forwarded` or `X-Forwarded-For` if that proxy
/// sets them, and from the connection if not; a client can write what it likes into them.
///
/// ```
/// use grantor::limit::PeerAddress;
///
/// let mut request = http::Request::post("/token").body(String::new())?;
/// request.extensions_mut().insert(PeerAddress("203.0.113.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

impl PeerAddress {
    /// What one party can have of addresses counts as one: a /64 of IPv6. And an IPv4 address in IPv6 dress is what it
    /// is.
    pub(super) fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> String {
        PeerAddress(text.parse().unwrap()).network().to_string()
    }

    #[test]
    fn an_address_is_what_one_party_has_of_them() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
