//! What is written down: each request when it is sent and when it is answered, in one order of real time.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use grantor::clock::Timestamp;

use crate::node::START;

/// What a code or token is called in a history: `c1`, `a4`, `r2`. The secret itself is nobody's business.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub char, pub u32);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

/// A resource owner, by number.
pub type Person = u32;

/// What a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Somebody signs in and allows the client what it asks: gives a code.
    SignIn(Person),
    /// A code for tokens, by whoever it belongs to.
    Redeem(Name),
    /// A refresh token for its successor.
    Refresh(Name),
    /// Whether an access token counts.
    Introspect(Name),
    /// Ends an access token.
    RevokeAccess(Name),
    /// Ends a refresh token, and with it its family.
    RevokeRefresh(Name),
    /// Ends all that a person has granted to the client.
    EndApp(Person),
    /// Ends all that was issued for a person.
    EndPerson(Person),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Code(Name),
    Tokens {
        access: Name,
        refresh: Name,
    },
    Active,
    Inactive,
    /// It is done; nothing is said of what was before.
    Done,
    /// A plain no, such as `invalid_grant`.
    Refused,
    /// 503, or no answer: nobody but the store knows whether it happened.
    InDoubt,
    /// What no server may answer.
    Wrong(String),
}

/// A point in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Where it stands in the order of real time.
    pub place: usize,
    /// What the clock of the round showed: not later than the server's when a request is sent, not earlier when it is answered.
    pub clock: Timestamp,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    pub client: usize,
    /// Which node, and which life of it: a node that was killed and started anew remembers nothing.
    pub node: (usize, u64),
    pub op: Op,
    pub sent: Moment,
    /// With its answer; `None` while it is under way, and for ever where nobody waits any more.
    pub answer: Option<(Moment, Outcome)>,
}

impl Call {
    pub fn outcome(&self) -> Option<&Outcome> {
        self.answer.as_ref().map(|(_, outcome)| outcome)
    }

    /// Whether it was answered before `other` was sent.
    pub fn precedes(&self, other: &Self) -> bool {
        self.answer.as_ref().is_some_and(|(answered, _)| answered.place < other.sent.place)
    }

    /// Whether it was sent before `other` was answered: it may have changed what `other` saw.
    pub fn may_affect(&self, other: &Self) -> bool {
        other.answer.as_ref().is_none_or(|(answered, _)| self.sent.place < answered.place)
    }
}

/// A whole history.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub calls: Vec<Call>,
    /// From here on the store was well, and every request must be answered.
    pub calm: Option<usize>,
    /// How often a node or the database was killed.
    pub struck: usize,
}

impl History {
    /// The calls of these numbers, as lines in the order of real time, those in `marked` with a mark.
    pub fn lines(&self, numbers: &[usize], marked: &[usize]) -> String {
        let mut lines: Vec<(usize, String)> = Vec::new();
        for number in numbers {
            let Call { client, node: (node, life), op, sent, answer } = &self.calls[*number];
            let mark = if marked.contains(number) { '>' } else { ' ' };
            let life = "'".repeat(usize::try_from(*life).unwrap());
            let head = |moment: &Moment| {
                let millis = moment.clock.as_millis() - START.as_millis();
                format!("{mark} {:>4} {:>5}.{:03} s", moment.place, millis / 1_000, millis % 1_000)
            };
            lines
                .push((sent.place, format!("{}  client {client} to node {node}{life}: {op:?}  #{number}", head(sent))));
            if let Some((answered, outcome)) = answer {
                lines.push((answered.place, format!("{}      #{number} answered: {outcome:?}", head(answered))));
            }
        }
        lines.sort();
        lines.into_iter().map(|(_, line)| line + "\n").collect()
    }
}

/// Writes a history down while it happens.
#[derive(Default)]
pub struct Recorder {
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    history: History,
    places: usize,
    names: HashMap<String, Name>,
    secrets: HashMap<Name, String>,
}

impl Written {
    fn now(&mut self, clock: Timestamp) -> Moment {
        self.places += 1;
        Moment { place: self.places, clock }
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap()
    }

    /// Before a request is sent.
    pub fn sent(&self, client: usize, node: (usize, u64), op: Op, clock: Timestamp) -> usize {
        let mut written = self.lock();
        let sent = written.now(clock);
        written.history.calls.push(Call { client, node, op, sent, answer: None });
        written.history.calls.len() - 1
    }

    /// After it was answered.
    pub fn answered(&self, call: usize, outcome: Outcome, clock: Timestamp) {
        let mut written = self.lock();
        let answered = written.now(clock);
        written.history.calls[call].answer = Some((answered, outcome));
    }

    /// From now on the store is well.
    pub fn calm(&self) {
        let mut written = self.lock();
        let place = written.places;
        written.history.calm = Some(place);
    }

    /// What a secret is called; the same secret has one name, whoever is told of it.
    pub fn name(&self, kind: char, secret: &str) -> Name {
        let mut written = self.lock();
        let next = u32::try_from(written.names.values().filter(|name| name.0 == kind).count()).unwrap() + 1;
        let name = *written.names.entry(secret.to_owned()).or_insert(Name(kind, next));
        written.secrets.entry(name).or_insert_with(|| secret.to_owned());
        name
    }

    pub fn secret(&self, name: Name) -> String {
        self.lock().secrets[&name].clone()
    }

    /// The history so far.
    pub fn history(&self) -> History {
        self.lock().history.clone()
    }
}
