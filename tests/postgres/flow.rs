//! The authorization server on this store.

use std::collections::HashSet;
use std::sync::Arc;

use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{Clock as _, ManualClock, Timestamp};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::{PostgresOptions, PostgresStore, Store};
use grantor::{Approval, AuthorizationServer, Outcome, Require};
use http::{Request, StatusCode};

use super::server::Server;

const START: Timestamp = Timestamp::from_secs(1_767_225_600);
const CALLBACK: &str = "https%3A%2F%2Fapp.example%2Fcb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub struct Node {
    server: AuthorizationServer,
    clock: Arc<ManualClock>,
}

impl Node {
    fn over(url: &str, clock: &Arc<ManualClock>) -> Self {
        let store = PostgresStore::connect(url, PostgresOptions::new()).unwrap();
        let server = AuthorizationServer::builder("https://auth.example.com")
            .shared_store(Arc::new(store) as Arc<dyn Store>)
            .clock(Arc::clone(clock) as _)
            .secret([7; 32])
            .default_scope("read", "Read your data")
            .build()
            .unwrap();
        Self { server, clock: Arc::clone(clock) }
    }

    async fn register(&self) {
        let metadata = ClientMetadata {
            client_name: "Web".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretPost,
            redirect_uris: vec!["https://app.example/cb".into()],
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let secret = Some(Secret::new("web-secret-web-secret-web-secret"));
        let registration = Registration { metadata, client_id: Some("web".into()), client_secret: secret };
        self.server.clients().register(registration).await.unwrap();
    }

    pub async fn code(&self, user: &str) -> String {
        let uri = format!(
            "/authorize?client_id=web&redirect_uri={CALLBACK}&response_type=code&scope=read&state=s\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let request = Request::get(uri).body(String::new()).unwrap();
        let Outcome::Interact { pending, .. } = self.server.handle(request).await else { panic!("no interaction") };
        let response = self.server.approve(*pending, Approval::new(user.into(), self.clock.now())).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
        code.to_owned()
    }

    async fn post(&self, path: &str, parameters: &str) -> (StatusCode, serde_json::Value) {
        let body = format!("client_id=web&client_secret=web-secret-web-secret-web-secret&{parameters}");
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(body).unwrap();
        let Outcome::Respond(response) = self.server.handle(request).await else { panic!("no answer") };
        (response.status(), serde_json::from_str(response.body()).unwrap_or_default())
    }

    pub async fn redeem(&self, code: &str) -> (StatusCode, serde_json::Value) {
        let parameters =
            format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
        self.post("/token", &parameters).await
    }

    pub async fn refresh(&self, token: &str) -> (StatusCode, serde_json::Value) {
        self.post("/token", &format!("grant_type=refresh_token&refresh_token={token}")).await
    }

    /// A token of the client for itself.
    pub async fn own(&self) -> (StatusCode, serde_json::Value) {
        self.post("/token", "grant_type=client_credentials").await
    }

    async fn is_live(&self, token: &str) -> bool {
        self.server.verify(token, Require::any()).await.is_ok()
    }
}

/// What a success hands out.
pub fn tokens(answer: &(StatusCode, serde_json::Value)) -> (String, String) {
    assert_eq!(answer.0, StatusCode::OK, "{answer:?}");
    let text = |name: &str| answer.1[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Two nodes over one empty database, with a client.
pub async fn nodes(server: &Server) -> (String, [Arc<Node>; 2]) {
    let database = server.tables().await;
    let url = server.url(&database);
    let clock = Arc::new(ManualClock::new(START));
    let nodes = [(), ()].map(|()| Arc::new(Node::over(&url, &clock)));
    nodes[0].register().await;
    (database, nodes)
}

/// Sixty-four callers, on both nodes in turn.
async fn crowd<F>(nodes: &[Arc<Node>; 2], act: impl Fn(Arc<Node>) -> F) -> Vec<(StatusCode, serde_json::Value)>
where
    F: Future<Output = (StatusCode, serde_json::Value)> + Send + 'static,
{
    let callers: Vec<_> = (0..64).map(|caller| tokio::spawn(act(Arc::clone(&nodes[caller % 2])))).collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap());
    }
    answers
}

async fn count(server: &Server, database: &str, kind: u8) -> usize {
    let count = format!("SELECT count(*) FROM grantor.record WHERE kind = {kind}");
    server.sql(database, &count).await.unwrap()[0].as_ref().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_flow_works_and_what_it_gave_outlives_the_server() {
    let mut server = Server::start(&[]);
    let (_, nodes) = nodes(&server).await;
    let code = nodes[0].code("alice").await;
    let (access, refresh) = tokens(&nodes[1].redeem(&code).await);
    assert!(nodes[0].is_live(&access).await);
    tokio::task::block_in_place(|| {
        server.kill();
        server.resume();
    });
    let live = async |token: &str| {
        // Both nodes may still hold a connection that died.
        nodes[1].is_live(token).await || nodes[0].is_live(token).await
    };
    assert!(live(&access).await);
    let (next, refresh) = tokens(&nodes[0].refresh(&refresh).await);
    assert!(live(&next).await);
    assert_eq!(nodes[0].post("/revoke", &format!("token={refresh}")).await.0, StatusCode::OK);
    for token in [&access, &next] {
        assert!(!nodes[0].is_live(token).await && !nodes[1].is_live(token).await);
    }
    assert_eq!(nodes[1].refresh(&refresh).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_who_redeem_one_code_make_one_family_which_ends() {
    let server = Server::shared();
    for round in 0..3 {
        let (database, nodes) = nodes(server).await;
        let code = nodes[0].code("alice").await;
        let answers = crowd(&nodes, |node| {
            let code = code.clone();
            async move { node.redeem(&code).await }
        })
        .await;
        let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == StatusCode::OK).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for kind in [4, 6, 7] {
            assert_eq!(count(server, &database, kind).await, 1, "round {round}: records of kind {kind}");
        }
        let (access, refresh) = tokens(winners[0]);
        assert!(!nodes[0].is_live(&access).await && !nodes[1].is_live(&access).await);
        assert_eq!(nodes[1].refresh(&refresh).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_who_refresh_one_token_get_one_successor() {
    let server = Server::shared();
    for round in 0..3 {
        let (database, nodes) = nodes(server).await;
        let (first, refresh) = tokens(&nodes[0].redeem(&nodes[0].code("alice").await).await);
        let answers = crowd(&nodes, |node| {
            let refresh = refresh.clone();
            async move { node.refresh(&refresh).await }
        })
        .await;
        let distinct: HashSet<_> = answers.iter().map(tokens).collect();
        assert_eq!(distinct.len(), 1, "round {round}");
        assert_eq!([count(server, &database, 6).await, count(server, &database, 7).await], [2, 2], "round {round}");
        let (access, successor) = distinct.into_iter().next().unwrap();
        assert!(nodes[0].is_live(&first).await && nodes[1].is_live(&access).await);
        tokens(&nodes[1].refresh(&successor).await);
    }
}
