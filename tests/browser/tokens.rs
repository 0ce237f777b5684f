//! Access tokens of one's own.

use crate::world::run;

#[test]
fn a_token_is_made_used_changed_and_deleted() {
    run(|world| async move {
        let browser = &world.browser;
        world.sign_in("fred");
        world.open("/console/tokens");
        assert!(browser.text("main").contains("No access tokens"));
        browser.press("New access token");
        browser.fill("#name", "Backup script");
        browser.press("Create the token");
        assert!(browser.text("[role=alert]").contains("Choose at least one scope"));
        browser.click("input[value=read]");
        browser.click("input[value=events]");
        browser.press("Create the token");
        assert_eq!(browser.text("h1"), "Created successfully");
        assert!(browser.text("main").contains("cannot be viewed again"));
        let token = browser.text("#secret");
        assert!(token.starts_with("gpt_"), "{token}");
        let (status, body) = world.call_api(&token).await;
        assert_eq!(status, 200);
        assert!(body.contains("\"sub\":\"fred\"") && body.contains("read events"), "{body}");

        browser.press("Back to your tokens");
        assert!(!browser.source().contains(&token));
        // Its name is taken.
        browser.press("New access token");
        browser.fill("#name", "backup SCRIPT");
        browser.click("input[value=read]");
        browser.press("Create the token");
        assert!(browser.text("[role=alert]").contains("has this name already"));

        // Another scope, in force at once for the token in hand.
        world.open("/console/tokens");
        browser.press("Edit");
        browser.click("input[value=read]");
        browser.press("Save changes");
        assert!(browser.text("[role=status]").contains("changed"));
        assert_eq!(world.call_api(&token).await.0, 403);

        browser.press("Delete");
        assert_eq!(browser.text("h1"), "Delete the token Backup script?");
        browser.press("Revoke and delete this token");
        assert!(browser.text("main").contains("No access tokens"));
        assert_eq!(world.call_api(&token).await.0, 401);
    });
}
