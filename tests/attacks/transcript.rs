//! The transcripts in the guide for MCP servers, against a server that is made as the guide makes it (id MCP-08).
//!
//! Understood is what stands there: `curl` with a few options, and `grep -i` or `jq` behind it.

use std::sync::Arc;

use grantor::clock::ManualClock;
use grantor::store::MemoryStore;
use grantor::{AuthorizationServer, Preset, Require, Site};
use http::{Request, Response};
use serde_json::Value;

use crate::cimd::{Script, Scripted};
use crate::harness::START;

const GUIDE: &str = include_str!("../../docs/guides/mcp.md");
const ORIGIN: &str = "https://mcp.example.com";
const MCP: &str = "https://mcp.example.com/mcp";

/// The server of the guide; nobody is signed in.
fn site() -> Site {
    let server = AuthorizationServer::builder(ORIGIN)
        .store(MemoryStore::new())
        .clock(Arc::new(ManualClock::new(START)))
        .default_scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes")
        .preset(Preset::mcp(MCP).fetch(Scripted(Arc::new(Script::default()))))
        .build()
        .unwrap();
    Site::new(server, |_: &http::request::Parts| None)
}

/// The words of a command, with the quotes taken off; a bar that stands alone divides it.
fn words(command: &str) -> Vec<Vec<String>> {
    let (mut parts, mut word, mut quoted) = (vec![Vec::new()], String::new(), false);
    for character in command.chars().chain([' ']) {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted && word == "|" => {
                word.clear();
                parts.push(Vec::new());
            }
            ' ' if !quoted && word.is_empty() => {}
            ' ' if !quoted => parts.last_mut().unwrap().push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    parts
}

/// The request of a `curl` command, and what `-w` wants to see of the answer.
fn curl(words: &[String]) -> (Request<String>, Option<String>) {
    let mut words = words.iter().skip(1);
    let (mut request, mut shown, mut body) = (Request::builder(), None, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap().clone();
        request = match word.as_str() {
            "-s" | "-si" => request,
            "-o" => {
                assert_eq!(value(), "/dev/null");
                request
            }
            "-w" => {
                shown = Some(value());
                request
            }
            "-H" => {
                let header = value();
                let (name, text) = header.split_once(": ").unwrap();
                request.header(name, text)
            }
            "-d" => {
                body = Some(value());
                request
            }
            url => request.uri(url.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{url} is none of the server's"))),
        };
    }
    let method = if body.is_some() { "POST" } else { "GET" };
    (request.method(method).body(body.unwrap_or_default()).unwrap(), shown)
}

async fn answer(site: &Site, request: Request<String>) -> Response<String> {
    if request.uri().path() == "/mcp" {
        let require = Require::scope("notes:read").at(MCP);
        return site.server().check(&request, require).await.unwrap_err().into_response();
    }
    site.handle(request).await.unwrap()
}

/// What the command prints.
async fn printed(site: &Site, command: &str) -> String {
    let parts = words(command);
    let (request, shown) = curl(&parts[0]);
    let answer = answer(site, request).await;
    if let Some(shown) = shown {
        assert_eq!(shown, "%{http_code}\\n");
        return answer.status().as_u16().to_string();
    }
    let filter: Vec<&str> = parts[1].iter().map(String::as_str).collect();
    let json = || -> Value { serde_json::from_str(answer.body()).unwrap_or_else(|_| panic!("{}", answer.body())) };
    match *filter {
        ["grep", "-i", name] => {
            format!("{name}: {}", answer.headers()[name].to_str().unwrap())
        }
        ["jq", "."] => serde_json::to_string_pretty(&json()).unwrap(),
        ["jq", filter] => {
            let mut json = json();
            if let Some(name) = filter.strip_prefix("del(.").and_then(|rest| rest.strip_suffix(')')) {
                assert!(json.as_object_mut().unwrap().remove(name).is_some(), "{name} is not there to leave out");
                return serde_json::to_string_pretty(&json).unwrap();
            }
            serde_json::to_string_pretty(&json[filter.strip_prefix('.').unwrap()]).unwrap()
        }
        _ => panic!("{filter:?} is not understood"),
    }
}

/// The commands of the guide, each with what is printed below it.
fn commands() -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let consoles = GUIDE.split("\n```console\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    for line in consoles.flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
        } else {
            let shown = &mut commands.last_mut().unwrap().1;
            shown.push_str(line);
            shown.push('\n');
        }
    }
    commands
}

/// JSON counts by its value, since `jq` keeps the order of members and this does not.
fn same(shown: &str, printed: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    shown.trim() == printed.trim() || (value(shown).is_some() && value(shown) == value(printed))
}

#[tokio::test]
async fn mcp_08_the_transcripts_in_the_guide_are_what_the_server_answers() {
    let site = site();
    let commands = commands();
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] {
        let section = GUIDE.split(&format!("\n### {revision}")).nth(1).unwrap().split("\n###").next().unwrap();
        assert!(section.contains("$ curl"), "{revision} has no transcript");
    }
    for (command, shown) in &commands {
        let printed = printed(&site, command).await;
        assert!(same(shown, &printed), "$ {command}\n{printed}\nthe guide has\n{shown}");
    }
    assert!(commands.len() >= 8);
}
