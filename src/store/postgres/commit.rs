//! A commit as the arguments of `grantor.commit_v1`.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::fault::{Fault, REFUSED, words};
use super::options::{Events, PostgresOptions};
use super::session::Parameter;
use crate::clock::Timestamp;
use crate::store::{Commit, Committed, Condition, Durability, Failed, Key, Link, Record, StoreError, Write};

pub(super) const STATEMENT: &str = "SELECT grantor.commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
    $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)";

/// The arguments: arrays with one element for each lock, condition, write or event.
#[derive(Debug, Default)]
pub(super) struct Arguments<'a> {
    durable: bool,
    partition: i32,
    lock_kind: Vec<i16>,
    lock_id: Vec<&'a [u8]>,
    lock_alone: Vec<bool>,
    condition_lock: Vec<i32>,
    condition_what: Vec<i16>,
    condition_value: Vec<i64>,
    writes: Writes<'a>,
    tenant: &'a [u8],
    events: Vec<String>,
}

#[derive(Debug, Default)]
struct Writes<'a> {
    what: Vec<i16>,
    kind: Vec<i16>,
    id: Vec<&'a [u8]>,
    tenant: Vec<Option<&'a [u8]>>,
    state: Vec<Option<i16>>,
    epoch: Vec<Option<i64>>,
    created_at: Vec<Option<i64>>,
    expires_at: Vec<Option<i64>>,
    purge_after: Vec<Option<i64>>,
    payload: Vec<Option<&'a [u8]>>,
    parent: Links<'a>,
    client_partition: Vec<Option<i32>>,
    client: Links<'a>,
    subject: Links<'a>,
    name: Vec<Option<&'a str>>,
    public_id: Vec<Option<&'a str>>,
    class: Vec<Option<&'a str>>,
    used_at: Vec<Option<i64>>,
    used_answer: Vec<Option<&'a [u8]>>,
}

#[derive(Debug, Default)]
struct Links<'a> {
    kind: Vec<Option<i16>>,
    id: Vec<Option<&'a [u8]>>,
    epoch: Vec<Option<i64>>,
}

/// A key within a partition, in the order in which keys are locked.
type Name<'a> = (u8, &'a [u8; 32]);

fn name(key: &Key) -> Name<'_> {
    (key.kind.0, &key.id)
}

/// An epoch or a revision as its 64 bits: there is no unsigned type.
pub(super) fn bits(number: u64) -> i64 {
    i64::from_be_bytes(number.to_be_bytes())
}

impl<'a> Arguments<'a> {
    pub(super) fn of(commit: &'a Commit, options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut arguments = Self {
            durable: options.durability == Durability::Durable,
            partition: i32::from(commit.partition.0),
            tenant: &commit.tenant.0,
            ..Self::default()
        };
        arguments.lock(commit);
        for write in &commit.writes {
            arguments.writes.push(write)?;
        }
        if options.events == Events::Kept {
            let json = commit.events.iter().map(serde_json::to_string);
            arguments.events =
                json.collect::<Result<_, _>>().map_err(|error| StoreError::Corrupt(error.to_string()))?;
        }
        Ok(arguments)
    }

    /// Every record that is conditioned on or changed, each once, in the order of the keys, and which of them a condition is about.
    /// What is first inserted is not there to be locked, and guards itself.
    fn lock(&mut self, commit: &'a Commit) {
        let mut locks = BTreeMap::<Name<'a>, bool>::new();
        let mut inserted = Vec::<Name<'a>>::new();
        for write in &commit.writes {
            match write {
                Write::Insert(record) => inserted.push(name(&record.key)),
                Write::Replace(record) => self.lock_alone(&mut locks, &inserted, &record.key),
                Write::Use { key, .. } | Write::SetState { key, .. } | Write::Delete(key) => {
                    self.lock_alone(&mut locks, &inserted, key);
                }
            }
        }
        let mut asked = Vec::with_capacity(commit.conditions.len());
        for condition in &commit.conditions {
            let (key, what, value) = match condition {
                Condition::Unused(key) => (key, 1, 0),
                Condition::Live { key, epoch } => (key, 2, bits(*epoch)),
                Condition::Unchanged { key, revision } => (key, 3, bits(*revision)),
            };
            locks.entry(name(key)).or_insert(false);
            asked.push(name(key));
            self.condition_what.push(what);
            self.condition_value.push(value);
        }
        for ((kind, id), alone) in &locks {
            self.lock_kind.push(i16::from(*kind));
            self.lock_id.push(id.as_slice());
            self.lock_alone.push(*alone);
        }
        let numbers: BTreeMap<Name<'_>, i32> = locks.keys().copied().zip(1..).collect();
        // Each was entered above; a condition without a lock would never be fulfilled.
        self.condition_lock = asked.iter().map(|name| numbers.get(name).copied().unwrap_or(0)).collect();
    }

    #[expect(clippy::unused_self, reason = "reads as what it does")]
    fn lock_alone(&self, locks: &mut BTreeMap<Name<'a>, bool>, inserted: &[Name<'a>], key: &'a Key) {
        if !inserted.contains(&name(key)) {
            locks.insert(name(key), true);
        }
    }

    pub(super) fn parameters(&self) -> [Parameter<'_>; 35] {
        let writes = &self.writes;
        [
            (&self.durable, Type::BOOL),
            (&self.partition, Type::INT4),
            (&self.lock_kind, Type::INT2_ARRAY),
            (&self.lock_id, Type::BYTEA_ARRAY),
            (&self.lock_alone, Type::BOOL_ARRAY),
            (&self.condition_lock, Type::INT4_ARRAY),
            (&self.condition_what, Type::INT2_ARRAY),
            (&self.condition_value, Type::INT8_ARRAY),
            (&writes.what, Type::INT2_ARRAY),
            (&writes.kind, Type::INT2_ARRAY),
            (&writes.id, Type::BYTEA_ARRAY),
            (&writes.tenant, Type::BYTEA_ARRAY),
            (&writes.state, Type::INT2_ARRAY),
            (&writes.epoch, Type::INT8_ARRAY),
            (&writes.created_at, Type::INT8_ARRAY),
            (&writes.expires_at, Type::INT8_ARRAY),
            (&writes.purge_after, Type::INT8_ARRAY),
            (&writes.payload, Type::BYTEA_ARRAY),
            (&writes.parent.kind, Type::INT2_ARRAY),
            (&writes.parent.id, Type::BYTEA_ARRAY),
            (&writes.parent.epoch, Type::INT8_ARRAY),
            (&writes.client_partition, Type::INT4_ARRAY),
            (&writes.client.kind, Type::INT2_ARRAY),
            (&writes.client.id, Type::BYTEA_ARRAY),
            (&writes.client.epoch, Type::INT8_ARRAY),
            (&writes.subject.kind, Type::INT2_ARRAY),
            (&writes.subject.id, Type::BYTEA_ARRAY),
            (&writes.subject.epoch, Type::INT8_ARRAY),
            (&writes.name, Type::TEXT_ARRAY),
            (&writes.public_id, Type::TEXT_ARRAY),
            (&writes.class, Type::TEXT_ARRAY),
            (&writes.used_at, Type::INT8_ARRAY),
            (&writes.used_answer, Type::BYTEA_ARRAY),
            (&self.tenant, Type::BYTEA),
            (&self.events, Type::TEXT_ARRAY),
        ]
    }
}

impl<'a> Writes<'a> {
    fn push(&mut self, write: &'a Write) -> Result<(), StoreError> {
        match write {
            Write::Insert(record) => self.push_record(1, record)?,
            Write::Replace(record) => self.push_record(2, record)?,
            Write::Use { key, at, answer, purge_after } => {
                self.push_change(3, key, None, Some(*purge_after), Some((*at, answer)));
            }
            Write::SetState { key, state } => self.push_change(4, key, Some(*state as i16), None, None),
            Write::Delete(key) => self.push_change(5, key, None, None, None),
        }
        Ok(())
    }

    fn push_record(&mut self, what: i16, record: &'a Record) -> Result<(), StoreError> {
        let home = record.key.partition;
        let subject = record.owner.as_ref().and_then(|owner| owner.subject.as_ref());
        if [record.parent.as_ref(), subject].into_iter().flatten().any(|link| link.key.partition != home) {
            return Err(StoreError::Corrupt("a parent or subject lives in another partition".into()));
        }
        self.what.push(what);
        self.kind.push(i16::from(record.key.kind.0));
        self.id.push(&record.key.id);
        self.tenant.push(Some(&record.tenant.0));
        self.state.push(Some(record.state as i16));
        self.epoch.push(Some(bits(record.epoch)));
        self.created_at.push(Some(record.created_at.as_millis()));
        self.expires_at.push(Some(record.expires_at.as_millis()));
        self.purge_after.push(Some(record.purge_after.as_millis()));
        self.payload.push(Some(record.payload.as_bytes()));
        self.parent.push(record.parent.as_ref());
        let client = record.owner.as_ref().map(|owner| &owner.client);
        self.client_partition.push(client.map(|link| i32::from(link.key.partition.0)));
        self.client.push(client);
        self.subject.push(subject);
        let labels = record.labels.as_deref();
        self.name.push(labels.map(|labels| text(&labels.name)).transpose()?);
        self.public_id.push(labels.map(|labels| text(&labels.public_id)).transpose()?);
        self.class.push(labels.map(|labels| text(&labels.class)).transpose()?);
        self.used_at.push(record.used.as_ref().map(|used| used.at.as_millis()));
        self.used_answer.push(record.used.as_ref().map(|used| &*used.answer));
        Ok(())
    }

    fn push_change(
        &mut self,
        what: i16,
        key: &'a Key,
        state: Option<i16>,
        purge_after: Option<Timestamp>,
        used: Option<(Timestamp, &'a [u8])>,
    ) {
        self.what.push(what);
        self.kind.push(i16::from(key.kind.0));
        self.id.push(&key.id);
        self.tenant.push(None);
        self.state.push(state);
        self.epoch.push(None);
        self.created_at.push(None);
        self.expires_at.push(None);
        self.purge_after.push(purge_after.map(Timestamp::as_millis));
        self.payload.push(None);
        self.parent.push(None);
        self.client_partition.push(None);
        self.client.push(None);
        self.subject.push(None);
        self.name.push(None);
        self.public_id.push(None);
        self.class.push(None);
        self.used_at.push(used.map(|(at, _)| at.as_millis()));
        self.used_answer.push(used.map(|(_, answer)| answer));
    }
}

impl<'a> Links<'a> {
    fn push(&mut self, link: Option<&'a Link>) {
        self.kind.push(link.map(|link| i16::from(link.key.kind.0)));
        self.id.push(link.map(|link| link.key.id.as_slice()));
        self.epoch.push(link.map(|link| bits(link.epoch)));
    }
}

/// Text of PostgreSQL holds every character but one.
fn text(text: &str) -> Result<&str, StoreError> {
    if text.contains('\0') { Err(StoreError::Corrupt("a label contains the character NUL".into())) } else { Ok(text) }
}

/// What a commit came to.
pub(super) fn outcome(answer: Result<Vec<Row>, Fault>) -> Result<Committed, StoreError> {
    let code = match answer {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| Fault::Nonsense("a commit was answered without a row".into()));
            row.and_then(|row| row.try_get::<_, i32>(0).map_err(|error| Fault::Nonsense(words(&error))))
        }
        Err(Fault::RolledBack { state, detail: Some(number), .. }) if state.code() == REFUSED => {
            number.parse().map(i32::wrapping_neg).map_err(|_| Fault::Nonsense(format!("write {number} was refused")))
        }
        Err(fault) => Err(fault),
    };
    let code = code.map_err(Fault::of_a_commit)?;
    if code == 0 {
        return Ok(Committed::Applied);
    }
    let position = usize::try_from(code.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(1);
    Ok(Committed::Refused(if code > 0 { Failed::Condition(position) } else { Failed::Write(position) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kind, Partition, State, Tenant};

    fn key(kind: u8, id: u8) -> Key {
        Key { partition: Partition(7), kind: Kind(kind), id: [id; 32] }
    }

    fn commit(conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
        let (tenant, partition, at) = (Tenant([1; 16]), Partition(7), Timestamp::from_secs(1));
        Commit { tenant, partition, at, conditions, writes, events: Vec::new() }
    }

    #[test]
    fn each_record_is_locked_once_in_the_order_of_the_keys() {
        let change = |key| Write::SetState { key, state: State::Live };
        let conditions = vec![
            Condition::Unused(key(9, 1)),
            Condition::Live { key: key(4, 2), epoch: u64::MAX },
            Condition::Unchanged { key: key(4, 1), revision: 3 },
            Condition::Unused(key(4, 2)),
        ];
        let commit = commit(conditions, vec![change(key(9, 1)), change(key(5, 0)), Write::Delete(key(4, 2))]);
        let arguments = Arguments::of(&commit, &PostgresOptions::new()).unwrap();
        let first: Vec<u8> = arguments.lock_id.iter().map(|id| id[0]).collect();
        assert_eq!((arguments.lock_kind, first), (vec![4, 4, 5, 9], vec![1, 2, 0, 1]));
        assert_eq!(arguments.lock_alone, [false, true, true, true]);
        assert_eq!(arguments.condition_lock, [4, 2, 1, 2]);
        assert_eq!(arguments.condition_what, [1, 2, 3, 1]);
        assert_eq!(arguments.condition_value, [0, -1, 3, 0]);
    }

    #[test]
    fn every_bit_of_a_number_is_kept() {
        for number in [0, 1, 1 << 63, u64::MAX] {
            assert_eq!(u64::from_be_bytes(bits(number).to_be_bytes()), number);
        }
    }
}
