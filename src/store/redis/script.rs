//! The scripts, and a call of one.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline};

use super::bucket::{Bucket, Roots, tags};

/// A script, and the digest that Redis knows it by.
#[derive(Debug)]
pub(super) struct Script {
    source: String,
    digest: String,
}

/// When a script may run. None is marked as one that only reads: a replica would run that, and answer what was true a
/// moment ago.
#[derive(Debug, Clone, Copy)]
enum Rights {
    /// Not when the memory is full.
    Grow,
    /// Even then: what reads, forgets, or ends something.
    Always,
}

impl Script {
    /// Without the common part.
    fn plain(rights: Rights, body: &str) -> Self {
        let head = match rights {
            Rights::Grow => "#!lua\n",
            Rights::Always => "#!lua flags=allow-oom\n",
        };
        let source = format!("{head}{body}");
        let digest = redis::Script::new(&source).get_hash().to_owned();
        Self { source, digest }
    }

    fn new(rights: Rights, body: &str) -> Self {
        Self::plain(rights, &format!("{}{body}", include_str!("lua/record.lua")))
    }

    /// The command that makes a server know it.
    pub(super) fn load(&self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(&self.source);
        command
    }
}

/// All there are.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) commit: Script,
    pub(super) commit_when_full: Script,
    pub(super) load: Script,
    pub(super) page: Script,
    pub(super) walk: Script,
    pub(super) purge: Script,
    pub(super) forget: Script,
    pub(super) probe: Script,
}

impl Scripts {
    pub(super) const fn each(&self) -> [&Script; 8] {
        let Self { commit, commit_when_full, load, page, walk, purge, forget, probe } = self;
        [commit, commit_when_full, load, page, walk, purge, forget, probe]
    }
}

/// The scripts: the same for all stores.
pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| {
    let commit = include_str!("lua/commit.lua");
    Scripts {
        commit: Script::new(Rights::Grow, commit),
        commit_when_full: Script::new(Rights::Always, commit),
        load: Script::plain(Rights::Always, &include_str!("lua/load.lua").replace("@TAGS@", &tags())),
        page: Script::new(Rights::Always, include_str!("lua/page.lua")),
        walk: Script::new(Rights::Always, include_str!("lua/walk.lua")),
        purge: Script::new(Rights::Always, include_str!("lua/purge.lua")),
        forget: Script::plain(Rights::Always, include_str!("lua/forget.lua")),
        probe: Script::plain(Rights::Always, include_str!("lua/probe.lua")),
    }
});

/// A command about one bucket.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) bucket: Bucket,
    pub(super) script: Option<&'static Script>,
    pub(super) command: Cmd,
}

impl Call {
    /// A call of a script.
    pub(super) fn script<A: redis::ToRedisArgs>(
        script: &'static Script,
        roots: &Roots,
        bucket: Bucket,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.digest).arg(1).arg(roots.of(bucket));
        for argument in arguments {
            command.arg(argument);
        }
        Self { bucket, script: Some(script), command }
    }

    /// A command of Redis itself.
    pub(super) const fn plain(bucket: Bucket, command: Cmd) -> Self {
        Self { bucket, script: None, command }
    }
}

/// Several commands, sent together.
pub(super) fn pipeline<'a>(commands: impl IntoIterator<Item = &'a Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for command in commands {
        pipeline.add_command(command.clone());
    }
    pipeline
}
