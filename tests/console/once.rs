//! What is created is created once, and its secret is in one answer and nowhere else.

use std::time::Duration;

use grantor::store::Kind;
use http::StatusCode;

use crate::html::Form;
use crate::world::{Browser, World};

fn count(world: &World, kind: Kind) -> usize {
    world.dump().iter().filter(|record| record.key.kind == kind).count()
}

/// The forms that make a secret, filled in.
async fn creating(world: &World, admin: &mut Browser<'_>) -> Vec<Form> {
    let client = world.client("Wall").await;
    let id = client.client.id();
    let public = admin.open("/clients/new").await.form().with("name", "App").with("method", "none");
    let public = admin.submit(&public.with("redirect_uris", "http://127.0.0.1/cb")).await.page();
    let public = public.by_id("client-id").unwrap().text.clone();
    vec![
        admin.open("/clients/new").await.form().with("name", "New").with("redirect_uris", "https://new.example/cb"),
        admin.open(&format!("/client/secret/new?client={id}")).await.form(),
        admin.open(&format!("/client/edit?client={public}")).await.form().with("method", "client_secret_post"),
        admin.open("/tokens/new").await.form().with("name", "Script").with("scope", "read"),
    ]
}

#[tokio::test]
async fn a_form_that_is_sent_again_does_nothing_again() {
    let world = World::new();
    let mut admin = world.browser("admin");
    for form in creating(&world, &mut admin).await {
        let first = admin.submit(&form).await;
        assert_eq!(first.status, StatusCode::OK, "{}", form.action);
        assert!(first.page().by_id("secret").is_some());
        let before = world.dump();
        for _ in 0..2 {
            let again = admin.submit(&form).await;
            assert_eq!(again.status, StatusCode::CONFLICT, "{}", form.action);
            assert!(again.page().text().contains("Nothing was done twice"));
            assert!(again.page().by_id("secret").is_none());
        }
        assert_eq!(world.dump(), before, "{}", form.action);
    }
}

#[tokio::test]
async fn two_sendings_at_once_make_one() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let form =
        admin.open("/clients/new").await.form().with("name", "New").with("redirect_uris", "https://new.example/cb");
    let mut others: Vec<_> = (0..8).map(|_| admin.clone()).collect();
    let mut statuses = Vec::new();
    let sent = others.iter_mut().map(|browser| browser.submit(&form));
    for answer in futures_of(sent).await {
        statuses.push(answer.status);
    }
    statuses.sort();
    assert_eq!(statuses[0], StatusCode::OK);
    assert!(statuses[1..].iter().all(|status| *status == StatusCode::CONFLICT), "{statuses:?}");
    assert_eq!(count(&world, Kind::CLIENT), 1);
}

/// Polls all in turn until all are done.
async fn futures_of<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (slot, done) in waiting.iter_mut().zip(&mut done) {
            if let Some(std::task::Poll::Ready(output)) = slot.as_mut().map(|future| future.as_mut().poll(context)) {
                *done = Some(output);
                *slot = None;
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_mark_of_a_form_is_forgotten_when_the_form_is_no_longer_good() {
    let world = World::new();
    let mut admin = world.browser("admin");
    for form in creating(&world, &mut admin).await {
        admin.submit(&form).await;
    }
    assert!(count(&world, Kind::MARKER) > 0);
    world.clock.advance(Duration::from_secs(13 * 3600));
    world.server.purge(1_000).await.unwrap();
    assert_eq!(count(&world, Kind::MARKER), 0);
}

#[tokio::test]
async fn a_secret_is_in_one_answer_and_nowhere_else() {
    let world = World::new();
    let mut admin = world.browser("admin");
    for form in creating(&world, &mut admin).await {
        let answer = admin.submit(&form).await;
        let secret = answer.page().by_id("secret").unwrap().text.clone();
        assert!(secret.starts_with("gcs_") || secret.starts_with("gpt_"), "{secret}");
        assert_eq!(answer.body.matches(&secret).count(), 1);
        assert_eq!(answer.header("cache-control"), "no-store");
        for (name, value) in &answer.headers {
            assert!(!value.to_str().unwrap().contains(&secret), "{name}");
        }
        // No link or form on the page carries it on.
        assert!(!answer.page().links().iter().any(|link| link.contains(&secret)));
        assert!(answer.page().form().is_none());
        for path in ["/clients", "/activity", "/tokens", "/apps"] {
            assert!(!admin.open(path).await.body.contains(&secret), "{path}");
        }
        let next = answer.page().links().pop().unwrap().strip_prefix("/console").unwrap().to_owned();
        assert!(!admin.open(&next).await.body.contains(&secret), "{next}");
        let stored = format!("{:?}", world.dump());
        assert!(!stored.contains(&secret));
    }
}
