//! Clients and their secrets, what was granted, and resource owners.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use grantor::client::{AuthMethod, Client, ClientMetadata, MetadataError, RedirectUriError, RefreshRotation};
use grantor::clock::Timestamp;
use grantor::manage::{ClientFilter, ManageError, Registration};
use grantor::secret::Secret;
use grantor::store::{Kind, Order, State};
use grantor::{ClientId, Lifetimes, Subject};

use crate::world::{VERIFIER, metadata, public, world};

fn names(clients: &[Arc<Client>]) -> Vec<&str> {
    clients.iter().map(|client| client.metadata().client_name.as_str()).collect()
}

#[tokio::test]
async fn a_secret_is_told_once_and_only_its_digest_is_kept() {
    let world = world();
    let registered = world.register(metadata("Web")).await;
    let secret = registered.secret.unwrap();
    assert!(secret.expose().starts_with("gcs_") && secret.expose().len() == 55);
    assert!(world.authenticates(registered.client.id(), &secret).await);
    for record in world.store.snapshot() {
        let payload = String::from_utf8_lossy(record.payload.as_bytes()).into_owned();
        assert!(!payload.contains(secret.expose()));
    }
    let other = world.register(metadata("Web")).await;
    assert_ne!(other.client.id(), registered.client.id());
    assert!(!world.authenticates(other.client.id(), &secret).await, "a secret is its own client's");
}

#[tokio::test]
async fn a_list_comes_in_pages_by_time_or_name_and_misses_nobody() {
    let world = world();
    for number in 0..25 {
        world.register(metadata(&format!("Client {:02}", (number * 7) % 25))).await;
        world.clock.advance(Duration::from_secs(1));
    }
    let by_number: Vec<String> = (0..25).map(|number| format!("Client {number:02}")).collect();
    for (order, limit) in [(Order::Name, 10), (Order::NewestFirst, 7), (Order::OldestFirst, 1)] {
        let filter = ClientFilter { order, ..ClientFilter::default() };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = world.server.clients().list(&filter, after, limit).await.unwrap();
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            found.extend(names(&page.items).into_iter().map(str::to_owned));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let expected: Vec<String> = match order {
            Order::Name => by_number.clone(),
            Order::OldestFirst => (0..25).map(|number| by_number[(number * 7) % 25].clone()).collect(),
            Order::NewestFirst => (0..25).rev().map(|number| by_number[(number * 7) % 25].clone()).collect(),
        };
        assert_eq!(found, expected, "{order:?}");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_state_method_name_and_identifier() {
    let world = world();
    let web = world.register(metadata("Camera Wall")).await.client;
    let cli = world.register(public("Camera CLI")).await.client;
    let gone = world.register(metadata("Old camera")).await.client;
    world.server.clients().deactivate(web.id()).await.unwrap();
    world.server.clients().delete(gone.id()).await.unwrap();
    let list = async |filter: ClientFilter| {
        let page = world.server.clients().list(&filter, None, 50).await.unwrap();
        page.items.iter().map(|client| client.id().clone()).collect::<BTreeSet<_>>()
    };
    let set = |ids: &[&ClientId]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    let all = ClientFilter::default;
    assert_eq!(list(all()).await, set(&[web.id(), cli.id()]), "the deleted are not listed");
    let inactive = ClientFilter { state: Some(State::Inactive), ..all() };
    assert_eq!(list(inactive).await, set(&[web.id()]));
    let methodless = ClientFilter { auth_method: Some(AuthMethod::None), ..all() };
    assert_eq!(list(methodless).await, set(&[cli.id()]));
    for (search, found) in [("camera", set(&[web.id(), cli.id()])), ("WALL", set(&[web.id()])), ("%", set(&[]))] {
        assert_eq!(list(ClientFilter { search: Some(search.into()), ..all() }).await, found, "{search}");
    }
    let prefix = web.id().as_str()[..10].to_lowercase();
    assert_eq!(list(ClientFilter { search: Some(prefix), ..all() }).await, set(&[web.id()]));
}

#[tokio::test]
async fn an_update_wins_only_over_the_revision_it_was_made_from() {
    let world = world();
    let clients = world.server.clients();
    let registered = world.register(metadata("Web")).await;
    let read = registered.client;
    let first = clients.update(read.id(), read.revision(), metadata("First")).await.unwrap();
    assert_eq!(first.client.metadata().client_name, "First");
    assert!(first.client.revision() > read.revision());
    let lost = clients.update(read.id(), read.revision(), metadata("Second")).await;
    assert_eq!(lost.unwrap_err(), ManageError::Changed);
    let now = clients.get(read.id()).await.unwrap().unwrap();
    assert_eq!(*now, *first.client, "what is answered is what is kept");
    assert!(world.authenticates(read.id(), &registered.secret.unwrap()).await, "its secret stays");
    let unknown = clients.update(&"nobody".into(), 1, metadata("X")).await;
    assert_eq!(unknown.unwrap_err(), ManageError::NotFound);
}

#[tokio::test]
async fn a_client_that_becomes_public_loses_its_secrets_and_one_that_becomes_confidential_is_given_one() {
    let world = world();
    let clients = world.server.clients();
    let registered = world.register(metadata("Web")).await;
    let (id, old) = (registered.client.id().clone(), registered.secret.unwrap());
    let opened = clients.update(&id, registered.client.revision(), public("Web")).await.unwrap();
    assert!(opened.secret.is_none() && clients.secrets(&id).await.unwrap().is_empty());
    assert!(!world.authenticates(&id, &old).await);
    assert_eq!(clients.add_secret(&id, "x", Timestamp::NEVER).await.unwrap_err(), ManageError::PublicClient);
    let closed = clients.update(&id, opened.client.revision(), metadata("Web")).await.unwrap();
    assert!(world.authenticates(&id, &closed.secret.unwrap()).await);
    assert!(!world.authenticates(&id, &old).await);
}

#[tokio::test]
async fn metadata_that_breaks_a_rule_is_refused_by_name_and_nothing_is_kept() {
    let world = world();
    let base = metadata("Web");
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let cases = [
        (ClientMetadata { require_pkce: false, ..public("Web") }, MetadataError::PublicWithoutPkce),
        (
            ClientMetadata { grant_types: list(&["client_credentials"]), ..public("W") },
            MetadataError::PublicWithClientCredentials,
        ),
        (
            ClientMetadata { refresh_token_rotation: RefreshRotation::Never, ..public("W") },
            MetadataError::PublicWithoutRotation,
        ),
        (ClientMetadata { resource_server: true, ..public("W") }, MetadataError::PublicResourceServer),
        (ClientMetadata { grant_types: list(&["password"]), ..base.clone() }, MetadataError::GrantType),
        (ClientMetadata { grant_types: list(&["refresh_token"]), ..base.clone() }, MetadataError::RefreshWithoutSource),
        (ClientMetadata { response_types: list(&["token"]), ..base.clone() }, MetadataError::ResponseType),
        (ClientMetadata { redirect_uris: Vec::new(), ..base.clone() }, MetadataError::RedirectUriMissing),
        (ClientMetadata { scope: "read fly".parse().unwrap(), ..base.clone() }, MetadataError::Scope),
        (ClientMetadata { client_name: "a\nb".into(), ..base.clone() }, MetadataError::Text("client_name")),
        (ClientMetadata { client_name: "x".repeat(201), ..base.clone() }, MetadataError::Text("client_name")),
        (ClientMetadata { logo_uri: Some("javascript:1".into()), ..base.clone() }, MetadataError::Url("logo_uri")),
        (
            ClientMetadata { access_token_lifetime: Some(0), ..base.clone() },
            MetadataError::Lifetime("access_token_lifetime"),
        ),
        (
            ClientMetadata { refresh_token_lifetime: Some(u64::MAX), ..base.clone() },
            MetadataError::Lifetime("refresh_token_lifetime"),
        ),
        (
            ClientMetadata { redirect_uris: list(&["https://a.example/cb", "http://a.example/cb"]), ..base.clone() },
            MetadataError::RedirectUri { index: 1, reason: RedirectUriError::PlainHttp },
        ),
        (
            ClientMetadata { redirect_uris: list(&["https://a.example", "https://a.example"]), ..base },
            MetadataError::RedirectUris,
        ),
    ];
    for (metadata, error) in cases {
        let refused = world.server.clients().register(metadata).await.unwrap_err();
        assert_eq!(refused, ManageError::Metadata(error));
    }
    assert!(world.store.is_empty());
}

#[tokio::test]
async fn an_identifier_of_the_hosts_own_is_taken_once_until_all_it_was_issued_has_expired() {
    let world = world();
    let clients = world.server.clients();
    let named = |secret: &str| Registration {
        metadata: metadata("Web"),
        client_id: Some("web".into()),
        client_secret: Some(Secret::new(secret)),
    };
    clients.register(named("sixteen characters")).await.unwrap();
    assert_eq!(clients.register(named("sixteen characters")).await.unwrap_err(), ManageError::Taken);
    assert_eq!(
        clients.register(Registration { client_id: Some("other".into()), ..named("short") }).await.unwrap_err(),
        ManageError::Secret
    );
    for id in ["", "é", "a\u{7f}", "https://app.example/client.json"] {
        let refused =
            clients.register(Registration { client_id: Some(id.into()), ..named("sixteen characters") }).await;
        assert_eq!(refused.unwrap_err(), ManageError::ClientId, "{id}");
    }
    clients.delete(&"web".into()).await.unwrap();
    assert_eq!(clients.delete(&"web".into()).await.unwrap_err(), ManageError::NotFound);
    assert!(clients.get(&"web".into()).await.unwrap().is_none());
    assert_eq!(clients.register(named("sixteen characters")).await.unwrap_err(), ManageError::Taken);
    world.clock.advance(Lifetimes::default().grant + Duration::from_secs(3600));
    while world.server.purge(100).await.unwrap().more {}
    clients.register(named("sixteen characters")).await.unwrap();
}

#[tokio::test]
async fn secrets_are_several_with_labels_ends_and_last_use() {
    let world = world();
    let clients = world.server.clients();
    let registered = world.register(metadata("Web")).await;
    let (id, first) = (registered.client.id().clone(), registered.secret.unwrap());
    let ends = world.server.now().after(Duration::from_secs(100));
    let second = clients.add_secret(&id, "second", ends).await.unwrap();
    assert!(world.authenticates(&id, &first).await && world.authenticates(&id, &second.secret).await);
    let listed = clients.secrets(&id).await.unwrap();
    assert_eq!(listed.iter().map(|secret| secret.label.as_str()).collect::<Vec<_>>(), ["", "second"]);
    assert_eq!(listed[1].expires_at, ends);
    assert!(listed.iter().all(|secret| secret.last_used_at == Some(world.server.now())));

    world.clock.advance(Duration::from_secs(100));
    assert!(!world.authenticates(&id, &second.secret).await, "the end is exact");
    let third = clients.rotate_secret(&id, "third", Duration::from_secs(60)).await.unwrap();
    world.clock.advance(Duration::from_secs(59));
    assert!(world.authenticates(&id, &first).await, "the overlap");
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.authenticates(&id, &first).await && world.authenticates(&id, &third.secret).await);

    clients.expire_secret(&id, third.id, world.server.now()).await.unwrap();
    assert!(!world.authenticates(&id, &third.secret).await);
    assert_eq!(clients.expire_secret(&id, 99, Timestamp::NEVER).await.unwrap_err(), ManageError::NotFound);
    for _ in 0..10 {
        clients.add_secret(&id, "more", Timestamp::NEVER).await.unwrap();
    }
    let over = clients.add_secret(&id, "one too many", Timestamp::NEVER).await.unwrap_err();
    assert_eq!(over, ManageError::TooManySecrets);
    assert_eq!(clients.add_secret(&id, "a\nb", Timestamp::NEVER).await.unwrap_err(), ManageError::Label);
}

#[tokio::test]
async fn a_secret_that_is_set_is_the_only_one_and_set_again_changes_nothing() {
    let world = world();
    let clients = world.server.clients();
    let registered = world.register(metadata("Web")).await;
    let (id, first) = (registered.client.id().clone(), registered.secret.unwrap());
    clients.add_secret(&id, "second", Timestamp::NEVER).await.unwrap();
    let chosen = Secret::new("a-secret-of-the-host");
    clients.set_secret(&id, chosen.clone()).await.unwrap();
    assert!(world.authenticates(&id, &chosen).await && !world.authenticates(&id, &first).await);
    assert_eq!(clients.secrets(&id).await.unwrap().len(), 1);

    let before = clients.get(&id).await.unwrap().unwrap().revision();
    clients.set_secret(&id, chosen.clone()).await.unwrap();
    assert_eq!(clients.get(&id).await.unwrap().unwrap().revision(), before);
    // One that would end some day is not the same as one that does not.
    let secret = clients.secrets(&id).await.unwrap()[0].id;
    clients.expire_secret(&id, secret, world.server.now()).await.unwrap();
    assert!(!world.authenticates(&id, &chosen).await);
    clients.set_secret(&id, chosen.clone()).await.unwrap();
    assert!(world.authenticates(&id, &chosen).await);

    assert_eq!(clients.set_secret(&id, Secret::new("short")).await.unwrap_err(), ManageError::Secret);
    let public = world.register(public("Public")).await.client;
    assert_eq!(clients.set_secret(public.id(), chosen.clone()).await.unwrap_err(), ManageError::PublicClient);
    assert_eq!(clients.set_secret(&"nobody".into(), chosen).await.unwrap_err(), ManageError::NotFound);
}

#[tokio::test]
async fn grants_are_listed_by_user_and_by_client_and_end_at_once() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let app = world.register(metadata("App")).await;
    let mut tokens = Vec::new();
    for (client, user) in [(&web, "alice"), (&web, "alice"), (&app, "alice"), (&web, "bob")] {
        tokens.push(world.grant(client, user).await);
        world.clock.advance(Duration::from_secs(1));
    }
    let grants = world.server.grants();
    let of_alice = grants.of(&"alice".into(), None, 2).await.unwrap();
    let rest = grants.of(&"alice".into(), of_alice.next, 2).await.unwrap();
    assert_eq!((of_alice.items.len(), rest.items.len(), rest.next), (2, 1, None));
    assert_eq!(of_alice.items[0].client_id, *app.client.id(), "newest first");
    assert_eq!(grants.to(web.client.id(), None, 10).await.unwrap().items.len(), 3);

    let newest = &of_alice.items[0];
    assert_eq!((newest.subject.as_str(), newest.scope.as_str(), newest.live), ("alice", "read", true));
    grants.revoke(&newest.id).await.unwrap();
    grants.revoke(&newest.id).await.unwrap();
    assert!(!world.is_live(&tokens[2]).await && world.is_live(&tokens[0]).await);
    assert!(!grants.of(&"alice".into(), None, 1).await.unwrap().items[0].live);
    for id in ["", "AAAAAAAAAAAAAAAAAAAAAAAA", "not a name of a grant"] {
        assert_eq!(grants.revoke(&id.into()).await.unwrap_err(), ManageError::NotFound, "{id}");
    }
}

#[tokio::test]
async fn removing_an_app_ends_its_grants_its_codes_and_its_consent_for_that_user_alone() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let app = world.register(metadata("App")).await;
    let alices = world.grant(&web, "alice").await;
    let others = [world.grant(&web, "bob").await, world.grant(&app, "alice").await];
    let waiting = world.code(web.client.id(), "alice").await;
    let grants = world.server.grants();
    let alice = Subject::from("alice");
    assert_eq!(grants.apps(&alice, None, 10).await.unwrap().items.len(), 2);

    grants.remove_app(&alice, web.client.id()).await.unwrap();
    assert!(!world.is_live(&alices).await);
    for other in &others {
        assert!(world.is_live(other).await);
    }
    let grant = format!("grant_type=authorization_code&code={waiting}&code_verifier={VERIFIER}");
    let late = world.token(web.client.id(), web.secret.as_ref().unwrap().expose(), &grant).await;
    assert_eq!(late.status(), 400, "{}", late.body());
    let left = grants.apps(&alice, None, 10).await.unwrap().items;
    assert_eq!(left.iter().map(|app| &app.client_id).collect::<Vec<_>>(), [app.client.id()]);
    assert_eq!(grants.remove_app(&"nobody".into(), web.client.id()).await.unwrap_err(), ManageError::NotFound);
    assert!(world.is_live(&world.grant(&web, "alice").await).await, "it may come again");
}

#[tokio::test]
async fn ending_all_of_a_user_is_one_write_however_much_there_is() {
    let world = world();
    let web = world.register(metadata("Web")).await;
    let mut tokens = Vec::new();
    for _ in 0..10 {
        tokens.push(world.grant(&web, "alice").await);
    }
    let subjects = world.server.subjects();
    let alice = Subject::from("alice");
    let before: BTreeSet<_> = world.store.snapshot().iter().map(|record| (record.key, record.revision)).collect();
    subjects.revoke_all(&alice).await.unwrap();
    let after: BTreeSet<_> = world.store.snapshot().iter().map(|record| (record.key, record.revision)).collect();
    let changed: Vec<_> = after.difference(&before).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].0.kind, Kind::SUBJECT);
    for token in &tokens {
        assert!(!world.is_live(token).await);
    }
    assert!(world.is_live(&world.grant(&web, "alice").await).await, "and a new sign-in counts");

    subjects.deactivate(&alice).await.unwrap();
    assert!(!subjects.is_active(&alice).await.unwrap());
    subjects.activate(&alice).await.unwrap();
    assert!(subjects.is_active(&alice).await.unwrap() && subjects.is_active(&"nobody".into()).await.unwrap());
    for token in &tokens {
        assert!(!world.is_live(token).await, "activation revives nothing");
    }
}
