//! Scopes, RFC 6749 §3.3: sets of case-sensitive tokens, written with one space between.

use std::sync::Arc;

use super::charset::is_nqchar;

/// How many tokens a scope may have when it is parsed, repetitions included.
pub const MAX_TOKENS: usize = 100;
/// How long a scope may be when it is parsed, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// Scopes up to this many bytes are searched from the start; longer ones are sorted first, where much is asked of them.
const SHORT: usize = 96;

/// A set of scope tokens, in canonical form: each once, in the order of first occurrence, one space between.
///
/// Two scopes are equal when they hold the same tokens, since "their order does not matter" (RFC 6749 §3.3). Cloning
/// copies a pointer. The default is the empty scope, which no request can send but a client without scopes has.
#[derive(Clone, Default)]
pub struct Scope(Arc<str>);

/// Why text is not a scope. The answer is `invalid_scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No token at all; see [`Scope::empty`] for the scope that has none.
    #[error("the scope is empty")]
    Empty,
    /// A character outside `%x21 / %x23-5B / %x5D-7E`.
    #[error("a character that no scope may contain")]
    BadCharacter,
    /// A space at the start, at the end, or after a space.
    #[error("a space where a scope token must be")]
    BadSpacing,
    /// More than [`MAX_TOKENS`].
    #[error("more than {MAX_TOKENS} scope tokens")]
    TooManyTokens,
    /// More than [`MAX_LENGTH`].
    #[error("a scope longer than {MAX_LENGTH} bytes")]
    TooLong,
}

impl Scope {
    /// Reads a scope from a request, by the letter of the RFC: a space stands between two tokens and nowhere else.
    ///
    /// A stray space is refused and not mended, since it tells of a client that assembles scopes blindly, and whoever
    /// mends it disagrees with the next server on what was asked for. A repeated token counts once.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Err(ScopeError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(ScopeError::TooLong);
        }
        // Nearly all are short enough, and then they cannot have too many tokens.
        if text.len() >= MAX_TOKENS && text.split(' ').nth(MAX_TOKENS).is_some() {
            return Err(ScopeError::TooManyTokens);
        }
        // One token, as a client mostly asks for.
        if text.bytes().all(is_nqchar) {
            return Ok(Self(text.into()));
        }
        Self::canonical(text)
    }

    /// The scope of these tokens, within the limits of [`parse`](Self::parse); of none, the empty scope.
    pub fn from_tokens(tokens: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, ScopeError> {
        let mut text = String::new();
        for (at, token) in tokens.into_iter().enumerate() {
            let token = token.as_ref();
            if token.is_empty() || token.contains(' ') {
                return Err(ScopeError::BadSpacing);
            }
            if text.len().saturating_add(token.len()) > MAX_LENGTH {
                return Err(ScopeError::TooLong);
            }
            if at > 0 {
                text.push(' ');
            }
            text.push_str(token);
        }
        if text.is_empty() { Ok(Self::empty()) } else { Self::parse(&text) }
    }

    /// The scope that our own store gave back. Not for what came from outside: nothing is checked.
    pub(crate) fn from_canonical(text: &str) -> Self {
        Self(text.into())
    }

    /// The scope without tokens.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The canonical text: what goes on the wire, and into the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tokens, in order.
    pub fn tokens(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split(' ').filter(|token| !token.is_empty())
    }

    /// Whether `token` is one of the tokens.
    pub fn contains(&self, token: &str) -> bool {
        self.tokens().any(|own| own == token)
    }

    /// Whether every token is in `other` too.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        if self.0 == other.0 {
            return true;
        }
        let other = Lookup::of(other);
        self.tokens().all(|token| other.contains(token))
    }

    /// The tokens that are in both, in this scope's order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        if self.is_subset_of(other) {
            return self.clone();
        }
        let other = Lookup::of(other);
        Self::join(self.tokens().filter(|token| other.contains(token)))
    }

    /// The tokens of both, this scope's first. The limits of [`parse`](Self::parse) do not hold for the result.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_subset_of(self) {
            return self.clone();
        }
        let own = Lookup::of(self);
        Self::join(self.tokens().chain(other.tokens().filter(|token| !own.contains(token))))
    }

    /// The tokens that are not in `other`, in this scope's order.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let other = Lookup::of(other);
        Self::join(self.tokens().filter(|token| !other.contains(token)))
    }

    /// The scope of `text`, of any length, each token once.
    fn canonical(text: &str) -> Result<Self, ScopeError> {
        if !text.bytes().all(|byte| byte == b' ' || is_nqchar(byte)) {
            return Err(ScopeError::BadCharacter);
        }
        let tokens = || text.as_bytes().split(|byte| *byte == b' ');
        if tokens().any(<[u8]>::is_empty) {
            return Err(ScopeError::BadSpacing);
        }
        let repeated = |(at, token): (usize, &[u8])| tokens().take(at).any(|earlier| earlier == token);
        if text.len() <= SHORT && !tokens().enumerate().any(repeated) {
            return Ok(Self(text.into()));
        }
        let mut seen = std::collections::HashSet::new();
        Ok(Self::join(text.split(' ').filter(|token| seen.insert(*token))))
    }

    /// The scope of `tokens`, which are known to be well-formed and distinct.
    fn join<'t>(tokens: impl Iterator<Item = &'t str>) -> Self {
        let mut text = String::new();
        for token in tokens {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(token);
        }
        Self(text.into())
    }
}

/// A scope, made ready to be asked for many tokens: so the largest sets cost n log n, and the usual ones no allocation.
enum Lookup<'s> {
    Short(&'s Scope),
    Sorted(Vec<&'s str>),
}

impl<'s> Lookup<'s> {
    fn of(scope: &'s Scope) -> Self {
        if scope.0.len() <= SHORT {
            return Self::Short(scope);
        }
        let mut tokens: Vec<_> = scope.tokens().collect();
        tokens.sort_unstable();
        Self::Sorted(tokens)
    }

    fn contains(&self, token: &str) -> bool {
        match self {
            Self::Short(scope) => scope.contains(token),
            Self::Sorted(tokens) => tokens.binary_search(&token).is_ok(),
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        // Each token stands there once: a proper subset has the shorter text.
        self.0 == other.0 || (self.0.len() == other.0.len() && self.is_subset_of(other))
    }
}

impl Eq for Scope {}

impl std::str::FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The empty string is the empty scope, and a union may have outgrown the limits of a request; the rest is checked.
impl<'de> serde::Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::empty());
        }
        Self::canonical(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        if text.is_empty() { Scope::empty() } else { Scope::parse(text).unwrap() }
    }

    fn hundred(prefix: &str) -> String {
        (0..MAX_TOKENS).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_repeated_token_counts_once_where_it_came_first() {
        assert_eq!(scope("write read write read").as_str(), "write read");
        let long = format!("{} {}", "x".repeat(SHORT), "a b a");
        assert_eq!(scope(&long).tokens().skip(1).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn tokens_are_case_sensitive_and_their_order_does_not_matter() {
        assert_eq!(scope("read write"), scope("write read"));
        assert_ne!(scope("read"), scope("Read"));
        assert_ne!(scope("aa b"), scope("a bb"));
        assert_ne!(scope("read"), Scope::empty());
    }

    #[test]
    fn stray_spaces_are_refused() {
        for text in [" ", " read", "read ", "read  write"] {
            assert_eq!(Scope::parse(text), Err(ScopeError::BadSpacing), "{text:?}");
        }
        assert_eq!(Scope::parse(""), Err(ScopeError::Empty));
    }

    #[test]
    fn characters_outside_the_set_are_refused() {
        for text in ["re\"ad", "re\\ad", "read\twrite", "read\nwrite", "re\u{e9}ad", "re\u{200b}ad", "read\0", "\u{7f}"]
        {
            assert_eq!(Scope::parse(text), Err(ScopeError::BadCharacter), "{text:?}");
        }
        assert_eq!(scope("https://api.example/files.read~!#[]").tokens().count(), 1);
    }

    #[test]
    fn the_limits_hold_and_what_reaches_them_passes() {
        assert_eq!(scope(&hundred("s")).tokens().count(), MAX_TOKENS);
        assert_eq!(Scope::parse(&format!("{} x", hundred("s"))), Err(ScopeError::TooManyTokens));
        assert_eq!(Scope::parse(&vec!["a"; 300].join(" ")), Err(ScopeError::TooManyTokens));
        assert_eq!(scope(&"x".repeat(MAX_LENGTH)).as_str().len(), MAX_LENGTH);
        assert_eq!(Scope::parse(&"x".repeat(MAX_LENGTH + 1)), Err(ScopeError::TooLong));
        assert_eq!(Scope::from_tokens(std::iter::repeat("read")), Err(ScopeError::TooLong));
    }

    #[test]
    fn a_token_with_a_space_in_it_is_not_two_tokens() {
        assert_eq!(Scope::from_tokens(["read write"]), Err(ScopeError::BadSpacing));
        assert_eq!(Scope::from_tokens(["read", ""]), Err(ScopeError::BadSpacing));
        assert_eq!(Scope::from_tokens(["read", "write", "read"]).unwrap().as_str(), "read write");
        assert!(Scope::from_tokens([""; 0]).unwrap().is_empty());
    }

    #[test]
    fn the_empty_scope_is_a_subset_of_all_and_superset_of_itself_alone() {
        let none = Scope::empty();
        assert!(none.is_subset_of(&none) && none.is_subset_of(&scope("read")));
        assert!(!scope("read").is_subset_of(&none));
        assert_eq!(none.tokens().count(), 0);
        assert!(!none.contains(""));
        assert!(!scope("read write").contains("read write"));
    }

    #[test]
    fn a_union_that_outgrew_the_limits_survives_the_store() {
        let both = scope(&hundred("a")).union(&scope(&hundred("b")));
        assert_eq!(both.tokens().count(), 2 * MAX_TOKENS);
        let stored = serde_json::to_string(&both).unwrap();
        let back: Scope = serde_json::from_str(&stored).unwrap();
        assert_eq!(back.as_str(), both.as_str());
        assert_eq!(Scope::from_canonical(both.as_str()), both);
        assert!(serde_json::from_str::<Scope>("\"\"").unwrap().is_empty());
        assert!(serde_json::from_str::<Scope>("\"a  b\"").is_err());
    }

    proptest! {
        #[test]
        fn the_operations_are_those_of_sets(
            left in prop::collection::vec("[a-c]{1,3}", 0..60),
            right in prop::collection::vec("[a-c]{1,3}", 0..60),
        ) {
            let set = |tokens: &[String]| tokens.iter().cloned().collect::<BTreeSet<_>>();
            let of = |scope: &Scope| scope.tokens().map(str::to_owned).collect::<BTreeSet<_>>();
            let (a, b) = (Scope::from_tokens(&left).unwrap(), Scope::from_tokens(&right).unwrap());
            let (x, y) = (set(&left), set(&right));
            prop_assert_eq!(of(&a.union(&b)), &x | &y);
            prop_assert_eq!(of(&a.intersection(&b)), &x & &y);
            prop_assert_eq!(of(&a.without(&b)), x.difference(&y).cloned().collect::<BTreeSet<_>>());
            prop_assert_eq!(a.is_subset_of(&b), x.is_subset(&y));
            prop_assert_eq!(a == b, x == y);
            for made in [a.union(&b), a.intersection(&b), a.without(&b)] {
                let again = scope(made.as_str());
                prop_assert_eq!(again.as_str(), made.as_str());
                prop_assert_eq!(made.tokens().count(), of(&made).len());
            }
        }

        #[test]
        fn what_parses_is_canonical_and_parses_to_itself(text in "[a-c\"\\\\ ]{0,150}") {
            if let Ok(scope) = Scope::parse(&text) {
                let again = Scope::parse(scope.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), scope.as_str());
            }
        }
    }
}
