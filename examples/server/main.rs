//! A complete provider, to play with and to point test suites at: `cargo run --example server`.
//!
//! ```text
//! cargo run --example server -- [--config FILE] [--listen ADDRESS:PORT]
//! ```
//!
//! | option | does |
//! |---|---|
//! | `--config FILE` | serves what a TOML file says; without it, `examples/server/demo.toml`, with an issuer that follows the port |
//! | `--listen ADDRESS:PORT` | listens there, whatever the file says; port 0 takes any that is free, and the output tells which |
//! | `RUST_LOG` | what goes to stderr, for instance `grantor=debug`; `info` if it is not set. Secrets never do |
//!
//! The keys of the file; an unknown one, or a value that makes no sense, is an error that names the line:
//!
//! | key | default | |
//! |---|---|---|
//! | `issuer` | | the URL by which clients and browsers reach the server; it may have a path |
//! | `listen` | `"127.0.0.1:8080"` | where it listens |
//! | `store` | `"memory:"` | where records live; there is no other yet |
//! | `[lifetimes]` | the library's | in seconds: `access_token`, `refresh_token`, `grant`, `authorization_code`, `refresh_retry_window`, `interaction`, `consent`, `clock_skew` |
//! | `[limits]` | the library's | `grants_per_subject_and_client` |
//! | `[[scopes]]` | | `name`, `description`, `default` (granted when a request names no scope), `user_only` (not for `client_credentials`) |
//! | `[[users]]` | | `username`, which is also the subject of their tokens, `password`, `claims`, of which pages show `name` |
//! | `[[clients]]` | | `client_id`, `client_secret`, and all of [`grantor::client::ClientMetadata`], by its RFC 7591 names |
//! | `[[resources]]` | | `identifier`, `scopes` |
//!
//! A scope that only clients or resources name is served too, without a description.
//!
//! Beside the endpoints, which the metadata names, there are `/login` and `/logout`, a home page, and `/api/me`: a
//! protected resource that answers `{"sub":…,"client_id":…,"scope":…}`, where `sub` is `null` for a token that a client
//! holds for itself. All of it is below the path of the issuer.
//!
//! | file | holds |
//! |---|---|
//! | `main.rs` | options, start, output, end |
//! | `config.rs` | the file, and where in it a mistake is |
//! | `signin.rs` | the pages of signing in and out, and the home page |
//! | `session.rs`, `users.rs`, `throttle.rs` | who is signed in where; passwords; how often they may be guessed |
//! | `pages.rs` | how pages look, and the headers that protect them |
//! | `api.rs` | `/api/me` |

mod api;
mod config;
mod pages;
mod session;
mod signin;
mod throttle;
mod users;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use grantor::AuthorizationServer;
use grantor::client::ClientMetadata;
use grantor::limit::{MemoryRateLimit, PeerAddress};
use grantor::store::MemoryStore;
use grantor::wire::uri::Issuer;
use tokio::net::TcpListener;
use tokio::signal;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::config::Config;
use crate::session::Sessions;
use crate::signin::{App, Visitors};
use crate::throttle::Throttle;
use crate::users::Users;

const USAGE: &str = "usage: cargo run --example server -- [--config FILE] [--listen ADDRESS:PORT]";

/// How often what has expired is thrown away.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How long requests that are under way may take to end, once the server should.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Options {
    config: Option<String>,
    listen: Option<SocketAddr>,
    help: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--config" => options.config = Some(value()?),
                "--listen" => {
                    let text = value()?;
                    let address = text.parse();
                    options.listen = Some(
                        address.map_err(|_| format!("--listen: {text:?} is not an address such as 127.0.0.1:8080"))?,
                    );
                }
                "--help" | "-h" => options.help = true,
                other => return Err(format!("{other:?} is not an option\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    if options.help {
        println!("{USAGE}");
        return Ok(());
    }
    let is_demo = options.config.is_none();
    let mut config = match &options.config {
        Some(path) => Config::read(path)?,
        None => Config::demo()?,
    };
    let listen = options.listen.unwrap_or(config.listen);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}. Take another with --listen 127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    if is_demo {
        config.issuer = loopback_url(address);
    }

    let server = build(&config).await?;
    let issuer = Issuer::parse(server.issuer())?;
    let sessions = Sessions::new(issuer.is_https())?;
    let names: Vec<String> = config.users.iter().map(|user| user.username.clone()).collect();
    let users = Users::new(std::mem::take(&mut config.users)).await.map_err(|_| "a password cannot be hashed")?;
    let base = issuer.path().to_owned();
    let app = Arc::new(App { server: server.clone(), issuer, users, sessions, throttle: Throttle::default() });

    // Before anybody is told that the server is there.
    let asked = asked_to_stop()?;
    print(&app, address, &config, &names, is_demo);

    let own = signin::routes().merge(api::routes()).with_state(Arc::clone(&app));
    let own = if base.is_empty() { own } else { Router::new().nest(&base, own) };
    let router = own.merge(grantor::axum::router(server.clone(), Visitors(app)));
    let router = router.layer(axum::middleware::map_request(tell_peer));
    let purging = tokio::spawn(purge(server));
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stopping(asked.clone()));
    tokio::select! {
        ended = serving => ended?,
        () = out_of_patience(asked) => eprintln!("some requests were cut off"),
    }
    purging.abort();
    Ok(())
}

/// The authorization server, with its clients.
async fn build(config: &Config) -> Result<AuthorizationServer, Box<dyn Error>> {
    let mut builder = AuthorizationServer::builder(&config.issuer)
        .store(MemoryStore::new())
        .lifetimes(config.lifetimes)
        .limits(config.limits);
    if let Some(device) = config.device {
        builder = builder.device_authorization(device);
    }
    if config.rate_limits {
        builder = builder.rate_limit(MemoryRateLimit::generous());
    }
    for scope in &config.scopes {
        builder = builder.scope_definition(scope.clone());
    }
    for name in &config.undescribed {
        builder = builder.scope(name.clone(), "");
    }
    for (identifier, scopes) in &config.resources {
        builder = builder.resource(identifier.clone(), scopes.clone());
    }
    let server = builder.build().map_err(|error| config.refused(&error))?;
    for (index, client) in config.clients.iter().enumerate() {
        let registered = server.clients().register(client.clone()).await;
        let registered = registered.map_err(|error| config.client_refused(index, &error))?;
        if client.client_secret.is_none() && registered.secret.is_some() {
            let message = "a client that authenticates by a secret needs one";
            return Err(config.client_problem(index, "client_secret", message).into());
        }
    }
    for name in &config.undescribed {
        eprintln!("note: the scope {name:?} is not among [[scopes]]: it is served without a description");
    }
    Ok(server)
}

/// Tells the server where a request came from: from the connection, since nothing stands in front of this one.
async fn tell_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        request.extensions_mut().insert(PeerAddress(peer.ip()));
    }
    request
}

/// The issuer of the demo: this machine, at the port that was taken.
fn loopback_url(address: SocketAddr) -> String {
    let host = if address.is_ipv6() { "[::1]" } else { "127.0.0.1" };
    match address.port() {
        80 => format!("http://{host}"),
        port => format!("http://{host}:{port}"),
    }
}

fn print(app: &App, address: SocketAddr, config: &Config, users: &[String], is_demo: bool) {
    let url = |path| app.issuer.endpoint(path);
    println!("grantor, the example server\n");
    println!("  listening on  http://{address}");
    println!("  issuer        {}", app.issuer.as_str());
    println!("  metadata      {}", app.issuer.well_known("oauth-authorization-server"));
    if config.device.is_some() {
        println!("  devices       {}", url("/device"));
    }
    if !is_demo {
        println!("  users         {}", users.join(", "));
        let clients = config.clients.iter().filter_map(|client| client.client_id.as_ref());
        println!("  clients       {}", clients.map(grantor::ClientId::as_str).collect::<Vec<_>>().join(", "));
        println!("\nCtrl-C stops it.");
        return;
    }
    println!("  user          alice, password wonderland");
    for client in &config.clients {
        let id = client.client_id.as_ref().map_or("", grantor::ClientId::as_str);
        let secret = client.client_secret.as_ref().map(|secret| format!("secret {}", secret.expose()));
        let ClientMetadata { redirect_uris, .. } = &client.metadata;
        let (secret, port) = match secret {
            Some(secret) => (secret, ""),
            None => ("public, PKCE".to_owned(), ", any port"),
        };
        println!("  client        {id}, {secret}, redirect {}{port}", redirect_uris.join(" "));
    }
    println!("\nA token for a client itself:\n");
    println!("  curl -u web:web-secret-web-secret-web-secret -d grant_type=client_credentials {}", url("/token"));
    println!(
        "\nA token to act for alice. Open this in a browser, sign in, allow, and copy the `code` from the address it ends at:\n"
    );
    // The code verifier and its challenge are those of RFC 7636, Appendix B.
    println!(
        "  {}?response_type=code&client_id=cli&redirect_uri=http://127.0.0.1:9999/callback&scope=read&state=xyz\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        url("/authorize")
    );
    println!(
        "\n  curl -d grant_type=authorization_code -d client_id=cli -d redirect_uri=http://127.0.0.1:9999/callback \\"
    );
    println!("    -d code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk -d code=CODE {}", url("/token"));
    println!("\nWhat a token is good for:\n\n  curl -H 'Authorization: Bearer TOKEN' {}", url("/api/me"));
    println!("\nCtrl-C stops it.");
}

/// Throws away what has expired, now and then.
async fn purge(server: AuthorizationServer) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        while server.purge(1_000).await.is_ok_and(|purged| purged.more) {
            tokio::task::yield_now().await;
        }
    }
}

/// Becomes true at Ctrl-C, or when a service manager asks. From here on neither ends the process by itself.
fn asked_to_stop() -> std::io::Result<watch::Receiver<bool>> {
    let (tell, asked) = watch::channel(false);
    #[cfg(unix)]
    let stopped = {
        use signal::unix::{SignalKind, signal};
        let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        }
    };
    #[cfg(not(unix))]
    let stopped = async {
        let _ = signal::ctrl_c().await;
    };
    tokio::spawn(async move {
        stopped.await;
        tell.send_replace(true);
    });
    Ok(asked)
}

async fn stopping(mut asked: watch::Receiver<bool>) {
    let _ = asked.wait_for(|asked| *asked).await;
}

async fn out_of_patience(asked: watch::Receiver<bool>) {
    stopping(asked).await;
    sleep(PATIENCE).await;
}
