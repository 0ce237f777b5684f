//! The outbox of the memory store, and the chain that shows when somebody has meddled with events.

use std::sync::Mutex;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::secret::SecretBytes;
use grantor::store::{
    ChainHead, ChainVerdict, Commit, Committed, Durability, EventChain, EventCursor, Failed, Key, Kind, Listing,
    Loaded, MemoryStore, Outbox, Page, Purged, Query, ScanCursor, Scanned, Store, StoreError, StoredEvent, Tenant,
    Write,
};

use super::memory::now;
use super::sample::{HOME, commit, key, record};

const TENANT: Tenant = Tenant([1; 16]);

/// A commit that tells of one event, at this second, and inserts a record of this number.
fn telling(tenant: Tenant, number: u8) -> Commit {
    let inserted = record(key(HOME, Kind::MARKER, number), "");
    let events = vec![event(i64::from(number))];
    Commit { tenant, events, ..commit(Vec::new(), vec![Write::Insert(inserted.into())]) }
}

/// An event can be made only by a server: this is one.
fn event(second: i64) -> grantor::event::Event {
    let told = std::sync::Arc::new(Mutex::new(Vec::new()));
    let observer = std::sync::Arc::clone(&told);
    let server = grantor::AuthorizationServer::builder("https://auth.example.com")
        .store(MemoryStore::new())
        .clock(std::sync::Arc::new(grantor::clock::ManualClock::new(Timestamp::from_secs(second))))
        .observer(move |event: &grantor::event::Event| observer.lock().unwrap().push(event.clone()))
        .build()
        .unwrap();
    now(server.subjects().deactivate(&format!("user {second}").as_str().into())).unwrap();
    let mut told = told.lock().unwrap();
    told.pop().unwrap()
}

fn events(store: &MemoryStore, tenant: Tenant, after: Option<&EventCursor>) -> Vec<StoredEvent> {
    now(store.events_after(tenant, after, 10_000)).unwrap()
}

#[test]
fn events_are_kept_with_the_commits_that_are_applied_and_with_no_other() {
    let store = MemoryStore::new().keeping_events(100);
    for number in [1, 2, 3] {
        assert_eq!(now(store.commit(&telling(TENANT, number))).unwrap(), Committed::Applied);
        assert_eq!(now(store.commit(&telling(TENANT, number))).unwrap(), Committed::Refused(Failed::Write(0)));
    }
    let other = Tenant([2; 16]);
    assert_eq!(now(store.commit(&telling(other, 4))).unwrap(), Committed::Applied);
    let kept = events(&store, TENANT, None);
    let expected: Vec<String> = [1, 2, 3].map(|number| serde_json::to_string(&event(number)).unwrap()).to_vec();
    assert_eq!(kept.iter().map(|event| event.json.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(events(&store, other, None).len(), 1);
    // From every cursor on, and a page at a time.
    assert_eq!(events(&store, TENANT, Some(&kept[0].cursor)), kept[1..]);
    assert_eq!(now(store.events_after(TENANT, None, 2)).unwrap(), kept[..2]);
    assert!(matches!(
        now(store.events_after(TENANT, Some(&EventCursor("no cursor".into())), 1)),
        Err(StoreError::Corrupt(_))
    ));
}

#[test]
fn events_are_forgotten_up_to_a_cursor_and_never_by_themselves() {
    let store = MemoryStore::new().keeping_events(100);
    for number in 1..=5 {
        let _ = now(store.commit(&telling(TENANT, number))).unwrap();
    }
    now(store.purge(Timestamp::NEVER, 1_000)).unwrap();
    let kept = events(&store, TENANT, None);
    assert_eq!(kept.len(), 5);
    let forgotten = now(store.forget_events(TENANT, &kept[3].cursor, 3)).unwrap();
    assert_eq!(forgotten, Purged { removed: 3, more: true });
    let forgotten = now(store.forget_events(TENANT, &kept[3].cursor, 3)).unwrap();
    assert_eq!(forgotten, Purged { removed: 1, more: false });
    assert_eq!(events(&store, TENANT, None), kept[4..]);
    assert_eq!(events(&store, TENANT, Some(&kept[1].cursor)), kept[4..], "a cursor outlives its event");
}

#[test]
fn where_no_more_events_fit_nothing_happens_that_is_not_told() {
    let store = MemoryStore::new().keeping_events(2);
    for number in [1, 2] {
        assert_eq!(now(store.commit(&telling(TENANT, number))).unwrap(), Committed::Applied);
    }
    let before = store.snapshot();
    assert!(matches!(now(store.commit(&telling(TENANT, 3))), Err(StoreError::Unavailable(_))));
    assert_eq!(store.snapshot(), before);
    // What tells of nothing, and what would be refused, is answered as ever.
    assert_eq!(now(store.commit(&telling(TENANT, 1))).unwrap(), Committed::Refused(Failed::Write(0)));
    let silent = Commit { events: Vec::new(), ..telling(TENANT, 4) };
    assert_eq!(now(store.commit(&silent)).unwrap(), Committed::Applied);
    let last = events(&store, TENANT, None).pop().unwrap();
    now(store.forget_events(TENANT, &last.cursor, 10)).unwrap();
    assert_eq!(now(store.commit(&telling(TENANT, 3))).unwrap(), Committed::Applied);
}

#[test]
fn a_store_that_is_full_keeps_no_event_of_what_did_not_happen() {
    let store = MemoryStore::with_capacity_limit(1).keeping_events(10);
    assert_eq!(now(store.commit(&telling(TENANT, 1))).unwrap(), Committed::Applied);
    assert!(matches!(now(store.commit(&telling(TENANT, 2))), Err(StoreError::Unavailable(_))));
    assert_eq!(events(&store, TENANT, None).len(), 1);
}

#[test]
fn a_store_that_keeps_no_events_says_so() {
    let store = MemoryStore::new();
    assert_eq!(now(store.commit(&telling(TENANT, 1))).unwrap(), Committed::Applied);
    assert!(matches!(now(store.events_after(TENANT, None, 1)), Err(StoreError::Unavailable(_))));
}

#[test]
fn the_tenant_of_an_issuer_is_the_one_that_its_server_commits_as() {
    let store = std::sync::Arc::new(MemoryStore::new().keeping_events(10));
    let issuer = "https://auth.example.com/tenant";
    let server =
        grantor::AuthorizationServer::builder(issuer).shared_store(std::sync::Arc::clone(&store) as _).build().unwrap();
    now(server.subjects().deactivate(&"alice".into())).unwrap();
    assert_eq!(events(&store, Tenant::of_issuer(issuer), None).len(), 1);
}

/// An outbox whose events somebody can change.
struct Meddled(Mutex<Vec<(u64, String)>>);

impl Meddled {
    fn new() -> Self {
        Self(Mutex::new((1..=40).map(|number| (number, format!("event {number}"))).collect()))
    }

    fn with(meddle: impl FnOnce(&mut Vec<(u64, String)>)) -> Self {
        let outbox = Self::new();
        meddle(&mut outbox.0.lock().unwrap());
        outbox
    }
}

#[async_trait]
impl Outbox for Meddled {
    async fn events_after(
        &self,
        _tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let after: u64 = after.map_or(0, |after| after.0.parse().unwrap());
        let events = self.0.lock().unwrap();
        let later = events.iter().filter(|(number, _)| *number > after).take(limit as usize);
        let stored = |(number, json): &(u64, String)| StoredEvent {
            cursor: EventCursor(number.to_string()),
            json: json.clone(),
        };
        Ok(later.map(stored).collect())
    }

    async fn forget_events(&self, _tenant: Tenant, _up_to: &EventCursor, _limit: u32) -> Result<Purged, StoreError> {
        unreachable!("nobody forgets")
    }
}

#[async_trait]
impl Store for Meddled {
    async fn load(&self, _keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        unreachable!("events only")
    }

    async fn commit(&self, _commit: &Commit) -> Result<Committed, StoreError> {
        unreachable!("events only")
    }

    async fn list(&self, _query: &Query, _page: &Page) -> Result<Listing, StoreError> {
        unreachable!("events only")
    }

    async fn scan(&self, _after: Option<&ScanCursor>, _limit: u32) -> Result<Scanned, StoreError> {
        unreachable!("events only")
    }

    async fn purge(&self, _before: Timestamp, _limit: u32) -> Result<Purged, StoreError> {
        unreachable!("events only")
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// The heads after none, 10, 30 and 40 events, as they were before anybody meddled.
fn heads(chain: &EventChain) -> [ChainHead; 4] {
    let outbox = Meddled::new();
    let start = chain.start();
    let ten = now(chain.follow(&outbox, start.clone(), 10)).unwrap();
    let thirty = now(chain.follow(&outbox, ten.clone(), 20)).unwrap();
    let all = now(chain.follow(&outbox, thirty.clone(), 10_000)).unwrap();
    assert_eq!([&ten, &thirty, &all].map(|head| head.events), [10, 30, 40]);
    [start, ten, thirty, all]
}

#[track_caller]
fn verdict(chain: &EventChain, outbox: &Meddled, from: &ChainHead, to: &ChainHead) -> ChainVerdict {
    now(chain.verify(outbox, from, to)).unwrap()
}

#[test]
fn what_nobody_meddled_with_is_intact_between_any_two_heads() {
    for chain in [EventChain::new(TENANT), EventChain::new(TENANT).with_key(SecretBytes::new([9; 32]))] {
        let heads = heads(&chain);
        let outbox = Meddled::new();
        for (place, from) in heads.iter().enumerate() {
            for to in &heads[place..] {
                assert_eq!(verdict(&chain, &outbox, from, to), ChainVerdict::Intact);
            }
        }
        // A head that was kept as text is the same head.
        let kept: ChainHead = serde_json::from_str(&serde_json::to_string(&heads[2]).unwrap()).unwrap();
        assert_eq!(kept, heads[2]);
    }
}

#[test]
fn every_meddling_shows_in_the_stretch_where_it_was_and_in_no_other() {
    type Meddling = fn(&mut Vec<(u64, String)>);
    let meddlings: [(&str, Meddling); 8] = [
        ("changed", |events| events[15].1.push(' ')),
        ("removed", |events| drop(events.remove(15))),
        ("the first of the stretch removed", |events| drop(events.remove(10))),
        ("the last of the stretch removed", |events| drop(events.remove(29))),
        ("all of the stretch removed", |events| drop(events.drain(10..30))),
        ("two exchanged", |events| {
            let (a, b) = (events[15].1.clone(), events[20].1.clone());
            (events[15].1, events[20].1) = (b, a);
        }),
        ("one in place of two", |events| {
            let gone = events.remove(16);
            events[15].1.push_str(&gone.1);
        }),
        ("text moved across a border", |events| {
            let last = events[15].1.pop().unwrap();
            events[16].1.insert(0, last);
        }),
    ];
    for chain in [EventChain::new(TENANT), EventChain::new(TENANT).with_key(SecretBytes::new([9; 32]))] {
        let [start, ten, thirty, all] = heads(&chain);
        for (what, meddle) in meddlings {
            let outbox = Meddled::with(meddle);
            assert_ne!(verdict(&chain, &outbox, &ten, &thirty), ChainVerdict::Intact, "{what}");
            assert_ne!(verdict(&chain, &outbox, &start, &all), ChainVerdict::Intact, "{what}");
            assert_eq!(verdict(&chain, &outbox, &start, &ten), ChainVerdict::Intact, "{what}");
            assert_eq!(verdict(&chain, &outbox, &thirty, &all), ChainVerdict::Intact, "{what}");
        }
    }
}

#[test]
fn an_event_that_was_slipped_in_shows() {
    let chain = EventChain::new(TENANT);
    let spaced = |events: &mut Vec<(u64, String)>| events.iter_mut().for_each(|event| event.0 *= 10);
    let outbox = Meddled::with(spaced);
    let ten = now(chain.follow(&outbox, chain.start(), 10)).unwrap();
    let all = now(chain.follow(&outbox, ten.clone(), 10_000)).unwrap();
    assert_eq!(verdict(&chain, &outbox, &ten, &all), ChainVerdict::Intact);
    outbox.0.lock().unwrap().insert(15, (155, "forged".into()));
    assert_eq!(verdict(&chain, &outbox, &ten, &all), ChainVerdict::Altered);
    // What comes after the last head is not its affair.
    outbox.0.lock().unwrap().remove(15);
    outbox.0.lock().unwrap().push((1_000, "later".into()));
    assert_eq!(verdict(&chain, &outbox, &ten, &all), ChainVerdict::Intact);
}

#[test]
fn what_is_missing_is_counted() {
    let chain = EventChain::new(TENANT);
    let [start, _, thirty, all] = heads(&chain);
    let cut = Meddled::with(|events| events.truncate(35));
    assert_eq!(verdict(&chain, &cut, &start, &all), ChainVerdict::Missing { events: 5 });
    assert_eq!(verdict(&chain, &cut, &start, &thirty), ChainVerdict::Intact);
    let empty = Meddled::with(Vec::clear);
    assert_eq!(verdict(&chain, &empty, &start, &all), ChainVerdict::Missing { events: 40 });
}

#[test]
fn a_head_of_another_tenant_key_or_place_does_not_fit() {
    let chain = EventChain::new(TENANT);
    let outbox = Meddled::new();
    let [start, ten, thirty, _] = heads(&chain);
    let keyed = EventChain::new(TENANT).with_key(SecretBytes::new([9; 32]));
    let other_key = EventChain::new(TENANT).with_key(SecretBytes::new([8; 32]));
    let other_tenant = EventChain::new(Tenant([2; 16]));
    for other in [&keyed, &other_tenant] {
        assert_eq!(verdict(&chain, &outbox, &start, &heads(other)[2]), ChainVerdict::Altered);
    }
    assert_eq!(verdict(&keyed, &outbox, &keyed.start(), &heads(&other_key)[2]), ChainVerdict::Altered);
    // Backwards, and a head whose number was forged.
    assert_eq!(verdict(&chain, &outbox, &thirty, &ten), ChainVerdict::Altered);
    let forged = ChainHead { events: 29, ..thirty };
    assert_ne!(verdict(&chain, &outbox, &ten, &forged), ChainVerdict::Intact);
}
