//! How often something may be asked for (ids T-05, RC-9; RFC 6585 §4).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grantor::Builder;
use grantor::clock::Timestamp;
use grantor::event::Refusal;
use grantor::limit::{By, Caller, Limited, MemoryRateLimit, PeerAddress, Rate, RateLimit, TooMany};
use grantor::refusal::{AuthorizeError, IntrospectError, RequestError, RevokeError, TokenError};
use http::{Request, StatusCode};

use crate::browser::stopped;
use crate::device::{TV, register_devices, with_devices};
use crate::harness::*;

fn from(address: &str, mut request: Request<String>) -> Request<String> {
    request.extensions_mut().insert(PeerAddress(address.parse().unwrap()));
    request
}

fn machine(client: Known) -> Request<String> {
    post_as(client, "/token", &[("grant_type", "client_credentials"), ("scope", "read")])
}

/// 429, when to come back, and nothing else of interest.
#[track_caller]
fn too_many(answer: &Answer, retry_after: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), Some(retry_after));
    assert_eq!(answer.field("error"), "temporarily_unavailable");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

fn two_a_minute(by: By) -> MemoryRateLimit {
    let rate = Rate::new(2, Duration::from_secs(30));
    let all = [Limited::Authorize, Limited::Token, Limited::Revoke, Limited::Introspect, Limited::DeviceAuthorization];
    all.into_iter().fold(MemoryRateLimit::new(), |limit, what| limit.limit(what, by, rate))
}

async fn world(limit: impl RateLimit) -> World {
    let world = World::with(|builder: Builder| with_devices(builder).rate_limit(limit)).await;
    register_devices(&world).await;
    world
}

/// How a request is made, as often as it is sent.
type Making = fn() -> Request<String>;

#[tokio::test]
async fn rfc6585_4_each_endpoint_answers_429_with_retry_after_and_lets_through_again_in_time() {
    let world = world(two_a_minute(By::Address)).await;
    let requests: [(&str, Making); 4] = [
        ("token", || machine(WEB)),
        ("revoke", || post_as(WEB, "/revoke", &[("token", "gat_x")])),
        ("introspect", || post_as(API, "/introspect", &[("token", "gat_x")])),
        ("device", || post_as(TV, "/device_authorization", &[("scope", "read")])),
    ];
    for (name, request) in requests {
        for _ in 0..2 {
            let answer = world.send(from("192.0.2.1", request())).await.answer();
            assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
        }
        world.take_events();
        too_many(&world.send(from("192.0.2.1", request())).await.answer(), "30");
        let limited = RequestError::RateLimited { retry_after: 30 };
        let expected = match name {
            "token" => Refusal::Token(TokenError::Request(limited)),
            "revoke" => Refusal::Revoke(RevokeError::Request(limited)),
            "introspect" => Refusal::Introspect(IntrospectError::Request(limited)),
            _ => Refusal::DeviceAuthorization(grantor::refusal::DeviceAuthorizationError::Request(limited)),
        };
        assert_eq!(world.take_refusals(), [expected]);
        // Others are none of it.
        assert_eq!(world.send(from("192.0.2.2", request())).await.answer().status, StatusCode::OK);
        world.advance(29);
        too_many(&world.send(from("192.0.2.1", request())).await.answer(), "1");
        world.advance(1);
        assert_eq!(world.send(from("192.0.2.1", request())).await.answer().status, StatusCode::OK, "{name}");
    }
    // The authorization endpoint answers people, and never redirects before it has looked at the request.
    let request = || {
        let uri = format!("/authorize?{}", encode(&world.valid_request(WEB)));
        from("192.0.2.1", Request::get(uri).body(String::new()).unwrap())
    };
    for _ in 0..2 {
        drop(world.send(request()).await.pending());
    }
    world.take_events();
    let answer = world.send(request()).await.answer();
    stopped(&answer, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), Some("30"));
    let limited = RequestError::RateLimited { retry_after: 30 };
    assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::Request(limited))]);
}

#[tokio::test]
async fn t_05_an_address_is_counted_as_one_however_it_is_written() {
    let world = world(two_a_minute(By::Address)).await;
    for spellings in [
        ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"],
        ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", "2001:db8:1:2:3:4:5:6"],
    ] {
        for (at, spelling) in spellings.into_iter().enumerate() {
            let answer = world.send(from(spelling, machine(WEB))).await.answer();
            let expected = if at < 2 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!(answer.status, expected, "{spelling}");
        }
    }
    // What a client writes into headers is no address.
    for number in 0..3 {
        let mut request = from("192.0.2.9", machine(WEB));
        for name in ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip"] {
            request.headers_mut().insert(name, format!("198.51.100.{number}").parse().unwrap());
        }
        let answer = world.send(request).await.answer();
        assert_eq!(answer.status == StatusCode::OK, number < 2);
    }
}

#[tokio::test]
async fn t_05_a_limit_holds_also_where_no_address_is_known() {
    let world = world(two_a_minute(By::Everyone)).await;
    for _ in 0..2 {
        assert_eq!(world.send(machine(WEB)).await.answer().status, StatusCode::OK);
    }
    too_many(&world.send(machine(POSTER)).await.answer(), "30");
}

#[tokio::test]
async fn t_05_a_client_is_counted_once_it_has_proved_who_it_is_and_not_before() {
    let world = world(two_a_minute(By::Client)).await;
    // A stranger cannot use up what is the client's, with its name and a wrong secret.
    for _ in 0..20 {
        world.send(machine(Known { secret: Some("wrong"), ..WEB })).await.answer().unauthenticated(true);
    }
    for _ in 0..2 {
        assert_eq!(world.send(machine(WEB)).await.answer().status, StatusCode::OK);
    }
    too_many(&world.send(machine(WEB)).await.answer(), "30");
    assert_eq!(world.send(machine(POSTER)).await.answer().status, StatusCode::OK);
    // A public client proves nothing, and nobody is counted by its name.
    for _ in 0..20 {
        let answer =
            world.send(post_as(CLI, "/token", &[("grant_type", "refresh_token"), ("refresh_token", "x")])).await;
        answer.answer().refused("invalid_grant");
    }
    // Refused before anything is decided: the code that came with it stays good.
    world.advance(60);
    let code = world.valid_code(WEB).await;
    for _ in 0..2 {
        assert_eq!(world.send(machine(WEB)).await.answer().status, StatusCode::OK);
    }
    too_many(&world.redeem(WEB, &code).await, "30");
    world.advance(30);
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rc_9_requests_at_once_do_not_get_through_together() {
    let rate = Rate::new(5, Duration::from_secs(60));
    let world = world(MemoryRateLimit::new().limit(Limited::Token, By::Address, rate)).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let server = world.server.clone();
            tokio::spawn(async move { ask(&server, from("192.0.2.1", machine(WEB))).await.status })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        passed += usize::from(task.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(passed, 5);
}

#[tokio::test]
async fn t_05_nothing_is_limited_unless_the_host_asks_for_it_but_devices() {
    let world = World::with(with_devices).await;
    register_devices(&world).await;
    for _ in 0..1_000 {
        assert_eq!(world.server_answers(from("192.0.2.1", machine(WEB))).await, StatusCode::OK);
    }
    let asked = || from("192.0.2.1", post_as(TV, "/device_authorization", &[("scope", "read")]));
    let mut passed = 0;
    for _ in 0..200 {
        passed += usize::from(world.server_answers(asked()).await == StatusCode::OK);
    }
    assert_eq!(passed, 60);
}

impl World {
    /// The status, without looking at the store each time.
    async fn server_answers(&self, request: Request<String>) -> StatusCode {
        ask(&self.server, request).await.status
    }
}

/// A limit of the host, which notes what it is asked.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl RateLimit for Noting {
    async fn take(&self, what: Limited, caller: Caller<'_>, _now: Timestamp) -> Result<(), TooMany> {
        self.0.lock().unwrap().push(format!("{what:?} {caller:?}"));
        match caller {
            Caller::Client(client) if client.as_str() == "poster" => {
                Err(TooMany { retry_after: Duration::from_millis(1_001) })
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn t_05_a_host_can_put_a_limit_of_its_own_in_place() {
    let noting = Noting::default();
    let world = world(noting.clone()).await;
    let asked = || std::mem::take(&mut *noting.0.lock().unwrap());
    assert_eq!(world.send(from("192.0.2.1", machine(WEB))).await.answer().status, StatusCode::OK);
    assert_eq!(asked(), ["Token Address(192.0.2.1)", "Token Everyone", "Token Client(\"web\")"]);
    too_many(&world.send(machine(POSTER)).await.answer(), "2");
    assert_eq!(asked(), ["Token Everyone", "Token Client(\"poster\")"]);
    let found = world.server.find_device("WDJB-MJHT", &"alice".into(), Some(PeerAddress([192, 0, 2, 3].into()))).await;
    assert!(found.is_err());
    assert_eq!(asked(), ["UserCode Subject(\"alice\")", "UserCode Address(192.0.2.3)", "UserCode Everyone"]);
}
