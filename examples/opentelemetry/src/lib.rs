//! What a host adds, so that a server's spans are part of whatever trace the request belongs to.

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument as _, Subscriber, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// Sends every span to this provider. Calls of the store have the level `DEBUG`: with `INFO` there are only requests.
pub fn subscriber(provider: &SdkTracerProvider, level: LevelFilter) -> impl Subscriber + Send + Sync + use<> {
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("auth"));
    tracing_subscriber::registry().with(level).with(spans)
}

/// Opens a span for each request, below the one that `traceparent` names (W3C Trace Context). The server's own span
/// `grantor.request` comes to stand below this one by itself.
pub fn traced(router: Router) -> Router {
    router.layer(from_fn(traced_request))
}

async fn traced_request(request: Request, next: Next) -> Response {
    // The path and not the query, in which codes travel.
    let span = info_span!("http.request", method = %request.method(), path = request.uri().path());
    let caller = TraceContextPropagator::new().extract(&Headers(request.headers()));
    // Fails only where no layer takes spans, and then there is nothing to be below of.
    let _ = span.set_parent(caller);
    next.run(request).instrument(span).await
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
