//! The smallest client, in process and over a socket.

use grantor::testing::{ConnectionReset, TestClient, TestServer};
use http::{Request, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The pair of RFC 7636 App. B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        text.push_str(if text.is_empty() { "" } else { "&" });
        grantor::wire::form::encode_component(&mut text, name);
        text.push('=');
        grantor::wire::form::encode_component(&mut text, value);
    }
    text
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}

pub(crate) fn app() -> String {
    basic(TestServer::CLIENT_ID, TestServer::CLIENT_SECRET)
}

pub(crate) fn api() -> String {
    basic(TestServer::RESOURCE_SERVER_ID, TestServer::RESOURCE_SERVER_SECRET)
}

pub(crate) async fn get(server: &TestServer, path_and_query: &str) -> Result<Response<String>, ConnectionReset> {
    server.send(Request::get(server.url(path_and_query)).body(String::new()).unwrap()).await
}

pub(crate) async fn post(
    server: &TestServer,
    path: &str,
    authorization: &str,
    fields: &[(&str, &str)],
) -> Result<Response<String>, ConnectionReset> {
    let request = Request::post(server.url(path))
        .header("authorization", authorization)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encode(fields))
        .unwrap();
    server.send(request).await
}

pub(crate) fn json(response: &Response<String>) -> Value {
    serde_json::from_str(response.body()).unwrap_or_else(|error| panic!("{error}: {}", response.body()))
}

pub(crate) async fn introspect(server: &TestServer, token: &str) -> Value {
    json(&post(server, "/introspect", &api(), &[("token", token)]).await.unwrap())
}

/// The query of an authorization request of the client `app`.
pub(crate) fn authorization(more: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", TestServer::CLIENT_ID),
        ("redirect_uri", TestServer::REDIRECT_URI),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "xyz"),
    ];
    fields.extend_from_slice(more);
    format!("/authorize?{}", encode(&fields))
}

/// A parameter in the query of where an answer leads.
pub(crate) fn led(response: &Response<String>, name: &str) -> Option<String> {
    let location = response.headers().get("location")?.to_str().ok()?;
    let query = location.split_once('?')?.1.trim_end_matches('#').split('#').next()?.to_owned();
    let form = grantor::wire::form::Form::parse(query.as_bytes()).ok()?.into_owned();
    form.get(name).map(str::to_owned)
}

/// A code, earned.
pub(crate) async fn code(server: &TestServer) -> String {
    let answer = get(server, &authorization(&[("scope", "read write")])).await.unwrap();
    led(&answer, "code").unwrap_or_else(|| panic!("{answer:?}"))
}

pub(crate) async fn exchange(server: &TestServer, code: &str) -> Result<Response<String>, ConnectionReset> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", TestServer::REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    post(server, "/token", &app(), &fields).await
}

pub(crate) async fn refresh(server: &TestServer, token: &str) -> Result<Response<String>, ConnectionReset> {
    post(server, "/token", &app(), &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

pub(crate) fn basic_of(client: &TestClient) -> String {
    basic(&client.client_id, client.client_secret.as_deref().unwrap())
}

/// Sends bytes to the listener and reads until it closes the connection.
pub(crate) async fn wire(server: &TestServer, request: &str) -> std::io::Result<String> {
    let mut stream = tokio::net::TcpStream::connect(server.address().unwrap()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A POST as it goes over the wire; the connection is to be closed afterwards.
pub(crate) fn wire_post(server: &TestServer, path: &str, headers: &str, body: &str) -> String {
    let host = server.address().unwrap();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
