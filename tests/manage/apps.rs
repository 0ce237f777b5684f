//! Connected apps, what a client has, and ending much at once.

use std::sync::Arc;
use std::time::Duration;

use grantor::client::ClientMetadata;
use grantor::event::What;
use grantor::manage::{ManageError, NewPersonalToken};
use grantor::store::{Cursor, Kind, State};
use grantor::{AuthorizationServer, Subject};

use crate::world::{self, metadata, public, world};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_app_is_shown_with_its_sessions_their_devices_and_when_they_were_last_used() {
    let world = world();
    let web =
        world.register(ClientMetadata { client_uri: Some("https://app.example".into()), ..metadata("Web") }).await;
    let alice = Subject::from("alice");
    let first = world.grant(&web, "alice").await;
    world.clock.advance(HOUR);
    world.grant(&web, "alice").await;
    world.clock.advance(HOUR);
    assert!(world.is_live(&first).await);
    let used = world.server.now();

    let app = world.server.grants().app(&alice, web.client.id()).await.unwrap().unwrap();
    assert_eq!((app.client_name.as_str(), app.client_uri.as_deref()), ("Web", Some("https://app.example")));
    assert_eq!((app.scope.as_str(), app.last_used_at), ("read", Some(used)));
    let [newer, older] = app.sessions.as_slice() else { panic!("{app:?}") };
    assert_eq!((older.last_used_at, newer.last_used_at), (Some(used), None));
    assert_eq!(newer.created_at, older.created_at.after(HOUR));
    assert_eq!(older.device, "Firefox on a ship", "without what is no character");
    let consent = app.consent.unwrap();
    assert_eq!((consent.scope.as_str(), consent.resources.len()), ("read", 0));

    // What is ended is no session, and what expired is none either; the consent stays until the app is removed.
    world.server.grants().revoke_own(&alice, &newer.id).await.unwrap();
    let app = world.server.grants().app(&alice, web.client.id()).await.unwrap().unwrap();
    assert_eq!(app.sessions.len(), 1);
    world.clock.advance(Duration::from_secs(91 * 24 * 3600));
    let app = world.server.grants().app(&alice, web.client.id()).await.unwrap().unwrap();
    assert!(app.sessions.is_empty() && app.scope.is_empty() && app.consent.is_some());
    world.server.grants().remove_app(&alice, web.client.id()).await.unwrap();
    assert_eq!(world.server.grants().app(&alice, web.client.id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_use_writes_nothing_itself_and_is_written_down_once_an_hour_where_other_nodes_see_it() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let token = world.grant(&web, "alice").await;
    let marks = || {
        let all = world.store.snapshot();
        let marks = all.into_iter().filter(|record| record.key.kind == Kind::GRANT_USE);
        marks.map(|mark| (mark.revision, mark.created_at)).collect::<Vec<_>>()
    };
    let before = world.store.snapshot();
    assert!(world.is_live(&token).await);
    assert_eq!(world.store.snapshot(), before);
    let first = world.server.now();
    for _ in 0..5 {
        world.server.purge(100).await.unwrap();
        world.clock.advance(Duration::from_secs(60));
        assert!(world.is_live(&token).await);
    }
    assert_eq!(marks(), [(1, first)]);
    world.clock.advance(HOUR);
    assert!(world.is_live(&token).await);
    world.server.purge(100).await.unwrap();
    let last = world.server.now();
    assert_eq!(marks(), [(2, last)]);

    let node = AuthorizationServer::builder("https://auth.example.com")
        .shared_store(Arc::clone(&world.store) as _)
        .clock(Arc::clone(&world.clock) as _)
        .secret(world::SECRET)
        .build()
        .unwrap();
    assert_eq!(node.grants().of(&"alice".into(), None, 1).await.unwrap().items[0].last_used_at, Some(last));
}

#[tokio::test]
async fn nobody_ends_or_sees_a_grant_of_somebody_else() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let token = world.grant(&web, "alice").await;
    let grants = world.server.grants();
    let id = grants.of(&"alice".into(), None, 1).await.unwrap().items[0].id.clone();
    assert_eq!(grants.revoke_own(&"mallory".into(), &id).await.unwrap_err(), ManageError::NotFound);
    assert!(world.is_live(&token).await);
    assert!(grants.apps(&"mallory".into(), None, 10).await.unwrap().items.is_empty());
    assert_eq!(grants.app(&"mallory".into(), web.client.id()).await.unwrap(), None);
}

#[tokio::test]
async fn an_app_whose_client_is_gone_is_shown_to_nobody() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let app = world.register(metadata("App")).await;
    world.grant(&web, "alice").await;
    world.grant(&app, "alice").await;
    world.server.clients().delete(app.client.id()).await.unwrap();
    // A page of one: what is left out of it does not end the list.
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let page = world.server.grants().apps(&"alice".into(), after, 1).await.unwrap();
        shown.extend(page.items.into_iter().map(|app| app.client_id));
        let Some(next) = page.next else { break };
        after = Some(Cursor::from_text(&next.to_text()).unwrap());
        assert_eq!(after.as_ref(), Some(&next), "a cursor travels as text");
    }
    assert_eq!(shown, [web.client.id().clone()]);
    assert_eq!(Cursor::from_text("not a cursor"), None);
}

#[tokio::test]
async fn ending_all_of_a_client_is_one_write_and_it_may_begin_anew() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let app = world.register(metadata("App")).await;
    let users = ["alice", "bob", "carol"];
    let mut tokens = Vec::new();
    for user in users {
        tokens.push(world.grant(&web, user).await);
    }
    let others = world.grant(&app, "alice").await;
    let secret = web.secret.as_ref().unwrap();
    let usage = world.server.clients().usage(web.client.id()).await.unwrap();
    assert_eq!((usage.live_grants.number, usage.live_grants.more), (3, false));
    assert_eq!(usage.last_used_at, Some(world.server.now()));

    let before = world.store.snapshot();
    world.server.clients().revoke_all(web.client.id()).await.unwrap();
    let after = world.store.snapshot();
    let changed = after.iter().filter(|record| !before.iter().any(|old| old == *record)).count();
    assert_eq!((changed, after.len()), (1, before.len()));
    for token in &tokens {
        assert!(!world.is_live(token).await);
    }
    assert!(world.is_live(&others).await);
    assert_eq!(world.server.clients().usage(web.client.id()).await.unwrap().live_grants.number, 0);
    let shown = world.server.grants().to(web.client.id(), None, 10).await.unwrap().items;
    assert!(shown.len() == 3 && shown.iter().all(|grant| !grant.live && grant.revoked));
    assert!(world.authenticates(web.client.id(), secret).await);
    assert!(world.is_live(&world.grant(&web, "alice").await).await);
    let refused = world.server.clients().revoke_all(&"nobody".into()).await.unwrap_err();
    assert_eq!(refused, ManageError::NotFound);
}

#[tokio::test]
async fn ending_everything_of_everyone_goes_on_where_it_stopped_and_spares_nothing() {
    let world = world();
    let mut tokens = Vec::new();
    for number in 0..5 {
        let client = world.register(metadata(&format!("Client {number}"))).await;
        tokens.push(world.grant(&client, "alice").await);
        tokens.push(world.grant(&client, "bob").await);
        let secret = client.secret.as_ref().unwrap().expose();
        let own = world.token(client.client.id(), secret, "grant_type=client_credentials").await;
        let own: serde_json::Value = serde_json::from_str(own.body()).unwrap();
        tokens.push(own["access_token"].as_str().unwrap().to_owned());
        world.clock.advance(Duration::from_secs(1));
    }
    let resting = world.register(public("Resting")).await.client;
    world.server.clients().deactivate(resting.id()).await.unwrap();
    let new = NewPersonalToken {
        name: "script".into(),
        scope: "read".parse().unwrap(),
        lifetime: HOUR,
        resources: Vec::new(),
    };
    let personal = world.server.personal_tokens().create(&"alice".into(), new).await.unwrap();
    tokens.push(personal.token.expose().to_owned());
    for token in &tokens {
        assert!(world.is_live(token).await);
    }

    let (mut calls, mut clients, mut after) = (0, 0, None);
    loop {
        let sweep = world.server.clients().revoke_everything(after, 2).await.unwrap();
        (calls, clients) = (calls + 1, clients + sweep.clients);
        let Some(next) = sweep.next else { break };
        // As after a restart: the place is all that is kept.
        after = Cursor::from_text(&next.to_text());
    }
    assert_eq!((calls, clients), (4, 6), "five, and that of the personal tokens");
    for token in &tokens {
        assert!(!world.is_live(token).await);
    }
    assert_eq!(world.told(|event| event.what == What::EverythingRevoked), 1);
    assert_eq!(world.told(|event| event.what == What::ClientRevoked), 6);
    let kept = world.server.clients().get(resting.id()).await.unwrap().unwrap();
    assert_eq!(kept.state(), State::Inactive, "what rests does not wake");
}
