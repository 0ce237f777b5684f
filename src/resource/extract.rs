//! A token that a route needs, as a type that the adapters extract.

use std::marker::PhantomData;
use std::ops::Deref;

use super::{Require, Verified};

/// What a route needs of a token, as a type: for [`Bearer`].
///
/// ```
/// use grantor::Require;
/// use grantor::resource::Needs;
///
/// struct Write;
/// impl Needs for Write {
///     const REQUIRE: Require<'static> = Require::scope("write");
/// }
/// ```
pub trait Needs: 'static {
    /// It.
    const REQUIRE: Require<'static>;
}

/// Any token that counts.
#[derive(Debug, Clone, Copy)]
pub enum AnyToken {}

impl Needs for AnyToken {
    const REQUIRE: Require<'static> = Require::any();
}

/// A token that was presented and is enough for `N`. An argument of this type protects a route of axum (feature `axum`)
/// or of actix-web (feature `actix`): without such a token the route is not entered, and the answer is the challenge
/// of RFC 6750 §3.
pub struct Bearer<N: Needs = AnyToken> {
    verified: Verified,
    needs: PhantomData<fn() -> N>,
}

impl<N: Needs> Bearer<N> {
    /// Only for a token that was verified against what `N` needs.
    #[cfg(any(feature = "actix", feature = "axum"))]
    pub(crate) const fn new(verified: Verified) -> Self {
        Self { verified, needs: PhantomData }
    }

    /// What the token says, to keep.
    pub fn into_verified(self) -> Verified {
        self.verified
    }
}

impl<N: Needs> Deref for Bearer<N> {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

impl<N: Needs> std::fmt::Debug for Bearer<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer").field("needs", &self.needs).finish_non_exhaustive()
    }
}
