//! What arrives at an exporter.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, SignedIn};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tower::ServiceExt as _;
use tracing::level_filters::LevelFilter;
use with_opentelemetry::{subscriber, traced};

#[tokio::test]
async fn a_request_its_store_calls_and_its_caller_are_one_trace() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    tracing::subscriber::set_global_default(subscriber(&provider, LevelFilter::DEBUG)).unwrap();
    let server = AuthorizationServer::builder("https://auth.example.com")
        .store(MemoryStore::new())
        .default_scope("read", "Read")
        .build()
        .unwrap();
    let router = traced(grantor::axum::router(server, |_: &Parts| None::<SignedIn>));

    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body(Body::from("grant_type=client_credentials&client_id=nobody&client_secret=7777777"))
        .unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let spans = exporter.get_finished_spans().unwrap();
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:?}"));
    let (http, request, store) = (named("http.request"), named("grantor.request"), named("grantor.store"));
    for span in [http, request, store] {
        assert_eq!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c", "{}", span.name);
    }
    assert_eq!(http.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(request.parent_span_id, http.span_context.span_id());
    assert_eq!(store.parent_span_id, request.span_context.span_id());
    let attribute =
        |key: &str| request.attributes.iter().find(|one| one.key.as_str() == key).map(|one| one.value.to_string());
    assert_eq!(attribute("endpoint").as_deref(), Some("token"));
    assert_eq!(attribute("outcome").as_deref(), Some("refused"));
    assert!(attribute("reason").is_some_and(|reason| reason.starts_with("client.")), "{request:?}");
    assert!(!format!("{spans:?}").contains("7777777"));
}
