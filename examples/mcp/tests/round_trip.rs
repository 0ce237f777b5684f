//! `rmcp`'s own client, from the URL of the MCP server to a tool call, a refresh and more scope.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use grantor::fetch::{Fetch, FetchRequest, Fetched};
use grantor::refusal::FetchError;
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

const CALLBACK: &str = "http://localhost:33418/callback";
/// Where the same program listens another time.
const ANOTHER: &str = "http://localhost:50505/callback";
const DOCUMENT: &str = "https://notebook.example/oauth/client.json";

/// The internet, as far as it is needed: one document.
struct OneDocument;

#[grantor::async_trait]
impl Fetch for OneDocument {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        if request.url != DOCUMENT {
            return Err(FetchError::Unreachable);
        }
        let document = serde_json::json!({
            "client_id": DOCUMENT,
            "client_name": "Notebook",
            "redirect_uris": ["http://localhost/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        let body = document.to_string().into_bytes();
        Ok(Fetched { content_type: "application/json".to_owned(), cache_control: None, body })
    }
}

/// Both servers, on a free port.
async fn serve() -> (String, grantor::AuthorizationServer) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = grantor_example_mcp::authorization_server(&origin, OneDocument).unwrap();
    let app = grantor_example_mcp::app(server.clone(), grantor_example_mcp::alice(&server));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (format!("{origin}/mcp"), server)
}

/// What Alice's browser does: it opens the page, she agrees to everything, and the answer goes to the client.
async fn agree(url: &str) -> String {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = browser.get(url).send().await.unwrap();
    assert_eq!(page.status(), 200, "{url}");
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let html = page.text().await.unwrap();
    let fields = |name: &str| -> Vec<String> {
        let named = format!("name=\"{name}\"");
        let inputs = html.split('<').filter(|tag| tag.starts_with("input") && tag.contains(&named));
        let value = |tag: &str| tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        inputs.map(value).collect()
    };
    let action = html.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut form = String::from("decision=allow");
    for name in ["handle", "csrf", "scope"] {
        for value in fields(name) {
            form.push_str(&format!("&{name}={}", value.replace(':', "%3A")));
        }
    }
    let request =
        browser.post(action).header("cookie", cookie).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn call(url: &str, oauth: OAuthState, tool: &'static str) -> Result<String, String> {
    let manager = oauth.into_authorization_manager().unwrap();
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(url.to_owned());
    let service = ().serve(StreamableHttpClientTransport::with_client(client, config)).await.unwrap();
    let mut request = CallToolRequestParams::new(tool);
    if tool == "add_note" {
        request.arguments = serde_json::json!({"text": "buy milk"}).as_object().cloned();
    }
    let result = service.call_tool(request).await.map_err(|error| format!("{error:?}"))?;
    let text = serde_json::to_value(&result).unwrap()["content"][0]["text"].as_str().unwrap().to_owned();
    service.cancel().await.unwrap();
    Ok(text)
}

/// A client that knows the URL of the MCP server, and nothing else.
async fn signed_in(url: &str, scopes: &[&str]) -> OAuthState {
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("Notebook").with_scopes(scopes.iter().copied());
    signed_in_as(url, request).await
}

async fn signed_in_as(url: &str, request: AuthorizationRequest) -> OAuthState {
    let mut oauth = OAuthState::new(url, None).await.unwrap();
    let callback = request.redirect_uri.clone();
    oauth.start_authorization(request).await.unwrap();
    let answer = agree(&oauth.get_authorization_url().await.unwrap()).await;
    assert!(answer.starts_with(&callback) && answer.contains("iss="), "{answer}");
    oauth.handle_callback_url(&answer).await.unwrap();
    oauth
}

#[tokio::test]
async fn a_client_finds_its_way_from_the_url_to_a_tool() {
    let (url, server) = serve().await;
    let oauth = signed_in(&url, &["notes:read", "notes:write"]).await;
    assert_eq!(call(&url, oauth, "add_note").await.unwrap(), "1 kept");
    let oauth = signed_in(&url, &["notes:read"]).await;
    assert_eq!(call(&url, oauth, "list_notes").await.unwrap(), "buy milk");
    let apps = server.grants().apps(&"alice".into(), None, 10).await.unwrap();
    assert!(!apps.items.is_empty(), "the client is among Alice's connected apps");
}

#[tokio::test]
async fn a_client_refreshes_and_goes_on() {
    let (url, _) = serve().await;
    let oauth = signed_in(&url, &["notes:read"]).await;
    let before = oauth.get_credentials().await.unwrap();
    oauth.refresh_token().await.unwrap();
    let after = oauth.get_credentials().await.unwrap();
    assert_ne!(format!("{:?}", serde_json::to_value(&before.1)), format!("{:?}", serde_json::to_value(&after.1)));
    assert_eq!(call(&url, oauth, "list_notes").await.unwrap(), "");
}

#[tokio::test]
async fn a_client_that_needs_more_scope_asks_for_more() {
    let (url, _) = serve().await;
    let mut oauth = signed_in(&url, &["notes:read"]).await;
    let token = oauth.get_credentials().await.unwrap().1.unwrap();
    let token = serde_json::to_value(&token).unwrap()["access_token"].as_str().unwrap().to_owned();
    let body =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"x"}}}"#;
    let refused = reqwest::Client::new().post(&url).bearer_auth(token).body(body).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="notes:write""#) && challenge.contains("resource_metadata="), "{challenge}");
    let more = oauth.request_scope_upgrade("notes:write", CALLBACK).await.unwrap();
    let answer = agree(&more).await;
    oauth.handle_callback_url(&answer).await.unwrap();
    assert_eq!(call(&url, oauth, "add_note").await.unwrap(), "1 kept");
}

#[tokio::test]
async fn a_token_for_another_resource_opens_nothing() {
    let (url, server) = serve().await;
    let metadata = grantor::client::ClientMetadata {
        grant_types: vec!["client_credentials".into()],
        ..grantor::client::ClientMetadata::default()
    };
    let made = server.clients().register(metadata).await.unwrap();
    let (id, secret) = (made.client.id().to_string(), made.secret.unwrap().expose().to_owned());
    let ask = |resource: &str| {
        let form = format!("grant_type=client_credentials&resource={}", resource.replace([':'], "%3A"));
        let request = reqwest::Client::new().post(url.replace("/mcp", "/token")).basic_auth(&id, Some(&secret));
        request.header("content-type", "application/x-www-form-urlencoded").body(form)
    };
    let unaddressed = reqwest::Client::new()
        .post(url.replace("/mcp", "/token"))
        .basic_auth(&id, Some(&secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    for (request, status) in [(ask(&url), 200), (ask(&format!("{url}/")), 200), (unaddressed, 401)] {
        let answer: serde_json::Value =
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        let token = answer["access_token"].as_str().unwrap();
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let call = reqwest::Client::new()
            .post(&url)
            .bearer_auth(token)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(body);
        let status_of_call = call.send().await.unwrap().status().as_u16();
        // Without a session the MCP server itself refuses the call, which it would not be asked without a good token.
        assert_eq!(status_of_call == 401, status == 401, "{status_of_call}");
    }
}

#[tokio::test]
async fn a_client_comes_back_on_another_port() {
    let (url, server) = serve().await;
    let first = signed_in(&url, &["notes:read"]).await.get_credentials().await.unwrap().0;
    // It remembers who it is, and takes the port that is free this time.
    let remembers = AuthorizationRequest::new(ANOTHER).with_preregistered_client(&first).with_scopes(["notes:read"]);
    let oauth = signed_in_as(&url, remembers).await;
    assert_eq!(call(&url, oauth, "list_notes").await.unwrap(), "");
    // It has forgotten, and registers again: the same client.
    let forgot = AuthorizationRequest::new(ANOTHER).with_client_name("Notebook").with_scopes(["notes:write"]);
    let again = signed_in_as(&url, forgot).await.get_credentials().await.unwrap().0;
    assert_eq!(again, first);
    let apps = server.grants().apps(&"alice".into(), None, 10).await.unwrap();
    assert_eq!(apps.items.len(), 1, "three sign-ins of one app");
}

#[tokio::test]
async fn a_client_that_has_a_document_registers_nowhere() {
    let (url, server) = serve().await;
    let asks = || AuthorizationRequest::new(ANOTHER).with_client_metadata_url(DOCUMENT).with_scopes(["notes:read"]);
    let mut oauth = signed_in_as(&url, asks()).await;
    assert_eq!(oauth.get_credentials().await.unwrap().0, DOCUMENT);
    oauth.refresh_token().await.unwrap();
    let more = oauth.request_scope_upgrade("notes:write", ANOTHER).await.unwrap();
    oauth.handle_callback_url(&agree(&more).await).await.unwrap();
    assert_eq!(call(&url, oauth, "add_note").await.unwrap(), "1 kept");
    let apps = server.grants().apps(&"alice".into(), None, 10).await.unwrap();
    let ids: Vec<&str> = apps.items.iter().map(|app| app.client_id.as_str()).collect();
    assert_eq!(ids, [DOCUMENT], "there is no other client");
}
