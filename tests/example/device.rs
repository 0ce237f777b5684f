//! Devices without a browser: `[device]` of the configuration, and the example that is such a device.

use std::io::{BufRead as _, BufReader, Read as _};

use crate::process::{Example, command};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const ISSUER: &str = "http://127.0.0.1:8080";

/// A configuration with this table for devices.
fn configuration(device: &str) -> String {
    format!(
        r#"issuer = "{ISSUER}"
store = "memory:"
{device}
[[scopes]]
name = "read"
description = "Read your data"
default = true
[[users]]
username = "alice"
password = "wonderland"
[[clients]]
client_id = "tv"
client_name = "Television <set>"
grant_types = ["{DEVICE_GRANT}"]
scope = "read"
token_endpoint_auth_method = "none"
"#
    )
}

/// The text between these.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {rest}")).0
}

/// What a camera reads from a terminal that shows a QR code.
fn scanned(shown: &str) -> String {
    let lines = shown.lines().filter_map(|line| line.strip_prefix("\x1b[38;5;16;48;5;231m"));
    let lines: Vec<Vec<char>> = lines.map(|line| line.trim_end_matches("\x1b[0m").chars().collect()).collect();
    let side = lines[0].len();
    let is_dark = |x: usize, y: usize| match lines[y / 2][x] {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => !y.is_multiple_of(2),
        _ => false,
    };
    let gray = |x: usize, y: usize| if is_dark(x / 4, y / 4) { 0 } else { 255 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * 4, side * 4, gray);
    let [code] = &picture.detect_grids()[..] else { panic!("not one code in {shown}") };
    code.decode().unwrap().1
}

#[test]
fn a_device_is_let_in_by_whoever_scans_what_it_shows() {
    let server = Example::demo();
    let picture = std::env::temp_dir().join(format!("grantor-device-{}.svg", std::process::id()));
    let arguments = [&*server.issuer(), "tv", picture.to_str().unwrap()];
    let mut device = command("device").args(arguments).spawn().unwrap();
    let mut output = BufReader::new(device.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.ends_with("Waiting.\n") {
        assert_ne!(output.read_line(&mut shown).unwrap(), 0, "it ended: {shown}");
    }
    let url = scanned(&shown);
    let user_code = between(&shown, "type the code\n\n    ", "\n");
    assert_eq!(url, format!("{}/device?user_code={user_code}", server.issuer()));
    let svg = std::fs::read_to_string(&picture).unwrap();
    std::fs::remove_file(&picture).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains(user_code), "{svg}");

    let mut browser = server.browser();
    let page = browser.authorize(&url);
    assert!(page.is_consent() && page.answer.body.contains(user_code), "{page:?}");
    let page = browser.submit(&page.form().with("decision", "allow"));
    assert!(page.answer.body.contains("The device is connected"), "{page:?}");

    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(device.wait().unwrap().success(), "{rest}");
    assert!(rest.contains("The token may: read\n"), "{rest}");
    let bearer = between(&rest, "Authorization: ", "'");
    let me = server.get("/api/me", &[("authorization", bearer)]).json();
    assert_eq!((&me["sub"], &me["client_id"]), (&"alice".into(), &"tv".into()));
}

#[test]
fn a_code_is_typed_compared_and_decided() {
    let server = Example::configured(&configuration("[device]\nenabled = true\nlifetime = 77\ninterval = 7"));
    assert!(server.printed.contains(&format!("devices       {ISSUER}/device")), "{}", server.printed);
    assert_eq!(server.metadata()["device_authorization_endpoint"], format!("{ISSUER}/device_authorization"));
    for (decision, sentence) in [("allow", "The device is connected"), ("deny", "The device was turned away")] {
        let told = server.post("/device_authorization", &[], &[("client_id", "tv")]).json();
        assert_eq!((&told["expires_in"], &told["interval"]), (&77.into(), &7.into()));
        let user_code = told["user_code"].as_str().unwrap();

        let mut browser = server.browser_at(ISSUER);
        let page = browser.open(told["verification_uri"].as_str().unwrap());
        let page = browser.sign_in(&page, "alice", "wonderland");
        let page = browser.submit(&page.form().with("user_code", "BCDF-GHJK"));
        assert_eq!(page.answer.status, 400);
        assert!(page.answer.body.contains("This code is not valid"), "{page:?}");
        let page = browser.submit(&page.form().with("user_code", &user_code.to_lowercase()));
        assert!(page.answer.body.contains("Connect Television &lt;set&gt; to your account?"), "{page:?}");
        assert!(page.answer.body.contains(user_code) && page.answer.body.contains("Read your data"), "{page:?}");
        let page = browser.submit(&page.form().with("decision", decision));
        assert!(page.answer.body.contains(sentence), "{page:?}");

        let device_code = told["device_code"].as_str().unwrap();
        let fields = [("grant_type", DEVICE_GRANT), ("device_code", device_code), ("client_id", "tv")];
        let answer = server.post("/token", &[], &fields).json();
        if decision == "allow" {
            let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
            assert_eq!(server.get("/api/me", &[("authorization", &bearer)]).json()["sub"], "alice");
        } else {
            assert_eq!(answer["error"], "access_denied");
        }
    }
}

#[test]
fn without_the_table_there_are_no_devices() {
    for device in ["", "[device]\nenabled = false\ninterval = 7"] {
        let told = Example::refused(&configuration(device));
        assert!(told.contains("clients[0].grant_types: unknown grant type"), "{told}");
        let grant = format!("grant_types = [\"{DEVICE_GRANT}\"]");
        let another = "redirect_uris = [\"http://127.0.0.1:9999/cb\"]";
        let server = Example::configured(&configuration(device).replace(&grant, another));
        assert!(!server.printed.contains("devices"), "{}", server.printed);
        assert_eq!(server.metadata()["device_authorization_endpoint"], serde_json::Value::Null);
        assert_eq!(server.post("/device_authorization", &[], &[("client_id", "tv")]).status, 404);
        assert_eq!(server.get("/device", &[]).status, 404);
    }
}

#[test]
fn a_mistake_in_the_table_is_named_with_its_line_and_its_key() {
    let mistakes = [
        ("[device]\nenabled = true\ninterval = 0", "line 5, device.interval: "),
        ("[device]\nenabled = true\nlifetime = 10", "line 5, device.lifetime: "),
        ("[device]\nenable = true", "line 4, device.enable: "),
        ("[rate_limits]\nenabled = 600", "line 4, rate_limits.enabled: "),
    ];
    for (table, expected) in mistakes {
        let told = Example::refused(&configuration(table));
        assert!(told.contains(expected), "{told}");
    }
}
