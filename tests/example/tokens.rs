//! What a client has of a user, and whether it is good.

use crate::http::Answer;
use crate::process::Example;

/// A configuration over this store; its issuer stays the same on every port.
pub(crate) fn configuration(store: &str) -> String {
    format!(
        r#"issuer = "{ISSUER}"
store = "{store}"
[[scopes]]
name = "read"
description = "Read your data"
default = true
[[users]]
username = "alice"
password = "wonderland"
[[clients]]
client_id = "web"
client_secret = "{SECRET}"
client_name = "Web"
redirect_uris = ["http://127.0.0.1:9999/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "read"
token_endpoint_auth_method = "client_secret_post"
"#
    )
}

/// The same, where a spent refresh token is a stolen one at once.
pub(crate) fn strict(store: &str) -> String {
    configuration(store).replacen("[[scopes]]", "[lifetimes]\nrefresh_retry_window = 0\n[[scopes]]", 1)
}

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
pub(crate) const SECRET: &str = "web-secret-web-secret-web-secret";

/// What the client `web` holds for alice.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    /// Alice signs in and allows it.
    pub(crate) fn of_alice(server: &Example, issuer: &str) -> Self {
        let url = format!(
            "{issuer}/authorize?response_type=code&client_id=web&redirect_uri=http://127.0.0.1:9999/cb&scope=read\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        );
        let code = server.browser_at(issuer).allow(&url).code();
        let fields = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", "http://127.0.0.1:9999/cb"),
            ("code", &code),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ];
        Self::read(&ask(server, SECRET, &fields))
    }

    fn read(answer: &Answer) -> Self {
        let json = answer.json();
        let token = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_owned();
        Self { access: token("access_token"), refresh: token("refresh_token") }
    }

    /// The next ones.
    pub(crate) fn refreshed(&self, server: &Example) -> Self {
        Self::read(&ask(server, SECRET, &[("grant_type", "refresh_token"), ("refresh_token", &self.refresh)]))
    }

    /// Whether an API takes it.
    pub(crate) fn are_live(&self, server: &Example) -> bool {
        let answer = server.get("/api/me", &[("authorization", &format!("Bearer {}", self.access))]);
        match answer.status {
            200 => {
                assert_eq!(answer.json()["sub"], "alice");
                true
            }
            401 => false,
            _ => panic!("{answer:?}"),
        }
    }
}

/// Asks the token endpoint as the client `web`, by its secret in the body.
pub(crate) fn ask(server: &Example, secret: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_id", "web"), ("client_secret", secret)];
    all.extend_from_slice(fields);
    server.post("/token", &[], &all)
}

/// Whether the client `web` may act for itself with this secret.
pub(crate) fn is_known(server: &Example, secret: &str) -> bool {
    let answer = ask(server, secret, &[("grant_type", "client_credentials")]);
    match answer.status {
        200 => true,
        401 => false,
        _ => panic!("{answer:?}"),
    }
}
