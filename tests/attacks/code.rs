//! The authorization code at the token endpoint (ids C).

use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::event::{Event, Refusal, Revoked, What, Why};
use grantor::refusal::{Dead, TokenError};
use grantor::store::{Kind, State};
use grantor::wire::token::TokenKind;
use grantor::{ClientId, Lifetimes, OmittedRedirectUri, RedirectUriAtTokenEndpoint};
use http::StatusCode;

use crate::harness::*;
use crate::spy::{Fault, Spy, at_once};

/// An exchange that is right but for what a test changes.
fn exchange(code: &str) -> Vec<(&str, &str)> {
    vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]
}

/// A request of the client that may leave PKCE out, and does.
fn without_pkce(world: &World) -> Vec<(&'static str, &'static str)> {
    without(&without(&world.valid_request(LEGACY), "code_challenge"), "code_challenge_method")
}

#[tokio::test]
async fn rfc6749_4_1_4_a_code_buys_an_access_and_a_refresh_token() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let code = world.valid_code(client).await;
        world.take_events();
        let answer = world.redeem(client, &code).await;
        let (access, refresh) = answer.tokens();
        assert_eq!(
            (TokenKind::of(&access), TokenKind::of(&refresh)),
            (Some(TokenKind::Access), Some(TokenKind::Refresh))
        );
        assert!(world.is_live(&access).await);
        let introspected = world.introspect(API, &access).await;
        assert_eq!(introspected["sub"], "alice");
        assert_eq!(introspected["client_id"], client.id);
        assert_eq!(introspected["scope"], "read write");
        let issued = world.take_events().into_iter().find(|event| matches!(event.what, What::Issued { .. })).unwrap();
        assert_eq!(issued.subject.unwrap().as_str(), "alice");
    }
    let count = |kind| world.records(kind).len();
    let counts = [Kind::CODE, Kind::GRANT, Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN].map(count);
    assert_eq!(counts, [4, 4, 4, 4], "one family for each code");
    assert!(world.records(Kind::CODE).iter().all(|code| code.used.is_some()));
}

#[tokio::test]
async fn rfc6749_5_1_the_answer_is_json_and_not_cached() {
    let world = World::new().await;
    let code = world.valid_code(WEB).await;
    let bought = world.redeem(WEB, &code).await;
    let (_, refresh) = bought.tokens();
    let refreshed = world.refresh(WEB, &refresh).await;
    let own = world.token(WEB, &[("grant_type", "client_credentials"), ("scope", "read")]).await;
    for (answer, members) in [
        (&bought, &["access_token", "expires_in", "refresh_token", "scope", "token_type"][..]),
        (&refreshed, &["access_token", "expires_in", "refresh_token", "scope", "token_type"]),
        (&own, &["access_token", "expires_in", "scope", "token_type"]),
    ] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let json = answer.json().unwrap();
        let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members);
        assert_eq!(json["token_type"], "Bearer");
        assert_eq!(json["expires_in"], 12 * 3600);
    }
    assert_eq!(bought.field("scope"), "read write");
}

#[tokio::test]
async fn c_02_of_many_callers_with_one_code_one_succeeds() {
    for callers in [2, 16, 64] {
        for nodes in [1, 2] {
            let (world, spy) = Spy::world(|builder| builder).await;
            let other = spy.node(&world, |builder| builder);
            let worlds = [&world, &other];
            let code = world.valid_code(WEB).await;
            // Everybody has read a code that nobody has used before anybody writes.
            spy.meet(callers);
            let request = || post_as(WEB, "/token", &exchange(&code));
            let answers = at_once(&worlds[..nodes], (0..callers).map(|_| request()).collect()).await;

            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
            assert_eq!(won.len(), 1, "{callers} callers, {nodes} nodes");
            for answer in &lost {
                answer.refused("invalid_grant").same_as(lost[0]);
            }
            // One family; and since each loser had all that it takes, it has ended.
            let grants = world.records(Kind::GRANT);
            assert_eq!(grants.iter().map(|grant| grant.state).collect::<Vec<_>>(), [State::Revoked]);
            assert_eq!(world.records(Kind::ACCESS_TOKEN).len(), 1);
            assert_eq!(world.records(Kind::REFRESH_TOKEN).len(), 1);
            let (access, refresh) = won[0].tokens();
            assert!(!world.is_live(&access).await);
            world.refresh(WEB, &refresh).await.refused("invalid_grant");
        }
    }
}

#[tokio::test]
async fn c_03_another_clients_code_is_refused_and_stays_good_for_its_owner() {
    let world = World::new().await;
    let unknown = world.redeem(WEB, &reseal(&world.valid_code(WEB).await, "gac_", |raw| raw[0] ^= 1)).await;
    for owner in [WEB, POSTER, CLI, LEGACY] {
        let code = world.valid_code(owner).await;
        world.take_events();
        for thief in [WEB, POSTER, CLI, LEGACY] {
            if thief == owner {
                continue;
            }
            for redirect_uri in [CALLBACK, "https://poster.example/cb", ""] {
                let parameters = changed(&exchange(&code), &[("redirect_uri", redirect_uri)]);
                world.token(thief, &parameters).await.refused("invalid_grant").same_as(&unknown);
            }
        }
        assert!(world.take_refusals().iter().all(|why| *why == Refusal::Token(TokenError::CodeOfAnotherClient)));
        world.redeem(owner, &code).await.tokens();
    }
}

#[tokio::test]
async fn c_04_a_used_code_in_another_clients_hands_revokes_nothing() {
    let world = World::new().await;
    for owner in [WEB, CLI] {
        let code = world.valid_code(owner).await;
        let (access, refresh) = world.redeem(owner, &code).await.tokens();
        for thief in [WEB, POSTER, CLI, LEGACY].into_iter().filter(|thief| *thief != owner) {
            world.redeem(thief, &code).await.refused("invalid_grant");
            world.token(thief, &exchange(&code)).await.refused("invalid_grant");
        }
        // Nor does anybody who says to be the owner, and is not.
        let mut request = post("/token", &exchange(&code));
        request.headers_mut().insert("authorization", basic(owner.id, "wrong-secret-wrong-secret").parse().unwrap());
        world.send(request).await.answer().unauthenticated(true);
        assert!(world.is_live(&access).await);
        world.refresh(owner, &refresh).await.tokens();
    }
}

#[tokio::test]
async fn c_04_a_used_code_without_its_verifier_revokes_nothing() {
    let world = World::new().await;
    for client in [WEB, CLI] {
        let code = world.valid_code(client).await;
        let (access, refresh) = world.redeem(client, &code).await.tokens();
        let right = exchange(&code);
        for wrong in [
            without(&right, "code_verifier"),
            changed(&right, &[("code_verifier", "")]),
            changed(&right, &[("code_verifier", CHALLENGE)]),
            changed(&right, &[("code_verifier", &VERIFIER[..42])]),
            changed(&right, &[("code_verifier", "aBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")]),
            changed(&right, &[("redirect_uri", "https://app.example/cb2")]),
            changed(&right, &[("redirect_uri", "https://poster.example/cb")]),
        ] {
            world.token(client, &wrong).await.refused("invalid_grant");
        }
        assert!(world.is_live(&access).await);
        world.refresh(client, &refresh).await.tokens();
    }
}

#[tokio::test]
async fn c_05_a_code_that_is_not_byte_for_byte_ours_is_unknown() {
    let world = World::new().await;
    let code = world.valid_code(WEB).await;
    let first = world.redeem(WEB, &reseal(&code, "gac_", |raw| raw.fill(0))).await;
    for text in near_misses(&code) {
        let answer = world.redeem(WEB, &text).await;
        answer.refused("invalid_grant").same_as(&first);
    }
    let unknown = Refusal::Token(TokenError::CodeDead(Dead::Unknown));
    assert!(world.take_refusals().iter().all(|why| *why == unknown));
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test]
async fn c_06_another_redirect_uri_is_refused() {
    let world = World::with(|builder| builder.omitted_redirect_uri(OmittedRedirectUri::MeansTheOnlyOne)).await;
    let code = world.valid_code(CLI).await;
    for other in [
        // Registered too, but not what was asked for.
        "https://app.example/cb?x=1",
        "com.example.app:/cb",
        "http://127.0.0.1/cb",
        // Nearly what was asked for.
        "https://app.example/cb/",
        "https://app.example/cb?",
        "https://app.example/cb#",
        "https://app.example/cb#_",
        "https://app.example:443/cb",
        "HTTPS://app.example/cb",
        "https://APP.example/cb",
        "https://app.example/%63b",
        "https://app.example/./cb",
        " https://app.example/cb",
        "https://app.example/cb ",
        "app.example/cb",
        "/cb",
        "https://evil.example/cb",
    ] {
        let answer = world.token(CLI, &changed(&exchange(&code), &[("redirect_uri", other)])).await;
        answer.refused("invalid_grant");
    }
    world.redeem(CLI, &code).await.tokens();

    // Sent now, though it was left out then: even the one that was meant.
    let code = world.code(&without(&world.valid_request(WEB), "redirect_uri"), "alice").await;
    world.token(WEB, &exchange(&code)).await.refused("invalid_grant");
    world.token(WEB, &without(&exchange(&code), "redirect_uri")).await.tokens();
}

#[tokio::test]
async fn c_06_the_loopback_port_must_be_that_of_the_authorization_request() {
    let world = World::new().await;
    for host in ["127.0.0.1", "[::1]"] {
        let used = format!("http://{host}:49152/cb");
        let request = world.valid_request(CLI);
        let code = world.code(&changed(&request, &[("redirect_uri", &used)]), "alice").await;
        for other in [
            format!("http://{host}/cb"),
            format!("http://{host}:49153/cb"),
            format!("http://{host}:/cb"),
            format!("http://{host}:049152/cb"),
            "http://localhost:49152/cb".to_owned(),
            CALLBACK.to_owned(),
        ] {
            let answer = world.token(CLI, &changed(&exchange(&code), &[("redirect_uri", &other)])).await;
            answer.refused("invalid_grant");
        }
        world.token(CLI, &changed(&exchange(&code), &[("redirect_uri", &used)])).await.tokens();
    }
}

#[tokio::test]
async fn c_06_with_a_challenge_the_redirect_uri_may_be_left_out() {
    let world = World::new().await;
    for client in [WEB, CLI, LEGACY] {
        let code = world.valid_code(client).await;
        world.token(client, &without(&exchange(&code), "redirect_uri")).await.tokens();
        let code = world.valid_code(client).await;
        world.token(client, &changed(&exchange(&code), &[("redirect_uri", "")])).await.tokens();
    }
    // Unless the host says otherwise (RFC 6749 §4.1.3 to the letter).
    let strict = |builder: grantor::Builder| {
        builder
            .redirect_uri_at_token_endpoint(RedirectUriAtTokenEndpoint::Required)
            .omitted_redirect_uri(OmittedRedirectUri::MeansTheOnlyOne)
    };
    let world = World::with(strict).await;
    let code = world.valid_code(WEB).await;
    world.token(WEB, &without(&exchange(&code), "redirect_uri")).await.refused("invalid_grant");
    world.token(WEB, &changed(&exchange(&code), &[("redirect_uri", "")])).await.refused("invalid_grant");
    world.redeem(WEB, &code).await.tokens();
    // What the authorization request did not have need not be repeated.
    let code = world.code(&without(&world.valid_request(WEB), "redirect_uri"), "alice").await;
    world.token(WEB, &without(&exchange(&code), "redirect_uri")).await.tokens();
}

#[tokio::test]
async fn c_06_without_a_challenge_the_redirect_uri_must_be_repeated() {
    let world = World::with(|builder| builder.omitted_redirect_uri(OmittedRedirectUri::MeansTheOnlyOne)).await;
    let code = world.code(&without_pkce(&world), "alice").await;
    let right = without(&exchange(&code), "code_verifier");
    world.token(LEGACY, &without(&right, "redirect_uri")).await.refused("invalid_grant");
    world.token(LEGACY, &changed(&right, &[("redirect_uri", "")])).await.refused("invalid_grant");
    world
        .token(LEGACY, &changed(&right, &[("redirect_uri", "https://app.example/cb/")]))
        .await
        .refused("invalid_grant");
    world.token(LEGACY, &right).await.tokens();
    // It was not there to be repeated.
    let code = world.code(&without(&without_pkce(&world), "redirect_uri"), "alice").await;
    world.token(LEGACY, &[("grant_type", "authorization_code"), ("code", &code)]).await.tokens();
}

#[tokio::test]
async fn c_07_a_code_is_good_until_the_moment_it_expires() {
    for seconds in [1, 60, 600] {
        let lifetimes = Lifetimes { authorization_code: Duration::from_secs(seconds), ..Lifetimes::default() };
        let world = World::with(|builder| builder.lifetimes(lifetimes)).await;
        for (milliseconds, good) in [
            (0, true),
            (seconds * 1000 - 1, true),
            (seconds * 1000, false),
            (seconds * 1000 + 1, false),
            (1 << 40, false),
        ] {
            let code = world.valid_code(WEB).await;
            world.take_events();
            world.clock.advance(Duration::from_millis(milliseconds));
            let answer = world.redeem(WEB, &code).await;
            if good {
                answer.tokens();
            } else {
                answer.refused("invalid_grant");
                assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::CodeDead(Dead::Expired))]);
            }
        }
    }
}

/// The events that tell of a replayed code.
fn tells_of_a_replay(events: &[Event]) -> bool {
    let revoked = What::Revoked { what: Revoked::Grant, why: Why::CodeReplayed };
    events.iter().any(|event| event.what == What::Replayed { kind: TokenKind::Code })
        && events
            .iter()
            .any(|event| event.what == revoked && event.subject.as_ref().is_some_and(|who| who.as_str() == "alice"))
}

#[tokio::test]
async fn c_07_a_used_code_that_has_expired_still_revokes_when_replayed() {
    let day = 24 * 3600;
    for later in [59, 60, 61, 3600, 11 * 3600, 30 * day, 89 * day] {
        let world = World::new().await;
        let code = world.valid_code(WEB).await;
        let (access, mut refresh) = world.redeem(WEB, &code).await.tokens();
        world.advance(later);
        // Whatever may be forgotten is.
        world.server.purge(u32::MAX).await.unwrap();
        if later <= 29 * day {
            refresh = world.refresh(WEB, &refresh).await.tokens().1;
        }
        world.take_events();
        world.send_ending_a_grant(post_as(WEB, "/token", &exchange(&code))).await.refused("invalid_grant");
        assert!(tells_of_a_replay(&world.take_events()));
        assert!(!world.is_live(&access).await);
        world.refresh(WEB, &refresh).await.refused("invalid_grant");
    }
}

#[tokio::test]
async fn c_08_a_code_dies_with_its_subject() {
    let world = World::new().await;
    let (subjects, alice) = (world.server.subjects(), "alice".into());
    for client in [WEB, CLI] {
        let (first, second) = (world.valid_code(client).await, world.valid_code(client).await);
        let bob = world.code(&world.valid_request(client), "bob").await;
        subjects.deactivate(&alice).await.unwrap();
        world.redeem(client, &first).await.refused("invalid_grant");
        subjects.activate(&alice).await.unwrap();
        world.redeem(client, &first).await.refused("invalid_grant");
        world.redeem(client, &second).await.refused("invalid_grant");
        world.redeem(client, &bob).await.tokens();
        // A password that was changed, a device that was lost: they may begin anew, but what was begun has ended.
        let third = world.valid_code(client).await;
        subjects.revoke_all(&alice).await.unwrap();
        world.redeem(client, &third).await.refused("invalid_grant");
        world.tokens(client).await;
    }
}

#[tokio::test]
async fn c_08_a_code_dies_with_the_consent_it_rests_on() {
    let world = World::new().await;
    let alice = "alice".into();
    for (client, other) in [(WEB, CLI), (CLI, WEB)] {
        let code = world.valid_code(client).await;
        let elsewhere = world.valid_code(other).await;
        let bob = world.code(&world.valid_request(client), "bob").await;
        world.server.grants().remove_app(&alice, &ClientId::from(client.id)).await.unwrap();
        world.redeem(client, &code).await.refused("invalid_grant");
        // Consent that is given again is another consent.
        let anew = world.valid_code(client).await;
        world.redeem(client, &code).await.refused("invalid_grant");
        for (client, code) in [(client, anew), (other, elsewhere), (client, bob)] {
            world.redeem(client, &code).await.tokens();
        }
    }
    // With its client too, whatever becomes of that.
    let code = world.valid_code(WEB).await;
    world.server.clients().deactivate(&ClientId::from(WEB.id)).await.unwrap();
    world.redeem(WEB, &code).await.unauthenticated(true);
    world.server.clients().activate(&ClientId::from(WEB.id)).await.unwrap();
    world.redeem(WEB, &code).await.refused("invalid_grant");
}

#[tokio::test]
async fn c_10_a_scope_at_the_exchange_never_widens() {
    let world = World::new().await;
    for asked in ["read", "read write", "admin", "read write admin profile", "nonsense", "read read", "", "READ"] {
        let code = world.valid_code(WEB).await;
        let answer = world.token(WEB, &changed(&exchange(&code), &[("scope", asked)])).await;
        let (access, refresh) = answer.tokens();
        assert_eq!(answer.field("scope"), "read write", "asked for {asked:?}");
        assert_eq!(world.introspect(WEB, &access).await["scope"], "read write");
        assert_eq!(world.refresh(WEB, &refresh).await.field("scope"), "read write");
    }
    for malformed in ["\"", " ", " read", "read  write", "read\\", "r\u{e9}ad"] {
        let code = world.valid_code(WEB).await;
        world.token(WEB, &changed(&exchange(&code), &[("scope", malformed)])).await.refused("invalid_scope");
        world.redeem(WEB, &code).await.tokens();
    }
}

#[tokio::test]
async fn c_11_a_resource_outside_the_grant_is_refused_and_the_code_stays_good() {
    let world = World::new().await;
    let request = changed(&world.valid_request(WEB), &[("resource", RESOURCE)]);
    let code = world.code(&request, "alice").await;
    for wrong in [
        &[OTHER_RESOURCE][..],
        &[RESOURCE, OTHER_RESOURCE],
        &["https://unknown.example"],
        &["https://api.example.com/"],
        &["https://API.example.com"],
        &["https://api.example.com#"],
        &["https://api.example.com#fragment"],
        &["api.example.com"],
        &["/relative"],
        &["urn:"],
        &["https://api.example.com", "not a uri"],
        &["*"],
    ] {
        let mut parameters = exchange(&code);
        parameters.extend(wrong.iter().map(|resource| ("resource", *resource)));
        world.token(WEB, &parameters).await.refused("invalid_target");
    }
    let many: Vec<String> = (0..30).map(|number| format!("https://r{number}.example")).collect();
    let mut parameters = exchange(&code);
    parameters.extend(many.iter().map(|resource| ("resource", resource.as_str())));
    world.token(WEB, &parameters).await.refused("invalid_target");

    let (access, _) = world.redeem(WEB, &code).await.tokens();
    assert_eq!(world.introspect(WEB, &access).await["aud"], RESOURCE);
}

#[tokio::test]
async fn c_11_a_resource_may_narrow_the_token() {
    let world = World::new().await;
    let mut request = world.valid_request(WEB);
    request.extend([("resource", RESOURCE), ("resource", OTHER_RESOURCE)]);
    let code = world.code(&request, "alice").await;
    let mut parameters = exchange(&code);
    parameters.extend([("resource", OTHER_RESOURCE), ("resource", OTHER_RESOURCE)]);
    let answer = world.token(WEB, &parameters).await;
    let (access, refresh) = answer.tokens();
    // Only what makes sense there.
    assert_eq!(answer.field("scope"), "read");
    assert_eq!(world.introspect(WEB, &access).await["aud"], OTHER_RESOURCE);
    assert_eq!(world.introspect(API, &access).await["active"], false, "it is addressed to another");
    // The grant was not narrowed with it.
    let answer = world.refresh(WEB, &refresh).await;
    assert_eq!(answer.field("scope"), "read write");
    let audience = world.introspect(WEB, &answer.field("access_token")).await["aud"].clone();
    assert_eq!(audience, serde_json::json!([RESOURCE, OTHER_RESOURCE]));
}

#[tokio::test]
async fn c_15_no_other_artefact_passes_for_a_code() {
    let world = World::new().await;
    let code = world.valid_code(WEB).await;
    let unknown = world.redeem(WEB, &reseal(&code, "gac_", |raw| raw.fill(0))).await;
    let (access, refresh) = world.tokens(WEB).await;
    let own = world.machine_token(WEB).await;
    let clients = world.server.clients();
    let secret = clients.add_secret(&ClientId::from(WEB.id), "", Timestamp::NEVER).await.unwrap();
    let secret = secret.secret.expose().to_owned();
    let grant = world.server.grants().of(&"alice".into(), None, 1).await.unwrap().items.remove(0).id;
    for other in [&access, &refresh, &own, &secret] {
        for text in [other.clone(), reseal(other, "gac_", |_| ()), format!("gac_{}", &other[4..])] {
            world.redeem(WEB, &text).await.refused("invalid_grant").same_as(&unknown);
        }
    }
    for text in [grant.as_str(), "alice", WEB.id, CHALLENGE, VERIFIER] {
        world.redeem(WEB, text).await.refused("invalid_grant").same_as(&unknown);
    }
    assert!(world.is_live(&access).await && world.is_live(&own).await);
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test]
async fn c_16_an_exchange_sent_again_is_refused_and_revokes_what_the_first_bought() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let redirect_uri = if client == POSTER { "https://poster.example/cb" } else { CALLBACK };
        let code = world.valid_code(client).await;
        let bystander = world.tokens(client).await;
        let request = || post_as(client, "/token", &changed(&exchange(&code), &[("redirect_uri", redirect_uri)]));
        let (access, refresh) = world.send(request()).await.answer().tokens();
        let (newer, newest) = world.refresh(client, &refresh).await.tokens();
        let unknown = world.redeem(client, &reseal(&code, "gac_", |raw| raw.fill(0))).await;
        world.take_events();

        // In the same millisecond, with the same bytes.
        world.send_ending_a_grant(request()).await.refused("invalid_grant").same_as(&unknown);
        assert!(tells_of_a_replay(&world.take_events()));
        for token in [&access, &newer] {
            assert!(!world.is_live(token).await);
        }
        for token in [&refresh, &newest] {
            world.refresh(client, token).await.refused("invalid_grant");
        }
        // And once more: there is nothing left to end, and nothing revives.
        world.send(request()).await.answer().refused("invalid_grant").same_as(&unknown);
        assert!(world.is_live(&bystander.0).await, "another sign-in of the same user is another grant");
        world.refresh(client, &bystander.1).await.tokens();
    }
    // A code without a challenge has no verifier to prove possession by; client and redirect URI do.
    let code = world.code(&without_pkce(&world), "alice").await;
    let right = without(&exchange(&code), "code_verifier");
    let (access, _) = world.token(LEGACY, &right).await.tokens();
    world.token(LEGACY, &without(&right, "redirect_uri")).await.refused("invalid_grant");
    assert!(world.is_live(&access).await);
    world.send_ending_a_grant(post_as(LEGACY, "/token", &right)).await.refused("invalid_grant");
    assert!(!world.is_live(&access).await);
}

#[tokio::test]
async fn c_17_each_wrong_grant_type_has_its_error() {
    let world = World::new().await;
    let code = world.valid_code(WEB).await;
    let right = exchange(&code);
    world.token(WEB, &without(&right, "grant_type")).await.refused("invalid_request");
    world.token(WEB, &changed(&right, &[("grant_type", "")])).await.refused("invalid_request");
    let twice = [&right[..], &[("grant_type", "authorization_code")]].concat();
    world.token(WEB, &twice).await.refused("invalid_request");
    for unknown in [
        "Authorization_Code",
        "AUTHORIZATION_CODE",
        "authorization_code ",
        " authorization_code",
        "authorization-code",
        "authorization_code,refresh_token",
        "authorization_code refresh_token",
        "code",
        "implicit",
        "password",
        "none",
        "*",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let parameters = changed(&right, &[("grant_type", unknown), ("username", "alice"), ("password", "secret")]);
        world.token(WEB, &parameters).await.refused("unsupported_grant_type");
    }
    // Ours, but not this client's: whatever it brings along.
    for grant_type in ["authorization_code", "refresh_token"] {
        let parameters = changed(&right, &[("grant_type", grant_type), ("refresh_token", "grt_x")]);
        world.token(API, &parameters).await.refused("unauthorized_client");
    }
    world.token(CLI, &[("grant_type", "client_credentials")]).await.refused("unauthorized_client");
    // A parameter that the grant type needs.
    world.token(WEB, &without(&right, "code")).await.refused("invalid_request");
    world.token(WEB, &changed(&right, &[("code", "")])).await.refused("invalid_request");
    world.token(WEB, &[("grant_type", "refresh_token")]).await.refused("invalid_request");
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test]
async fn c_16_an_exchange_in_doubt_is_refused_when_sent_again_and_ends_nothing() {
    let (world, spy) = Spy::world(|builder| builder).await;
    for fault in [Fault::InDoubtAndApplied, Fault::InDoubtAndLost] {
        let code = world.valid_code(WEB).await;
        spy.fail_next(fault);
        let request = || post_as(WEB, "/token", &exchange(&code));
        let answers = at_once(&[&world], vec![request()]).await;
        assert_eq!(answers[0].status, StatusCode::SERVICE_UNAVAILABLE);
        world.take_events();
        if fault == Fault::InDoubtAndLost {
            // It did not happen: the retry is the exchange, and what comes after it is a replay like any other.
            world.send(request()).await.answer().tokens();
            world.send_ending_a_grant(request()).await.refused("invalid_grant");
            assert!(tells_of_a_replay(&world.take_events()));
        } else {
            world.send(request()).await.answer().refused("invalid_grant");
            assert_eq!(world.take_refusals(), [Refusal::Token(TokenError::CodeInDoubt)]);
            assert!(world.records(Kind::GRANT).iter().any(|grant| grant.state == State::Live));
        }
    }
}
