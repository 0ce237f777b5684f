//! The authorization code flow over a file: races, and a restart.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock as _, ManualClock, Timestamp};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{SqliteStore, Store};
use grantor::{Approval, AuthorizationServer, Outcome, Require};
use http::{Request, StatusCode};
use rusqlite::Connection;

use super::database::Directory;

const ISSUER: &str = "https://auth.example.com";
const CALLBACK: &str = "https://app.example/cb";
const SECRET: &str = "job-secret-job-secret-job-secret";
/// The pair of RFC 7636 App. B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct World {
    server: AuthorizationServer,
    clock: Arc<ManualClock>,
}

impl World {
    async fn open(file: &Path) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(file).await.unwrap());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let server = AuthorizationServer::builder(ISSUER)
            .shared_store(store)
            .clock(Arc::clone(&clock) as _)
            .secret([7; 32])
            .default_scope("read", "Read your data")
            .build()
            .unwrap();
        Self { server, clock }
    }

    /// With a public client, and one that acts for itself.
    pub(crate) async fn new(file: &Path) -> Self {
        let world = Self::open(file).await;
        let metadata = ClientMetadata {
            client_name: "App".into(),
            token_endpoint_auth_method: AuthMethod::None,
            redirect_uris: vec![CALLBACK.into()],
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let registration = Registration { metadata, client_id: Some("app".into()), client_secret: None };
        world.server.clients().register(registration).await.unwrap();
        let metadata = ClientMetadata {
            client_name: "Job".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            grant_types: vec!["client_credentials".into()],
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let client_secret = Some(Secret::new(SECRET));
        let registration = Registration { metadata, client_id: Some("job".into()), client_secret };
        world.server.clients().register(registration).await.unwrap();
        world
    }

    async fn code(&self) -> String {
        self.code_of("alice").await
    }

    pub(crate) async fn code_of(&self, user: &str) -> String {
        let query = [
            ("client_id", "app"),
            ("redirect_uri", "https%3A%2F%2Fapp.example%2Fcb"),
            ("response_type", "code"),
            ("scope", "read"),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(format!("/authorize?{}", query.join("&"))).body(String::new()).unwrap();
        let Outcome::Interact { pending, .. } = self.server.handle(request).await else { panic!("no interaction") };
        let approval = Approval::new(user.into(), self.clock.now());
        let response = self.server.approve(*pending, approval).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        code.unwrap().to_owned()
    }

    /// A token of a client for itself.
    pub(crate) async fn own(&self) -> (StatusCode, serde_json::Value) {
        self.post(format!("client_id=job&client_secret={SECRET}&grant_type=client_credentials")).await
    }

    async fn token(&self, body: String) -> (StatusCode, serde_json::Value) {
        self.post(format!("client_id=app&{body}")).await
    }

    async fn post(&self, body: String) -> (StatusCode, serde_json::Value) {
        let request =
            Request::post("/token").header("content-type", "application/x-www-form-urlencoded").body(body).unwrap();
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("no answer") };
        (response.status(), serde_json::from_str(response.body()).unwrap())
    }

    pub(crate) async fn redeem(&self, code: &str) -> (StatusCode, serde_json::Value) {
        let redirect_uri = "https%3A%2F%2Fapp.example%2Fcb";
        let body =
            format!("grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}");
        self.token(body).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (StatusCode, serde_json::Value) {
        self.token(format!("grant_type=refresh_token&refresh_token={token}")).await
    }

    async fn is_live(&self, token: &str) -> bool {
        self.server.verify(token, Require::any()).await.is_ok()
    }
}

pub(crate) fn text(json: &serde_json::Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

/// How many records of each kind there are, and how many of them are not spent.
fn kinds(file: &Path) -> HashMap<u8, (u32, u32)> {
    let connection = Connection::open(file).unwrap();
    let mut select =
        connection.prepare("SELECT kind, count(*), sum(used_at IS NULL) FROM record GROUP BY kind").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}

const GRANT: u8 = 4;
const ACCESS_TOKEN: u8 = 6;
const REFRESH_TOKEN: u8 = 7;

/// Sends one request from 64 tasks, through two servers on one file, as two nodes would.
async fn at_once<F: Future<Output = (StatusCode, serde_json::Value)> + Send + 'static>(
    worlds: [&Arc<World>; 2],
    send: impl Fn(Arc<World>) -> F,
) -> Vec<(StatusCode, serde_json::Value)> {
    let tasks: Vec<_> = (0..64).map(|number| tokio::spawn(send(Arc::clone(worlds[number % 2])))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_redeem_a_code_at_once_one_gets_tokens_and_there_is_one_family() {
    let directory = Directory::new();
    let file = directory.file();
    let world = Arc::new(World::new(&file).await);
    let other = Arc::new(World::open(&file).await);
    for round in 1..=5 {
        let code = world.code().await;
        let answers = at_once([&world, &other], |world| {
            let code = code.clone();
            async move { world.redeem(&code).await }
        })
        .await;
        let won = answers.iter().filter(|answer| answer.0 == StatusCode::OK).count();
        assert_eq!(won, 1, "round {round}");
        for (status, json) in &answers {
            assert!(*status == StatusCode::OK || json["error"] == "invalid_grant", "{status} {json}");
        }
        let kinds = kinds(&file);
        assert_eq!([GRANT, ACCESS_TOKEN, REFRESH_TOKEN].map(|kind| kinds[&kind].0), [round; 3]);
        // The code was presented again, so what it bought has ended.
        let access = answers.iter().find_map(|(_, json)| json["access_token"].as_str()).unwrap();
        assert!(!world.is_live(access).await && !other.is_live(access).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_refresh_at_once_all_get_the_same_successor_and_one_leaf_lives() {
    let directory = Directory::new();
    let file = directory.file();
    let world = Arc::new(World::new(&file).await);
    let other = Arc::new(World::open(&file).await);
    let (_, json) = world.redeem(&world.code().await).await;
    let mut refresh = text(&json, "refresh_token");
    for round in 1..=5 {
        let answers = at_once([&world, &other], |world| {
            let refresh = refresh.clone();
            async move { world.refresh(&refresh).await }
        })
        .await;
        for (status, json) in &answers {
            assert_eq!(*status, StatusCode::OK, "{json}");
        }
        let successors: BTreeSet<_> =
            answers.iter().map(|(_, json)| (text(json, "access_token"), text(json, "refresh_token"))).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        let (access, next) = successors.first().unwrap().clone();
        assert!(world.is_live(&access).await && other.is_live(&access).await);
        assert_eq!(kinds(&file)[&REFRESH_TOKEN], (round + 1, 1), "one leaf lives");
        refresh = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_outlive_a_restart_and_a_replay_is_recognised_after_it() {
    let directory = Directory::new();
    let file = directory.file();
    let world = World::new(&file).await;
    let (_, json) = world.redeem(&world.code().await).await;
    let (access, refresh) = (text(&json, "access_token"), text(&json, "refresh_token"));
    drop(world);

    let world = World::open(&file).await;
    assert!(world.is_live(&access).await);
    let (status, json) = world.refresh(&refresh).await;
    assert_eq!(status, StatusCode::OK);
    let access = text(&json, "access_token");
    drop(world);

    let world = World::open(&file).await;
    world.clock.advance(Duration::from_secs(3_600));
    assert!(world.is_live(&access).await);
    let (status, json) = world.refresh(&refresh).await;
    assert_eq!((status, text(&json, "error")), (StatusCode::BAD_REQUEST, "invalid_grant".into()));
    assert!(!world.is_live(&access).await, "a replay ends the family");
    drop(world);
    assert!(!World::open(&file).await.is_live(&access).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_purged_and_the_rest_is_not() {
    let directory = Directory::new();
    let world = World::new(&directory.file()).await;
    for _ in 0..3 {
        world.redeem(&world.code().await).await;
    }
    assert_eq!(world.server.purge(1_000).await.unwrap().removed, 0);
    world.clock.advance(Duration::from_secs(401 * 24 * 3600));
    let purged = world.server.purge(1_000).await.unwrap();
    assert!(purged.removed >= 12 && !purged.more, "{purged:?}");
    let kinds = kinds(&directory.file());
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), [1], "the client alone is left: {kinds:?}");
}
