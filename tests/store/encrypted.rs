//! What is sealed shows nothing, opens nowhere else, and with no other key.

use std::sync::Arc;

use grantor::secret::SecretBytes;
use grantor::store::kit;
use grantor::store::{
    EncryptingStore, KeyRing, Kind, MemoryStore, Payload, Record, Resealed, State, Store, StoreError, Used, Write,
};

use super::fixture::InMemory;
use super::memory::now;
use super::sample::{Family, HOME, applied, family, key, load, record, set};

fn old() -> SecretBytes {
    SecretBytes::new([1; 32])
}

fn new() -> SecretBytes {
    SecretBytes::new([2; 32])
}

fn sealing(memory: &Arc<MemoryStore>, ring: KeyRing) -> EncryptingStore {
    EncryptingStore::new(Arc::clone(memory) as _, ring)
}

#[track_caller]
fn assert_corrupt(store: &EncryptingStore, key: grantor::store::Key, why: &str) {
    match now(store.load(&[key])) {
        Err(StoreError::Corrupt(text)) => assert!(text.contains(why), "{text}"),
        other => panic!("{other:?}"),
    }
}

/// What lies below, under the hand of somebody who can write there.
fn below(memory: &MemoryStore, key: grantor::store::Key) -> Record {
    Record::clone(&load(memory, key).unwrap().record)
}

fn tamper(memory: &MemoryStore, record: Record) {
    applied(memory, Write::Replace(Arc::new(record)));
}

#[test]
fn an_encrypting_store_passes_every_check() {
    kit::run(&InMemory::behind(|memory| Arc::new(sealing(&memory, KeyRing::new(1, old()))))).assert();
}

#[test]
fn a_dump_of_what_lies_below_shows_no_payload_and_no_answer() {
    let memory = Arc::new(MemoryStore::new());
    let store = sealing(&memory, KeyRing::new(1, old()));
    let family = family();
    family.settle_in(&store);
    let dump = format!("{:?}", memory.snapshot().iter().map(|it| it.payload.as_bytes().to_vec()).collect::<Vec<_>>());
    assert!(!memory.is_empty());
    for record in memory.snapshot() {
        let answer = record.used.as_ref().map_or(&[][..], |used| &used.answer);
        for bytes in [record.payload.as_bytes(), answer] {
            for word in ["secret", "alice", "scope", "read", "challenge", "kept"] {
                assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word} in {dump}");
            }
        }
        assert!(record.payload.as_bytes().len() >= 45);
    }
    // Two records that say the same do not look the same, nor does one that is written twice.
    let [one, other, _] = &family.tokens;
    assert_ne!(below(&memory, one.key).payload, below(&memory, other.key).payload);
    let before = below(&memory, one.key);
    applied(&store, Write::Replace(Arc::new(one.clone())));
    assert_ne!(below(&memory, one.key).payload, before.payload);
    assert_eq!(*load(&store, family.code.key).unwrap().record, family.code);
}

#[test]
fn what_is_moved_or_altered_is_corrupt() {
    let memory = Arc::new(MemoryStore::new());
    let store = sealing(&memory, KeyRing::new(1, old()));
    let Family { tokens: [one, other, third], code, .. } = {
        let family = family();
        family.settle_in(&store);
        family
    };
    let [below_one, below_code] = [one.key, code.key].map(|key| below(&memory, key));
    // Another record of the same kind and partition.
    tamper(&memory, Record { payload: below_one.payload.clone(), ..below(&memory, other.key) });
    assert_corrupt(&store, other.key, "another record");
    // The same digest in another kind, and in another partition.
    for moved in [key(HOME, Kind::REFRESH_TOKEN, 4), key(super::sample::ELSEWHERE, Kind::ACCESS_TOKEN, 4)] {
        assert_eq!(moved.id, one.key.id);
        let stray = Record { payload: below_one.payload.clone(), ..record(moved, "") };
        applied(&*memory, Write::Insert(Arc::new(stray)));
        assert_corrupt(&store, moved, "another record");
    }
    // A payload in place of an answer.
    let used = Used { answer: below_code.payload.as_bytes().into(), ..*below_code.used.clone().unwrap() };
    tamper(&memory, Record { used: Some(Box::new(used)), ..below_code });
    assert_corrupt(&store, code.key, "another record");
    // Each byte of it counts, and its length.
    let sealed = below_one.payload.as_bytes();
    for place in 0..sealed.len() {
        let mut bytes = sealed.to_vec();
        bytes[place] ^= 1;
        tamper(&memory, Record { payload: Payload::new(bytes), ..below_one.clone() });
        assert_corrupt(&store, one.key, "");
    }
    for length in 0..sealed.len() {
        tamper(&memory, Record { payload: Payload::new(&sealed[..length]), ..below_one.clone() });
        assert_corrupt(&store, one.key, "");
    }
    // One record that cannot be opened is not left out of an answer, nor of a list or a scan.
    assert!(matches!(now(store.load(&[third.key, one.key])), Err(StoreError::Corrupt(_))));
    let query = grantor::store::Query::new(one.tenant, Kind::ACCESS_TOKEN);
    let page = grantor::store::Page { after: None, limit: 10 };
    assert!(matches!(now(store.list(&query, &page)), Err(StoreError::Corrupt(_))));
    assert!(matches!(now(store.scan(None, 10)), Err(StoreError::Corrupt(_))));
    // And what was put back as it was opens again.
    tamper(&memory, below_one);
    assert_eq!(load(&store, one.key).unwrap().record.payload, one.payload);
}

#[test]
fn what_hangs_on_a_record_that_cannot_be_opened_is_corrupt_too() {
    let memory = Arc::new(MemoryStore::new());
    let store = sealing(&memory, KeyRing::new(1, old()));
    let family = family();
    family.settle_in(&store);
    applied(&store, Write::Insert(Arc::new(family.subject.clone())));
    for related in [family.grant.key, family.client.key, family.subject.key] {
        let sound = below(&memory, related);
        tamper(&memory, Record { payload: Payload::new(*b"in the clear"), ..sound.clone() });
        assert_corrupt(&store, family.tokens[0].key, "not sealed");
        tamper(&memory, sound);
    }
    assert!(load(&store, family.tokens[0].key).is_some());
}

#[test]
fn another_key_and_an_unknown_number_are_corrupt() {
    let memory = Arc::new(MemoryStore::new());
    family().settle_in(&sealing(&memory, KeyRing::new(1, old())));
    let token = family().tokens[0].key;
    assert_corrupt(&sealing(&memory, KeyRing::new(1, new())), token, "another key");
    assert_corrupt(&sealing(&memory, KeyRing::new(2, old())), token, "key 1, which is not on the ring");
    assert_corrupt(&sealing(&memory, KeyRing::new(2, new()).with(3, old())), token, "key 1");
    // A number that is on the ring keeps its key: a second one does not creep in.
    let ring = KeyRing::new(2, new()).with(1, old()).with(1, new()).with(2, old());
    let store = sealing(&memory, ring);
    assert!(load(&store, token).is_some());
    applied(&store, Write::Insert(Arc::new(record(key(HOME, Kind::MARKER, 9), "new"))));
    assert!(load(&sealing(&memory, KeyRing::new(2, new())), key(HOME, Kind::MARKER, 9)).is_some());
}

#[test]
fn a_ring_prints_its_numbers_and_no_key() {
    let text = format!("{:?}", KeyRing::new(77, SecretBytes::new([201; 32])).with(5, old()));
    assert!(text.contains("77") && text.contains('5') && !text.contains("201"), "{text}");
}

#[test]
fn rotation_needs_no_pause_and_ends_with_the_old_key_gone() {
    let memory = Arc::new(MemoryStore::new());
    let before = sealing(&memory, KeyRing::new(1, old()));
    let family = family();
    family.settle_in(&before);
    let [one, other, third] = &family.tokens;
    // Every node can open the new key before any seals with it.
    let ready = sealing(&memory, KeyRing::new(1, old()).with(2, new()));
    let after = sealing(&memory, KeyRing::new(2, new()).with(1, old()));
    applied(&after, Write::Replace(Arc::new(one.clone())));
    for store in [&ready, &after] {
        for token in &family.tokens {
            assert_eq!(load(store, token.key).unwrap().record.payload, token.payload);
        }
    }
    // The old answer under the old payload, and a new answer over an old payload.
    let spend =
        Write::Use { key: other.key, at: one.created_at, answer: Box::new(*b"new"), purge_after: one.purge_after };
    applied(&after, spend);
    applied(&after, set(third.key, State::Revoked));
    let alone = sealing(&memory, KeyRing::new(2, new()));
    assert_corrupt(&alone, other.key, "key 1");

    let (mut moved, mut next) = (0, None);
    loop {
        let Resealed { moved: some, missed, next: place } = now(after.reseal(next.as_ref(), 2)).unwrap();
        assert_eq!(missed, 0);
        moved += some;
        next = place;
        if next.is_none() {
            break;
        }
    }
    // All but the one that was sealed anew already.
    assert_eq!(usize::try_from(moved).unwrap(), memory.len() - 1);
    assert_eq!(now(after.reseal(None, 1_000)).unwrap(), Resealed { moved: 0, missed: 0, next: None });
    for expected in [&family.client, &family.grant, &family.code, one, third] {
        let found = load(&alone, expected.key).unwrap().record;
        assert_eq!((&found.payload, &found.used), (&expected.payload, &expected.used));
    }
    assert_eq!(&*load(&alone, other.key).unwrap().record.used.clone().unwrap().answer, b"new");
    assert_eq!(load(&alone, third.key).unwrap().record.state, State::Revoked);
}
