//! How often a password may be guessed, with a clock that the test moves.

#[path = "../../examples/server/throttle.rs"]
mod counted;

use std::net::IpAddr;
use std::time::Duration;

use counted::{MOST_FAILURES, Throttle, TooMany, WINDOW};
use grantor::clock::Timestamp;

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn fail(throttle: &Throttle, account: &str, from: &str, times: u32) {
    for _ in 0..times {
        drop(throttle.attempt(account, address(from), START).await.unwrap());
    }
}

#[tokio::test]
async fn ten_failures_close_the_account_to_that_address_until_the_time_is_over() {
    let throttle = Throttle::default();
    fail(&throttle, "alice", "192.0.2.1", MOST_FAILURES).await;
    let until = START.after(WINDOW);
    let refused = throttle.attempt("alice", address("192.0.2.1"), START.after(Duration::from_secs(1))).await;
    assert_eq!(refused.err(), Some(TooMany { until }));
    assert!(throttle.attempt("alice", address("192.0.2.2"), START).await.is_ok(), "another address is not closed");
    assert!(throttle.attempt("bob", address("192.0.2.1"), START).await.is_ok(), "another account is not closed");
    assert!(throttle.attempt("alice", address("192.0.2.1"), until).await.is_ok());
}

#[tokio::test]
async fn success_does_not_count_and_forgives() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        throttle.attempt("alice", address("192.0.2.1"), START).await.unwrap().succeeded();
    }
    fail(&throttle, "alice", "192.0.2.1", MOST_FAILURES - 1).await;
    throttle.attempt("alice", address("192.0.2.1"), START).await.unwrap().succeeded();
    fail(&throttle, "alice", "192.0.2.1", MOST_FAILURES).await;
}

#[tokio::test]
async fn spellings_of_an_address_and_neighbours_of_one_party_count_together() {
    for (one, other) in [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8::ffff:1")] {
        let throttle = Throttle::default();
        fail(&throttle, "alice", one, MOST_FAILURES).await;
        assert!(throttle.attempt("alice", address(other), START).await.is_err(), "{other}");
    }
}

#[tokio::test]
async fn attempts_at_the_same_time_get_no_more_guesses() {
    let throttle = std::sync::Arc::new(Throttle::default());
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let throttle = std::sync::Arc::clone(&throttle);
            tokio::spawn(async move {
                let attempt = throttle.attempt("alice", address("192.0.2.1"), START).await;
                tokio::task::yield_now().await;
                attempt.is_ok()
            })
        })
        .collect();
    let mut guesses = 0;
    for task in tasks {
        guesses += u32::from(task.await.unwrap());
    }
    assert_eq!(guesses, MOST_FAILURES);
}

#[tokio::test]
async fn it_remembers_no_more_than_so_many() {
    let throttle = Throttle::default();
    for account in 0..20_000 {
        drop(throttle.attempt(&account.to_string(), address("192.0.2.1"), START).await.unwrap());
    }
    assert!(format!("{throttle:?}").matches("until").count() <= 10_000);
}
