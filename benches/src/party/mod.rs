//! Who does the work: ours, the floor, and the peers.

mod floor;
#[cfg(feature = "peers")]
mod oauth_as;
mod ours;
#[cfg(feature = "peers")]
mod oxide;

pub use floor::Floor;
#[cfg(feature = "peers")]
pub use oauth_as::OauthAs;
pub use ours::{Ours, builder, pair, register};
#[cfg(feature = "peers")]
pub use oxide::Oxide;

use crate::measure::Cost;

/// An access token and a refresh token.
pub type Pair = (String, String);

/// One who can do what an authorization server does. What a party cannot do it is not asked for.
///
/// Requests are made before the clock starts and answers are read after it stops.
pub trait Party {
    /// `client_credentials`, so many times; the answers are dropped.
    fn issue(&mut self, times: usize) -> Cost;
    /// The same, not measured: the access tokens.
    fn tokens(&mut self, times: usize) -> Vec<String>;
    /// Authorization code with PKCE, each of another user: authorize, approve, exchange.
    fn flow(&mut self, times: usize) -> (Cost, Vec<Pair>);
    /// A refresh with each token: the next pairs.
    fn refresh(&mut self, tokens: &[String]) -> (Cost, Vec<Pair>);
    /// Looks each access token up, and whether it counts.
    fn verify(&mut self, tokens: &[String]) -> Cost;
    /// Introspects each token of the service, as the service.
    fn introspect(&mut self, tokens: &[String]) -> Cost;
    /// Revokes each refresh token, and with it its family.
    fn revoke(&mut self, tokens: &[String]) -> Cost;
    /// Presents each token, which was spent before: the family ends.
    fn reuse(&mut self, spent: &[String]) -> Cost;
    /// Registers so many clients, with a secret of their own.
    fn register(&mut self, times: usize) -> Cost;

    /// So many grants, not measured.
    fn grants(&mut self, times: usize) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(times);
        while pairs.len() < times {
            pairs.extend(self.flow((times - pairs.len()).min(crate::measure::SLICE)).1);
        }
        pairs
    }
}
