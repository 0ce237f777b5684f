//! Every list that an administrator or a user can ask for, and how the store finds each page of it.
//!
//! The store's own statements are explained, those that the pages and the API send: a wrapper notes them on their way.

#![allow(clippy::disallowed_methods, reason = "a test may look at the clock")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use grantor::api::ManagementApi;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock as _, ManualClock, Timestamp};
use grantor::manage::{ClientFilter, NewPersonalToken, Registration};
use grantor::secret::Secret;
use grantor::store::{
    Commit, Committed, Cursor, Durability, Key, Listing, Loaded, Order, Page, Purged, Query, ScanCursor, Scanned,
    State, Store, StoreError,
};
use grantor::{Approval, AuthorizationServer, DynamicRegistration, Outcome, Subject};
use http::Request;

/// A store that tells how it finds a page.
#[async_trait]
pub(crate) trait Explained: Store {
    async fn explain(&self, query: &Query, page: &Page) -> Vec<String>;
}

/// What was asked of a store for one page.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) query: Query,
    pub(crate) plan: Vec<String>,
}

/// What was asked of it since somebody looked last.
struct Noting<S> {
    store: Arc<S>,
    asked: Mutex<Vec<Asked>>,
}

#[async_trait]
impl<S: Explained> Store for Noting<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.store.load(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.store.commit(commit).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        let plan = self.store.explain(query, page).await;
        self.asked.lock().unwrap().push(Asked { query: query.clone(), plan });
        self.store.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.store.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.store.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.store.durability()
    }
}

const SECRET: &str = "root-secret-root-secret-root-sec";
/// The pair of RFC 7636 App. B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server with one of each thing, of which a test makes many.
pub(crate) struct World<S> {
    server: AuthorizationServer,
    store: Arc<Noting<S>>,
    clock: Arc<ManualClock>,
}

/// How large a population a test is to make: so many grants, and a tenth as many clients.
pub(crate) fn population() -> u32 {
    std::env::var("GRANTOR_POPULATION").map_or(4_000, |grants| grants.parse().unwrap())
}

impl<S: Explained + 'static> World<S> {
    /// With the clients `web`, which alice has let in, and `seldom`, and a personal token of hers.
    pub(crate) async fn over(store: S) -> Self {
        let store = Arc::new(Noting { store: Arc::new(store), asked: Mutex::default() });
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let server = AuthorizationServer::builder("https://auth.example.com")
            .shared_store(Arc::clone(&store) as Arc<dyn Store>)
            .clock(Arc::clone(&clock) as _)
            .secret([7; 32])
            .default_scope("read", "Read your data")
            .registration(DynamicRegistration::open())
            .management_api(ManagementApi::new())
            .build()
            .unwrap();
        let world = Self { server, store, clock };
        let metadata = ClientMetadata {
            client_name: "Web".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            redirect_uris: vec!["https://app.example/cb".into()],
            grant_types: ["authorization_code", "client_credentials"].map(str::to_owned).to_vec(),
            scope: "read grantor:clients:read grantor:grants:read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let client_secret = Some(Secret::new(SECRET));
        for id in ["web", "seldom"] {
            let (metadata, client_secret) = (metadata.clone(), client_secret.clone());
            let registration = Registration { metadata, client_id: Some(id.into()), client_secret };
            world.server.clients().register(registration).await.unwrap();
        }
        let uri = format!(
            "/authorize?client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&scope=read\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let request = Request::get(uri).body(String::new()).unwrap();
        let Outcome::Interact { pending, .. } = world.server.handle(request).await else { panic!("not pending") };
        let approval = Approval::new("alice".into(), world.clock.now());
        let response = world.server.approve(*pending, approval).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
        world.token(&format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}")).await;
        let token = NewPersonalToken {
            name: "Backup".into(),
            scope: "read".parse().unwrap(),
            lifetime: Duration::from_secs(86_400),
            resources: Vec::new(),
        };
        world.server.personal_tokens().create(&"alice".into(), token).await.unwrap();
        world
    }

    async fn token(&self, grant: &str) -> String {
        let body = format!("{grant}&client_id=web&client_secret={SECRET}");
        let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
        let json = self.answer(request.body(body).unwrap()).await;
        json["access_token"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }

    async fn answer(&self, request: Request<String>) -> serde_json::Value {
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("no answer") };
        assert!(response.status().is_success(), "{}", response.body());
        serde_json::from_str(response.body()).unwrap()
    }

    /// Asks for the first two pages of every list there is, and hands over how each was found. Each page is one query.
    pub(crate) async fn explain(&self, judge: impl Fn(&Asked) -> Result<(), String>) {
        let mut wrong = Vec::new();
        let mut took = BTreeMap::new();
        let mut seen = |name: String, began: Instant| {
            let asked = std::mem::take(&mut *self.store.asked.lock().unwrap());
            if asked.len() != 1 {
                wrong.push(format!("{name}: {} queries", asked.len()));
            }
            for asked in asked {
                if let Err(why) = judge(&asked) {
                    wrong.push(format!("{name}: {why}\n{:?}\n{}", asked.query, asked.plan.join("\n")));
                }
            }
            took.insert(name, began.elapsed());
        };
        self.store.asked.lock().unwrap().clear();
        for filter in filters() {
            let ClientFilter { order, state, auth_method, search } = &filter;
            let name = format!("clients {order:?} {state:?} {auth_method:?} {search:?}");
            let mut after = None;
            for page in ["first", "next"] {
                let began = Instant::now();
                let found = self.server.clients().list(&filter, after, 20).await.unwrap();
                seen(format!("{name} {page}"), began);
                after = found.next;
                if after.is_none() {
                    break;
                }
            }
        }
        let (alice, seldom) = (Subject::from("alice"), grantor::ClientId::from("seldom"));
        let mut after: [Option<Cursor>; 7] = Default::default();
        for page in ["first", "next"] {
            let began = Instant::now();
            after[0] = self.server.grants().of(&alice, after[0].take(), 20).await.unwrap().next;
            seen(format!("grants of a subject {page}"), began);
            let began = Instant::now();
            after[1] = self.server.grants().to(&"web".into(), after[1].take(), 20).await.unwrap().next;
            seen(format!("grants to a client that many let in {page}"), began);
            let began = Instant::now();
            after[2] = self.server.grants().to(&seldom, after[2].take(), 3).await.unwrap().next;
            seen(format!("grants to a client that few let in {page}"), began);
            let began = Instant::now();
            after[3] = self.server.grants().apps(&alice, after[3].take(), 20).await.unwrap().next;
            seen(format!("apps of a subject {page}"), began);
            let began = Instant::now();
            let month = Duration::from_secs(30 * 86_400);
            after[4] = self.server.personal_tokens().expiring(month, after[4].take(), 20).await.unwrap().next;
            seen(format!("personal tokens that expire soon {page}"), began);
            let began = Instant::now();
            after[5] = self.server.registrations().clients(after[5].take(), 20).await.unwrap().next;
            seen(format!("clients that registered themselves {page}"), began);
            let began = Instant::now();
            after[6] = self.server.registrations().tokens(after[6].take(), 20).await.unwrap().next;
            seen(format!("initial access tokens {page}"), began);
            assert!(after.iter().all(Option::is_some), "there is another page of each: {after:?}");
        }
        for client in ["web", "seldom"] {
            let began = Instant::now();
            self.server.clients().usage(&client.into()).await.unwrap();
            seen(format!("usage of {client}"), began);
        }
        let token = self.token("grant_type=client_credentials&scope=grantor:clients:read+grantor:grants:read").await;
        for path in ["/clients?limit=20", "/clients?order=name&limit=20", "/clients/web/grants?limit=20"]
            .into_iter()
            .chain(["/subjects/alice/grants?limit=20", "/subjects/alice/apps?limit=20"])
        {
            let mut path = format!("/manage/v1{path}");
            for page in ["first", "next"] {
                let request = Request::get(&path).header("authorization", format!("Bearer {token}"));
                let began = Instant::now();
                let answer = self.answer(request.body(String::new()).unwrap()).await;
                seen(format!("{path} {page}"), began);
                assert_eq!(answer["items"].as_array().unwrap().len(), 20, "{path} {page}");
                let next = answer["next"].as_str().unwrap();
                next.trim_start_matches("https://auth.example.com").clone_into(&mut path);
            }
        }
        // A list of one's own is short: it is read by its keys.
        let own = self.server.personal_tokens().of(&alice).await.unwrap();
        assert_eq!((own.len(), self.store.asked.lock().unwrap().len()), (1, 0));
        let began = Instant::now();
        self.server.clients().revoke_everything(None, 5).await.unwrap();
        seen("everything ends".into(), began);
        let mut took: Vec<_> = took.into_iter().collect();
        took.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        for (name, took) in took {
            println!("{:8.2} ms  {name}", took.as_secs_f64() * 1_000.0);
        }
        assert!(
            wrong.is_empty(),
            "{} pages are not found by one walk along an index:\n{}",
            wrong.len(),
            wrong.join("\n\n")
        );
    }
}

/// Every order, by itself and with each filter. What is filtered by two things is found as what is filtered by one.
fn filters() -> Vec<ClientFilter> {
    let mut filters = Vec::new();
    for order in [Order::NewestFirst, Order::OldestFirst, Order::Name] {
        let plain = || ClientFilter { order, ..ClientFilter::default() };
        filters.push(plain());
        let states = [State::Live, State::Inactive, State::Deleted];
        filters.extend(states.map(|state| ClientFilter { state: Some(state), ..plain() }));
        filters.push(ClientFilter { auth_method: Some(AuthMethod::None), ..plain() });
        let searches = ["client 7", "nothing is called so"];
        filters.extend(searches.map(|search| ClientFilter { search: Some(search.into()), ..plain() }));
    }
    filters
}
