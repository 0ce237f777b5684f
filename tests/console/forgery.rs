//! Every form, sent by somebody else, from elsewhere, too late, or with other hidden fields: nothing changes.

use std::time::Duration;

use http::StatusCode;

use crate::html::Form;
use crate::world::{Browser, World};

/// Every form there is, as `admin` sees it, with something typed in that would have an effect.
async fn forms(world: &World, admin: &mut Browser<'_>) -> Vec<Form> {
    let client = world.client("Wall").await;
    let other = world.client("Other").await;
    world.server.clients().deactivate(other.client.id()).await.unwrap();
    world.grant(&client, "admin", "curl/8").await;
    let (_, token) = world.token("admin", "Script").await;
    let grant = world.server.grants().to(client.client.id(), None, 1).await.unwrap().items.remove(0).id;
    let id = client.client.id();
    let mut forms = Vec::new();
    for (path, typed) in [
        ("/clients/new".to_owned(), vec![("name", "New"), ("redirect_uris", "https://new.example/cb")]),
        (format!("/client/edit?client={id}"), vec![("name", "Changed")]),
        (format!("/client/secret/new?client={id}"), vec![("label", "Second")]),
        (format!("/client/secret/end?client={id}&secret=1"), vec![]),
        (format!("/client/session/end?client={id}&grant={grant}"), vec![]),
        (format!("/client/activate?client={}", other.client.id()), vec![]),
        (format!("/client/deactivate?client={id}"), vec![]),
        (format!("/client/revoke?client={id}"), vec![]),
        (format!("/client/delete?client={id}"), vec![]),
        ("/person/revoke?subject=admin".to_owned(), vec![]),
        (format!("/person/app/remove?subject=admin&client={id}"), vec![]),
        (format!("/app/remove?client={id}"), vec![]),
        (format!("/app/session/end?grant={grant}"), vec![]),
        ("/tokens/new".to_owned(), vec![("name", "Another"), ("scope", "read")]),
        (format!("/token/edit?token={token}"), vec![("scope", "write")]),
        (format!("/token/delete?token={token}"), vec![]),
        ("/everything".to_owned(), vec![]),
    ] {
        let form = admin.open(&path).await.form();
        forms.push(typed.into_iter().fold(form, |form, (name, value)| form.with(name, value)));
    }
    forms
}

#[tokio::test]
async fn every_form_that_is_sent_as_it_should_be_has_an_effect() {
    // So that what the other tests refuse is refused for the reason they think.
    for at in 0..17 {
        let world = World::new();
        let mut admin = world.browser("admin");
        let form = forms(&world, &mut admin).await.remove(at);
        let before = world.dump();
        let answer = admin.submit(&form).await;
        assert!(
            answer.status.is_success() || answer.status == StatusCode::SEE_OTHER,
            "{}: {}",
            form.action,
            answer.status
        );
        assert_ne!(world.dump(), before, "{}", form.action);
    }
}

#[tokio::test]
async fn a_form_without_its_own_token_changes_nothing() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let all = forms(&world, &mut admin).await;
    let before = world.dump();
    let mut stranger = world.browser("admin");
    let of_stranger = stranger.open("/clients/new").await.form();
    for form in &all {
        let own = form.value("csrf").to_owned();
        let mut flipped = own.clone().into_bytes();
        let last = flipped.len() - 2;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        let mut wrong = vec![
            form.clone().without("csrf"),
            form.clone().with("csrf", ""),
            form.clone().with("csrf", "x"),
            form.clone().with("csrf", &String::from_utf8(flipped).unwrap()),
            form.clone().with("csrf", &own[..own.len() - 4]),
            form.clone().with("csrf", of_stranger.value("csrf")),
        ];
        // Twice is not at all.
        let mut twice = form.clone();
        twice.fields.push(("csrf".into(), own.clone()));
        wrong.push(twice);
        // That of every other form.
        for other in all.iter().filter(|other| other.action != form.action) {
            wrong.push(form.clone().with("csrf", other.value("csrf")));
        }
        for wrong in wrong {
            let answer = admin.submit(&wrong).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", form.action);
            assert!(answer.page().text().contains("Nothing was changed"));
        }
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_browser_and_person_alone() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let all = forms(&world, &mut admin).await;
    let before = world.dump();
    // The same person in another browser; another browser without any cookie; another person in the same browser.
    let mut elsewhere = world.browser("admin");
    elsewhere.open("/clients").await;
    let mut other_person = admin.clone();
    other_person.user = "full".into();
    for form in &all {
        assert_eq!(elsewhere.submit(form).await.status, StatusCode::FORBIDDEN, "{}", form.action);
        assert_eq!(world.browser("admin").submit(form).await.status, StatusCode::FORBIDDEN, "{}", form.action);
        let status = other_person.submit(form).await.status;
        assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{}: {status}", form.action);
        assert_eq!(world.browser("").submit(form).await.status, StatusCode::UNAUTHORIZED, "{}", form.action);
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing_even_with_its_token() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let all = forms(&world, &mut admin).await;
    let before = world.dump();
    for headers in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://auth.example.com.evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "same-site"), ("origin", "https://auth.example.com")],
    ] {
        admin.extra = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        for form in &all {
            assert_eq!(admin.submit(form).await.status, StatusCode::FORBIDDEN, "{} {headers:?}", form.action);
        }
    }
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json"] {
        admin.extra = vec![("content-type", kind.to_owned())];
        for form in &all {
            assert_eq!(admin.submit(form).await.status, StatusCode::BAD_REQUEST, "{} {kind}", form.action);
        }
    }
    assert_eq!(world.dump(), before);
    // From the same origin, as browsers say it.
    admin.extra = vec![("sec-fetch-site", "same-origin".into()), ("origin", "https://auth.example.com".into())];
    assert_eq!(admin.submit(&all[1]).await.status, StatusCode::SEE_OTHER);
    admin.extra = vec![("origin", "https://auth.example.com".into())];
    assert_eq!(admin.submit(&all[2]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_that_was_open_for_too_long_is_no_longer_good() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let all = forms(&world, &mut admin).await;
    world.clock.advance(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(admin.submit(&all[5]).await.status, StatusCode::SEE_OTHER);
    world.clock.advance(Duration::from_secs(1));
    let before = world.dump();
    for form in &all {
        let answer = admin.submit(form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", form.action);
        assert!(answer.page().text().contains("open for too long"), "{}", form.action);
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn an_address_with_another_target_does_not_fit_the_token() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let (one, other) = (world.client("One").await, world.client("Other").await);
    let (one, other) = (one.client.id().as_str(), other.client.id().as_str());
    let before = world.dump();
    for path in ["edit", "secret/new", "deactivate", "revoke", "delete"] {
        let form = admin.open(&format!("/client/{path}?client={one}")).await.form();
        let moved = Form { action: form.action.replace(one, other), ..form.clone() };
        assert_ne!(moved.action, form.action);
        assert_eq!(admin.submit(&moved).await.status, StatusCode::FORBIDDEN, "{path}");
        // Named twice, or in the body: what the form was made for does not change.
        let twice = Form { action: format!("{}&client={other}", form.action), ..form.clone() };
        assert!(admin.submit(&twice).await.status.is_client_error(), "{path}");
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn hidden_fields_and_choices_that_no_form_sends_are_refused() {
    let world = World::new();
    let mut admin = world.browser("admin");
    let client = world.client("Wall").await;
    let id = client.client.id();
    let edit = admin.open(&format!("/client/edit?client={id}")).await.form().with("name", "Changed");
    let new =
        admin.open("/clients/new").await.form().with("name", "New").with("redirect_uris", "https://new.example/cb");
    let secret = admin.open(&format!("/client/secret/new?client={id}")).await.form();
    let end = admin.open(&format!("/client/secret/end?client={id}&secret=1")).await.form();
    let token = admin.open("/tokens/new").await.form().with("name", "Script").with("scope", "read");
    let everything = admin.open("/everything").await.form();
    let before = world.dump();
    for (form, status) in [
        (edit.clone().with("revision", ""), StatusCode::BAD_REQUEST),
        (edit.clone().with("revision", "-1"), StatusCode::BAD_REQUEST),
        (edit.clone().with("method", "private_key_jwt"), StatusCode::BAD_REQUEST),
        (edit.clone().with("type", "robot"), StatusCode::BAD_REQUEST),
        (edit.clone().with("grant", "password"), StatusCode::BAD_REQUEST),
        (edit.clone().with("scope", "grantor:clients:write"), StatusCode::UNPROCESSABLE_ENTITY),
        (edit.clone().with("scope", "a\"b"), StatusCode::BAD_REQUEST),
        (edit.clone().with("name", ""), StatusCode::UNPROCESSABLE_ENTITY),
        (edit.clone().with("name", &"x".repeat(201)), StatusCode::UNPROCESSABLE_ENTITY),
        (edit.clone().with("redirect_uris", "javascript:alert(1)"), StatusCode::UNPROCESSABLE_ENTITY),
        (edit.clone().with("method", "none"), StatusCode::UNPROCESSABLE_ENTITY),
        (new.clone().without("grant"), StatusCode::UNPROCESSABLE_ENTITY),
        (new.clone().without("method"), StatusCode::BAD_REQUEST),
        (new.clone().with("method", "none").without("pkce"), StatusCode::UNPROCESSABLE_ENTITY),
        (new.clone().with("redirect_uris", "http://new.example/cb"), StatusCode::UNPROCESSABLE_ENTITY),
        (secret.clone().with("expires", "36500"), StatusCode::BAD_REQUEST),
        (secret.with("label", &"x".repeat(201)), StatusCode::UNPROCESSABLE_ENTITY),
        (end.with("when", "yesterday"), StatusCode::BAD_REQUEST),
        (token.clone().with("expires", "999999999"), StatusCode::UNPROCESSABLE_ENTITY),
        (token.clone().with("scope", "nothing"), StatusCode::UNPROCESSABLE_ENTITY),
        (token.clone().without("scope"), StatusCode::UNPROCESSABLE_ENTITY),
        (token.with("name", ""), StatusCode::UNPROCESSABLE_ENTITY),
        (everything.with("after", "somewhere"), StatusCode::BAD_REQUEST),
        // Another revision is that of a client which somebody changed meanwhile.
        (edit.with("revision", "7"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = admin.submit(&form).await;
        assert_eq!(answer.status, status, "{} {:?}", form.action, form.fields);
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            // Shown again, with what was typed and a token of its own.
            let again = answer.form();
            assert_ne!(again.value("csrf"), form.value("csrf"));
            assert!(
                answer
                    .page()
                    .elements
                    .iter()
                    .any(|element| element.attributes.get("role").is_some_and(|role| role == "alert"))
            );
        }
    }
    // A form that fails may have spent its one time, and leaves no more than the mark of that.
    let kept: Vec<_> =
        world.dump().into_iter().filter(|record| record.key.kind != grantor::store::Kind::MARKER).collect();
    assert_eq!(kept, before);
    // After the refusals the first form still works: nothing was spent on what was refused.
    assert_eq!(admin.submit(&new).await.status, StatusCode::OK);
}
