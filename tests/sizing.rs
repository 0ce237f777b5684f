//! How many records a grant is: what `docs/stores.md` tells those who buy the disks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, Timestamp};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{Kind, MemoryStore};
use grantor::{Approval, AuthorizationServer, Outcome, Subject};
use http::Request;

const SECRET: &str = "web-secret-web-secret-web-secret";
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

struct World {
    server: AuthorizationServer,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let builder = AuthorizationServer::builder("https://auth.example.com").shared_store(Arc::clone(&store) as _);
        let server = builder.clock(Arc::clone(&clock) as _).default_scope("read", "Read your data").build().unwrap();
        let metadata = ClientMetadata {
            client_name: "Web".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            redirect_uris: vec!["https://app.example/cb".into()],
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            ..ClientMetadata::default()
        };
        let client_secret = Some(Secret::new(SECRET));
        let registration = Registration { metadata, client_id: Some("web".into()), client_secret };
        server.clients().register(registration).await.unwrap();
        Self { server, store, clock }
    }

    async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        while self.server.purge(1_000).await.unwrap().more {}
    }

    /// All but what there is of a client, whatever it is used for.
    fn rows(&self) -> usize {
        let of_client = [Kind::CLIENT, Kind::SECRET_USE, Kind::ACTIVITY];
        self.store.snapshot().iter().filter(|record| !of_client.contains(&record.key.kind)).count()
    }

    async fn token(&self, fields: &str) -> serde_json::Value {
        let body = format!("client_id=web&client_secret={SECRET}&{fields}");
        let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
        let Outcome::Respond(response) = self.server.handle(request.body(body).unwrap()).await else { panic!() };
        assert_eq!(response.status(), 200, "{}", response.body());
        serde_json::from_str(response.body()).unwrap()
    }

    async fn code(&self) -> String {
        let query = "/authorize?response_type=code&client_id=web&code_challenge_method=S256\
                     &redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let request = Request::get(query).body(String::new()).unwrap();
        let Outcome::Interact { pending, .. } = self.server.handle(request).await else { panic!() };
        // As every host that asks somebody: the question goes to the browser, and comes back.
        let alice = Subject::from("alice");
        let suspended = self.server.suspend(*pending, Some(&alice)).unwrap();
        let mut headers = http::HeaderMap::new();
        let cookie = suspended.set_cookie.unwrap();
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        headers.insert("cookie", cookie.parse().unwrap());
        let pending = self.server.resume(&suspended.handle, &headers).await.unwrap();
        let response = self.server.approve(pending, Approval::new(alice, self.server.now())).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        location.split(['?', '&', '#']).find_map(|piece| piece.strip_prefix("code=")).unwrap().to_owned()
    }

    /// The refresh token of a new grant.
    async fn grant(&self) -> String {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let code = self.code().await;
        let fields = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
        self.token(&fields).await["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn refresh(&self, token: &str) -> String {
        let fields = format!("grant_type=refresh_token&refresh_token={token}");
        self.token(&fields).await["refresh_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_grant_is_six_rows_then_five_and_its_access_token_the_first_to_go() {
    let world = World::new().await;
    world.grant().await;
    assert_eq!(world.rows(), 6, "authorization, marker, code, grant, access and refresh token");
    world.pass(HOUR).await;
    assert_eq!(world.rows(), 5, "without the marker");
    world.pass(12 * HOUR).await;
    assert_eq!(world.rows(), 4, "without the access token");
}

#[tokio::test]
async fn a_second_grant_of_the_same_person_shares_the_authorization() {
    let world = World::new().await;
    world.grant().await;
    world.grant().await;
    assert_eq!(world.rows(), 11);
}

#[tokio::test]
async fn a_refresh_adds_two_rows_of_which_one_stays_as_long_as_the_grant() {
    let world = World::new().await;
    let mut token = world.grant().await;
    world.pass(13 * HOUR).await;
    let before = world.rows();
    token = world.refresh(&token).await;
    assert_eq!(world.rows(), before + 2);
    world.pass(13 * HOUR).await;
    assert_eq!(world.rows(), before + 2, "what was spent is remembered, and when the grant was used");
    for _ in 0..10 {
        token = world.refresh(&token).await;
        world.pass(DAY).await;
    }
    assert_eq!(world.rows(), before + 12, "the latter once");
    world.pass(90 * DAY).await;
    assert_eq!(world.rows(), 1, "when the grant is over, consent is all that remains");
    world.pass(365 * DAY).await;
    assert_eq!(world.rows(), 0, "for a year");
}

#[tokio::test]
async fn a_code_that_nobody_redeems_leaves_consent() {
    let world = World::new().await;
    world.code().await;
    assert_eq!(world.rows(), 3, "authorization, marker and code");
    world.pass(HOUR).await;
    assert_eq!(world.rows(), 1);
}

#[tokio::test]
async fn a_token_of_a_client_for_itself_is_one_row() {
    let world = World::new().await;
    world.token("grant_type=client_credentials").await;
    assert_eq!(world.rows(), 1);
    world.pass(13 * HOUR).await;
    assert_eq!(world.rows(), 0);
}

#[tokio::test]
async fn what_is_counted_is_a_row_of_the_client_and_one_of_all_together() {
    let world = World::new().await;
    for _ in 0..3 {
        world.token("grant_type=client_credentials").await;
        world.pass(DAY).await;
    }
    let counted = || world.store.snapshot().iter().filter(|record| record.key.kind == Kind::ACTIVITY).count();
    assert_eq!(counted(), 2, "however many days and tokens");
    world.pass(401 * DAY).await;
    assert_eq!(counted(), 0, "when nothing was heard of the client for 400 days");
}
