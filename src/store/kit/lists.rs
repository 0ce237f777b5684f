//! Filters, orders, pages.

use std::collections::HashSet;
use std::sync::Arc;

use super::bed::{Bed, Verdict, ensure, writes};
use super::check::{Check, Rule};
use super::sample::{ELSEWHERE, HOME, NOW, OTHER_TENANT, TENANT, key, key_in, labels, link, owner, record};
use crate::clock::Timestamp;
use crate::store::{Cursor, Key, Kind, Order, Query, Record, State, Tenant, Write};

pub(super) fn checks() -> Vec<Check> {
    let check = |name, run| Check::new(name, Rule::Listed, run);
    vec![
        check("a-list-of-nothing-is-empty", empty),
        check("a-list-is-confined-to-its-kind", |bed| filtered(bed, |query| query.kind = Kind::CLIENT)),
        check("a-list-is-confined-to-its-tenant", |bed| filtered(bed, |query| query.tenant = OTHER_TENANT)),
        check("a-list-by-partition-holds-that-partition", |bed| filtered(bed, |it| it.partition = Some(ELSEWHERE))),
        check("a-list-by-parent-holds-what-hangs-on-it", |bed| {
            filtered(bed, |query| (query.partition, query.parent) = (Some(HOME), Some(parent())))
        }),
        check("a-list-by-client-holds-what-it-owns", |bed| filtered(bed, |query| query.client = Some(client(1)))),
        check("a-list-by-subject-holds-what-it-owns", |bed| {
            filtered(bed, |query| (query.partition, query.subject) = (Some(HOME), Some(subject())))
        }),
        check("a-list-by-state-holds-that-state", |bed| {
            [State::Live, State::Inactive, State::Revoked, State::Deleted]
                .into_iter()
                .try_for_each(|state| filtered(bed, |query| query.state = Some(state)))
        }),
        check("a-list-by-class-holds-exactly-that-class", |bed| {
            ["basic", "Basic", "bas", ""]
                .into_iter()
                .try_for_each(|class| filtered(bed, |query| query.class = Some(class.into())))
        }),
        check("a-search-finds-names-that-contain-and-identifiers-that-start", searched),
        check("a-search-takes-wildcards-for-what-they-are", wildcards),
        check("filters-narrow-each-other", together),
        check("the-newest-come-first-and-equals-by-key", |bed| ordered(bed, Order::NewestFirst)),
        check("the-oldest-come-first-and-equals-by-key", |bed| ordered(bed, Order::OldestFirst)),
        check("names-come-byte-by-byte-and-equals-by-key", |bed| ordered(bed, Order::Name)),
        check("a-list-by-name-leaves-out-what-has-none", |bed| filtered(bed, |query| query.order = Order::Name)),
        check("pages-join-to-the-whole-list", paged),
        check("a-last-page-that-is-full-is-the-last", full_last),
        check("a-cursor-outlives-its-record", deleted_cursor),
        check("pages-miss-and-repeat-nothing-while-others-write", while_written),
        check("a-list-shows-the-latest-version", latest),
    ]
}

const KIND: Kind = Kind::GRANT;

fn client(number: u64) -> Key {
    key_in(ELSEWHERE, Kind::CLIENT, number)
}

fn subject() -> Key {
    key(Kind::SUBJECT, 1)
}

fn parent() -> Key {
    key(Kind::AUTHORIZATION, 1)
}

/// Records that differ in everything that a list may ask for, and many that agree in each.
fn shelf() -> Vec<Record> {
    let names = ["alpha", "Alpha", "beta", "Zeta", "éclair", "", "al", "100%", "under_score", "alpha"];
    let states = [State::Live, State::Live, State::Inactive, State::Revoked, State::Deleted];
    let classes = ["basic", "Basic", "none", ""];
    let numbered = (0_usize..).zip(names.iter().cycle().zip(states.iter().cycle()).zip(classes.iter().cycle()));
    numbered
        .take(90)
        .map(|(number, ((name, state), class))| {
            let home = number % 3 != 0;
            let id = u64::try_from(number).unwrap_or_default();
            let kind = if number % 10 == 9 { Kind::CLIENT } else { KIND };
            let key = key_in(if home { HOME } else { ELSEWHERE }, kind, id);
            let owned = number % 4 != 1;
            let for_subject = (home && number % 8 < 5).then(subject);
            Record {
                tenant: if number % 7 == 6 { OTHER_TENANT } else { TENANT },
                state: *state,
                parent: (home && number % 5 < 3).then(|| link(parent(), 0)),
                owner: if owned { owner(client(id % 2), for_subject) } else { None },
                labels: if number % 6 == 5 { None } else { labels(name, &format!("id_{number}"), class) },
                // Negative moments sort before the others, and many are equal.
                created_at: Timestamp::from_secs(i64::try_from(number % 11).unwrap_or_default().saturating_sub(3)),
                ..record(key)
            }
        })
        .collect()
}

/// What a query means, in the plainest words.
fn expected(records: &[Record], query: &Query) -> Vec<Key> {
    let lower = |text: &str| text.to_ascii_lowercase();
    let found = |record: &&Record| {
        let owner = record.owner.as_deref();
        let labels = record.labels.as_deref();
        let contains = |wanted: &String| {
            labels.is_some_and(|it| {
                lower(&it.name).contains(&lower(wanted)) || lower(&it.public_id).starts_with(&lower(wanted))
            })
        };
        record.tenant == query.tenant
            && record.key.kind == query.kind
            && query.partition.is_none_or(|partition| record.key.partition == partition)
            && query.parent.is_none_or(|parent| record.parent.is_some_and(|it| it.key == parent))
            && query.client.is_none_or(|client| owner.is_some_and(|it| it.client.key == client))
            && query.subject.is_none_or(|key| owner.and_then(|it| it.subject).is_some_and(|it| it.key == key))
            && query.state.is_none_or(|state| record.state == state)
            && query.class.as_ref().is_none_or(|class| labels.is_some_and(|it| it.class == *class))
            && query.search.as_ref().is_none_or(contains)
            && (query.order != Order::Name || labels.is_some())
    };
    let mut found: Vec<&Record> = records.iter().filter(found).collect();
    found.sort_by_key(|record| record.key);
    match query.order {
        Order::NewestFirst => found.sort_by_key(|record| std::cmp::Reverse(record.created_at)),
        Order::OldestFirst => found.sort_by_key(|record| record.created_at),
        Order::Name => found.sort_by_key(|record| record.labels.as_ref().map(|labels| labels.name.clone())),
    }
    found.iter().map(|record| record.key).collect()
}

/// Every page of a list, joined.
fn whole(bed: &Bed<'_>, query: &Query, limit: u32) -> Result<Vec<Arc<Record>>, String> {
    let mut all: Vec<Arc<Record>> = Vec::new();
    let mut after = None;
    for _ in 0..10_000 {
        let listing = bed.page(query, after, limit)?;
        let last = listing.records.last().map(|record| Cursor::of(record));
        all.extend(listing.records);
        match listing.next {
            None => return Ok(all),
            Some(next) => {
                ensure!(
                    last.as_ref() == Some(&next),
                    "the next page begins at {next:?}, and this one ended at {last:?}"
                );
                after = Some(next);
            }
        }
    }
    Err("a list has no end".into())
}

fn compare(bed: &Bed<'_>, records: &[Record], query: &Query, limit: u32) -> Verdict {
    let found: Vec<Key> = whole(bed, query, limit)?.iter().map(|record| record.key).collect();
    let expected = expected(records, query);
    let number = |key: &Key| records.iter().position(|record| record.key == *key);
    ensure!(
        found == expected,
        "a list in pages of {limit} holds the records of these numbers: {:?}; they should be {:?}; {query:?}",
        found.iter().map(number).collect::<Vec<_>>(),
        expected.iter().map(number).collect::<Vec<_>>()
    );
    Ok(())
}

/// Puts the records on the shelf, unless an earlier part of the same check did.
fn stocked(bed: &Bed<'_>) -> Result<Vec<Record>, String> {
    let records = shelf();
    if let Some(first) = records.first()
        && bed.find(first.key)?.is_none()
    {
        bed.given(&records)?;
        bed.fixture.settle();
    }
    Ok(records)
}

fn filtered(bed: &Bed<'_>, narrow: impl Fn(&mut Query)) -> Verdict {
    let records = stocked(bed)?;
    let mut query = Query::new(TENANT, KIND);
    narrow(&mut query);
    compare(bed, &records, &query, 1_000)?;
    compare(bed, &records, &query, 5)
}

fn empty(bed: &Bed<'_>) -> Verdict {
    let listing = bed.page(&Query::new(TENANT, KIND), None, 10)?;
    ensure!(listing.records.is_empty() && listing.next.is_none(), "a list of an empty store holds something");
    stocked(bed)?;
    let listing = bed.page(&Query::new(Tenant([9; 16]), KIND), None, 10)?;
    ensure!(listing.records.is_empty() && listing.next.is_none(), "a list of an unknown tenant holds something");
    Ok(())
}

fn searched(bed: &Bed<'_>) -> Verdict {
    for text in ["alpha", "ALPHA", "lph", "id_4", "ID_", "d_4", "éC", "É", "zeta", "nothing", ""] {
        for order in [Order::NewestFirst, Order::Name] {
            filtered(bed, |query| (query.search, query.order) = (Some(text.into()), order))?;
        }
    }
    Ok(())
}

fn wildcards(bed: &Bed<'_>) -> Verdict {
    ["%", "_", "100%", "under_", "a%a", "al_ha", "*", ".*", "?", "\\", "'", "[a]", "id%"]
        .into_iter()
        .try_for_each(|text| filtered(bed, |query| query.search = Some(text.into())))
}

fn together(bed: &Bed<'_>) -> Verdict {
    for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
        filtered(bed, |query| {
            (query.order, query.client, query.state) = (order, Some(client(0)), Some(State::Live));
        })?;
        filtered(bed, |query| {
            (query.order, query.partition, query.subject) = (order, Some(HOME), Some(subject()));
            (query.client, query.parent) = (Some(client(1)), Some(parent()));
        })?;
        filtered(bed, |query| {
            (query.order, query.state, query.search) = (order, Some(State::Live), Some("a".into()));
            query.class = Some("basic".into());
        })?;
        // The subject lives at home: nobody hangs on it elsewhere.
        filtered(bed, |query| {
            (query.order, query.partition, query.subject) = (order, Some(ELSEWHERE), Some(subject()));
        })?;
    }
    Ok(())
}

fn ordered(bed: &Bed<'_>, order: Order) -> Verdict {
    filtered(bed, |query| query.order = order)
}

fn paged(bed: &Bed<'_>) -> Verdict {
    let records = stocked(bed)?;
    for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
        for limit in [1, 2, 7, 64, 1_000] {
            let query = Query { order, ..Query::new(TENANT, KIND) };
            compare(bed, &records, &query, limit)?;
            compare(bed, &records, &Query { client: Some(client(1)), ..query.clone() }, limit)?;
            compare(bed, &records, &Query { partition: Some(HOME), ..query }, limit)?;
        }
    }
    Ok(())
}

/// Records of one moment each, with names, numbered.
fn row(numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
    let numbered = |number: u64| Record {
        created_at: Timestamp::from_secs(NOW.as_secs().saturating_add(i64::try_from(number).unwrap_or_default())),
        labels: labels(&format!("{number:04}"), "", ""),
        owner: owner(client(1), None),
        ..record(key(KIND, number))
    };
    numbers.into_iter().map(numbered).collect()
}

fn full_last(bed: &Bed<'_>) -> Verdict {
    bed.given(&row(1..=6))?;
    bed.fixture.settle();
    for (limit, pages) in [(6, 1), (3, 2), (2, 3), (1, 6)] {
        let (mut after, mut count) = (None, 0_u32);
        loop {
            let listing = bed.page(&Query::new(TENANT, KIND), after, limit)?;
            count = count.saturating_add(1);
            if listing.next.is_none() {
                break;
            }
            ensure!(count < pages, "six records in pages of {limit} have more than {pages} pages");
            after = listing.next;
        }
        ensure!(count == pages, "six records in pages of {limit} have {count} pages instead of {pages}");
    }
    Ok(())
}

fn deleted_cursor(bed: &Bed<'_>) -> Verdict {
    let records = row(1..=9);
    bed.given(&records)?;
    bed.fixture.settle();
    for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
        let query = Query { order, ..Query::new(TENANT, KIND) };
        let first = bed.page(&query, None, 4)?;
        let last = first.records.last().ok_or("a page of four is empty")?;
        bed.applied(&writes([Write::Delete(last.key)]))?;
        bed.fixture.settle();
        let rest = bed.page(&query, first.next.clone(), 1_000)?;
        let seen: Vec<Key> = first.records.iter().chain(&rest.records).map(|record| record.key).collect();
        ensure!(
            seen == expected(&records, &query),
            "a page after a record that was deleted does not go on where it was"
        );
        bed.given([&**last])?;
        bed.fixture.settle();
    }
    Ok(())
}

/// Between any two pages some records go and others come, before the cursor and after it.
fn while_written(bed: &Bed<'_>) -> Verdict {
    for (turn, order) in (0_u64..).zip([Order::NewestFirst, Order::OldestFirst, Order::Name]) {
        let base = turn.saturating_mul(1_000);
        let mut query = Query { order, ..Query::new(TENANT, KIND) };
        if turn == 1 {
            query.client = Some(client(1));
        }
        // Numbers divisible by four stay; the odd ones come and go.
        let staying: Vec<Record> = row((base..).step_by(4).take(40));
        let coming: Vec<Record> = row((base..).skip(1).step_by(2).take(80));
        bed.given(&staying)?;
        bed.given(coming.chunks(2).step_by(2).flatten())?;
        bed.fixture.settle();
        let (mut seen, mut after) = (Vec::new(), None);
        // From both ends, two at a time: what comes or goes before the cursor shifts what lies behind it.
        let pairs = coming.chunks(2).zip(coming.rchunks(2)).cycle();
        for (front, back) in pairs.take(200) {
            let listing = bed.page(&query, after, 7)?;
            seen.extend(listing.records.iter().map(|record| record.key));
            after = listing.next;
            if after.is_none() {
                break;
            }
            for record in front.iter().chain(back) {
                match bed.find(record.key)? {
                    Some(_) => bed.applied(&writes([Write::Delete(record.key)]))?,
                    None => bed.given([record])?,
                }
            }
            bed.fixture.settle();
        }
        ensure!(after.is_none(), "a list that is written to meanwhile has no end");
        let distinct: HashSet<Key> = seen.iter().copied().collect();
        ensure!(distinct.len() == seen.len(), "a record was listed on two pages");
        let missed = staying.iter().filter(|record| !distinct.contains(&record.key)).count();
        ensure!(missed == 0, "{missed} records that were there all the time were not listed");
        let wanted = expected(&staying, &query);
        let order_seen: Vec<Key> = seen.into_iter().filter(|key| wanted.contains(key)).collect();
        ensure!(order_seen == wanted, "pages came out of order");
        for record in staying.iter().chain(&coming) {
            if bed.find(record.key)?.is_some() {
                bed.applied(&writes([Write::Delete(record.key)]))?;
            }
        }
        bed.fixture.settle();
    }
    Ok(())
}

fn latest(bed: &Bed<'_>) -> Verdict {
    let records = row(1..=3);
    bed.given(&records)?;
    let [first, second, third] = records.as_slice() else { return Err("three records were made".into()) };
    let moved = Record {
        created_at: Timestamp::from_secs(0),
        labels: labels("renamed", "", "new"),
        owner: owner(client(2), None),
        revision: 2,
        ..first.clone()
    };
    let revoked = Record { state: State::Revoked, revision: 2, ..second.clone() };
    let bare = Record { labels: None, owner: None, revision: 2, ..third.clone() };
    bed.applied(&writes([
        Write::Replace(moved.clone().into()),
        Write::SetState { key: second.key, state: State::Revoked },
        Write::Replace(bare.clone().into()),
    ]))?;
    bed.fixture.settle();
    let records = [moved, revoked, bare];
    for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
        let query = Query { order, ..Query::new(TENANT, KIND) };
        for record in whole(bed, &query, 2)? {
            let current = records.iter().find(|it| it.key == record.key);
            ensure!(current == Some(&*record), "a list shows {record:?}, which is not what is there");
        }
        compare(bed, &records, &query, 2)?;
        for number in [1, 2] {
            compare(bed, &records, &Query { client: Some(client(number)), ..query.clone() }, 2)?;
        }
        compare(bed, &records, &Query { state: Some(State::Revoked), ..query.clone() }, 2)?;
        compare(bed, &records, &Query { search: Some("000".into()), ..query }, 2)?;
    }
    Ok(())
}
