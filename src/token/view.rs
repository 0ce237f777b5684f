//! What a live token says, read in place.

use crate::clock::Timestamp;
use crate::store::{Kind, Loaded};
use crate::token::fields::{Fields, tag};

/// What a token says, with what it leaves to its grant. Borrowed from the records: reading it allocates nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenView<'a> {
    own: Fields<'a>,
    grant: Fields<'a>,
    client_id: &'a str,
    loaded: &'a Loaded,
}

impl<'a> TokenView<'a> {
    /// `None` if a record cannot be read: such a token does not count.
    pub(crate) fn of(loaded: &'a Loaded) -> Option<Self> {
        let own = Fields::read(loaded.record.payload.as_bytes()).ok()?;
        let parent = loaded.parent.as_deref()?;
        if parent.key.kind == Kind::CLIENT {
            let client_id = parent.labels.as_ref()?.public_id.as_str();
            return Some(Self { own, grant: Fields::read(&[]).ok()?, client_id, loaded });
        }
        let grant = Fields::read(parent.payload.as_bytes()).ok()?;
        let client_id = grant.text(tag::CLIENT).ok()??;
        Some(Self { own, grant, client_id, loaded })
    }

    pub(crate) const fn client_id(&self) -> &'a str {
        self.client_id
    }

    pub(crate) fn subject(&self) -> Option<&'a str> {
        self.grant.text(tag::SUBJECT).ok().flatten()
    }

    pub(crate) fn scope(&self) -> &'a str {
        let text = |fields: Fields<'a>| fields.text(tag::SCOPE).ok().flatten();
        text(self.own).or_else(|| text(self.grant)).unwrap_or_default()
    }

    /// The resources it is addressed to; none where it is addressed to all.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let source = if self.own.bytes(tag::RESOURCE).is_some() { self.own } else { self.grant };
        source.texts(tag::RESOURCE).filter_map(Result::ok)
    }

    /// What the authorization request said in a parameter of the host.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        value_in(self.grant.texts(tag::PARAMETER).filter_map(Result::ok), name)
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        self.loaded.record.expires_at
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        self.loaded.record.created_at
    }

    pub(crate) fn authenticated_at(&self) -> Option<Timestamp> {
        self.grant.number(tag::AUTHENTICATED_AT).ok().flatten().map(Timestamp::from_millis)
    }
}

/// The value of this name among parameters as they are written down: `name=value`.
pub(crate) fn value_in<'t>(mut parameters: impl Iterator<Item = &'t str>, name: &str) -> Option<&'t str> {
    parameters.find_map(|text| text.strip_prefix(name)?.strip_prefix('='))
}
