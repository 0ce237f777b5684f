//! A device without a browser: it shows a code and a picture of where to go, waits, and gets its token (RFC 8628).
//!
//! ```text
//! cargo run --example server
//! cargo run --example device -- [ISSUER [CLIENT_ID [FILE.svg]]]
//! ```
//!
//! The first is the provider, in another terminal; its demo knows the client `tv`. With a third argument the picture is
//! written to a file too, as a device with a screen would put it into its page.
#![allow(missing_docs, reason = "an example")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use grantor::qr::QrCode;
use oauth2::basic::BasicClient;
use oauth2::{
    ClientId, DeviceAuthorizationUrl, HttpRequest, HttpResponse, Scope, StandardDeviceAuthorizationResponse,
    TokenResponse as _, TokenUrl,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let issuer = arguments.next().unwrap_or_else(|| "http://127.0.0.1:8080".into());
    let client_id = arguments.next().unwrap_or_else(|| "tv".into());
    let file = arguments.next();

    // A device knows the issuer, and takes all else from the metadata.
    let get = http::Request::get(format!("{issuer}/.well-known/oauth-authorization-server")).body(Vec::new())?;
    let metadata: serde_json::Value = serde_json::from_slice(carry(get)?.body())?;
    let endpoint = |name: &str| {
        let url = metadata.get(name).and_then(serde_json::Value::as_str);
        url.map(str::to_owned).ok_or(format!("the server has no {name}"))
    };
    let client = BasicClient::new(ClientId::new(client_id))
        .set_device_authorization_url(DeviceAuthorizationUrl::new(endpoint("device_authorization_endpoint")?)?)
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint")?)?);

    let told: StandardDeviceAuthorizationResponse =
        client.exchange_device_code().add_scope(Scope::new("read".into())).request(&carry)?;
    println!("Open {} and type the code\n\n    {}\n", told.verification_uri().as_str(), told.user_code().secret());
    // The code stands beside the picture: whoever scans it compares what they are then asked about (§3.3.1).
    if let Some(complete) = told.verification_uri_complete() {
        let code = QrCode::of(complete.secret())?;
        println!("or scan this:\n\n{}", code.terminal());
        if let Some(file) = file {
            std::fs::write(file, code.svg())?;
        }
    }
    println!("Waiting.");

    // Polls as often as it may, and slower when it is told to.
    let tokens = client.exchange_device_access_token(&told).request(&carry, std::thread::sleep, None)?;
    let scopes = tokens.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>());
    println!("Connected. The token may: {}\n", scopes.unwrap_or_default().join(" "));
    println!("curl -H 'Authorization: Bearer {}' {issuer}/api/me", tokens.access_token().secret());
    Ok(())
}

/// Carries a request over one connection: enough for a provider on this machine. A device takes the HTTP client that it
/// has, and speaks `https`.
fn carry(request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let (parts, body) = request.into_parts();
    let not_here = || std::io::Error::other("this example speaks http:// only");
    let address = parts.uri.authority().filter(|_| parts.uri.scheme_str() == Some("http")).ok_or_else(not_here)?;
    let mut stream = TcpStream::connect(address.as_str())?;
    let path = parts.uri.path();
    write!(stream, "{} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", parts.method)?;
    for (name, value) in &parts.headers {
        write!(stream, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()))?;
    }
    write!(stream, "content-length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)?;

    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let odd = || std::io::Error::other("the server gave no answer in HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(odd)?;
    let mut response = http::Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.as_bytes().to_vec()).map_err(|_| odd())
}
