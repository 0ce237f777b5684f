//! A token that a route needs, as a type that the adapters extract.

use std::marker::PhantomData;
use std::ops::Deref;

use super::{Introspection, Require, Verified};
use crate::server::AuthorizationServer;

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
///
/// `V` says whether the token counts: the [`AuthorizationServer`] of this process, or one elsewhere, by
/// [`Introspection`]. For axum it is the state, or part of it (`FromRef`); for actix-web it is the application's data.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use grantor::resource::{AnyToken, Bearer, Introspection};
///
/// async fn hello(token: Bearer<AnyToken, Introspection>) -> String {
///     format!("Hello, {}!", token.subject().unwrap_or("machine"))
/// }
///
/// fn api(elsewhere: Introspection) -> Router {
///     Router::new().route("/hello", get(hello)).with_state(elsewhere)
/// }
/// # }
/// ```
pub struct Bearer<N: Needs = AnyToken, V: Verifier = AuthorizationServer> {
    verified: Verified,
    needs: PhantomData<fn() -> (N, V)>,
}

/// Who says whether a token counts: an [`AuthorizationServer`] or an [`Introspection`], and nothing else.
pub trait Verifier: verifier::Check {}

impl Verifier for AuthorizationServer {}
impl Verifier for Introspection {}

pub(crate) mod verifier {
    use http::{HeaderMap, Uri};

    use super::{AuthorizationServer, Introspection};
    use crate::resource::{Challenge, Require, Verified};

    /// What it does, which is nobody else's to call.
    pub trait Check: Clone + Send + Sync + 'static {
        fn check(
            &self,
            headers: &HeaderMap,
            uri: &Uri,
            require: Require<'static>,
        ) -> impl Future<Output = Result<Verified, Challenge>> + Send;
    }

    impl Check for AuthorizationServer {
        async fn check(
            &self,
            headers: &HeaderMap,
            uri: &Uri,
            require: Require<'static>,
        ) -> Result<Verified, Challenge> {
            self.check_head(headers, uri, require).await
        }
    }

    impl Check for Introspection {
        async fn check(
            &self,
            headers: &HeaderMap,
            uri: &Uri,
            require: Require<'static>,
        ) -> Result<Verified, Challenge> {
            self.check_head(headers, uri, require).await
        }
    }
}

impl<N: Needs, V: Verifier> Bearer<N, V> {
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

impl<N: Needs, V: Verifier> Deref for Bearer<N, V> {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

impl<N: Needs, V: Verifier> std::fmt::Debug for Bearer<N, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer").field("needs", &self.needs).finish_non_exhaustive()
    }
}
