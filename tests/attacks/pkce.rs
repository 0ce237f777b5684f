//! Proof Key for Code Exchange (ids P).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::ClientId;
use grantor::client::{ClientMetadata, MetadataError};
use grantor::event::Refusal;
use grantor::manage::ManageError;
use grantor::refusal::{AuthorizeError, TokenError};
use grantor::store::{Commit, Committed, Kind, Payload, Record, Store as _, Write};

use crate::harness::*;

const STATE: &str = "a b&c=d/é";

/// An exchange with this verifier, or with none.
fn exchange<'p>(code: &'p str, verifier: Option<&'p str>) -> Vec<(&'p str, &'p str)> {
    let mut parameters = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    parameters
}

/// A request without a challenge.
fn stripped(world: &World, client: Known) -> Vec<(&'static str, &'static str)> {
    without(&without(&world.valid_request(client), "code_challenge"), "code_challenge_method")
}

/// None of these verifiers redeems a code of this client, and afterwards the right one does.
async fn refuse_all(client: Known, verifiers: &[Option<&str>], why: TokenError) {
    let world = World::new().await;
    let code = world.valid_code(client).await;
    world.take_events();
    let first = world.token(client, &exchange(&code, verifiers[0])).await;
    for verifier in verifiers {
        let answer = world.token(client, &exchange(&code, *verifier)).await;
        answer.refused("invalid_grant").same_as(&first);
    }
    let refusals = world.take_refusals();
    assert_eq!(refusals.len(), verifiers.len() + 1);
    assert!(refusals.into_iter().all(|refusal| refusal == Refusal::Token(why)));
    world.token(client, &exchange(&code, Some(VERIFIER))).await.tokens();
}

#[tokio::test]
async fn p_01_a_request_without_a_challenge_is_refused() {
    let world = World::new().await;
    for client in [WEB, CLI] {
        let sent = world.authorize(&stripped(&world, client)).await;
        let redirect = sent.redirected(CALLBACK, "invalid_request", Some(STATE));
        assert_eq!(redirect.parameters["error_description"], "code challenge required");
        let sent = world.send(post("/authorize", &stripped(&world, client))).await;
        sent.redirected(CALLBACK, "invalid_request", Some(STATE));
        assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ChallengeMissing); 2]);
    }
    let poster = world.authorize(&stripped(&world, POSTER)).await;
    poster.redirected("https://poster.example/cb", "invalid_request", Some(STATE));
    // A confidential client may be registered without; a public one may not.
    let _ = world.authorize(&stripped(&world, LEGACY)).await.pending();
    let metadata = ClientMetadata { require_pkce: false, ..metadata(CLI) };
    let refused = world.server.clients().register(metadata).await.unwrap_err();
    assert_eq!(refused, ManageError::Metadata(MetadataError::PublicWithoutPkce));
}

#[tokio::test]
async fn p_03_a_method_other_than_s256_is_refused() {
    let world = World::new().await;
    let methods = [
        "plain",
        "Plain",
        "PLAIN",
        "s256",
        "S512",
        "S384",
        "SHA256",
        "SHA-256",
        "none",
        "",
        " ",
        "S256 ",
        " S256",
        "S256\u{200b}",
        "S256,plain",
        "S256 plain",
        "\"S256\"",
        "S\u{ff12}56",
        "\u{405}256",
    ];
    for client in [WEB, CLI, LEGACY] {
        for method in methods {
            for challenge in [CHALLENGE, VERIFIER] {
                let changes = [("code_challenge", challenge), ("code_challenge_method", method)];
                let sent = world.authorize(&changed(&world.valid_request(client), &changes)).await;
                sent.redirected(CALLBACK, "invalid_request", Some(STATE));
                assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ChallengeMethod)], "{method:?}");
            }
        }
    }
}

#[tokio::test]
async fn p_03_a_challenge_without_a_method_is_refused() {
    let world = World::new().await;
    for client in [WEB, CLI, LEGACY] {
        for challenge in [CHALLENGE, VERIFIER, "x"] {
            let request = changed(&world.valid_request(client), &[("code_challenge", challenge)]);
            let sent = world.authorize(&without(&request, "code_challenge_method")).await;
            sent.redirected(CALLBACK, "invalid_request", Some(STATE));
        }
        // Nor a method without a challenge, also where neither is required.
        let sent = world.authorize(&without(&world.valid_request(client), "code_challenge")).await;
        sent.redirected(CALLBACK, "invalid_request", Some(STATE));
    }
}

#[tokio::test]
async fn p_05_a_challenge_that_is_no_sha256_digest_is_refused() {
    let world = World::new().await;
    let cut = |length: usize| CHALLENGE[..length].to_owned();
    let ending = |end: char| format!("{}{end}", &CHALLENGE[..42]);
    let challenges = [
        String::new(),
        "x".into(),
        cut(42),
        format!("{CHALLENGE}A"),
        CHALLENGE.repeat(3),
        "A".repeat(129),
        "A".repeat(16_000),
        format!("{CHALLENGE}="),
        format!("{}=", cut(42)),
        format!("{CHALLENGE}=="),
        CHALLENGE.replacen('-', "+", 1),
        CHALLENGE.replacen('M', "/", 1),
        CHALLENGE.replacen('M', ".", 1),
        CHALLENGE.replacen('M', "~", 1),
        CHALLENGE.replacen('M', " ", 1),
        CHALLENGE.replacen('M', "%", 1),
        CHALLENGE.replacen('M', "\u{e9}", 1),
        format!("{}\u{e9}", cut(41)),
        format!(" {}", cut(42)),
        format!("{} ", cut(42)),
        // The last character has two bits that say nothing: another spelling of the same digest.
        ending('N'),
        ending('O'),
        ending('P'),
        // A digest in hexadecimal.
        "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3".into(),
    ];
    for client in [WEB, CLI, LEGACY] {
        for challenge in &challenges {
            let request = changed(&world.valid_request(client), &[("code_challenge", challenge)]);
            world.authorize(&request).await.redirected(CALLBACK, "invalid_request", Some(STATE));
            let malformed = Refusal::Authorize(AuthorizeError::ChallengeMalformed);
            assert_eq!(world.take_refusals(), [malformed], "{challenge}");
        }
    }
}

#[tokio::test]
async fn p_06_a_missing_verifier_is_refused_and_the_code_stays_good() {
    for client in [WEB, CLI, LEGACY] {
        refuse_all(client, &[None, Some("")], TokenError::VerifierMissing).await;
        let blank = " ".repeat(43);
        refuse_all(client, &[Some(" "), Some(&blank), Some("\u{a0}"), Some("null")], TokenError::VerifierWrong).await;
    }
}

#[tokio::test]
async fn p_08_a_wrong_verifier_is_refused_and_the_code_stays_good() {
    let replaced = format!("e{}", &VERIFIER[1..]);
    let last = format!("{}l", &VERIFIER[..42]);
    let upper = VERIFIER.to_uppercase();
    let twice = VERIFIER.repeat(2);
    // The digest as bytes and as base64 of bytes: a verifier is hashed as it is, never decoded first.
    let digest = URL_SAFE_NO_PAD.decode(CHALLENGE).unwrap();
    let hexadecimal = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let other = "3641a2d12d66101249cdf7a79c000c1f8c05d2aafcf14bf146497bed";
    let zeros = "A".repeat(43);
    let verifiers =
        [&replaced, &last, &upper, &twice, &hexadecimal, other, &zeros].map(|verifier: &str| Some(verifier));
    for client in [WEB, CLI, LEGACY] {
        refuse_all(client, &verifiers, TokenError::VerifierWrong).await;
    }
}

#[tokio::test]
async fn p_08_the_challenge_is_no_verifier() {
    for client in [WEB, CLI, LEGACY] {
        refuse_all(client, &[Some(CHALLENGE)], TokenError::VerifierWrong).await;
    }
    // Whatever the request says about it at the token endpoint.
    let world = World::new().await;
    let code = world.valid_code(WEB).await;
    let hints = [("code_challenge", CHALLENGE), ("code_challenge_method", "plain")];
    let parameters = [exchange(&code, Some(CHALLENGE)), hints.to_vec()].concat();
    world.token(WEB, &parameters).await.refused("invalid_grant");
}

#[tokio::test]
async fn p_08_a_verifier_of_bad_length_or_alphabet_is_refused() {
    let cut = &VERIFIER[..42];
    let padded = format!("{VERIFIER}=");
    let spaced = format!("{VERIFIER} ");
    let before = format!(" {VERIFIER}");
    let long = "a".repeat(129);
    let endless = "a".repeat(16_000);
    let odd = ["+", "/", "=", "%", "\u{e9}", "\u{200b}"].map(|odd| format!("{}{odd}", &VERIFIER[..43]));
    let mut verifiers: Vec<_> =
        [cut, &padded, &spaced, &before, &long, &endless, "a"].map(|verifier: &str| Some(verifier)).to_vec();
    verifiers.extend(odd.iter().map(|verifier| Some(verifier.as_str())));
    for client in [WEB, CLI] {
        refuse_all(client, &verifiers, TokenError::VerifierWrong).await;
    }
    // Also where the challenge was made from it: the length is a rule of its own.
    let world = World::new().await;
    for (verifier, good) in
        [(&"a".repeat(42), false), (&"a".repeat(43), true), (&"~.-_".repeat(32), true), (&long, false)]
    {
        let challenge = challenge_of(verifier);
        let request = changed(&world.valid_request(WEB), &[("code_challenge", &challenge)]);
        let code = world.code(&request, "alice").await;
        let answer = world.token(WEB, &exchange(&code, Some(verifier))).await;
        if good {
            answer.tokens();
        } else {
            answer.refused("invalid_grant");
        }
    }
}

fn challenge_of(verifier: &str) -> String {
    use sha2::Digest as _;
    URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier))
}

#[tokio::test]
async fn p_09_a_stripped_challenge_is_noticed_when_pkce_is_required() {
    let world = World::new().await;
    for client in [WEB, CLI] {
        for request in [
            stripped(&world, client),
            without(&world.valid_request(client), "code_challenge"),
            changed(&world.valid_request(client), &[("code_challenge", "")]),
            changed(&world.valid_request(client), &[("code_challenge", ""), ("code_challenge_method", "")]),
            changed(&world.valid_request(client), &[("code_challenge_method", "plain")]),
        ] {
            world.authorize(&request).await.redirected(CALLBACK, "invalid_request", Some(STATE));
        }
    }
}

#[tokio::test]
async fn p_09_a_verifier_without_a_challenge_is_refused_when_pkce_is_optional() {
    let world = World::new().await;
    // The attacker took the challenge out of the request and injects the code into the session of the client, which
    // sends its verifier.
    let code = world.code(&stripped(&world, LEGACY), "alice").await;
    world.take_events();
    for verifier in [VERIFIER, "x", CHALLENGE] {
        world.token(LEGACY, &exchange(&code, Some(verifier))).await.refused("invalid_request");
        assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::VerifierUnexpected)]);
    }
    // Half a challenge is a mistake and not a request without one.
    for request in [
        without(&world.valid_request(LEGACY), "code_challenge"),
        changed(&world.valid_request(LEGACY), &[("code_challenge", "")]),
        changed(&world.valid_request(LEGACY), &[("code_challenge", ""), ("code_challenge_method", "")]),
    ] {
        world.authorize(&request).await.redirected(CALLBACK, "invalid_request", Some(STATE));
    }
    // With a challenge, the verifier is needed though PKCE is optional; without one, the client that sends none is
    // served.
    let bound = world.valid_code(LEGACY).await;
    world.token(LEGACY, &exchange(&bound, None)).await.refused("invalid_grant");
    world.token(LEGACY, &exchange(&code, None)).await.tokens();
}

#[tokio::test]
async fn p_09_a_code_without_a_challenge_buys_nothing_once_pkce_is_required() {
    let world = World::new().await;
    let code = world.code(&stripped(&world, LEGACY), "alice").await;
    let clients = world.server.clients();
    let id = ClientId::from(LEGACY.id);
    let revision = clients.get(&id).await.unwrap().unwrap().revision();
    let strict = ClientMetadata { require_pkce: true, ..metadata(LEGACY) };
    clients.update(&id, revision, strict).await.unwrap();
    for verifier in [None, Some(VERIFIER)] {
        world.token(LEGACY, &exchange(&code, verifier)).await.refused("invalid_grant");
    }
}

/// The payload of the only code, changed.
async fn corrupt(world: &World, change: impl FnOnce(&mut Vec<u8>, usize)) {
    let records = world.dump();
    let mut codes = records.iter().filter(|record| record.key.kind == Kind::CODE);
    let code: &Record = codes.next().unwrap();
    assert!(codes.next().is_none());
    let mut payload = code.payload.as_bytes().to_vec();
    let digest = URL_SAFE_NO_PAD.decode(CHALLENGE).unwrap();
    let at = payload.windows(32).position(|window| window == digest).unwrap();
    // The tag of the challenge, and its length.
    assert_eq!(payload[at - 2..at], [7, 32]);
    change(&mut payload, at);
    let record = Record { payload: Payload::new(payload), ..code.clone() };
    let commit = Commit {
        tenant: record.tenant,
        partition: record.key.partition,
        at: world.now(),
        conditions: Vec::new(),
        writes: vec![Write::Replace(Arc::new(record))],
        events: Vec::new(),
    };
    assert_eq!(world.store.commit(&commit).await.unwrap(), Committed::Applied);
}

#[tokio::test]
async fn p_10_a_stored_challenge_that_makes_no_sense_fails_closed() {
    type Change = fn(&mut Vec<u8>, usize);
    let changes: [(&str, Change); 14] = [
        ("empty challenge", |payload, at| {
            payload[at - 1] = 0;
            payload.drain(at..at + 32);
        }),
        ("one byte less", |payload, at| {
            payload[at - 1] = 31;
            payload.remove(at);
        }),
        ("one byte more", |payload, at| {
            payload[at - 1] = 33;
            payload.insert(at, 0);
        }),
        ("as text", |payload, at| {
            payload[at - 1] = 43;
            payload.splice(at..at + 32, CHALLENGE.bytes());
        }),
        ("no challenge at all", |payload, at| {
            payload.drain(at - 2..at + 32);
        }),
        ("a field that nobody knows", |payload, at| payload[at - 2] = 0xff),
        ("field zero", |payload, at| payload[at - 2] = 0),
        ("another field in its place", |payload, at| payload[at - 2] = 15),
        ("a method beside it that nobody knows", |payload, _| payload.extend([0xc8, 5, b'S', b'5', b'1', b'2', 0])),
        ("another version", |payload, _| payload[0] = 2),
        ("cut in the challenge", |payload, at| payload.truncate(at + 16)),
        ("cut after the tag", |payload, at| payload.truncate(at - 1)),
        ("a length without end", |payload, at| payload[at - 1] = 0xff),
        ("nothing", |payload, _| payload.clear()),
    ];
    for client in [WEB, CLI] {
        for (what, change) in changes {
            let world = World::new().await;
            let code = world.valid_code(client).await;
            corrupt(&world, change).await;
            for verifier in [Some(VERIFIER), None, Some(""), Some(CHALLENGE)] {
                let answer = world.token(client, &exchange(&code, verifier)).await;
                assert_eq!(answer.field("error"), "invalid_grant", "{what}");
                answer.refused("invalid_grant");
            }
        }
        // It was the change: put back as it was, the code is good.
        let world = World::new().await;
        let code = world.valid_code(client).await;
        corrupt(&world, |_, _| ()).await;
        world.token(client, &exchange(&code, Some(VERIFIER))).await.tokens();
    }
}

#[tokio::test]
async fn p_12_the_metadata_names_the_methods_that_are_accepted() {
    let world = World::new().await;
    let request = http::Request::get("/.well-known/oauth-authorization-server").body(String::new()).unwrap();
    let document = world.send(request).await.answer().json().unwrap();
    let advertised: Vec<&str> = document["code_challenge_methods_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(advertised, ["S256"]);
    for method in ["S256", "plain", "S512", "s256", "none"] {
        let request = changed(&world.valid_request(WEB), &[("code_challenge_method", method)]);
        let accepted = matches!(world.authorize(&request).await, Sent::Pending(_));
        assert_eq!(accepted, advertised.contains(&method), "{method}");
    }
}

#[tokio::test]
async fn rfc7636_app_b_the_published_pair_is_accepted() {
    let world = World::new().await;
    let pairs = [
        ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        // The pair of OAuth 2.1.
        ("6fdkQaPm51l13DSukcAH3Mdx7_ntecHYd1vi3n0hMZY", "3641a2d12d66101249cdf7a79c000c1f8c05d2aafcf14bf146497bed"),
    ];
    for client in [WEB, CLI, LEGACY] {
        for (challenge, verifier) in pairs {
            let request = changed(&world.valid_request(client), &[("code_challenge", challenge)]);
            let code = world.code(&request, "alice").await;
            let (access, _) = world.token(client, &exchange(&code, Some(verifier))).await.tokens();
            assert!(world.is_live(&access).await);
        }
    }
}
