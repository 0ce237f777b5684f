//! What went wrong, and what that says of a commit.

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::StoreError;

/// What a statement came to that did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was never sent.
    Unsent(String),
    /// The server refused it and rolled back whatever it had done.
    RolledBack {
        /// The code of the error (`SQLSTATE`).
        state: SqlState,
        /// What the server said.
        message: String,
        /// The detail it gave; a refused write has its number here.
        detail: Option<String>,
    },
    /// It was sent, and nothing is known of it.
    Unknown(String),
    /// The answer makes no sense.
    Nonsense(String),
}

/// A write that is not the first of its commit was refused (`grantor.commit_v1`).
pub(super) const REFUSED: &str = "GR001";

impl Fault {
    /// What an error says of a statement that was, or may have been, sent.
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else { return Self::Unknown(words(error)) };
        if ends_the_session(db) {
            return Self::Unknown(said(db));
        }
        Self::RolledBack { state: db.code().clone(), message: said(db), detail: db.detail().map(str::to_owned) }
    }

    /// Whether the same statement may succeed if it is sent again: another transaction was in the way.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::RolledBack { state, .. }
            if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED)
    }

    /// The error of what only reads, or may be done twice.
    pub(super) fn of_a_read(self) -> StoreError {
        match self {
            Self::Unsent(why) | Self::Unknown(why) => StoreError::Unavailable(why),
            Self::RolledBack { state, message, .. } => rolled_back(&state, message),
            Self::Nonsense(what) => StoreError::Corrupt(what),
        }
    }

    /// The error of a commit.
    pub(super) fn of_a_commit(self) -> StoreError {
        match self {
            Self::Unsent(why) => StoreError::Unavailable(why),
            Self::RolledBack { state, message, .. } => rolled_back(&state, message),
            Self::Unknown(why) => StoreError::InDoubt(why),
            // It was answered, so it happened; and what happened is not known.
            Self::Nonsense(what) => StoreError::InDoubt(what),
        }
    }
}

/// Errors after which the session is gone, or a pooler between has lost it: they may arrive after the transaction was committed.
fn ends_the_session(db: &DbError) -> bool {
    let fatal = match db.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) => true,
        Some(_) => false,
        None => !db.severity().eq_ignore_ascii_case("error"),
    };
    let code = db.code().code();
    // 08: the connection; 57P0x: the server goes down; 40003: it is not known whether the statement completed; 58000: some
    // poolers say so of anything.
    fatal || code.starts_with("08") || code.starts_with("57P0") || code == "40003" || code == "58000"
}

/// What is rolled back is either a defect, of what was asked or of what is kept, or something that passes.
fn rolled_back(state: &SqlState, message: String) -> StoreError {
    let code = state.code();
    // 21, 22, 23: values that do not fit; 54: too large; XX001, XX002: data and indexes that are damaged.
    let corrupt = ["21", "22", "23", "54", "XX001", "XX002"].iter().any(|class| code.starts_with(class));
    if corrupt {
        StoreError::Corrupt(message)
    } else if ["42P01", "42883", "3F000"].contains(&code) {
        StoreError::Unavailable(format!("{message}; were the migrations applied (PostgresStore::migrate)?"))
    } else {
        StoreError::Unavailable(message)
    }
}

fn said(db: &DbError) -> String {
    format!("{} ({})", db.message(), db.code().code())
}

/// An error with what caused it: the driver keeps these apart.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolled(code: &str) -> StoreError {
        rolled_back(&SqlState::from_code(code), String::new())
    }

    #[test]
    fn what_passes_is_unavailable_and_a_defect_is_corrupt() {
        for passes in ["25006", "40001", "40P01", "53100", "53300", "55P03", "57014", "42501", "42P01", "XX000"] {
            assert!(matches!(rolled(passes), StoreError::Unavailable(_)), "{passes}");
        }
        for defect in ["22003", "22021", "23502", "23505", "54000", "XX001"] {
            assert!(matches!(rolled(defect), StoreError::Corrupt(_)), "{defect}");
        }
    }

    #[test]
    fn a_commit_of_which_nothing_is_known_is_in_doubt() {
        assert!(matches!(Fault::Unknown(String::new()).of_a_commit(), StoreError::InDoubt(_)));
        assert!(matches!(Fault::Nonsense(String::new()).of_a_commit(), StoreError::InDoubt(_)));
        assert!(matches!(Fault::Unsent(String::new()).of_a_commit(), StoreError::Unavailable(_)));
        assert!(matches!(Fault::Unknown(String::new()).of_a_read(), StoreError::Unavailable(_)));
    }
}
