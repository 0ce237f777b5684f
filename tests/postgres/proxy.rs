//! A proxy that counts round trips, and breaks connections at the worst moment.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hands on everything.
    Pass,
    /// Ends a connection when the next request arrives, which the server never sees.
    CutAtRequest,
    /// Hands the next request on and ends the connection at once: nobody waits for what becomes of it.
    CutBehindRequest,
    /// Hands the next request on, waits until the server has said that it is done, and ends the connection instead of saying so.
    CutAtAnswer,
    /// Hands on requests, and no answers.
    Silent,
    /// Ends every connection and takes no new one.
    Down,
}

#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server: u16,
    mode: Mutex<Mode>,
    changed: watch::Sender<Mode>,
    trips: AtomicU32,
}

impl Proxy {
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (changed, _) = watch::channel(Mode::Pass);
        let state = State { server, mode: Mutex::new(Mode::Pass), changed, trips: AtomicU32::new(0) };
        let state = Arc::new(state);
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&serving)));
            }
        });
        Self { port, state }
    }

    pub fn set(&self, mode: Mode) {
        *self.state.mode.lock().unwrap() = mode;
        self.state.changed.send_replace(mode);
    }

    /// How often a client has asked for an answer and waited for it, since this was last asked.
    pub fn take_trips(&self) -> u32 {
        self.state.trips.swap(0, Ordering::SeqCst)
    }
}

impl State {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    /// Takes the mode if it is this one: it is good for one request.
    fn take(&self, mode: Mode) -> bool {
        let mut now = self.mode.lock().unwrap();
        let taken = *now == mode;
        if taken {
            *now = Mode::Pass;
        }
        taken
    }
}

async fn serve(client: TcpStream, state: Arc<State>) {
    if state.mode() == Mode::Down {
        return;
    }
    let server = TcpStream::connect(("127.0.0.1", state.server)).await.unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut changed = state.changed.subscribe();
    // Whichever ends first ends all: both streams are closed when this returns.
    tokio::select! {
        () = requests(from_client, to_server, &state) => {}
        () = answers(from_server, to_client, &state) => {}
        _ = changed.wait_for(|mode| *mode == Mode::Down) => {}
    }
}

async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, state: &State) {
    let mut first = true;
    while let Some(frame) = frame(&mut client, first).await {
        // A startup message has no type; every request ends in a Sync, or is a simple query.
        let asks = !first && matches!(frame[0], b'S' | b'Q');
        first = false;
        if asks {
            state.trips.fetch_add(1, Ordering::SeqCst);
            if state.take(Mode::CutAtRequest) {
                return;
            }
        }
        let cut = asks && state.mode() == Mode::CutBehindRequest && state.take(Mode::CutBehindRequest);
        if server.write_all(&frame).await.is_err() || cut {
            return;
        }
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, state: &State) {
    let mut held = Vec::new();
    let mut asked = false;
    while let Some(frame) = frame(&mut server, false).await {
        let done = frame[0] == b'Z';
        // The first of these only says that the session has begun.
        let cutting = asked && state.mode() == Mode::CutAtAnswer;
        asked |= done;
        if state.mode() == Mode::Silent {
            continue;
        }
        held.extend(frame);
        if cutting {
            if done && state.take(Mode::CutAtAnswer) {
                return;
            }
            continue;
        }
        if client.write_all(&held).await.is_err() {
            return;
        }
        held.clear();
    }
}

/// One message; `None` at the end.
async fn frame(from: &mut OwnedReadHalf, startup: bool) -> Option<Vec<u8>> {
    let mut frame = vec![0; if startup { 4 } else { 5 }];
    from.read_exact(&mut frame).await.ok()?;
    let length = frame[frame.len() - 4..].try_into().map(u32::from_be_bytes).unwrap();
    let rest = usize::try_from(length).unwrap() - 4;
    let head = frame.len();
    frame.resize(head + rest, 0);
    from.read_exact(&mut frame[head..]).await.ok()?;
    Some(frame)
}
