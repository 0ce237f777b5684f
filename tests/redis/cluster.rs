//! A Cluster of its own for each test: six processes, three of which follow the others.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::server::{Server, free_ports, redis};

/// Masters and replicas.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let nodes: Vec<Server> = (0..6).map(|_| start_node(arguments)).collect();
        let mut create = Command::new(redis("redis-cli"));
        create.args(["--cluster", "create"]).args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        create.args(["--cluster-replicas", "1", "--cluster-yes"]).stdin(Stdio::null());
        let output = create.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let cluster = Self { nodes };
        cluster.settle();
        cluster
    }

    /// Waits until every node knows the others, and every replica follows its master.
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        loop {
            let settled = self.nodes.iter().filter(|node| node.is_up()).all(|node| {
                let replication = node.said(&["INFO", "replication"]);
                let follows = replication.contains("role:master") || replication.contains("master_link_status:up");
                follows && node.said(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
            });
            if settled {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the cluster does not settle");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> String {
        self.nodes[0].url()
    }

    /// Those that hold slots at present.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &Server> {
        self.nodes.iter().filter(|node| node.is_up() && node.said(&["INFO", "replication"]).contains("role:master"))
    }
}

fn start_node(arguments: &[&str]) -> Server {
    for _ in 0..20 {
        // By default the nodes talk to each other on a port that is 10,000 higher, and need not be free.
        let [bus] = free_ports();
        let bus = bus.to_string();
        let own = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", &bus];
        if let Some(server) = Server::try_start(&[own.as_slice(), arguments].concat()) {
            return server;
        }
    }
    panic!("redis-server does not come up as a node of a Cluster");
}
