//! An example as a child process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use crate::browser::Browser;
use crate::http::{Answer, exchange};

/// A running example. It ends when this is dropped.
pub(crate) struct Example {
    child: Child,
    /// What it printed before it was ready.
    pub(crate) printed: String,
    /// `127.0.0.1:` and the port that it took.
    pub(crate) address: String,
    stderr: Option<JoinHandle<String>>,
    /// Where its files are, until it has ended.
    home: Option<Arc<Home>>,
}

/// Where cargo puts the executable of an example: beside the directory of this one.
fn executable(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(|deps| deps.parent()).unwrap();
    let path = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "the example `{name}` is not built; `cargo test` builds it, and for this test alone so does `cargo build --examples`"
    );
    path
}

/// An example that is yet to be started, with pipes at its outputs.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(executable(name));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    command
}

impl Example {
    /// The server with nothing configured, on a free port.
    pub(crate) fn demo() -> Self {
        Home::empty().start(&["--listen", "127.0.0.1:0"])
    }

    /// The same, that says all it has to say.
    pub(crate) fn verbose_demo() -> Self {
        let home = Home::empty();
        let mut example = Self::start(home.command().args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "trace"));
        example.home = Some(home);
        example
    }

    /// The server with this configuration, on a free port.
    pub(crate) fn configured(toml: &str) -> Self {
        Home::with(toml).start(&["--listen", "127.0.0.1:0"])
    }

    /// The smallest host.
    pub(crate) fn embed() -> Self {
        Self::start(command("embed").arg("127.0.0.1:0"))
    }

    /// What the server says instead of starting with this configuration.
    pub(crate) fn refused(toml: &str) -> String {
        Home::with(toml).failure(&["--listen", "127.0.0.1:0"])
    }

    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut example =
            Self { child, printed: String::new(), address: String::new(), stderr: Some(stderr), home: None };
        let mut output = BufReader::new(example.child.stdout.take().unwrap());
        loop {
            let before = example.printed.len();
            let read = output.read_line(&mut example.printed).unwrap();
            if read == 0 {
                let (_, errors) = example.end();
                panic!("the example ended before it was ready: {errors}");
            }
            let line = example.printed[before..].trim();
            // `embed` prints one line; the server ends with the sentence on how to stop it.
            if line == "Ctrl-C stops it." || line.starts_with("curl -u") && before == 0 {
                break;
            }
        }
        let from = example.printed.find("http://127.0.0.1:").unwrap() + "http://".len();
        let address = example.printed[from..].split(|char: char| char.is_whitespace() || char == '/').next().unwrap();
        address.clone_into(&mut example.address);
        example
    }

    /// Asks it to end, as Ctrl-C does, and waits until it has.
    pub(crate) fn interrupt(mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap()
    }

    /// Ends it: its status, and all that it had written to stderr.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let _ = self.child.kill();
        let status = self.child.wait().unwrap();
        (status, self.stderr.take().map(|reader| reader.join().unwrap()).unwrap_or_default())
    }

    /// The issuer of the demo.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A browser of somebody who has not been here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.issuer(), &self.address)
    }

    /// A browser that knows the server by another URL.
    pub(crate) fn browser_at(&self, origin: &str) -> Browser {
        Browser::new(origin, &self.address)
    }

    /// A request without a browser.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        exchange(&self.address, "GET", path, headers, "").unwrap()
    }

    /// A form without a browser.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = crate::browser::encode(fields);
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        exchange(&self.address, "POST", path, &all, &body).unwrap()
    }

    /// The metadata, as JSON.
    pub(crate) fn metadata(&self) -> serde_json::Value {
        self.get("/.well-known/oauth-authorization-server", &[]).json()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server says instead of starting with these arguments.
pub(crate) fn failure(arguments: &[&str]) -> String {
    Home::empty().failure(arguments)
}

/// A directory for a server: its configuration, and what it writes. It goes with the value.
pub(crate) struct Home(PathBuf);

/// The name of the configuration in it.
const FILE: &str = "server.toml";

impl Home {
    /// Without a configuration: the server works there.
    pub(crate) fn empty() -> Arc<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("grantor-example-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Arc::new(Self(path))
    }

    /// With a configuration: the server works elsewhere.
    pub(crate) fn with(toml: &str) -> Arc<Self> {
        let home = Self::empty();
        std::fs::create_dir(home.path("elsewhere")).unwrap();
        home.configure(toml);
        home
    }

    /// From the next start on, this is the configuration.
    pub(crate) fn configure(&self, toml: &str) {
        std::fs::write(self.path(FILE), toml).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn is_configured(&self) -> bool {
        self.path(FILE).exists()
    }

    fn command(&self) -> Command {
        let mut command = command("server");
        command.current_dir(if self.is_configured() { self.path("elsewhere") } else { self.0.clone() });
        command
    }

    /// A server that is at home here.
    pub(crate) fn start(self: &Arc<Self>, arguments: &[&str]) -> Example {
        let mut command = self.command();
        command.args(arguments);
        if self.is_configured() {
            command.arg("--config").arg(self.path(FILE));
        }
        let mut example = Example::start(&mut command);
        example.home = Some(Arc::clone(self));
        example
    }

    /// Runs the executable to its end: whether it ended well, and what it said on stderr.
    pub(crate) fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.command();
        command.args(arguments);
        if self.is_configured() {
            command.arg("--config").arg(self.path(FILE));
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), text.replace(self.path(FILE).to_str().unwrap(), "FILE"))
    }

    /// What it says instead of doing what it was asked.
    pub(crate) fn failure(&self, arguments: &[&str]) -> String {
        let (well, text) = self.run(arguments);
        assert!(!well, "it ended well: {text}");
        text
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
