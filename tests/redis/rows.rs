//! What is in Redis: rows that are no rows, scripts that find them before they write, keys that go, and lists that
//! trail.

use std::sync::Arc;
use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Kind, Order, Page, Query, Record, RedisStore, State, Store, StoreError, Write,
};

use super::sample::*;
use super::server::{NO_FILE, Server, open, options, wait};

/// The keys in Redis whose name has this after the tag.
fn keys(server: &Server, what: &str) -> Vec<String> {
    let keys = server.said(&["KEYS", &format!("grantor{{*}}{what}*")]);
    keys.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn count(server: &Server, what: &str) -> usize {
    keys(server, what).len()
}

/// Runs a script with the only key of this sort as its key.
fn edit(server: &Server, what: &str, script: &str) {
    let find = format!(
        "local keys = redis.call('KEYS', 'grantor{{*}}{what}*'); assert(#keys == 1, #keys); local key = keys[1]; {script}"
    );
    let said = server.said(&["EVAL", &find, "0"]);
    assert!(!said.contains("ERR"), "{said}");
}

fn list(store: &RedisStore, query: &Query) -> Result<Vec<Arc<Record>>, StoreError> {
    Ok(wait(store.list(query, &Page { after: None, limit: 100 }))?.records)
}

fn clients() -> Query {
    Query::new(TENANT, Kind::CLIENT)
}

#[test]
fn a_row_that_was_tampered_with_is_corrupt_and_nobody_writes_over_it() {
    let tampering = [
        "redis.call('SET', key, '')",
        "redis.call('SET', key, 'something else')",
        "redis.call('SET', key, string.rep('x', 200))",
        "redis.call('SETRANGE', key, 0, '\\2')",
        "redis.call('SETRANGE', key, 1, '\\9')",
        "redis.call('APPEND', key, 'x')",
        "redis.call('SET', key, string.sub(redis.call('GET', key), 1, -2))",
        "redis.call('DEL', key); redis.call('LPUSH', key, 'x')",
    ];
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for script in tampering {
        server.said(&["FLUSHALL"]);
        put(&store, &insert(&client(1, 1)));
        edit(&server, "r", script);
        assert_fails!(find(&store, client(1, 1).key), Corrupt);
        assert_fails!(list(&store, &clients()), Corrupt);
        assert_fails!(list(&store, &Query { order: Order::Name, ..clients() }), Corrupt);
    }
    // What a commit needs of a row it looks at before it writes.
    for script in [tampering[0], tampering[1], tampering[2], tampering[3], tampering[7]] {
        server.said(&["FLUSHALL"]);
        put(&store, &insert(&token(1, 1)));
        edit(&server, "r", script);
        let before = server.said(&["DEBUG", "DIGEST"]);
        let key = token(1, 1).key;
        let other = Write::Insert(Arc::new(token(1, 2)));
        for last in
            [Write::SetState { key, state: State::Revoked }, Write::Delete(key), Write::Replace(token(1, 1).into())]
        {
            assert_fails!(wait(store.commit(&commit(1, Vec::new(), vec![other.clone(), last]))), Corrupt);
        }
        assert_fails!(wait(store.commit(&commit(1, vec![Condition::Unused(key)], vec![other]))), Corrupt);
        assert_eq!(server.said(&["DEBUG", "DIGEST"]), before, "{script}");
    }
}

#[test]
fn a_related_row_that_was_tampered_with_is_corrupt() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let grant = grant(1, 1, client(2, 1).key);
    put(&store, &insert(&grant));
    edit(&server, "r", "redis.call('SET', key, 'x')");
    let link = grantor::store::Link { key: grant.key, epoch: 0 };
    put(&store, &insert(&Record { parent: Some(link), ..token(1, 1) }));
    assert_fails!(find(&store, token(1, 1).key), Corrupt);
}

#[test]
fn an_index_of_another_type_is_corrupt_and_the_commit_does_nothing() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for (what, wrong) in [("d", "SET"), ("l", "SET"), ("n", "SET"), ("o", "SET"), ("s", "SET")] {
        server.said(&["FLUSHALL"]);
        let both = Record { labels: client(1, 1).labels, ..grant(1, 1, client(2, 1).key) };
        put(&store, &insert(&both));
        edit(&server, what, &format!("redis.call('DEL', key); redis.call('{wrong}', key, 'x')"));
        let before = server.said(&["DEBUG", "DIGEST"]);
        let second = Record { key: key(Kind::GRANT, 1, 2), ..both.clone() };
        assert_fails!(wait(store.commit(&insert(&second))), Corrupt);
        if what != "d" {
            assert_fails!(wait(store.commit(&commit(1, Vec::new(), vec![Write::Delete(both.key)]))), Corrupt);
        }
        assert_eq!(server.said(&["DEBUG", "DIGEST"]), before, "{what}");
    }
}

#[test]
fn nothing_is_left_of_what_was_deleted_or_purged() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let all: Vec<Record> = (1..=40_u16)
        .flat_map(|number| {
            let id = u64::from(number);
            [client(number, id), grant(number, id, client(7, 1).key), token(number, id)]
        })
        .map(|record| Record { purge_after: NOW, ..record })
        .collect();
    for record in &all {
        put(&store, &insert(record));
    }
    for record in all.iter().filter(|record| record.key.partition.0 % 2 == 0) {
        put(&store, &commit(record.key.partition.0, Vec::new(), vec![Write::Delete(record.key)]));
    }
    let purged = wait(store.purge(NOW.after(Duration::from_secs(1)), 1_000)).unwrap();
    assert_eq!((purged.removed, purged.more), (60, false));
    for what in ["r", "d", "o", "s", "l", "n"] {
        assert_eq!(count(&server, what), 0, "{what}");
    }
}

#[test]
fn a_store_in_use_forgets_what_is_due_without_being_asked() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for number in 0..20_000_u64 {
        if number % 20 > 0 && number > 400 {
            continue;
        }
        let at = NOW.after(Duration::from_secs(number));
        let token = Record { purge_after: at.after(Duration::from_secs(600)), ..token(1, number) };
        put(&store, &Commit { at, ..insert(&token) });
    }
    // Ten minutes' worth, and the minute that is waited on top.
    assert!(count(&server, "r") <= 34, "{}", count(&server, "r"));
    assert_eq!(server.said(&["ZCARD", &keys(&server, "d")[0]]), count(&server, "r").to_string());
}

#[test]
fn a_refused_commit_forgets_nothing() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    put(&store, &insert(&Record { purge_after: NOW, ..token(1, 1) }));
    let late = NOW.after(Duration::from_secs(3_600));
    let refused = Commit { at: late, ..commit(1, Vec::new(), vec![Write::Delete(token(1, 2).key)]) };
    assert!(matches!(wait(store.commit(&refused)).unwrap(), Committed::Refused(_)));
    assert!(find(&store, token(1, 1).key).unwrap().is_some());
}

#[test]
fn no_key_expires_unless_that_was_asked_for() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    let soon = Timestamp::from_secs(4_000_000_000);
    for number in 1..=3 {
        put(&store, &insert(&Record { purge_after: soon, ..token(1, number) }));
    }
    assert!(server.said(&["INFO", "keyspace"]).contains("expires=0"));
}

#[test]
fn keys_that_expire_do_so_after_the_margin_and_never_at_once() {
    let server = Server::start(NO_FILE);
    let hour = Duration::from_secs(3_600);
    // Less than an hour is taken for an hour.
    let store = wait(options().expire_after(Duration::ZERO).open(server.url())).unwrap();
    let at = Timestamp::from_secs(4_000_000_000);
    let life = |record: &Record| server.said(&["PEXPIRETIME", &record_key(&server, record)]);
    let margined = |moment: Timestamp| moment.after(hour).as_millis().to_string();
    let one = Record { purge_after: at, ..token(1, 1) };
    put(&store, &insert(&one));
    assert_eq!(life(&one), margined(at));
    // Every write sets it again.
    put(&store, &revoke(one.key));
    assert_eq!(life(&one), margined(at));
    let later = at.after(hour);
    let used = Write::Use { key: one.key, at: NOW, answer: Box::default(), purge_after: later };
    put(&store, &commit(1, Vec::new(), vec![used]));
    assert_eq!(life(&one), margined(later));
    put(
        &store,
        &commit(1, Vec::new(), vec![Write::Replace(Arc::new(Record { purge_after: Timestamp::NEVER, ..one.clone() }))]),
    );
    assert_eq!(life(&one), "-1");
    // By the clock of Redis these are due long since, and by that alone nothing goes; nor does what stands in a list.
    let past = Record { purge_after: Timestamp::from_secs(5), ..token(1, 2) };
    let beginning = Record { purge_after: Timestamp::from_millis(i64::MIN), ..token(1, 3) };
    let listed =
        [Record { purge_after: at, ..client(1, 4) }, Record { purge_after: at, ..grant(1, 5, client(2, 1).key) }];
    for record in [&past, &beginning, &listed[0], &listed[1]] {
        put(&store, &Commit { at: Timestamp::from_millis(i64::MIN), ..insert(record) });
        assert_eq!(life(record), "-1", "{record:?}");
    }
    // What Redis expired is no obstacle to anyone.
    with_key(&server, &past, "redis.call('PEXPIREAT', key, 1)");
    assert_eq!(find(&store, past.key).unwrap(), None);
    let purged = wait(store.purge(NOW, 10)).unwrap();
    assert_eq!((purged.removed, purged.more), (1, false));
    assert_eq!(find(&store, beginning.key).unwrap(), None);
    put(&store, &insert(&past));
}

/// Runs a script with the key of a record, whose id ends with its number.
fn with_key(server: &Server, record: &Record, script: &str) {
    let number = record.key.id[31];
    let all = "for _, key in ipairs(redis.call('KEYS', 'grantor{*}r*')) do";
    let script = format!("{all} if string.byte(key, -1) == {number} then {script} return 1 end end");
    assert_eq!(server.said(&["EVAL", &script, "0"]), "1");
}

/// A copy of the record under a name that can be printed; it expires when the record does.
fn record_key(server: &Server, record: &Record) -> String {
    with_key(server, record, "redis.call('COPY', key, 'copy', 'REPLACE')");
    "copy".into()
}

#[test]
fn a_record_that_went_is_not_listed() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    for number in 1..=5 {
        put(&store, &insert(&client(1, number)));
        put(&store, &insert(&grant(1, number, client(2, 1).key)));
    }
    let script = "for _, key in ipairs(redis.call('KEYS', 'grantor{*}r*')) do if string.byte(key, -1) % 2 == 1 then redis.call('DEL', key) end end";
    server.said(&["EVAL", script, "0"]);
    let owned = Query { client: Some(client(2, 1).key), ..Query::new(TENANT, Kind::GRANT) };
    for query in [clients(), Query { order: Order::Name, ..clients() }, owned] {
        assert_eq!(list(&store, &query).unwrap().len(), 2, "{query:?}");
    }
}

#[test]
fn numbers_of_lua_round_nothing() {
    let server = Server::start(NO_FILE);
    let store = open(&server.url());
    put(&store, &insert(&token(1, 1)));
    // Where a double would stand still, and where 32 bits overflow.
    for (before, after) in [
        ("\\0\\32\\0\\0\\0\\0\\0\\0", (1_u64 << 53) + 1),
        ("\\0\\0\\0\\0\\255\\255\\255\\255", 1 << 32),
        ("\\255\\255\\255\\255\\255\\255\\255\\254", u64::MAX),
    ] {
        edit(&server, "r", &format!("redis.call('SETRANGE', key, 3, '{before}')"));
        put(&store, &revoke(token(1, 1).key));
        assert_eq!(find(&store, token(1, 1).key).unwrap().unwrap().revision, after);
    }
    // There is none after the last.
    assert_fails!(wait(store.commit(&revoke(token(1, 1).key))), Corrupt);
}
