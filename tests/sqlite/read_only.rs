//! A file that may be read and not written.

use std::path::Path;

use grantor::store::{Committed, Store as _, StoreError};

use super::child;
use super::database::{Directory, open, wait};
use super::records::{keys, pair};

#[test]
#[cfg(unix)]
fn a_file_that_may_not_be_written_is_read_and_its_commits_are_unavailable() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
    use std::os::unix::process::CommandExt as _;

    let directory = Directory::new();
    let file = directory.file();
    // Held open, as by another process that may write: the log and its index are there.
    let owner = open(&file);
    assert_eq!(wait(owner.commit(&pair(1, 10))).unwrap(), Committed::Applied);
    let mut reader = child::command("read", &file, 0);
    if std::fs::metadata(&file).unwrap().uid() == 0 {
        // Root may write whatever the mode says: the reader is another user, with a copy of this program where it can reach it.
        let program = directory.path().join("reader");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let arguments: Vec<_> = reader.get_args().map(ToOwned::to_owned).collect();
        let variables: Vec<_> =
            reader.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        reader = std::process::Command::new(program);
        reader.args(arguments).envs(variables).uid(65_534).gid(65_534).current_dir(directory.path());
        reader.stdout(std::process::Stdio::piped());
    } else {
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            std::fs::set_permissions(entry.unwrap().path(), PermissionsExt::from_mode(0o444)).unwrap();
        }
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o555)).unwrap();
    }
    let child = reader.spawn().unwrap();
    child::join(child);
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(wait(owner.load(&keys(2))).unwrap().iter().all(Option::is_none));
}

pub(crate) fn read(file: &Path) {
    let store = open(file);
    for _ in 0..2 {
        assert!(wait(store.load(&keys(1))).unwrap().iter().all(Option::is_some));
        let answer = wait(store.commit(&pair(2, 10)));
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
}
