//! Who can sign in. Passwords are kept as Argon2 hashes, and are checked where that holds nobody up.

use std::collections::HashMap;
use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use grantor::Subject;
use grantor::secret::Secret;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

use crate::config::User;

/// How many hashes are computed at once: each takes 19 MiB.
const AT_ONCE: usize = 4;

/// The users.
pub(crate) struct Users {
    by_name: HashMap<String, Account>,
    /// The hash of a password that nobody has: what is checked for a user that does not exist, so that the time tells
    /// nothing.
    decoy: Arc<str>,
    turns: Arc<Semaphore>,
}

struct Account {
    name: String,
    hash: Arc<str>,
}

/// Somebody whose password was right.
pub(crate) struct Known {
    pub(crate) subject: Subject,
    pub(crate) name: String,
}

/// The password could not be hashed or checked.
#[derive(Debug)]
pub(crate) struct HashingFailed;

impl Users {
    /// Hashes the passwords, several at a time.
    pub(crate) async fn new(users: Vec<User>) -> Result<Self, HashingFailed> {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        let decoy = User { username: String::new(), password: Secret::new("decoy"), name: String::new() };
        for user in users.into_iter().chain([decoy]) {
            let turn = Arc::clone(&turns).acquire_owned().await.map_err(|_| HashingFailed)?;
            tasks.spawn_blocking(move || {
                let _turn = turn;
                let hash = Argon2::default().hash_password(user.password.expose().as_bytes());
                hash.map(|hash| (user.username, Account { name: user.name, hash: hash.to_string().into() }))
            });
        }
        let mut by_name = HashMap::new();
        while let Some(hashed) = tasks.join_next().await {
            let (username, account) = hashed.map_err(|_| HashingFailed)?.map_err(|_| HashingFailed)?;
            by_name.insert(username, account);
        }
        let decoy = by_name.remove("").ok_or(HashingFailed)?.hash;
        Ok(Self { by_name, decoy, turns })
    }

    /// Who that is, if the password is right. A user that does not exist costs the same work.
    pub(crate) async fn check(&self, username: &str, password: Secret) -> Result<Option<Known>, HashingFailed> {
        let account = self.by_name.get(username);
        let hash = Arc::clone(account.map_or(&self.decoy, |account| &account.hash));
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| HashingFailed)?;
        let right = spawn_blocking(move || {
            let _turn = turn;
            let hash = PasswordHash::new(&hash).map_err(|_| HashingFailed)?;
            Ok(Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
        });
        let right = right.await.map_err(|_| HashingFailed)??;
        let known = account.filter(|_| right);
        Ok(known.map(|account| Known { subject: username.into(), name: account.name.clone() }))
    }
}
