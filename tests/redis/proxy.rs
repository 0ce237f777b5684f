//! Something between the store and the server that breaks connections where a test wants it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// What becomes of what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Trouble {
    /// Nothing.
    None = 0,
    /// The connection is cut when the server answers: what it was asked is done, and nobody hears of it.
    CutAnswers = 1,
    /// The connection is cut when something is sent: the server never sees it.
    CutRequests = 2,
    /// Requests are done and answers are kept back; the connection stays.
    Silence = 3,
    /// One connection is cut when the server answers, and from then on there is no trouble.
    CutOneAnswer = 4,
}

#[derive(Debug, Default)]
struct State {
    trouble: AtomicU8,
    trips: AtomicU32,
    connections: AtomicU32,
}

/// A port that leads to another.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        // The thread ends with the test process; what it leads to is gone before.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                pass(&client, &server, &shared);
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn make(&self, trouble: Trouble) {
        self.state.trouble.store(trouble as u8, Ordering::SeqCst);
    }

    /// How often something was sent and then answered, since this was last asked.
    pub(crate) fn trips(&self) -> u32 {
        self.state.trips.swap(0, Ordering::SeqCst)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> u32 {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn pass(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let asked = Arc::new(AtomicU32::new(0));
    for (mut from, mut to, is_request) in [
        (client.try_clone().unwrap(), server.try_clone().unwrap(), true),
        (server.try_clone().unwrap(), client.try_clone().unwrap(), false),
    ] {
        let (state, asked) = (Arc::clone(state), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                let trouble = state.trouble.load(Ordering::SeqCst);
                if is_request {
                    asked.store(1, Ordering::SeqCst);
                    if trouble == Trouble::CutRequests as u8 {
                        break;
                    }
                } else {
                    state.trips.fetch_add(asked.swap(0, Ordering::SeqCst), Ordering::SeqCst);
                    if trouble == Trouble::CutAnswers as u8 {
                        break;
                    }
                    if trouble == Trouble::CutOneAnswer as u8 {
                        state.trouble.store(Trouble::None as u8, Ordering::SeqCst);
                        break;
                    }
                    if trouble == Trouble::Silence as u8 {
                        continue;
                    }
                }
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
}
