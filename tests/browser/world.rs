//! The example's host on a port of its own, and a browser.

use std::sync::Arc;

use grantor::AuthorizationServer;
use grantor::client::ClientMetadata;
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, TokenResponse as _, TokenUrl};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::example;
use crate::webdriver::Browser;

pub struct World {
    pub server: AuthorizationServer,
    pub base: String,
    pub browser: Browser,
}

impl World {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (app, router) = example::app(&base).await;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { server: app.server.clone(), base, browser: Browser::start() }
    }

    pub fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.base));
    }

    /// The path and query of the page that is open.
    pub fn path(&self) -> String {
        self.browser.url().strip_prefix(&self.base).unwrap().to_owned()
    }

    pub fn sign_in(&self, account: &str) {
        self.open("/login");
        self.browser.follow(&format!("button[value={account}]"));
    }

    /// Lets one of the example's applications in.
    pub fn connect(&self, application: &str) {
        self.open("/");
        self.browser.press(&format!("Connect {application}"));
        if !self.path().starts_with("/callback") {
            self.browser.press("Allow");
        }
        assert!(self.browser.text("main").contains("now has access"), "{}", self.browser.text("main"));
    }

    /// Clients with names of every length, the newest first `Client 200`.
    pub async fn many_clients(&self, number: u32) {
        for number in 1..=number {
            let name = match number % 9 {
                0 => format!(
                    "{number} · {}",
                    "A rather long name of an integration that somebody thought through ".repeat(2)
                ),
                4 => format!("Client{number}WithoutAnySpaceInAVeryLongNameThatHasToBreakSomewhere"),
                _ => format!("Client {number}"),
            };
            let metadata = ClientMetadata {
                client_name: name,
                grant_types: vec!["client_credentials".into()],
                ..ClientMetadata::default()
            };
            let made = self.server.clients().register(metadata).await.unwrap();
            if number % 7 == 0 {
                self.server.clients().deactivate(made.client.id()).await.unwrap();
            }
        }
    }

    /// What the `oauth2` crate, a client that others use, gets for these credentials.
    pub async fn token_of(&self, id: &str, secret: &str) -> Result<String, String> {
        let client = BasicClient::new(ClientId::new(id.to_owned()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_type(AuthType::BasicAuth)
            .set_token_uri(TokenUrl::new(format!("{}/token", self.base)).unwrap());
        let base = self.base.clone();
        let send = move |request: oauth2::HttpRequest| {
            let base = base.clone();
            async move { send(&base, request).await }
        };
        let answer = client.exchange_client_credentials().request_async(&send).await;
        answer.map(|token| token.access_token().secret().clone()).map_err(|error| format!("{error:?}"))
    }

    /// What a device shows that asks to be let in: a code that a user types in elsewhere.
    pub async fn user_code(&self, id: &str) -> String {
        let request = http::Request::post(format!("{}/device_authorization", self.base))
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = send(&self.base, request.body(format!("client_id={id}").into_bytes()).unwrap()).await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        answer["user_code"].as_str().unwrap().to_owned()
    }

    /// The status of a call of the API with this token, and what it answered.
    pub async fn call_api(&self, token: &str) -> (u16, String) {
        let request =
            http::Request::get(format!("{}/api/me", self.base)).header("authorization", format!("Bearer {token}"));
        let answer = send(&self.base, request.body(Vec::new()).unwrap()).await.unwrap();
        (answer.status().as_u16(), String::from_utf8(answer.into_body()).unwrap())
    }
}

/// Sends a request over HTTP/1.1.
async fn send(base: &str, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, std::io::Error> {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    let (parts, body) = request.into_parts();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        parts.method,
        parts.uri.path(),
        body.len()
    );
    for (name, value) in &parts.headers {
        head.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    stream.write_all(&body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..at].to_vec()).unwrap();
    let status: u16 = head[9..12].parse().unwrap();
    let mut response = http::Response::builder().status(status);
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        response = response.header(name, value);
    }
    Ok(response.body(answer[at + 4..].to_vec()).unwrap())
}

/// Where a browser test runs: beside a server, which must go on while the test waits for the browser.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<World>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { test(Arc::new(World::start().await)).await });
}
