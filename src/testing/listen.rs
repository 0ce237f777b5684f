//! The listener: HTTP/1.1 over TCP, with connections that can be reset.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::handle::{Inner, handle};

/// A listener at work. When it is dropped, it and its connections end.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn bind(address: &str) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

pub(super) fn address(listener: &TcpListener) -> SocketAddr {
    match listener.local_addr() {
        Ok(address) => address,
        Err(error) => panic!("a listener without an address: {error}"),
    }
}

pub(super) fn spawn(listener: TcpListener, inner: Arc<Inner>) -> Listening {
    let address = address(&listener);
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            // Whoever could not connect will try again, or tell of it.
            if let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&inner)));
            }
            while connections.try_join_next().is_some() {}
        }
    });
    Listening { address, task }
}

async fn serve(stream: TcpStream, inner: Arc<Inner>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: Request<Incoming>| {
        let inner = Arc::clone(&inner);
        Box::pin(async move { handle(&inner, request).await })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    let ended = std::future::poll_fn(|context| connection.poll_without_shutdown(context)).await;
    // An error of the answer is a fault that was asked for: closed with nothing to linger for, the connection is reset.
    if ended.is_err_and(|error| error.is_user()) {
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
