//! Client authentication (ids A), at every endpoint that asks for it.

use std::time::Duration;

use grantor::ClientId;
use grantor::client::AuthMethod;
use grantor::clock::Timestamp;
use grantor::event::Refusal;
use grantor::refusal::{ClientError, TokenError};
use http::{Request, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::*;
use crate::spy::Spy;

/// A good request to each endpoint, but for the client's authentication.
const ENDPOINTS: [(&str, &[(&str, &str)]); 3] = [
    ("/token", &[("grant_type", "client_credentials"), ("scope", "read")]),
    ("/revoke", &[("token", "gat_nothing")]),
    ("/introspect", &[("token", "gat_nothing")]),
];

/// The request with this header.
fn with_header(mut request: Request<String>, header: &str) -> Request<String> {
    request.headers_mut().append("authorization", header.parse().unwrap());
    request
}

/// `Basic` with exactly these bytes inside.
fn raw_basic(inside: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(inside))
}

fn secret_of(client: Known) -> &'static str {
    client.secret.unwrap()
}

#[tokio::test]
async fn a_01_basic_and_a_secret_in_the_body_together_are_refused() {
    let world = World::new().await;
    let right = basic(WEB.id, secret_of(WEB));
    for (path, parameters) in ENDPOINTS {
        for (header, body) in [
            // Even where each would do alone.
            (right.as_str(), [("client_id", WEB.id), ("client_secret", secret_of(WEB))]),
            // Where only the one or only the other would, and for two different clients.
            (right.as_str(), [("client_id", WEB.id), ("client_secret", "wrong-secret-wrong-secret")]),
            (&basic(WEB.id, "wrong-secret-wrong-secret"), [("client_id", WEB.id), ("client_secret", secret_of(WEB))]),
            (right.as_str(), [("client_id", POSTER.id), ("client_secret", secret_of(POSTER))]),
            (&basic(POSTER.id, "x"), [("client_id", POSTER.id), ("client_secret", secret_of(POSTER))]),
            // A header that says nothing is still a second method.
            ("Basic", [("client_id", POSTER.id), ("client_secret", secret_of(POSTER))]),
            ("Bearer gat_x", [("client_id", POSTER.id), ("client_secret", secret_of(POSTER))]),
        ] {
            let request = with_header(post(path, &[parameters, &body[..]].concat()), header);
            world.send(request).await.answer().refused("invalid_request");
        }
        // Without `client_id` too.
        let body = [parameters, &[("client_secret", secret_of(WEB))][..]].concat();
        world.send(with_header(post(path, &body), &right)).await.answer().refused("invalid_request");
        // The header twice, alike or not.
        for second in [right.clone(), basic(POSTER.id, secret_of(POSTER)), "Bearer gat_x".into()] {
            let request = with_header(with_header(post(path, parameters), &right), &second);
            world.send(request).await.answer().refused("invalid_request");
        }
    }
}

#[tokio::test]
async fn a_01_an_assertion_beside_a_secret_is_refused() {
    let world = World::new().await;
    let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ3ZWIiLCJzdWIiOiJ3ZWIifQ.";
    for (path, parameters) in ENDPOINTS {
        for beside in [
            vec![("client_assertion", assertion), ("client_assertion_type", bearer)],
            vec![("client_assertion", assertion)],
            vec![("client_assertion_type", bearer)],
        ] {
            let parameters = [parameters, &beside[..]].concat();
            let request = with_header(post(path, &parameters), &basic(WEB.id, secret_of(WEB)));
            world.send(request).await.answer().refused("invalid_request");
            let secret = [("client_id", POSTER.id), ("client_secret", secret_of(POSTER))];
            let request = post(path, &[&parameters[..], &secret[..]].concat());
            world.send(request).await.answer().refused("invalid_request");
            // Alone it is a method that the server does not have: nobody is authenticated, whoever is named.
            for named in [&[][..], &[("client_id", CLI.id)], &[("client_id", WEB.id)]] {
                let request = post(path, &[&parameters[..], named].concat());
                world.send(request).await.answer().unauthenticated(false);
            }
        }
    }
}

#[tokio::test]
async fn a_02_two_client_ids_in_one_request_are_refused() {
    let world = World::new().await;
    for (path, parameters) in ENDPOINTS {
        let sent = |id| [parameters, &[("client_id", id)][..]].concat();
        let header = basic(WEB.id, secret_of(WEB));
        for other in [POSTER.id, CLI.id, "WEB", "web ", " web", "we", "webb", "nobody"] {
            let request = with_header(post(path, &sent(other)), &header);
            world.send(request).await.answer().refused("invalid_request");
            // Neither is a wrong secret told apart from a right one by this.
            let request = with_header(post(path, &sent(other)), &basic(WEB.id, "wrong-secret-wrong-secret"));
            world.send(request).await.answer().refused("invalid_request");
        }
        // What cannot be a client identifier names nobody.
        for impossible in ["w\u{435}b", "web\u{200b}", "w\u{fc}b"] {
            let request = with_header(post(path, &sent(impossible)), &header);
            world.send(request).await.answer().unauthenticated(true);
        }
        let request = with_header(post(path, &sent(WEB.id)), &header);
        assert_eq!(world.send(request).await.answer().status, StatusCode::OK, "the same name twice is one name");
    }
}

#[tokio::test]
async fn a_04_a_public_client_that_sends_a_secret_is_refused() {
    let world = World::new().await;
    let code = world.valid_code(CLI).await;
    let exchange: &[(&str, &str)] =
        &[("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
    for (path, parameters) in [("/token", exchange), ENDPOINTS[1], ENDPOINTS[2]] {
        for secret in ["x", "cli", secret_of(WEB), "0", "null"] {
            let body = [parameters, &[("client_id", CLI.id), ("client_secret", secret)][..]].concat();
            world.send(post(path, &body)).await.answer().unauthenticated(false);
            let request = with_header(post(path, parameters), &basic(CLI.id, secret));
            world.send(request).await.answer().unauthenticated(true);
        }
        let request = with_header(post(path, parameters), &basic(CLI.id, ""));
        world.send(request).await.answer().unauthenticated(true);
    }
    world.redeem(CLI, &code).await.tokens();
}

#[tokio::test]
async fn a_06_an_inconsistent_client_never_authenticates() {
    let world = World::new().await;
    let none = |stored: &mut serde_json::Value| stored["metadata"]["token_endpoint_auth_method"] = json!("none");
    let no_secret = |stored: &mut serde_json::Value| stored["secrets"] = json!([]);
    // A secret beside `none`, by both ways round; no secret beside a method that needs one.
    world.edit_client(WEB.id, none).await;
    world.edit_client(POSTER.id, no_secret).await;
    world.edit_client(LEGACY.id, no_secret).await;
    world.take_events();
    for (path, parameters) in ENDPOINTS {
        for client in [WEB, POSTER, LEGACY] {
            for secret in [secret_of(client), "", "x"] {
                let request = with_header(post(path, parameters), &basic(client.id, secret));
                world.send(request).await.answer().unauthenticated(true);
                let body = [parameters, &[("client_id", client.id), ("client_secret", secret)][..]].concat();
                world.send(post(path, &body)).await.answer().unauthenticated(false);
            }
            let body = [parameters, &[("client_id", client.id)][..]].concat();
            world.send(post(path, &body)).await.answer().unauthenticated(false);
        }
    }
    let inconsistent =
        |refusal: &Refusal| matches!(refusal, Refusal::Token(TokenError::Client(ClientError::Inconsistent { .. })));
    assert!(world.take_refusals().iter().any(inconsistent), "the host is told what is wrong");
}

#[tokio::test]
async fn a_09_a_secret_must_match_in_every_byte() {
    let world = World::new().await;
    let unknown = world.send(with_header(post("/token", ENDPOINTS[0].1), &basic("nobody", "x"))).await.answer();
    let unknown_in_body = [ENDPOINTS[0].1, &[("client_id", "nobody"), ("client_secret", "x")][..]].concat();
    let unknown_in_body = world.send(post("/token", &unknown_in_body)).await.answer();
    for (client, other) in [(WEB, POSTER), (POSTER, WEB)] {
        let right = secret_of(client);
        let flipped = |at: usize| -> String {
            let change = |(place, byte): (usize, u8)| char::from(if place == at { byte ^ 1 } else { byte });
            right.bytes().enumerate().map(change).collect()
        };
        let mut wrong: Vec<String> = (0..right.len()).map(flipped).collect();
        wrong.extend((0..right.len()).map(|length| right[..length].to_owned()));
        wrong.extend((1..right.len()).map(|start| right[start..].to_owned()));
        wrong.extend([
            right.to_uppercase(),
            right.replacen('s', "S", 1),
            format!("{right} "),
            format!(" {right}"),
            format!("{right}{right}"),
            format!("{right}="),
            format!("{right}\u{200b}"),
            format!("{right}%00"),
            format!("{right}+"),
            format!("\"{right}\""),
            encode_value(&format!("{right}:")),
            format!("{}:{right}", client.id),
            secret_of(other).to_owned(),
            "undefined".to_owned(),
        ]);
        for secret in &wrong {
            let answer =
                world.send(with_header(post("/token", ENDPOINTS[0].1), &basic(client.id, secret))).await.answer();
            answer.unauthenticated(true).same_as(&unknown);
            let body = [ENDPOINTS[0].1, &[("client_id", client.id), ("client_secret", secret)][..]].concat();
            let answer = world.send(post("/token", &body)).await.answer();
            answer.unauthenticated(false).same_as(&unknown_in_body);
        }
        // Characters that no secret has: in the header they are a wrong secret, in the body no request at all.
        for control in ["\0", "\n", "\r\n", "\t", "\u{7f}"] {
            let secret = format!("{right}{control}");
            for header in [raw_basic(format!("{}:{secret}", client.id)), basic(client.id, &secret)] {
                let answer = world.send(with_header(post("/token", ENDPOINTS[0].1), &header)).await.answer();
                answer.unauthenticated(true).same_as(&unknown);
            }
            let body = [ENDPOINTS[0].1, &[("client_id", client.id), ("client_secret", &secret)][..]].concat();
            world.send(post("/token", &body)).await.answer().refused("invalid_request");
        }
        assert_eq!(world.token(client, ENDPOINTS[0].1).await.status, StatusCode::OK);
    }
    // A header that cannot be read.
    let inside = raw_basic(format!("{}:{}", WEB.id, secret_of(WEB)));
    for header in [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!!".to_owned(),
        inside.trim_end_matches('=').to_owned() + "A",
        format!("{inside}="),
        format!("{inside},{inside}"),
        inside.replacen(' ', "  x", 1),
        raw_basic("web"),
        raw_basic([b'w', b':', 0xff]),
        raw_basic(format!(":{}", secret_of(WEB))),
        inside.replacen("Basic", "Bearer", 1),
        inside.replacen("Basic", "Basics", 1),
        inside.replacen("Basic ", "Basic", 1),
    ] {
        let answer = world.send(with_header(post("/token", ENDPOINTS[0].1), &header)).await.answer();
        answer.unauthenticated(true).same_as(&unknown);
    }
}

/// What the server keeps of a secret, computed anew.
fn digest_of(client: &str, secret: &str) -> [u8; 32] {
    let tenant = &Sha256::digest(ISSUER)[..16];
    let length = u64::try_from(client.len()).unwrap().to_be_bytes();
    let parts: [&[u8]; 5] = [tenant, &[9], &length, client.as_bytes(), secret.as_bytes()];
    Sha256::digest(parts.concat()).into()
}

#[tokio::test]
async fn a_09_an_endless_secret_is_refused_before_it_is_hashed() {
    let (world, spy) = Spy::world(|builder| builder).await;
    // Digests of both are stored, so that only the length can make a difference: the longer one is not even compared.
    let (longest, too_long) = ("s".repeat(512), "s".repeat(513));
    for (secret, client) in [(&longest, WEB), (&too_long, WEB), (&longest, POSTER), (&too_long, POSTER)] {
        let digest = digest_of(client.id, secret);
        world.edit_client(client.id, |stored| stored["secrets"][0]["digest"] = json!(digest)).await;
        let request = if client == WEB {
            with_header(post("/token", ENDPOINTS[0].1), &basic(client.id, secret))
        } else {
            post("/token", &[ENDPOINTS[0].1, &[("client_id", client.id), ("client_secret", secret)][..]].concat())
        };
        let answer = world.send(request).await.answer();
        if secret.len() > 512 {
            answer.unauthenticated(client == WEB);
        } else {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
    }
    // What is longer than any parameter or header is not read, and the store is not asked.
    spy.work();
    let mebibyte = "s".repeat(1 << 20);
    for secret in [&mebibyte, &mebibyte[..17 * 1024]] {
        let body = [ENDPOINTS[0].1, &[("client_id", POSTER.id), ("client_secret", secret)][..]].concat();
        let answer = world.send(post("/token", &body)).await.answer();
        assert!(matches!(answer.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::BAD_REQUEST), "{}", answer.status);
        assert_eq!(answer.field("error"), "invalid_request");
        let request = with_header(post("/token", ENDPOINTS[0].1), &basic(WEB.id, secret));
        let answer = world.send(request).await.answer();
        assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    assert_eq!(spy.work().amount(), (vec![], 0));
}

/// Which of the secrets authenticate `WEB` now.
async fn working(world: &World, secrets: &[&str]) -> Vec<bool> {
    let mut working = Vec::new();
    for secret in secrets {
        let request = with_header(post("/token", ENDPOINTS[0].1), &basic(WEB.id, secret));
        let answer = world.send(request).await.answer();
        let works = answer.status == StatusCode::OK;
        if !works {
            answer.unauthenticated(true);
        }
        working.push(works);
    }
    working
}

#[tokio::test]
async fn a_10_both_secrets_work_during_the_overlap_and_only_then() {
    let world = World::new().await;
    let web = ClientId::from(WEB.id);
    let second = world.server.clients().rotate_secret(&web, "second", Duration::from_secs(100)).await.unwrap();
    let second = second.secret.expose();
    world.guard(second);
    let first = secret_of(WEB);
    assert_eq!(working(&world, &[first, second]).await, [true, true]);
    world.clock.advance(Duration::from_millis(99_999));
    assert_eq!(working(&world, &[first, second]).await, [true, true], "until the last millisecond");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(working(&world, &[first, second]).await, [false, true]);

    // A later rotation gives no earlier secret more time than it had.
    let third = world.server.clients().rotate_secret(&web, "third", Duration::from_secs(10)).await.unwrap();
    let fourth = world.server.clients().rotate_secret(&web, "fourth", Duration::MAX).await.unwrap();
    let (third, fourth) = (third.secret.expose(), fourth.secret.expose());
    assert_eq!(working(&world, &[first, second, third, fourth]).await, [false, true, true, true]);
    world.advance(10);
    assert_eq!(working(&world, &[first, second, third, fourth]).await, [false, false, true, true]);

    // A secret that was given an end keeps it.
    let until = world.now().after(Duration::from_secs(5));
    let fifth = world.server.clients().add_secret(&web, "fifth", until).await.unwrap();
    let fifth = fifth.secret.expose();
    assert_eq!(working(&world, &[fourth, fifth]).await, [true, true]);
    world.advance(5);
    assert_eq!(working(&world, &[fourth, fifth]).await, [true, false]);
}

#[tokio::test]
async fn a_10_a_forced_rotation_ends_the_old_secret_at_once() {
    let world = World::new().await;
    let (web, clients) = (ClientId::from(WEB.id), world.server.clients());
    let second = clients.rotate_secret(&web, "", Duration::from_secs(3600)).await.unwrap();
    let third = clients.rotate_secret(&web, "", Duration::ZERO).await.unwrap();
    let secrets = [secret_of(WEB), second.secret.expose(), third.secret.expose()];
    assert_eq!(working(&world, &secrets).await, [false, false, true], "also those that were still to overlap");
    let listed: Vec<u32> = clients.secrets(&web).await.unwrap().iter().map(|secret| secret.id).collect();
    assert_eq!(listed, [third.id]);

    // Ending the last one leaves a client that nobody can be.
    clients.expire_secret(&web, third.id, world.now()).await.unwrap();
    assert_eq!(working(&world, &secrets).await, [false, false, false]);
    let fourth = clients.add_secret(&web, "", Timestamp::NEVER).await.unwrap();
    assert_eq!(working(&world, &[secrets[2], fourth.secret.expose()]).await, [false, true]);
}

#[tokio::test]
async fn rfc6749_2_3_1_basic_credentials_are_form_decoded() {
    let world = World::new().await;
    let client = |id, secret| Known { id, secret: Some(secret), method: AuthMethod::ClientSecretBasic };
    for (id, secret) in [
        ("client:with/special chars", "p@ss: word+%&=/\"\\~'()*"),
        ("https:/not-quite", "++++++++++++++++"),
        ("100%", "%41%42%43%44%45%46%47"),
        ("tilde~", "a:b:c:d:e:f:g:h:i:j"),
    ] {
        let client = client(id, secret);
        world.register(client, metadata(client)).await;
        let answer = world.token(client, ENDPOINTS[0].1).await;
        assert_eq!(answer.status, StatusCode::OK, "{id}: {}", answer.body);
        // Twice encoded is not the secret.
        let header = basic(id, &encode_value(secret));
        let answer = world.send(with_header(post("/token", ENDPOINTS[0].1), &header)).await.answer();
        answer.unauthenticated(true);
    }
    // A client that never encodes its secret is understood too: it must match as it stands.
    for (id, secret) in
        [("plain-1", "a+b+c+d+e+f+g+h+i"), ("plain-2", "%41%42%43%44%45%46%47"), ("plain-3", "100%100%100%100%")]
    {
        let client = client(id, secret);
        world.register(client, metadata(client)).await;
        for header in [raw_basic(format!("{id}:{secret}")), basic(id, secret)] {
            let answer = world.send(with_header(post("/token", ENDPOINTS[0].1), &header)).await.answer();
            assert_eq!(answer.status, StatusCode::OK, "{id}: {}", answer.body);
        }
    }
    // The published example: `+` is a space and `%2B` a plus.
    let client = client("s6BhdRkqt3", " %&+ %&+ %&+ %&+");
    world.register(client, metadata(client)).await;
    let header = raw_basic("s6BhdRkqt3:+%25%26%2B+%25%26%2B+%25%26%2B+%25%26%2B");
    let answer = world.send(with_header(post("/token", ENDPOINTS[0].1), &header)).await.answer();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn rfc6749_2_3_1_a_secret_in_the_body_works() {
    let world = World::new().await;
    for (path, parameters) in ENDPOINTS {
        let answer = world.post_as(POSTER, path, parameters).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        // Only by the method that was registered.
        let request = with_header(post(path, parameters), &basic(POSTER.id, secret_of(POSTER)));
        world.send(request).await.answer().unauthenticated(true);
        let body = [parameters, &[("client_id", WEB.id), ("client_secret", secret_of(WEB))][..]].concat();
        world.send(post(path, &body)).await.answer().unauthenticated(false);
        // A secret that names nobody.
        let body = [parameters, &[("client_secret", secret_of(POSTER))][..]].concat();
        world.send(post(path, &body)).await.answer().unauthenticated(false);
    }
}

#[tokio::test]
async fn rfc6749_5_2_invalid_client_challenges_whoever_used_the_header() {
    let world = World::new().await;
    world.server.clients().deactivate(&ClientId::from(LEGACY.id)).await.unwrap();
    for (path, parameters) in ENDPOINTS {
        let mut by_header = Vec::new();
        for (id, secret) in [
            ("nobody", "x"),
            (WEB.id, "wrong-secret-wrong-secret"),
            (LEGACY.id, secret_of(LEGACY)),
            (POSTER.id, secret_of(POSTER)),
            (CLI.id, ""),
        ] {
            let answer = world.send(with_header(post(path, parameters), &basic(id, secret))).await.answer();
            answer.unauthenticated(true);
            assert_eq!(answer.header("www-authenticate"), Some(format!("Basic realm=\"{ISSUER}\"").as_str()));
            by_header.push(answer);
        }
        by_header.windows(2).for_each(|pair| pair[0].same_as(&pair[1]));
        let mut by_body = Vec::new();
        for (id, secret) in [
            ("nobody", "x"),
            (POSTER.id, "wrong-secret-wrong-secret"),
            (LEGACY.id, secret_of(LEGACY)),
            (WEB.id, secret_of(WEB)),
        ] {
            let body = [parameters, &[("client_id", id), ("client_secret", secret)][..]].concat();
            by_body.push(world.send(post(path, &body)).await.answer());
        }
        // Neither a name nor a secret; a confidential client without its secret; one that does not exist.
        for body in [&[][..], &[("client_id", WEB.id)], &[("client_id", "nobody")], &[("client_id", LEGACY.id)]] {
            by_body.push(world.send(post(path, &[parameters, body].concat())).await.answer());
        }
        for answer in &by_body {
            answer.unauthenticated(false);
        }
        by_body.windows(2).for_each(|pair| pair[0].same_as(&pair[1]));
    }
}
