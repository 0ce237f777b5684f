//! Personal tokens: they are grants like any other.

use std::sync::Arc;
use std::time::Duration;

use grantor::event::{Event, What};
use grantor::manage::{ManageError, NewPersonalToken, PersonalToken};
use grantor::store::{Kind, MemoryStore, Store};
use grantor::{AuthorizationServer, Lifetimes, Limits, Require, Subject};

use crate::world::{World, metadata, world, world_with};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn new(name: &str, scope: &str) -> NewPersonalToken {
    NewPersonalToken { name: name.into(), scope: scope.parse().unwrap(), lifetime: 30 * DAY, resources: Vec::new() }
}

async fn create(world: &World, user: &str, name: &str, scope: &str) -> PersonalToken {
    world.server.personal_tokens().create(&user.into(), new(name, scope)).await.unwrap()
}

#[tokio::test]
async fn one_is_shown_once_verified_introspected_and_listed_like_any_grant() {
    let world = world();
    let api = world.register(grantor::client::ClientMetadata { resource_server: true, ..metadata("API") }).await;
    let alice = Subject::from("alice");
    let made = create(&world, "alice", "Backup", "read write").await;
    let text = made.token.expose();
    assert!(text.starts_with("gpt_") && text.len() == 55);
    let verified = world.server.verify(text, Require::scope("write")).await.unwrap();
    assert_eq!((verified.subject(), verified.scope()), (Some("alice"), "read write"));
    let told = world.introspect(&api, text).await;
    assert_eq!(told["active"], true);
    assert_eq!((&told["sub"], &told["scope"]), (&"alice".into(), &"read write".into()));
    assert_eq!((&told["token_type"], &told["client_id"]), (&"Bearer".into(), &"personal-tokens".into()));

    let listed = world.server.personal_tokens().of(&alice).await.unwrap();
    assert_eq!((listed.len(), listed[0].name.as_str()), (1, "Backup"));
    assert_eq!(listed[0].expires_at, world.server.now().after(30 * DAY));
    assert_eq!(listed[0].last_used_at, Some(world.server.now()));
    assert_eq!(world.server.grants().of(&alice, None, 10).await.unwrap().items, listed);
    assert!(world.server.grants().apps(&alice, None, 10).await.unwrap().items.is_empty(), "it is no app");
    let issued =
        |event: &Event| matches!(&event.what, What::Issued { grant_type, .. } if grant_type == "personal_token");
    assert_eq!(world.told(issued), 1);
    for record in world.store.snapshot() {
        let payload = String::from_utf8_lossy(record.payload.as_bytes()).into_owned();
        assert!(!payload.contains(text), "only its digest is kept");
    }
}

#[tokio::test]
async fn whatever_ends_a_grant_ends_one_too() {
    let world = world();
    let server = &world.server;
    let alice = Subject::from("alice");
    let ends: [(&str, usize); 5] = [("revoked", 0), ("subject", 1), ("client", 2), ("expired", 3), ("posted", 4)];
    for (name, how) in ends {
        let made = create(&world, "alice", name, "read").await;
        assert!(world.is_live(made.token.expose()).await, "{name}");
        match how {
            0 => server.grants().revoke(&made.grant.id).await.unwrap(),
            1 => server.subjects().revoke_all(&alice).await.unwrap(),
            2 => drop(server.clients().revoke_all(&"personal-tokens".into()).await.unwrap()),
            3 => world.clock.advance(30 * DAY),
            _ => {
                let body = format!("token={}&client_id=personal-tokens", made.token.expose());
                assert_eq!(world.form("/revoke", body).await.status(), 200);
            }
        }
        assert!(!world.is_live(made.token.expose()).await, "{name}");
        // And its name is free.
        create(&world, "alice", name, "read").await;
    }
}

#[tokio::test]
async fn another_scope_is_in_force_at_once_for_the_token_in_hand() {
    let world = world();
    let tokens = world.server.personal_tokens();
    let alice = Subject::from("alice");
    let made = create(&world, "alice", "Backup", "read write").await;
    let text = made.token.expose();
    let changed = tokens.set_scope(&alice, &made.grant.id, "read".parse().unwrap()).await.unwrap();
    assert_eq!((changed.scope.as_str(), changed.name.as_str()), ("read", "Backup"));
    assert!(world.server.verify(text, Require::scope("write")).await.is_err());
    assert_eq!(world.server.verify(text, Require::any()).await.unwrap().scope(), "read");
    tokens.set_scope(&alice, &made.grant.id, "write".parse().unwrap()).await.unwrap();
    assert!(world.server.verify(text, Require::scope("write")).await.is_ok());
    for scope in ["fly", "read fly"] {
        let refused = tokens.set_scope(&alice, &made.grant.id, scope.parse().unwrap()).await;
        assert_eq!(refused.unwrap_err(), ManageError::ScopeNotAllowed, "{scope}");
    }
    let others = tokens.set_scope(&"mallory".into(), &made.grant.id, "read".parse().unwrap()).await;
    assert_eq!(others.unwrap_err(), ManageError::NotFound);
    assert_eq!(tokens.delete(&"mallory".into(), &made.grant.id).await.unwrap_err(), ManageError::NotFound);
    assert!(world.is_live(text).await);

    tokens.delete(&alice, &made.grant.id).await.unwrap();
    assert!(!world.is_live(text).await);
    assert!(tokens.of(&alice).await.unwrap().is_empty());
    let late = tokens.set_scope(&alice, &made.grant.id, "read".parse().unwrap()).await;
    assert_eq!(late.unwrap_err(), ManageError::NotFound);
    assert_eq!(tokens.delete(&alice, &made.grant.id).await.unwrap_err(), ManageError::NotFound);
}

#[tokio::test]
async fn an_oauth_grant_cannot_be_edited_as_if_it_were_one() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let token = world.grant(&web, "alice").await;
    let alice = Subject::from("alice");
    create(&world, "alice", "Backup", "read").await;
    let grants = world.server.grants().to(web.client.id(), None, 1).await.unwrap().items;
    let tokens = world.server.personal_tokens();
    let widened = tokens.set_scope(&alice, &grants[0].id, "read write".parse().unwrap()).await;
    assert_eq!(widened.unwrap_err(), ManageError::NotFound);
    assert_eq!(tokens.delete(&alice, &grants[0].id).await.unwrap_err(), ManageError::NotFound);
    assert!(world.is_live(&token).await);
}

#[tokio::test]
async fn what_may_not_be_made_is_refused_by_name() {
    let limits = Limits { personal_tokens_per_subject: 3, ..Limits::default() };
    let lifetimes = Lifetimes { personal_token: 90 * DAY, ..Lifetimes::default() };
    let world = world_with(|builder| {
        builder.limits(limits).lifetimes(lifetimes).scope("grantor:clients:read", "x").scope("admin", "y")
    });
    let tokens = world.server.personal_tokens();
    let alice = Subject::from("alice");
    assert_eq!(tokens.allowed_scope().as_str(), "read write admin");
    assert_eq!(tokens.lifetimes(), [7 * DAY, 30 * DAY, 60 * DAY, 90 * DAY]);
    let long = "x".repeat(101);
    for (token, error) in [
        (new("", "read"), ManageError::Name),
        (new(" Backup", "read"), ManageError::Name),
        (new("a\nb", "read"), ManageError::Name),
        (new(&long, "read"), ManageError::Name),
        (new("Backup", "grantor:clients:read"), ManageError::ScopeNotAllowed),
        (
            NewPersonalToken { scope: grantor::wire::scope::Scope::empty(), ..new("B", "read") },
            ManageError::ScopeNotAllowed,
        ),
        (NewPersonalToken { lifetime: 91 * DAY, ..new("B", "read") }, ManageError::LifetimeNotAllowed),
        (NewPersonalToken { lifetime: Duration::ZERO, ..new("B", "read") }, ManageError::LifetimeNotAllowed),
    ] {
        assert_eq!(tokens.create(&alice, token).await.unwrap_err(), error);
    }
    assert!(world.store.is_empty());
    create(&world, "alice", "Backup", "read").await;
    assert_eq!(tokens.create(&alice, new("BACKUP", "read")).await.unwrap_err(), ManageError::NameTaken);
    create(&world, "bob", "Backup", "read").await;
    create(&world, "alice", "two", "read").await;
    let third = create(&world, "alice", "three", "read").await;
    assert_eq!(tokens.create(&alice, new("four", "read")).await.unwrap_err(), ManageError::TooManyTokens);
    tokens.delete(&alice, &third.grant.id).await.unwrap();
    create(&world, "alice", "four", "read").await;
    world.server.subjects().deactivate(&alice).await.unwrap();
    assert_eq!(tokens.create(&alice, new("five", "read")).await.unwrap_err(), ManageError::Inactive);
}

#[tokio::test]
async fn one_that_has_expired_is_shown_for_a_while_and_takes_up_no_room() {
    let limits = Limits { personal_tokens_per_subject: 2, ..Limits::default() };
    let world = world_with(|builder| builder.limits(limits));
    let alice = Subject::from("alice");
    for round in 0..6 {
        create(&world, "alice", &format!("token {round}"), "read").await;
        world.clock.advance(30 * DAY);
    }
    let listed = world.server.personal_tokens().of(&alice).await.unwrap();
    assert!(listed.iter().all(|grant| !grant.live && !grant.revoked));
    assert!((1..=5).contains(&listed.len()), "{}", listed.len());
    assert_eq!(listed[0].name, "token 5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_creations_with_one_name_one_wins_on_whatever_node() {
    for round in 0_u8..50 {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let node = || {
            AuthorizationServer::builder("https://auth.example.com")
                .shared_store(Arc::clone(&store))
                .secret([round; 32])
                .default_scope("read", "Read")
                .build()
                .unwrap()
        };
        let barrier = Arc::new(tokio::sync::Barrier::new(4));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (server, barrier) = (node(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    server.personal_tokens().create(&"alice".into(), new("Backup", "read")).await
                })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error, ManageError::NameTaken),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(node().personal_tokens().of(&"alice".into()).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_beside_a_deletion_never_brings_one_back() {
    for _ in 0..100 {
        let world = world();
        let made = create(&world, "alice", "Backup", "read").await;
        let barrier = Arc::new(tokio::sync::Barrier::new(2));
        let (server, id, other) = (world.server.clone(), made.grant.id.clone(), Arc::clone(&barrier));
        let edit = tokio::spawn(async move {
            other.wait().await;
            server.personal_tokens().set_scope(&"alice".into(), &id, "read write".parse().unwrap()).await
        });
        barrier.wait().await;
        world.server.personal_tokens().delete(&"alice".into(), &made.grant.id).await.unwrap();
        match edit.await.unwrap() {
            Ok(_) | Err(ManageError::NotFound) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert!(!world.is_live(made.token.expose()).await);
        create(&world, "alice", "Backup", "read").await;
    }
}

#[tokio::test]
async fn that_one_will_expire_is_told_once_soonest_first_and_not_of_one_that_was_deleted() {
    let world = world();
    let tokens = world.server.personal_tokens();
    for (user, name, days) in [("alice", "a", 9), ("bob", "b", 5), ("alice", "c", 20), ("carol", "d", 3)] {
        tokens.create(&user.into(), NewPersonalToken { lifetime: days * DAY, ..new(name, "read") }).await.unwrap();
    }
    let gone = create(&world, "dave", "e", "read").await;
    tokens.delete(&"dave".into(), &gone.grant.id).await.unwrap();
    world.clock.advance(DAY);
    let names = |found: &[grantor::manage::Grant]| found.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    let first = tokens.expiring(10 * DAY, None, 2).await.unwrap();
    let rest = tokens.expiring(10 * DAY, first.next.clone(), 2).await.unwrap();
    assert_eq!((names(&first.items), names(&rest.items)), (vec!["d".into(), "b".into()], vec!["a".into()]));
    assert_eq!(rest.next, None);

    assert_eq!(names(&tokens.warn_expiring(7 * DAY, None, 100).await.unwrap().items), ["d", "b"]);
    assert!(tokens.warn_expiring(7 * DAY, None, 100).await.unwrap().items.is_empty());
    world.clock.advance(3 * DAY);
    assert_eq!(names(&tokens.warn_expiring(7 * DAY, None, 100).await.unwrap().items), ["a"], "and d has expired");
    let told = |event: &Event| matches!(&event.what, What::PersonalTokenExpiring { .. }) && event.subject.is_some();
    assert_eq!(world.told(told), 3);
}

#[tokio::test]
async fn the_client_behind_them_is_nobodys_to_change() {
    let world = world();
    let clients = world.server.clients();
    let id = grantor::ClientId::from("personal-tokens");
    let taken = grantor::manage::Registration { client_id: Some(id.clone()), ..metadata("Mine").into() };
    assert_eq!(clients.register(taken).await.unwrap_err(), ManageError::Taken);
    create(&world, "alice", "Backup", "read").await;
    let listed = clients.list(&grantor::manage::ClientFilter::default(), None, 10).await.unwrap();
    assert!(listed.items.is_empty());
    let client = clients.get(&id).await.unwrap().unwrap();
    assert_eq!(clients.update(&id, client.revision(), metadata("Mine")).await.unwrap_err(), ManageError::NotFound);
    assert_eq!(clients.delete(&id).await.unwrap_err(), ManageError::NotFound);
    assert_eq!(
        clients.add_secret(&id, "x", grantor::clock::Timestamp::NEVER).await.unwrap_err(),
        ManageError::PublicClient
    );
    for grant in ["client_credentials", "authorization_code", "refresh_token"] {
        let answer = world.form("/token", format!("grant_type={grant}&code=x&client_id=personal-tokens")).await;
        assert_eq!(answer.status(), 400, "{grant}: {}", answer.body());
    }
    let kinds = world.store.snapshot().iter().filter(|record| record.key.kind == Kind::CLIENT).count();
    assert_eq!(kinds, 1);
}
