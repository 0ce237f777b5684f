//! Redis: one connection that all clients share, as its client likes it, and a script for each commit.

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Script};

use super::floor::{Bare, Done, Id};

pub(super) struct BareRedis {
    connection: MultiplexedConnection,
    script: Script,
}

/// The first `ARGV[1]` keys are changed on condition that they are there and are not what they become; the others are set.
const WRITE: &str = "
local changed = tonumber(ARGV[1])
for i = 1, changed do
  if redis.call('GET', KEYS[i]) == 'used' then return 0 end
end
for i = 1, #KEYS do
  redis.call('SET', KEYS[i], i <= changed and 'used' or ARGV[2], 'EX', 86400)
end
return 1";

pub(super) async fn clients(url: &str, count: usize) -> Vec<Box<dyn Bare>> {
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    (0..count)
        .map(|_| Box::new(BareRedis { connection: connection.clone(), script: Script::new(WRITE) }) as Box<dyn Bare>)
        .collect()
}

impl Bare for BareRedis {
    fn read<'a>(&'a mut self, ids: &'a [Id]) -> Done<'a> {
        Box::pin(async move {
            let keys: Vec<&[u8]> = ids.iter().map(Id::as_slice).collect();
            let rows: Vec<Option<Vec<u8>>> = self.connection.mget(keys).await.unwrap();
            assert!(rows.iter().all(Option::is_some));
            std::hint::black_box(rows);
        })
    }

    fn write<'a>(&'a mut self, changed: &'a [Id], inserted: &'a [Id], row: &'a [u8]) -> Done<'a> {
        Box::pin(async move {
            let mut call = self.script.prepare_invoke();
            for id in changed.iter().chain(inserted) {
                call.key(id.as_slice());
            }
            let done: i64 = call.arg(changed.len()).arg(row).invoke_async(&mut self.connection).await.unwrap();
            assert_eq!(done, 1);
        })
    }
}
