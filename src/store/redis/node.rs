//! One server.

use std::sync::atomic::{AtomicUsize, Ordering};

use redis::{Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, Value};

use super::fault::Fault;
use super::link::{Link, Patience};
use super::script::{Call, SCRIPTS, Script};

/// How many connections commits are spread over that wait for replicas: while one waits, the server reads nothing from
/// its connection.
const WAITING: usize = 8;

/// How connections are made, whatever the node.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) patience: Patience,
    /// `WAIT` after each commit.
    pub(super) wait: Option<Cmd>,
}

/// A server, and the connections to it.
#[derive(Debug)]
pub(super) struct Node {
    info: ConnectionInfo,
    link: Link,
    waiting: Vec<Link>,
    turn: AtomicUsize,
    wait: Option<Cmd>,
}

/// What a commit was answered.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) value: Value,
    /// What `WAIT` was answered, where it was asked.
    pub(super) waited: Option<Result<Value, Fault>>,
}

impl Node {
    pub(super) fn new(info: &ConnectionInfo, manner: &Manner) -> Result<Self, String> {
        // Only in its later form does the protocol let us notice at once that a connection is gone.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.clone().set_redis_settings(settings);
        let client = Client::open(info.clone()).map_err(|error| error.to_string())?;
        let link = || Link::new(client.clone(), manner.patience);
        let waiting = manner.wait.iter().flat_map(|_| (0..WAITING).map(|_| link())).collect();
        Ok(Self { info, link: link(), waiting, turn: AtomicUsize::new(0), wait: manner.wait.clone() })
    }

    /// What a URL says of it.
    pub(super) fn info(url: &str) -> Result<ConnectionInfo, String> {
        // Not the URL itself: it may hold a password.
        url.into_connection_info().map_err(|error| format!("the URL of a server is wrong: {error}"))
    }

    /// The same way to another server of the same Cluster.
    pub(super) fn sibling(&self, host: &str, port: u16) -> ConnectionInfo {
        let address = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host: host.into(), port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host.into(), port),
        };
        self.info.clone().set_addr(address)
    }

    pub(super) fn host(&self) -> Option<&str> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
            _ => None,
        }
    }

    pub(super) fn is_at(&self, address: &ConnectionAddr) -> bool {
        self.info.addr() == address
    }

    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, Fault> {
        self.link.send(command).await
    }

    /// Several commands in one round trip.
    pub(super) async fn ask_all<'a>(
        &self,
        commands: impl IntoIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        self.link.send_all(commands).await
    }

    /// A commit, and the wait for replicas where there is to be one.
    pub(super) async fn tell(&self, call: &Call) -> Result<Told, Fault> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let waiting = turn.checked_rem(self.waiting.len()).and_then(|turn| self.waiting.get(turn));
        let (Some(wait), Some(link)) = (&self.wait, waiting) else {
            return Ok(Told { value: self.link.send(&call.command).await?, waited: None });
        };
        let mut answers = link.send_all([&call.command, wait]).await?.into_iter();
        let value = answers.next().unwrap_or_else(|| Err(Fault::Lost("no answer".into())))?;
        Ok(Told { value, waited: answers.next() })
    }

    /// Makes the server know a script.
    pub(super) async fn teach(&self, script: &Script) -> Result<(), Fault> {
        self.ask(&script.load()).await.map(drop)
    }

    /// Makes the server know all scripts.
    pub(super) async fn teach_all(&self) -> Result<(), Fault> {
        let commands = SCRIPTS.each().map(Script::load);
        self.ask_all(&commands).await?.into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// Connects anew for the next command: behind the same name there may be another server by now.
    pub(super) fn hang_up(&self) {
        self.link.hang_up();
        self.waiting.iter().for_each(Link::hang_up);
    }
}
