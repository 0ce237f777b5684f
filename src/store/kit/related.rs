//! What a load brings along.

use std::sync::Arc;

use super::bed::{Bed, Verdict, ensure, same};
use super::check::{Check, Rule};
use super::sample::{ELSEWHERE, grant, key, key_in, link, owner, record, token};
use crate::store::{Key, Kind, Loaded, Record, State};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Related, run);
    vec![
        check("a-load-of-no-keys-is-empty", |bed| bed.load(&[]).map(drop)),
        check("a-record-that-hangs-on-nothing-comes-alone", alone),
        check("a-token-brings-its-grant-and-through-it-client-and-subject", through_the_parent),
        check("a-record-with-an-owner-brings-client-and-subject", of_its_own),
        check("the-own-owner-comes-before-that-of-the-parent", own_first),
        check("an-owner-without-subject-brings-no-subject", without_subject),
        check("what-hangs-on-a-client-brings-it-as-client-too", parent_is_client),
        check("what-is-missing-is-left-out-and-the-rest-comes", missing),
        check("what-does-not-count-any-more-still-comes", dead),
        check("many-keys-are-answered-in-their-order", in_order),
        check("a-key-asked-for-twice-is-answered-twice", twice),
    ]
}

/// A client and another, a subject and another, and a grant of the first of each.
struct Family {
    client: Record,
    other_client: Record,
    subject: Record,
    other_subject: Record,
    grant: Record,
}

fn family() -> Family {
    let client = record(key_in(ELSEWHERE, Kind::CLIENT, 1));
    let subject = record(key(Kind::SUBJECT, 1));
    let grant = Record { owner: owner(client.key, Some(subject.key)), ..grant(1) };
    let other_client = record(key_in(ELSEWHERE, Kind::CLIENT, 2));
    let other_subject = record(key(Kind::SUBJECT, 2));
    Family { client, other_client, subject, other_subject, grant }
}

impl Family {
    fn all(&self) -> [&Record; 5] {
        [&self.client, &self.other_client, &self.subject, &self.other_subject, &self.grant]
    }

    fn token(&self, number: u64) -> Record {
        Record { parent: Some(link(self.grant.key, 0)), ..token(number) }
    }
}

/// Expects a load to bring exactly these: parent, client, subject.
fn brings(loaded: &Loaded, record: &Record, related: [Option<&Record>; 3]) -> Verdict {
    same(record, &loaded.record)?;
    let found = [("parent", &loaded.parent), ("client", &loaded.client), ("subject", &loaded.subject)];
    for ((role, found), expected) in found.into_iter().zip(related) {
        match (expected, found.as_ref()) {
            (Some(expected), Some(found)) => same(expected, found).map_err(|wrong| format!("{role}: {wrong}"))?,
            (None, None) => {}
            (Some(expected), None) => return Err(format!("the {role} is left out: {:?}", expected.key)),
            (None, Some(found)) => return Err(format!("there is a {role} where none was to be: {:?}", found.key)),
        }
    }
    Ok(())
}

fn check(bed: &Bed<'_>, record: &Record, related: [Option<&Record>; 3]) -> Verdict {
    brings(&bed.loaded(record.key)?, record, related)
}

fn alone(bed: &Bed<'_>) -> Verdict {
    bed.given([&token(1)])?;
    check(bed, &token(1), [None; 3])
}

fn through_the_parent(bed: &Bed<'_>) -> Verdict {
    let family = family();
    let token = family.token(1);
    bed.given(family.all())?;
    bed.given([&token])?;
    check(bed, &token, [Some(&family.grant), Some(&family.client), Some(&family.subject)])
}

fn of_its_own(bed: &Bed<'_>) -> Verdict {
    let family = family();
    bed.given(family.all())?;
    check(bed, &family.grant, [None, Some(&family.client), Some(&family.subject)])?;
    // A client that lives in the partition of what it owns.
    let near = record(key(Kind::CLIENT, 3));
    let owned = Record { owner: owner(near.key, None), ..token(1) };
    bed.given([&near, &owned])?;
    check(bed, &owned, [None, Some(&near), None])
}

fn own_first(bed: &Bed<'_>) -> Verdict {
    let family = family();
    let owner = owner(family.other_client.key, Some(family.other_subject.key));
    let token = Record { owner, ..family.token(1) };
    bed.given(family.all())?;
    bed.given([&token])?;
    check(bed, &token, [Some(&family.grant), Some(&family.other_client), Some(&family.other_subject)])
}

fn without_subject(bed: &Bed<'_>) -> Verdict {
    let family = family();
    // Of one owner or the other, never the client of one and the subject of the other.
    let token = Record { owner: owner(family.other_client.key, None), ..family.token(1) };
    bed.given(family.all())?;
    bed.given([&token])?;
    check(bed, &token, [Some(&family.grant), Some(&family.other_client), None])
}

fn parent_is_client(bed: &Bed<'_>) -> Verdict {
    let client = record(key(Kind::CLIENT, 1));
    let token = Record { parent: Some(link(client.key, 0)), ..token(1) };
    bed.given([&client, &token])?;
    check(bed, &token, [Some(&client), Some(&client), None])
}

fn missing(bed: &Bed<'_>) -> Verdict {
    let Family { client, subject, grant, .. } = family();
    let token = Record { parent: Some(link(grant.key, 0)), ..token(1) };
    bed.given([&token])?;
    check(bed, &token, [None; 3])?;
    bed.given([&grant])?;
    check(bed, &token, [Some(&grant), None, None])?;
    bed.given([&subject])?;
    check(bed, &token, [Some(&grant), None, Some(&subject)])?;
    bed.given([&client])?;
    check(bed, &token, [Some(&grant), Some(&client), Some(&subject)])?;
    let orphan = Record { owner: grant.owner.clone(), parent: Some(link(key(Kind::GRANT, 7), 0)), ..self::token(2) };
    bed.given([&orphan])?;
    check(bed, &orphan, [None, Some(&client), Some(&subject)])
}

fn dead(bed: &Bed<'_>) -> Verdict {
    let mut family = family();
    // Nor does a store compare epochs: the links of the token and of the grant name others.
    for (record, state) in [
        (&mut family.client, State::Inactive),
        (&mut family.subject, State::Deleted),
        (&mut family.grant, State::Revoked),
    ] {
        record.state = state;
        record.epoch = 5;
    }
    let token = Record { state: State::Revoked, ..family.token(1) };
    bed.given(family.all())?;
    bed.given([&token])?;
    check(bed, &token, [Some(&family.grant), Some(&family.client), Some(&family.subject)])
}

/// Asks for many keys, of which every third does not exist, across partitions.
fn in_order(bed: &Bed<'_>) -> Verdict {
    let family = family();
    bed.given(family.all())?;
    let tokens: Vec<Record> = (1..=40)
        .map(|number| match number % 2 {
            0 => family.token(number),
            _ => record(key_in(ELSEWHERE, Kind::ACCESS_TOKEN, number)),
        })
        .collect();
    bed.given(tokens.iter().filter(|token| !left_out(token)))?;
    let mut asked: Vec<&Record> = tokens.iter().rev().collect();
    asked.rotate_left(7);
    let keys: Vec<Key> = asked.iter().map(|token| token.key).collect();
    for (position, (found, token)) in bed.load(&keys)?.iter().zip(asked).enumerate() {
        let related = match token.parent {
            Some(_) => [Some(&family.grant), Some(&family.client), Some(&family.subject)],
            None => [None; 3],
        };
        match found {
            None => ensure!(left_out(token), "the answer at position {position} of many is left out"),
            Some(_) if left_out(token) => return Err(format!("position {position} of many is answered with another")),
            Some(found) => brings(found, token, related).map_err(|wrong| format!("position {position}: {wrong}"))?,
        }
    }
    Ok(())
}

fn left_out(token: &Record) -> bool {
    token.key.id.iter().fold(0_u8, |sum, byte| sum ^ byte) % 3 == 0
}

fn twice(bed: &Bed<'_>) -> Verdict {
    let (one, other, none) = (token(1), token(2), token(3));
    bed.given([&one, &other])?;
    let loaded = bed.load(&[one.key, none.key, other.key, one.key, none.key, one.key])?;
    let found: Vec<Option<Key>> = loaded.iter().map(|it| it.as_ref().map(|it| Arc::clone(&it.record).key)).collect();
    let expected = [Some(one.key), None, Some(other.key), Some(one.key), None, Some(one.key)];
    ensure!(found == expected, "a load of keys that repeat was answered {found:?} instead of {expected:?}");
    Ok(())
}
