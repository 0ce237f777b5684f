//! Lists, a page at a time.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Key, Kind, Partition, Record, State, Tenant};
use crate::clock::Timestamp;

/// Which records a list holds: those that match every field that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Records of this server.
    pub tenant: Tenant,
    /// Records of this kind.
    pub kind: Kind,
    /// Records of this partition; set whenever `parent` or `subject` is.
    pub partition: Option<Partition>,
    /// Records that hang on this one.
    pub parent: Option<Key>,
    /// Records whose own `owner.client` is this one.
    pub client: Option<Key>,
    /// Records whose own `owner.subject` is this one.
    pub subject: Option<Key>,
    /// Records in this state.
    pub state: Option<State>,
    /// Records whose `labels.class` is exactly this.
    pub class: Option<String>,
    /// Records whose `labels.name` contains this text or whose `labels.public_id` starts with it, both without regard
    /// to ASCII case.
    pub search: Option<String>,
    /// In which order.
    pub order: Order,
}

impl Query {
    /// All records of one kind, newest first.
    #[must_use]
    pub const fn new(tenant: Tenant, kind: Kind) -> Self {
        Self {
            tenant,
            kind,
            partition: None,
            parent: None,
            client: None,
            subject: None,
            state: None,
            class: None,
            search: None,
            order: Order::NewestFirst,
        }
    }
}

/// The order of a list. Records that are equal in it are ordered by key, so that every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By `created_at`, falling.
    NewestFirst,
    /// By `created_at`, rising.
    OldestFirst,
    /// By `labels.name`, rising, byte by byte (records without labels are not listed).
    Name,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Only what comes after this record.
    pub after: Option<Cursor>,
    /// At most this many: 1 to 1,000.
    pub limit: u32,
}

/// A place in a list: the sort key of the last record of a page. It stays valid when that record is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Its `created_at`.
    pub created_at: Timestamp,
    /// Its `labels.name`; empty where it has none.
    pub name: String,
    /// Its key.
    pub key: Key,
}

impl Cursor {
    /// The place of `record`.
    pub fn of(record: &Record) -> Self {
        Self {
            created_at: record.created_at,
            name: record.labels.as_ref().map(|labels| labels.name.clone()).unwrap_or_default(),
            key: record.key,
        }
    }
}

impl Cursor {
    /// The cursor as text that fits a URL: base64url. It holds nothing secret but shows the name and the age of a
    /// record that was on the page.
    pub fn to_text(&self) -> String {
        let mut bytes = self.created_at.as_millis().to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.to_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for what [`to_text`](Self::to_text) never gives. Whoever makes up a cursor gets the page that begins
    /// there.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (created_at, rest) = bytes.split_first_chunk::<8>()?;
        let (key, name) = rest.split_first_chunk::<35>()?;
        Some(Self {
            created_at: Timestamp::from_millis(i64::from_be_bytes(*created_at)),
            name: String::from_utf8(name.to_vec()).ok()?,
            key: Key::from_bytes(key),
        })
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The records, in order.
    pub records: Vec<Arc<Record>>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<Cursor>,
}
