//! A server as a process of its own: this test binary once more, asked over its pipes.
//!
//! It can be killed with everything under way, and started anew over the same database. One line of JSON is one request or one answer.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::arena::Arena;
use crate::node::{Ask, LocalNode, Node, Reply};
use crate::random::Random;

const ROLE: &str = "GRANTOR_HISTORY_NODE";

/// What a process is told once.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Role {
    url: String,
    seed: u64,
}

/// Before each line that is for the parent: the harness prints lines of its own.
const MARK: &str = "node> ";

#[derive(Serialize, Deserialize)]
struct Question {
    number: u64,
    now: Timestamp,
    ask: Ask,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    number: u64,
    reply: Reply,
}

/// Nothing, unless another test has started this binary to be a node; then it serves until its pipe closes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_serves_until_its_pipe_closes() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Role = serde_json::from_str(&role).unwrap();
    let store = crate::stores::open(&role.url).await;
    let node = Arc::new(LocalNode::start(store, Random(role.seed)).await);
    let (questions, mut asked) = tokio::sync::mpsc::unbounded_channel::<Question>();
    let reader = std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            questions.send(serde_json::from_str(&line).unwrap()).unwrap();
        }
    });
    println!("{MARK}ready");
    while let Some(Question { number, now, ask }) = asked.recv().await {
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let reply = node.ask(now, ask).await;
            println!("{MARK}{}", serde_json::to_string(&Answer { number, reply }).unwrap());
        });
    }
    reader.join().unwrap();
}

/// A process, while it runs.
struct Running {
    child: Child,
    questions: ChildStdin,
    waiting: Arc<Mutex<Waiting>>,
    reader: JoinHandle<()>,
    /// Whether it has said that it is ready.
    ready: Option<std::sync::mpsc::Receiver<()>>,
}

/// Who waits for which answer; `None` once the process has ended.
type Waiting = Option<HashMap<u64, oneshot::Sender<Reply>>>;

impl Running {
    fn start(role: &Role) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "process::a_node_serves_until_its_pipe_closes";
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
        command.env(ROLE, serde_json::to_string(role).unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (questions, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let waiting: Arc<Mutex<Waiting>> = Arc::new(Mutex::new(Some(HashMap::new())));
        let (is_ready, ready) = std::sync::mpsc::channel();
        let answered = Arc::clone(&waiting);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Some((_, line)) = line.split_once(MARK) else { continue };
                // A line that was cut off by the end of the process is no answer.
                let Ok(Answer { number, reply }) = serde_json::from_str(line) else {
                    if line == "ready" {
                        let _ = is_ready.send(());
                    }
                    continue;
                };
                if let Some(sender) = answered.lock().unwrap().as_mut().and_then(|waiting| waiting.remove(&number)) {
                    let _ = sender.send(reply);
                }
            }
            // Whoever still waits learns that nobody will answer.
            *answered.lock().unwrap() = None;
        });
        Self { child, questions, waiting, reader, ready: Some(ready) }
    }

    /// Sends a question; `None` where the process is gone.
    fn send(&mut self, question: &Question) -> Option<oneshot::Receiver<Reply>> {
        if let Some(ready) = self.ready.take() {
            ready.recv().expect("a node ended before it was ready");
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap().as_mut()?.insert(question.number, sender);
        let line = serde_json::to_string(question).unwrap() + "\n";
        self.questions.write_all(line.as_bytes()).ok()?;
        Some(receiver)
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap();
    }
}

/// A node in a process of its own.
pub struct ProcessNode {
    role: Role,
    crash: Option<Crash>,
    state: Mutex<State>,
}

/// Kills a database and starts it anew.
pub type Crash = Arc<dyn Fn() + Send + Sync>;

struct State {
    running: Option<Running>,
    life: u64,
    numbers: u64,
}

impl ProcessNode {
    fn start(role: Role, crash: Option<Crash>) -> Self {
        let running = Some(Running::start(&role));
        Self { role, crash, state: Mutex::new(State { running, life: 0, numbers: 0 }) }
    }
}

#[async_trait]
impl Node for ProcessNode {
    async fn ask(&self, now: Timestamp, ask: Ask) -> Reply {
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.numbers += 1;
            let question = Question { number: state.numbers, now, ask };
            state.running.as_mut().unwrap().send(&question)
        };
        let Some(answer) = answer else { return Reply::lost() };
        answer.await.unwrap_or_else(|_| Reply::lost())
    }

    fn life(&self) -> u64 {
        self.state.lock().unwrap().life
    }

    fn kill(&self) {
        let mut state = self.state.lock().unwrap();
        state.running.take().unwrap().kill();
        state.life += 1;
        let role = Role { seed: self.role.seed ^ state.life, ..self.role.clone() };
        state.running = Some(Running::start(&role));
    }

    fn crash(&self) {
        if let Some(crash) = &self.crash {
            tokio::task::block_in_place(|| crash());
        }
    }
}

impl Drop for ProcessNode {
    fn drop(&mut self) {
        if let Some(running) = self.state.lock().unwrap().running.take() {
            running.kill();
        }
    }
}

/// How many rounds one database is used for: it grows, and a node that is started anew may have to read all of it.
const ROUNDS_PER_DATABASE: u64 = 100;

/// Servers in processes of their own over one database.
pub struct Processes {
    /// The database of the `number`th hundred rounds.
    pub url: Box<dyn Fn(u64) -> String + Send + Sync>,
    /// How many there are. Where that is one, because the database belongs to one process, clients take it for both nodes.
    pub count: u64,
    /// Where the database has a process of its own.
    pub crash: Option<Crash>,
    pub running: Mutex<(u64, Vec<Arc<dyn Node>>)>,
}

#[async_trait]
impl Arena for Processes {
    async fn nodes(&self, seed: u64) -> Vec<Arc<dyn Node>> {
        let (number, running) = &mut *self.running.lock().unwrap();
        if running.is_empty() || *number != seed / ROUNDS_PER_DATABASE {
            *number = seed / ROUNDS_PER_DATABASE;
            // The old ones end first: they may be asked for the same database.
            running.clear();
            let role = |node| Role { url: (self.url)(*number), seed: seed ^ (node << 32) };
            let start = |node| Arc::new(ProcessNode::start(role(node), self.crash.clone())) as Arc<dyn Node>;
            running.extend((0..self.count).map(start));
        }
        running.iter().cycle().take(2).cloned().collect()
    }
}
