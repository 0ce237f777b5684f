//! Over HTTP, on loopback: what a request costs the server, in CPU of its process. One core for the servers, one for the load.
//!
//! All servers run all the time, and are asked in turn; whoever is not asked sleeps.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use grantor::{Host, SignIn, SignedIn};
use http::request::Parts;
use http_body_util::{BodyExt as _, Full};
use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::measure::{Contender, Cost, OURS, Row, Target, row};
use crate::party::Ours;
use crate::{Options, home, wire};

const CONNECTIONS: usize = 32;
const AXUM: &str = "axum, constant answer";
const HYPER: &str = "hyper, constant answer";
const OIDC_PROVIDER: &str = "oidc-provider";

/// What a token answer looks like, for those who always answer the same.
const ANSWER: &str = r#"{"access_token":"gat_7pQ0m3vYk1x5C9rT2bN8wH6sLfJdGzAqXeUiOyVhKcMA9gBtR1n4Dw","token_type":"Bearer","expires_in":43200,"scope":"read"}"#;

/// Pins this process to a core, where there are two.
fn pin(core: usize) {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        let mut set = CpuSet::new();
        set.set(core);
        let _ = sched_setaffinity(None, &set);
    }
}

// --- the servers ---------------------------------------------------------------------------------------------------

struct Nobody;

#[async_trait::async_trait]
impl Host for Nobody {
    async fn signed_in(&self, _: &Parts) -> Option<SignedIn> {
        None
    }

    fn sign_in_url(&self, _: &SignIn<'_>) -> String {
        "/login".to_owned()
    }
}

/// Serves for ever, on a port that is printed first.
pub fn serve(what: &str) {
    pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        match what {
            OURS => axum::serve(listener, grantor::axum::router(Ours::default().server, Nobody)).await.unwrap(),
            AXUM => {
                let constant = |_: Bytes| async { ([("content-type", "application/json")], ANSWER) };
                axum::serve(listener, axum::Router::new().fallback(constant)).await.unwrap();
            }
            _ => loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = stream.set_nodelay(true);
                let service = hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| async {
                    let body = request.into_body().collect().await?.to_bytes();
                    std::hint::black_box(body);
                    let answer = Full::new(Bytes::from_static(ANSWER.as_bytes()));
                    let response = http::Response::builder().header("content-type", "application/json").body(answer);
                    Ok::<_, hyper::Error>(response.unwrap())
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            },
        }
    });
}

/// A server in a process of its own.
struct Server {
    child: Child,
    port: u16,
    paths: [&'static str; 2],
}

impl Server {
    fn start(mut command: Command, paths: [&'static str; 2]) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("a server prints its port");
        Self { child, port, paths }
    }

    fn of_ours(what: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", what]);
        Self::start(command, ["/token", "/introspect"])
    }

    fn of_node() -> Option<Self> {
        let directory = home().join("peers/oidc-provider");
        if !directory.join("node_modules").exists() {
            eprintln!("  without oidc-provider: cd benches/peers/oidc-provider && npm install");
            return None;
        }
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "node", "server.mjs", wire::SERVICE, wire::SECRET]).current_dir(directory);
        command.env("NODE_ENV", "production").stderr(Stdio::null());
        Some(Self::start(command, ["/token", "/token/introspection"]))
    }

    /// Nanoseconds of CPU that the process has used, all threads together.
    fn cpu(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let used = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|used| used.parse::<u64>().ok()).unwrap_or(0)
        };
        tasks.flatten().map(used).sum()
    }

    fn request(&self, path: usize, body: &str) -> Vec<u8> {
        let path = self.paths[path];
        format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nuser-agent: bench/1\r\naccept: application/json\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nauthorization: {}\r\n\r\n{body}",
            self.port,
            body.len(),
            wire::AUTHORIZATION
        )
        .into_bytes()
    }

    fn token(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(&self.request(0, wire::CLIENT_CREDENTIALS)).unwrap();
        let mut answer = vec![0; 16 * 1024];
        let mut read = 0;
        while complete(&answer[..read]).is_none() {
            let more = stream.read(&mut answer[read..]).unwrap();
            assert!(more > 0, "{}", String::from_utf8_lossy(&answer[..read]));
            read += more;
        }
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        wire::member(text.split_once("\r\n\r\n").unwrap().1, "access_token")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// --- the load ------------------------------------------------------------------------------------------------------

/// The length of the answer that `bytes` begin with, once it is all there.
fn complete(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(bytes));
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    })?;
    (bytes.len() >= head + length).then_some(head + length)
}

async fn load(port: u16, request: &[u8], times: usize) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 16 * 1024];
    for _ in 0..times {
        stream.write_all(request).await.unwrap();
        let mut read = 0;
        while complete(&answer[..read]).is_none() {
            let more = stream.read(&mut answer[read..]).await.unwrap();
            assert!(more > 0, "the server closed the connection");
            read += more;
        }
    }
}

fn ask(server: &Server, request: &[u8], times: usize) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = server.cpu();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (port, request) = (server.port, request.to_vec());
                tokio::spawn(async move { load(port, &request, times / CONNECTIONS).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    // Connections are closed by now; what closing costs belongs to their requests.
    Cost { nanos: server.cpu() - before, operations: (times / CONNECTIONS * CONNECTIONS) as u64 }
}

pub fn run(options: &Options) -> Vec<Row> {
    pin(1);
    let servers = [(OURS, Server::of_ours(OURS)), (AXUM, Server::of_ours(AXUM)), (HYPER, Server::of_ours(HYPER))];
    let node = Server::of_node();
    let targets = [Target::Within(1.5, AXUM), Target::Faster(12.0, &[OIDC_PROVIDER])];
    let mut rows = Vec::new();
    for (path, work) in ["client_credentials over axum", "introspection over axum"].into_iter().enumerate() {
        let body = |server: &Server| {
            if path == 0 { wire::CLIENT_CREDENTIALS.to_owned() } else { wire::token_body(&server.token()) }
        };
        let mut contenders: Vec<Contender<'_>> = servers
            .iter()
            .map(|(name, server)| {
                let request = server.request(path, &body(server));
                Contender::new(name, move || ask(server, &request, 16_000))
            })
            .collect();
        if let Some(node) = &node {
            let request = node.request(path, &body(node));
            // Its compiler needs some thousand requests to warm up.
            ask(node, &request, 16_000);
            contenders.push(Contender::new(OIDC_PROVIDER, move || ask(node, &request, 4_096)));
        }
        rows.push(row(work, options.rounds, contenders, &targets));
    }
    rows
}
