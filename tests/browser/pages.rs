//! Every page: no violation that axe-core finds, nothing wider than the window, no complaint of the browser's; in light
//! and dark, on a desk and on a phone. Pictures are left in `screenshots/`.

use std::path::Path;

use grantor::manage::ClientFilter;

use crate::world::{World, run};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

/// Widths of the window, in CSS pixels.
const WIDTHS: [(u32, &str); 3] = [(1280, "desk"), (390, "phone"), (320, "narrow")];

fn axe() -> String {
    let path = Path::new(HERE).join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path).expect("axe-core is not installed: run `scripts/test.sh browser`")
}

/// Looks at the page that is open, and notes what is wrong with it.
fn look(world: &World, axe: &str, name: &str, wrong: &mut Vec<String>) {
    let browser = &world.browser;
    let folder = Path::new(HERE).join("screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    for dark in [false, true] {
        browser.dark(dark);
        for (width, device) in WIDTHS {
            browser.size(width, 800);
            let scheme = if dark { "dark" } else { "light" };
            std::fs::write(folder.join(format!("{name}-{device}-{scheme}.png")), browser.screenshot()).unwrap();
            let wide = browser.script("return document.documentElement.scrollWidth");
            if wide.as_u64().unwrap() > u64::from(width) {
                wrong.push(format!("{name} is {wide} wide at {width}"));
            }
        }
        // Where the layout differs; dark differs in colours alone.
        for width in if dark { vec![1280] } else { vec![1280, 320] } {
            browser.size(width, 800);
            let violations = browser.script_until_done(&format!(
                "{axe}; const done = arguments[0];\
                 axe.run(document, {{resultTypes: ['violations']}}).then(found => done(found.violations.map(\
                 violation => violation.id + ': ' + violation.nodes.map(node => node.html + ' ' + node.failureSummary).join('; '))), error => done([String(error)]))"
            ));
            for violation in violations.as_array().unwrap() {
                wrong.push(format!("{name} at {width}, dark: {dark}: {violation}"));
            }
        }
    }
    browser.dark(false);
    browser.size(1280, 800);
    // That a page says 404 is no complaint.
    let complaints = browser.complaints().into_iter().filter(|said| !said.contains("responded with a status of"));
    wrong.extend(complaints.map(|said| format!("{name}: {said}")));
}

/// What looks at the pages of one test.
struct Eyes<'w> {
    world: &'w World,
    axe: String,
    wrong: Vec<String>,
}

impl<'w> Eyes<'w> {
    fn of(world: &'w World) -> Self {
        Self { world, axe: axe(), wrong: Vec::new() }
    }

    fn look(&mut self, name: &str) {
        look(self.world, &self.axe, name, &mut self.wrong);
    }

    fn open(&mut self, path: &str, name: &str) {
        self.world.open(path);
        self.look(name);
    }

    fn press(&mut self, text: &str, name: &str) {
        self.world.browser.press(text);
        self.look(name);
    }

    fn close(self) {
        assert_eq!(self.wrong, Vec::<String>::new());
    }
}

#[test]
fn the_pages_of_a_user_are_accessible_and_fit() {
    run(|world| async move {
        let (browser, mut eyes) = (&world.browser, Eyes::of(&world));
        eyes.open("/login", "sign-in");
        world.sign_in("fred");
        eyes.open("/", "home");
        eyes.open("/console/apps", "apps-empty");
        eyes.open("/console/tokens", "tokens-empty");
        world.open("/");
        eyes.press("Connect Camera wall", "consent");
        browser.press("Allow");
        world.open("/");
        eyes.press("Connect Desktop player", "consent-device");
        browser.press("Allow");
        world.connect("Camera wall");
        world.connect("Approval flow");
        eyes.open("/console/apps", "apps");
        eyes.press("Sign out", "session-end");
        world.open("/console/apps");
        eyes.press("Remove access", "app-remove");
        let clients = world.server.clients().list(&ClientFilter::default(), None, 9).await.unwrap().items;
        let player = clients.iter().find(|client| client.display_name() == "Desktop player").unwrap();
        let code = world.user_code(player.id().as_str()).await;
        eyes.open("/device", "device");
        browser.fill("#user_code", "WRONG");
        eyes.press("Continue", "device-wrong");
        world.open("/device");
        browser.fill("#user_code", &code);
        eyes.press("Continue", "device-consent");
        eyes.press("Allow", "device-done");
        eyes.open("/console/clients", "not-allowed");
        eyes.open("/authorize?client_id=nobody", "error");
        eyes.close();
    });
}

#[test]
fn the_pages_of_tokens_are_accessible_and_fit() {
    run(|world| async move {
        let (browser, mut eyes) = (&world.browser, Eyes::of(&world));
        world.sign_in("fred");
        eyes.open("/console/tokens/new", "token-new");
        browser.script("document.querySelector('#name').required = false");
        eyes.press("Create the token", "token-new-wrong");
        let long = "A token with a rather long name, for everything that has to be done at night";
        for (name, scope) in [("Backup script", "recordings"), (long, "read")] {
            world.open("/console/tokens/new");
            browser.fill("#name", name);
            browser.click(&format!("input[value={scope}]"));
            browser.click("input[value=events]");
            browser.press("Create the token");
        }
        eyes.look("token-made");
        eyes.open("/console/tokens", "tokens");
        eyes.press("Edit", "token-edit");
        world.open("/console/tokens");
        eyes.press("Delete", "token-delete");
        eyes.close();
    });
}

#[test]
fn the_pages_of_clients_are_accessible_and_fit() {
    run(|world| async move {
        let (browser, mut eyes) = (&world.browser, Eyes::of(&world));
        world.sign_in("ada");
        eyes.open("/console/clients", "clients-few");
        eyes.open("/console/clients?q=nothing+like+it", "clients-none-found");
        eyes.open("/console/clients/new", "client-new");
        browser.script("document.querySelector('#name').required = false");
        browser.fill("#redirect_uris", "https://report.example/cb\nhttp://report.example/cb#x");
        eyes.press("Create and show credentials", "client-new-wrong");
        browser.fill("#name", "Night report");
        browser.script("document.querySelector('#redirect_uris').value = ''");
        browser.fill("#redirect_uris", "https://report.example/cb");
        browser.click("input[value=client_credentials]");
        eyes.press("Create and show credentials", "client-made");
        browser.press("Open this API client");
        eyes.press("Edit", "client-edit");
        browser.back();
        eyes.press("Add a secret", "secret-new");
        browser.back();
        browser.follow("section[aria-labelledby=h-secrets] a.danger");
        eyes.look("secret-end");
        browser.back();
        eyes.press("Deactivate", "client-deactivate");
        eyes.press("Yes, please deactivate this API client", "client-inactive");
        eyes.press("Delete", "client-delete");
        eyes.open("/console/nothing-here", "not-found");
        eyes.close();
    });
}

#[test]
fn the_pages_of_what_goes_on_are_accessible_and_fit() {
    run(|world| async move {
        let (browser, mut eyes) = (&world.browser, Eyes::of(&world));
        world.sign_in("ada");
        eyes.open("/console/activity", "activity-none");
        world.connect("Camera wall");
        world.sign_in("fred");
        world.connect("Camera wall");
        world.sign_in("ada");
        world.open("/console/clients?q=device");
        browser.press("Device reports");
        let id = browser.text("#client-id");
        browser.press("Add a secret");
        browser.press("Add a secret");
        let secret = browser.text("#secret");
        for _ in 0..40 {
            world.token_of(&id, &secret).await.unwrap();
        }
        for _ in 0..5 {
            world.token_of(&id, "wrong").await.unwrap_err();
        }
        eyes.open("/console/activity", "activity");
        browser.click("summary");
        eyes.look("activity-table");
        eyes.press("Camera wall", "client");
        browser.follow("section[aria-labelledby=h-people] a.danger");
        eyes.look("grant-end");
        eyes.open("/console/people", "people");
        browser.fill("#subject", "fred");
        eyes.press("Show", "person");
        eyes.press("End everything of this person", "person-revoke");
        eyes.open("/console/everything", "everything");
        eyes.close();
    });
}

#[test]
fn long_lists_and_another_language_are_accessible_and_fit() {
    run(|world| async move {
        let (browser, mut eyes) = (&world.browser, Eyes::of(&world));
        world.sign_in("ada");
        world.many_clients(200).await;
        eyes.open("/console/clients?sort=name", "clients-many");
        eyes.press("Next page", "clients-many-next");
        browser.devtools("Network.enable", serde_json::json!({}));
        browser.devtools("Network.setExtraHTTPHeaders", serde_json::json!({"headers": {"Accept-Language": "de"}}));
        eyes.open("/console/clients", "german-clients");
        assert_eq!(browser.text("h1"), "API-Clients");
        eyes.open("/console/clients/new", "german-client-new");
        // Ending everything takes two pieces here. Without scripts somebody presses a button in between, which is when
        // the page can be looked at; with them it goes on by itself.
        world.open("/console/everything");
        browser.scripts(false);
        browser.press("Ja, alles beenden");
        browser.scripts(true);
        eyes.look("german-everything-progress");
        eyes.press("Weiter", "german-everything-done");
        world.open("/console/everything");
        browser.press("Ja, alles beenden");
        let title = "return document.querySelector('h1')?.textContent";
        assert!((0..1_000).any(|_| browser.script(title) == "Alles ist beendet"));
        eyes.close();
    });
}
