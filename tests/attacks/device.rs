//! Device authorization: the endpoint and the grant (ids D; RFC 8628).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::entropy::{Entropy, EntropyError, SystemEntropy};
use grantor::event::{Refusal, What};
use grantor::refusal::{Dead, TokenError};
use grantor::store::{Kind, Record, State};
use grantor::wire::token::TokenKind;
use grantor::{Approval, Builder, DeviceAuthorization, DeviceDecision, Outcome, Subject};
use http::{Request, StatusCode};

use crate::harness::*;
use crate::spy::{Fault, Spy};

pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A public client on a device without a browser; device code and refresh.
pub const TV: Known = Known { id: "tv", secret: None, method: AuthMethod::None };
/// The same with a secret, by HTTP Basic.
pub const PRINTER: Known =
    Known { id: "printer", secret: Some("printer-secret-printer-secret-pr"), method: AuthMethod::ClientSecretBasic };

pub fn with_devices(builder: Builder) -> Builder {
    builder.device_authorization(DeviceAuthorization::default())
}

pub async fn register_devices(world: &World) {
    for client in [TV, PRINTER] {
        let grant_types = vec![DEVICE_GRANT.into(), "refresh_token".into()];
        world.register(client, ClientMetadata { redirect_uris: vec![], grant_types, ..metadata(client) }).await;
    }
    world.take_events();
}

pub async fn world() -> World {
    let world = World::with(with_devices).await;
    register_devices(&world).await;
    world
}

/// The two codes of a device that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub device_code: String,
    pub user_code: String,
}

pub async fn start(world: &World, client: Known) -> Waiting {
    let answer = world.post_as(client, "/device_authorization", &[("scope", "read write")]).await;
    Waiting { device_code: answer.field("device_code"), user_code: answer.field("user_code") }
}

pub fn polling(client: Known, device_code: &str) -> Request<String> {
    post_as(client, "/token", &[("grant_type", DEVICE_GRANT), ("device_code", device_code)])
}

pub async fn allow(world: &World, user_code: &str, user: &str) {
    let subject = Subject::from(user);
    let pending = world.server.find_device(user_code, &subject, None).await.unwrap();
    let decided = world.server.approve_device(pending, Approval::new(subject, world.now())).await;
    assert_eq!(decided.unwrap(), DeviceDecision::Approved);
}

impl World {
    /// Sends a request of a device that has to wait: all that changes is what the store knows of that device.
    pub async fn send_waiting(&self, request: Request<String>) -> Answer {
        let before = self.dump();
        let path = request.uri().path().to_owned();
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("expected an answer") };
        let (answer, after) = (Answer::of(response), self.dump());
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.body);
        self.check(&path, &answer, &after);
        assert_eq!(before.len(), after.len());
        let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        let [(was, is)] = changed[..] else { panic!("{} records changed", changed.len()) };
        let noted = Record { payload: is.payload.clone(), revision: was.revision + 1, ..Record::clone(was) };
        assert_eq!((was.key.kind, &**is), (Kind::DEVICE_CODE, &noted));
        answer
    }
}

#[tokio::test]
async fn rfc8628_3_2_a_device_is_told_what_to_show_and_how_long_to_wait() {
    let world = world().await;
    for client in [TV, PRINTER] {
        let answer = world.post_as(client, "/device_authorization", &[("scope", "read")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let json = answer.json().unwrap();
        let code = json["user_code"].as_str().unwrap();
        assert!(json["device_code"].as_str().unwrap().starts_with("gdc_"));
        assert_eq!(code.len(), 9);
        assert!(code.chars().enumerate().all(|(at, letter)| match at {
            4 => letter == '-',
            _ => "BCDFGHJKLMNPQRSTVWXZ".contains(letter),
        }));
        assert_eq!(json["verification_uri"], "https://auth.example.com/device");
        assert_eq!(json["verification_uri_complete"], format!("https://auth.example.com/device?user_code={code}"));
        assert_eq!((&json["expires_in"], &json["interval"]), (&600.into(), &5.into()));
        assert_eq!(json.as_object().unwrap().len(), 6);
        // Neither code is in the store, nor in what is told of it.
        let events = serde_json::to_string(&world.take_events()).unwrap();
        assert!(events.contains("device_started") && !events.contains(code));
        for record in world.dump() {
            let text = String::from_utf8_lossy(record.payload.as_bytes()).into_owned();
            assert!(!text.contains(code) && !text.contains(&code.replace('-', "")));
        }
    }
}

#[tokio::test]
async fn rfc8628_3_4_a_device_gets_tokens_once_its_user_agrees() {
    let world = world().await;
    for client in [TV, PRINTER] {
        let waiting = start(&world, client).await;
        world.send_waiting(polling(client, &waiting.device_code)).await.refused("authorization_pending");
        allow(&world, &waiting.user_code, "alice").await;
        world.advance(5);
        let answer = world.send(polling(client, &waiting.device_code)).await.answer();
        let (access, refresh) = answer.tokens();
        assert_eq!(answer.field("scope"), "read write");
        let told = world.introspect(client_that_may_ask(client), &access).await;
        if client == PRINTER {
            assert_eq!((&told["sub"], &told["client_id"]), (&"alice".into(), &"printer".into()));
        }
        assert!(world.is_live(&access).await);
        world.refresh(client, &refresh).await.tokens();
        let grants = world.server.grants().of(&"alice".into(), None, 10).await.unwrap().items;
        assert!(grants.iter().any(|grant| grant.client_id.as_str() == client.id && grant.live));
    }
}

fn client_that_may_ask(client: Known) -> Known {
    if client.secret.is_some() { client } else { API }
}

#[tokio::test]
async fn rfc8628_4_the_metadata_names_the_endpoint_where_there_is_one() {
    let metadata = |answer: Answer| answer.json().unwrap();
    let document = "/.well-known/oauth-authorization-server";
    let get = |path: &str| Request::get(path).body(String::new()).unwrap();
    let with = world().await;
    let there = metadata(with.send(get(document)).await.answer());
    assert_eq!(there["device_authorization_endpoint"], "https://auth.example.com/device_authorization");
    assert!(there["grant_types_supported"].as_array().unwrap().contains(&DEVICE_GRANT.into()));

    let without = World::new().await;
    let absent = metadata(without.send(get(document)).await.answer());
    assert!(absent.get("device_authorization_endpoint").is_none());
    assert!(!absent["grant_types_supported"].as_array().unwrap().contains(&DEVICE_GRANT.into()));
    let asked = without.send(post_as(WEB, "/device_authorization", &[])).await;
    assert!(matches!(asked, Sent::NotMine), "{asked:?}");
    without.send(polling(WEB, "gdc_x")).await.answer().refused("unsupported_grant_type");
    let grant_types = vec![DEVICE_GRANT.into()];
    let refused = without.server.clients().register(ClientMetadata { grant_types, ..ClientMetadata::default() }).await;
    assert!(refused.is_err(), "a grant type that is not served cannot be registered");
}

#[tokio::test]
async fn d_02_a_device_code_is_redeemed_once_and_a_replay_ends_what_it_bought() {
    let world = world().await;
    for client in [TV, PRINTER] {
        let bystander = start(&world, client).await;
        allow(&world, &bystander.user_code, "alice").await;
        let (other, _) = world.send(polling(client, &bystander.device_code)).await.answer().tokens();
        let waiting = start(&world, client).await;
        allow(&world, &waiting.user_code, "alice").await;
        let (access, refresh) = world.send(polling(client, &waiting.device_code)).await.answer().tokens();
        let (newer, newest) = world.refresh(client, &refresh).await.tokens();
        world.take_events();

        let replay = world.send_ending_a_grant(polling(client, &waiting.device_code)).await;
        replay.refused("invalid_grant");
        let told = world.take_events();
        assert!(told.iter().any(|event| event.what == What::Replayed { kind: TokenKind::DeviceCode }), "{told:?}");
        for token in [&access, &newer] {
            assert!(!world.is_live(token).await);
        }
        for token in [&refresh, &newest] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
        // Much later, and whatever was purged meanwhile: it stays redeemed.
        world.advance(3_600);
        world.server.purge(1_000).await.unwrap();
        world.take_events();
        world.send(polling(client, &waiting.device_code)).await.answer().refused("invalid_grant").same_as(&replay);
        assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::DeviceCodeReplayed)]);
        assert!(world.is_live(&other).await, "another device of the same user is another grant");
    }
}

#[tokio::test]
async fn d_02_a_device_code_in_doubt_is_refused_when_sent_again_and_ends_nothing() {
    let (world, spy) = Spy::world(with_devices).await;
    register_devices(&world).await;
    for fault in [Fault::InDoubtAndApplied, Fault::InDoubtAndLost] {
        let waiting = start(&world, TV).await;
        // A poll in doubt, while nobody has decided.
        spy.fail_next(fault);
        let unknown = ask(&world.server, polling(TV, &waiting.device_code)).await;
        assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "{}", unknown.body);
        world.advance(5);
        world.send_waiting(polling(TV, &waiting.device_code)).await.refused("authorization_pending");
        // And one after the user has agreed.
        allow(&world, &waiting.user_code, "alice").await;
        spy.fail_next(fault);
        let unknown = ask(&world.server, polling(TV, &waiting.device_code)).await;
        assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(unknown.header("retry-after"), Some("1"));
        world.take_events();
        let again = world.send(polling(TV, &waiting.device_code)).await.answer();
        if fault == Fault::InDoubtAndLost {
            again.tokens();
        } else {
            again.refused("invalid_grant");
            assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::DeviceCodeInDoubt)]);
            assert!(world.records(Kind::GRANT).iter().any(|grant| grant.state == State::Live));
        }
    }
}

#[tokio::test]
async fn d_03_a_device_that_does_not_wait_has_to_wait_longer_and_every_node_knows() {
    let world = world().await;
    let other = world.node(with_devices);
    let waiting = start(&world, TV).await;
    let poll = || polling(TV, &waiting.device_code);
    world.send_waiting(poll()).await.refused("authorization_pending");
    world.advance(4);
    other.send_waiting(poll()).await.refused("slow_down");
    // Ten seconds from here on. Five are not enough, and ten exactly are.
    world.advance(5);
    world.send_waiting(poll()).await.refused("slow_down");
    world.advance(14);
    other.send_waiting(poll()).await.refused("slow_down");
    world.advance(20);
    world.send_waiting(poll()).await.refused("authorization_pending");
    world.advance(19);
    let restarted = world.node(with_devices);
    restarted.send_waiting(poll()).await.refused("slow_down");
    world.advance(25);
    restarted.send_waiting(poll()).await.refused("authorization_pending");
    // Another device of the same client has an interval of its own.
    let second = start(&world, TV).await;
    world.send_waiting(polling(TV, &second.device_code)).await.refused("authorization_pending");
    world.advance(5);
    world.send_waiting(polling(TV, &second.device_code)).await.refused("authorization_pending");
}

#[tokio::test]
async fn d_05_a_device_that_asks_too_soon_after_the_user_agreed_gets_its_tokens() {
    let world = world().await;
    let waiting = start(&world, TV).await;
    for error in ["authorization_pending", "slow_down", "slow_down"] {
        world.send_waiting(polling(TV, &waiting.device_code)).await.refused(error);
    }
    allow(&world, &waiting.user_code, "alice").await;
    world.send(polling(TV, &waiting.device_code)).await.answer().tokens();
}

#[tokio::test]
async fn d_06_each_end_of_a_device_code_has_its_error() {
    let world = world().await;
    // Unknown, truncated, of another kind, empty.
    let waiting = start(&world, TV).await;
    let code = &waiting.device_code;
    let nothing = world.send(polling(TV, &reseal(code, "gdc_", |raw| raw.fill(0)))).await.answer();
    nothing.refused("invalid_grant");
    for wrong in [&code[..54], &code.replace("gdc_", "gac_"), &code.to_uppercase(), &format!("{code}x"), "x"] {
        world.send(polling(TV, wrong)).await.answer().refused("invalid_grant").same_as(&nothing);
    }
    world.send(polling(TV, "")).await.answer().refused("invalid_request");
    let other_grants = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    world.token(WEB, &other_grants).await.refused("invalid_grant");
    world.refresh(WEB, code).await.refused("invalid_grant");

    // Of another client: to it there is no such code, and its owner's stays good.
    world.send(polling(PRINTER, code)).await.answer().refused("invalid_grant").same_as(&nothing);
    allow(&world, &waiting.user_code, "alice").await;
    world.send(polling(PRINTER, code)).await.answer().refused("invalid_grant").same_as(&nothing);
    world.send(polling(TV, code)).await.answer().tokens();

    // Denied, for good.
    let denied = start(&world, TV).await;
    let pending = world.server.find_device(&denied.user_code, &"alice".into(), None).await.unwrap();
    assert_eq!(world.server.deny_device(pending).await.unwrap(), DeviceDecision::Denied);
    for _ in 0..2 {
        world.send(polling(TV, &denied.device_code)).await.answer().refused("access_denied");
    }

    // Expired: at the moment, not before, whether somebody agreed or not.
    for agreed in [false, true] {
        let late = start(&world, TV).await;
        world.advance(599);
        // (The store forgets older devices at the same time.)
        ask(&world.server, polling(TV, &late.device_code)).await.refused("authorization_pending");
        if agreed {
            allow(&world, &late.user_code, "alice").await;
        }
        world.advance(1);
        world.send(polling(TV, &late.device_code)).await.answer().refused("expired_token");
        assert!(world.server.find_device(&late.user_code, &"bob".into(), None).await.is_err());
    }
}

/// Randomness whose eight bytes at once, which name a user code, are what the test says.
struct Loaded(AtomicU64, u64);

impl Entropy for Loaded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        if buffer.len() == 8 {
            let drawn = self.0.fetch_add(1, Ordering::SeqCst);
            buffer.copy_from_slice(&(drawn / self.1).to_be_bytes());
            return Ok(());
        }
        SystemEntropy.fill(buffer)
    }
}

#[tokio::test]
async fn d_11_a_user_code_that_is_taken_is_drawn_again() {
    // Clients draw eight bytes too, when they are registered; each number comes three times.
    let entropy = Arc::new(Loaded(AtomicU64::new(0), 3));
    let world = World::with(|builder| with_devices(builder).entropy(entropy)).await;
    register_devices(&world).await;
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(start(&world, TV).await.user_code);
    }
    let distinct: std::collections::BTreeSet<&String> = codes.iter().collect();
    assert_eq!(distinct.len(), 20, "two devices wait under one code");
    assert_eq!(world.records(Kind::USER_CODE).len(), 20);

    // Where there are no others, nobody gets another's.
    let stuck = Arc::new(Loaded(AtomicU64::new(0), u64::MAX));
    let world = World::with(|builder| with_devices(builder).entropy(stuck)).await;
    register_devices(&world).await;
    let first = start(&world, TV).await;
    let second = ask(&world.server, post_as(TV, "/device_authorization", &[("scope", "read")])).await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.records(Kind::DEVICE_CODE).len(), 1);
    // Once the first is forgotten, its code is free.
    world.advance(661);
    world.server.purge(1_000).await.unwrap();
    assert_eq!(start(&world, TV).await.user_code, first.user_code);
}

#[tokio::test]
async fn d_12_devices_that_nobody_lets_in_are_forgotten() {
    let world = world().await;
    let before = world.dump().len();
    for _ in 0..50 {
        start(&world, TV).await;
        world.advance(1);
    }
    assert_eq!(world.dump().len(), before + 100);
    world.advance(661);
    while world.server.purge(1_000).await.unwrap().more {}
    assert_eq!(world.dump().len(), before);
}

#[tokio::test]
async fn d_13_a_device_request_is_held_to_what_the_client_may() {
    let world = world().await;
    let ask_as =
        async |client, parameters: &[(&str, &str)]| world.post_as(client, "/device_authorization", parameters).await;
    // Without the grant; and its code does not help at the token endpoint either.
    ask_as(WEB, &[("scope", "read")]).await.refused("unauthorized_client");
    let waiting = start(&world, TV).await;
    world.send(polling(WEB, &waiting.device_code)).await.answer().refused("unauthorized_client");
    // Without proof.
    let impostor = Known { secret: Some("wrong"), ..PRINTER };
    ask_as(impostor, &[("scope", "read")]).await.unauthenticated(true);
    ask_as(Known { secret: None, method: AuthMethod::None, ..PRINTER }, &[]).await.unauthenticated(false);
    ask_as(Known { id: "nobody", ..TV }, &[]).await.unauthenticated(false);
    world.send(post("/device_authorization", &[("scope", "read")])).await.answer().unauthenticated(false);
    // Scope and resource.
    for scope in ["nonsense", "read nonsense", "profile", "re\u{e4}d", "\"read\""] {
        ask_as(TV, &[("scope", scope)]).await.refused("invalid_scope");
    }
    for resource in ["https://unknown.example", "not a uri", "https://api.example.com#x"] {
        ask_as(TV, &[("scope", "read"), ("resource", resource)]).await.refused("invalid_target");
    }
    ask_as(TV, &[("scope", "read"), ("scope", "read")]).await.refused("invalid_request");
    // No scope is the default scope; what a device may not do, PKCE and all, is ignored.
    let answer = ask_as(TV, &[("code_challenge", "x"), ("redirect_uri", "https://evil.example")]).await;
    allow(&world, &answer.field("user_code"), "alice").await;
    let bought = world.send(polling(TV, &answer.field("device_code"))).await.answer();
    assert_eq!(bought.field("scope"), "read");
    // The methods and the form.
    let get = with_method(post_as(TV, "/device_authorization", &[]), http::Method::GET);
    assert_eq!(world.send(get).await.answer().status, StatusCode::METHOD_NOT_ALLOWED);
    let mut plain = post_as(TV, "/device_authorization", &[]);
    plain.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    world.send(plain).await.answer().refused("invalid_request");
}

#[tokio::test]
async fn d_13_a_token_for_a_device_is_for_the_resource_that_was_asked_for() {
    let world = world().await;
    let parameters = [("scope", "read"), ("resource", RESOURCE), ("resource", OTHER_RESOURCE)];
    let answer = world.post_as(TV, "/device_authorization", &parameters).await;
    let device_code = answer.field("device_code");
    allow(&world, &answer.field("user_code"), "alice").await;
    let buy = |resource| {
        let form = [("grant_type", DEVICE_GRANT), ("device_code", device_code.as_str()), ("resource", resource)];
        post_as(TV, "/token", &form)
    };
    world.send(buy("https://unknown.example")).await.answer().refused("invalid_target");
    let (access, _) = world.send(buy(RESOURCE)).await.answer().tokens();
    assert_eq!(world.introspect(API, &access).await["aud"], RESOURCE);
}

#[tokio::test]
async fn d_14_whatever_ends_between_approval_and_poll_ends_the_device_code() {
    let server = async || {
        let world = world().await;
        // Alice has let the television in before, so that there is something to take away.
        let before = start(&world, TV).await;
        allow(&world, &before.user_code, "alice").await;
        world.send(polling(TV, &before.device_code)).await.answer().tokens();
        let waiting = start(&world, TV).await;
        allow(&world, &waiting.user_code, "alice").await;
        (world, waiting)
    };
    let refused = async |world: &World, waiting: &Waiting, dead: Dead| {
        world.take_events();
        world.send(polling(TV, &waiting.device_code)).await.answer().refused("invalid_grant");
        assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::DeviceCodeDead(dead))]);
    };
    let alice = Subject::from("alice");

    let (world, waiting) = server().await;
    world.server.subjects().deactivate(&alice).await.unwrap();
    refused(&world, &waiting, Dead::SubjectInactive).await;
    world.server.subjects().activate(&alice).await.unwrap();
    refused(&world, &waiting, Dead::SubjectInactive).await;

    let (world, waiting) = server().await;
    world.server.grants().remove_app(&alice, &"tv".into()).await.unwrap();
    refused(&world, &waiting, Dead::GrantRevoked).await;

    let (world, waiting) = server().await;
    world.server.clients().deactivate(&"tv".into()).await.unwrap();
    world.send(polling(TV, &waiting.device_code)).await.answer().unauthenticated(false);
    world.server.clients().activate(&"tv".into()).await.unwrap();
    refused(&world, &waiting, Dead::ClientInactive).await;

    // A user who is locked out cannot let anything in.
    let (world, _) = server().await;
    world.server.subjects().deactivate(&alice).await.unwrap();
    let late = start(&world, TV).await;
    let pending = world.server.find_device(&late.user_code, &alice, None).await.unwrap();
    let decided = world.server.approve_device(pending, Approval::new(alice, world.now())).await;
    assert_eq!(decided.unwrap(), DeviceDecision::Denied);
    world.send(polling(TV, &late.device_code)).await.answer().refused("access_denied");
}

#[tokio::test]
async fn rfc8628_3_2_lifetime_and_interval_are_the_hosts_to_set_within_bounds() {
    let settings = DeviceAuthorization::default();
    let minute = Duration::from_secs(60);
    let configure = |settings| {
        let store = grantor::store::MemoryStore::new();
        let builder = grantor::AuthorizationServer::builder(ISSUER).store(store);
        builder.device_authorization(settings).build().is_ok()
    };
    assert!(configure(settings.lifetime(minute).interval(Duration::from_secs(1))));
    assert!(!configure(settings.lifetime(Duration::from_secs(59))));
    assert!(!configure(settings.lifetime(61 * minute)));
    assert!(!configure(settings.interval(Duration::ZERO)));
    assert!(!configure(settings.interval(Duration::from_secs(61))));

    let world = World::with(|builder| {
        builder.device_authorization(settings.lifetime(20 * minute).interval(Duration::from_secs(30)))
    });
    let world = world.await;
    register_devices(&world).await;
    let answer = world.post_as(TV, "/device_authorization", &[]).await.json().unwrap();
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&1_200.into(), &30.into()));
    let code = answer["device_code"].as_str().unwrap();
    world.send_waiting(polling(TV, code)).await.refused("authorization_pending");
    world.advance(29);
    world.send_waiting(polling(TV, code)).await.refused("slow_down");
}
