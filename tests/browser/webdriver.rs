//! A client of the `WebDriver` protocol (<https://www.w3.org/TR/webdriver2/>), as far as these tests need one: HTTP/1.1 to a
//! driver on the loopback address, JSON in and out. It blocks, since a test has nothing else to do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

/// What the protocol calls the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver with one browser, both of which end with it.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Browser {
    pub fn start() -> Self {
        let program = std::env::var("GRANTOR_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut driver =
            Command::new(&program).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap_or_else(
                |error| panic!("{program} cannot be started ({error}): scripts/test.sh browser installs it"),
            );
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("the driver says on which port it listens").unwrap();
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port, session: String::new() };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--lang=en-US",
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments, "prefs": {"intl.accept_languages": "en-US,en"}},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.call("POST", "/session", &wanted);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        browser
    }

    pub fn open(&self, url: &str) {
        self.command("url", json!({"url": url}));
    }

    pub fn url(&self) -> String {
        self.ask("url").as_str().unwrap().to_owned()
    }

    pub fn source(&self) -> String {
        self.ask("source").as_str().unwrap().to_owned()
    }

    pub fn back(&self) {
        self.command("back", json!({}));
    }

    pub fn reload(&self) {
        self.command("refresh", json!({}));
    }

    pub fn find(&self, css: &str) -> Element {
        self.all(css).into_iter().next().unwrap_or_else(|| panic!("no {css} at {}:\n{}", self.url(), self.text("body")))
    }

    pub fn all(&self, css: &str) -> Vec<Element> {
        let found = self.command("elements", json!({"using": "css selector", "value": css}));
        found.as_array().unwrap().iter().map(|found| Element(found[ELEMENT].as_str().unwrap().to_owned())).collect()
    }

    pub fn text(&self, css: &str) -> String {
        self.text_of(&self.find(css))
    }

    pub fn text_of(&self, element: &Element) -> String {
        self.ask(&format!("element/{}/text", element.0)).as_str().unwrap().to_owned()
    }

    pub fn click(&self, css: &str) {
        self.click_on(&self.find(css));
    }

    pub fn click_on(&self, element: &Element) {
        self.command(&format!("element/{}/click", element.0), json!({}));
    }

    /// Clicks what leads to another page, and waits for that.
    pub fn follow(&self, css: &str) {
        self.follow_by(&self.find(css));
    }

    fn follow_by(&self, element: &Element) {
        let before = format!("/session/{}/element/{}/name", self.session, self.find("html").0);
        self.click_on(element);
        let is_gone = || self.try_call("GET", &before, &Value::Null).is_err();
        let is_there = || self.script("return document.readyState") == "complete";
        // Each question is a message to the driver and back: this many take much longer than any page.
        assert!((0..20_000).any(|_| is_gone()), "the click led nowhere, at {}:\n{}", self.url(), self.text("body"));
        assert!((0..20_000).any(|_| is_there()), "{} does not come", self.url());
    }

    /// Clicks the link or button with exactly this text, which leads to another page.
    pub fn press(&self, text: &str) {
        let shown = self.all("a, button").into_iter().find(|element| self.text_of(element) == text);
        let shown = shown.unwrap_or_else(|| panic!("no {text:?} at {}:\n{}", self.url(), self.text("body")));
        self.follow_by(&shown);
    }

    /// Types into a field, after what is there.
    pub fn fill(&self, css: &str, text: &str) {
        self.command(&format!("element/{}/value", self.find(css).0), json!({"text": text}));
    }

    /// Presses a key, wherever the focus is.
    pub fn key(&self, key: &str) {
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.command("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    pub fn script(&self, script: &str) -> Value {
        self.command("execute/sync", json!({"script": script, "args": []}))
    }

    /// Runs a script that calls its last argument when it is done.
    pub fn script_until_done(&self, script: &str) -> Value {
        self.command("execute/async", json!({"script": script, "args": []}))
    }

    /// A command of the browser's own (the Chrome `DevTools` protocol).
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// What the browser wrote to its console since it was last asked: violations of the policy among it.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "browser"}));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The window, as wide as this and as high as that, in CSS pixels.
    pub fn size(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    pub fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features);
    }

    pub fn scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !allowed}));
    }

    /// The whole page, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let shot = self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    fn ask(&self, path: &str) -> Value {
        self.call("GET", &format!("/session/{}/{path}", self.session), &Value::Null)
    }

    fn command(&self, path: &str, body: Value) -> Value {
        self.call("POST", &format!("/session/{}/{path}", self.session), &body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.port
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while answer.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let value = answer["value"].clone();
        if value["error"].is_null() { Ok(value) } else { Err(value) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
