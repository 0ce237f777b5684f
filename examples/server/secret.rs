//! The server's secret: 32 bytes in a file, as 64 hexadecimal digits.
//!
//! Every token depends on it. Who loses the file loses every token, and who gets hold of it can forge interactions;
//! so it is made once, for its owner alone, and never made anew where there is something that it belongs to.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use grantor::entropy::{Entropy as _, SystemEntropy};
use grantor::store::Store;

use crate::store;

/// Reads the file; makes it if it is not there and the store has nothing that belongs to another.
pub(crate) async fn read_or_make(path: &Path, store: &dyn Store) -> Result<[u8; 32], String> {
    let wrong = |why: &str| format!("the secret {}: {why}", path.display());
    if !path.exists() {
        if !store::is_empty(store).await.map_err(|error| format!("the store: {error}"))? {
            return Err(wrong(
                "it is not there, and the store holds records that were made with it: put it back. If it is lost, so is \
                 every token; then write a new one there, 64 hexadecimal digits as `openssl rand -hex 32` prints them",
            ));
        }
        make(path).map_err(|error| wrong(&error.to_string()))?;
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    if is_open_to_others(path) {
        eprintln!("note: others than its owner may read {}", path.display());
    }
    parse(text.trim()).ok_or_else(|| wrong("must be 64 hexadecimal digits"))
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        let digits = text.get(at.checked_mul(2)?..)?.get(..2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(secret)
}

/// Made under another name first: whoever starts at the same moment finds all of it or nothing, and both read the same.
fn make(path: &Path) -> std::io::Result<()> {
    let mut secret = [0; 32];
    SystemEntropy.fill(&mut secret).map_err(|_| std::io::Error::other("the system gives no randomness"))?;
    let text = secret.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));

    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&name).and_then(|mut file| {
        writeln!(file, "{text}")?;
        file.sync_all()
    });
    let made = written.and_then(|()| match std::fs::hard_link(&name, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    std::fs::remove_file(&name)?;
    made?;
    // The name too is to be there after a loss of power: the records made with it will be.
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}
