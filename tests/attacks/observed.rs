//! What instruments are told: spans and metrics, and no secret in either (ids K-01 and Q-10).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::device::{TV, allow, polling, register_devices, start, with_devices};
use crate::faulty::{FailingStore, Fault};
use crate::harness::*;
use grantor::store::{MemoryStore, Store};
use http::StatusCode;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// Counts by the whole name of a metric, labels included.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

struct One(Counts, String);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }

    fn absolute(&self, value: u64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value));
        self.increment(1);
    }
}

impl Counts {
    fn one(&self, key: &Key) -> Arc<One> {
        let mut labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        Arc::new(One(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

impl Recorder for Counts {
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

/// Where spans are written when they end.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn taken(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

/// Does this with instruments of its own, on this thread.
fn observed(work: impl AsyncFnOnce(&Counts, &Lines)) {
    use tracing_subscriber::fmt::format::FmtSpan;
    let (counts, lines) = (Counts::default(), Lines::default());
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // Another test may have met a span first, at a moment when nobody listened, and had it switched off for good.
        runtime.block_on(async { World::new().await.machine_token(WEB).await });
        tracing::callsite::rebuild_interest_cache();
        lines.taken();
        metrics::with_local_recorder(&counts.clone(), || runtime.block_on(work(&counts, &lines)));
    });
}

#[test]
fn k_01_spans_and_labels_are_few_words_and_hold_no_secret() {
    observed(async |counts, lines| {
        let world = World::with(with_devices).await;
        register_devices(&world).await;
        let mut secrets: Vec<String> =
            [WEB, POSTER, API].iter().filter_map(|known| known.secret).map(str::to_owned).collect();
        let code = world.valid_code(WEB).await;
        let (access, refresh) = world.redeem(WEB, &code).await.tokens();
        let (newer, newest) = world.refresh(WEB, &refresh).await.tokens();
        world.introspect(API, &access).await;
        world.post_as(WEB, "/revoke", &[("token", &newer)]).await;
        world.send_ending_a_grant(redemption(&code)).await.refused("invalid_grant");
        world.token(WEB, &[("grant_type", "nonsense-of-a-client")]).await.refused("unsupported_grant_type");
        world
            .token(
                Known { secret: Some("wrong-secret-of-a-client"), ..WEB },
                &[("grant_type", "refresh_token"), ("refresh_token", &newest)],
            )
            .await
            .unauthenticated(true);
        let waiting = start(&world, TV).await;
        world.send_waiting(polling(TV, &waiting.device_code)).await.refused("authorization_pending");
        allow(&world, &waiting.user_code, "alice").await;
        let (device, _) = world.send(polling(TV, &waiting.device_code)).await.answer().tokens();
        world.authorize(&[("client_id", "somebody-unknown")]).await.local();
        secrets.extend([code, access, refresh, newer, newest, device, waiting.device_code, waiting.user_code]);
        secrets.extend([VERIFIER, "wrong-secret-of-a-client", "nonsense-of-a-client", "alice"].map(str::to_owned));

        let names = counts.names();
        for name in &names {
            let labels = name.split_once('{').unwrap().1.trim_end_matches('}');
            for label in labels.split(',').filter(|label| !label.is_empty()) {
                let value = label.split_once('=').unwrap().1;
                let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.' | b':' | b'-');
                assert!(!value.is_empty() && value.bytes().all(plain), "{name}");
            }
        }
        let spans: String = lines
            .taken()
            .lines()
            .filter(|line| line.contains("close"))
            .fold(String::new(), |all, line| all + line + "\n");
        let told = names.join("\n");
        for secret in &secrets {
            assert!(!told.contains(secret.as_str()), "a label holds {secret}");
            assert!(!spans.contains(secret.as_str()), "a span holds {secret}");
        }
        for expected in [
            r#"grantor.request{endpoint="token" grant_type="authorization_code" outcome="done"}"#,
            r#"endpoint="token" grant_type="refresh_token" outcome="done"}"#,
            r#"reason="client.wrong_secret" outcome="refused"}"#,
            r#"endpoint="authorize" outcome="interact"}"#,
            r#"grantor.store{operation="commit" outcome="done"}"#,
        ] {
            assert!(spans.contains(expected), "{expected} is not in\n{spans}");
        }
    });
}

fn redemption(code: &str) -> http::Request<String> {
    crate::race::redemption(WEB, code)
}

#[test]
fn q_10_what_is_counted_is_what_happened() {
    observed(async |counts, _| {
        let memory = Arc::new(MemoryStore::new());
        let store = FailingStore::new(Arc::clone(&memory));
        let world = World::over(Arc::clone(&store) as Arc<dyn Store>, memory, |builder| builder).await;
        let (_, refresh) = world.tokens(WEB).await;
        world.refresh(WEB, &refresh).await.tokens();
        world.refresh(WEB, "grt_x").await.refused("invalid_grant");
        assert_eq!(world.server.ready().await, Ok(()));
        let loads = counts.of("grantor_store_calls_total{operation=load,outcome=done}");
        assert!(loads > 5);
        assert_eq!(counts.of("grantor_store_call_duration_seconds{operation=load}"), loads);
        for (name, expected) in [
            ("grantor_tokens_issued_total{grant_type=authorization_code}", 1),
            ("grantor_tokens_issued_total{grant_type=refresh_token}", 1),
            ("grantor_requests_total{endpoint=token,outcome=done}", 2),
            ("grantor_requests_total{endpoint=token,outcome=refused}", 1),
            ("grantor_requests_total{endpoint=authorize,outcome=interact}", 1),
            ("grantor_request_duration_seconds{endpoint=token,outcome=done}", 2),
            ("grantor_refusals_total{endpoint=token,reason=refresh_dead.unknown}", 1),
            ("grantor_failures_total{failure=unavailable}", 0),
        ] {
            assert_eq!(counts.of(name), expected, "{name} among {:?}", counts.names());
        }
        // The store goes away, the server says so, and both come back.
        store.go_down(Fault::Unavailable);
        assert_eq!(world.server.ready().await, Err(grantor::Failure::Unavailable));
        let away = ask(&world.server, post_as(WEB, "/token", &[("grant_type", "client_credentials")])).await;
        assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(counts.of("grantor_requests_total{endpoint=token,outcome=failed}"), 1);
        assert_eq!(counts.of("grantor_failures_total{failure=unavailable}"), 2);
        assert_eq!(counts.of("grantor_store_calls_total{operation=load,outcome=unavailable}"), 2);
        store.come_back();
        assert_eq!(world.server.ready().await, Ok(()));
    });
}
