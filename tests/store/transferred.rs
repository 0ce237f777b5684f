//! What goes out of one store comes into another as it was, or somebody is told.

use std::io::{BufReader, Write as _};
use std::sync::Arc;

use grantor::clock::Timestamp;
use grantor::secret::SecretBytes;
use grantor::store::{
    DumpReader, EncryptingStore, Export, Import, Imported, KeyRing, Kind, Labels, Link, MemoryStore, Owner, Partition,
    Payload, Record, State, Store, Tenant, TransferError, Used, Write, export_to, import_from,
};

use super::memory::now;
use super::sample::{applied, family, key, record};

/// Records that use every column, and its ends.
fn all_sorts() -> Vec<Record> {
    let states = [State::Live, State::Inactive, State::Revoked, State::Deleted];
    let moments = [Timestamp::from_millis(i64::MIN), Timestamp::from_millis(-1), Timestamp::NEVER];
    let odd = ["", "\"\\\n\r\u{0}\u{2028}é🦀", "plain"];
    (0..120_u8)
        .zip(states.iter().cycle().zip(moments.iter().cycle()))
        .map(|(number, (state, moment))| {
            let place = usize::from(number);
            let name = key(Partition(u16::from(number % 30) * 2_184), Kind(number), number);
            let link = Link { key: Key255::of(number), epoch: u64::MAX - u64::from(number) };
            let subject = (number % 3 == 0).then_some(link);
            let text = || odd[place % 3].to_owned();
            let answer: Box<[u8]> = (0..number).collect();
            Record {
                tenant: Tenant([number % 3; 16]),
                state: *state,
                epoch: u64::MAX - u64::from(number),
                parent: (number % 4 == 1).then_some(link),
                owner: (number % 4 == 2).then(|| Arc::new(Owner { client: link, subject })),
                labels: (number % 4 == 3).then(|| Box::new(Labels { name: text(), public_id: text(), class: text() })),
                created_at: *moment,
                expires_at: *moment,
                purge_after: if number % 2 == 0 { Timestamp::NEVER } else { *moment },
                used: (number % 5 == 4).then(|| Box::new(Used { at: *moment, answer })),
                payload: Payload::new((0..=u8::MAX).cycle().take(place * 37).collect::<Vec<u8>>()),
                ..record(name, "")
            }
        })
        .collect()
}

struct Key255;

impl Key255 {
    fn of(number: u8) -> grantor::store::Key {
        key(Partition(u16::MAX), Kind(255), 255 - number)
    }
}

fn stocked() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    for record in all_sorts() {
        // At the beginning of time, so that nothing is forgotten on the way.
        let insert = grantor::store::Commit {
            at: Timestamp::from_millis(i64::MIN),
            ..super::sample::commit(Vec::new(), vec![Write::Insert(Arc::new(record))])
        };
        let _ = now(store.commit(&insert)).unwrap();
    }
    store
}

fn exported(store: &Arc<MemoryStore>) -> Vec<u8> {
    let mut file = Vec::new();
    now(export_to(Arc::clone(store) as _, &mut file, |_| {})).unwrap();
    file
}

fn imported(store: &Arc<MemoryStore>, file: &[u8]) -> Result<Imported, TransferError> {
    // A buffer that is smaller than a line, and of no round size.
    now(import_from(Arc::clone(store) as _, &mut BufReader::with_capacity(101, file), |_| {}))
}

fn checked(file: &[u8]) -> Result<u64, TransferError> {
    let mut reader = DumpReader::new();
    for piece in file.chunks(77) {
        reader.push(piece)?;
    }
    reader.finish()
}

#[test]
fn every_record_comes_over_as_it_was() {
    let old = stocked();
    assert_eq!(old.len(), 120);
    let file = exported(&old);
    assert_eq!(checked(&file).unwrap(), 120);
    let new = Arc::new(MemoryStore::new());
    assert_eq!(imported(&new, &file).unwrap(), Imported { written: 120, skipped: 0 });
    assert_eq!(new.snapshot(), old.snapshot());
    assert_eq!(exported(&new), file, "the same records make the same dump, byte for byte");
}

#[test]
fn revisions_begin_again_and_nothing_else_does() {
    let old = Arc::new(MemoryStore::new());
    let family = family();
    family.settle_in(&*old);
    applied(&*old, super::sample::set(family.grant.key, State::Revoked));
    let new = Arc::new(MemoryStore::new());
    imported(&new, &exported(&old)).unwrap();
    let expected: Vec<Record> = old.snapshot().iter().map(|it| Record { revision: 1, ..Record::clone(it) }).collect();
    let found: Vec<Record> = new.snapshot().iter().map(|it| Record::clone(it)).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_empty_store_makes_a_dump_too() {
    let file = exported(&Arc::default());
    assert_eq!(String::from_utf8(file.clone()).unwrap().lines().count(), 2);
    let new = Arc::new(MemoryStore::new());
    assert_eq!(imported(&new, &file).unwrap(), Imported::default());
}

#[test]
fn an_import_that_was_cut_off_anywhere_is_told_so_and_can_be_run_again() {
    let old = stocked();
    let file = exported(&old);
    let new = Arc::new(MemoryStore::new());
    let mut before = 0;
    for cut in (0..file.len()).step_by(4_001).chain([file.len() - 1]) {
        let failed = imported(&new, &file[..cut]);
        assert!(matches!(failed, Err(TransferError::CutOff { .. })), "{cut}: {failed:?}");
        assert!(new.len() >= before, "what was written stays");
        before = new.len();
    }
    let Imported { written, skipped } = imported(&new, &file).unwrap();
    assert_eq!((usize::try_from(skipped).unwrap(), written + skipped), (before, 120));
    assert_eq!(new.snapshot(), old.snapshot());
    assert_eq!(imported(&new, &file).unwrap(), Imported { written: 0, skipped: 120 });
}

#[test]
fn a_dump_that_was_altered_is_told() {
    let file = String::from_utf8(exported(&stocked())).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let join = |lines: &[&str]| lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
    let without: Vec<&str> = [&lines[..7], &lines[8..]].concat();
    let mut exchanged = lines.clone();
    exchanged.swap(7, 8);
    let twice: Vec<&str> = [&lines[..8], &lines[7..]].concat();
    let changed = file.replacen("\"state\":3", "\"state\":1", 1);
    for altered in [join(&without), join(&exchanged), join(&twice), changed] {
        assert_ne!(altered, file);
        assert!(matches!(checked(altered.as_bytes()), Err(TransferError::Altered)));
        assert!(matches!(imported(&Arc::default(), altered.as_bytes()), Err(TransferError::Altered)));
    }
    let end = lines.last().unwrap();
    for wrong in [end.replace("120", "121"), end.replace("\"sha256\":\"", "\"sha256\":\"0")] {
        let altered = file.replace(end, &wrong);
        assert!(matches!(checked(altered.as_bytes()), Err(TransferError::Altered)), "{wrong}");
    }
}

#[test]
fn what_is_no_dump_is_refused_with_the_line_that_is_wrong() {
    let file = String::from_utf8(exported(&stocked())).unwrap();
    let second = file.lines().nth(1).unwrap();
    let cases = [
        ("{}\n".to_owned(), 1),
        (file.replacen("grantor", "other", 1), 1),
        (file.replacen("\"version\":1", "\"version\":2", 1), 1),
        (file.replacen(second, "", 1), 2),
        (file.replacen(second, "nonsense", 1), 2),
        // A column that this reader does not know might be one that protects.
        (file.replacen("\"revision\":", "\"bound_to\":1,\"revision\":", 1), 2),
        (file.replacen("\"state\":1", "\"state\":9", 1), 2),
        (file.replacen("\"tenant\":\"", "\"tenant\":\"AAAA", 1), 2),
        (file.replacen("\"payload\":\"", "\"payload\":\"!", 1), 2),
        (file.replacen("\"key\":\"", "\"key\":\"A", 1), 2),
        (format!("{file}{second}\n"), 123),
    ];
    for (case, line) in cases {
        assert_ne!(case, file);
        match checked(case.as_bytes()) {
            Err(TransferError::Line { line: found, .. }) => assert_eq!(found, line, "{}", &case[..60]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn another_record_of_the_same_name_is_not_overwritten() {
    let old = stocked();
    let file = exported(&old);
    let new = Arc::new(MemoryStore::new());
    let there = Record { payload: Payload::new(*b"another"), ..all_sorts().remove(60) };
    applied(&*new, Write::Insert(Arc::new(there.clone())));
    assert!(matches!(imported(&new, &file), Err(TransferError::Conflict { .. })));
    assert_eq!(super::sample::load(&*new, there.key).unwrap().record.payload, there.payload);
}

#[test]
fn progress_is_told_and_never_more_than_a_piece_is_held() {
    let old = Arc::new(MemoryStore::new());
    for number in 0..5_000_u32 {
        let mut name = key(Partition(u16::try_from(number % 97).unwrap()), Kind::MARKER, 0);
        name.id[..4].copy_from_slice(&number.to_be_bytes());
        applied(&*old, Write::Insert(Arc::new(record(name, "x"))));
    }
    let (mut export, mut import) = (Export::of(Arc::clone(&old) as _), Import::into(Arc::<MemoryStore>::default()));
    let mut seen = Vec::new();
    while let Some(lines) = now(export.next()).unwrap() {
        assert!(lines.lines().count() <= 500);
        now(import.push(lines.as_bytes())).unwrap();
        seen.push((export.records(), import.done().written));
    }
    assert!(now(export.next()).unwrap().is_none());
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(seen.iter().all(|(read, written)| read - written <= 2_500), "{seen:?}");
    assert_eq!(now(import.finish()).unwrap(), Imported { written: 5_000, skipped: 0 });
    let mut told = Vec::new();
    now(export_to(old, &mut std::io::sink(), |records| told.push(records))).unwrap();
    assert!(told.len() > 10 && told.last() == Some(&5_000));
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(Full.flush().is_ok());
    assert!(matches!(now(export_to(stocked(), &mut Full, |_| {})), Err(TransferError::Io(_))));
}

#[test]
fn a_store_goes_behind_encryption_and_out_again() {
    let plain = stocked();
    let below = Arc::new(MemoryStore::new());
    let sealed = || -> Arc<dyn Store> {
        Arc::new(EncryptingStore::new(Arc::clone(&below) as _, KeyRing::new(1, SecretBytes::new([7; 32]))))
    };
    now(import_from(sealed(), &mut &exported(&plain)[..], |_| {})).unwrap();
    assert!(below.snapshot().iter().all(|record| record.payload.as_bytes().len() >= 45));
    // In the clear through it, and sealed without it: under the same keys the sealed dump goes below another.
    let mut clear = Vec::new();
    now(export_to(sealed(), &mut clear, |_| {})).unwrap();
    assert_eq!(clear, exported(&plain));
    let elsewhere = Arc::new(MemoryStore::new());
    imported(&elsewhere, &exported(&below)).unwrap();
    let opened = EncryptingStore::new(elsewhere, KeyRing::new(1, SecretBytes::new([7; 32])));
    for record in plain.snapshot() {
        assert_eq!(super::sample::load(&opened, record.key).unwrap().record, record);
    }
}
