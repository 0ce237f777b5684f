//! Servers of PostgreSQL that a test starts, breaks and stops.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use grantor::store::{PostgresOptions, PostgresStore};
use tokio_postgres::NoTls;

const MISSING: &str = "PostgreSQL 15 or later is not installed, and these tests start servers of it: run 'scripts/test.sh postgres', \
    which installs Debian's package, or install it and set GRANTOR_POSTGRES_BIN to the directory with initdb and postgres";

/// The directory with `initdb` and `postgres`.
fn programs() -> &'static Path {
    static FOUND: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(named) = std::env::var_os("GRANTOR_POSTGRES_BIN") {
            return named.into();
        }
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let newest = versions
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
            .filter(|(version, bin)| *version >= 15 && bin.join("initdb").exists())
            .max();
        newest.expect(MISSING).1
    });
    assert!(FOUND.join("initdb").exists(), "{MISSING}");
    &FOUND
}

/// A command of PostgreSQL, as somebody who may run it: the server refuses to be root.
fn command(program: impl AsRef<OsStr>) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout == b"0\n");
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn run(mut command: Command) {
    let done = command.stdin(Stdio::null()).output().expect("a command could not be started");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Runs a server until it is told to end, or until whoever started it is gone, however that came about.
const KEEPER: &str = r#"
dir=$1 signal=$2; shift 2
"$@" >>"$dir/log" 2>&1 &
echo $!
read -r word
kill "-$signal" $! 2>/dev/null
wait $!
[ "$word" = keep ] && exit
mountpoint -q "$dir" && umount -l "$dir"
rm -rf "$dir"
"#;

/// A running server. It ends, and its files go, when this is dropped or the test is.
pub struct Server {
    pub dir: PathBuf,
    pub port: u16,
    settings: Vec<String>,
    /// In megabytes, how large a file it may write.
    bound: Option<u32>,
    keeper: Option<(Child, String)>,
}

impl Server {
    /// A server with these settings beyond the ordinary, such as `max_connections=20`.
    pub fn start(settings: &[&str]) -> Self {
        Self::within(directory(), settings)
    }

    /// A server whose files are in this directory, which is empty.
    fn within(dir: PathBuf, settings: &[&str]) -> Self {
        let mut copy = command("cp");
        copy.arg("-a").arg(pattern()).arg(dir.join("data"));
        run(copy);
        Self::over(dir, settings)
    }

    /// A server on a disk of its own, of so many megabytes; `None` where we may not mount one.
    pub fn on_a_disk(megabytes: u32) -> Option<Self> {
        let dir = directory();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=700"), "tmpfs"]).arg(&dir);
        if !mount.output().is_ok_and(|done| done.status.success()) {
            let _ = std::fs::remove_dir_all(&dir);
            return None;
        }
        let mut own = Command::new("chown");
        own.arg("postgres:postgres").arg(&dir);
        run(own);
        Some(Self::within(dir, &["max_wal_size=48MB", "min_wal_size=32MB"]))
    }

    /// Makes the disk that it was started on as large as this.
    pub fn enlarge(&self, megabytes: u32) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={megabytes}m")]).arg(&self.dir);
        run(mount);
    }

    /// A server that can write no file that is larger than this: the nearest to a full disk where none can be mounted.
    pub fn bounded(megabytes: u32) -> Self {
        let dir = directory();
        let mut copy = command("cp");
        copy.arg("-a").arg(pattern()).arg(dir.join("data"));
        run(copy);
        let mut server = Self { dir, port: free_port(), settings: Vec::new(), bound: Some(megabytes), keeper: None };
        server.resume();
        server
    }

    /// Lets it write files of any size from the next start on.
    pub fn unbind(&mut self) {
        self.bound = None;
    }

    /// Whether the process is there.
    pub fn is_up(&self) -> bool {
        self.keeper.as_ref().is_some_and(|(_, pid)| Path::new(&format!("/proc/{pid}")).exists())
    }

    /// A server over files that are there.
    fn over(dir: PathBuf, settings: &[&str]) -> Self {
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { dir, port: free_port(), settings, bound: None, keeper: None };
        server.resume();
        server
    }

    /// Another that follows this one, which is running.
    pub fn standby(&self) -> Self {
        let dir = directory();
        let mut backup = command(programs().join("pg_basebackup"));
        backup.arg("-D").arg(dir.join("data")).arg("-h").arg(&self.dir);
        backup.args(["-p", &self.port.to_string(), "-U", "postgres", "-R", "--checkpoint=fast", "--no-sync"]);
        run(backup);
        Self::over(dir, &[])
    }

    /// Starts the server (again).
    pub fn resume(&mut self) {
        assert!(self.keeper.is_none(), "the server is running");
        for _ in 0..100 {
            let (mut child, pid) = self.spawn();
            for _ in 0..200 {
                if self.answers() {
                    self.keeper = Some((child, pid));
                    return;
                }
                if !Path::new(&format!("/proc/{pid}")).exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            // Those that the last one left behind may not have ended yet.
            end(&mut child, "keep");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not start: {}", self.log());
    }

    fn spawn(&self) -> (Child, String) {
        let mut server = match self.bound {
            None => command(programs().join("postgres")),
            Some(megabytes) => {
                let mut bounded = command("sh");
                // In blocks of 512 bytes.
                let script = format!("ulimit -f {}; exec \"$@\"", megabytes * 2_048);
                bounded.args(["-c", &script, "bounded"]).arg(programs().join("postgres"));
                bounded
            }
        };
        let (dir, port) = (self.dir.display(), self.port);
        server.arg("-D").arg(self.dir.join("data"));
        let ordinary = [
            format!("port={port}"),
            format!("unix_socket_directories={dir}"),
            "listen_addresses=127.0.0.1".into(),
            "max_connections=150".into(),
            "shared_buffers=64MB".into(),
            // After a crash: one call that flushes all, not one for each of a thousand files.
            "recovery_init_sync_method=syncfs".into(),
        ];
        for setting in ordinary.iter().chain(&self.settings) {
            server.arg("-c").arg(setting);
        }
        keep(&self.dir, "QUIT", &server)
    }

    fn answers(&self) -> bool {
        let mut ready = command(programs().join("pg_isready"));
        ready
            .args(["-q", "-d", "postgres", "-U", "postgres", "-h"])
            .arg(&self.dir)
            .args(["-p", &self.port.to_string()]);
        ready.status().is_ok_and(|it| it.success())
    }

    /// Ends the server as a loss of power would: no goodbye, no flushing. It may have ended by itself.
    pub fn kill(&mut self) {
        let (mut child, pid) = self.keeper.take().expect("the server is not running");
        let mut kill = Command::new("sh");
        let _ = kill.args(["-c", "kill -KILL \"$1\"", "kill", &pid]).stderr(Stdio::null()).status();
        end(&mut child, "keep");
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// How to reach a database of this server through its socket.
    pub fn url(&self, database: &str) -> String {
        format!("host={} port={} user=postgres dbname={database}", self.dir.display(), self.port)
    }

    /// How to reach a database through a port of this machine: the server's own, or a proxy's.
    pub fn url_over_tcp(database: &str, port: u16) -> String {
        format!("host=127.0.0.1 port={port} user=postgres dbname={database} sslmode=disable")
    }

    /// A database that nobody else uses, empty.
    pub async fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}")).await;
        name
    }

    /// Runs statements as an administrator, and returns what the last row said, if there was any.
    pub async fn sql(&self, database: &str, statements: &str) -> Option<Vec<Option<String>>> {
        self.try_sql(database, statements).await.unwrap_or_else(|error| panic!("{statements}: {error:?}"))
    }

    pub async fn try_sql(
        &self,
        database: &str,
        statements: &str,
    ) -> Result<Option<Vec<Option<String>>>, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(statements).await?;
        drop(client);
        let _ = connection.await;
        Ok(messages.into_iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        }))
    }

    /// A server that most tests share; each has a database of its own on it. It survives nobody's crash, and so it need not wait for a
    /// disk: what is about that has a server of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["fsync=off", "full_page_writes=off", "checkpoint_timeout=1h"]))
    }

    /// A database that nobody else uses, with the tables in place.
    pub async fn tables(&self) -> String {
        let name = self.database().await;
        self.migrate(&name).await;
        name
    }

    /// Makes the tables, whether this server flushes or not.
    pub async fn migrate(&self, database: &str) {
        PostgresStore::open(&self.url(database), PostgresOptions::new().danger_accept_loss()).await.unwrap();
    }
}

/// A pooler in transaction mode before a server: fewer connections than clients, and none that a client can call its own.
pub struct Pooler {
    pub port: u16,
    keeper: Child,
}

impl Pooler {
    pub fn before(server: &Server) -> Self {
        let missing = "PgBouncer is not installed: run 'scripts/test.sh postgres', which installs Debian's package";
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.into_iter().find(|path| Path::new(path).exists()).expect(missing);
        let (dir, port) = (directory(), free_port());
        let settings = format!(
            "[databases]\n* = host={} port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 500\n",
            server.dir.display(),
            server.port
        );
        let mut write = command("sh");
        write.args(["-c", "printf %s \"$1\" > \"$2\"", "write", &settings]).arg(dir.join("settings"));
        run(write);
        let mut pooler = command(program);
        pooler.arg(dir.join("settings"));
        let (keeper, _) = keep(&dir, "TERM", &pooler);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, keeper }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        end(&mut self.keeper, "remove");
    }
}

/// Starts a program that ends, by this signal, when it is told to or when this process has ended.
fn keep(dir: &Path, signal: &str, program: &Command) -> (Child, String) {
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(dir).arg(signal).arg(program.get_program()).args(program.get_args());
    let mut child = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    (child, pid.trim().to_owned())
}

fn end(child: &mut Child, word: &str) {
    if let Some(mut input) = child.stdin.take() {
        let _ = writeln!(input, "{word}");
    }
    child.wait().unwrap();
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.keeper.take() {
            end(&mut child, "remove");
        } else {
            let _ = Command::new("umount").arg("-l").arg(&self.dir).stderr(Stdio::null()).status();
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// The files of a server that has never run, to be copied: making them takes longer than most tests.
fn pattern() -> &'static Path {
    static PATTERN: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (data, _) = PATTERN.get_or_init(|| {
        let dir = directory();
        let mut initdb = command(programs().join("initdb"));
        initdb.arg("-D").arg(dir.join("data"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        run(initdb);
        // Nothing runs over them, but somebody must take them away when this process has ended.
        let mut nothing = command("sleep");
        nothing.arg("infinity");
        (dir.join("data"), keep(&dir, "TERM", &nothing).0)
    });
    data
}

/// A directory that the server may write to. Its path is short: that of a socket must be.
fn directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("grantor-pg-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(name);
    let mut mkdir = command("mkdir");
    mkdir.args(["-m", "700"]).arg(&dir);
    run(mkdir);
    dir
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
