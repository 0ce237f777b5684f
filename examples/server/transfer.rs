//! From one store to another, through a file.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, IsTerminal as _, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grantor::store::{Store, export_to, import_from};

/// How many records pass between two lines of progress, where lines cannot be overwritten.
const EVERY: u64 = 10_000;

/// Everything in the store into a file that is not there yet. Only its owner may read it.
pub(crate) async fn export(store: Arc<dyn Store>, path: &str) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| wrong(&error))?;
    let mut progress = Progress::default();
    let mut writer = BufWriter::new(&file);
    let exported = export_to(store, &mut writer, |records| progress.tell(records, &format!("{records} records"))).await;
    let exported = exported.map_err(|error| wrong(&error));
    drop(writer);
    let exported = exported.and_then(|records| file.sync_all().map(|()| records).map_err(|error| wrong(&error)));
    progress.end();
    if exported.is_err() {
        // Half of it is of no use, and would be in the way of the next attempt.
        let _ = std::fs::remove_file(path);
    }
    eprintln!("exported {} records to {path}; it is as confidential as the store", exported?);
    Ok(())
}

/// Everything in a file into the store.
pub(crate) async fn import(store: Arc<dyn Store>, path: &str) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let size = Path::new(path).metadata().map_or(0, |metadata| metadata.len());
    let read = Arc::new(AtomicU64::new(0));
    let mut reader = BufReader::with_capacity(1 << 16, Counted { file, read: Arc::clone(&read) });
    let mut progress = Progress::default();
    let imported = import_from(store, &mut reader, |done| {
        let records = done.written.saturating_add(done.skipped);
        let percent = read.load(Ordering::Relaxed).saturating_mul(100).checked_div(size).unwrap_or(100);
        progress.tell(records, &format!("{records} records, {percent} %"));
    });
    let imported = imported.await;
    progress.end();
    let imported = imported.map_err(|error| wrong(&error))?;
    eprintln!("imported {} records from {path}; {} were there already", imported.written, imported.skipped);
    Ok(())
}

/// How far it has come, on stderr: one line that changes on a terminal, a line now and then elsewhere.
#[derive(Default)]
struct Progress {
    told: u64,
    begun: bool,
}

impl Progress {
    fn tell(&mut self, records: u64, text: &str) {
        if std::io::stderr().is_terminal() {
            eprint!("\r{text}");
            self.begun = true;
        } else if records.saturating_sub(self.told) >= EVERY {
            eprintln!("{text}");
            self.told = records;
        }
    }

    fn end(&self) {
        if self.begun {
            eprintln!();
        }
    }
}

/// Counts what is read.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}
