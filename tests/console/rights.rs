//! Nobody sees or does what the host did not allow, at whatever address.

use grantor::ClientId;
use grantor::store::State;
use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn whoever_may_nothing_sees_nothing() {
    let world = World::new();
    let client = world.client("Wall").await;
    let (_, token) = world.token("nobody", "Script").await;
    let mut paths: Vec<String> = [
        "/",
        "/clients",
        "/clients/new",
        "/activity",
        "/people",
        "/person?subject=x",
        "/apps",
        "/tokens",
        "/tokens/new",
        "/everything",
    ]
    .map(str::to_owned)
    .into();
    paths.extend(World::client_paths(&client.client));
    paths.push("/client?client=unknown".to_owned());
    paths.push(format!("/token/edit?token={token}"));
    paths.push(format!("/token/delete?token={token}"));
    let mut nobody = world.browser("nobody");
    for path in paths {
        let answer = nobody.open(&path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.body.contains("Wall"), "{path}");
        assert_eq!(answer.page().all("nav").count(), 0);
    }
}

#[tokio::test]
async fn whoever_may_only_see_is_offered_nothing_else_and_can_do_nothing_else() {
    let world = World::new();
    let client = world.client("Wall").await;
    let token = world.grant(&client, "fred", "curl/8").await;
    let id = client.client.id();
    let mut reader = world.browser("reader");
    let page = reader.open(&format!("/client?client={id}")).await.page();
    assert!(page.text().contains("fred"));
    let doing = ["edit", "new", "end", "revoke", "activate", "delete", "remove"];
    let person = reader.open("/person?subject=fred").await.page();
    assert!(person.text().contains("Wall"));
    for link in page.links().into_iter().chain(person.links()) {
        let path = link.split('?').next().unwrap();
        assert!(!doing.iter().any(|word| path.ends_with(word)), "{link}");
    }
    assert!(!reader.open("/clients").await.page().text().contains("New API client"));
    assert!(!reader.open("/activity").await.page().text().contains("End everything"));
    let before = world.dump();
    // With the token of a form that an administrator's page had, in the same browser.
    for path in World::client_paths(&client.client).into_iter().skip(1) {
        let mut admin = world.browser("admin");
        let form = admin.open(&path).await.form();
        admin.user = "reader".into();
        assert_eq!(admin.submit(&form).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(reader.open(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(world.dump(), before);
    assert!(world.is_live(&token).await);
}

#[tokio::test]
async fn what_was_taken_from_somebody_is_in_force_at_once() {
    let world = World::new();
    let client = world.client("Wall").await;
    let mut admin = world.browser("admin");
    let form = admin.open(&format!("/client/delete?client={}", client.client.id())).await.form();
    admin.user = "full".into();
    assert_eq!(admin.submit(&form).await.status, StatusCode::FORBIDDEN);
    let id: &ClientId = client.client.id();
    assert_eq!(world.server.clients().get(id).await.unwrap().unwrap().state(), State::Live);
}

#[tokio::test]
async fn the_client_behind_personal_tokens_is_nobodys_to_change() {
    let world = World::new();
    let (token, _) = world.token("fred", "Script").await;
    let mut admin = world.browser("admin");
    assert!(!admin.open("/clients").await.page().text().contains("ersonal"));
    for path in ["/client", "/client/edit", "/client/deactivate", "/client/revoke", "/client/delete"] {
        let answer = admin.open(&format!("{path}?client=personal-tokens")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(world.is_live(&token).await);
}
