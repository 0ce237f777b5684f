//! Clocks, lifetimes, deletion and growth (ids ). Dropped requests are in `cancellation.rs`, stores that
//! fail in `outage.rs`.

use std::sync::Arc;
use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::event::{Event, What};
use grantor::manage::ManageError;
use grantor::store::{Kind, MemoryStore, Record};
use grantor::{Approval, AuthorizationServer, ConfigError, Lifetimes, Require};
use http::StatusCode;

use crate::faulty::*;
use crate::harness::*;

const DAY: u64 = 24 * 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

/// Where the clock is put: back an hour, forward a day, to the last second that 32 bits can count, signed and unsigned,
/// and the one after, to a leap second, before 1970, and as far as it goes in both directions.
fn jumps() -> Vec<Timestamp> {
    let now = START.as_secs();
    let mut jumps: Vec<Timestamp> = [
        now - 3600,
        now - 1,
        now,
        now + 1,
        now + 86_400,
        1_483_228_799,
        1_483_228_800,
        2_147_483_647,
        2_147_483_648,
        4_294_967_295,
        4_294_967_296,
        253_402_300_799,
        253_402_300_800,
        0,
        -1,
        -86_400 * 365 * 70,
    ]
    .map(at)
    .to_vec();
    jumps.extend([1, 0, -1].map(Timestamp::from_millis));
    jumps.extend([i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX].map(Timestamp::from_millis));
    jumps
}

#[tokio::test]
async fn q_01_no_jump_of_the_clock_revives_what_was_revoked() {
    // Everything that ends, ended: afterwards the clock jumps about, and the store is purged wherever it stands.
    for purge in [false, true] {
        for jump in jumps() {
            let world = World::new().await;
            let (access, refresh) = world.tokens(WEB).await;
            let (alone, _) = world.tokens(LEGACY).await;
            let machine = world.machine_token(POSTER).await;
            let spent = world.valid_code(WEB).await;
            let (bought, bought_refresh) = world.redeem(WEB, &spent).await.tokens();
            world.post_as(WEB, "/revoke", &[("token", &refresh)]).await;
            world.post_as(LEGACY, "/revoke", &[("token", &alone)]).await;
            world.server.clients().deactivate(&"poster".into()).await.unwrap();
            world.server.clients().activate(&"poster".into()).await.unwrap();
            world.server.grants().remove_app(&"alice".into(), &"web".into()).await.unwrap();
            for now in [jump, START, START.before(Duration::from_secs(3600)), jump] {
                world.clock.set(now);
                for token in [&access, &alone, &machine, &bought] {
                    assert!(
                        world.server.verify(token, Require::any()).await.is_err(),
                        "revived at {now:?} after {jump:?}"
                    );
                }
                for token in [&refresh, &bought_refresh] {
                    assert!(world.refresh(WEB, token).await.status.is_client_error(), "revived at {now:?}");
                }
                let again = world.server.handle(redemption(WEB, &spent)).await;
                let grantor::Outcome::Respond(answer) = again else { panic!() };
                assert!(answer.status().is_client_error(), "a spent code is good again at {now:?}");
                let living = living(&world.dump(), Kind::REFRESH_TOKEN, now).len();
                // Only the grant of LEGACY, of which one access token was revoked, may be alive.
                assert!(living <= 1, "at {now:?}");
                if purge {
                    world.server.purge(10_000).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn q_01_no_jump_of_the_clock_moves_an_expiry() {
    // At the end of time all is over, secrets too, and nobody can ask.
    for jump in jumps().into_iter().filter(|jump| *jump != Timestamp::NEVER) {
        let world = World::new().await;
        let (access, refresh) = world.tokens(WEB).await;
        let code = world.valid_code(CLI).await;
        // The note of who asked when is not an expiry of anything that was issued.
        let expiries = || -> Vec<_> {
            let issued = world.dump().into_iter().filter(|record| record.key.kind != Kind::SECRET_USE);
            issued.map(|record| (record.key, record.expires_at, record.purge_after)).collect()
        };
        let before = expiries();
        world.clock.set(jump);
        let _ = world.server.verify(&access, Require::any()).await;
        world.introspect(API, &access).await;
        world.post_as(WEB, "/introspect", &[("token", &refresh)]).await;
        world.clock.set(START);
        assert_eq!(expiries(), before, "{jump:?}");
        // To the second as it was: alive just before, dead from then on.
        let end = START.after(Duration::from_secs(12 * 3600));
        world.clock.set(end.before(Duration::from_millis(1)));
        assert!(world.is_live(&access).await, "{jump:?}");
        world.clock.set(end);
        assert!(!world.is_live(&access).await, "{jump:?}");
        world.clock.set(START.after(Duration::from_secs(60)));
        world.redeem(CLI, &code).await.refused("invalid_grant");
    }
}

#[tokio::test]
async fn q_01_no_date_makes_the_server_panic() {
    for jump in jumps() {
        let world = World::new().await;
        world.tokens(WEB).await;
        world.clock.set(jump);
        // Whole flows at that date. At the end of time nothing lives long enough to be redeemed; nothing fails either.
        let grantor::Outcome::Interact { pending, .. } =
            world.server.handle(http::Request::get(authorize_uri(&world)).body(String::new()).unwrap()).await
        else {
            panic!("{jump:?}")
        };
        let approved = world.server.approve(*pending, Approval::new("dave".into(), jump)).await;
        let code = approved.ok().and_then(|response| Answer::of(response).redirect()?.parameters.get("code").cloned());
        assert!(code.is_some() || jump.as_millis() > i64::MAX - 10, "{jump:?}: no code");
        let answer = ask(&world.server, redemption(WEB, &code.unwrap_or_default())).await;
        assert!(answer.status.as_u16() < 500, "{jump:?}: {}", answer.body);
        if let Some(json) = answer.json()
            && answer.status.is_success()
        {
            let expires_in = json["expires_in"].as_u64().expect("a whole number, not negative");
            assert!(expires_in <= 12 * 3600, "{jump:?}");
            let refreshed = ask(&world.server, refreshing(WEB, json["refresh_token"].as_str().unwrap())).await;
            assert!(refreshed.status.as_u16() < 500, "{jump:?}");
            let described = world.introspect(WEB, json["access_token"].as_str().unwrap()).await;
            assert_eq!(described["active"], true, "{jump:?}");
            assert!(
                described["exp"].as_u64().is_some() && described["iat"].as_u64().is_some(),
                "{jump:?}: {described}"
            );
        } else {
            assert!(jump.as_millis() > i64::MAX - 10, "{jump:?}: {}", answer.body);
        }
        let machine = ask(&world.server, post_as(WEB, "/token", &[("grant_type", "client_credentials")])).await;
        assert!(machine.status.as_u16() < 500);
        world.server.clients().rotate_secret(&"web".into(), "", Duration::MAX).await.unwrap();
        world.server.subjects().deactivate(&"dave".into()).await.unwrap();
        world.server.clients().delete(&"web".into()).await.unwrap();
        world.server.purge(10_000).await.unwrap();
    }
}

fn authorize_uri(world: &World) -> String {
    format!("/authorize?{}", encode(&world.valid_request(WEB)))
}

fn redemption(client: Known, code: &str) -> http::Request<String> {
    let parameters =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    post_as(client, "/token", &parameters)
}

fn refreshing(client: Known, token: &str) -> http::Request<String> {
    post_as(client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// A lifetime, among all.
type Field = fn(&mut Lifetimes) -> &mut Duration;

#[tokio::test]
async fn q_03_extreme_lifetimes_are_refused_or_saturate() {
    // Of the server: a value is refused at build, by name, or is served.
    let fields: [(&str, Field); 8] = [
        ("access_token", |lifetimes| &mut lifetimes.access_token),
        ("refresh_token", |lifetimes| &mut lifetimes.refresh_token),
        ("grant", |lifetimes| &mut lifetimes.grant),
        ("authorization_code", |lifetimes| &mut lifetimes.authorization_code),
        ("refresh_retry_window", |lifetimes| &mut lifetimes.refresh_retry_window),
        ("interaction", |lifetimes| &mut lifetimes.interaction),
        ("consent", |lifetimes| &mut lifetimes.consent),
        ("clock_skew", |lifetimes| &mut lifetimes.clock_skew),
    ];
    let seconds = [0, 1, 59, 60, 61, 600, 601, 3600, 3601, 86_400, 86_401, 315_576_000, 315_576_001];
    let seconds = seconds.into_iter().chain([u64::from(u32::MAX), u64::MAX]).map(Duration::from_secs);
    let values: Vec<Duration> = seconds
        .chain([Duration::MAX, Duration::from_millis(1), Duration::from_millis(999), Duration::from_nanos(1)])
        .chain([Duration::new(315_576_000, 1)])
        .collect();
    for (name, field) in fields {
        for value in &values {
            let mut lifetimes = Lifetimes::default();
            *field(&mut lifetimes) = *value;
            let built = AuthorizationServer::builder(ISSUER).store(MemoryStore::new()).lifetimes(lifetimes).build();
            match built {
                Err(ConfigError::Lifetime { name: refused, least, most }) => {
                    assert_eq!(refused, name);
                    let within = *value >= Duration::from_secs(least) && *value <= Duration::from_secs(most);
                    assert!(!within, "{name} {value:?}");
                }
                Err(other) => panic!("{name} {value:?}: {other}"),
                Ok(_) => assert_lives_as_told(lifetimes, &format!("{name} {value:?}")).await,
            }
        }
    }
    // Of a client.
    for seconds in [0, 1, 59, 60, 61, 315_576_000, 315_576_001, u64::from(u32::MAX), u64::MAX] {
        let world = World::new().await;
        let known = Known { id: "extreme", ..WEB };
        let mut registered = metadata(WEB);
        registered.access_token_lifetime = Some(seconds);
        registered.refresh_token_lifetime = Some(seconds);
        let result = world.server.clients().register(registered.clone()).await;
        if (1..=315_576_000).contains(&seconds) {
            world.register(known, registered).await;
            let code = world.code(&changed(&world.valid_request(WEB), &[("client_id", "extreme")]), "alice").await;
            let answer = world.redeem(known, &code).await;
            answer.tokens();
            // The grant is the longest that anything of it can live.
            assert_eq!(answer.json().unwrap()["expires_in"], seconds.min(90 * DAY), "{seconds}");
        } else {
            assert!(matches!(result, Err(ManageError::Metadata(_))), "{seconds}");
        }
    }
}

/// The tokens of a server with these lifetimes live as long as it says, and not longer.
async fn assert_lives_as_told(lifetimes: Lifetimes, what: &str) {
    let world = World::with(|builder| builder.lifetimes(lifetimes)).await;
    let code = world.valid_code(WEB).await;
    let answer = world.redeem(WEB, &code).await;
    let (access, refresh) = answer.tokens();
    let expires_in = answer.json().unwrap()["expires_in"].as_u64().unwrap();
    assert_eq!(expires_in, lifetimes.access_token.min(lifetimes.grant).as_secs(), "{what}");
    assert!(world.is_live(&access).await, "{what}");
    let refreshed = world.refresh(WEB, &refresh).await;
    assert!(refreshed.json().unwrap()["expires_in"].as_u64().unwrap() <= expires_in, "{what}");
    world.advance(expires_in + 1);
    assert!(!world.is_live(&access).await, "{what}");
}

#[tokio::test]
async fn q_04_an_expired_record_that_is_still_stored_is_dead() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    let machine = world.machine_token(POSTER).await;
    let held = world.dump().len();
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    world.clock.set(START.after(Duration::from_secs(60)));
    world.redeem(WEB, &code).await.refused("invalid_grant");
    world.clock.set(START.after(Duration::from_secs(1800)));
    assert!(world.server.approve(*pending, Approval::new("alice".into(), START)).await.is_err());
    world.clock.set(START.after(Duration::from_secs(12 * 3600)));
    assert!(!world.is_live(&access).await && !world.is_live(&machine).await);
    world.clock.set(START.after(Duration::from_secs(30 * DAY)).before(Duration::from_millis(1)));
    assert_eq!(world.introspect(WEB, &refresh).await["active"], true);
    world.clock.set(START.after(Duration::from_secs(30 * DAY)));
    assert_eq!(world.introspect(WEB, &refresh).await["active"], false);
    world.refresh(WEB, &refresh).await.refused("invalid_grant");
    // Nothing of it was forgotten: it was there, and dead. (One more note of use has come, by the introspection of
    // API.)
    let kinds = [Kind::CODE, Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN, Kind::GRANT];
    let issued: usize = kinds.iter().map(|kind| of_kind(&world.dump(), *kind).len()).sum();
    assert_eq!(issued, 6);
    assert!(world.dump().len() >= held);
    // And what expired is forgotten soon after, by a purge and not before.
    world.server.purge(10_000).await.unwrap();
    let left: Vec<Kind> = world.dump().iter().map(|record| record.key.kind).collect();
    assert!(!left.contains(&Kind::ACCESS_TOKEN) && left.contains(&Kind::REFRESH_TOKEN), "the skew of clocks");
    world.advance(60);
    world.clock.advance(Duration::from_millis(1));
    world.server.purge(10_000).await.unwrap();
    assert!(of_kind(&world.dump(), Kind::REFRESH_TOKEN).is_empty());
}

#[tokio::test]
async fn q_04_purging_keeps_evidence_while_the_family_can_live() {
    // To the last millisecond at which the family can live, and the skew of clocks beyond it, a replay of the first
    // code or of any spent refresh token is known for what it is, however often the store is purged.
    let life = Duration::from_secs(90 * DAY);
    for replayed in 0..4 {
        for early in [Duration::from_millis(1), Duration::from_secs(DAY), Duration::from_secs(45 * DAY)] {
            let world = World::new().await;
            let code = world.valid_code(WEB).await;
            let mut family = vec![world.redeem(WEB, &code).await.tokens().1];
            let end = world.now().after(life).before(early);
            loop {
                let last = family.last().unwrap().clone();
                let next = world.now().after(Duration::from_secs(20 * DAY));
                if next >= end {
                    break;
                }
                world.clock.set(next);
                while world.server.purge(7).await.unwrap().more {}
                family.push(world.refresh(WEB, &last).await.tokens().1);
            }
            world.clock.set(end);
            while world.server.purge(7).await.unwrap().more {}
            let alive = living(&world.dump(), Kind::REFRESH_TOKEN, end);
            assert_eq!(alive.len(), 1, "the family lives");
            world.take_events();
            let replay = match replayed {
                0 => redemption(WEB, &code),
                number => refreshing(WEB, &family[(number - 1).min(family.len() - 2)]),
            };
            ask(&world.server, replay).await.refused("invalid_grant");
            let events = world.take_events();
            let found = events.iter().any(|event: &Event| matches!(event.what, What::Replayed { .. }));
            assert!(found, "{replayed} {early:?}: {events:?}");
            assert!(all_living(&world.dump(), end).is_empty());
        }
    }
    // What is forgotten when nothing is left to protect: all of it, and not one by one.
    let world = World::new().await;
    let clients = world.dump().len();
    let (_, refresh) = world.tokens(WEB).await;
    world.refresh(WEB, &refresh).await.tokens();
    world.clock.set(START.after(Duration::from_secs(400 * DAY + 1)));
    while world.server.purge(2).await.unwrap().more {}
    assert_eq!(left(&world), clients);
}

/// How many records there are, but for what was counted lately.
fn left(world: &World) -> usize {
    world.dump().iter().filter(|record| record.key.kind != Kind::ACTIVITY).count()
}

/// Many tokens of alice with WEB, of which nobody keeps more than a few: the access tokens.
async fn many(world: &World, number: usize) -> Vec<String> {
    let (access, refresh) = world.tokens(WEB).await;
    let mut tokens = vec![access];
    let mut refresh = refresh;
    while tokens.len() < number {
        let answer = ask(&world.server, refreshing(WEB, &refresh)).await;
        let (access, next) = answer.tokens();
        tokens.push(access);
        refresh = next;
    }
    tokens
}

/// The records that differ, by key.
fn difference(before: &[Arc<Record>], after: &[Arc<Record>]) -> usize {
    let changed = after.iter().filter(|record| !before.contains(record)).count();
    let removed = before.iter().filter(|record| !after.iter().any(|other| other.key == record.key)).count();
    changed + removed
}

async fn assert_dead(world: &World, tokens: &[String], what: &str) {
    for token in tokens {
        assert!(world.server.verify(token, Require::any()).await.is_err(), "{what}");
    }
    assert!(all_living(&world.dump(), world.now()).iter().all(|record| record.parent.is_some()), "{what}");
}

#[tokio::test]
async fn q_05_what_hangs_on_a_deleted_client_ends_at_once() {
    let world = World::new().await;
    let mut tokens = many(&world, 300).await;
    tokens.push(world.machine_token(WEB).await);
    let code = world.valid_code(WEB).await;
    let (others, _) = world.tokens(CLI).await;
    let before = world.dump();
    world.server.clients().delete(&"web".into()).await.unwrap();
    assert_eq!(difference(&before, &world.dump()), 1, "one record is written");
    assert_dead(&world, &tokens, "deleted").await;
    world.redeem(WEB, &code).await.unauthenticated(true);
    assert_eq!(all_living(&world.dump(), world.now()).len(), 2, "access and refresh token of the other client");
    assert!(world.is_live(&others).await);
    // The name stays taken while anything of the old client could come back, and what then bears it gets nothing of the
    // old.
    let registration = || async {
        let registration = grantor::manage::Registration {
            metadata: metadata(WEB),
            client_id: Some("web".into()),
            client_secret: WEB.secret.map(grantor::secret::Secret::new),
        };
        world.server.clients().register(registration).await
    };
    assert_eq!(registration().await.err(), Some(ManageError::Taken));
    assert!(world.server.clients().get(&"web".into()).await.unwrap().is_none());
    assert_eq!(world.server.clients().activate(&"web".into()).await.err(), Some(ManageError::NotFound));
    world.advance(89 * DAY);
    world.server.purge(10_000).await.unwrap();
    assert_eq!(registration().await.err(), Some(ManageError::Taken));
    world.advance(2 * DAY);
    while world.server.purge(1000).await.unwrap().more {}
    registration().await.unwrap();
    assert_dead(&world, &tokens, "registered anew").await;
    let secrets = world.server.clients().secrets(&"web".into()).await.unwrap();
    assert_eq!(secrets[0].last_used_at, None, "the new secret is not said to have been used by the old client");
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    let need = world.server.consent_need(&pending, &"alice".into()).await;
    assert_eq!(need, Ok(grantor::ConsentNeed::Ask), "consent to the old client is none to the new");
    // Nor does it come back by agreeing to less.
    let narrow = changed(&world.valid_request(WEB), &[("scope", "read")]);
    world.code(&narrow, "alice").await;
    for (request, need) in
        [(narrow, grantor::ConsentNeed::Remembered), (world.valid_request(WEB), grantor::ConsentNeed::Ask)]
    {
        let pending = world.authorize(&request).await.pending();
        assert_eq!(world.server.consent_need(&pending, &"alice".into()).await, Ok(need));
    }
}

#[tokio::test]
async fn q_05_a_new_secret_is_not_said_to_have_been_used() {
    // A client that becomes public and confidential again numbers its secrets from one again.
    let world = World::new().await;
    let web = "web".into();
    world.machine_token(WEB).await;
    let clients = world.server.clients();
    assert_eq!(clients.secrets(&web).await.unwrap()[0].last_used_at, Some(START));
    world.advance(10);
    let public = grantor::client::ClientMetadata {
        token_endpoint_auth_method: grantor::client::AuthMethod::None,
        grant_types: vec!["authorization_code".into()],
        ..metadata(WEB)
    };
    let revision = clients.get(&web).await.unwrap().unwrap().revision();
    let changed = clients.update(&web, revision, public).await.unwrap();
    let changed = clients.update(&web, changed.client.revision(), metadata(WEB)).await.unwrap();
    assert!(changed.secret.is_some());
    let secrets = clients.secrets(&web).await.unwrap();
    assert_eq!((secrets.len(), secrets[0].last_used_at), (1, None));
    // And its first use is noted, however lately the old one was used.
    world.advance(1);
    let mut request = post("/token", &[("grant_type", "client_credentials")]);
    request.headers_mut().insert("authorization", basic("web", changed.secret.unwrap().expose()).parse().unwrap());
    assert_eq!(ask(&world.server, request).await.status, StatusCode::OK);
    assert_eq!(clients.secrets(&web).await.unwrap()[0].last_used_at, Some(world.now()));
}

#[tokio::test]
async fn q_05_what_hangs_on_a_subject_ends_at_once() {
    for revoke_only in [false, true] {
        let world = World::new().await;
        let mut tokens = many(&world, 300).await;
        for client in [POSTER, CLI, LEGACY] {
            tokens.push(world.tokens(client).await.0);
        }
        let code = world.valid_code(CLI).await;
        let machine = world.machine_token(WEB).await;
        let others = world.code(&world.valid_request(WEB), "bob").await;
        let (others, _) = world.redeem(WEB, &others).await.tokens();
        let before = world.dump();
        let subjects = world.server.subjects();
        if revoke_only {
            subjects.revoke_all(&"alice".into()).await.unwrap();
        } else {
            subjects.deactivate(&"alice".into()).await.unwrap();
        }
        assert_eq!(difference(&before, &world.dump()), 1, "one record is written");
        for token in &tokens {
            assert!(world.server.verify(token, Require::any()).await.is_err());
        }
        world.redeem(CLI, &code).await.refused("invalid_grant");
        assert!(world.is_live(&others).await && world.is_live(&machine).await);
        assert_eq!(all_living(&world.dump(), world.now()).len(), 3);
        // Whether anything can be had again at once is the difference between the two.
        let pending = world.authorize(&world.valid_request(WEB)).await.pending();
        let approved = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let redirect = Answer::of(approved).redirect().unwrap();
        assert_eq!(redirect.parameters.contains_key("code"), revoke_only);
        assert_eq!(redirect.parameters.get("error").map(String::as_str), (!revoke_only).then_some("access_denied"));
    }
}

#[tokio::test]
async fn q_05_revoking_a_grant_is_one_write_whatever_hangs_on_it() {
    for by_client in [false, true] {
        let world = World::new().await;
        let tokens = many(&world, 1000).await;
        let (others, other_refresh) = world.tokens(WEB).await;
        let grants = world.server.grants().of(&"alice".into(), None, 10).await.unwrap().items;
        assert_eq!(grants.len(), 2);
        assert!(grants.iter().all(|grant| grant.live));
        let before = world.dump();
        if by_client {
            assert!(world.post_as(WEB, "/revoke", &[("token", &other_refresh)]).await.status.is_success());
            assert_eq!(difference(&before, &world.dump()), 1);
            assert!(!world.is_live(&others).await && world.is_live(&tokens[999]).await);
        } else {
            // Which of the two is the large one is not told by its name.
            for grant in &grants {
                let before = world.dump();
                world.server.grants().revoke(&grant.id).await.unwrap();
                assert_eq!(difference(&before, &world.dump()), 1);
                // Again: no change, and no complaint.
                let before = world.dump();
                world.server.grants().revoke(&grant.id).await.unwrap();
                assert_eq!(difference(&before, &world.dump()), 0);
            }
            assert_dead(&world, &tokens, "revoked").await;
            assert!(all_living(&world.dump(), world.now()).is_empty());
        }
    }
    let world = World::new().await;
    for id in ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\u{0}"] {
        assert_eq!(world.server.grants().revoke(&id.into()).await, Err(ManageError::NotFound), "{id:?}");
    }
}

#[tokio::test]
async fn q_06_reactivating_a_client_revives_nothing() {
    let world = World::new().await;
    let mut tokens = many(&world, 200).await;
    let (access, refresh) = world.tokens(WEB).await;
    tokens.extend([access, world.machine_token(WEB).await]);
    let code = world.valid_code(WEB).await;
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    let (clients, web) = (world.server.clients(), "web".into());
    for _ in 0..3 {
        clients.deactivate(&web).await.unwrap();
        assert_dead(&world, &tokens, "inactive").await;
        world.refresh(WEB, &refresh).await.unauthenticated(true);
        world.redeem(WEB, &code).await.unauthenticated(true);
        clients.activate(&web).await.unwrap();
        assert_dead(&world, &tokens, "active again").await;
        world.refresh(WEB, &refresh).await.refused("invalid_grant");
        world.redeem(WEB, &code).await.refused("invalid_grant");
        assert!(all_living(&world.dump(), world.now()).is_empty());
    }
    // Consent went with the rest: who reactivates a client may not answer for its users.
    let fresh = world.authorize(&world.valid_request(WEB)).await.pending();
    let need = world.server.consent_need(&fresh, &"alice".into()).await;
    assert_eq!(need, Ok(grantor::ConsentNeed::Ask));
    // A request that was made before, and is approved now, is refused; a new one is not.
    assert!(world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.is_err());
    let (fresh, _) = world.tokens(WEB).await;
    assert!(world.is_live(&fresh).await);
    // To activate what is active ends nothing.
    clients.activate(&web).await.unwrap();
    assert!(world.is_live(&fresh).await);
}

#[tokio::test]
async fn q_06_reactivating_a_subject_revives_nothing() {
    let world = World::new().await;
    let tokens = many(&world, 200).await;
    let (access, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    let (subjects, alice) = (world.server.subjects(), "alice".into());
    for _ in 0..3 {
        subjects.deactivate(&alice).await.unwrap();
        assert!(!subjects.is_active(&alice).await.unwrap());
        subjects.activate(&alice).await.unwrap();
        assert!(subjects.is_active(&alice).await.unwrap());
        assert_dead(&world, &tokens, "active again").await;
        assert!(!world.is_live(&access).await);
        world.refresh(WEB, &refresh).await.refused("invalid_grant");
        world.redeem(WEB, &code).await.refused("invalid_grant");
        assert!(all_living(&world.dump(), world.now()).is_empty());
    }
    let (fresh, _) = world.tokens(WEB).await;
    assert!(world.is_live(&fresh).await);
    subjects.activate(&alice).await.unwrap();
    assert!(world.is_live(&fresh).await, "to activate who is active ends nothing");
}

#[tokio::test]
async fn q_07_abandoned_flows_leave_nothing_behind() {
    let world = World::new().await;
    let start = world.dump();
    let uri = authorize_uri(&world);
    for number in 0..5000 {
        let request = http::Request::get(&uri).body(String::new()).unwrap();
        let grantor::Outcome::Interact { pending, .. } = world.server.handle(request).await else { panic!() };
        if number % 2 == 0 {
            // As far as the consent page, and away.
            let suspended = world.server.suspend(*pending, Some(&"alice".into())).unwrap();
            assert!(suspended.set_cookie.is_some());
        }
    }
    assert_eq!(world.dump(), start, "nothing is stored before consent");
    // Agreed to, and never redeemed; and denied.
    for number in 0..2000 {
        let request = http::Request::get(&uri).body(String::new()).unwrap();
        let grantor::Outcome::Interact { pending, .. } = world.server.handle(request).await else { panic!() };
        let subject = format!("user-{}", number % 100).as_str().into();
        if number % 5 == 0 {
            world.server.deny(*pending, Some(&subject)).await.unwrap();
        } else {
            world.server.approve(*pending, Approval::new(subject, world.now())).await.unwrap();
        }
    }
    // A code for each that was agreed to; no mark, since there was no handle to come back with.
    assert!(world.store.len() > 1600);
    // The codes go within the hour; what was agreed to is remembered for a year, once for each user.
    world.advance(3600);
    while world.server.purge(100).await.unwrap().more {}
    assert_eq!(world.store.len(), start.len() + 100 - 20);
    world.advance(366 * DAY);
    while world.server.purge(100).await.unwrap().more {}
    assert_eq!(world.dump(), start);
}

#[tokio::test]
async fn q_07_what_has_expired_is_forgotten() {
    // A store in use, day after day, without a purge by anybody: it holds what can matter, and no more.
    let lifetimes = Lifetimes {
        access_token: Duration::from_secs(3600),
        refresh_token: Duration::from_secs(DAY),
        grant: Duration::from_secs(2 * DAY),
        consent: Duration::from_secs(DAY),
        ..Lifetimes::default()
    };
    let world = World::with(|builder| builder.lifetimes(lifetimes)).await;
    let start = world.store.len();
    let mut held = Vec::new();
    for day in 0..30 {
        for user in 0..40 {
            let subject = format!("user-{day}-{user}");
            let request = http::Request::get(authorize_uri(&world)).body(String::new()).unwrap();
            let grantor::Outcome::Interact { pending, .. } = world.server.handle(request).await else { panic!() };
            let approval = Approval::new(subject.as_str().into(), world.now());
            let response = Answer::of(world.server.approve(*pending, approval).await.unwrap());
            let code = response.redirect().unwrap().parameters["code"].clone();
            let (_, mut refresh) = ask(&world.server, redemption(WEB, &code)).await.tokens();
            for _ in 0..3 {
                refresh = ask(&world.server, refreshing(WEB, &refresh)).await.tokens().1;
            }
            world.advance(DAY / 40);
        }
        held.push(world.store.len());
    }
    // Steady from the fourth day on: no day ends with a quarter more than another.
    let (least, most) = (held[5..].iter().min().unwrap(), held[5..].iter().max().unwrap());
    assert!(most - least <= least / 4, "{held:?}");
    // Then nobody comes any more.
    world.advance(500 * DAY);
    while world.server.purge(1000).await.unwrap().more {}
    assert_eq!(left(&world), start, "only the clients are left");
    let answer = ask(&world.server, post_as(WEB, "/introspect", &[("token", "gat_unknown")])).await;
    assert_eq!(answer.status, StatusCode::OK);
}
