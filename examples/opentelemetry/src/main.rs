//! A server whose spans OpenTelemetry gets: `cargo run --manifest-path examples/opentelemetry/Cargo.toml`
//!
//! They are written to the terminal. A service puts `opentelemetry-otlp` in place of `opentelemetry-stdout`, and
//! `with_batch_exporter` in place of `with_simple_exporter`: the rest stays.

use axum::http::request::Parts;
use grantor::client::ClientMetadata;
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, SignedIn};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use with_opentelemetry::{subscriber, traced};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider =
        SdkTracerProvider::builder().with_simple_exporter(opentelemetry_stdout::SpanExporter::default()).build();

    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server =
        AuthorizationServer::builder(&issuer).store(MemoryStore::new()).default_scope("read", "Read").build()?;
    let metadata = ClientMetadata { grant_types: vec!["client_credentials".into()], ..ClientMetadata::default() };
    let made = server.clients().register(metadata).await?;
    let secret = made.secret.ok_or("a public client has no secret")?;
    println!("curl -u {}:{} -d grant_type=client_credentials {issuer}/token", made.client.id(), secret.expose());

    tracing::subscriber::set_global_default(subscriber(&provider, LevelFilter::DEBUG))?;
    let nobody = |_: &Parts| None::<SignedIn>;
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, traced(grantor::axum::router(server, nobody))).with_graceful_shutdown(stop).await?;
    // What a batch still holds is sent now, or never.
    Ok(provider.shutdown()?)
}
