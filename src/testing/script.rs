//! What the user does, who is not there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::request::Parts;

use super::login;
use crate::clock::Timestamp;
use crate::http::{Host, SignIn, SignedIn};
use crate::id::Subject;
use crate::wire::scope::Scope;

/// What the user decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// All that is asked for, or this part of it.
    Approve(Option<Scope>),
    Deny,
    /// Nothing: pages are shown, and whoever sits before them decides.
    Ask,
}

/// Who is signed in, and what they decide.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) user: Option<Subject>,
    /// `None`: whenever it is asked.
    pub(super) authenticated_at: Option<Timestamp>,
    pub(super) decision: Decision,
}

/// The script, which a test rewrites while the server runs.
#[derive(Debug)]
pub(super) struct Scripted {
    script: Mutex<Script>,
    issuer: String,
}

impl Scripted {
    pub(super) fn new(issuer: &str) -> Self {
        let script = Script { user: Some("alice".into()), authenticated_at: None, decision: Decision::Approve(None) };
        Self { script: Mutex::new(script), issuer: issuer.to_owned() }
    }

    pub(super) fn now(&self) -> Script {
        self.lock().clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever has signed in on the page, or else whom the script names.
    fn signed_in(&self, request: &Parts, now: Timestamp) -> Option<SignedIn> {
        let script = self.now();
        if let Some(user) = login::signed_in(request) {
            return Some(user);
        }
        let user = script.user?;
        Some(SignedIn::new(user, script.authenticated_at.unwrap_or(now)))
    }
}

/// The host of a test's pages.
pub(super) struct ScriptedHost {
    pub(super) script: std::sync::Arc<Scripted>,
    pub(super) clock: std::sync::Arc<super::TestClock>,
}

#[async_trait]
impl Host for ScriptedHost {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        self.script.signed_in(request, crate::clock::Clock::now(&*self.clock))
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        sign_in.at(&format!("{}{}", self.script.issuer, login::PATH))
    }
}
