//! A place in a list, as an address holds it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::store::{Cursor, Key};

/// A place as text. It says what the list itself shows, so it needs no seal.
pub(super) fn print(cursor: &Cursor) -> String {
    let name = URL_SAFE_NO_PAD.encode(&cursor.name);
    format!("{}.{}.{name}", cursor.created_at.as_millis(), cursor.key.to_text())
}

/// `None` for what [`print`] never gives: the list then begins at its beginning.
pub(super) fn read(text: &str) -> Option<Cursor> {
    let (created_at, rest) = text.split_once('.')?;
    let (key, name) = rest.split_once('.')?;
    Some(Cursor {
        created_at: Timestamp::from_millis(created_at.parse().ok()?),
        name: String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?,
        key: Key::from_text(key)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kind, Partition};

    #[test]
    fn a_place_comes_back_as_it_went() {
        let key = Key { partition: Partition(7), kind: Kind::CLIENT, id: [9; 32] };
        let cursor = Cursor { created_at: Timestamp::from_millis(-5), name: "a.b ü".into(), key };
        assert_eq!(read(&print(&cursor)), Some(cursor));
        for text in ["", ".", "..", "1.x.", "x.y.z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
