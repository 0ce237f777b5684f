//! An API client's life, from the form to the end.

use crate::world::run;

#[test]
fn a_client_is_made_used_deactivated_refused_activated_and_deleted() {
    run(|world| async move {
        let browser = &world.browser;
        let permissions = serde_json::json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        browser.devtools("Browser.grantPermissions", permissions);

        // Who is not signed in is led to the sign-in and back to where they wanted to go.
        world.open("/console/clients/new");
        assert!(world.path().starts_with("/login?return_to="));
        browser.follow("button[value=ada]");
        assert_eq!(world.path(), "/console/clients/new");

        // What is wrong is said beside the field, and what was typed stays.
        browser.fill("#name", "Night report");
        browser.fill("#description", "Reads devices\nevery night");
        browser.fill("#redirect_uris", "https://report.example/cb\nhttp://report.example/cb");
        browser.press("Create and show credentials");
        assert!(browser.text("[role=alert]").contains("Redirect URL 2: http is only for this computer"));
        assert_eq!(browser.script("return document.querySelector('#name').value"), "Night report");
        assert_eq!(
            browser.script("return document.querySelector('#redirect_uris').value"),
            "https://report.example/cb\nhttp://report.example/cb"
        );
        browser.script("document.querySelector('#redirect_uris').value = ''");
        browser.fill("#redirect_uris", "https://report.example/cb");
        browser.click("input[value=client_credentials]");
        browser.press("Create and show credentials");

        // Shown this once, copied by the button, and not in the address.
        assert_eq!(browser.text("h1"), "Night report was created");
        assert_eq!(world.path(), "/console/clients/new");
        let (id, secret) = (browser.text("#client-id"), browser.text("#secret"));
        assert!(secret.starts_with("gcs_"), "{secret}");
        browser.click("button[data-from=secret]");
        let copied = browser.script_until_done(
            "const done = arguments[0]; navigator.clipboard.readText().then(done, e => done(String(e)))",
        );
        assert_eq!(copied, serde_json::Value::from(secret.clone()));
        assert_eq!(browser.text("button[data-from=secret]"), "Copied");

        // The copied secret works, in a client that others use.
        let token = world.token_of(&id, &secret).await.unwrap();
        assert_eq!(world.call_api(&token).await.0, 200);

        // Sending the form again, as a reload does, makes no second one.
        browser.reload();
        assert_eq!(browser.text("h1"), "This was sent already");
        assert!(!browser.source().contains(&secret));
        world.open("/console/clients?q=night");
        assert_eq!(browser.all("tbody tr").len(), 1);
        browser.press("Night report");
        assert!(!browser.source().contains(&secret));
        assert!(browser.text("main").contains("https://report.example/cb"));

        // Going back does not show the secret either.
        browser.back();
        browser.back();
        assert!(!browser.source().contains(&secret), "{}", world.path());

        let details = format!("/console/client?client={id}");
        world.open(&details);
        browser.press("Deactivate");
        assert_eq!(browser.text("h1"), "Deactivate Night report?");
        browser.press("Yes, please deactivate this API client");
        assert!(browser.text("[role=status]").contains("was deactivated"));
        assert_eq!(world.call_api(&token).await.0, 401);
        assert!(world.token_of(&id, &secret).await.unwrap_err().contains("invalid_client"));

        browser.press("Activate");
        browser.press("Yes, please activate this API client");
        assert!(browser.text("[role=status]").contains("active again"));
        assert_eq!(world.call_api(&token).await.0, 401, "what ended stays ended");
        let token = world.token_of(&id, &secret).await.unwrap();
        assert_eq!(world.call_api(&token).await.0, 200);

        browser.press("Delete");
        assert_eq!(browser.text("h1"), "Delete Night report?");
        // Thinking better of it changes nothing.
        browser.press("Cancel");
        assert_eq!(world.call_api(&token).await.0, 200);
        browser.press("Delete");
        browser.press("Yes, please delete this API client");
        assert_eq!(world.path(), "/console/clients");
        assert_eq!(world.call_api(&token).await.0, 401);
        assert!(world.token_of(&id, &secret).await.is_err());
        assert!(!browser.text("main").contains("Night report\n"));
        world.open(&details);
        assert_eq!(browser.text("h1"), "Not found");
    });
}

#[test]
fn secrets_are_added_and_ended_and_a_public_client_must_require_pkce() {
    run(|world| async move {
        let browser = &world.browser;
        world.sign_in("ada");
        world.open("/console/clients?q=device");
        browser.press("Device reports");
        let id = browser.text("#client-id");
        browser.press("Add a secret");
        browser.fill("#label", "Second machine");
        browser.press("Add a secret");
        let second = browser.text("#secret");
        assert!(world.token_of(&id, &second).await.is_ok());
        browser.press("Open this API client");
        let row = browser.all("section[aria-labelledby=h-secrets] tbody tr").pop().unwrap();
        assert!(browser.text_of(&row).contains("Second machine"));
        browser.follow("a[aria-label='End: Second machine']");
        browser.press("Yes, please end this secret");
        assert!(world.token_of(&id, &second).await.unwrap_err().contains("invalid_client"));

        browser.press("Edit");
        browser.click("option[value=none]");
        browser.press("Save changes");
        assert!(browser.text("[role=alert]").contains("cannot act for itself"));
        browser.click("input[value=client_credentials]");
        browser.click("input[value=authorization_code]");
        browser.fill("#redirect_uris", "http://127.0.0.1/cb");
        browser.click("input[name=pkce]");
        browser.press("Save changes");
        assert!(browser.text("[role=alert]").contains("must require PKCE"));
        browser.click("input[name=pkce]");
        browser.press("Save changes");
        assert!(browser.text("[role=status]").contains("saved"));
        assert!(browser.text("main").contains("public client"));
    });
}

#[test]
fn the_keyboard_reaches_everything_in_the_order_of_the_page() {
    run(|world| async move {
        let (browser, tab, enter) = (&world.browser, "\u{e004}", "\u{e007}");
        world.sign_in("ada");
        world.open("/console/clients");
        let focused = "const at = document.activeElement; return at.labels?.[0]?.textContent ?? at.textContent";
        let mut reached = Vec::new();
        for _ in 0..14 {
            browser.key(tab);
            reached.push(browser.script(focused).as_str().unwrap().to_owned());
            let outlined = browser.script("return getComputedStyle(document.activeElement).outlineStyle");
            assert_ne!(outlined, "none", "one sees where one is");
        }
        let expected = [
            "Skip to the content",
            "Camera cloud",
            "API clients",
            "Activity",
            "People",
            "Connected apps",
            "Access tokens",
            "Ada, who administrates",
            "New API client",
            "Search",
            "State",
            "Show",
            "Name",
            "Created↓",
        ];
        assert_eq!(reached, expected);
        // The first link leads past all of them.
        world.open("/console/clients");
        browser.key(tab);
        browser.key(enter);
        browser.key(tab);
        assert_eq!(browser.script(focused), "New API client");
    });
}

#[test]
fn everything_works_without_scripts() {
    run(|world| async move {
        let browser = &world.browser;
        browser.scripts(false);
        world.sign_in("ada");
        world.many_clients(30).await;
        world.open("/console/clients");
        assert!(browser.all("button.copy").iter().all(|button| browser.text_of(button).is_empty()), "no dead buttons");
        browser.press("Next page");
        assert_eq!(browser.all("tbody tr").len(), 9);
        browser.press("First page");
        browser.fill("#q", "Camera");
        browser.press("Show");
        assert_eq!(browser.all("tbody tr").len(), 1);
        world.open("/console/clients/new");
        browser.fill("#name", "Without");
        browser.fill("#redirect_uris", "https://without.example/cb");
        browser.press("Create and show credentials");
        assert!(browser.text("#secret").starts_with("gcs_"));
        world.open("/console/everything");
        browser.press("Yes, please end everything");
        assert_eq!(browser.text("h1"), "Everything has ended");
    });
}
