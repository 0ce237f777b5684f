//! A complete provider, to play with and to point test suites at: `cargo run --example server`.
//!
//! ```text
//! cargo run --example server -- [--config FILE] [--listen ADDRESS:PORT] [--import DUMP]
//! cargo run --example server -- --testing [--listen ADDRESS:PORT]
//! cargo run --example server -- export DUMP [--config FILE]
//! cargo run --example server -- import DUMP [--config FILE]
//! ```
//!
//! | option | does |
//! |---|---|
//! | `--config FILE` | serves what a TOML file says; without it, `examples/server/demo.toml`, with an issuer that follows the port |
//! | `--listen ADDRESS:PORT` | listens there, whatever the file says; port 0 takes any that is free, and the output tells which |
//! | `--testing` | serves tests in any language: a clock, users, tokens and faults that are moved over HTTP; see `docs/testing.md` |
//! | `export DUMP` | writes everything in the store to a new file, as [`grantor::store::Export`] does, and ends; stop the servers first |
//! | `import DUMP` | reads such a file into the store, which may be another, and ends; run again, it skips what is there |
//! | `--import DUMP` | the same, and then serves: the only way for `memory:` |
//! | `RUST_LOG` | what goes to stderr, for instance `grantor=debug`; `info` if it is not set. Secrets never do |
//!
//! The keys of the file; an unknown one, or a value that makes no sense, is an error that names the line:
//!
//! | key | default | |
//! |---|---|---|
//! | `issuer` | | the URL by which clients and browsers reach the server; it may have a path |
//! | `listen` | `"127.0.0.1:8080"` | where it listens |
//! | `store` | `"sqlite:grantor.db"` | where records live: also `"memory:"`, `"postgres://…"`, `"redis://…"` (nodes of a Cluster: separated by commas) |
//! | `secret_file` | `"grantor.secret"` | 32 bytes in hexadecimal, made at the first start for its owner alone; several servers over one store share one. `memory:` needs none |
//! | `danger_accept_loss` | | `"recent"`, `"everything"`: opens a database that may lose this much of what was acknowledged when it or its machine breaks |
//! | `[lifetimes]` | the library's | in seconds: `access_token`, `refresh_token`, `grant`, `authorization_code`, `refresh_retry_window`, `interaction`, `consent`, `clock_skew`, `personal_token` |
//! | `[limits]` | the library's | `grants_per_subject_and_client`, `personal_tokens_per_subject` |
//! | `[[scopes]]` | | `name`, `description`, `default` (granted when a request names no scope), `user_only` (not for `client_credentials`) |
//! | `[[users]]` | | `username`, which is also the subject of their tokens, `password`, `claims`, of which pages show `name` |
//! | `[[clients]]` | | `client_id`, `client_secret`, and all of [`grantor::client::ClientMetadata`], by its RFC 7591 names |
//! | `[[resources]]` | | `identifier`, `scopes` |
//! | `[device]` | off | `enabled = true` lets in devices without a browser (RFC 8628); `lifetime` (600), `interval` (5), in seconds |
//! | `[rate_limits]` | off | `enabled = true` limits every endpoint by address and by client; user codes of devices are always limited |
//! | `[management]` | off | `enabled = true` serves the API of [`grantor::api`] at `/manage/v1`, to clients that the file gives the scopes of it (`grantor:clients:read`, …) |
//! | `[registration]` | off | `enabled = true` lets clients register themselves (RFC 7591, RFC 7592) and be named by the URL of a document; `who` (`"anybody"`; `"initial_access_token"`: who brings a token that `POST /manage/v1/initial-access-tokens` made), `documents` (`true`), `scopes` (all), `per_day` (1000), `unused_days` (30), `danger_allow_loopback_http` |
//! | `[mcp]` | off | `resource = "URL"`: this is the authorization server of the MCP server at that URL, as [`grantor::Preset::mcp`] has it. Turns `[registration]` on unless that says `enabled = false`; access tokens live an hour unless `[lifetimes]` says otherwise; where the URL has the origin of `issuer`, a stand-in answers there |
//!
//! `store` and `secret_file` name files beside the configuration, or in the working directory if there is none. Without its secret
//! a store is of no use: every token is lost; so a new one is made only where the store is empty, and whoever moves records to another
//! store takes the same secret, and the same issuer, along. The issuer of the demo follows the port, and with another port its tokens are unknown.
//!
//! The file is the truth for the clients that it names: at each start they are registered, or changed to what it says. Others
//! are left alone. Who is signed in is kept in memory: after a restart people sign in again, and tokens go on.
//!
//! A scope that only clients or resources name is served too, without a description.
//!
//! Beside the endpoints, which the metadata names, there are `/login` and `/logout`, a home page, and `/api/me`: a
//! protected resource that answers `{"sub":…,"client_id":…,"scope":…}`, where `sub` is `null` for a token that a client
//! holds for itself. All of it is below the path of the issuer. `/healthz` and `/readyz`, which are not, tell whoever watches
//! over the process that it lives, and that its store answers.
//!
//! | file | holds |
//! |---|---|
//! | `main.rs` | start, output, end |
//! | `options.rs` | the command line |
//! | `config.rs` | the file, and where in it a mistake is |
//! | `store.rs`, `secret.rs` | where records live, and the secret that they depend on |
//! | `clients.rs` | the clients of the file, in a store that may know them already |
//! | `transfer.rs` | export and import |
//! | `management.rs` | the management API |
//! | `registration.rs` | clients that register themselves, or are described by a document |
//! | `mcp.rs` | what `[mcp]` turns on, and a stand-in for the MCP server |
//! | `signin.rs` | the pages of signing in and out, and the home page |
//! | `session.rs`, `users.rs`, `throttle.rs` | who is signed in where; passwords; how often they may be guessed |
//! | `pages.rs` | how pages look, and the headers that protect them |
//! | `api.rs` | `/api/me` |
//! | `health.rs` | `/healthz` and `/readyz` |
//! | `testing.rs` | `--testing` |

mod api;
mod clients;
mod config;
mod health;
mod management;
mod mcp;
mod options;
mod pages;
mod registration;
mod secret;
mod session;
mod signin;
mod store;
mod testing;
mod throttle;
mod transfer;
mod users;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use grantor::client::ClientMetadata;
use grantor::limit::{MemoryRateLimit, PeerAddress};
use grantor::store::Store;
use grantor::wire::uri::Issuer;
use grantor::{AuthorizationServer, Builder};
use tokio::net::TcpListener;
use tokio::signal;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::config::Config;
use crate::options::{Options, Task, USAGE};
use crate::session::Sessions;
use crate::signin::{App, Visitors};
use crate::store::Place;
use crate::throttle::Throttle;
use crate::users::Users;

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

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let is_demo = options.config.is_none();
    let mut config = match &options.config {
        Some(path) => Config::read(path)?,
        None => Config::demo()?,
    };
    match &options.task {
        Task::Serve => {}
        Task::Testing => return testing::serve(options.listen).await,
        Task::Export(path) => return Ok(transfer::export(open(&config).await?, path).await?),
        Task::Import(_) if matches!(config.store, Place::Memory) => {
            return Err("a store in memory would end with this command: start the server with --import instead".into());
        }
        Task::Import(path) => return Ok(transfer::import(open(&config).await?, path).await?),
        Task::Help => {
            println!("{USAGE}");
            return Ok(());
        }
    }
    let listen = options.listen.unwrap_or(config.listen);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}. Take another with --listen 127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    if is_demo {
        config.issuer = loopback_url(address);
    }

    clients::check(builder(&config), &config).await?;
    let store = open(&config).await?;
    if let Some(path) = &options.import {
        transfer::import(Arc::clone(&store), path).await?;
    }
    let server = build(&config, store).await?;
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
    let own = own.merge(health::routes(server.clone()));
    let router = own.merge(grantor::axum::router(server.clone(), Visitors(app)));
    let router = match &config.mcp {
        Some(mcp) => mcp.stand_in(router, server.clone(), &config.scopes),
        None => router,
    };
    let router = router.layer(axum::middleware::map_request(tell_peer));
    let purging = tokio::spawn(purge(server, config.registration));
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stopping(asked.clone()));
    tokio::select! {
        ended = serving => ended?,
        () = out_of_patience(asked) => eprintln!("some requests were cut off"),
    }
    purging.abort();
    Ok(())
}

async fn open(config: &Config) -> Result<Arc<dyn Store>, Box<dyn Error>> {
    Ok(config.store.open(config.accepted_loss).await.map_err(|error| config.store_problem(&error))?)
}

/// All of the server but the store.
fn builder(config: &Config) -> Builder {
    let mut builder = AuthorizationServer::builder(&config.issuer);
    if let Some(mcp) = &config.mcp {
        builder = builder.preset(mcp.preset(config.registration.is_on()));
    }
    builder = builder.lifetimes(config.lifetimes).limits(config.limits);
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
    config.management.apply(builder)
}

/// The authorization server, with its clients.
async fn build(config: &Config, store: Arc<dyn Store>) -> Result<AuthorizationServer, Box<dyn Error>> {
    let mut builder = config.registration.apply(builder(config))?;
    if let Some(path) = &config.secret_file {
        builder = builder.secret(secret::read_or_make(path, &*store).await?);
    }
    let server = builder.shared_store(store).build().map_err(|error| config.refused(&error))?;
    clients::put_in_place(&server, config).await?;
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
    println!("  store         {}", config.store.shown());
    println!("  metadata      {}", app.issuer.well_known("oauth-authorization-server"));
    if let Some(mcp) = &config.mcp {
        println!("  MCP server    {}", mcp.resource);
    }
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
        if redirect_uris.is_empty() {
            println!(
                "  client        {id}, public, on a device: cargo run --example device -- {}",
                app.issuer.as_str()
            );
            continue;
        }
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
async fn purge(server: AuthorizationServer, registration: registration::Registration) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        while server.purge(1_000).await.is_ok_and(|purged| purged.more) {
            tokio::task::yield_now().await;
        }
        registration.clean(&server).await;
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
