//! Consent, and what one sees and ends of it afterwards.

use crate::world::run;

#[test]
fn an_app_that_was_let_in_is_listed_and_removed() {
    run(|world| async move {
        let browser = &world.browser;
        world.sign_in("fred");
        world.open("/");
        browser.press("Connect Camera wall");
        assert_eq!(browser.text("h1"), "Allow Camera wall access to your account?");
        assert!(browser.text("main").contains("See your cameras and their settings"));
        browser.press("Deny");
        assert!(browser.text("main").contains("access_denied"));
        world.connect("Camera wall");
        world.connect("Camera wall");
        world.connect("Approval flow");

        browser.press("See your connected apps");
        assert_eq!(browser.all("main section").len(), 2);
        assert!(browser.text("main").contains("Chrome on Linux"), "{}", browser.text("main"));
        assert_eq!(browser.all("ul.sessions li").len(), 3);

        // One session, then the whole application.
        browser.press("Sign out");
        browser.press("Yes, please sign it out");
        assert_eq!(browser.all("ul.sessions li").len(), 2);
        browser.follow("a[aria-label='Remove access: Camera wall']");
        browser.press("Yes, please remove its access");
        assert!(browser.text("[role=status]").contains("no access any more"));
        assert_eq!(browser.all("main section").len(), 1);

        // It has to ask again.
        world.open("/");
        browser.press("Connect Camera wall");
        assert_eq!(browser.text("h1"), "Allow Camera wall access to your account?");

        // An administrator sees the other one, and ends it.
        world.sign_in("ada");
        world.open("/console/people");
        browser.fill("#subject", "fred");
        browser.press("Show");
        assert!(browser.text("main").contains("Approval flow"));
        browser.press("End everything of this person");
        browser.press("Yes, please end all access to this account");
        assert!(!browser.text("main").contains("Chrome on Linux"));
    });
}

#[test]
fn accounts_see_what_they_may() {
    run(|world| async move {
        let browser = &world.browser;
        for (account, sections) in [
            ("ada", "API clients\nActivity\nPeople\nConnected apps\nAccess tokens"),
            ("fred", "Connected apps\nAccess tokens"),
            ("rita", "Connected apps\nAccess tokens"),
        ] {
            world.sign_in(account);
            world.open("/console/");
            assert_eq!(browser.text("nav ul"), sections, "{account}");
            world.open("/console/tokens/new");
            assert_eq!(browser.text("h1") == "Not allowed", account == "rita");
            world.open("/console/clients");
            assert_eq!(browser.text("h1") == "Not allowed", account != "ada");
        }
    });
}
