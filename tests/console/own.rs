//! People see and end what is their own, and administrators what is anybody's: at once, and no more than was named.

use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn somebody_elses_sessions_and_tokens_are_not_there() {
    let world = World::new();
    let client = world.client("Wall").await;
    let access = world.grant(&client, "fred", "curl/8").await;
    let (token, name) = world.token("fred", "Script").await;
    let grant = world.server.grants().of(&"fred".into(), None, 9).await.unwrap().items;
    let grant = grant.iter().find(|grant| grant.client_id == *client.client.id()).unwrap();
    let id = client.client.id();
    let paths = [
        format!("/app/session/end?grant={}", grant.id),
        format!("/app/remove?client={id}"),
        format!("/token/edit?token={name}"),
        format!("/token/delete?token={name}"),
        // A personal token is no session of an application, nor the other way round.
        format!("/app/session/end?grant={name}"),
        format!("/token/delete?token={}", grant.id),
    ];
    let mut other = world.browser("rita");
    let before = world.dump();
    for path in &paths {
        assert_eq!(other.open(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!other.open("/apps").await.body.contains("Wall"));
    assert!(!other.open("/tokens").await.body.contains("Script"));
    // Nor with a form that was made for the one to whom it belongs.
    for path in &paths[..4] {
        let mut fred = world.browser("fred");
        let form = fred.open(path).await.form();
        fred.user = "rita".into();
        let status = fred.submit(&form).await.status;
        assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{path}: {status}");
    }
    for path in &paths[4..] {
        assert_eq!(world.browser("fred").open(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(world.dump(), before);
    assert!(world.is_live(&access).await && world.is_live(&token).await);
}

#[tokio::test]
async fn one_session_ends_or_all_of_an_app_and_nothing_else() {
    let world = World::new();
    let (wall, flow) = (world.client("Wall").await, world.client("Flow").await);
    let first = world.grant(&wall, "fred", "Mozilla/5.0 (X11; Linux) Firefox/143.0").await;
    let second = world.grant(&wall, "fred", "curl/8.5").await;
    let of_flow = world.grant(&flow, "fred", "").await;
    let of_rita = world.grant(&wall, "rita", "").await;
    let mut fred = world.browser("fred");
    let page = fred.open("/apps").await.page();
    for shown in ["Wall", "Flow", "Firefox on Linux", "curl/8.5", "Unknown device", "Read your data"] {
        assert!(page.text().contains(shown), "{shown}");
    }
    let sessions = world.server.grants().app(&"fred".into(), wall.client.id()).await.unwrap().unwrap().sessions;
    let with_firefox = sessions.iter().find(|session| session.device.contains("Firefox")).unwrap();
    let done = fred.answer(&format!("/app/session/end?grant={}", with_firefox.id)).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/console/apps"));
    assert!(fred.open("/apps").await.page().text().contains("The session has ended"));
    assert!(!fred.open("/apps").await.page().text().contains("The session has ended"), "it is said once");
    assert!(!world.is_live(&first).await && world.is_live(&second).await);

    fred.answer(&format!("/app/remove?client={}", wall.client.id())).await;
    assert!(!world.is_live(&second).await && world.is_live(&of_flow).await && world.is_live(&of_rita).await);
    assert!(!fred.open("/apps").await.page().text().contains("Wall"));
}

#[tokio::test]
async fn an_administrator_ends_what_is_of_a_person_a_client_or_everybody() {
    let world = World::new();
    let (wall, flow) = (world.client("Wall").await, world.client("Flow").await);
    let mut admin = world.browser("admin");
    let fred = world.grant(&wall, "fred", "").await;
    let (token, _) = world.token("fred", "Script").await;
    let rita = world.grant(&wall, "rita", "").await;
    assert!(admin.open("/person?subject=fred").await.page().text().contains("Wall"));
    admin.answer("/person/revoke?subject=fred").await;
    assert!(!world.is_live(&fred).await && !world.is_live(&token).await && world.is_live(&rita).await);

    let of_flow = world.grant(&flow, "rita", "").await;
    admin.answer(&format!("/client/revoke?client={}", wall.client.id())).await;
    assert!(!world.is_live(&rita).await && world.is_live(&of_flow).await);

    let again = world.grant(&wall, "rita", "").await;
    let grants = world.server.grants().to(wall.client.id(), None, 9).await.unwrap().items;
    let grant = &grants.iter().find(|grant| grant.live).unwrap().id;
    // A session is ended under its own client only.
    let path = format!("/client/session/end?client={}&grant={grant}", flow.client.id());
    assert_eq!(admin.open(&path).await.status, StatusCode::NOT_FOUND);
    admin.answer(&format!("/client/session/end?client={}&grant={grant}", wall.client.id())).await;
    assert!(!world.is_live(&again).await && world.is_live(&of_flow).await);

    let (token, _) = world.token("rita", "Script").await;
    let done = admin.answer("/everything").await;
    assert!(done.page().text().contains("3 API clients were gone through"), "{}", done.page().text());
    assert!(!world.is_live(&of_flow).await && !world.is_live(&token).await);
    assert!(world.is_live(&world.grant(&wall, "fred", "").await).await, "all may begin anew");
}

#[tokio::test]
async fn everything_of_many_clients_ends_a_piece_at_a_time() {
    let world = World::new();
    for number in 0..450 {
        world.client(&format!("Client {number}")).await;
    }
    world.clock.advance(std::time::Duration::from_secs(1));
    let last = world.client("Last").await;
    let token = world.grant(&last, "fred", "").await;
    let mut admin = world.browser("admin");
    let first = admin.answer("/everything").await;
    assert!(first.page().text().contains("200 API clients are done"));
    assert!(world.is_live(&token).await);
    let second = admin.submit(&first.form()).await;
    assert!(second.page().text().contains("400 API clients are done"));
    let third = admin.submit(&second.form()).await;
    assert!(third.page().text().contains("451 API clients were gone through"));
    assert!(!world.is_live(&token).await);
}

#[tokio::test]
async fn the_list_is_searched_sorted_and_paged_without_gap_or_repetition() {
    let world = World::new();
    for number in 0..60 {
        let made = world.client(&format!("Client {number:02}")).await;
        if number % 10 == 0 {
            world.server.clients().deactivate(made.client.id()).await.unwrap();
        }
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    let mut admin = world.browser("admin");
    for (sort, first) in
        [("newest", "Client 59"), ("oldest", "Client 00"), ("name", "Client 00"), ("bogus", "Client 59")]
    {
        let mut path = format!("/clients?sort={sort}");
        let mut names = Vec::new();
        loop {
            let page = admin.open(&path).await.page();
            let rows = page
                .elements
                .iter()
                .filter(|element| element.attributes.get("role").is_some_and(|role| role == "rowheader"));
            names.extend(rows.map(|row| row.text.clone()));
            let Some(next) = page.all("a").find(|link| link.attributes.contains_key("rel")) else { break };
            path = next.attributes["href"].strip_prefix("/console").unwrap().to_owned();
        }
        assert_eq!((names.len(), names[0].as_str()), (60, first), "{sort}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 60, "{sort}");
    }
    let mut count = async |query: &str| {
        let page = admin.open(&format!("/clients?{query}")).await.page();
        page.elements
            .iter()
            .filter(|element| element.attributes.get("role").is_some_and(|role| role == "rowheader"))
            .count()
    };
    assert_eq!(count("state=inactive").await, 6);
    assert_eq!(count("q=client+5").await, 10);
    assert_eq!(count("q=CLIENT+5&state=inactive").await, 1);
    assert_eq!(count("q=nothing").await, 0);
    assert_eq!(count("after=1.2.3").await, 25, "a place that is none is the beginning");
}
