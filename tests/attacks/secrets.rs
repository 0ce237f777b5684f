//! Secrets at rest, in memory and between tenants, and where they come from (ids K; K-01 is in `printed.rs`).

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor::clock::Timestamp;
use grantor::entropy::{Entropy, EntropyError, SystemEntropy};
use grantor::manage::{ClientFilter, Registration};
use grantor::refusal::{ApproveError, ResumeError};
use grantor::secret::{Secret, SecretBytes};
use grantor::store::{Durability, Kind, MemoryStore, Store as _};
use grantor::{
    Approval, AuthorizationServer, Builder, ConfigError, ExtensionGrant, ExtensionRequest, Failure, Issue, Outcome,
    Require,
};
use http::{Request, StatusCode};

use crate::harness::*;
use crate::spy::{Spy, at_once};

#[tokio::test]
async fn k_02_a_dump_of_the_store_holds_nothing_that_can_be_presented() {
    let world = World::new().await;
    let mut artefacts: Vec<String> = Vec::new();
    for client in [WEB, POSTER, CLI] {
        artefacts.extend(client.secret.map(str::to_owned));
        let code = world.valid_code(client).await;
        let (access, refresh) = world.redeem(client, &code).await.tokens();
        let (newer, newest) = world.refresh(client, &refresh).await.tokens();
        artefacts.extend([code, access, refresh, newer, newest, world.valid_code(client).await]);
    }
    artefacts.push(world.machine_token(WEB).await);
    let suspended = {
        let pending = world.authorize(&world.valid_request(WEB)).await.pending();
        world.server.suspend(*pending, Some(&"alice".into())).unwrap()
    };
    artefacts.extend([suspended.handle, suspended.csrf]);

    // Neither the artefacts nor their random parts are there, in any spelling.
    let records = world.dump();
    let mut text = String::new();
    let mut bytes = Vec::new();
    for record in &records {
        write!(text, "{record:?}").unwrap();
        bytes.extend_from_slice(&record.key.id);
        bytes.extend_from_slice(record.payload.as_bytes());
        bytes.extend_from_slice(record.used.as_ref().map_or(&[], |used| &used.answer));
        text.push_str(&String::from_utf8_lossy(record.payload.as_bytes()));
    }
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    for artefact in &artefacts {
        let random = URL_SAFE_NO_PAD.decode(artefact.get(4..).unwrap_or_default()).unwrap_or_default();
        let random = if random.len() == 38 { random[..32].to_vec() } else { artefact.as_bytes().to_vec() };
        assert!(!contains(&bytes, &random) && !contains(&bytes, artefact.as_bytes()));
        let spellings = [artefact.clone(), hex(&random), STANDARD.encode(&random), URL_SAFE_NO_PAD.encode(&random)];
        assert!(spellings.iter().all(|spelling| !text.contains(spelling.as_str())));
    }

    // And nothing that is there opens anything, whatever it is presented as.
    let mut found: Vec<[u8; 32]> = records.iter().map(|record| record.key.id).collect();
    for record in &records {
        let payload = record.payload.as_bytes().windows(32).step_by(7).take(20);
        found.extend(payload.map(|window| <[u8; 32]>::try_from(window).unwrap()));
        let sealed = record.used.as_ref().map_or(&[][..], |used| &used.answer);
        found.extend(sealed.windows(32).take(40).map(|window| <[u8; 32]>::try_from(window).unwrap()));
    }
    for record in records.iter().filter(|record| record.key.kind == Kind::CLIENT) {
        let stored: serde_json::Value = serde_json::from_slice(record.payload.as_bytes()).unwrap();
        for secret in stored["secrets"].as_array().unwrap() {
            let digest: Vec<u8> = serde_json::from_value(secret["digest"].clone()).unwrap();
            let printed = secret["digest"].to_string();
            let spellings: [String; 4] =
                [hex(&digest), STANDARD.encode(&digest), URL_SAFE_NO_PAD.encode(&digest), printed];
            for guess in &spellings {
                for client in [WEB, POSTER] {
                    let parameters = [("grant_type", "client_credentials"), ("scope", "read")];
                    let mut request = post("/token", &parameters);
                    request.headers_mut().insert("authorization", basic(client.id, guess).parse().unwrap());
                    world.send(request).await.answer().unauthenticated(true);
                }
            }
            found.push(digest.try_into().unwrap());
        }
    }
    // The dump does not say how partitions are masked: somebody who knows it all the same gains nothing.
    let masks = artefacts.iter().filter(|artefact| artefact.len() == 55);
    let masks: Vec<Vec<u8>> =
        masks.map(|artefact| URL_SAFE_NO_PAD.decode(&artefact[4..]).unwrap()[32..34].to_vec()).collect();
    for (number, candidate) in found.iter().enumerate() {
        let mask = &masks[number % masks.len()];
        let token = |prefix| {
            reseal(&artefacts[1], prefix, |raw| {
                raw[..32].copy_from_slice(candidate);
                raw[32..].copy_from_slice(mask);
            })
        };
        assert!(world.server.verify(&token("gat_"), Require::any()).await.is_err());
        if number % 10 == 0 {
            world.redeem(WEB, &token("gac_")).await.refused("invalid_grant");
            world.refresh(WEB, &token("grt_")).await.refused("invalid_grant");
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Text that is remembered without being in memory: each byte has its high bit set.
struct Hidden(Vec<u8>);

impl Hidden {
    fn random() -> Self {
        let mut bytes = vec![0; 40];
        SystemEntropy.fill(&mut bytes).unwrap();
        for byte in &mut bytes {
            *byte = 0x80 | (*byte % 64 + b'?');
        }
        // All begin alike, so that one pass finds them all.
        bytes[0] = 0x80 | b'~';
        Self(bytes)
    }

    fn of(text: &str) -> Self {
        Self(text.bytes().map(|byte| byte | 0x80).collect())
    }

    fn reveal(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        text.extend(self.0.iter().map(|byte| char::from(byte & 0x7f)));
        text
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.0.len()
            && self.0.iter().zip(bytes).all(|(hidden, byte)| *hidden == byte | 0x80 && *byte < 0x80)
    }
}

/// How often each of them is in the writable memory of this process, this thread's stack excepted.
#[cfg(target_os = "linux")]
fn copies(hidden: &[&Hidden]) -> Vec<usize> {
    use std::os::unix::fs::FileExt as _;

    let stack = std::ptr::from_ref(&hidden) as usize as u64;
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut found = vec![0; hidden.len()];
    let mut buffer = vec![0_u8; 1 << 20];
    for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (address(start), address(end));
        if !rest.starts_with("rw") || (at..end).contains(&stack) {
            continue;
        }
        while at < end {
            // What was read before is no copy in the program's hands.
            buffer.fill(0);
            let wanted = usize::try_from(end - at).unwrap().min(buffer.len());
            let Ok(read) = memory.read_at(&mut buffer[..wanted], at) else { break };
            for first in 0..read {
                if matches!(buffer[first], b'~' | b'g') {
                    for (number, hidden) in hidden.iter().enumerate() {
                        found[number] += usize::from(hidden.is_at(&buffer[first..read]));
                    }
                }
            }
            // Pieces overlap, so that nothing hides between two of them.
            at += if read == buffer.len() { (read - 64) as u64 } else { read.max(1) as u64 };
        }
    }
    buffer.fill(0);
    found
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn k_03_a_dropped_secret_is_overwritten() {
    use zeroize::Zeroizing;

    let hidden: Vec<Hidden> = (0..5).map(|_| Hidden::random()).collect();
    let bytes = Hidden(hidden[3].0[..32].to_vec());
    let raw = || {
        let mut raw = [0_u8; 32];
        raw.iter_mut().zip(&bytes.0).for_each(|(raw, hidden)| *raw = hidden & 0x7f);
        raw
    };
    let held = (
        Secret::from(hidden[0].reveal()),
        Secret::new(Zeroizing::new(hidden[1].reveal()).as_str()),
        Secret::new(Zeroizing::new(hidden[2].reveal()).as_str()).clone(),
        Box::new(SecretBytes::new(raw())),
    );
    let sought: Vec<&Hidden> = hidden[..3].iter().chain([&bytes]).collect();
    assert!(copies(&sought).iter().all(|copies| *copies >= 1), "what is held is found: the search works");
    drop(held);
    assert_eq!(copies(&sought), [0; 4]);

    // The same for a secret that has been through the server: registered, presented, compared; and one that the server
    // made.
    let world = World::new().await;
    let registration = Registration {
        metadata: metadata(WEB),
        client_id: Some("hidden".into()),
        client_secret: Some(Secret::from(hidden[4].reveal())),
    };
    world.server.clients().register(registration).await.unwrap();
    let request = |secret: &Hidden| {
        let inside = Zeroizing::new(format!("hidden:{}", Zeroizing::new(secret.reveal()).as_str()));
        let header = format!("Basic {}", STANDARD.encode(inside.as_bytes()));
        let mut request = post("/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
        request.headers_mut().insert("authorization", header.parse().unwrap());
        request
    };
    assert_eq!(world.send(request(&hidden[4])).await.answer().status, StatusCode::OK);
    let made = world.server.clients().add_secret(&"hidden".into(), "", Timestamp::NEVER).await.unwrap();
    let second = Hidden::of(made.secret.expose());
    assert!(copies(&[&second])[0] >= 1, "the one that was handed out");
    drop(made);
    assert_eq!(world.send(request(&second)).await.answer().status, StatusCode::OK);
    assert_eq!(copies(&[&hidden[4], &second]), [0, 0]);
}

/// Randomness that comes to an end.
struct Dry(AtomicUsize);

impl Entropy for Dry {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { SystemEntropy.fill(buffer) } else { Err(EntropyError) }
    }
}

#[tokio::test]
async fn k_06_without_randomness_nothing_is_issued() {
    struct Grant;
    #[async_trait]
    impl ExtensionGrant for Grant {
        async fn decide(&self, _: ExtensionRequest<'_>) -> Result<Issue, grantor::refusal::ExtensionRefusal> {
            let (scope, resources) = ("read".parse().unwrap(), Vec::new());
            Ok(Issue { subject: "bob".into(), scope, resources, refresh_token: true })
        }
    }

    let entropy = Arc::new(Dry(AtomicUsize::new(usize::MAX)));
    let source = Arc::clone(&entropy);
    let configure = |builder: Builder| builder.entropy(source).grant_type("urn:example:grant", Grant);
    let (world, _) = Spy::world(configure).await;
    let grant_types = [&metadata(WEB).grant_types[..], &["urn:example:grant".to_owned()]].concat();
    let taker = Known { id: "taker", ..WEB };
    world.register(taker, grantor::client::ClientMetadata { grant_types, ..metadata(WEB) }).await;
    let left = |draws: usize| entropy.0.store(draws, Ordering::SeqCst);

    // Token requests, with every number of draws that is too few for them.
    let code = world.valid_code(taker).await;
    let (_, refresh) = world.tokens(taker).await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let own = [("grant_type", "client_credentials"), ("scope", "read")];
    let extension = [("grant_type", "urn:example:grant")];
    for (parameters, least) in [(&exchange[..], 2), (&refreshing, 2), (&own, 1), (&extension, 3)] {
        let before = world.dump();
        let mut failures = 0;
        loop {
            left(failures);
            let answer = at_once(&[&world], vec![post_as(taker, "/token", parameters)]).await.remove(0);
            if answer.status == StatusCode::OK {
                break;
            }
            assert_eq!(
                (answer.status, answer.field("error").as_str()),
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
            );
            assert_eq!(world.dump(), before, "nothing was written, and what was presented stays good");
            failures += 1;
        }
        assert_eq!(failures, least, "{parameters:?}");
    }

    // The authorization endpoint, the handle, the approval.
    let request = world.valid_request(taker);
    left(0);
    let uri = format!("/authorize?{}", encode(&request));
    let outcome = world.server.handle(Request::get(&uri).body(String::new()).unwrap()).await;
    let Outcome::Respond(response) = outcome else { panic!("asked without a name for the flow") };
    assert!(!Answer::of(response).body.contains("gac_"));
    let before = world.dump();
    for draws in 0..2 {
        left(usize::MAX);
        let pending = world.authorize(&request).await.pending();
        left(draws);
        let approved = world.server.approve(*pending, Approval::new("alice".into(), START)).await;
        assert_eq!(approved.unwrap_err(), ApproveError::Failure(Failure::Entropy));
    }
    left(usize::MAX);
    let pending = world.authorize(&request).await.pending();
    left(0);
    assert_eq!(world.server.suspend(*pending, None).unwrap_err(), Failure::Entropy);

    // Clients and secrets, and the key of the server itself.
    let clients = world.server.clients();
    for draws in 0..3 {
        left(draws);
        let refused = clients.register(Registration::from(metadata(WEB))).await.unwrap_err();
        assert_eq!(refused, grantor::manage::ManageError::Failure(Failure::Entropy), "after {draws} draws");
    }
    left(0);
    clients.add_secret(&WEB.id.into(), "", Timestamp::NEVER).await.unwrap_err();
    clients.rotate_secret(&WEB.id.into(), "", Duration::ZERO).await.unwrap_err();
    assert_eq!(world.dump(), before);
    assert_eq!(world.store.durability(), Durability::Volatile);
    let unkeyed =
        AuthorizationServer::builder(ISSUER).store(MemoryStore::new()).entropy(Arc::new(Dry(AtomicUsize::new(0))));
    assert_eq!(unkeyed.build().unwrap_err(), ConfigError::Entropy);
}

#[tokio::test]
async fn k_06_a_million_tokens_are_distinct() {
    const EACH: usize = 250_000;
    // The random parts of a million tokens, drawn where tokens draw them, in four threads and over many seeds.
    let draw = || {
        let mut drawn = Vec::with_capacity(EACH);
        for _ in 0..EACH {
            let mut random = [0_u8; 32];
            SystemEntropy.fill(&mut random).unwrap();
            drawn.push(random);
        }
        drawn
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
    let drawn: Vec<[u8; 32]> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    // No two share even their first half: that takes 128 bits to collide, not 256.
    let mut halves: Vec<u128> =
        drawn.iter().map(|random| u128::from_be_bytes(random[..16].try_into().unwrap())).collect();
    halves.sort_unstable();
    assert!(halves.windows(2).all(|pair| pair[0] != pair[1]));
    // Every bit is one as often as not: of 100,000 throws, half, give or take ten standard deviations.
    let some = &drawn[..100_000];
    for bit in 0..256 {
        let ones = some.iter().filter(|random| (random[bit / 8] >> (bit % 8)) & 1 == 1).count();
        assert!(ones.abs_diff(50_000) < 1_600, "bit {bit} was one {ones} times");
    }

    // And tokens themselves: each draws its own.
    let world = World::new().await;
    let mut texts = HashSet::new();
    for _ in 0..500 {
        let own = post_as(WEB, "/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
        let answer = at_once(&[&world], vec![own]).await.remove(0);
        assert!(texts.insert(answer.field("access_token")));
    }
}

#[tokio::test]
async fn k_07_what_one_tenant_issued_is_unknown_to_another() {
    // The same store, the same key, the same clients with the same secrets, the same users.
    let ours = World::new().await;
    let now = Arc::clone(&ours.clock);
    let theirs = AuthorizationServer::builder("https://other.example.com")
        .shared_store(Arc::clone(&ours.store) as _)
        .clock(now)
        .secret([7; 32])
        .default_scope("read", "Read your data")
        .scope("write", "Change your data")
        .scope("admin", "Manage everything")
        .build()
        .unwrap();
    assert!(theirs.clients().get(&WEB.id.into()).await.unwrap().is_none());
    let other = async |request: Request<String>| match theirs.handle(request).await {
        Outcome::Respond(response) => Answer::of(response),
        other => panic!("expected an answer, got {other:?}"),
    };
    let own = [("grant_type", "client_credentials"), ("scope", "read")];
    other(post_as(WEB, "/token", &own)).await.unauthenticated(true);
    for client in [WEB, POSTER, CLI] {
        let registration = Registration {
            metadata: metadata(client),
            client_id: Some(client.id.into()),
            client_secret: client.secret.map(Secret::new),
        };
        theirs.clients().register(registration).await.unwrap();
    }

    let code = ours.valid_code(WEB).await;
    let (access, refresh) = ours.tokens(WEB).await;
    let machine = ours.machine_token(WEB).await;
    let pending = ours.authorize(&ours.valid_request(WEB)).await.pending();
    let suspended = ours.server.suspend(*pending, None).unwrap();
    let before = ours.dump();

    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    other(post_as(WEB, "/token", &exchange)).await.refused("invalid_grant");
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    other(post_as(WEB, "/token", &refreshing)).await.refused("invalid_grant");
    assert_eq!(ours.dump(), before);
    for token in [&access, &refresh, &machine] {
        assert!(theirs.verify(token, Require::any()).await.is_err());
        let answer = other(post_as(WEB, "/introspect", &[("token", token)])).await;
        assert_eq!(answer.body, r#"{"active":false}"#);
        assert_eq!(other(post_as(WEB, "/revoke", &[("token", token)])).await.status, StatusCode::OK);
    }
    let mut headers = http::HeaderMap::new();
    let cookie = suspended.set_cookie.unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    headers.insert("cookie", cookie.parse().unwrap());
    assert_eq!(theirs.resume(&suspended.handle, &headers).await.unwrap_err(), ResumeError::Invalid);
    let alice = "alice".into();
    assert!(theirs.grants().of(&alice, None, 10).await.unwrap().items.is_empty());
    assert!(theirs.grants().to(&WEB.id.into(), None, 10).await.unwrap().items.is_empty());
    assert!(theirs.grants().apps(&alice, None, 10).await.unwrap().items.is_empty());
    assert_eq!(theirs.clients().list(&ClientFilter::default(), None, 100).await.unwrap().items.len(), 3);
    let grant = ours.server.grants().of(&alice, None, 10).await.unwrap().items.remove(0);
    theirs.grants().revoke(&grant.id).await.unwrap_err();
    theirs.grants().remove_app(&alice, &WEB.id.into()).await.unwrap_err();
    theirs.subjects().deactivate(&alice).await.unwrap();
    theirs.clients().delete(&WEB.id.into()).await.unwrap();
    theirs.clients().rotate_secret(&POSTER.id.into(), "", Duration::ZERO).await.unwrap();

    // Nothing of all this was felt here.
    assert!(ours.is_live(&access).await && ours.is_live(&machine).await);
    ours.refresh(WEB, &refresh).await.tokens();
    ours.redeem(WEB, &code).await.tokens();
    ours.tokens(POSTER).await;
    assert!(ours.server.resume(&suspended.handle, &headers).await.is_ok());
}
