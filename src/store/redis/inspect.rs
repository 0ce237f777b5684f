//! What a server keeps when something breaks, as far as it tells.

use std::collections::HashMap;

use redis::{Cmd, FromRedisValue as _, Value};

use super::fault::Fault;
use super::node::Node;
use super::options::{RedisFsync, RedisLoss, RedisOptions};

/// What one server said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    version: String,
    /// Whether it is a node of a Cluster.
    pub(super) in_cluster: bool,
    master: bool,
    append_only: bool,
    /// `None` where it may not be asked.
    fsync: Option<RedisFsync>,
    eviction: String,
    replicas: u32,
}

/// Something that may be lost, and the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Risk {
    pub(super) loss: RedisLoss,
    pub(super) why: String,
}

/// Asks a server.
pub(super) async fn inspect(node: &Node) -> Result<Findings, Fault> {
    let info = redis::cmd("INFO");
    let config: Cmd = redis::cmd("CONFIG")
        .arg("GET")
        .arg(&["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"])
        .to_owned();
    let mut answers = node.ask_all([&info, &config]).await?.into_iter();
    let missing = || Err(Fault::Lost("no answer".into()));
    let said = text(answers.next().unwrap_or_else(missing)?);
    // That it may not be asked is no failure; that it was not answered is.
    let settings = match answers.next().unwrap_or_else(missing) {
        Ok(settings) => HashMap::<String, String>::from_redis_value(settings).unwrap_or_default(),
        Err(fault @ (Fault::Unreached(_) | Fault::NotHere(..))) => return Err(fault),
        Err(_) => HashMap::new(),
    };
    Ok(Findings::of(&fields(&said), &settings))
}

fn text(value: Value) -> String {
    String::from_redis_value(value).unwrap_or_default()
}

/// The lines `name:value` of `INFO`.
fn fields(said: &str) -> HashMap<&str, &str> {
    said.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

impl Findings {
    fn of(info: &HashMap<&str, &str>, settings: &HashMap<String, String>) -> Self {
        let said = |name| info.get(name).copied().unwrap_or_default();
        let set = |name: &str| settings.get(name).map(String::as_str);
        let fsync = set("appendfsync").map(|fsync| match fsync {
            // While the file is rewritten it would not be written through.
            "always" if set("no-appendfsync-on-rewrite") == Some("yes") => RedisFsync::EverySecond,
            "always" => RedisFsync::Always,
            "everysec" => RedisFsync::EverySecond,
            _ => RedisFsync::Never,
        });
        Self {
            version: said("redis_version").into(),
            in_cluster: said("cluster_enabled") == "1",
            master: said("role") == "master",
            append_only: said("aof_enabled") == "1",
            fsync,
            eviction: set("maxmemory-policy").unwrap_or_else(|| said("maxmemory_policy")).into(),
            replicas: said("connected_slaves").parse().unwrap_or_default(),
        }
    }

    /// Why this server will not do at all.
    pub(super) fn unfit(&self) -> Option<String> {
        let major: u32 = self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        (major < 7)
            .then(|| format!("Redis 7.0 or later is needed, or Valkey; the server says that it is '{}'", self.version))
    }

    /// What may be lost, worst first.
    pub(super) fn risks(&self, options: &RedisOptions) -> Vec<Risk> {
        let mut risks = Vec::new();
        let mut risk = |loss, why: String| risks.push(Risk { loss, why });
        if !self.append_only {
            risk(RedisLoss::Everything, "it has no append-only file (`appendonly yes`)".into());
        }
        let evicts = match options.expire {
            _ if self.eviction.is_empty() => true,
            None => self.eviction.starts_with("allkeys"),
            Some(_) => self.eviction != "noeviction",
        };
        if evicts {
            let why = format!("it evicts keys when memory is short (`maxmemory-policy` is '{}')", self.eviction);
            risk(RedisLoss::Everything, why);
        }
        match self.fsync.or(options.fsync) {
            Some(RedisFsync::Always) => {}
            Some(RedisFsync::EverySecond) => risk(
                RedisLoss::Recent,
                "it writes through to the disk once a second (`appendfsync`, `no-appendfsync-on-rewrite`)".into(),
            ),
            Some(RedisFsync::Never) => {
                risk(RedisLoss::Recent, "it does not write through to the disk (`appendfsync no`)".into());
            }
            None => risk(
                RedisLoss::Recent,
                "it does not tell whether it writes through to the disk (CONFIG GET is refused: say it by `RedisOptions::fsync`)".into(),
            ),
        }
        let waited = options.wait.map_or(0, |wait| wait.replicas);
        if self.master && self.replicas > waited {
            let why =
                format!("{} replicas may take over, and {waited} are waited for (`RedisOptions::wait`)", self.replicas);
            risk(RedisLoss::Recent, why);
        }
        risks.sort_by_key(|risk| std::cmp::Reverse(risk.loss));
        risks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn findings(info: &str, settings: &[(&str, &str)]) -> Findings {
        let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Findings::of(&fields(info), &settings)
    }

    const SAFE: &str = "# Server\r\nredis_version:7.0.15\r\naof_enabled:1\r\nrole:master\r\nconnected_slaves:0\r\nmaxmemory_policy:noeviction\r\n";

    fn worst(findings: &Findings, options: &RedisOptions) -> Option<RedisLoss> {
        findings.risks(options).first().map(|risk| risk.loss)
    }

    #[test]
    fn an_append_only_file_that_is_written_through_risks_nothing() {
        assert_eq!(worst(&findings(SAFE, &[("appendfsync", "always")]), &RedisOptions::new()), None);
    }

    #[test]
    fn each_way_to_lose_is_found() {
        let options = RedisOptions::new();
        let always = ("appendfsync", "always");
        let replaced = |from: &str, to: &str| findings(&SAFE.replace(from, to), &[always]);
        assert_eq!(worst(&findings(SAFE, &[("appendfsync", "everysec")]), &options), Some(RedisLoss::Recent));
        assert_eq!(worst(&findings(SAFE, &[("appendfsync", "no")]), &options), Some(RedisLoss::Recent));
        let on_rewrite = [always, ("no-appendfsync-on-rewrite", "yes")];
        assert_eq!(worst(&findings(SAFE, &on_rewrite), &options), Some(RedisLoss::Recent));
        assert_eq!(worst(&findings(SAFE, &[]), &options), Some(RedisLoss::Recent));
        assert_eq!(worst(&replaced("connected_slaves:0", "connected_slaves:1"), &options), Some(RedisLoss::Recent));
        assert_eq!(worst(&replaced("aof_enabled:1", "aof_enabled:0"), &options), Some(RedisLoss::Everything));
        assert_eq!(worst(&replaced("noeviction", "allkeys-lru"), &options), Some(RedisLoss::Everything));
        assert_eq!(worst(&replaced("maxmemory_policy:noeviction", ""), &options), Some(RedisLoss::Everything));
    }

    #[test]
    fn what_the_host_says_counts_where_the_server_does_not() {
        let options = RedisOptions::new().fsync(RedisFsync::Always);
        assert_eq!(worst(&findings(SAFE, &[]), &options), None);
        assert_eq!(worst(&findings(SAFE, &[("appendfsync", "everysec")]), &options), Some(RedisLoss::Recent));
    }

    #[test]
    fn replicas_that_are_waited_for_risk_nothing() {
        let said = findings(&SAFE.replace("connected_slaves:0", "connected_slaves:2"), &[("appendfsync", "always")]);
        let wait = |replicas| RedisOptions::new().wait(replicas, Duration::from_millis(100));
        assert_eq!(worst(&said, &wait(1)), Some(RedisLoss::Recent));
        assert_eq!(worst(&said, &wait(2)), None);
    }

    #[test]
    fn keys_that_expire_may_be_evicted_by_more_policies() {
        let said = findings(&SAFE.replace("noeviction", "volatile-lru"), &[("appendfsync", "always")]);
        assert_eq!(worst(&said, &RedisOptions::new()), None);
        assert_eq!(worst(&said, &RedisOptions::new().expire_after(Duration::ZERO)), Some(RedisLoss::Everything));
    }

    #[test]
    fn a_version_before_seven_is_unfit() {
        assert!(findings(SAFE, &[]).unfit().is_none());
        assert!(findings(&SAFE.replace("7.0.15", "6.2.7"), &[]).unfit().is_some());
        assert!(findings("", &[]).unfit().is_some());
    }
}
