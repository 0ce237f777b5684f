//! Servers of their own for each test: started on free ports, in a directory that goes with them, and stopped by the
//! number they were started under.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use grantor::store::{RedisLoss, RedisOptions, RedisStore};
use tokio::runtime::Runtime;

/// Where everything runs that talks to Redis.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Drives a future on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// A directory that goes with the value.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("grantor-redis-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// When the file is written through to the disk.
pub(crate) const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];
pub(crate) const EVERY_SECOND: &[&str] = &["--appendonly", "yes", "--appendfsync", "everysec"];
pub(crate) const NO_FILE: &[&str] = &["--appendonly", "no"];

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    directory: Directory,
    arguments: Vec<String>,
    pub(crate) port: u16,
    /// In blocks of 512 bytes, how large a file it may write.
    bound: Option<u32>,
    child: Option<Child>,
}

/// Ports that nobody listens on, and nobody else of this test run was given.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    // Bound together, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A program of Redis; where `GRANTOR_REDIS_BIN` names a directory, from there, and then it may be Valkey's.
pub(crate) fn redis(name: &str) -> PathBuf {
    let Some(directory) = std::env::var_os("GRANTOR_REDIS_BIN").map(PathBuf::from) else { return name.into() };
    let valkey = directory.join(name.replace("redis", "valkey"));
    if valkey.exists() { valkey } else { directory.join(name) }
}

fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn missing(name: &str, error: &std::io::Error) -> ! {
    panic!(
        "`{name}` cannot be started ({error}): install it (Debian: `apt-get install redis-server`), or run `scripts/test.sh`, which does that"
    );
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // Another process may take a port between our look and the server's start.
        (0..20).find_map(|_| Self::try_start(arguments)).expect("redis-server does not come up")
    }

    /// A server that can write no file that is larger than this: as on a disk that is full.
    pub(crate) fn bounded(arguments: &[&str], kilobytes: u32) -> Self {
        (0..20).find_map(|_| Self::try_within(arguments, Some(kilobytes * 2))).expect("redis-server does not come up")
    }

    /// Gives the process room again.
    pub(crate) fn unbind(&mut self) {
        self.bound = None;
        if let Some(child) = &self.child {
            let id = child.id().to_string();
            // It may have ended.
            let _ = program("prlimit").args(["--fsize=unlimited", "--pid", &id]).status();
        }
    }

    /// One attempt.
    pub(crate) fn try_start(arguments: &[&str]) -> Option<Self> {
        Self::try_within(arguments, None)
    }

    fn try_within(arguments: &[&str], bound: Option<u32>) -> Option<Self> {
        let [port] = free_ports();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Self { directory: Directory::new(), arguments, port, bound, child: None };
        server.run();
        server.comes_up().then_some(server)
    }

    /// Starts the process; it may be loading for a while.
    pub(crate) fn run(&mut self) {
        let mut command = match self.bound {
            None => program(redis("redis-server")),
            Some(blocks) => {
                let mut shell = program("sh");
                // The signal is ignored, so that writing fails instead. A soft bound can be lifted.
                let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
                shell.arg("-c").arg(script).arg(redis("redis-server"));
                shell
            }
        };
        command.args(["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes"]);
        // Whoever follows it need not wait for others who may want to as well.
        command.args(["--repl-diskless-sync-delay", "0"]);
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.path()).args(&self.arguments);
        command.arg("--logfile").arg(self.path().join("log"));
        self.child = Some(command.spawn().unwrap_or_else(|error| missing("redis-server", &error)));
    }

    /// Waits until it answers; not, if the process has ended.
    pub(crate) fn comes_up(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            if self.said(&["PING"]) == "PONG" {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory.0
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it answers to a command.
    pub(crate) fn said(&self, command: &[&str]) -> String {
        said(self.port, command)
    }

    /// Removes everything, and returns the line that was answered: without a program, since the kit does this some hundred times.
    pub(crate) fn emptied(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"FLUSHALL SYNC\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Ends the process at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Makes it a replica, and waits until it has what the other has.
    pub(crate) fn follow(&self, master: &Self) {
        assert_eq!(self.said(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]), "OK");
        let begun = Instant::now();
        while !self.said(&["INFO", "replication"]).contains("master_link_status:up") {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// From the next start on it is run with these arguments too.
    pub(crate) fn argue(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    }

    /// Whether it was started and not ended.
    pub(crate) fn is_up(&self) -> bool {
        self.child.is_some()
    }

    /// A signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let sent = program("sh").args(["-c", "kill \"-$1\" \"$2\"", "kill", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Starts it again on what it has written.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.run();
        assert!(self.comes_up(), "redis-server does not come up again: {}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        let _ = std::fs::File::open(self.path().join("log")).and_then(|mut file| file.read_to_string(&mut log));
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the server on this port answers to a command, as `redis-cli` prints it.
pub(crate) fn said(port: u16, command: &[&str]) -> String {
    // Cheaper than to start a program that finds nobody there.
    if TcpStream::connect(("127.0.0.1", port)).is_err() {
        return String::new();
    }
    let mut cli = program(redis("redis-cli"));
    cli.args(["-p", &port.to_string()]).args(command).stdout(Stdio::piped());
    let output = cli.output().unwrap_or_else(|error| missing("redis-cli", &error));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// What most tests want: nothing asked about durability.
pub(crate) fn options() -> RedisOptions {
    RedisOptions::new().danger_accept_loss(RedisLoss::Everything)
}

pub(crate) fn open(url: &str) -> RedisStore {
    wait(options().open(url)).unwrap()
}
