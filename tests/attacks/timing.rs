//! What time tells (ids T): proved by types and by counting work, never by a clock.

use std::marker::PhantomData;

use grantor::secret::{Secret, SecretBytes};
use grantor::store::{Key, Kind};
use http::StatusCode;
use sha2::{Digest as _, Sha256};

use crate::harness::*;
use crate::spy::Spy;

/// Whether a type has a trait: the inherent constant is found first, where its bound holds.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code, reason = "hidden where the bound holds")]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        #[allow(dead_code, reason = "only its type is wanted")]
        struct Probe<T: ?Sized>(PhantomData<T>);
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "not there where the bound does not hold")]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

#[test]
fn t_01_secrets_cannot_be_compared_by_accident() {
    assert!(implements!(String: PartialEq) && implements!([u8; 32]: Ord), "the probe finds what is there");
    macro_rules! for_each_secret {
        ($($bound:path),+ $(,)?) => {
            $(
                assert!(!implements!(Secret: $bound), concat!("Secret has ", stringify!($bound)));
                assert!(!implements!(SecretBytes: $bound), concat!("SecretBytes has ", stringify!($bound)));
            )+
        };
    }
    // To compare, to sort and to look up, which compares; to print; and what would lend the text to something that
    // does.
    for_each_secret!(
        PartialEq,
        PartialEq<str>,
        PartialEq<String>,
        PartialEq<[u8]>,
        Eq,
        PartialOrd,
        Ord,
        std::hash::Hash,
        std::fmt::Display,
        std::fmt::LowerHex,
        serde::Serialize,
        std::ops::Deref,
        AsRef<str>,
        AsRef<[u8]>,
        std::borrow::Borrow<str>,
        std::borrow::Borrow<[u8]>,
        Into<String>,
        Into<Vec<u8>>,
        IntoIterator,
        Copy,
    );
}

/// The digest under which a token is kept.
fn id_of(kind: Kind, token: &str) -> [u8; 32] {
    use base64::Engine as _;
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token[4..]).unwrap();
    let tenant = &Sha256::digest(ISSUER)[..16];
    Sha256::digest([tenant, &[kind.0], &raw[..32]].concat()).into()
}

/// A request for each way to present a token.
fn presentations(client: Known, token: &str) -> Vec<http::Request<String>> {
    vec![
        post_as(
            client,
            "/token",
            &[("grant_type", "authorization_code"), ("code", token), ("code_verifier", VERIFIER)],
        ),
        post_as(client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]),
        post_as(client, "/revoke", &[("token", token)]),
        post_as(client, "/introspect", &[("token", token)]),
    ]
}

#[tokio::test]
async fn t_01_the_place_of_a_mismatch_does_not_show() {
    let (world, spy) = Spy::world(|builder| builder).await;
    let own = [("grant_type", "client_credentials"), ("scope", "read")];
    // A client secret that is wrong in its first byte, in its last, or in any between: the same answer for the same
    // work.
    for client in [WEB, POSTER] {
        let right = client.secret.unwrap();
        let mut seen = Vec::new();
        for at in 0..right.len() {
            let wrong: String = right
                .bytes()
                .enumerate()
                .map(|(place, byte)| char::from(if place == at { b'!' } else { byte }))
                .collect();
            let request = if client == WEB {
                let mut request = post("/token", &own);
                request.headers_mut().insert("authorization", basic(client.id, &wrong).parse().unwrap());
                request
            } else {
                post("/token", &[&own[..], &[("client_id", client.id), ("client_secret", &wrong)]].concat())
            };
            let answer = world.send(request).await.answer();
            answer.unauthenticated(client == WEB);
            seen.push((answer, spy.work().amount()));
        }
        for (answer, work) in &seen {
            answer.same_as(&seen[0].0);
            assert_eq!(work, &(vec![1], 0));
        }
    }
    // Tokens of each kind with a sound checksum, wrong in one place: each is looked up whole, and nothing is found.
    let code = world.valid_code(WEB).await;
    let (access, refresh) = world.tokens(WEB).await;
    for (token, prefix) in [(&code, "gac_"), (&access, "gat_"), (&refresh, "grt_")] {
        let mut seen: Vec<Vec<_>> = Vec::new();
        for at in 0..32 {
            let wrong = reseal(token, prefix, |raw| raw[at] ^= 0x80);
            spy.work();
            let mut answers = Vec::new();
            for request in presentations(WEB, &wrong) {
                let answer = world.send(request).await.answer();
                answers.push((format!("{} {}", answer.status, answer.body), spy.work().amount()));
            }
            seen.push(answers);
        }
        assert!(seen.iter().all(|answers| *answers == seen[0]));
    }
    // A verifier that is wrong in one place.
    let mut seen = Vec::new();
    for at in 0..VERIFIER.len() {
        let wrong: String = VERIFIER
            .bytes()
            .enumerate()
            .map(|(place, byte)| char::from(if place == at { b'~' } else { byte }))
            .collect();
        let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", &wrong)];
        spy.work();
        let answer = world.token(WEB, &exchange).await;
        answer.refused("invalid_grant");
        seen.push((answer.body, spy.work().amount()));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]));
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test]
async fn t_02_lookups_go_by_digest() {
    let (world, spy) = Spy::world(|builder| builder).await;
    let code = world.valid_code(WEB).await;
    let fresh = world.valid_code(WEB).await;
    let (access, refresh) = world.redeem(WEB, &code).await.tokens();
    spy.work();
    for (token, kind) in [
        (&fresh, Kind::CODE),
        (&code, Kind::CODE),
        (&access, Kind::ACCESS_TOKEN),
        (&refresh, Kind::REFRESH_TOKEN),
        (&reseal(&fresh, "gac_", |raw| raw[0] ^= 1), Kind::CODE),
        (&reseal(&access, "gat_", |raw| raw[0] ^= 1), Kind::ACCESS_TOKEN),
        (&reseal(&refresh, "grt_", |raw| raw[0] ^= 1), Kind::REFRESH_TOKEN),
    ] {
        let verified = world.server.verify(token, grantor::Require::any()).await;
        let mut keys: Vec<Key> = spy.work().loads.concat();
        assert_eq!(keys.is_empty(), kind != Kind::ACCESS_TOKEN);
        assert_eq!(verified.is_ok(), token == &access);
        for request in presentations(API, token) {
            world.send(request).await.answer();
            keys.extend(spy.work().loads.concat());
        }
        keys.retain(|key| key.kind == kind);
        assert!(!keys.is_empty());
        for key in keys {
            assert_eq!(key.id, id_of(kind, token), "the name in the store is a digest of the whole random part");
        }
    }
    // And so go the names under which they are kept.
    let stored = |kind| world.records(kind).into_iter().map(|record| record.key.id).collect::<Vec<_>>();
    assert!(stored(Kind::CODE).contains(&id_of(Kind::CODE, &fresh)));
    assert!(stored(Kind::ACCESS_TOKEN).contains(&id_of(Kind::ACCESS_TOKEN, &access)));
    assert!(stored(Kind::REFRESH_TOKEN).contains(&id_of(Kind::REFRESH_TOKEN, &refresh)));
}

#[tokio::test]
async fn t_03_an_unknown_client_costs_what_a_wrong_secret_costs() {
    let (world, spy) = Spy::world(|builder| builder).await;
    let (access, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    world.server.clients().deactivate(&LEGACY.id.into()).await.unwrap();
    let wrong = |id: &'static str| Known { id, secret: Some("wrong-secret-wrong-secret"), ..WEB };
    let mut requests: Vec<Vec<http::Request<String>>> = Vec::new();
    for id in ["nobody", WEB.id, POSTER.id, CLI.id, LEGACY.id, API.id] {
        let client = wrong(id);
        let mut row = presentations(client, &access);
        row.extend(presentations(client, &refresh));
        row.extend(presentations(client, &code));
        row.push(post_as(client, "/token", &[("grant_type", "client_credentials"), ("scope", "read")]));
        requests.push(row);
    }
    let mut seen = Vec::new();
    for row in requests {
        let mut answers = Vec::new();
        for request in row {
            spy.work();
            let answer = world.send(request).await.answer();
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            answers.push((answer, spy.work().amount()));
        }
        seen.push(answers);
    }
    // The store is asked once for each, for as much, and nothing is written. That the secret is hashed and compared
    // either way is proved beside the comparison, in `client/authenticate.rs`.
    for answers in &seen {
        for ((answer, work), (first, first_work)) in answers.iter().zip(&seen[0]) {
            answer.same_as(first);
            assert_eq!(work, first_work);
            assert_eq!((work.0.len(), work.1), (1, 0));
        }
    }
}
