//! The reference store against the plainest store that could be right: one map, one vector scan, no index.

use std::collections::BTreeMap;
use std::sync::Arc;

use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Cursor, Failed, Key, Kind, Labels, Link, Listing, Loaded, MemoryStore, Order, Owner,
    Page, Partition, Payload, Purged, Query, Record, State, Store, StoreError, Tenant, Used, Write,
};
use proptest::prelude::*;

use super::memory::now;

/// One map, and every rule written out.
#[derive(Default, Clone)]
struct Model {
    records: BTreeMap<Key, Record>,
}

impl Model {
    fn commit(&mut self, commit: &Commit) -> Committed {
        for (position, condition) in commit.conditions.iter().enumerate() {
            let found = self.records.get(&condition.key());
            let holds = match condition {
                Condition::Unused(_) => found.is_some_and(|found| found.used.is_none()),
                Condition::Live { epoch, .. } => {
                    found.is_some_and(|found| found.state == State::Live && found.epoch == *epoch)
                }
                Condition::Unchanged { revision, .. } => found.is_some_and(|found| found.revision == *revision),
            };
            if !holds {
                return Committed::Refused(Failed::Condition(position));
            }
        }
        let mut after = self.records.clone();
        for (position, write) in commit.writes.iter().enumerate() {
            let key = write.key();
            let old = after.get(&key).cloned();
            let next = match (write, old) {
                (Write::Insert(record), None) => Some(Record { revision: 1, ..Record::clone(record) }),
                (Write::Replace(record), Some(old)) => {
                    Some(Record { revision: old.revision + 1, ..Record::clone(record) })
                }
                (Write::Use { at, answer, purge_after, .. }, Some(old)) if old.used.is_none() => Some(Record {
                    purge_after: *purge_after,
                    used: Some(Box::new(Used { at: *at, answer: answer.clone() })),
                    revision: old.revision + 1,
                    ..old
                }),
                (Write::SetState { state, .. }, Some(old)) => {
                    Some(Record { state: *state, revision: old.revision + 1, ..old })
                }
                (Write::Delete(_), Some(_)) => None,
                _ => return Committed::Refused(Failed::Write(position)),
            };
            match next {
                Some(record) => after.insert(key, record),
                None => after.remove(&key),
            };
        }
        self.records = after;
        Committed::Applied
    }

    fn load(&self, key: &Key) -> Option<[Option<Record>; 4]> {
        let get = |key: Key| self.records.get(&key).cloned();
        let record = get(*key)?;
        let parent = record.parent.and_then(|link| get(link.key));
        let inherited = parent.as_ref().and_then(|parent| parent.owner.clone());
        let owner = record.owner.clone().or(inherited);
        let client = match &owner {
            Some(owner) => get(owner.client.key),
            None => parent.clone(),
        };
        let subject = owner.and_then(|owner| owner.subject).and_then(|link| get(link.key));
        Some([Some(record), parent, client, subject])
    }

    fn list(&self, query: &Query, page: &Page) -> (Vec<Record>, bool) {
        let name = |record: &Record| record.labels.as_ref().map(|labels| labels.name.clone()).unwrap_or_default();
        let lower = |text: &str| text.to_ascii_lowercase();
        let mut found: Vec<Record> = (self.records.values())
            .filter(|record| record.tenant == query.tenant && record.key.kind == query.kind)
            .filter(|record| query.partition.is_none_or(|wanted| record.key.partition == wanted))
            .filter(|record| query.parent.is_none_or(|wanted| record.parent.is_some_and(|link| link.key == wanted)))
            .filter(|record| {
                query.client.is_none_or(|wanted| record.owner.as_ref().is_some_and(|it| it.client.key == wanted))
            })
            .filter(|record| {
                query.subject.is_none_or(|wanted| {
                    record.owner.as_ref().is_some_and(|it| it.subject.is_some_and(|link| link.key == wanted))
                })
            })
            .filter(|record| query.state.is_none_or(|wanted| record.state == wanted))
            .filter(|record| {
                let class = record.labels.as_ref().map(|labels| &labels.class);
                query.class.as_ref().is_none_or(|wanted| class == Some(wanted))
            })
            .filter(|record| {
                query.search.as_ref().is_none_or(|wanted| {
                    record.labels.as_ref().is_some_and(|labels| {
                        lower(&labels.name).contains(&lower(wanted))
                            || lower(&labels.public_id).starts_with(&lower(wanted))
                    })
                })
            })
            .filter(|record| query.order != Order::Name || record.labels.is_some())
            .cloned()
            .collect();
        // Sorted by key already, and the sorts are stable.
        match query.order {
            Order::NewestFirst => found.sort_by_key(|record| std::cmp::Reverse(record.created_at)),
            Order::OldestFirst => found.sort_by_key(|record| record.created_at),
            Order::Name => found.sort_by_key(name),
        }
        if let Some(after) = &page.after {
            found.retain(|record| {
                let tie = record.key > after.key;
                match query.order {
                    Order::NewestFirst => {
                        record.created_at < after.created_at || (record.created_at == after.created_at && tie)
                    }
                    Order::OldestFirst => {
                        record.created_at > after.created_at || (record.created_at == after.created_at && tie)
                    }
                    Order::Name => name(record) > after.name || (name(record) == after.name && tie),
                }
            });
        }
        let limit = page.limit.clamp(1, 1000) as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    fn due(&self, before: Timestamp) -> usize {
        self.records.values().filter(|record| record.purge_after < before).count()
    }
}

// Few of everything, so that names, times and heads of digests collide.

fn partition() -> impl Strategy<Value = Partition> {
    // 0 and 64 share a shard of the reference store, 1 does not.
    prop_oneof![Just(Partition(0)), Just(Partition(64)), Just(Partition(1))]
}

fn key_in(partition: Partition) -> impl Strategy<Value = Key> {
    (prop_oneof![Just(Kind::CLIENT), Just(Kind::GRANT), Just(Kind::ACCESS_TOKEN)], 0_u8..6).prop_map(
        move |(kind, number)| {
            let mut id = [0; 32];
            // Three names of one head, and three of others.
            id[if number < 3 { 31 } else { 0 }] = number;
            Key { partition, kind, id }
        },
    )
}

fn any_key() -> impl Strategy<Value = Key> {
    partition().prop_flat_map(key_in)
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![3 => Just(State::Live), 1 => Just(State::Inactive), 1 => Just(State::Revoked), 1 => Just(State::Deleted)]
}

fn tenant() -> impl Strategy<Value = Tenant> {
    prop_oneof![4 => Just(Tenant([1; 16])), 1 => Just(Tenant([2; 16]))]
}

/// Some in one bucket of the expiry queue of the reference store, some in others, some at the ends of time.
fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0_i64..8).prop_map(Timestamp::from_millis),
        4 => (0_i64..8).prop_map(|minutes| Timestamp::from_secs(minutes * 60)),
        1 => Just(Timestamp::from_millis(i64::MIN)),
        1 => Just(Timestamp::from_millis(i64::MAX - 1)),
        2 => Just(Timestamp::NEVER),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(""), Just("a"), Just("Ab"), Just("bA"), Just("é"), Just("É")].prop_map(str::to_owned)
}

fn record(key: Key) -> BoxedStrategy<Record> {
    let link = |key| (key, 0_u64..2).prop_map(|(key, epoch)| Link { key, epoch });
    let owner = (any_key(), proptest::option::of(key_in(key.partition))).prop_map(|(client, subject)| {
        Arc::new(Owner { client: Link { key: client, epoch: 0 }, subject: subject.map(|key| Link { key, epoch: 0 }) })
    });
    let labels =
        (text(), text(), text()).prop_map(|(name, public_id, class)| Box::new(Labels { name, public_id, class }));
    let used = (moment()).prop_map(|at| Box::new(Used { at, answer: Box::new([7]) }));
    (
        (tenant(), state(), 0_u64..2, 0_u64..4),
        proptest::option::of(link(key_in(key.partition))),
        proptest::option::of(owner),
        proptest::option::of(labels),
        (0_i64..4, moment()),
        proptest::option::weighted(0.2, used),
        any::<u8>(),
    )
        .prop_map(move |(columns, parent, owner, labels, (created, purge_after), used, payload)| {
            let (tenant, state, epoch, revision) = columns;
            Record {
                key,
                tenant,
                revision,
                state,
                epoch,
                parent,
                owner,
                labels,
                created_at: Timestamp::from_millis(created),
                expires_at: purge_after,
                purge_after,
                used,
                payload: Payload::new([payload]),
            }
        })
        .boxed()
}

fn condition(partition: Partition) -> impl Strategy<Value = Condition> {
    (key_in(partition), 0_u8..3, 0_u64..3).prop_map(|(key, which, number)| match which {
        0 => Condition::Unused(key),
        1 => Condition::Live { key, epoch: number },
        _ => Condition::Unchanged { key, revision: number },
    })
}

fn write(partition: Partition) -> BoxedStrategy<Write> {
    let key = || key_in(partition);
    prop_oneof![
        6 => key().prop_flat_map(record).prop_map(|record| Write::Insert(Arc::new(record))),
        3 => key().prop_flat_map(record).prop_map(|record| Write::Replace(Arc::new(record))),
        1 => (key(), moment(), moment()).prop_map(|(key, at, purge_after)| {
            Write::Use { key, at, answer: Box::new([9]), purge_after }
        }),
        1 => (key(), state()).prop_map(|(key, state)| Write::SetState { key, state }),
        1 => key().prop_map(Write::Delete),
    ]
    .boxed()
}

fn commit() -> BoxedStrategy<Commit> {
    partition()
        .prop_flat_map(|partition| {
            let conditions = proptest::collection::vec(condition(partition), 0..2);
            (conditions, proptest::collection::vec(write(partition), 0..4)).prop_map(move |(conditions, writes)| {
                Commit {
                    tenant: Tenant([1; 16]),
                    partition,
                    // Before every `purge_after`: what the store forgets on its own is another test's matter.
                    at: Timestamp::from_millis(i64::MIN),
                    conditions,
                    writes,
                    events: Vec::new(),
                }
            })
        })
        .boxed()
}

fn query() -> BoxedStrategy<Query> {
    let filters = (
        proptest::option::of(partition()),
        proptest::option::weighted(0.2, any_key()),
        proptest::option::weighted(0.3, any_key()),
        proptest::option::weighted(0.2, any_key()),
        proptest::option::weighted(0.2, state()),
        proptest::option::weighted(0.2, text()),
        proptest::option::weighted(0.3, text()),
    );
    let order = prop_oneof![Just(Order::NewestFirst), Just(Order::OldestFirst), Just(Order::Name)];
    (tenant(), any_key(), filters, order)
        .prop_map(|(tenant, key, filters, order)| {
            let (partition, parent, client, subject, state, class, search) = filters;
            Query { tenant, kind: key.kind, partition, parent, client, subject, state, class, search, order }
        })
        .boxed()
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Commit),
    Load(Vec<Key>),
    List(Query, u32),
    Purge(Timestamp, u32),
}

fn step() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => commit().prop_map(Step::Commit),
        2 => proptest::collection::vec(any_key(), 0..4).prop_map(Step::Load),
        4 => (query(), 0_u32..4).prop_map(|(query, limit)| Step::List(query, limit)),
        1 => (moment(), 0_u32..6).prop_map(|(before, limit)| Step::Purge(before, limit)),
    ]
    .boxed()
}

fn columns(loaded: &Loaded) -> [Option<Record>; 4] {
    let copy = |record: &Option<Arc<Record>>| record.as_deref().cloned();
    [Some(Record::clone(&loaded.record)), copy(&loaded.parent), copy(&loaded.client), copy(&loaded.subject)]
}

/// Every page of a list, from both, and each page the same.
fn compare_pages(model: &Model, store: &MemoryStore, query: &Query, limit: u32) -> Result<(), TestCaseError> {
    let mut page = Page { after: None, limit };
    loop {
        let Listing { records, next } = now(store.list(query, &page)).unwrap();
        let (expected, more) = model.list(query, &page);
        let records: Vec<Record> = records.iter().map(|record| Record::clone(record)).collect();
        prop_assert_eq!(&records, &expected);
        prop_assert_eq!(next.is_some(), more);
        let Some(next) = next else { return Ok(()) };
        prop_assert_eq!(Some(next.clone()), expected.last().map(Cursor::of));
        page.after = Some(next);
    }
}

fn purge(model: &mut Model, store: &MemoryStore, before: Timestamp, limit: u32) -> Result<(), TestCaseError> {
    let due = model.due(before);
    let Purged { removed, more } = now(store.purge(before, limit)).unwrap();
    prop_assert_eq!(removed as usize, due.min(limit as usize));
    prop_assert!(more || due <= limit as usize);
    // Which ones go first is the store's own affair.
    let left: Vec<Key> = store.snapshot().iter().map(|record| record.key).collect();
    model.records.retain(|key, record| left.contains(key) || record.purge_after >= before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_store_does_what_a_single_map_would(steps in proptest::collection::vec(step(), 1..40)) {
        let mut model = Model::default();
        let store = MemoryStore::new();
        for step in steps {
            match step {
                Step::Commit(commit) => {
                    let committed: Result<Committed, StoreError> = now(store.commit(&commit));
                    prop_assert_eq!(committed.unwrap(), model.commit(&commit));
                }
                Step::Load(keys) => {
                    let loaded = now(store.load(&keys)).unwrap();
                    let loaded: Vec<_> = loaded.iter().map(|it| it.as_ref().map(columns)).collect();
                    let expected: Vec<_> = keys.iter().map(|key| model.load(key)).collect();
                    prop_assert_eq!(loaded, expected);
                }
                Step::List(query, limit) => compare_pages(&model, &store, &query, limit)?,
                Step::Purge(before, limit) => purge(&mut model, &store, before, limit)?,
            }
            let held: Vec<Record> = store.snapshot().iter().map(|record| Record::clone(record)).collect();
            let expected: Vec<Record> = model.records.values().cloned().collect();
            prop_assert_eq!(held, expected);
            prop_assert_eq!(store.len(), model.records.len());
        }
    }
}
