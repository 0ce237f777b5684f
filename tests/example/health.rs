//! `/healthz` and `/readyz`. What they say when a database is away is in `databases.rs`.

use crate::process::Example;

#[test]
fn probes_are_answered_beside_the_issuer() {
    let below = "issuer = \"http://127.0.0.1:8080/auth\"\nstore = \"memory:\"\n[[scopes]]\nname = \"read\"\n";
    for server in [Example::demo(), Example::configured(below)] {
        for (path, says) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
            let answer = server.get(path, &[]);
            assert_eq!((answer.status, &*answer.body), (200, says));
        }
    }
}
