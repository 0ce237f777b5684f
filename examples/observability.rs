//! A server that one can watch: spans on the terminal, metrics and health over HTTP. `cargo run --example observability`
//!
//! The recorder below is small enough to read, and writes what Prometheus reads. A service takes one that is made for
//! the purpose (`metrics-exporter-prometheus`, `metrics-exporter-opentelemetry`), and `tracing-opentelemetry` as a layer
//! beside `fmt`: nothing else here changes.
#![allow(clippy::unwrap_used, missing_docs, missing_debug_implementations, reason = "an example")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::{Router, extract::State, routing::get};
use grantor::client::ClientMetadata;
use grantor::{AuthorizationServer, SignedIn, store::MemoryStore};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tracing_subscriber::fmt::format::FmtSpan;

/// Sums, by the line that Prometheus reads.
#[derive(Clone, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, f64>>>);

/// One metric with its labels: the name, and the labels in braces.
struct One(Sums, String, String);

impl One {
    fn add(&self, suffix: &str, value: f64) {
        let Self(sums, name, labels) = self;
        *sums.0.lock().unwrap().entry(format!("{name}{suffix}{labels}")).or_default() += value;
    }
}

impl CounterFn for One {
    #[allow(clippy::cast_precision_loss, reason = "an example")]
    fn increment(&self, value: u64) {
        self.add("", value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.add("_sum", value);
        self.add("_count", 1.0);
    }
}

impl Sums {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
        Arc::new(One(self.clone(), key.name().to_owned(), format!("{{{}}}", labels.join(","))))
    }

    fn text(&self) -> String {
        let sums = self.0.lock().unwrap();
        sums.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name} {value}");
            text
        })
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(server): State<AuthorizationServer>) -> StatusCode {
    match server.ready().await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_span_events(FmtSpan::CLOSE).with_writer(std::io::stderr).init();
    let sums = Sums::default();
    metrics::set_global_recorder(sums.clone()).map_err(|_| "there is a recorder already")?;

    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server =
        AuthorizationServer::builder(&issuer).store(MemoryStore::new()).default_scope("read", "Read").build()?;
    let metadata = ClientMetadata { grant_types: vec!["client_credentials".into()], ..ClientMetadata::default() };
    let made = server.clients().register(metadata).await?;
    let secret = made.secret.ok_or("a public client has no secret")?;
    println!("curl -u {}:{} -d grant_type=client_credentials {issuer}/token", made.client.id(), secret.expose());
    println!("curl {issuer}/metrics\ncurl -i {issuer}/readyz");

    let own = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(server.clone())
        .route("/metrics", get(move || std::future::ready(sums.text())));
    let nobody = |_: &axum::http::request::Parts| None::<SignedIn>;
    axum::serve(listener, own.merge(grantor::axum::router(server, nobody))).await?;
    Ok(())
}
