//! One connection to one node: made when it is needed, and made again when it is gone.
//!
//! The client library can do that too, and sends again what it had sent over the connection that is gone. A commit must
//! not be sent twice: the second time it is refused, since the first one was applied, and the one who won would be told
//! that it lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, PushInfo, Value};
use tokio::sync::Mutex;

use super::fault::Fault;
use super::script::pipeline;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
}

/// A connection, shared by all who ask: commands are sent without waiting for the answers to those before.
pub(super) struct Link {
    client: Client,
    patience: Patience,
    live: RwLock<Option<Live>>,
    /// Held by the one who connects, with why the last attempt failed.
    connecting: Mutex<Option<String>>,
    /// How many attempts have ended.
    attempts: AtomicU64,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    gone: Arc<AtomicBool>,
}

/// Says that a connection is gone when whoever drives it lets go.
struct Farewell(Arc<AtomicBool>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Link {
    pub(super) fn new(client: Client, patience: Patience) -> Self {
        let (live, connecting) = (RwLock::default(), Mutex::default());
        Self { client, patience, live, connecting, attempts: AtomicU64::new(0) }
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        let mut live = self.connected().await?;
        match live.connection.send_packed_command(command).await {
            Ok(value) => judge(value),
            Err(error) => Err(lost(&live, &error)),
        }
    }

    /// Sends commands together and waits for all answers.
    pub(super) async fn send_all<'a>(
        &self,
        commands: impl IntoIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        let commands = pipeline(commands);
        let mut live = self.connected().await?;
        match live.connection.send_packed_commands(&commands, 0, commands.len()).await {
            Ok(values) if values.len() == commands.len() => Ok(values.into_iter().map(judge).collect()),
            Ok(values) => Err(Fault::Lost(format!("{} commands had {} answers", commands.len(), values.len()))),
            Err(error) => Err(lost(&live, &error)),
        }
    }

    /// A connection of which nothing bad is known.
    async fn connected(&self) -> Result<Live, Fault> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let before = self.attempts.load(Ordering::Acquire);
        let mut failure = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        // Whoever waited while another tried need not try once more: a server that does not answer would be waited for
        // by one after the other.
        if self.attempts.load(Ordering::Acquire) != before
            && let Some(why) = &*failure
        {
            return Err(Fault::Unreached(why.clone()));
        }
        let result = self.connect().await;
        self.attempts.fetch_add(1, Ordering::Release);
        match result {
            Ok(live) => {
                *failure = None;
                *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
                Ok(live)
            }
            Err(why) => {
                *failure = Some(why.clone());
                Err(Fault::Unreached(why))
            }
        }
    }

    /// Lets nobody use the present connection any more; whoever waits for an answer from it still gets that.
    pub(super) fn hang_up(&self) {
        if let Some(live) = self.current() {
            live.gone.store(true, Ordering::Release);
        }
    }

    fn current(&self) -> Option<Live> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().filter(|live| !live.gone.load(Ordering::Acquire)).cloned()
    }

    async fn connect(&self) -> Result<Live, String> {
        let gone = Arc::new(AtomicBool::new(false));
        let farewell = Farewell(Arc::clone(&gone));
        // Nothing is pushed to us; what matters is that this is dropped with the task that drives the connection.
        let watch = move |_: PushInfo| {
            let _ = &farewell;
            Ok::<(), ()>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience.connect))
            .set_response_timeout(Some(self.patience.answer))
            .set_push_sender(watch);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await;
        Ok(Live { connection: connection.map_err(|error| error.to_string())?, gone })
    }
}

/// The connection died, or was silent for too long: nobody else should wait for it.
fn lost(live: &Live, error: &redis::RedisError) -> Fault {
    live.gone.store(true, Ordering::Release);
    Fault::Lost(error.to_string())
}

fn judge(value: Value) -> Result<Value, Fault> {
    match value {
        Value::ServerError(error) => Err(Fault::said(&error)),
        value => Ok(value),
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the client: it knows the password.
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
