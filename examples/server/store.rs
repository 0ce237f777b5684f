//! Where records live: what `store` and `danger_accept_loss` in the configuration mean.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantor::store::{
    MemoryStore, PostgresOptions, PostgresStore, RedisLoss, RedisOptions, SqliteOptions, Store, StoreError,
};
use serde::Deserialize;

/// How long a scan for anything at all looks at a time.
const PIECE: u32 = 1;

/// A store, by its name in the configuration.
pub(crate) enum Place {
    Memory,
    Sqlite(PathBuf),
    /// The URL may hold a password, and is not shown.
    Postgres(String),
    /// Of one server, or of some nodes of a Cluster.
    Redis(Vec<String>),
}

/// How much of what was acknowledged may be lost when the database or its machine breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Loss {
    /// The last moments.
    Recent,
    /// All of it.
    Everything,
}

impl Place {
    /// A file is looked for in `directory`, unless its path is absolute. No error repeats the text, which may hold a password.
    pub(crate) fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "sqlite" if !rest.is_empty() && !rest.starts_with("//") && rest != ":memory:" => {
                Ok(Self::Sqlite(directory.join(rest)))
            }
            "postgres" | "postgresql" => Ok(Self::Postgres(text.to_owned())),
            "rediss" => Err("this example is built without TLS for Redis".to_owned()),
            "redis" | "redis+unix" => {
                let urls: Vec<String> = text.split(',').map(|url| url.trim().to_owned()).collect();
                if !urls.iter().all(|url| url.starts_with("redis")) {
                    return Err("must be one redis:// URL, or some separated by commas".to_owned());
                }
                Ok(Self::Redis(urls))
            }
            _ => Err("must be \"memory:\", \"sqlite:FILE\", \"postgres://…\" or \"redis://…\"".to_owned()),
        }
    }

    pub(crate) async fn open(&self, loss: Option<Loss>) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Sqlite(path) => {
                let options = SqliteOptions::new();
                let options = if loss.is_some() { options.danger_synchronous_normal() } else { options };
                Arc::new(options.open(path).await?)
            }
            Self::Postgres(url) => {
                let options = PostgresOptions::new();
                let options = if loss.is_some() { options.danger_accept_loss() } else { options };
                Arc::new(PostgresStore::open(url, options).await?)
            }
            Self::Redis(urls) => {
                let options = match loss {
                    None => RedisOptions::new(),
                    Some(Loss::Recent) => RedisOptions::new().danger_accept_loss(RedisLoss::Recent),
                    Some(Loss::Everything) => RedisOptions::new().danger_accept_loss(RedisLoss::Everything),
                };
                let (first, others) = urls.split_first().ok_or_else(|| StoreError::Unavailable("no URL".into()))?;
                let options = others.iter().fold(options, RedisOptions::node);
                Arc::new(options.open(first).await?)
            }
        })
    }

    /// What may be printed of it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Memory => "memory: (gone when the server ends)".to_owned(),
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => without_secrets(url),
            Self::Redis(urls) => urls.iter().map(|url| without_secrets(url)).collect::<Vec<_>>().join(","),
        }
    }
}

/// A URL without its user, its password and its parameters, among which there may be a password too.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    format!("{scheme}://{}", rest.split('?').next().unwrap_or_default())
}

/// Whether there is nothing in it, of any server.
pub(crate) async fn is_empty(store: &dyn Store) -> Result<bool, StoreError> {
    let mut after = None;
    loop {
        let scanned = store.scan(after.as_ref(), PIECE).await?;
        match scanned.next {
            _ if !scanned.records.is_empty() => return Ok(false),
            None => return Ok(true),
            next => after = next,
        }
    }
}
