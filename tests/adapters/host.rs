//! The hosts under test, as child processes.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::browser::{Browser, encode};
use crate::http::{Answer, exchange};

/// The credentials of the client `web`, for HTTP Basic.
pub(crate) const BASIC: (&str, &str) = ("authorization", "Basic d2ViOndlYi1zZWNyZXQtd2ViLXNlY3JldC13ZWItc2VjcmV0");
/// The pair of RFC 7636 App. B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A running host. It ends when this is dropped.
pub(crate) struct Host {
    child: Child,
    /// Which executable, for messages.
    pub(crate) name: String,
    /// `127.0.0.1:` and the port that it took.
    pub(crate) address: String,
}

/// The executables: those of the examples, and the one that the environment names.
fn executables() -> Vec<PathBuf> {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(|deps| deps.parent()).unwrap();
    let example = |name: &str| target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let examples = ["with_axum", "with_actix", "with_hyper"].map(example);
    for path in &examples {
        assert!(path.exists(), "{} is not built: run `cargo build --all-features --examples`", path.display());
    }
    examples.into_iter().chain(std::env::var_os("GRANTOR_ADAPTER").map(PathBuf::from)).collect()
}

/// Lets the test loose on every host, one after the other.
pub(crate) fn on_each(test: impl Fn(&Host)) {
    for path in executables() {
        let host = Host::start(&path);
        eprintln!("with {}", host.name);
        test(&host);
    }
}

impl Host {
    fn start(path: &PathBuf) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let spawned = Command::new(path).arg("127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{name} ended before it was ready")).unwrap();
            if let Some(address) = line.strip_prefix("listening on http://") {
                break address.to_owned();
            }
        };
        // Whatever else it prints must find a reader, or the host would wait for one.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, name, address }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(&self.address, method, path, headers, body).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// A form from the client `web`.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [BASIC, ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, &encode(fields))
    }

    /// With this token.
    pub(crate) fn with_token(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], body)
    }

    /// A token that the client holds for itself.
    pub(crate) fn token(&self, scope: &str) -> String {
        let answer = self.form("/token", &[("grant_type", "client_credentials"), ("scope", scope)]);
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}: {answer:?}", self.name)).to_owned()
    }

    /// An authorization request.
    pub(crate) fn authorization(&self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", "http://127.0.0.1:9999/cb"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        fields.extend_from_slice(more);
        format!("{}/authorize?{}", self.issuer(), encode(&fields))
    }

    pub(crate) fn exchange_code(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "http://127.0.0.1:9999/cb"),
            ("code_verifier", VERIFIER),
        ];
        self.form("/token", &fields)
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.issuer(), &self.address)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
