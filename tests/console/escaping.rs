//! Whatever somebody typed or sent is shown as text, wherever it is shown.

use crate::world::World;

/// Text that would be markup, or break out of an attribute, if it were not escaped.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "</title></textarea></select><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% include \"x\" %}",
    "&lt;b&gt;&#60;",
];

#[tokio::test]
async fn what_strangers_wrote_is_text_on_every_page() {
    for hostile in HOSTILE {
        let (world, plain) = (World::new(), World::new());
        // The same pages with harmless text have the same elements and attributes: the reader of pages fails on stray
        // markup, and this on markup that fits.
        let shape = every_page(&plain, "harmless").await;
        let hostile_shape = every_page(&world, hostile).await;
        for ((path, expected, _), (_, found, _)) in shape.iter().zip(&hostile_shape) {
            assert_eq!(found, expected, "{path}");
        }
        let shown = hostile_shape.iter().filter(|(_, _, text)| text.contains(hostile)).count();
        assert!(shown >= 12, "{hostile} is shown on {shown} pages");
    }
}

/// Each page that shows `text` somewhere: its address, its elements with the names of their attributes, and all of its
/// text with the values of its fields.
async fn every_page(world: &World, text: &str) -> Vec<(String, Vec<String>, String)> {
    let client = world.client(text).await;
    let id = client.client.id();
    let mut admin = world.browser("admin");
    let edit = format!("/client/edit?client={id}");
    let form = admin.open(&edit).await.form().with("description", text).with("name", text);
    admin.submit(&form).await;
    let form = admin.open(&format!("/client/secret/new?client={id}")).await.form().with("label", text);
    admin.submit(&form).await;
    world.grant(&client, text, text).await;
    world.grant(&client, "admin", text).await;
    let (_, token) = world.token("admin", text).await;
    let grant = world.server.grants().of(&text.into(), None, 1).await.unwrap().items.remove(0).id;
    let own = world.server.grants().of(&"admin".into(), None, 9).await.unwrap().items;
    let own = own.iter().find(|grant| grant.client_id == *id).unwrap().id.clone();
    let mut person = String::new();
    grantor::wire::form::encode_component(&mut person, text);
    let paths = [
        "/clients".to_owned(),
        format!("/clients?q={person}"),
        format!("/clients?q={person}&sort=name&state=inactive"),
        format!("/client?client={id}"),
        edit.clone(),
        format!("/client/secret/new?client={id}"),
        format!("/client/secret/end?client={id}&secret=2"),
        format!("/client/session/end?client={id}&grant={grant}"),
        format!("/client/deactivate?client={id}"),
        format!("/client/delete?client={id}"),
        "/activity".to_owned(),
        format!("/person?subject={person}"),
        format!("/person/revoke?subject={person}"),
        format!("/person/app/remove?subject={person}&client={id}"),
        "/apps".to_owned(),
        format!("/app/session/end?grant={own}"),
        format!("/app/remove?client={id}"),
        "/tokens".to_owned(),
        format!("/token/edit?token={token}"),
        format!("/token/delete?token={token}"),
    ];
    let mut pages = Vec::new();
    for path in &paths {
        pages.push((path.clone(), admin.open(path).await));
    }
    // Forms that come back with what was typed.
    let form = admin.open("/clients/new").await.form();
    let form = form.with("name", text).with("description", text).with("redirect_uris", text);
    pages.push(("refused client".into(), admin.submit(&form).await));
    let form = admin.open("/tokens/new").await.form().with("name", text);
    pages.push(("refused token".into(), admin.submit(&form).await));
    let form = admin.open(&edit).await.form().with("revision", "1").with("redirect_uris", text);
    pages.push(("refused change".into(), admin.submit(&form).await));
    let read = |(path, answer): (String, crate::world::Answer)| {
        let page = answer.page();
        let shape = page.elements.iter().map(|element| {
            let mut names: Vec<&str> = element.attributes.keys().map(String::as_str).collect();
            names.sort_unstable();
            format!("{} {}", element.name, names.join(" "))
        });
        let values = page.elements.iter().filter_map(|element| element.attributes.get("value").cloned());
        let all: Vec<String> =
            values.chain([page.only("body").text.clone(), page.all("title").next().unwrap().text.clone()]).collect();
        (path, shape.collect(), all.join("\n"))
    };
    pages.into_iter().map(read).collect()
}

#[tokio::test]
async fn an_address_that_a_client_named_is_a_link_only_to_the_web() {
    let world = World::new();
    let mut metadata = world.client("Wall").await.client.metadata().clone();
    metadata.client_uri = Some("https://wall.example/\"onmouseover=alert(1)".into());
    assert!(world.server.clients().register(metadata.clone()).await.is_err(), "the registry refuses what is no URL");
    metadata.client_uri = Some("javascript:alert(1)".into());
    assert!(world.server.clients().register(metadata.clone()).await.is_err());
    metadata.client_uri = Some("https://wall.example/?a=1&b='2'".into());
    let client = world.server.clients().register(metadata).await.unwrap();
    world.grant(&client, "admin", "").await;
    let page = world.browser("admin").open("/apps").await.page();
    let link = page.all("a").find(|link| link.text.starts_with("https://wall.example")).unwrap();
    assert_eq!(link.attributes["href"], "https://wall.example/?a=1&b='2'");
    assert_eq!(link.attributes["rel"], "noopener noreferrer");
}

#[tokio::test]
async fn names_that_play_with_direction_and_width_are_shown_plainly() {
    let world = World::new();
    world.client("evil\u{202e}txt.exe\u{200b}").await;
    world.client(&"x".repeat(200)).await;
    let page = world.browser("admin").open("/clients").await.page();
    assert!(page.text().contains("evil\u{fffd}txt.exe\u{fffd}"));
    assert!(page.text().contains(&format!("{}\u{2026}", "x".repeat(79))) && !page.text().contains(&"x".repeat(80)));
}
