//! OAuth over the store.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, Timestamp};
use grantor::manage::Registration;
use grantor::secret::Secret;
use grantor::store::RedisOptions;
use grantor::{Approval, AuthorizationServer, Outcome, Require};
use http::{Request, StatusCode};

use super::cluster::Cluster;
use super::proxy::{Proxy, Trouble};
use super::server::{ALWAYS, NO_FILE, RUNTIME, Server, options, wait};

/// The pair of RFC 7636 App. B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SECRET: &str = "web-secret-web-secret-web-secret";
pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A node of an authorization server.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) server: AuthorizationServer,
    clock: Arc<ManualClock>,
}

/// What a token endpoint answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    retry_after: bool,
    json: serde_json::Value,
}

impl Answer {
    pub(crate) fn token(&self, name: &str) -> String {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self.json[name].as_str().unwrap().to_owned()
    }
}

impl Node {
    pub(crate) fn over(options: &RedisOptions, url: &str, clock: &Arc<ManualClock>) -> Self {
        let server = AuthorizationServer::builder("https://auth.example.com")
            .store(wait(options.clone().open(url)).unwrap())
            .secret([7; 32])
            .clock(Arc::clone(clock) as _)
            .default_scope("read", "Read your data")
            .build()
            .unwrap();
        Self { server, clock: Arc::clone(clock) }
    }

    pub(crate) fn register(&self, id: &str) {
        let metadata = ClientMetadata {
            client_name: id.to_uppercase(),
            token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
            redirect_uris: vec!["https://app.example/cb".into()],
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            scope: "read".parse().unwrap(),
            ..ClientMetadata::default()
        };
        let client_secret = Some(Secret::new(SECRET));
        let registration = Registration { metadata, client_id: Some(id.into()), client_secret };
        wait(self.server.clients().register(registration)).unwrap();
    }

    /// A code that this user allowed the client.
    pub(crate) fn code(&self, client: &str, user: &str) -> String {
        let query = format!(
            "client_id={client}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&state=s\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let request = Request::get(format!("/authorize?{query}")).body(String::new()).unwrap();
        let outcome = wait(self.server.handle(request));
        let Outcome::Interact { pending, .. } = outcome else { panic!("{outcome:?}") };
        let approval = Approval::new(user.into(), self.server.now());
        let answer = wait(self.server.approve(*pending, approval)).unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code="));
        code.unwrap().to_owned()
    }

    async fn post(&self, path: &str, body: String) -> Answer {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("web:{SECRET}"));
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {basic}"));
        let Outcome::Respond(answer) = self.server.handle(request.body(body).unwrap()).await else { panic!() };
        let retry_after = answer.headers().contains_key("retry-after");
        let json = serde_json::from_str(answer.body()).unwrap_or_default();
        Answer { status: answer.status(), retry_after, json }
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        let redirect = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
        let body = format!("grant_type=authorization_code&code={code}&{redirect}&code_verifier={VERIFIER}");
        self.post("/token", body).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", format!("grant_type=refresh_token&refresh_token={token}")).await
    }

    /// A token of the client for itself.
    pub(crate) async fn own(&self) -> Answer {
        self.post("/token", "grant_type=client_credentials".into()).await
    }

    fn is_live(&self, token: &str) -> bool {
        wait(self.server.verify(token, Require::any())).is_ok()
    }

    fn live_grants(&self, user: &str) -> usize {
        let found = wait(self.server.grants().of(&user.into(), None, 1_000)).unwrap();
        found.items.iter().filter(|grant| grant.live).count()
    }

    /// Many at once.
    fn crowd(nodes: &[Self], size: usize, act: impl Fn(Self) -> AnswerLater) -> Vec<Answer> {
        let tasks: Vec<_> = (0..size).map(|number| RUNTIME.spawn(act(nodes[number % nodes.len()].clone()))).collect();
        tasks.into_iter().map(|task| wait(task).unwrap()).collect()
    }
}

type AnswerLater = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Two nodes, each with a store of its own on the same servers.
fn two_nodes(options: &RedisOptions, url: &str) -> [Node; 2] {
    let clock = Arc::new(ManualClock::new(START));
    let nodes = [0, 1].map(|_| Node::over(options, url, &clock));
    nodes[0].register("web");
    nodes
}

fn the_flow_works(options: &RedisOptions, url: &str) {
    let nodes = two_nodes(options, url);
    let [one, other] = &nodes;

    // A code, what it buys, and what becomes of that.
    let code = one.code("web", "alice");
    let bought = wait(other.redeem(&code));
    let (access, refresh) = (bought.token("access_token"), bought.token("refresh_token"));
    assert!(one.is_live(&access) && other.is_live(&access));
    let next = wait(one.refresh(&refresh));
    assert!(other.is_live(&next.token("access_token")));
    let introspected = wait(one.post("/introspect", format!("token={}", next.token("access_token"))));
    assert_eq!(introspected.json["active"], true, "{introspected:?}");
    let machine = wait(one.post("/token", "grant_type=client_credentials".into()));
    assert!(other.is_live(&machine.token("access_token")));
    let revoked = wait(other.post("/revoke", format!("token={}", next.token("refresh_token"))));
    assert_eq!(revoked.status, StatusCode::OK);
    assert!(!one.is_live(&next.token("access_token")) && !other.is_live(&access));

    // What is listed.
    assert_eq!(wait(one.server.grants().of(&"alice".into(), None, 10)).unwrap().items.len(), 1);
    assert_eq!(wait(one.server.grants().to(&"web".into(), None, 10)).unwrap().items.len(), 1);
    let clients = wait(other.server.clients().list(&grantor::manage::ClientFilter::default(), None, 10)).unwrap();
    assert_eq!(clients.items.len(), 1);

    // One code and 64 who have it: one family, which ends, since the others are replays.
    let code = one.code("web", "bob");
    let answers = Node::crowd(&nodes, 64, |node| {
        let code = code.clone();
        Box::pin(async move { node.redeem(&code).await })
    });
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(wait(one.server.grants().of(&"bob".into(), None, 10)).unwrap().items.len(), 1);
    assert_eq!(one.live_grants("bob"), 0);
    assert!(!one.is_live(&winners[0].token("access_token")));

    // One refresh token and 64 who use it: one successor, in the answers of all.
    let refresh = wait(one.redeem(&one.code("web", "carol"))).token("refresh_token");
    let answers = Node::crowd(&nodes, 64, |node| {
        let refresh = refresh.clone();
        Box::pin(async move { node.refresh(&refresh).await })
    });
    let successor = answers[0].token("refresh_token");
    assert!(answers.iter().all(|answer| answer.token("refresh_token") == successor));
    assert_eq!(one.live_grants("carol"), 1);
    assert!(one.is_live(&wait(other.refresh(&successor)).token("access_token")));

    // Long after, the old one is theft.
    one.clock.advance(Duration::from_secs(3_600));
    assert_eq!(wait(one.refresh(&refresh)).status, StatusCode::BAD_REQUEST);
    assert_eq!(other.live_grants("carol"), 0);

    // And later still everything but the client is forgotten.
    one.clock.advance(Duration::from_secs(400 * 86_400));
    while wait(one.server.purge(1_000)).unwrap().more {}
    assert!(wait(one.server.grants().to(&"web".into(), None, 10)).unwrap().items.is_empty());
    assert!(wait(one.server.clients().get(&"web".into())).unwrap().is_some());
}

#[test]
fn the_flow_works_on_one_server() {
    the_flow_works(&options(), &Server::start(NO_FILE).url());
}

#[test]
fn the_flow_works_in_a_cluster() {
    the_flow_works(&options().keep_events(), &Cluster::start(NO_FILE).url());
}

#[test]
fn tokens_outlive_a_restart_of_redis() {
    let mut redis = Server::start(ALWAYS);
    let [node, _] = two_nodes(&RedisOptions::new(), &redis.url());
    let bought = wait(node.redeem(&node.code("web", "alice")));
    let code = node.code("web", "bob");
    redis.restart();
    // The connection of before is gone, which is noticed at once or at the first use.
    let _ = wait(node.refresh("nothing"));
    assert!(node.is_live(&bought.token("access_token")));
    wait(node.refresh(&bought.token("refresh_token"))).token("access_token");
    wait(node.redeem(&code)).token("access_token");
    assert_eq!(wait(node.redeem(&code)).status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_refresh_whose_answer_was_cut_off_is_answered_the_same_way_when_it_is_repeated() {
    let redis = Server::start(NO_FILE);
    let proxy = Proxy::to(redis.port);
    let clock = Arc::new(ManualClock::new(START));
    let direct = Node::over(&options(), &redis.url(), &clock);
    let node = Node::over(&options(), &proxy.url(), &clock);
    node.register("web");
    let bought = wait(node.redeem(&node.code("web", "alice")));
    let refresh = bought.token("refresh_token");
    let mut doubts = 0;
    // The first answers are those of loads; one of them is that of the commit, which is done by then.
    for cut in 0..4 {
        proxy.make(Trouble::None);
        let request = node.refresh(&refresh);
        let answer = wait(async {
            let mut request = std::pin::pin!(request);
            // Cuts after so many polls: wherever that falls, the answer is either right or a clean 503.
            for _ in 0..cut {
                let ready = std::future::poll_fn(|context| std::task::Poll::Ready(request.as_mut().poll(context)));
                if let std::task::Poll::Ready(answer) = ready.await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            proxy.make(Trouble::CutAnswers);
            request.await
        });
        if answer.status == StatusCode::OK {
            continue;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.retry_after);
        doubts += 1;
    }
    proxy.make(Trouble::None);
    assert!(doubts > 0);
    // Whatever was in doubt was no theft: all who repeat it get one and the same successor.
    let successors: Vec<String> =
        [&node, &direct, &node].map(|node| wait(node.refresh(&refresh)).token("refresh_token")).to_vec();
    assert!(successors.iter().all(|successor| *successor == successors[0]));
    assert_eq!(direct.live_grants("alice"), 1);
}
